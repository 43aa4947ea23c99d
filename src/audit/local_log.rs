//! Publishes to the log of a run over files, which has one partition for everything.

use concord_engine::log::{Log, OutgoingRecord, Publisher};
use concord_flows::sequence_audit::topology::{COMMAND, GP_LINKS_INTERCHANGE, LINK_EVENTS, TRANSACTION_EVENTS};
use concord_flows::sequence_audit::{
    MessageReceiptEvent, Received, SeenInterchange, Settings, interchange_event, link_key, receipt_event,
};
use concord_schemas::Schemas;
use concord_schemas::codec::{self, Encoder, TopicSchema};
use concord_schemas::sequence_audit::{AuditCommand, LinkEvent, TimePassed, TransactionEvent};
use serde::Serialize;

use super::sources::Source;
use crate::failure::Failure;

/// See the module.
pub struct LocalLog {
    publisher: Box<dyn Publisher>,
    encoder: Encoder,
    link_events: String,
    transaction_events: String,
}

impl LocalLog {
    /// Publishes to this log.
    pub fn open(log: &dyn Log) -> Result<Self, Failure> {
        let repartition = |name| format!("{}.{name}.repartition", Settings::default().application);
        Ok(Self {
            publisher: log.publisher().map_err(|e| Failure::other("opening a producer", e))?,
            encoder: Schemas::bundled().encoder(),
            link_events: repartition(LINK_EVENTS),
            transaction_events: repartition(TRANSACTION_EVENTS),
        })
    }

    /// What was received.
    pub fn source(&mut self, source: &Source) -> Result<(), Failure> {
        let (from, at_ms) = (format!("file:{}", source.name), source.received_at_ms);
        let received = Received { source: &from, workflow_id: "", received_at_ms: at_ms, content: &source.content };
        let file_id = received.file_id();
        for piece in received.pieces(&file_id) {
            self.send(GP_LINKS_INTERCHANGE, &codec::GP_LINKS_INTERCHANGE, &file_id, &piece, at_ms)?;
        }
        Ok(())
    }

    /// An interchange that was read before.
    pub fn interchange(&mut self, seen: &SeenInterchange, at_ms: i64) -> Result<(), Failure> {
        let topic = self.link_events.clone();
        let key = link_key(&seen.sender, &seen.recipient);
        self.send(&topic, &codec::LINK_EVENT, &key, &interchange_event(seen, at_ms), at_ms)
    }

    /// A receipt that was read before.
    pub fn receipt(&mut self, event: &MessageReceiptEvent, at_ms: i64) -> Result<(), Failure> {
        let topic = self.link_events.clone();
        let key = link_key(&event.message.sender, &event.message.recipient);
        self.send(&topic, &codec::LINK_EVENT, &key, &receipt_event(event, at_ms), at_ms)
    }

    /// What is known of a line.
    pub fn command(&mut self, command: &AuditCommand<'_>) -> Result<(), Failure> {
        let key = if command.recipient.is_empty() {
            command.sender.to_owned()
        } else {
            link_key(command.sender, command.recipient)
        };
        self.send(COMMAND, &codec::AUDIT_COMMAND, &key, command, command.at_ms)
    }

    /// Nothing came until then.
    pub fn time_passes(&mut self, at_ms: i64) -> Result<(), Failure> {
        let passed = TimePassed { at_ms };
        let (links, transactions) = (self.link_events.clone(), self.transaction_events.clone());
        self.send(&links, &codec::LINK_EVENT, "time", &LinkEvent::TimePassed(passed), at_ms)?;
        let passed = TransactionEvent::TimePassed(passed);
        self.send(&transactions, &codec::TRANSACTION_EVENT, "time", &passed, at_ms)
    }

    fn send<T: Serialize>(
        &mut self,
        topic: &str,
        schema: &'static TopicSchema,
        key: &str,
        value: &T,
        at_ms: i64,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        self.encoder.encode(schema, value, &mut bytes).map_err(|e| Failure::other("writing a record", e))?;
        let record = OutgoingRecord {
            topic: &topic.into(),
            partition: 0,
            timestamp_ms: at_ms,
            key: Some(key.as_bytes()),
            value: Some(&bytes),
            headers: &[],
        };
        self.publisher.send(&record).map_err(|e| Failure::other("publishing", e))
    }
}
