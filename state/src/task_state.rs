//! The state of a task: committed data, and over it what was written since the last commit.

mod derived;
mod sweep;

use std::sync::Arc;

use bytes::Bytes;

use self::sweep::Sweep;
use crate::derivation::Derivation;
use crate::expiry::{index_entry, split_stamp, stamp, without_stamp};
use crate::overlay::{Change, Overlay, OverlayRange, entry_bytes};
use crate::recent::Recent;
use crate::{
    Backend, CommitMeta, CommittedMeta, CommittedReader, FORMAT_VERSION, IndexWrite, StateError, StoreIndex, StoreKind,
    StoreSpec, ValueWrite, WriteSet, failpoint,
};

/// The stores of one task.
///
/// Writes stay in memory until [`commit`](Self::commit). A store is addressed by its position in the list the task was made
/// with; a position beyond the list is a mistake of the caller and panics.
pub struct TaskState {
    backend: Box<dyn Backend>,
    stores: Vec<StoreSpec>,
    fingerprint: String,
    meta: CommittedMeta,
    overlays: Vec<Overlay>,
    recent: Recent,
    uncommitted_bytes: usize,
    undo: Vec<Undo>,
    sweep: Sweep,
    derivations: Vec<Derivation>,
    /// By store, a number that changes whenever the store's content may have changed.
    versions: Vec<u64>,
    poisoned: bool,
}

/// What a write since the savepoint replaced.
struct Undo {
    store: StoreIndex,
    key: Arc<[u8]>,
    /// The change it replaced; `None` when the key had not been changed since the commit.
    replaced: Option<Change>,
}

impl TaskState {
    /// The state over a task's committed data. `stores` must be the list the backend was opened with; `fingerprint` names the
    /// topology and is stored with the next commit.
    ///
    /// # Errors
    /// When the stored meta cannot be read.
    pub fn new(backend: Box<dyn Backend>, stores: Vec<StoreSpec>, fingerprint: String) -> Result<Self, StateError> {
        let stored = backend.meta()?;
        let meta = stored.unwrap_or_else(|| CommittedMeta::empty(fingerprint.clone(), stores.len()));
        Ok(Self {
            recent: Recent::new(stores.len()),
            backend,
            overlays: stores.iter().map(|store| Overlay::new(store.kind)).collect(),
            sweep: Sweep::new(stores.len()),
            derivations: Vec::new(),
            versions: vec![0; stores.len()],
            stores,
            fingerprint,
            meta,
            uncommitted_bytes: 0,
            undo: Vec::new(),
            poisoned: false,
        })
    }

    /// The stores, in the order of their [`StoreIndex`].
    pub fn stores(&self) -> &[StoreSpec] {
        &self.stores
    }

    /// The value of a key as the task sees it, uncommitted writes included.
    ///
    /// # Errors
    /// When the database fails, or an earlier write to it did.
    pub fn get(&self, store: StoreIndex, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        match self.get_stored(store, key)? {
            Some(value) => Ok(Some(self.shown(store, value)?)),
            None => Ok(None),
        }
    }

    /// Writes a value. `now_ms`, milliseconds since 1970, is when the time to live of the entry starts, if the store has one.
    pub fn put(&mut self, store: StoreIndex, key: &[u8], value: Bytes, now_ms: i64) {
        let stored = if self.stores[store].is_stamped() { stamp(&value, now_ms) } else { value };
        self.change(store, Arc::from(key), Some(stored));
    }

    /// Deletes a key; deleting what is not there is fine.
    pub fn delete(&mut self, store: StoreIndex, key: &[u8]) {
        self.change(store, Arc::from(key), None);
    }

    /// Visits entries with `start <= key < end` (`None` = to the last) in byte order of the keys, uncommitted writes included,
    /// until `visit` returns `false`.
    ///
    /// # Errors
    /// [`StateError::NotOrdered`] for a store that is read by key only; or when the database fails.
    pub fn scan(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError> {
        self.check_usable()?;
        let spec = &self.stores[store];
        let Some(changes) = self.overlays[store].range(start, end) else {
            return Err(StateError::NotOrdered { store: spec.name.clone() });
        };
        let mut failure = None;
        let mut visit_stored = |key: &[u8], stored: &[u8]| {
            if !spec.is_stamped() {
                return visit(key, stored);
            }
            match split_stamp(&spec.name, stored) {
                Ok((_, value)) => visit(key, value),
                Err(error) => {
                    failure = Some(error);
                    false
                }
            }
        };
        self.scan_stored(store, start, end, changes, &mut visit_stored)?;
        failure.map_or(Ok(()), Err)
    }

    /// Visits the entries whose key starts with `prefix`, like [`scan`](Self::scan).
    ///
    /// # Errors
    /// As [`scan`](Self::scan).
    pub fn scan_prefix(
        &self,
        store: StoreIndex,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError> {
        self.scan(store, prefix, prefix_end(prefix).as_deref(), visit)
    }

    /// Marks the point to which [`roll_back_to_savepoint`](Self::roll_back_to_savepoint) returns: before each record, so that
    /// a rejected one leaves no trace. There is one savepoint; a commit and a roll back move it too.
    pub fn savepoint(&mut self) {
        self.undo.clear();
        self.sweep.index_at_savepoint = self.sweep.index.len();
    }

    /// Undoes all writes since the savepoint.
    pub fn roll_back_to_savepoint(&mut self) {
        while let Some(Undo { store, key, replaced }) = self.undo.pop() {
            self.versions[store] += 1;
            let overlay = &mut self.overlays[store];
            if let Some(undone) = overlay.get(&key) {
                self.uncommitted_bytes -= entry_bytes(&key, undone);
            }
            match replaced {
                Some(change) => {
                    self.uncommitted_bytes += entry_bytes(&key, &change);
                    overlay.insert(key, change);
                }
                None => {
                    overlay.remove(&key);
                }
            }
        }
        self.sweep.index.truncate(self.sweep.index_at_savepoint);
        self.sweep.restart();
    }

    /// Memory taken by uncommitted writes, in bytes: keys, values and what it costs to keep them.
    pub fn uncommitted_bytes(&self) -> usize {
        self.uncommitted_bytes
    }

    /// Whether there are writes since the last commit.
    pub fn has_uncommitted(&self) -> bool {
        self.overlays.iter().any(|overlay| !overlay.is_empty())
    }

    /// Whether a key was written or deleted since the last commit.
    pub fn is_uncommitted(&self, store: StoreIndex, key: &[u8]) -> bool {
        self.overlays[store].get(key).is_some()
    }

    /// A number that changes whenever the content of a store, as this task sees it, may have changed.
    pub fn version(&self, store: StoreIndex) -> u64 {
        self.versions[store]
    }

    /// Emits the last value per key since the last commit, `None` for a tombstone, store by store. These are the records of the
    /// changelogs; in a store with a time to live the value begins with its 8-byte time stamp. Derived stores have no changelog and
    /// are left out.
    ///
    /// # Errors
    /// The first error of `emit`, which ends the walk.
    pub fn changes<E>(
        &self,
        mut emit: impl FnMut(StoreIndex, &[u8], Option<&Bytes>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (store, overlay) in self.overlays.iter().enumerate().filter(|(store, _)| !self.stores[*store].is_derived) {
            for (key, change) in overlay.changes() {
                emit(store, key, change.as_ref())?;
            }
        }
        Ok(())
    }

    /// Stores all uncommitted writes and `commit` in one batch. To be called once the transaction that carries
    /// [`changes`](Self::changes) is known to be committed.
    ///
    /// # Errors
    /// When the write fails. The state is poisoned then: every later call answers [`StateError::Poisoned`].
    pub fn commit(&mut self, commit: CommitMeta) -> Result<(), StateError> {
        self.check_usable()?;
        let mut changelog_positions = self.meta.changelog_positions.clone();
        for (position, given) in changelog_positions.iter_mut().zip(&commit.changelog_positions) {
            *position = given.or(*position);
        }
        self.follow_positions(&mut changelog_positions);
        let meta = CommittedMeta {
            format_version: FORMAT_VERSION,
            fingerprint: self.fingerprint.clone(),
            changelog_positions,
            input_positions: commit.input_positions,
            stream_time_ms: commit.stream_time_ms,
            committed_at_ms: commit.committed_at_ms,
        };

        let mut values = Vec::new();
        // Removals of the sweep come first: the key may have been put again in the same bucket since.
        let mut index = std::mem::take(&mut self.sweep.index);
        for (store, overlay) in self.overlays.iter().enumerate() {
            let first = values.len();
            for (key, change) in overlay.changes() {
                let value = change.as_deref();
                values.push(ValueWrite { store, key, value });
                index_value(&self.stores[store], store, key, value, &mut index)?;
            }
            // In order they are written faster than as they came.
            if self.stores[store].kind == StoreKind::KeyValue {
                values[first..].sort_unstable_by_key(|write| write.key);
            }
        }
        let batch = WriteSet { values, index, meta: &meta };
        failpoint!(CommitWriteBegins);
        self.poisoned = true;
        self.backend.write(batch)?;
        self.poisoned = false;
        failpoint!(CommitWriteEnded);
        self.meta = meta;
        let limit_bytes = self.backend.recent_bytes();
        for (store, overlay) in self.overlays.iter_mut().enumerate() {
            if let Overlay::ByKey(changes) = overlay {
                self.recent.add(store, changes.drain(..), limit_bytes);
            }
        }
        self.forget_uncommitted();
        Ok(())
    }

    /// Drops all uncommitted writes.
    pub fn roll_back(&mut self) {
        self.sweep.index.clear();
        self.forget_uncommitted();
        self.all_versions_change();
    }

    /// Writes entries read from a store's changelog straight to the database, with the offset to read next in the same batch.
    /// `None` is a tombstone. Applying a stretch of the changelog again gives the same store.
    ///
    /// # Errors
    /// When the write fails (the state is poisoned then), an entry is damaged, or there are uncommitted writes.
    pub fn apply_restored<'a>(
        &mut self,
        store: StoreIndex,
        entries: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
        next_position: i64,
    ) -> Result<(), StateError> {
        self.check_usable()?;
        if self.has_uncommitted() {
            return Err(StateError::UncommittedWrites);
        }
        let mut entries: Vec<(&[u8], Option<&[u8]>)> = entries.into_iter().collect();
        // A stable sort: what is said of a key stays in its order, and the last of it counts.
        entries.sort_by_key(|(key, _)| *key);
        let mut values = Vec::with_capacity(entries.len());
        let mut index = Vec::new();
        for (place, &(key, value)) in entries.iter().enumerate() {
            if entries.get(place + 1).is_some_and(|(next, _)| *next == key) {
                continue;
            }
            values.push(ValueWrite { store, key, value });
            index_value(&self.stores[store], store, key, value, &mut index)?;
        }
        let derived = self.derived_from(&values)?;
        values.extend(derived.iter().map(|(store, key, value)| ValueWrite {
            store: *store,
            key,
            value: value.as_deref(),
        }));

        let mut meta = self.meta.clone();
        meta.format_version = FORMAT_VERSION;
        meta.changelog_positions[store] = Some(next_position);
        self.follow_positions(&mut meta.changelog_positions);
        let batch = WriteSet { values, index, meta: &meta };
        failpoint!(RestoredWriteBegins);
        self.poisoned = true;
        self.backend.write(batch)?;
        self.poisoned = false;
        failpoint!(RestoredWriteEnded);
        self.meta = meta;
        self.forget_what_was_read();
        Ok(())
    }

    /// Notes that at `now_ms` nothing was missing that was committed before: the state is as good as committed then.
    ///
    /// # Errors
    /// When the write fails (the state is poisoned then).
    pub fn mark_up_to_date(&mut self, now_ms: i64) -> Result<(), StateError> {
        self.check_usable()?;
        self.meta.committed_at_ms = now_ms;
        failpoint!(MarkWriteBegins);
        self.poisoned = true;
        self.backend.write(WriteSet { values: Vec::new(), index: Vec::new(), meta: &self.meta })?;
        self.poisoned = false;
        failpoint!(MarkWriteEnded);
        Ok(())
    }

    /// Empties one store, with those that follow from it, and forgets its changelog position, so that it is restored from the
    /// beginning.
    ///
    /// # Errors
    /// When the write fails (the state is poisoned then), or there are uncommitted writes.
    pub fn clear_store(&mut self, store: StoreIndex) -> Result<(), StateError> {
        self.check_usable()?;
        if self.has_uncommitted() {
            return Err(StateError::UncommittedWrites);
        }
        failpoint!(ClearBegins);
        self.poisoned = true;
        // Followers first: should this be cut off, they are seen to be behind their source, and are made again.
        for follower in self.derivations.iter().filter(|derivation| derivation.source == store) {
            self.backend.clear_store(follower.into)?;
            self.meta.changelog_positions[follower.into] = None;
            failpoint!(ClearInPart);
        }
        self.backend.clear_store(store)?;
        self.meta.changelog_positions[store] = None;
        self.poisoned = false;
        failpoint!(ClearEnded);
        self.forget_what_was_read();
        Ok(())
    }

    /// The changelog offset to read next; `None` when nothing of the changelog is in the store.
    pub fn changelog_position(&self, store: StoreIndex) -> Option<i64> {
        self.meta.changelog_positions[store]
    }

    /// The identity of the changelog that a store is a copy of; `None` when it was never kept.
    ///
    /// # Errors
    /// When the database fails, or an earlier write to it did.
    pub fn changelog_id(&self, store: StoreIndex) -> Result<Option<String>, StateError> {
        self.check_usable()?;
        self.backend.changelog_id(store)
    }

    /// Keeps that identity, at once: before anything of that changelog is in the store.
    ///
    /// # Errors
    /// When the write fails. The state is poisoned then.
    pub fn keep_changelog_id(&mut self, store: StoreIndex, id: &str) -> Result<(), StateError> {
        self.check_usable()?;
        failpoint!(IdentityWriteBegins);
        self.poisoned = true;
        self.backend.keep_changelog_id(store, id)?;
        self.poisoned = false;
        failpoint!(IdentityWriteEnded);
        Ok(())
    }

    /// What was stored with the last commit.
    pub fn meta(&self) -> &CommittedMeta {
        &self.meta
    }

    /// A handle for other threads to read the committed data.
    pub fn reader(&self) -> CommittedReader {
        self.backend.reader()
    }

    /// Makes the committed data survive a power loss. Costly: for a clean stop or once a minute, never for each commit.
    ///
    /// # Errors
    /// When the database fails.
    pub fn flush(&mut self) -> Result<(), StateError> {
        self.check_usable()?;
        failpoint!(FlushBegins);
        self.backend.flush()?;
        failpoint!(FlushEnded);
        Ok(())
    }

    fn check_usable(&self) -> Result<(), StateError> {
        if self.poisoned {
            return Err(StateError::Poisoned);
        }
        Ok(())
    }

    /// The value as stored, with its stamp.
    fn get_stored(&self, store: StoreIndex, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        self.check_usable()?;
        if let Some(change) = self.overlays[store].get(key) {
            return Ok(change.clone());
        }
        if let Some(committed) = self.recent.get(store, key) {
            return Ok(committed.clone());
        }
        self.backend.get(store, key)
    }

    fn shown(&self, store: StoreIndex, stored: Bytes) -> Result<Bytes, StateError> {
        let spec = &self.stores[store];
        if spec.is_stamped() { without_stamp(&spec.name, stored) } else { Ok(stored) }
    }

    fn change(&mut self, store: StoreIndex, key: Arc<[u8]>, change: Change) {
        self.versions[store] += 1;
        self.uncommitted_bytes += entry_bytes(&key, &change);
        let replaced = self.overlays[store].insert(Arc::clone(&key), change);
        if let Some(replaced) = &replaced {
            self.uncommitted_bytes -= entry_bytes(&key, replaced);
        }
        self.undo.push(Undo { store, key, replaced });
    }

    /// Visits committed entries and changes as one ordered sequence, in which a change hides the committed entry of its key.
    fn scan_stored(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: Option<&[u8]>,
        changes: OverlayRange<'_>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError> {
        let mut changes = changes.peekable();
        let mut go_on = true;
        self.backend.scan(store, start, end, &mut |committed_key, committed| {
            while let Some((key, change)) = changes.next_if(|(key, _)| ***key < *committed_key) {
                if let Some(value) = change {
                    go_on = visit(key, value);
                }
                if !go_on {
                    return false;
                }
            }
            let same_key = changes.next_if(|(key, _)| ***key == *committed_key);
            match same_key {
                Some((_, Some(value))) => go_on = visit(committed_key, value),
                Some((_, None)) => {}
                None => go_on = visit(committed_key, committed),
            }
            go_on
        })?;
        while go_on {
            let Some((key, change)) = changes.next() else {
                break;
            };
            if let Some(value) = change {
                go_on = visit(key, value);
            }
        }
        Ok(())
    }

    /// The database was written past the overlay.
    fn forget_what_was_read(&mut self) {
        self.recent.clear();
        self.all_versions_change();
    }

    fn all_versions_change(&mut self) {
        for version in &mut self.versions {
            *version += 1;
        }
    }

    fn forget_uncommitted(&mut self) {
        for overlay in &mut self.overlays {
            overlay.clear();
        }
        self.uncommitted_bytes = 0;
        self.undo.clear();
        self.sweep.index_at_savepoint = 0;
        self.sweep.restart();
    }
}

/// Adds the index entry of a value written to a store with a time to live.
fn index_value(
    spec: &StoreSpec,
    store: StoreIndex,
    key: &[u8],
    stored: Option<&[u8]>,
    index: &mut Vec<IndexWrite>,
) -> Result<(), StateError> {
    let (Some(time_to_live_ms), Some(stored)) = (spec.time_to_live_ms, stored) else {
        return Ok(());
    };
    let (stamp_ms, _) = split_stamp(&spec.name, stored)?;
    index.push(IndexWrite { store, entry: index_entry(time_to_live_ms, stamp_ms, key), present: true });
    Ok(())
}

/// The first key behind all keys with this prefix; `None` when there is none.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.last_mut() {
        if *last < u8::MAX {
            *last += 1;
            return Some(end);
        }
        end.pop();
    }
    None
}
