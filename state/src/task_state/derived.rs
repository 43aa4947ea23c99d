//! Restoring stores that follow from others.

use super::TaskState;
use crate::Derivation;
use crate::{StateError, StoreIndex, ValueWrite, WriteSet, failpoint};

/// Entries of a source that are derived from in one write.
const SLICE: usize = 10_000;

/// A write to a derived store: the store, the key, and the value or a removal.
pub(super) type DerivedWrite = (StoreIndex, Vec<u8>, Option<Vec<u8>>);

impl TaskState {
    /// Says which stores follow from which. To be called before anything is written or restored; a derived store that does not
    /// stand where its source does (it is new, or a program without it wrote the source) is made here.
    ///
    /// # Errors
    /// When the database fails, or an entry of a source cannot be read.
    pub fn with_derivations(mut self, derivations: Vec<Derivation>) -> Result<Self, StateError> {
        let positions = &self.meta.changelog_positions;
        let is_behind = |d: &&Derivation| positions[d.into] != positions[d.source];
        let behind: Vec<Derivation> = derivations.iter().filter(is_behind).cloned().collect();
        self.derivations = derivations;
        for derivation in behind {
            self.make(&derivation)?;
        }
        Ok(self)
    }

    /// Makes a derived store from the whole of its source, which has no uncommitted writes.
    fn make(&mut self, derivation: &Derivation) -> Result<(), StateError> {
        self.poisoned = true;
        self.backend.clear_store(derivation.into)?;
        self.poisoned = false;
        failpoint!(DerivedCleared);
        self.meta.changelog_positions[derivation.into] = None;
        let mut start: Vec<u8> = Vec::new();
        loop {
            let mut slice: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            self.backend.scan(derivation.source, &start, None, &mut |key, value| {
                slice.push((key.to_vec(), value.to_vec()));
                slice.len() < SLICE
            })?;
            let mut writes: Vec<DerivedWrite> = Vec::new();
            for (key, value) in &slice {
                (derivation.entries)(key, value, &mut |key, value| {
                    writes.push((derivation.into, key.to_vec(), Some(value.to_vec())));
                })?;
            }
            let is_last = slice.len() < SLICE;
            if is_last {
                self.meta.changelog_positions[derivation.into] = self.meta.changelog_positions[derivation.source];
            }
            let values =
                writes.iter().map(|(store, key, value)| ValueWrite { store: *store, key, value: value.as_deref() });
            failpoint!(DerivedWriteBegins);
            self.poisoned = true;
            self.backend.write(WriteSet { values: values.collect(), index: Vec::new(), meta: &self.meta })?;
            self.poisoned = false;
            failpoint!(DerivedWriteEnded);
            match slice.pop() {
                Some((last, _)) if !is_last => {
                    start = last;
                    start.push(0);
                }
                _ => return Ok(()),
            }
        }
    }

    /// What restoring these entries of one store changes in the stores that follow from it: what followed from the former
    /// values goes, what follows from the new ones comes.
    pub(super) fn derived_from(&self, restored: &[ValueWrite<'_>]) -> Result<Vec<DerivedWrite>, StateError> {
        let mut writes = Vec::new();
        for write in restored {
            for derivation in self.derivations.iter().filter(|derivation| derivation.source == write.store) {
                if let Some(former) = self.backend.get(write.store, write.key)? {
                    (derivation.entries)(write.key, &former, &mut |key, _| {
                        writes.push((derivation.into, key.to_vec(), None));
                    })?;
                }
                if let Some(value) = write.value {
                    (derivation.entries)(write.key, value, &mut |key, value| {
                        writes.push((derivation.into, key.to_vec(), Some(value.to_vec())));
                    })?;
                }
            }
        }
        Ok(writes)
    }

    /// A derived store stands where its source does.
    pub(super) fn follow_positions(&self, changelog_positions: &mut [Option<i64>]) {
        for derivation in &self.derivations {
            changelog_positions[derivation.into] = changelog_positions[derivation.source];
        }
    }
}
