//! What a store is called and what it can do.

use crate::StateError;

/// Position of a store in its task's list of [`StoreSpec`].
pub type StoreIndex = usize;

/// How a store is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Reads by key only.
    KeyValue,
    /// Reads by key, range and prefix, in byte order of the keys.
    Ordered,
}

/// One store of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSpec {
    /// Unique within the task: letters, digits, `.`, `_` and `-`, not starting with `__`.
    pub name: String,
    /// How it is read.
    pub kind: StoreKind,
    /// Milliseconds after which an entry is no longer needed, counted from the time given to the `put` that wrote it.
    pub time_to_live_ms: Option<i64>,
    /// Whether its content follows from another store of the task: it has no changelog, and is made again from the other one
    /// where that is restored.
    pub is_derived: bool,
}

impl StoreSpec {
    /// A store whose entries stay until they are deleted.
    pub fn new(name: impl Into<String>, kind: StoreKind) -> Self {
        Self { name: name.into(), kind, time_to_live_ms: None, is_derived: false }
    }

    /// The same store, with entries that expire `time_to_live_ms` milliseconds after they were put.
    pub fn with_time_to_live_ms(mut self, time_to_live_ms: i64) -> Self {
        self.time_to_live_ms = Some(time_to_live_ms);
        self
    }

    /// The same store, whose content follows from another one: see [`Derivation`](crate::Derivation).
    pub fn derived(mut self) -> Self {
        self.is_derived = true;
        self
    }

    /// Whether stored values carry the time at which they were put.
    pub(crate) fn is_stamped(&self) -> bool {
        self.time_to_live_ms.is_some()
    }
}

/// Checks the names and times to live of a task's stores.
pub(crate) fn check_stores(stores: &[StoreSpec]) -> Result<(), StateError> {
    for (position, store) in stores.iter().enumerate() {
        check_name("store", &store.name)?;
        if stores[..position].iter().any(|earlier| earlier.name == store.name) {
            return Err(StateError::InvalidName {
                what: "store",
                name: store.name.clone(),
                reason: "two stores of one task have it",
            });
        }
        if store.time_to_live_ms.is_some_and(|ttl| ttl <= 0) {
            return Err(StateError::InvalidTimeToLive { store: store.name.clone() });
        }
    }
    Ok(())
}

/// Names become folders and column families, so they are kept to what both take.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), StateError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let reason = if name.is_empty() {
        "it is empty"
    } else if !name.chars().all(plain) {
        "only letters, digits, '.', '_' and '-' are allowed"
    } else if name.starts_with("__") || name.starts_with('.') || name == "default" {
        "names starting with '__' or '.', and 'default', are taken"
    } else {
        return Ok(());
    };
    Err(StateError::InvalidName { what, name: name.to_owned(), reason })
}
