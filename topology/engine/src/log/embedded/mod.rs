//! A log inside this process, with the transactional semantics of a real broker.
//!
//! It is what `concord demo` and single-machine runs use, and the ground of deterministic simulation: with a virtual
//! clock and a seeded [`FaultPlan`] the same seed gives the same run. Nothing is kept beyond the life of the process.
//!
//! ```
//! use std::sync::Arc;
//! use concord_engine::clock::SystemClock;
//! use concord_engine::log::embedded::{EmbeddedLog, EmbeddedSettings};
//! use concord_engine::log::{Isolation, Log, OutgoingRecord, TopicSpec};
//!
//! let log = EmbeddedLog::new(EmbeddedSettings::new(Arc::new(SystemClock)));
//! let topic: Arc<str> = Arc::from("gp.extract");
//! log.create_topics(&[TopicSpec { name: topic.clone(), partitions: 2, replication: 1, settings: vec![] }])?;
//! let mut publisher = log.publisher()?;
//! let (key, value) = (Some(&b"key"[..]), Some(&b"value"[..]));
//! publisher.send(&OutgoingRecord { topic: &topic, partition: 1, timestamp_ms: 0, key, value, headers: &[] })?;
//! assert_eq!(log.records("gp.extract", Isolation::ReadCommitted)?.len(), 1);
//! # Ok::<(), concord_engine::log::LogError>(())
//! ```

mod broker;
mod consumer;
mod faults;
mod groups;
mod inspection;
mod partition;
mod plain_producer;
mod process;
mod producer;
mod reader;
mod transactions;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

pub use faults::{Call, Fault, FaultPlan, FaultRates};
pub use transactions::{MarkerDestination, UnfinishedTransaction};

use self::broker::Shared;
use self::consumer::EmbeddedConsumer;
use self::plain_producer::EmbeddedPlainProducer;
use self::process::Process;
use self::producer::{EmbeddedProducer, EmbeddedPublisher};
use self::reader::EmbeddedReader;
use super::{
    GroupConsumer, GroupSettings, Guarantee, Isolation, Log, LogResult, PartitionReader, ProducerSettings, Publisher,
    TopicDescription, TopicSpec, TransactionalProducer,
};
use crate::clock::Clock;

/// What an embedded log is made with.
#[derive(Clone)]
pub struct EmbeddedSettings {
    /// Sessions and transactions expire by this clock. Waits return at once when it does not pass by itself.
    pub clock: Arc<dyn Clock>,
    /// What goes wrong.
    pub faults: FaultPlan,
}

impl EmbeddedSettings {
    /// A log on this clock on which nothing goes wrong.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, faults: FaultPlan::none() }
    }
}

/// The embedded log; clones share it. Its own clients never meet a planned fault: those of a [`Self::process`] do.
#[derive(Clone)]
pub struct EmbeddedLog {
    shared: Arc<Shared>,
    faults: FaultPlan,
}

impl EmbeddedLog {
    /// An empty log.
    pub fn new(settings: EmbeddedSettings) -> Self {
        let shared = Arc::new(Shared::new(settings.clock, settings.faults.clone()));
        Self { shared, faults: settings.faults }
    }

    /// A new life of the client process `name`. After its crash every call of its clients answers `Crashed`; a restart is
    /// another call of this function.
    pub fn process(&self, name: &str) -> EmbeddedProcess {
        EmbeddedProcess { shared: Arc::clone(&self.shared), process: Process::named(name, self.faults.clone()) }
    }

    fn outside_processes(&self) -> EmbeddedProcess {
        EmbeddedProcess { shared: Arc::clone(&self.shared), process: Process::outside(self.faults.clone()) }
    }
}

impl Log for EmbeddedLog {
    fn topics(&self) -> LogResult<Vec<TopicDescription>> {
        self.outside_processes().topics()
    }

    fn topic_ids(&self, topics: &[Arc<str>]) -> LogResult<Vec<String>> {
        self.outside_processes().topic_ids(topics)
    }

    fn create_topics(&self, topics: &[TopicSpec]) -> LogResult<()> {
        self.outside_processes().create_topics(topics)
    }

    fn group_consumer(&self, settings: &GroupSettings) -> LogResult<Box<dyn GroupConsumer>> {
        self.outside_processes().group_consumer(settings)
    }

    fn transactional_producer(&self, settings: &ProducerSettings) -> LogResult<Box<dyn TransactionalProducer>> {
        self.outside_processes().transactional_producer(settings)
    }

    fn reader(&self, isolation: Isolation) -> LogResult<Box<dyn PartitionReader>> {
        self.outside_processes().reader(isolation)
    }

    fn publisher(&self) -> LogResult<Box<dyn Publisher>> {
        self.outside_processes().publisher()
    }
}

/// The log as one client process sees it: its clients meet the planned faults, and share its end.
#[derive(Clone)]
pub struct EmbeddedProcess {
    shared: Arc<Shared>,
    process: Process,
}

impl EmbeddedProcess {
    /// Kills the process, as `kill -9` would: its open transactions stay open until fenced or timed out, its
    /// memberships until their session ends or a new life takes them over.
    pub fn crash(&self) {
        self.process.crash();
        self.shared.wake_waiting();
    }

    /// Freezes it before its `nth` call from now (from 1), as SIGSTOP would: the receiver hears when it is frozen, the sender lets
    /// it go on.
    pub(crate) fn freeze_before(&self, nth: u64) -> (Receiver<()>, Sender<()>) {
        self.process.freeze_before(nth)
    }

    /// Takes that back, when it has not come to it.
    pub(crate) fn do_not_freeze(&self) {
        self.process.do_not_freeze();
    }

    /// Whether it has crashed, by [`Self::crash`] or by a planned fault.
    pub fn has_crashed(&self) -> bool {
        self.process.check_alive().is_err()
    }
}

impl Log for EmbeddedProcess {
    fn topics(&self) -> LogResult<Vec<TopicDescription>> {
        self.process.call(Call::Topics, || {
            self.shared.with(|broker, _| {
                let mut topics = Vec::with_capacity(broker.topics.len());
                for (place, topic) in broker.topics.iter().enumerate() {
                    let partitions = broker.partition_count(&topic.name);
                    topics.push(TopicDescription {
                        name: Arc::clone(&topic.name),
                        partitions,
                        id: format!("embedded-{place}"),
                    });
                }
                Ok(topics)
            })
        })
    }

    fn topic_ids(&self, topics: &[Arc<str>]) -> LogResult<Vec<String>> {
        let there = self.topics()?;
        let id_of =
            |name: &Arc<str>| there.iter().find(|topic| topic.name == *name).map_or_else(String::new, |t| t.id.clone());
        Ok(topics.iter().map(id_of).collect())
    }

    fn create_topics(&self, topics: &[TopicSpec]) -> LogResult<()> {
        self.process.call(Call::CreateTopics, || {
            self.shared.with(|broker, _| topics.iter().try_for_each(|topic| broker.create_topic(topic)))
        })
    }

    fn group_consumer(&self, settings: &GroupSettings) -> LogResult<Box<dyn GroupConsumer>> {
        self.process.check_alive()?;
        let consumer = EmbeddedConsumer::new(Arc::clone(&self.shared), self.process.clone(), settings.clone())?;
        Ok(Box::new(consumer))
    }

    fn transactional_producer(&self, settings: &ProducerSettings) -> LogResult<Box<dyn TransactionalProducer>> {
        self.process.check_alive()?;
        let (shared, process) = (Arc::clone(&self.shared), self.process.clone());
        Ok(match settings.guarantee {
            Guarantee::ExactlyOnce => Box::new(EmbeddedProducer::new(shared, process, settings.clone())?),
            Guarantee::AtLeastOnce => Box::new(EmbeddedPlainProducer::new(shared, process, settings.clone())),
        })
    }

    fn reader(&self, isolation: Isolation) -> LogResult<Box<dyn PartitionReader>> {
        self.process.check_alive()?;
        Ok(Box::new(EmbeddedReader::new(Arc::clone(&self.shared), self.process.clone(), isolation)))
    }

    fn publisher(&self) -> LogResult<Box<dyn Publisher>> {
        self.process.check_alive()?;
        Ok(Box::new(EmbeddedPublisher::new(Arc::clone(&self.shared), self.process.clone())))
    }
}
