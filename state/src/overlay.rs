//! The uncommitted writes of one store: the last value or tombstone per key since the last commit.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use crate::StoreKind;

/// A value, or a tombstone.
pub(crate) type Change = Option<Bytes>;

/// Memory an entry takes beside its key and value: map slot, reference counts, allocator rounding. Measured as growth of the
/// resident set over 200 000 entries.
const ENTRY_OVERHEAD_BYTES: usize = 136;

/// Changes by key. A store that is read by key only pays for no order.
pub(crate) enum Overlay {
    ByKey(IndexMap<Arc<[u8]>, Change, DefaultHashBuilder>),
    InOrder(BTreeMap<Arc<[u8]>, Change>),
}

impl Overlay {
    /// An empty overlay for a store of this kind.
    pub(crate) fn new(kind: StoreKind) -> Self {
        match kind {
            StoreKind::KeyValue => Self::ByKey(IndexMap::default()),
            StoreKind::Ordered => Self::InOrder(BTreeMap::new()),
        }
    }

    /// The change of a key, if it was changed.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Change> {
        match self {
            Self::ByKey(map) => map.get(key),
            Self::InOrder(map) => map.get(key),
        }
    }

    /// Records a change and returns the one it replaces.
    pub(crate) fn insert(&mut self, key: Arc<[u8]>, change: Change) -> Option<Change> {
        match self {
            Self::ByKey(map) => map.insert(key, change),
            Self::InOrder(map) => map.insert(key, change),
        }
    }

    /// Forgets that a key was changed.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<Change> {
        match self {
            Self::ByKey(map) => map.swap_remove(key),
            Self::InOrder(map) => map.remove(key),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::ByKey(map) => map.is_empty(),
            Self::InOrder(map) => map.is_empty(),
        }
    }

    /// Forgets all changes. The hash table keeps its memory, the next interval will need as much.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::ByKey(map) => map.clear(),
            Self::InOrder(map) => map.clear(),
        }
    }

    /// All changes, each key once. The order is that of the keys in a store with order; in the other kind it depends on nothing
    /// but the calls that made them.
    pub(crate) fn changes(&self) -> Box<dyn Iterator<Item = (&[u8], &Change)> + '_> {
        match self {
            Self::ByKey(map) => Box::new(map.iter().map(|(key, change)| (&**key, change))),
            Self::InOrder(map) => Box::new(map.iter().map(|(key, change)| (&**key, change))),
        }
    }

    /// Changes with `start <= key < end` in order; `None` when the store keeps no order.
    pub(crate) fn range<'a>(&'a self, start: &'a [u8], end: Option<&'a [u8]>) -> Option<OverlayRange<'a>> {
        let Self::InOrder(map) = self else {
            return None;
        };
        // The map would panic on a range that ends before it starts.
        let end = match end {
            Some(end) if end <= start => Bound::Excluded(start),
            Some(end) => Bound::Excluded(end),
            None => Bound::Unbounded,
        };
        Some(map.range::<[u8], _>((Bound::Included(start), end)))
    }
}

/// Changes of an ordered store within a range.
pub(crate) type OverlayRange<'a> = std::collections::btree_map::Range<'a, Arc<[u8]>, Change>;

/// Memory that a change of this key takes.
pub(crate) fn entry_bytes(key: &[u8], change: &Change) -> usize {
    key.len() + change.as_ref().map_or(0, Bytes::len) + ENTRY_OVERHEAD_BYTES
}
