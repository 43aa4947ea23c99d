//! What of a topology its state depends on, and whether state on disk still fits.

use std::collections::BTreeMap;

use concord_state::StoreKind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Topology;

/// The part of a topology that its state depends on. Written with the state as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Application id.
    pub application: String,
    /// By name.
    pub sub_topologies: BTreeMap<String, SubTopologyFingerprint>,
}

/// The same of one sub-topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubTopologyFingerprint {
    /// Number of its tasks.
    pub partitions: i32,
    /// Names of its source topics.
    pub sources: Vec<String>,
    /// Names of its processors: stored timers belong to them.
    pub processors: Vec<String>,
    /// Stores by name: kind and time to live.
    pub stores: BTreeMap<String, String>,
    /// Its calls by name, each with the processor that pending ones belong to. Left out where there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<String, String>,
}

/// Whether a topology may run on state that another wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compatibility {
    /// Nothing that matters has changed.
    Same,
    /// Only additions.
    Compatible(Vec<String>),
    /// State would stay behind unused: a person must say that this is meant.
    NeedsMigration(Vec<String>),
    /// The state would be read wrongly.
    Refused(Vec<String>),
}

impl Fingerprint {
    /// The fingerprint of `topology`.
    pub fn of(topology: &Topology) -> Self {
        let mut sub_topologies = BTreeMap::new();
        for sub in &topology.sub_topologies {
            let stores = sub
                .stores
                .iter()
                .enumerate()
                .map(|(index, store)| {
                    let kind = match store.kind {
                        StoreKind::KeyValue => "key-value",
                        StoreKind::Ordered => "ordered",
                    };
                    let source = sub.source_of(index).map(|source| &source.name);
                    let form = match (store.time_to_live_ms, source) {
                        (None, None) => kind.to_string(),
                        (None, Some(source)) => format!("{kind}, follows from {source}"),
                        (Some(_), _) => format!("{kind}, time to live"),
                    };
                    (store.name.clone(), form)
                })
                .collect();
            sub_topologies.insert(
                sub.name.to_string(),
                SubTopologyFingerprint {
                    partitions: sub.partitions,
                    sources: sub.sources.iter().map(|s| topology.topics[s.topic].name.to_string()).collect(),
                    processors: sub.processors.iter().map(|p| p.name.to_string()).collect(),
                    stores,
                    calls: sub
                        .calls
                        .iter()
                        .map(|call| (call.name.to_string(), sub.processors[call.processor].name.to_string()))
                        .collect(),
                },
            );
        }
        Self { application: topology.application.clone(), sub_topologies }
    }

    /// As text, to be stored.
    pub fn to_text(&self) -> String {
        // Maps with text keys always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`Self::to_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A short form for people: the first 12 hexadecimal digits of a SHA-256.
    pub fn short(&self) -> String {
        let digest = Sha256::digest(self.to_text().as_bytes());
        digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether this topology may run on state that `stored` wrote.
    pub fn verdict(&self, stored: &Self) -> Compatibility {
        let mut added = Vec::new();
        let mut left = Vec::new();
        let mut wrong = Vec::new();
        if self.application != stored.application {
            wrong.push(format!("the state belongs to the application `{}`", stored.application));
        }
        for (name, old) in &stored.sub_topologies {
            let Some(new) = self.sub_topologies.get(name) else {
                left.push(format!("the sub-topology `{name}` is gone"));
                continue;
            };
            if new.partitions != old.partitions {
                wrong.push(format!(
                    "the sub-topology `{name}` had {} partitions and has {}: keys would look for their state elsewhere",
                    old.partitions, new.partitions
                ));
            }
            for (store, form) in &old.stores {
                match new.stores.get(store) {
                    None => left.push(format!("the store `{store}` is gone")),
                    Some(now) if now != form => wrong.push(format!("the store `{store}` was {form} and is {now}")),
                    Some(_) => {}
                }
            }
            for processor in &old.processors {
                if !new.processors.contains(processor) {
                    left.push(format!("the processor `{processor}` is gone, and its timers would have no owner"));
                }
            }
            for (call, owner) in &old.calls {
                match new.calls.get(call) {
                    None => left.push(format!("the call `{call}` is gone, and pending ones would never begin")),
                    Some(now) if now != owner => {
                        wrong.push(format!("the call `{call}` was of `{owner}` and is of `{now}`"))
                    }
                    Some(_) => {}
                }
            }
            for source in &old.sources {
                if !new.sources.contains(source) {
                    left.push(format!("the source `{source}` of `{name}` is gone"));
                }
            }
            added
                .extend(new.stores.keys().filter(|s| !old.stores.contains_key(*s)).map(|s| format!("new store `{s}`")));
            added.extend(
                new.processors.iter().filter(|p| !old.processors.contains(p)).map(|p| format!("new processor `{p}`")),
            );
            added.extend(new.calls.keys().filter(|c| !old.calls.contains_key(*c)).map(|c| format!("new call `{c}`")));
            added.extend(new.sources.iter().filter(|s| !old.sources.contains(s)).map(|s| format!("new source `{s}`")));
        }
        added.extend(
            self.sub_topologies
                .keys()
                .filter(|s| !stored.sub_topologies.contains_key(*s))
                .map(|s| format!("new sub-topology `{s}`")),
        );
        if !wrong.is_empty() {
            return Compatibility::Refused(wrong);
        }
        if !left.is_empty() {
            return Compatibility::NeedsMigration(left);
        }
        if !added.is_empty() {
            return Compatibility::Compatible(added);
        }
        Compatibility::Same
    }
}
