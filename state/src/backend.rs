//! The committed side of a task: what a database under it must do.

use bytes::Bytes;

use crate::{CommittedMeta, CommittedReader, StateError, StoreIndex, StoreSpec};

/// One value to store, or a deletion.
#[derive(Debug, Clone, Copy)]
pub struct ValueWrite<'a> {
    /// Which store.
    pub store: StoreIndex,
    /// Its key.
    pub key: &'a [u8],
    /// The value as stored (with its time stamp in a store with a time to live), `None` to delete.
    pub value: Option<&'a [u8]>,
}

/// One entry of a store's expiry index to add or remove.
#[derive(Debug, Clone)]
pub struct IndexWrite {
    /// Which store.
    pub store: StoreIndex,
    /// Time bucket and key.
    pub entry: Vec<u8>,
    /// `true` adds the entry, `false` removes it.
    pub present: bool,
}

/// What one commit writes: all of it or nothing. Later entries override earlier ones.
#[derive(Debug)]
pub struct WriteSet<'a> {
    /// Values of all stores.
    pub values: Vec<ValueWrite<'a>>,
    /// Entries of the expiry indexes.
    pub index: Vec<IndexWrite>,
    /// What the task says of itself after this batch.
    pub meta: &'a CommittedMeta,
}

impl WriteSet<'_> {
    /// About how many bytes the batch takes: keys, values and what a database writes beside each.
    pub fn bytes(&self) -> usize {
        const BESIDE: usize = 16;
        let values = self.values.iter().map(|v| v.key.len() + v.value.map_or(0, <[u8]>::len) + BESIDE).sum::<usize>();
        values + self.index.iter().map(|i| i.entry.len() + BESIDE).sum::<usize>()
    }
}

/// The committed data of one task. Dropping it closes it.
pub trait Backend: Send {
    /// The stored value of a key.
    fn get(&self, store: StoreIndex, key: &[u8]) -> Result<Option<Bytes>, StateError>;

    /// Visits entries with `start <= key < end` (`None` = to the last) in byte order of the keys until `visit` returns `false`.
    fn scan(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError>;

    /// Visits entries of a store's expiry index with `start <= entry < end` in order until `visit` returns `false`.
    fn scan_index(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: &[u8],
        visit: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), StateError>;

    /// Stores one batch: after a crash all of it is there, or none.
    fn write(&mut self, batch: WriteSet<'_>) -> Result<(), StateError>;

    /// What the task says of itself; `None` before the first write.
    fn meta(&self) -> Result<Option<CommittedMeta>, StateError>;

    /// Empties one store and forgets its changelog position, in one batch. For a changelog that no longer reaches back to us.
    fn clear_store(&mut self, store: StoreIndex) -> Result<(), StateError>;

    /// The identity of the changelog that a store is a copy of; `None` when it was never kept.
    fn changelog_id(&self, store: StoreIndex) -> Result<Option<String>, StateError>;

    /// Keeps that identity, until another one is kept. It outlasts [`clear_store`](Self::clear_store).
    fn keep_changelog_id(&mut self, store: StoreIndex, id: &str) -> Result<(), StateError>;

    /// Memory for committed values that are kept beside the database, in bytes; 0 where reading it costs nothing.
    fn recent_bytes(&self) -> usize {
        0
    }

    /// Makes everything written so far survive a power loss. Costly: for a clean stop or once a minute, never for each commit.
    fn flush(&mut self) -> Result<(), StateError>;

    /// A handle for other threads to read the committed data.
    fn reader(&self) -> CommittedReader;
}

/// Opens the databases of tasks; one per process.
pub trait StateDirectory: Send + Sync {
    /// Opens the state of a task, creating what is missing.
    ///
    /// # Errors
    /// [`StateError::TaskAlreadyOpen`] until the previous backend of the task was dropped; [`StateError::NewerFormat`] and
    /// [`StateError::StoreLayoutChanged`] for state this program must not touch; [`StateError::Corrupt`] for damaged state.
    fn open_task(
        &self,
        sub_topology: &str,
        partition: i32,
        stores: &[StoreSpec],
    ) -> Result<Box<dyn Backend>, StateError>;

    /// The tasks that have state here, open or not, in order.
    fn tasks(&self) -> Result<Vec<(String, i32)>, StateError>;

    /// Deletes the state of a task that is not open. Deleting what is not there is fine.
    fn delete_task(&self, sub_topology: &str, partition: i32) -> Result<(), StateError>;
}
