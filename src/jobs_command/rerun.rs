//! `concord jobs rerun`: publishes a job's file again, as a job of its own, from what the topic of extracts still has.

use std::collections::{BTreeMap, BTreeSet};

use concord_engine::log::kafka::KafkaLog;
use concord_engine::log::{Isolation, Log, LogRecord, Offset, TopicPartition, read_partition};
use concord_engine::partitioner::partition_of;
use concord_flows::list_reconciliation::ids;
use concord_flows::list_reconciliation::topology::GP_EXTRACT;
use concord_schemas::codec::{self, Decoder};
use concord_schemas::list_reconciliation::{ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::cli::JobsRerunArgs;
use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;
use crate::operator::{Desk, Outgoing};
use crate::output;

pub(super) fn rerun(args: &JobsRerunArgs) -> Result<(), Failure> {
    let config = Config::read_with_lists(&args.config)?;
    let jobs = super::read(&config)?;
    let job = jobs.get(&args.id).ok_or_else(|| super::unknown(&args.id))?;
    let (first, number) = next_rerun(&args.id, job, &jobs);

    let desk = Desk::open(&config)?;
    let partitions = desk.partitions_of(GP_EXTRACT)?;
    let Desk { log, mut outgoing } = desk;
    let decoder = cluster::schemas(&config)?.decoder();
    // What the re-run of a re-run reads is the same file; the first job's may be gone.
    let candidates: BTreeSet<&str> = BTreeSet::from([args.id.as_str(), first.as_str()]);
    for candidate in candidates {
        let extract = Extract { log: &log, decoder: &decoder, job_id: candidate, partitions };
        let Some(whole) = extract.find()? else { continue };
        let job_id = ids::rerun_id(&first, number);
        let rerun = Rerun { job_id: &job_id, source: &ids::rerun_source(&first, number), at: args.at };
        extract.publish_as(&rerun, &whole, &mut outgoing)?;
        output::line(format_args!("job {job_id}"));
        return Ok(());
    }
    let id = &args.id;
    Err(Failure::Other(format!("{GP_EXTRACT} does not have the whole file of job {id} any more: send it again")))
}

/// The first job of all its re-runs, and the number of the next one.
fn next_rerun(id: &str, job: &Value, jobs: &BTreeMap<String, Value>) -> (String, u32) {
    let source_of = |job: &Value| job["source"].as_str().map(str::to_owned).unwrap_or_default();
    let first = ids::rerun_of(&source_of(job)).map_or_else(|| id.to_string(), |(first, _)| first.to_string());
    let numbers = jobs.values().filter_map(|job| {
        let source = source_of(job);
        ids::rerun_of(&source).filter(|(of, _)| *of == first).map(|(_, number)| number)
    });
    let last = numbers.max().unwrap_or(0);
    (first, last + 1)
}

/// A file that the topic still has whole: where its events stand.
struct Whole {
    opened: Offset,
    /// In order.
    chunks: Vec<Offset>,
    closed: Offset,
}

/// A job's file on the topic of extracts.
struct Extract<'l> {
    log: &'l KafkaLog,
    decoder: &'l Decoder,
    job_id: &'l str,
    partitions: i32,
}

/// The job that a file becomes again.
struct Rerun<'r> {
    job_id: &'r str,
    source: &'r str,
    at: Option<Timestamp>,
}

impl Extract<'_> {
    /// The last sending of the file that came whole.
    fn find(&self) -> Result<Option<Whole>, Failure> {
        let mut sending = Sending::default();
        let mut whole = None;
        self.visit(0, &mut |record| {
            let value = record.value.as_deref().unwrap_or_default();
            // What cannot be read is of no file: the intake has made a dead letter of it.
            if let Ok(event) = self.decoder.decode::<ExtractEvent<'_>>(&codec::GP_EXTRACT, value) {
                whole = sending.take(record.offset, &event).or(whole.take());
            }
            true
        })?;
        Ok(whole)
    }

    /// Reads the events of a sending a second time, and publishes them under another job id.
    fn publish_as(&self, rerun: &Rerun<'_>, whole: &Whole, outgoing: &mut Outgoing) -> Result<(), Failure> {
        let mut published = Ok(());
        let mut left = whole.chunks.len() + 2;
        self.visit(whole.opened, &mut |record| {
            let is_wanted = record.offset == whole.opened
                || record.offset == whole.closed
                || whole.chunks.binary_search(&record.offset).is_ok();
            if is_wanted {
                left -= 1;
                published = self.publish_event(rerun, record.value.as_deref().unwrap_or_default(), outgoing);
            }
            published.is_ok() && left > 0
        })?;
        published?;
        if left > 0 {
            return Err(Failure::Other(format!("{GP_EXTRACT} has lost the file while it was read: send it again")));
        }
        outgoing.flush()
    }

    fn publish_event(&self, rerun: &Rerun<'_>, value: &[u8], outgoing: &mut Outgoing) -> Result<(), Failure> {
        let job_id = rerun.job_id;
        let read = self.decoder.decode::<ExtractEvent<'_>>(&codec::GP_EXTRACT, value);
        let event = match read.map_err(|e| Failure::other(format!("reading {GP_EXTRACT}"), e))? {
            ExtractEvent::ExtractOpened(opened) => {
                let received_at_ms = rerun.at.map_or(opened.received_at_ms, Timestamp::as_millisecond);
                ExtractEvent::ExtractOpened(ExtractOpened { job_id, received_at_ms, source: rerun.source, ..opened })
            }
            ExtractEvent::ExtractChunk(chunk) => ExtractEvent::ExtractChunk(ExtractChunk { job_id, ..chunk }),
            ExtractEvent::ExtractClosed(closed) => ExtractEvent::ExtractClosed(ExtractClosed { job_id, ..closed }),
        };
        let partition = partition_of(job_id.as_bytes(), self.partitions);
        outgoing.publish(&codec::GP_EXTRACT, partition, job_id, &event)
    }

    /// Hands over the records of the job, from an offset on, until `take` answers false.
    fn visit(&self, start: Offset, take: &mut dyn FnMut(LogRecord) -> bool) -> Result<(), Failure> {
        let failed = |e| Failure::other(format!("reading {GP_EXTRACT}"), e);
        let mut reader = self.log.reader(Isolation::ReadCommitted).map_err(failed)?;
        let from = TopicPartition::new(GP_EXTRACT, partition_of(self.job_id.as_bytes(), self.partitions));
        read_partition(reader.as_mut(), &from, start, &mut |record| {
            let is_of_job = record.key.as_deref() == Some(self.job_id.as_bytes());
            !is_of_job || take(record)
        })
        .map_err(failed)
    }
}

/// A sending as far as it has been read.
#[derive(Default)]
struct Sending {
    opened: Option<Offset>,
    chunks: Vec<Offset>,
    content: Sha256,
}

impl Sending {
    /// Takes the next event; answers the whole file at its end marker.
    fn take(&mut self, offset: Offset, event: &ExtractEvent<'_>) -> Option<Whole> {
        match event {
            ExtractEvent::ExtractOpened(_) => *self = Self { opened: Some(offset), ..Self::default() },
            ExtractEvent::ExtractChunk(chunk) if chunk.sequence as usize == self.chunks.len() => {
                self.chunks.push(offset);
                self.content.update(chunk.content);
            }
            // A piece sent twice, or of a sending whose beginning is gone.
            ExtractEvent::ExtractChunk(_) => {}
            ExtractEvent::ExtractClosed(closed) => {
                let Self { opened, chunks, content } = std::mem::take(self);
                let sha256: String = content.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                let is_whole = chunks.len() == closed.chunks as usize && sha256 == closed.sha256;
                return opened.filter(|_| is_whole).map(|opened| Whole { opened, chunks, closed: offset });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    fn opened() -> ExtractEvent<'static> {
        ExtractEvent::ExtractOpened(ExtractOpened {
            job_id: "j-1",
            file_name: "f",
            received_at_ms: 1,
            bytes: 2,
            source: "",
        })
    }

    fn chunk(sequence: i32, content: &[u8]) -> ExtractEvent<'_> {
        ExtractEvent::ExtractChunk(ExtractChunk { job_id: "j-1", sequence, content })
    }

    fn closed(sha256: &str) -> ExtractEvent<'_> {
        ExtractEvent::ExtractClosed(ExtractClosed { job_id: "j-1", chunks: 2, sha256 })
    }

    #[test]
    fn a_sending_is_whole_when_every_piece_and_the_checksum_are_there() {
        // SHA-256 of "ab".
        let sha256 = "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603";
        let mut sending = Sending::default();
        let events =
            [opened(), chunk(0, b"a"), opened(), chunk(0, b"a"), chunk(0, b"a"), chunk(1, b"b"), closed(sha256)];
        let mut whole = None;
        for (offset, event) in events.iter().enumerate() {
            whole = sending.take(offset as Offset, event).or(whole);
        }
        let Whole { opened: first, chunks, closed: last } = whole.unwrap();
        assert_eq!((first, chunks, last), (2, vec![3, 5], 6));

        for damaged in [
            vec![opened(), chunk(1, b"b"), closed(sha256)],
            vec![chunk(0, b"a"), chunk(1, b"b"), closed(sha256)],
            vec![opened(), chunk(0, b"a"), chunk(1, b"x"), closed(sha256)],
            vec![opened(), chunk(0, b"a"), chunk(1, b"b")],
        ] {
            let mut sending = Sending::default();
            assert!(damaged.iter().all(|event| sending.take(0, event).is_none()));
        }
    }

    #[test]
    fn re_runs_are_counted_from_the_first_job_whichever_of_them_is_named() {
        let job = |source: &str| json!({ "source": source });
        let mut jobs = BTreeMap::from([("j-1".to_owned(), job("folder:/inbound")), ("j-2".to_owned(), job(""))]);
        assert_eq!(next_rerun("j-1", &jobs["j-1"], &jobs), ("j-1".to_owned(), 1));
        jobs.insert("r-1".to_owned(), job("rerun:j-1/1"));
        jobs.insert("r-2".to_owned(), job("rerun:j-1/2"));
        assert_eq!(next_rerun("j-1", &jobs["j-1"], &jobs), ("j-1".to_owned(), 3));
        assert_eq!(next_rerun("r-1", &jobs["r-1"], &jobs), ("j-1".to_owned(), 3));
        assert_eq!(next_rerun("j-2", &jobs["j-2"], &jobs), ("j-2".to_owned(), 1));
    }
}
