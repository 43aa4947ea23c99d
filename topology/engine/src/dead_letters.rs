//! Looking into the dead-letter topic, and giving its records back to their topics.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::lineage::{self, Coordinates, REPLAYED_FROM};
use crate::log::{
    Header, Isolation, Log, LogRecord, LogResult, Offset, OutgoingRecord, PartitionReader, TopicPartition,
    read_partition, read_whole_topic, record_at,
};
use crate::topology::{Cleanup, Topology};
use crate::worker::{
    DEAD_LETTER_CALL, DEAD_LETTER_CODE, DEAD_LETTER_MESSAGE, DEAD_LETTER_OFFSET, DEAD_LETTER_PARTITION,
    DEAD_LETTER_STAGE, DEAD_LETTER_TIMESTAMP, DEAD_LETTER_TOPIC, DEAD_LETTER_TRUNCATED,
};

/// How long the log may take to acknowledge what was replayed.
const FLUSH: Duration = Duration::from_secs(60);

/// Headers that a worker adds to a letter.
const OF_THE_LETTER: [&str; 11] = [
    DEAD_LETTER_TOPIC,
    DEAD_LETTER_PARTITION,
    DEAD_LETTER_OFFSET,
    DEAD_LETTER_TIMESTAMP,
    DEAD_LETTER_STAGE,
    DEAD_LETTER_CODE,
    DEAD_LETTER_MESSAGE,
    DEAD_LETTER_TRUNCATED,
    DEAD_LETTER_CALL,
    lineage::LINEAGE,
    REPLAYED_FROM,
];

/// A rejected record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it stands in the dead-letter topic.
    pub at: Coordinates,
    /// The rejected record, or the one that asked for the rejected call; `None` for a timer, which stands in no topic.
    pub source: Option<Coordinates>,
    /// The name of the rejected call, whose request is the payload.
    pub call: Option<String>,
    /// At which stage it was rejected.
    pub stage: String,
    /// Stable code of the cause.
    pub code: String,
    /// The cause, without the record's content.
    pub message: String,
    /// The payload was too large to be kept; it still stands at the source.
    pub truncated: bool,
    /// The letter as it stands: key, payload and time of the rejected record, and all headers.
    pub record: LogRecord,
}

impl DeadLetter {
    /// Reads a record of the dead-letter topic.
    pub fn of(topic: Arc<str>, partition: i32, record: LogRecord) -> Self {
        let text = |name| lineage::header_text(&record, name).unwrap_or_default();
        let source = match (text(DEAD_LETTER_PARTITION).parse(), text(DEAD_LETTER_OFFSET).parse()) {
            (Ok(partition), Ok(offset)) => {
                Some(Coordinates { topic: Arc::from(text(DEAD_LETTER_TOPIC)), partition, offset })
            }
            _ => None,
        };
        Self {
            at: Coordinates { topic, partition, offset: record.offset },
            source,
            call: lineage::header_text(&record, DEAD_LETTER_CALL),
            stage: text(DEAD_LETTER_STAGE),
            code: text(DEAD_LETTER_CODE),
            message: text(DEAD_LETTER_MESSAGE),
            truncated: text(DEAD_LETTER_TRUNCATED) == "true",
            record,
        }
    }
}

/// Hands every letter of the application to `visit`, by partition and offset.
///
/// # Errors
/// The topic does not exist, or the log cannot be reached.
pub fn read_dead_letters(log: &dyn Log, topology: &Topology, visit: &mut dyn FnMut(DeadLetter)) -> LogResult<()> {
    let topic = &topology.topics[topology.dead_letters].name;
    read_whole_topic(log, topic, &mut |partition, record| visit(DeadLetter::of(topic.clone(), partition, record)))
}

/// One letter; `None` when there is none (any more).
///
/// # Errors
/// The partition does not exist, or the log cannot be reached.
pub fn dead_letter_at(
    log: &dyn Log,
    topology: &Topology,
    partition: i32,
    offset: Offset,
) -> LogResult<Option<DeadLetter>> {
    let topic = &topology.topics[topology.dead_letters].name;
    let mut reader = log.reader(Isolation::ReadCommitted)?;
    let record = record_at(reader.as_mut(), &TopicPartition::new(topic.clone(), partition), offset)?;
    Ok(record.map(|record| DeadLetter::of(topic.clone(), partition, record)))
}

/// Which letters are replayed: those that meet every condition.
#[derive(Debug, Clone, Default)]
pub struct ReplayChoice {
    /// Only those at these partitions and offsets.
    pub letters: Option<Vec<(i32, Offset)>>,
    /// Only those with this code.
    pub code: Option<String>,
    /// Also where a newer record of the same key stands in a compacted topic.
    pub superseded_too: bool,
}

/// What a replay did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Letters whose record was published again.
    pub published: u64,
    /// Letters that were chosen and not replayed, with the reason.
    pub kept: Vec<(Coordinates, KeptBecause)>,
    /// Letters asked for by partition and offset that are not there, or have another code.
    pub not_found: Vec<(i32, Offset)>,
}

/// Why a chosen letter was not replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeptBecause {
    /// Its topic holds the record already that an earlier replay published.
    #[error("it was replayed before")]
    ReplayedBefore,
    /// Publishing it would set its key back to an older value.
    #[error(
        "a newer record of its key stands in the topic, which replaying would override (--superseded does it all the same)"
    )]
    Superseded,
    /// It is a timer's, or its source is not named.
    #[error("it has no source record: a timer is not replayed, send what set it again")]
    NoSource,
    /// The application does not read that topic, or the topic has fewer partitions now.
    #[error("its source topic is not one that this application reads now")]
    NotASource,
    /// The record is not kept with the letter (it was too large, or the letter is a call's), and its topic no longer has it.
    #[error("the letter does not have the record itself, and its topic no longer has it: send it again")]
    PayloadGone,
}

impl DeadLetter {
    /// Whether the record to be replayed is not in the letter, but still stands at its source.
    fn is_without_its_record(&self) -> bool {
        self.truncated || self.call.is_some()
    }
}

/// Publishes the records of the chosen letters again: payload, key, partition, time and headers as they were, with the
/// header `concord-replayed-from` instead of the letter's own. Letters stay where they are.
///
/// Replaying twice changes nothing: a letter whose record is found in its topic by that header is left alone. Two replays
/// at the same time do not see each other and may both publish; and a replay is forgotten when its record has been
/// deleted from the topic. Records of a compacted topic are left alone when a newer record has their key, unless
/// [`ReplayChoice::superseded_too`].
///
/// # Errors
/// The log cannot be reached, or refuses a record. What was published until then stays, and the next replay knows it.
pub fn replay(log: &dyn Log, topology: &Topology, choice: &ReplayChoice) -> LogResult<Replayed> {
    let mut replayed = Replayed::default();
    let mut chosen = choose(log, topology, choice, &mut replayed)?;
    let mut reader = log.reader(Isolation::ReadCommitted)?;
    for (partition, letters) in &mut chosen {
        keep_what_must_not_return(reader.as_mut(), topology, partition, letters, choice, &mut replayed)?;
    }
    let wanted: HashSet<(i32, Offset)> =
        chosen.values().flatten().map(|letter| (letter.at.partition, letter.at.offset)).collect();
    if wanted.is_empty() {
        return Ok(replayed);
    }
    publish(log, reader.as_mut(), topology, &wanted, &mut replayed)?;
    Ok(replayed)
}

/// A chosen letter, without its payload.
struct Chosen {
    at: Coordinates,
    offset: Offset,
    key: Option<Bytes>,
}

/// The chosen letters by the partition that they came from.
fn choose(
    log: &dyn Log,
    topology: &Topology,
    choice: &ReplayChoice,
    replayed: &mut Replayed,
) -> LogResult<BTreeMap<TopicPartition, Vec<Chosen>>> {
    let partitions = partitions_read(log, topology)?;
    let mut not_found = choice.letters.clone().unwrap_or_default();
    let mut chosen: BTreeMap<TopicPartition, Vec<Chosen>> = BTreeMap::new();
    read_dead_letters(log, topology, &mut |letter| {
        let place = (letter.at.partition, letter.at.offset);
        if choice.letters.as_ref().is_some_and(|letters| !letters.contains(&place))
            || choice.code.as_ref().is_some_and(|code| *code != letter.code)
        {
            return;
        }
        not_found.retain(|asked| *asked != place);
        let Some(source) = letter.source else {
            replayed.kept.push((letter.at, KeptBecause::NoSource));
            return;
        };
        if partitions.get(&source.topic).is_none_or(|count| source.partition >= *count) {
            replayed.kept.push((letter.at, KeptBecause::NotASource));
            return;
        }
        let from = TopicPartition::new(source.topic, source.partition);
        let key = if letter.call.is_none() { letter.record.key } else { None };
        chosen.entry(from).or_default().push(Chosen { at: letter.at, offset: source.offset, key });
    })?;
    replayed.not_found = not_found;
    Ok(chosen)
}

/// How many partitions each topic has that the application reads.
fn partitions_read(log: &dyn Log, topology: &Topology) -> LogResult<HashMap<Arc<str>, i32>> {
    let sources = topology.source_topics();
    let there = log.topics()?.into_iter().filter(|topic| sources.contains(&topic.name));
    Ok(there.map(|topic| (topic.name, topic.partitions)).collect())
}

/// Reads a source partition from the first of its chosen letters on, and takes out those that are there again already,
/// and those that a newer record has made void.
fn keep_what_must_not_return(
    reader: &mut dyn PartitionReader,
    topology: &Topology,
    partition: &TopicPartition,
    letters: &mut Vec<Chosen>,
    choice: &ReplayChoice,
    replayed: &mut Replayed,
) -> LogResult<()> {
    let Some(first) = letters.iter().map(|letter| letter.offset).min() else { return Ok(()) };
    let is_compacted =
        topology.topic(&partition.topic).is_some_and(|index| topology.topics[index].cleanup == Cleanup::Compact);
    let watches_keys = is_compacted && !choice.superseded_too;
    let mut newest: HashMap<Bytes, Offset> = HashMap::new();
    if watches_keys {
        newest.extend(letters.iter().filter_map(|letter| Some((letter.key.clone()?, letter.offset))));
    }
    let mut there_again = HashSet::new();
    read_partition(reader, partition, first, &mut |record| {
        if let Some(from) = lineage::header_text(&record, REPLAYED_FROM) {
            there_again.insert(from);
        }
        let Some(key) = record.key.filter(|_| watches_keys) else { return true };
        // A letter without its record has lost its key too, which its source tells.
        if let Some(letter) = letters.iter_mut().find(|l| l.key.is_none() && l.offset == record.offset) {
            letter.key = Some(key.clone());
            newest.insert(key, record.offset);
        } else if let Some(offset) = newest.get_mut(&key) {
            *offset = record.offset.max(*offset);
        }
        true
    })?;
    let mut left = Vec::new();
    for letter in letters.drain(..) {
        let newer = letter.key.as_ref().and_then(|key| newest.get(key)).is_some_and(|newest| *newest > letter.offset);
        if there_again.contains(&letter.at.to_string()) {
            replayed.kept.push((letter.at, KeptBecause::ReplayedBefore));
        } else if newer {
            replayed.kept.push((letter.at, KeptBecause::Superseded));
        } else {
            left.push(letter);
        }
    }
    *letters = left;
    Ok(())
}

/// Reads the letters again, so that only one payload is held at a time, and publishes those that are wanted.
fn publish(
    log: &dyn Log,
    reader: &mut dyn PartitionReader,
    topology: &Topology,
    wanted: &HashSet<(i32, Offset)>,
    replayed: &mut Replayed,
) -> LogResult<()> {
    let mut publisher = log.publisher()?;
    let mut failure = None;
    read_dead_letters(log, topology, &mut |letter| {
        if failure.is_some() || !wanted.contains(&(letter.at.partition, letter.at.offset)) {
            return;
        }
        let Some(source) = letter.source.clone() else { return };
        let from = TopicPartition::new(source.topic.clone(), source.partition);
        let original = match letter.is_without_its_record() {
            false => Ok(Some(letter.record)),
            true => record_at(reader, &from, source.offset),
        };
        let sent = match original {
            Ok(Some(record)) => publisher.send(&OutgoingRecord {
                topic: &from.topic,
                partition: from.partition,
                timestamp_ms: record.timestamp_ms,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                headers: &headers_of_replay(&record, &letter.at),
            }),
            Ok(None) => {
                replayed.kept.push((letter.at, KeptBecause::PayloadGone));
                return;
            }
            Err(error) => Err(error),
        };
        match sent {
            Ok(()) => replayed.published += 1,
            Err(error) => failure = Some(error),
        }
    })?;
    publisher.flush(FLUSH)?;
    failure.map_or(Ok(()), Err)
}

fn headers_of_replay(record: &LogRecord, letter: &Coordinates) -> Vec<Header> {
    let mut headers = record.headers.clone();
    headers.retain(|header| !OF_THE_LETTER.contains(&&*header.name));
    headers.push(Header { name: Arc::from(REPLAYED_FROM), value: Bytes::from(letter.to_string()) });
    headers
}

#[cfg(test)]
mod tests;
