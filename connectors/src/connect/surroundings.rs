//! What every edge of a process has in common.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use concord_engine::clock::Clock;
use concord_engine::log::Log;
use concord_schemas::Schemas;

use super::error::{ConnectProblem, Trouble};
use super::input::InputIds;

/// What every edge of a process has in common.
#[derive(Clone)]
pub struct Surroundings {
    /// The log.
    pub log: Arc<dyn Log>,
    /// How values are written and read.
    pub schemas: Arc<Schemas>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// How the flows derive ids of what arrives.
    pub input_ids: InputIds,
    /// The application: the beginning of group names.
    pub application: String,
    /// Name of this process, the same after a restart.
    pub instance: String,
    /// Where files are put together.
    pub spool_dir: PathBuf,
    /// The largest file that is taken in, in bytes.
    pub largest_input: u64,
    /// The largest record, in bytes.
    pub max_record_bytes: usize,
}

impl Surroundings {
    /// A temporary file without a name: when the process dies, nothing is left of it.
    pub(super) fn temporary_file(&self) -> Result<File, Trouble> {
        tempfile::tempfile_in(&self.spool_dir)
            .map_err(|e| Trouble::new(ConnectProblem::Spool, format!("writing to {}", self.spool_dir.display()), e))
    }

    /// How many partitions a topic has.
    pub(super) fn partitions_of(&self, topic: &str) -> Result<i32, Trouble> {
        let topics = self.log.topics()?;
        let found = topics.iter().find(|described| *described.name == *topic);
        found.map(|described| described.partitions).ok_or_else(|| {
            Trouble::new(
                ConnectProblem::Log,
                format!("the topic {topic}"),
                "it does not exist: run `concord topics apply` first",
            )
        })
    }
}

/// A failure of a temporary file.
pub(super) fn spool_failed(error: std::io::Error) -> Trouble {
    Trouble::new(ConnectProblem::Spool, "a temporary file", error)
}
