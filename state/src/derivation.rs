//! Stores that follow from another store of their task, such as an index over it.
//!
//! While records are processed, whoever writes the source also writes what follows from it, in the same commit. A restore makes
//! the entries from the source again, so they need no changelog of their own. Their position is that of the source.

use std::sync::Arc;

use crate::{StateError, StoreIndex};

/// Told each entry (key, value) that follows from an entry of the source.
pub type EmitDerived<'e> = dyn FnMut(&[u8], &[u8]) + 'e;

/// How the entries of one store follow from those of another.
#[derive(Clone)]
pub struct Derivation {
    /// The store they follow from; it has no time to live.
    pub source: StoreIndex,
    /// The store they stand in.
    pub into: StoreIndex,
    /// Emits what follows from one entry (key, value) of the source.
    pub entries: Arc<EntriesOf>,
}

/// See [`Derivation::entries`].
pub type EntriesOf = dyn Fn(&[u8], &[u8], &mut EmitDerived<'_>) -> Result<(), StateError> + Send + Sync;
