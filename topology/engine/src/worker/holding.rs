//! Input that waits: a task with too many pending calls reads no more, so that its store of calls does not grow without end.

use super::{Failure, TaskId, Worker};
use crate::log::TopicPartition;
use crate::metric_names as names;
use crate::task::Phase;

impl Worker {
    /// Whether a task reads no input for now. If that is new its partitions are no longer fetched; what was fetched is fetched again.
    pub(super) fn input_is_held(&mut self, id: TaskId) -> Result<bool, Failure> {
        let part = &self.parts.topology.sub_topologies[id.0];
        if part.calls.is_empty() {
            return Ok(false);
        }
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(false) };
        if task.calls.input_is_held || !task.has_too_many_calls(part)? {
            return Ok(task.calls.input_is_held);
        }
        task.calls.input_is_held = true;
        metrics::counter!(names::INPUTS_HELD).increment(1);
        tracing::info!(sub_topology = part.name, partition = id.1, "The input of a task waits for its pending calls.");
        let partitions: Vec<TopicPartition> = task.positions.iter().map(|position| position.from.clone()).collect();
        self.consumer.hold(&partitions)?;
        Ok(true)
    }

    /// Tasks that have done enough of their calls read on from where they stopped.
    pub(super) fn read_held_inputs_on(&mut self) -> Result<(), Failure> {
        let mut positions = Vec::new();
        for task in self.tasks.values_mut().filter(|t| t.calls.input_is_held && matches!(t.phase, Phase::Running)) {
            if task.has_too_many_calls(&self.parts.topology.sub_topologies[task.sub])? {
                continue;
            }
            task.calls.input_is_held = false;
            // What waits for a schema as well is read when that is at hand.
            let waiting = task.positions.iter().filter(|position| position.parked_until_ms.is_none());
            positions.extend(waiting.map(|position| (position.from.clone(), position.next)));
        }
        if positions.is_empty() {
            return Ok(());
        }
        Ok(self.consumer.fetch_from(&positions)?)
    }
}
