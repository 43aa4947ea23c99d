//! What a program does, as a graph: sub-topologies of sources, processors and state stores, joined by topics.
//!
//! Everything has a name, since names of stores and topics outlive the program that made them. A sub-topology is what
//! must be together: its sources have equal partition counts, and each of its partitions is one task.

mod builder;
mod describe;
mod fingerprint;
mod handles;

use std::collections::BTreeMap;
use std::sync::Arc;

use concord_schemas::codec::TopicSchema;
use concord_state::{Derivation, StoreSpec};

pub use concord_state::EmitDerived;

pub use builder::{ProcessorBuilder, SubTopologyBuilder, TopologyBuilder};
pub use fingerprint::{Compatibility, Fingerprint};
pub use handles::{CallHandle, SinkHandle, Source, Store, StoreHandle, Topic};

use crate::calls::CallLimits;
use crate::processor::ProcessorFactory;

/// How old records of a topic go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Deleted after a time.
    DeleteAfter {
        /// Milliseconds.
        retention_ms: i64,
    },
    /// The last record per key stays.
    Compact,
}

/// Who creates a topic and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicRole {
    /// Written by producers outside.
    Input,
    /// Between two sub-topologies of this topology.
    Repartition,
    /// For consumers outside.
    Output,
    /// Records that were rejected.
    DeadLetter,
    /// The durable form of a store.
    Changelog,
}

/// A topic's declaration: the only place that says what it is.
#[derive(Debug, Clone)]
pub struct TopicDeclaration {
    /// Name; internal ones begin with the application id.
    pub name: Arc<str>,
    /// What it is for.
    pub role: TopicRole,
    /// The documented form of the key.
    pub key: &'static str,
    /// Schema of the value; `None` where values of other topics pass unchanged (dead letters, changelogs).
    pub schema: Option<&'static TopicSchema>,
    /// Number of partitions.
    pub partitions: i32,
    /// How old records go.
    pub cleanup: Cleanup,
}

/// A source of a sub-topology.
#[derive(Debug, Clone)]
pub struct SourceDefinition {
    /// Index into [`Topology::topics`].
    pub topic: usize,
}

/// A processor of a sub-topology.
pub struct ProcessorDefinition {
    /// Name.
    pub name: &'static str,
    /// Sources it reads, as indexes into [`SubTopology::sources`].
    pub inputs: Vec<usize>,
    /// Stores it uses, as indexes into [`SubTopology::stores`].
    pub stores: Vec<usize>,
    /// Topics it writes, as indexes into [`Topology::topics`].
    pub sinks: Vec<usize>,
    /// Makes an instance for a task.
    pub(crate) factory: Box<dyn ProcessorFactory>,
}

/// A call that a processor may ask for.
#[derive(Debug, Clone)]
pub struct CallDefinition {
    /// Name; no other call of the topology has it.
    pub name: &'static str,
    /// The processor, as an index into [`SubTopology::processors`].
    pub processor: usize,
    /// What it may take.
    pub limits: CallLimits,
    /// Whether the processor is told of attempts that have begun.
    pub tells_of_beginning: bool,
}

/// What must be together on one task.
pub struct SubTopology {
    /// Name; also the name of its folder on disk.
    pub name: &'static str,
    /// What it reads.
    pub sources: Vec<SourceDefinition>,
    /// What it remembers. The last one holds its timers; the one before that its pending calls, if it has calls.
    pub stores: Vec<StoreSpec>,
    /// Changelog topics of the stores, as indexes into [`Topology::topics`]; `None` for a store that follows from another.
    pub changelogs: Vec<Option<usize>>,
    /// Which stores follow from which.
    pub(crate) derivations: Vec<Derivation>,
    /// What it does.
    pub processors: Vec<ProcessorDefinition>,
    /// What it has done elsewhere.
    pub calls: Vec<CallDefinition>,
    /// Number of partitions, which is the number of its tasks.
    pub partitions: i32,
}

impl SubTopology {
    /// The store that a derived one follows from.
    pub(crate) fn source_of(&self, store: usize) -> Option<&StoreSpec> {
        self.derivations
            .iter()
            .find(|derivation| derivation.into == store)
            .map(|derivation| &self.stores[derivation.source])
    }

    /// A store's name, and what it follows from.
    fn store_with_source(&self, store: usize) -> String {
        let name = &self.stores[store].name;
        match self.source_of(store) {
            Some(source) => format!("{name} (follows from {})", source.name),
            None => name.clone(),
        }
    }

    /// The names of a processor's calls.
    fn calls_of(&self, processor: &str) -> Vec<&'static str> {
        let its_own = self.calls.iter().filter(|call| self.processors[call.processor].name == processor);
        its_own.map(|call| call.name).collect()
    }

    /// Index of the store that holds the timers.
    pub(crate) fn timer_store(&self) -> usize {
        self.stores.len() - 1
    }

    /// Index of the store that holds pending calls; `None` without calls.
    pub(crate) fn call_store(&self) -> Option<usize> {
        if self.calls.is_empty() { None } else { self.stores.len().checked_sub(2) }
    }
}

/// A whole program, checked.
pub struct Topology {
    /// Application id: the consumer group, and the beginning of internal topic names.
    pub application: String,
    /// All topics it touches.
    pub topics: Vec<TopicDeclaration>,
    /// Its parts.
    pub sub_topologies: Vec<SubTopology>,
    /// Index of the dead-letter topic.
    pub dead_letters: usize,
}

impl Topology {
    /// Topics that a worker subscribes to.
    pub fn source_topics(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        for sub in &self.sub_topologies {
            for source in &sub.sources {
                names.push(self.topics[source.topic].name.clone());
            }
        }
        names
    }

    /// Topics that hold the state of a worker's tasks.
    pub(crate) fn changelog_topics(&self) -> Vec<Arc<str>> {
        self.topics.iter().filter(|topic| topic.role == TopicRole::Changelog).map(|topic| topic.name.clone()).collect()
    }

    /// Where records of a source topic go: the sub-topology's and the source's index.
    pub(crate) fn routes(&self) -> BTreeMap<Arc<str>, (usize, usize)> {
        let mut routes = BTreeMap::new();
        for (s, sub) in self.sub_topologies.iter().enumerate() {
            for (i, source) in sub.sources.iter().enumerate() {
                routes.insert(self.topics[source.topic].name.clone(), (s, i));
            }
        }
        routes
    }

    /// The index of a topic by name.
    pub fn topic(&self, name: &str) -> Option<usize> {
        self.topics.iter().position(|t| &*t.name == name)
    }
}

/// Why a topology cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// Two things of one kind with one name.
    #[error("the {kind} `{name}` is declared twice: give one of them another name")]
    DuplicateName {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A name with characters that folders or topics do not take.
    #[error("the {kind} name `{name}` must be lower-case letters, digits, dots and hyphens")]
    BadName {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Sources that cannot share tasks.
    #[error(
        "the sources of sub-topology `{sub_topology}` have different partition counts ({counts}): records of one key \
         would meet on different tasks. Give them equal counts or repartition one of them"
    )]
    NotCopartitioned {
        /// Where.
        sub_topology: String,
        /// `topic: count, ...`
        counts: String,
    },
    /// A topic read by two sub-topologies.
    #[error("the topic `{topic}` is a source of two sub-topologies: read it in one, and repartition for the other")]
    ReadTwice {
        /// The topic.
        topic: String,
    },
    /// A part without effect.
    #[error("{0}")]
    Incomplete(String),
}
