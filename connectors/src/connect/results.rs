//! Output files of the log to one destination, each once, and what became of them back to the log.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use concord_engine::log::{LogRecord, Offset, TopicPartition};
use concord_schemas::codec;
use concord_schemas::list_reconciliation::{Delivery, FileChunk};
use concord_state::failpoint;

use super::assembly::{Assembly, Place, Taken, WholeFile};
use super::destination::{Arrival, Destination, Handed};
use super::edge::{Edge, Turn};
use super::error::{ConnectProblem, Trouble};
use super::feed::{Fed, Feed};
use super::file_kind::FileKind;
use super::ledger::{DELIVERED, FileKey, Ledger, REFUSED, SENT, UNDELIVERABLE};
use super::progress::Progress;
use super::reading::ValueReader;
use super::surroundings::{Surroundings, spool_failed};
use crate::next_step::Problem;

/// How long a turn waits for records.
const WAIT: Duration = Duration::from_millis(200);
/// Deliveries at which they are committed; what was handed over behind the last commit is looked up again after a crash.
const DELIVERIES: usize = 50;
/// Files whose arrival is asked for in one turn.
const ASKED: usize = 10;

/// One route: which files, and where to.
pub struct Route {
    /// What deliveries call it; it is part of its group's name.
    pub name: String,
    /// Which files.
    pub files: BTreeSet<FileKind>,
    /// Between two questions for what is on its way.
    pub ask_every: Duration,
}

/// See the module.
pub struct Results {
    name: String,
    route: Route,
    surroundings: Surroundings,
    destination: Box<dyn Destination>,
    open: Option<Open>,
}

/// What is in use while the feed holds.
struct Open {
    feed: Feed,
    values: ValueReader,
    assembly: Assembly,
    progress: Progress,
    ledger: Ledger,
    /// Deliveries that are not committed.
    told: usize,
    file_partitions: i32,
    asked_at: Instant,
    asked_last: Option<FileKey>,
}

impl Results {
    /// Nothing is asked yet. `kind` says over what it goes, such as `mesh`.
    pub fn new(kind: &str, route: Route, surroundings: Surroundings, destination: Box<dyn Destination>) -> Self {
        let name = format!("{kind} results {}", route.name);
        Self { name, route, surroundings, destination, open: None }
    }

    fn open(&mut self) -> Result<&mut Open, Trouble> {
        if self.open.is_none() {
            let topic = codec::FILE.name();
            self.open = Some(Open {
                feed: Feed::join(&self.surroundings, &self.route.name, topic)?,
                values: ValueReader::new(&self.surroundings.schemas),
                assembly: Assembly::default(),
                progress: Progress::default(),
                ledger: Ledger::default(),
                told: 0,
                file_partitions: self.surroundings.partitions_of(topic)?,
                asked_at: Instant::now(),
                asked_last: None,
            });
        }
        opened(&mut self.open)
    }

    fn take(&mut self, from: &TopicPartition, record: LogRecord) -> Result<(), Trouble> {
        let at = Place { partition: from.partition, offset: record.offset, timestamp_ms: record.timestamp_ms };
        if let Some(mut file) = self.put_together(from, at, record)? {
            self.hand_over(from, &mut file)?;
        }
        let open = opened(&mut self.open)?;
        for (job_id, name) in open.assembly.give_up(at) {
            let kind = FileKind::of(&name).as_str();
            tracing::warn!(job = job_id, kind, "A file was never finished: its job ended in the middle of writing it.");
        }
        // Only now is the record done: a failure before leads to its being read again.
        open.progress.done(from, at.offset);
        Ok(())
    }

    /// The file that a record ends, if it is one of this route.
    fn put_together(
        &mut self,
        from: &TopicPartition,
        at: Place,
        record: LogRecord,
    ) -> Result<Option<WholeFile>, Trouble> {
        let Open { feed, values, assembly, ledger, .. } = opened(&mut self.open)?;
        let piece = match values.read::<FileChunk<'_>>(&codec::FILE, record.value.as_deref())? {
            Ok(piece) => piece,
            Err(cause) => {
                feed.reject(from, record, &cause);
                return Ok(None);
            }
        };
        let is_ours = self.route.files.contains(&FileKind::of(piece.file_name));
        if !is_ours || ledger.knows(piece.job_id, piece.file_name) {
            return Ok(None);
        }
        let key = format!("{}/{}", piece.job_id, piece.file_name);
        if piece.sequence == 0 {
            assembly.begin(at, &key, piece.job_id, piece.file_name, self.surroundings.temporary_file()?);
        }
        match assembly.add(at, &key, piece.sequence, piece.text.as_bytes()).map_err(spool_failed)? {
            Taken::Added if piece.last => Ok(assembly.finish(at.partition, &key)),
            Taken::Added | Taken::Repeated => Ok(None),
            Taken::OutOfOrder => {
                drop(assembly.finish(at.partition, &key));
                let detail = format!("{}: pieces of it are missing", ConnectProblem::PiecesMissing.code());
                tracing::warn!(job = piece.job_id, detail, "A result cannot be put together.");
                self.tell(piece.job_id, piece.file_name, REFUSED, "", &detail)?;
                Ok(None)
            }
        }
    }

    fn hand_over(&mut self, from: &TopicPartition, file: &mut WholeFile) -> Result<(), Trouble> {
        let handed = match self.destination.hand_over(file) {
            Ok(handed) => handed,
            Err(trouble) => {
                // What was handed over before is committed; this file is read again from its first piece.
                opened(&mut self.open)?.progress.hold(from, file.first);
                self.settle()?;
                return Err(trouble);
            }
        };
        match handed {
            Handed::Sent(reference) => {
                failpoint!(ResultHandedOver);
                tracing::info!(job = file.job_id, route = self.route.name, "A result is handed over.");
                self.tell(&file.job_id, &file.name, SENT, &reference, "")
            }
            Handed::Refused(detail) => self.tell(&file.job_id, &file.name, REFUSED, "", &detail),
        }
    }

    fn tell(&mut self, job_id: &str, name: &str, state: &str, reference: &str, detail: &str) -> Result<(), Trouble> {
        let at_ms = self.surroundings.clock.now_ms();
        let delivery = Delivery { job_id, name, route: &self.route.name, state, reference, detail, at_ms };
        let open = opened(&mut self.open)?;
        open.feed.tell(&delivery)?;
        open.ledger.note(&delivery);
        open.told += 1;
        Ok(())
    }

    /// Commits what was told, and the positions as far as everything before them is done.
    fn settle(&mut self) -> Result<(), Trouble> {
        let open = opened(&mut self.open)?;
        let positions = open.progress.due(&open.assembly, open.told > 0);
        if positions.is_empty() {
            return Ok(());
        }
        open.feed.commit(&positions)?;
        open.progress.committed(positions);
        if std::mem::take(&mut open.told) > 0 {
            failpoint!(ResultCommitted);
        }
        Ok(())
    }

    /// Another process may have handed over what stands in these partitions, so the log is read for that.
    fn came(&mut self, positions: Vec<(TopicPartition, Offset)>) -> Result<(), Trouble> {
        self.settle()?;
        tracing::info!(edge = self.name, partitions = positions.len(), "It has partitions.");
        let open = opened(&mut self.open)?;
        open.ledger = Ledger::read(&self.surroundings, &self.route.name)?;
        open.progress.came(positions);
        Ok(())
    }

    fn go(&mut self, partitions: &[TopicPartition], lost: bool) -> Result<(), Trouble> {
        if !lost {
            self.settle()?;
        }
        let open = opened(&mut self.open)?;
        for partition in partitions {
            open.assembly.leave(partition.partition);
            open.progress.leave(partition);
        }
        open.feed.release(partitions)
    }

    /// Asks for some files on their way; each process for those whose records it reads.
    fn ask(&mut self) -> Result<(), Trouble> {
        let open = opened(&mut self.open)?;
        if open.asked_last.is_none() && open.asked_at.elapsed() < self.route.ask_every {
            return Ok(());
        }
        open.asked_at = Instant::now();
        let asked = open.ledger.on_their_way(open.asked_last.as_ref(), ASKED);
        open.asked_last = asked.last().map(|(key, _)| key.clone());
        let (partitions, mut ours) = (open.file_partitions, Vec::new());
        for (key, reference) in asked {
            if open.feed.reads_key(&format!("{}/{}", key.0, key.1), partitions) {
                ours.push((key, reference));
            }
        }
        for (key, reference) in ours {
            match self.destination.arrival(&reference)? {
                None => opened(&mut self.open)?.ledger.give_up(&key),
                Some(Arrival::OnItsWay) => {}
                Some(Arrival::Taken) => self.tell(&key.0, &key.1, DELIVERED, &reference, "")?,
                Some(Arrival::GivenBack(cause)) => {
                    tracing::warn!(job = key.0, reference, cause, "A result was given back.");
                    self.tell(&key.0, &key.1, UNDELIVERABLE, &reference, &cause)?;
                }
            }
        }
        Ok(())
    }
}

fn opened(open: &mut Option<Open>) -> Result<&mut Open, Trouble> {
    open.as_mut().ok_or_else(|| Trouble::new(ConnectProblem::Log, "the feed", "it is closed"))
}

impl Edge for Results {
    fn name(&self) -> &str {
        &self.name
    }

    fn turn(&mut self) -> Result<Turn, Trouble> {
        for fed in self.open()?.feed.poll(WAIT)? {
            match fed {
                Fed::Came(positions) => self.came(positions)?,
                Fed::Go(partitions, lost) => self.go(&partitions, lost)?,
                Fed::Records(from, records) => {
                    for record in records {
                        self.take(&from, record)?;
                        if opened(&mut self.open)?.told >= DELIVERIES {
                            self.settle()?;
                        }
                    }
                }
            }
        }
        self.ask()?;
        self.settle()?;
        Ok(Turn::Again)
    }

    fn forget(&mut self) {
        self.open = None;
        self.destination.forget();
    }
}
