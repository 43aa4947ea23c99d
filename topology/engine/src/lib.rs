//! The streaming engine: topologies, tasks, workers, commit, rebalance, restore, and the `Log` seam.

pub mod calls;
pub mod clock;
pub mod codec;
pub mod context;
pub mod dead_letters;
pub mod driver;
pub mod explain;
mod gathering;
pub mod invariants;
pub mod lineage;
pub mod local;
pub mod log;
pub mod metric_names;
pub mod partitioner;
pub mod planted;
mod processor;
pub mod queries;
pub mod readable;
pub mod rejection;
pub mod store_reads;
mod task;
#[cfg(test)]
mod test_flow;
pub mod topics;
pub mod topology;
pub mod value;
pub mod worker;

pub use concord_state::{Clock as TimerClock, Timer};
pub use context::{Context, Input};
pub use processor::TimerHandler;
pub use rejection::{ProcessError, Rejection};
