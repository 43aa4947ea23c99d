//! A small application on the embedded log, for tests of what looks inside: two hops, a processor that refuses, a timer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use bytes::Bytes;
use concord_schemas::Schemas;
use concord_schemas::codec::{PDS_REGISTRATION, TopicSchema};
use concord_schemas::list_reconciliation::Registration;
use concord_state::{MemoryDirectory, Timer};

use crate::clock::SystemClock;
use crate::context::Context;
use crate::lineage::Because;
use crate::local::LocalRun;
use crate::log::{Header, Isolation, Log, LogRecord, OutgoingRecord};
use crate::partitioner::partition_of;
use crate::rejection::{ProcessError, Rejection};
use crate::topology::{Cleanup, SinkHandle, Topology, TopologyBuilder};
use crate::value::Value;

/// Registrations in a compacted topic.
pub const UPSERTS: &str = "in.upserts";
/// Registrations in a topic that keeps all.
pub const EVENTS: &str = "in.events";
/// Between the two sub-topologies.
pub const BETWEEN: &str = "test.between.repartition";
/// What comes out.
pub const OUT: &str = "out.registrations";
/// Code of the refusals.
pub const REFUSED: &str = "TEST-0001";

struct Registrations;

impl Value for Registrations {
    type Of<'a> = Registration<'a>;

    fn schema() -> &'static TopicSchema {
        &PDS_REGISTRATION
    }
}

/// Passes registrations on. Practice `REFUSE` is refused, `GONE` takes the registration back at the end of the flow, `TIMER` sets a
/// timer that is refused when it fires.
struct Pass {
    sink: SinkHandle<Registrations>,
    is_last: bool,
}

impl Pass {
    fn on_event(&mut self, ctx: &mut Context<'_>, registration: Registration<'_>) -> Result<(), ProcessError> {
        let because = Because { rule: Some("PASS-01"), cause: None };
        match registration.gp_practice {
            "REFUSE" => Err(refused().into()),
            "TIMER" => ctx.set_timer(crate::TimerClock::WallClock, b"timer", 0, Bytes::new()),
            "GONE" if self.is_last => {
                ctx.send_tombstone_because(self.sink, ctx.key()?, &Because { cause: Some("LEFT"), ..because })
            }
            _ => ctx.send_because(self.sink, ctx.key()?, &registration, &because),
        }
    }

    fn on_change(&mut self, ctx: &mut Context<'_>, change: Option<Registration<'_>>) -> Result<(), ProcessError> {
        change.map_or(Ok(()), |registration| self.on_event(ctx, registration))
    }

    fn on_timer(&mut self, _: &mut Context<'_>, _: &Timer) -> Result<(), ProcessError> {
        Err(refused().into())
    }
}

fn refused() -> Rejection {
    Rejection::by_processor(REFUSED, "the practice is refused")
}

/// The application, running.
pub struct TestFlow {
    pub topology: Arc<Topology>,
    pub run: LocalRun,
}

impl TestFlow {
    pub fn start() -> Self {
        let mut t = TopologyBuilder::new("test");
        let events = t.input::<Registrations>(EVENTS, "any", 2, Cleanup::DeleteAfter { retention_ms: 1 << 40 });
        let upserts = t.input::<Registrations>(UPSERTS, "any", 2, Cleanup::Compact);
        let between = t.repartition::<Registrations>("between", "any", 2);
        let out = t.output::<Registrations>(OUT, "any", 2, Cleanup::Compact);
        t.sub_topology("first", |sub| {
            let (events, upserts) = (sub.source(events), sub.source(upserts));
            sub.processor("accept", |p| {
                p.on(events, Pass::on_event);
                p.on_change(upserts, Pass::on_change);
                p.on_timer(Pass::on_timer);
                let sink = p.sink(between);
                move || Pass { sink, is_last: false }
            });
        });
        t.sub_topology("second", |sub| {
            let source = sub.source(between);
            sub.processor("emit", |p| {
                p.on(source, Pass::on_event);
                // May write there as well, and never does: a second writer to be told from the true one.
                p.sink(between);
                let sink = p.sink(out);
                move || Pass { sink, is_last: true }
            });
        });
        let topology = Arc::new(t.build().unwrap());
        let run = LocalRun::start(topology.clone(), Arc::new(MemoryDirectory::new()), Arc::new(SystemClock)).unwrap();
        Self { topology, run }
    }

    /// Publishes a registration at `practice`, at time 1,000 with a header of its own, and processes it.
    pub fn publish(&mut self, topic: &str, key: &str, practice: &str) {
        let registration = Registration { nhs_number: key, gp_practice: practice, dispensing_flag: "" };
        let mut value = Vec::new();
        Schemas::bundled().encoder().encode(&PDS_REGISTRATION, &registration, &mut value).unwrap();
        self.publish_bytes(topic, key, &value);
    }

    pub fn publish_bytes(&mut self, topic: &str, key: &str, value: &[u8]) {
        let topic: Arc<str> = Arc::from(topic);
        let headers = [Header { name: Arc::from("traceparent"), value: Bytes::from_static(b"00-1") }];
        let mut publisher = self.run.log().publisher().unwrap();
        publisher
            .send(&OutgoingRecord {
                topic: &topic,
                partition: partition_of(key.as_bytes(), 2),
                timestamp_ms: 1_000,
                key: Some(key.as_bytes()),
                value: Some(value),
                headers: &headers,
            })
            .unwrap();
        self.process();
    }

    pub fn process(&mut self) {
        self.run.run_until_idle(&mut |_, _| {}).unwrap();
    }

    pub fn records(&self, topic: &str) -> Vec<LogRecord> {
        let records = self.run.log().records(topic, Isolation::ReadCommitted).unwrap();
        records.into_iter().map(|(_, record)| record).collect()
    }
}
