//! Declares a topology.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use concord_schemas::Schemas;
use concord_state::{Derivation, EmitDerived, EntriesOf, StateError, StoreKind, StoreSpec};

use super::handles::{CallHandle, SinkHandle, Source, Store, StoreHandle, Topic};
use super::{
    CallDefinition, Cleanup, ProcessorDefinition, SourceDefinition, SubTopology, TopicDeclaration, TopicRole, Topology,
    TopologyError,
};
use crate::calls::{CallLimits, CallResult};
use crate::context::Context;
use crate::processor::{Handlers, ProcessorFactory, TimerHandler, TypedFactory};
use crate::rejection::ProcessError;
use crate::value::Value;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Declares a topology: topics first, then the sub-topologies that join them.
pub struct TopologyBuilder {
    application: String,
    topics: Vec<TopicDeclaration>,
    sub_topologies: Vec<SubTopology>,
    dead_letter_partitions: i32,
}

impl TopologyBuilder {
    /// A topology of the application `application`, which names its consumer group and internal topics.
    pub fn new(application: impl Into<String>) -> Self {
        Self {
            application: application.into(),
            topics: Vec::new(),
            sub_topologies: Vec::new(),
            dead_letter_partitions: 1,
        }
    }

    /// Declares a topic written by producers outside.
    pub fn input<V: Value>(&mut self, name: &str, key: &'static str, partitions: i32, cleanup: Cleanup) -> Topic<V> {
        self.declare::<V>(name.into(), TopicRole::Input, key, partitions, cleanup)
    }

    /// Declares a topic for consumers outside.
    pub fn output<V: Value>(&mut self, name: &str, key: &'static str, partitions: i32, cleanup: Cleanup) -> Topic<V> {
        self.declare::<V>(name.into(), TopicRole::Output, key, partitions, cleanup)
    }

    /// Declares a topic between two sub-topologies; its full name is `<application>.<name>.repartition`.
    pub fn repartition<V: Value>(&mut self, name: &str, key: &'static str, partitions: i32) -> Topic<V> {
        let full = format!("{}.{name}.repartition", self.application);
        self.declare::<V>(
            full,
            TopicRole::Repartition,
            key,
            partitions,
            Cleanup::DeleteAfter { retention_ms: 7 * DAY_MS },
        )
    }

    fn declare<V: Value>(
        &mut self,
        name: String,
        role: TopicRole,
        key: &'static str,
        partitions: i32,
        cleanup: Cleanup,
    ) -> Topic<V> {
        self.topics.push(TopicDeclaration {
            name: Arc::from(name),
            role,
            key,
            schema: Some(V::schema()),
            partitions,
            cleanup,
        });
        Topic { index: self.topics.len() - 1, kind: PhantomData }
    }

    /// Declares a sub-topology.
    pub fn sub_topology(&mut self, name: &'static str, declare: impl FnOnce(&mut SubTopologyBuilder<'_>)) {
        let mut builder = SubTopologyBuilder {
            part: SubTopology {
                name,
                sources: Vec::new(),
                stores: Vec::new(),
                changelogs: Vec::new(),
                derivations: Vec::new(),
                processors: Vec::new(),
                calls: Vec::new(),
                partitions: 0,
            },
            topology: self,
        };
        declare(&mut builder);
        let part = builder.part;
        self.sub_topologies.push(part);
    }

    /// Checks the declarations and adds what follows from them: stores of timers and calls, changelog topics, the dead-letter topic.
    ///
    /// # Errors
    /// Names used twice or not usable, sources that cannot share tasks, a part without effect.
    pub fn build(mut self) -> Result<Topology, TopologyError> {
        check_name("application", &self.application)?;
        let mut sub_names = BTreeSet::new();
        let mut store_names = BTreeSet::new();
        let mut call_names = BTreeSet::new();
        let mut read = BTreeSet::new();
        let mut parts = std::mem::take(&mut self.sub_topologies);
        for part in &mut parts {
            check_name("sub-topology", part.name)?;
            unique("sub-topology", part.name, &mut sub_names)?;
            if part.sources.is_empty() || part.processors.is_empty() {
                return Err(TopologyError::Incomplete(format!(
                    "the sub-topology `{}` needs at least one source and one processor",
                    part.name
                )));
            }
            part.partitions = self.copartitioned(part)?;
            for source in &part.sources {
                if !read.insert(source.topic) {
                    return Err(TopologyError::ReadTwice { topic: self.topics[source.topic].name.to_string() });
                }
            }
            let mut processor_names = BTreeSet::new();
            for processor in &part.processors {
                check_name("processor", processor.name)?;
                unique("processor", processor.name, &mut processor_names)?;
            }
            for (index, _) in part.sources.iter().enumerate() {
                if !part.processors.iter().any(|p| p.inputs.contains(&index)) {
                    return Err(TopologyError::Incomplete(format!(
                        "no processor of the sub-topology `{}` handles its source `{}`",
                        part.name, self.topics[part.sources[index].topic].name
                    )));
                }
            }
            for call in &part.calls {
                check_name("call", call.name)?;
                unique("call", call.name, &mut call_names)?;
                if let Some(defect) = call.limits.defect() {
                    return Err(TopologyError::Incomplete(format!(
                        "the call `{}` can never be made: {defect}",
                        call.name
                    )));
                }
            }
            if !part.calls.is_empty() {
                part.stores.push(StoreSpec::new(format!("{}-calls", part.name), StoreKind::Ordered));
            }
            part.stores.push(StoreSpec::new(format!("{}-timers", part.name), StoreKind::Ordered));
            for derivation in &part.derivations {
                let source = &part.stores[derivation.source];
                if source.time_to_live_ms.is_some() || source.is_derived {
                    return Err(TopologyError::Incomplete(format!(
                        "the store `{}` follows from `{}`, which must have a changelog and no time to live",
                        part.stores[derivation.into].name, source.name
                    )));
                }
            }
            for store in &part.stores {
                check_name("store", &store.name)?;
                unique("store", &store.name, &mut store_names)?;
                if store.is_derived {
                    part.changelogs.push(None);
                    continue;
                }
                self.topics.push(TopicDeclaration {
                    name: Arc::from(format!("{}.{}.changelog", self.application, store.name)),
                    role: TopicRole::Changelog,
                    key: "key of the store",
                    schema: None,
                    partitions: part.partitions,
                    cleanup: Cleanup::Compact,
                });
                part.changelogs.push(Some(self.topics.len() - 1));
            }
        }
        self.topics.push(TopicDeclaration {
            name: Arc::from(format!("{}.dead-letters", self.application)),
            role: TopicRole::DeadLetter,
            key: "key of the rejected record",
            schema: None,
            partitions: self.dead_letter_partitions,
            cleanup: Cleanup::DeleteAfter { retention_ms: 90 * DAY_MS },
        });
        let mut topic_names = BTreeSet::new();
        for topic in &self.topics {
            check_name("topic", &topic.name)?;
            unique("topic", &topic.name, &mut topic_names)?;
            if topic.partitions < 1 {
                return Err(TopologyError::Incomplete(format!(
                    "the topic `{}` needs at least one partition",
                    topic.name
                )));
            }
        }
        Ok(Topology {
            application: self.application,
            dead_letters: self.topics.len() - 1,
            topics: self.topics,
            sub_topologies: parts,
        })
    }

    fn copartitioned(&self, part: &SubTopology) -> Result<i32, TopologyError> {
        let counts: Vec<(&str, i32)> =
            part.sources.iter().map(|s| (&*self.topics[s.topic].name, self.topics[s.topic].partitions)).collect();
        let first = counts[0].1;
        if counts.iter().all(|(_, count)| *count == first) {
            return Ok(first);
        }
        let counts = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect::<Vec<_>>().join(", ");
        Err(TopologyError::NotCopartitioned { sub_topology: part.name.to_string(), counts })
    }
}

/// Declares one sub-topology.
pub struct SubTopologyBuilder<'t> {
    topology: &'t mut TopologyBuilder,
    part: SubTopology,
}

impl SubTopologyBuilder<'_> {
    /// Reads a topic.
    pub fn source<V: Value>(&mut self, topic: Topic<V>) -> Source<V> {
        self.part.sources.push(SourceDefinition { topic: topic.index });
        Source { index: self.part.sources.len() - 1, kind: PhantomData }
    }

    /// A store with point reads.
    pub fn key_value_store<V>(&mut self, name: &str) -> Store<V> {
        self.store(name, StoreKind::KeyValue, None)
    }

    /// A store with range and prefix scans.
    pub fn ordered_store<V>(&mut self, name: &str) -> Store<V> {
        self.store(name, StoreKind::Ordered, None)
    }

    /// A store with point reads whose entries go when they have not been written for this long, by stream time.
    pub fn key_value_store_with_time_to_live<V>(&mut self, name: &str, time_to_live_ms: i64) -> Store<V> {
        self.store(name, StoreKind::KeyValue, Some(time_to_live_ms))
    }

    /// An ordered store that follows from another store, such as an index over it. It has no changelog: where the other store
    /// is restored, `entries` makes it again. While records are processed it is the processor's to write, together with the
    /// other store and just as `entries` would.
    ///
    /// `entries` is given the key and the value of an entry, and emits the keys and values that follow from it.
    pub fn derived_store<V: Value, D>(
        &mut self,
        name: &str,
        from: Store<V>,
        entries: impl for<'a> Fn(&[u8], V::Of<'a>, &mut EmitDerived<'_>) + Send + Sync + 'static,
    ) -> Store<D> {
        self.part.stores.push(StoreSpec::new(name, StoreKind::Ordered).derived());
        let into = self.part.stores.len() - 1;
        let source = self.part.stores[from.index].name.clone();
        let decoder = Schemas::bundled().decoder();
        let entries: Arc<EntriesOf> =
            Arc::new(move |key, value, emit| match decoder.decode::<V::Of<'_>>(V::schema(), value) {
                Ok(value) => {
                    entries(key, value, emit);
                    Ok(())
                }
                Err(error) => Err(StateError::Corrupt { place: format!("store {source}"), reason: error.to_string() }),
            });
        self.part.derivations.push(Derivation { source: from.index, into, entries });
        Store { index: into, kind: PhantomData }
    }

    fn store<V>(&mut self, name: &str, kind: StoreKind, time_to_live_ms: Option<i64>) -> Store<V> {
        let spec = StoreSpec { time_to_live_ms, ..StoreSpec::new(name, kind) };
        self.part.stores.push(spec);
        Store { index: self.part.stores.len() - 1, kind: PhantomData }
    }

    /// Declares a processor. `declare` says what it uses and returns what makes an instance; an instance belongs to
    /// one task, and its fields are only a cache: they are made anew after an abort, a rejection or a crash.
    pub fn processor<P: Send + 'static, F: Fn() -> P + Send + Sync + 'static>(
        &mut self,
        name: &'static str,
        declare: impl FnOnce(&mut ProcessorBuilder<'_, P>) -> F,
    ) {
        let index = self.part.processors.len();
        let mut builder = ProcessorBuilder {
            handlers: Handlers::new(self.part.sources.len()),
            stores: Vec::new(),
            sinks: Vec::new(),
            calls: Vec::new(),
            index,
            sub: &self.part,
            topics: &self.topology.topics,
        };
        let make = declare(&mut builder);
        let ProcessorBuilder { handlers, stores, sinks, calls, .. } = builder;
        self.part.calls.extend(calls);
        let inputs = handlers.inputs();
        let factory: Box<dyn ProcessorFactory> = Box::new(TypedFactory::new(make, handlers));
        self.part.processors.push(ProcessorDefinition { name, inputs, stores, sinks, factory });
    }
}

/// Declares one processor: what it reads, remembers and writes.
pub struct ProcessorBuilder<'t, P> {
    handlers: Handlers<P>,
    stores: Vec<usize>,
    sinks: Vec<usize>,
    calls: Vec<CallDefinition>,
    index: usize,
    sub: &'t SubTopology,
    topics: &'t [TopicDeclaration],
}

impl<P: Send + 'static> ProcessorBuilder<'_, P> {
    /// Uses a store.
    pub fn store<V>(&mut self, store: Store<V>) -> StoreHandle<V> {
        debug_assert!(store.index < self.sub.stores.len(), "the store belongs to another sub-topology");
        self.stores.push(store.index);
        StoreHandle { index: store.index, processor: self.index, kind: PhantomData }
    }

    /// Writes to a topic.
    pub fn sink<V: Value>(&mut self, topic: Topic<V>) -> SinkHandle<V> {
        debug_assert!(topic.index < self.topics.len(), "the topic belongs to another topology");
        self.sinks.push(topic.index);
        SinkHandle { topic: topic.index, processor: self.index, kind: PhantomData }
    }

    /// Handles the records of a source. A tombstone is rejected.
    pub fn on<V: Value>(
        &mut self,
        source: Source<V>,
        handle: impl for<'a> Fn(&mut P, &mut Context<'_>, V::Of<'a>) -> Result<(), ProcessError> + Send + Sync + 'static,
    ) {
        self.handlers.on::<V>(source.index, handle);
    }

    /// Handles the records of a table: `None` is a tombstone.
    pub fn on_change<V: Value>(
        &mut self,
        source: Source<V>,
        handle: impl for<'a> Fn(&mut P, &mut Context<'_>, Option<V::Of<'a>>) -> Result<(), ProcessError>
        + Send
        + Sync
        + 'static,
    ) {
        self.handlers.on_change::<V>(source.index, handle);
    }

    /// Handles the timers it has set.
    pub fn on_timer(&mut self, handle: TimerHandler<P>) {
        self.handlers.on_timer = Some(handle);
    }

    /// Has work done elsewhere, under this name: see [`calls`](crate::calls). `handle` is given what came of each call. Whoever runs the
    /// topology must perform calls of this name.
    pub fn call(
        &mut self,
        name: &'static str,
        limits: CallLimits,
        handle: impl Fn(&mut P, &mut Context<'_>, CallResult) -> Result<(), ProcessError> + Send + Sync + 'static,
    ) -> CallHandle {
        let call = self.sub.calls.len() + self.calls.len();
        self.calls.push(CallDefinition { name, processor: self.index, limits, tells_of_beginning: false });
        self.handlers.on_result(call, handle);
        CallHandle { call, processor: self.index }
    }

    /// Tells the processor of attempts at a call of its own that have begun and take longer than a commit: `handle` is given the number
    /// of the attempt, from 1. It is told before the result if at all, and may be told again of the same attempt.
    pub fn on_begun(
        &mut self,
        call: CallHandle,
        handle: impl Fn(&mut P, &mut Context<'_>, u32) -> Result<(), ProcessError> + Send + Sync + 'static,
    ) {
        let own = call.call.checked_sub(self.sub.calls.len()).and_then(|place| self.calls.get_mut(place));
        debug_assert!(own.is_some(), "the call belongs to another processor");
        if let Some(definition) = own {
            definition.tells_of_beginning = true;
            self.handlers.on_begun(call.call, handle);
        }
    }
}

fn unique(kind: &'static str, name: &str, seen: &mut BTreeSet<String>) -> Result<(), TopologyError> {
    if seen.insert(name.to_string()) {
        return Ok(());
    }
    Err(TopologyError::DuplicateName { kind, name: name.to_string() })
}

fn check_name(kind: &'static str, name: &str) -> Result<(), TopologyError> {
    let usable = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    if !name.is_empty() && name.chars().all(usable) {
        return Ok(());
    }
    Err(TopologyError::BadName { kind, name: name.to_string() })
}
