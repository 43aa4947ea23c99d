//! The sweep: what has outlived its time to live leaves the store.

use std::sync::Arc;

use super::TaskState;
use crate::expiry::{index_end, index_entry, indexed_key, is_expired, split_stamp};
use crate::{IndexWrite, StateError, StoreIndex};

/// How far the sweep for expired entries came since the last commit.
pub(super) struct Sweep {
    /// For each store the index entry to look at next.
    next: Vec<Vec<u8>>,
    /// What the next commit does to the expiry indexes.
    pub(super) index: Vec<IndexWrite>,
    /// Length of `index` at the savepoint.
    pub(super) index_at_savepoint: usize,
}

impl Sweep {
    pub(super) fn new(stores: usize) -> Self {
        Self { next: vec![Vec::new(); stores], index: Vec::new(), index_at_savepoint: 0 }
    }

    /// Looks at the indexes from their beginning again, since what the sweep has done may have been undone.
    pub(super) fn restart(&mut self) {
        for next in &mut self.next {
            next.clear();
        }
    }
}

impl TaskState {
    /// Deletes entries whose time to live has passed, as uncommitted tombstones, and returns how many. At most `limit` index
    /// entries are looked at; the next call goes on from there. An entry leaves late by at most a 64th of its time to live,
    /// or an hour if that is less.
    ///
    /// # Errors
    /// When the database fails.
    pub fn expire(&mut self, now_ms: i64, limit: usize) -> Result<usize, StateError> {
        self.check_usable()?;
        let mut deleted = 0;
        let mut remaining = limit;
        for store in 0..self.stores.len() {
            let Some(time_to_live_ms) = self.stores[store].time_to_live_ms else {
                continue;
            };
            let due = self.due_index_entries(store, time_to_live_ms, now_ms, remaining)?;
            remaining -= due.len();
            for entry in due {
                deleted += self.expire_entry(store, time_to_live_ms, now_ms, entry)?;
            }
        }
        Ok(deleted)
    }

    fn due_index_entries(
        &self,
        store: StoreIndex,
        time_to_live_ms: i64,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StateError> {
        let mut due = Vec::new();
        if limit == 0 {
            return Ok(due);
        }
        let end = index_end(time_to_live_ms, now_ms);
        let next = &self.sweep.next[store];
        self.backend.scan_index(store, next, &end, &mut |entry| {
            due.push(entry.to_vec());
            due.len() < limit
        })?;
        Ok(due)
    }

    /// Follows one index entry to its value and returns how many entries of the store were deleted, 0 or 1.
    fn expire_entry(
        &mut self,
        store: StoreIndex,
        time_to_live_ms: i64,
        now_ms: i64,
        entry: Vec<u8>,
    ) -> Result<usize, StateError> {
        let name = &self.stores[store].name;
        let key: Arc<[u8]> = Arc::from(indexed_key(name, &entry)?);
        let stamp_ms = match self.get_stored(store, &key)? {
            Some(stored) => Some(split_stamp(name, &stored)?.0),
            None => None,
        };
        let mut deleted = 0;
        match stamp_ms {
            Some(stamp_ms) if is_expired(time_to_live_ms, stamp_ms, now_ms) => {
                self.change(store, Arc::clone(&key), None);
                deleted = 1;
            }
            // The key was put again since: the index follows its stamp.
            Some(stamp_ms) => self.sweep.index.push(IndexWrite {
                store,
                entry: index_entry(time_to_live_ms, stamp_ms, &key),
                present: true,
            }),
            None => {}
        }
        // The successor of an entry in byte order is the entry with a zero byte behind it.
        let mut next = entry.clone();
        next.push(0);
        self.sweep.next[store] = next;
        self.sweep.index.push(IndexWrite { store, entry, present: false });
        Ok(deleted)
    }
}
