//! Committed state for other threads: what queries see while a worker processes.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use concord_state::CommittedReader;

use crate::topology::Topology;

/// One task's committed state.
#[derive(Clone)]
pub struct TaskView {
    /// Reads it.
    pub reader: CommittedReader,
    /// When it was last committed, milliseconds since the epoch; 0 before the first commit here.
    pub committed_at_ms: i64,
}

/// The committed state of all tasks of this process, by sub-topology and partition.
#[derive(Clone, Default)]
pub struct CommittedViews {
    tasks: Arc<RwLock<BTreeMap<(String, i32), TaskView>>>,
}

impl CommittedViews {
    /// The tasks open now.
    pub fn tasks(&self) -> BTreeMap<(String, i32), TaskView> {
        self.tasks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn insert(&self, topology: &Topology, sub: usize, partition: i32, reader: CommittedReader) {
        let view = TaskView { reader, committed_at_ms: 0 };
        self.edit(|tasks| {
            tasks.insert((topology.sub_topologies[sub].name.to_string(), partition), view);
        });
    }

    pub(crate) fn committed(&self, topology: &Topology, sub: usize, partition: i32, now_ms: i64) {
        self.edit(|tasks| {
            if let Some(view) = tasks.get_mut(&(topology.sub_topologies[sub].name.to_string(), partition)) {
                view.committed_at_ms = now_ms;
            }
        });
    }

    pub(crate) fn remove(&self, topology: &Topology, sub: usize, partition: i32) {
        self.edit(|tasks| {
            tasks.remove(&(topology.sub_topologies[sub].name.to_string(), partition));
        });
    }

    fn edit(&self, change: impl FnOnce(&mut BTreeMap<(String, i32), TaskView>)) {
        change(&mut self.tasks.write().unwrap_or_else(PoisonError::into_inner));
    }
}
