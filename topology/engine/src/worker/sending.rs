//! What processors sent, on its way into the transaction.

use super::commit::unmendable;
use super::{Failure, TaskId, Worker, WorkerError};
use crate::codec::Codec;
use crate::context::Outgoing;
use crate::gathering::{Gathering, PartPlace};
use crate::lineage::{self, Lineage};
use crate::log::{Header, LogErrorKind, OutgoingRecord, TransactionalProducer};
use crate::planted::{self, PlantedBug};
use crate::topology::Topology;

impl Worker {
    /// Sends the outputs of the record or timer in hand; parts wait until their record is full.
    pub(super) fn send_outbox(&mut self, id: TaskId, lineage: &Lineage) -> Result<(), Failure> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        self.ensure_transaction()?;
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(()) };
        let topology = &self.parts.topology;
        let producer = &mut *self.producer;
        let common = std::slice::from_ref(lineage.header());
        let mut with_reasons: Vec<Header> = Vec::new();
        for output in self.outbox.take() {
            let value = match output.what {
                Outgoing::Value(value) => value,
                Outgoing::Part(part) => {
                    let place = PartPlace {
                        topic: output.topic,
                        partition: output.partition,
                        key: output.key,
                        timestamp_ms: output.timestamp_ms,
                        lineage: &lineage.inputs(),
                    };
                    if let Some(full) = task.gatherings.add(&place, part) {
                        send_gathered(producer, &mut self.codec, topology, &full)?;
                    }
                    continue;
                }
            };
            // What was sent in parts before stands before it.
            let before = match output.is_marker {
                _ if planted::is(PlantedBug::PartsOvertaken) => Vec::new(),
                true => task.gatherings.take_all(),
                false => task.gatherings.take_topic(output.topic),
            };
            for gathering in before {
                send_gathered(producer, &mut self.codec, topology, &gathering)?;
            }
            let headers: &[Header] = if output.because.is_empty() {
                common
            } else {
                with_reasons.clear();
                with_reasons.extend_from_slice(common);
                with_reasons.extend_from_slice(output.because);
                &with_reasons
            };
            let record = OutgoingRecord {
                topic: &topology.topics[output.topic].name,
                partition: output.partition,
                timestamp_ms: output.timestamp_ms,
                key: Some(output.key),
                value,
                headers,
            };
            #[cfg(feature = "planted-bugs")]
            if output.is_marker && planted::is(PlantedBug::EndMarkerInMemory) {
                task.held_markers.hold(&record);
                continue;
            }
            let sent = producer.send(&record);
            match sent {
                Err(error) if error.kind == LogErrorKind::TooLarge && planted::is(PlantedBug::OversizeDropped) => {}
                sent => sent?,
            }
        }
        Ok(())
    }

    /// Sends the markers that were held when the last transaction was committed.
    #[cfg(feature = "planted-bugs")]
    pub(super) fn send_held_markers(&mut self) -> Result<(), Failure> {
        for task in self.tasks.values_mut() {
            task.held_markers.send(&mut *self.producer)?;
        }
        Ok(())
    }

    /// Sends what is still being gathered: no part of a transaction stays behind.
    pub(super) fn send_gatherings(&mut self) -> Result<(), Failure> {
        for task in self.tasks.values_mut() {
            for gathering in task.gatherings.take_all() {
                if planted::is(PlantedBug::PartsDropped) {
                    continue;
                }
                send_gathered(&mut *self.producer, &mut self.codec, &self.parts.topology, &gathering)?;
            }
        }
        Ok(())
    }
}

fn send_gathered(
    producer: &mut dyn TransactionalProducer,
    codec: &mut Codec,
    topology: &Topology,
    gathering: &Gathering,
) -> Result<(), Failure> {
    let mut value = Vec::new();
    gathering.encode(codec, &mut value).map_err(|rejection| {
        WorkerError::Programming(format!("parts do not make a value of their topic: {}", rejection.message))
    })?;
    let record = OutgoingRecord {
        topic: &topology.topics[gathering.topic].name,
        partition: gathering.partition,
        timestamp_ms: gathering.timestamp_ms,
        key: Some(gathering.key.as_bytes()),
        value: Some(&value),
        headers: &[lineage::header(&gathering.lineage())],
    };
    // Whose parts they are nobody knows any more: the record in hand is not the one to be rejected.
    Ok(producer.send(&record).map_err(unmendable)?)
}
