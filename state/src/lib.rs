//! What a task remembers.
//!
//! Committed data lives in one database per task ([`Backend`], opened by a [`StateDirectory`]); what a task has written since
//! its last commit lives in memory beside it ([`TaskState`]). The database therefore never holds a byte of a transaction that
//! was not committed, and a killed process finds its state as the last commit left it.
//!
//! ```
//! use bytes::Bytes;
//! use concord_state::{CommitMeta, MemoryDirectory, StateDirectory, StoreKind, StoreSpec, TaskState};
//!
//! # fn main() -> Result<(), concord_state::StateError> {
//! let disk = MemoryDirectory::new();
//! let stores = vec![StoreSpec::new("patients", StoreKind::KeyValue)];
//! let mut state = TaskState::new(disk.open_task("compare", 0, &stores)?, stores.clone(), "v1".to_owned())?;
//!
//! state.put(0, b"key", Bytes::from_static(b"value"), 1_000);
//! state.commit(CommitMeta { changelog_positions: vec![Some(1)], ..CommitMeta::default() })?;
//! state.put(0, b"key", Bytes::from_static(b"never committed"), 2_000);
//! drop(state); // the process dies
//!
//! let state = TaskState::new(disk.open_task("compare", 0, &stores)?, stores, "v1".to_owned())?;
//! assert_eq!(state.get(0, b"key")?, Some(Bytes::from_static(b"value")));
//! # Ok(())
//! # }
//! ```

mod backend;
mod calls;
mod columns;
mod derivation;
mod error;
mod expiry;
#[cfg(debug_assertions)]
pub mod failpoints;
mod memory;
mod meta;
mod overlay;
mod reader;
mod recent;
mod rocks;
mod spec;
mod task_state;
mod timers;

/// In a release build a failpoint is nothing.
#[cfg(not(debug_assertions))]
#[macro_export]
macro_rules! failpoint {
    ($point:ident) => {};
}

pub use backend::{Backend, IndexWrite, StateDirectory, ValueWrite, WriteSet};
pub use calls::{
    DueCalls, PendingCall, add_call, cancel_calls, count_calls, due_calls, first_call, next_call_due, pending_call,
    postpone_call, remove_call, repair_calls,
};
pub use derivation::{Derivation, EmitDerived, EntriesOf};
pub use error::StateError;
pub use memory::MemoryDirectory;
pub use meta::{CommitMeta, CommittedMeta, FORMAT_VERSION, NO_STREAM_TIME};
pub use reader::CommittedReader;
pub use rocks::{ReadOnlyDirectory, RocksDirectory, RocksOptions};
pub use spec::{StoreIndex, StoreKind, StoreSpec};
pub use task_state::TaskState;
pub use timers::{Clock, Timer, cancel_timer, due_timers, next_due, set_timer, timer_is_set};
