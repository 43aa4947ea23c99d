//! Which inputs made an output: follows lineage headers back, hop by hop, to records from outside the application.

use std::collections::HashSet;
use std::sync::Arc;

use crate::lineage::{self, CAUSE, Coordinates, LINEAGE, REPLAYED_FROM, RULE};
use crate::log::{
    Isolation, Log, LogError, LogErrorKind, LogRecord, LogResult, PartitionReader, TopicPartition, read_partition,
    record_at,
};
use crate::partitioner::partition_of;
use crate::topology::{TopicRole, Topology};

/// Hops after which a chain is cut: far more than any topology has.
const LONGEST_CHAIN: usize = 64;

/// A record, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Where the record stands, or stood.
    pub at: Coordinates,
    /// What its topic is to the application; `None` for a topic it does not know.
    pub role: Option<TopicRole>,
    /// The record, if it could be read.
    pub found: Found,
    /// The rule that made it.
    pub rule: Option<String>,
    /// What it was published, or taken back, for.
    pub cause: Option<String>,
    /// Version of the program that made it.
    pub version: Option<String>,
    /// What writes that topic.
    pub written_by: Vec<Place>,
    /// What reads that topic.
    pub read_by: Vec<Place>,
    /// The records it was made from, explained in turn. Empty for inputs from outside.
    pub inputs: Vec<Explanation>,
}

/// Whether a record is there to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is.
    Record(Box<LogRecord>),
    /// Its topic no longer has it.
    Gone,
    /// It is explained elsewhere in the same tree.
    Above,
}

/// A processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Sub-topology.
    pub sub_topology: &'static str,
    /// Processor.
    pub processor: &'static str,
}

/// Explains the last record of a key in a topic; `None` when the topic has no record with that key. The partition of the
/// key is looked at first, then the others, since producers outside may choose another.
///
/// # Errors
/// The topic does not exist, or the log cannot be reached.
pub fn explain(log: &dyn Log, topology: &Topology, topic: &str, key: &[u8]) -> LogResult<Option<Explanation>> {
    let topics = log.topics()?;
    let Some(described) = topics.iter().find(|t| *t.name == *topic) else {
        return Err(LogError::new(LogErrorKind::UnknownTopic, format!("the topic {topic} does not exist")));
    };
    let mut reader = log.reader(Isolation::ReadCommitted)?;
    let likely = partition_of(key, described.partitions);
    let mut partitions: Vec<i32> = (0..described.partitions).collect();
    partitions.sort_by_key(|partition| *partition != likely);
    for partition in partitions {
        let from = TopicPartition::new(described.name.clone(), partition);
        let mut last = None;
        read_partition(reader.as_mut(), &from, 0, &mut |record| {
            if record.key.as_deref() == Some(key) {
                last = Some(record);
            }
            true
        })?;
        if let Some(record) = last {
            let at = Coordinates { topic: described.name.clone(), partition, offset: record.offset };
            let there = topics.iter().map(|t| (t.name.clone(), t.partitions)).collect();
            let mut walk = Walk { reader: reader.as_mut(), topology, there, seen: HashSet::new() };
            walk.seen.insert(at.to_string());
            return walk.record(at, record, LONGEST_CHAIN).map(Some);
        }
    }
    Ok(None)
}

struct Walk<'a> {
    reader: &'a mut dyn PartitionReader,
    topology: &'a Topology,
    there: Vec<(Arc<str>, i32)>,
    seen: HashSet<String>,
}

impl Walk<'_> {
    fn record(&mut self, at: Coordinates, record: LogRecord, hops_left: usize) -> LogResult<Explanation> {
        let mut inputs = Vec::new();
        for header in &record.headers {
            // The lineage of a replayed record went to its dead letter, which goes on from there.
            if &*header.name == LINEAGE || &*header.name == REPLAYED_FROM {
                inputs.extend(lineage::parse(&header.value));
            }
        }
        let mut explanation = self.place(at, Found::Gone);
        explanation.rule = lineage::header_text(&record, RULE);
        explanation.cause = lineage::header_text(&record, CAUSE);
        explanation.version =
            lineage::header_text(&record, LINEAGE).and_then(|header| lineage::version(&header).map(str::to_owned));
        explanation.found = Found::Record(Box::new(record));
        self.keep_readers_of(&inputs, &mut explanation.written_by);
        for input in inputs {
            explanation.inputs.push(self.input(input, hops_left)?);
        }
        Ok(explanation)
    }

    /// Of several writers of a topic, the one that made a record is among those that read its inputs.
    fn keep_readers_of(&self, inputs: &[Coordinates], writers: &mut Vec<Place>) {
        let mut readers = Vec::new();
        for input in inputs {
            readers.extend(self.place(input.clone(), Found::Gone).read_by);
        }
        if writers.iter().any(|writer| readers.contains(writer)) {
            writers.retain(|writer| readers.contains(writer));
        }
    }

    fn input(&mut self, at: Coordinates, hops_left: usize) -> LogResult<Explanation> {
        if hops_left == 0 || !self.seen.insert(at.to_string()) {
            return Ok(self.place(at, Found::Above));
        }
        if !self.there.iter().any(|(topic, partitions)| *topic == at.topic && at.partition < *partitions) {
            return Ok(self.place(at, Found::Gone));
        }
        let from = TopicPartition::new(at.topic.clone(), at.partition);
        match record_at(self.reader, &from, at.offset)? {
            Some(record) => self.record(at, record, hops_left - 1),
            None => Ok(self.place(at, Found::Gone)),
        }
    }

    fn place(&self, at: Coordinates, found: Found) -> Explanation {
        let topic = self.topology.topic(&at.topic);
        let mut written_by = Vec::new();
        let mut read_by = Vec::new();
        for sub in &self.topology.sub_topologies {
            for processor in &sub.processors {
                let place = Place { sub_topology: sub.name, processor: processor.name };
                if topic.is_some_and(|topic| processor.sinks.contains(&topic)) {
                    written_by.push(place.clone());
                }
                if topic.is_some_and(|topic| processor.inputs.iter().any(|input| sub.sources[*input].topic == topic)) {
                    read_by.push(place);
                }
            }
        }
        Explanation {
            role: topic.map(|topic| self.topology.topics[topic].role),
            at,
            found,
            rule: None,
            cause: None,
            version: None,
            written_by,
            read_by,
            inputs: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
