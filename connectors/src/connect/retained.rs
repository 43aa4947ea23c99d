//! Copies of everything that was taken in, whichever way it came: from `gp.extract` into a place.

use std::time::Duration;

use concord_engine::log::{LogRecord, TopicPartition};
use concord_schemas::codec;
use concord_schemas::list_reconciliation::ExtractEvent;

use super::assembly::{self, Assembly, Taken, WholeFile};
use super::edge::{Edge, Turn};
use super::error::{ConnectProblem, Trouble};
use super::feed::{Fed, Feed};
use super::place::{Kept, Place, path_of};
use super::progress::Progress;
use super::reading::ValueReader;
use super::surroundings::{Surroundings, spool_failed};
use crate::next_step::Problem;

/// How long a turn waits for records.
const WAIT: Duration = Duration::from_millis(200);
/// The name of a copy where the file had none, or none that can be one.
const UNNAMED: &str = "unnamed";

/// See the module.
pub struct RetainedInputs {
    name: String,
    route: String,
    surroundings: Surroundings,
    place: Box<dyn Place>,
    open: Option<Open>,
}

struct Open {
    feed: Feed,
    values: ValueReader,
    assembly: Assembly,
    progress: Progress,
}

impl RetainedInputs {
    /// Nothing is asked yet. `route` is part of the group's name.
    pub fn new(route: &str, surroundings: Surroundings, place: Box<dyn Place>) -> Self {
        Self { name: format!("retained inputs {route}"), route: route.to_owned(), surroundings, place, open: None }
    }

    fn open(&mut self) -> Result<&mut Open, Trouble> {
        if self.open.is_none() {
            self.open = Some(Open {
                feed: Feed::join(&self.surroundings, &self.route, codec::GP_EXTRACT.name())?,
                values: ValueReader::new(&self.surroundings.schemas),
                assembly: Assembly::default(),
                progress: Progress::default(),
            });
        }
        opened(&mut self.open)
    }

    fn take(&mut self, from: &TopicPartition, record: &LogRecord) -> Result<(), Trouble> {
        let at =
            assembly::Place { partition: from.partition, offset: record.offset, timestamp_ms: record.timestamp_ms };
        if let Some(mut file) = self.put_together(at, record)?
            && let Err(trouble) = self.keep(&mut file)
        {
            opened(&mut self.open)?.progress.hold(from, file.first);
            self.settle()?;
            return Err(trouble);
        }
        let Open { assembly, progress, .. } = opened(&mut self.open)?;
        for (job_id, _) in assembly.give_up(at) {
            tracing::warn!(job = job_id, "A file that never arrived whole is not retained.");
        }
        progress.done(from, at.offset);
        Ok(())
    }

    fn put_together(&mut self, at: assembly::Place, record: &LogRecord) -> Result<Option<WholeFile>, Trouble> {
        let Open { values, assembly, .. } = opened(&mut self.open)?;
        let event = match values.read::<ExtractEvent<'_>>(&codec::GP_EXTRACT, record.value.as_deref())? {
            Ok(event) => event,
            // The flow reads the same topic, and makes a dead letter of it.
            Err(_) => return Ok(None),
        };
        match event {
            // The same file again adds nothing to one that is under way.
            ExtractEvent::ExtractOpened(event) if assembly.pieces(at.partition, event.job_id).is_none() => {
                let content = self.surroundings.temporary_file()?;
                assembly.begin(at, event.job_id, event.job_id, event.file_name, content);
            }
            ExtractEvent::ExtractOpened(_) => {}
            ExtractEvent::ExtractChunk(piece) => {
                let taken = assembly.add(at, piece.job_id, piece.sequence, piece.content).map_err(spool_failed)?;
                if taken == Taken::OutOfOrder {
                    drop(assembly.finish(at.partition, piece.job_id));
                }
            }
            ExtractEvent::ExtractClosed(event) => {
                if assembly.pieces(at.partition, event.job_id) == Some(event.chunks) {
                    return Ok(assembly.finish(at.partition, event.job_id));
                }
            }
        }
        Ok(None)
    }

    fn keep(&mut self, file: &mut WholeFile) -> Result<(), Trouble> {
        let Some(path) = path_of(&file.job_id, &file.name).or_else(|| path_of(&file.job_id, UNNAMED)) else {
            let code = ConnectProblem::NameRefused.code();
            tracing::warn!(code, "An input whose job id is none of this program is not retained.");
            return Ok(());
        };
        if self.place.keep(&path, file)? == Kept::Another {
            let code = ConnectProblem::AnotherContent.code();
            tracing::warn!(code, job = file.job_id, "Another content stands where an input is to be retained.");
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Trouble> {
        let Open { feed, assembly, progress, .. } = opened(&mut self.open)?;
        let positions = progress.due(assembly, false);
        feed.commit(&positions)?;
        progress.committed(positions);
        Ok(())
    }
}

fn opened(open: &mut Option<Open>) -> Result<&mut Open, Trouble> {
    open.as_mut().ok_or_else(|| Trouble::new(ConnectProblem::Log, "the feed", "it is closed"))
}

impl Edge for RetainedInputs {
    fn name(&self) -> &str {
        &self.name
    }

    fn turn(&mut self) -> Result<Turn, Trouble> {
        for fed in self.open()?.feed.poll(WAIT)? {
            match fed {
                Fed::Came(positions) => opened(&mut self.open)?.progress.came(positions),
                Fed::Go(partitions, lost) => {
                    if !lost {
                        self.settle()?;
                    }
                    let Open { feed, assembly, progress, .. } = opened(&mut self.open)?;
                    for partition in &partitions {
                        assembly.leave(partition.partition);
                        progress.leave(partition);
                    }
                    feed.release(&partitions)?;
                }
                Fed::Records(from, records) => {
                    for record in &records {
                        self.take(&from, record)?;
                    }
                }
            }
        }
        self.settle()?;
        Ok(Turn::Again)
    }

    fn forget(&mut self) {
        self.open = None;
        self.place.forget();
    }
}
