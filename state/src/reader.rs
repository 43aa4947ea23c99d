//! Reading a task's committed data from another thread, or from a stopped instance's folder.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

use crate::columns::{Columns, meta_rows};
use crate::expiry::{split_stamp, without_stamp};
use crate::meta::{MetaRows, Row};
use crate::{CommittedMeta, StateError};

/// Reads the committed data of one task: never a value of a transaction that is still open. Cheap to clone.
///
/// A reader of a running task answers [`StateError::Closed`] once the task is closed. Closing waits for reads that are under
/// way, so a `visit` must neither wait for the task nor read in turn.
#[derive(Clone)]
pub struct CommittedReader {
    columns: SharedColumns,
}

/// The columns of an open task, taken away when it is closed.
pub(crate) type SharedColumns = Arc<RwLock<Option<Arc<dyn Columns>>>>;

/// Makes the columns of a task readable until [`close`].
pub(crate) fn share(columns: Arc<dyn Columns>) -> SharedColumns {
    Arc::new(RwLock::new(Some(columns)))
}

/// Takes the columns away from all readers, after waiting for reads that are under way.
pub(crate) fn close(columns: &SharedColumns) {
    let mut columns = columns.write().unwrap_or_else(PoisonError::into_inner);
    *columns = None;
}

impl CommittedReader {
    pub(crate) fn new(columns: SharedColumns) -> Self {
        Self { columns }
    }

    /// The names of the stores that have been written, in order.
    ///
    /// # Errors
    /// [`StateError::Closed`]; or when the database fails.
    pub fn stores(&self) -> Result<Vec<String>, StateError> {
        self.with_columns(|columns| Ok(MetaRows::new(columns.place(), meta_rows(columns)?)?.store_names()))
    }

    /// The committed value of a key.
    ///
    /// # Errors
    /// [`StateError::UnknownStore`], [`StateError::Closed`]; or when the database fails.
    pub fn get(&self, store: &str, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        self.with_columns(|columns| {
            let stamped = is_stamped(columns, store)?;
            match columns.get(store, key)? {
                Some(stored) if stamped => Ok(Some(without_stamp(store, stored)?)),
                value => Ok(value),
            }
        })
    }

    /// Visits committed entries with `start <= key < end` (`None` = to the last) in byte order of the keys until `visit`
    /// returns `false`. Works for every kind of store.
    ///
    /// # Errors
    /// [`StateError::UnknownStore`], [`StateError::Closed`]; or when the database fails.
    pub fn scan(
        &self,
        store: &str,
        start: &[u8],
        end: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError> {
        self.with_columns(|columns| {
            let stamped = is_stamped(columns, store)?;
            let mut failure = None;
            columns.scan(store, start, end, &mut |key, stored| {
                if !stamped {
                    return visit(key, stored);
                }
                match split_stamp(store, stored) {
                    Ok((_, value)) => visit(key, value),
                    Err(error) => {
                        failure = Some(error);
                        false
                    }
                }
            })?;
            failure.map_or(Ok(()), Err)
        })
    }

    /// What the task said of itself at its last commit, `None` before the first. Changelog positions are in the order of
    /// [`stores`](Self::stores).
    ///
    /// # Errors
    /// [`StateError::Closed`]; or when the database fails.
    pub fn meta(&self) -> Result<Option<CommittedMeta>, StateError> {
        self.with_columns(|columns| {
            let rows = MetaRows::new(columns.place(), meta_rows(columns)?)?;
            let Some(mut meta) = rows.for_stores(&[])? else {
                return Ok(None);
            };
            for name in rows.store_names() {
                let position = rows.store(&name)?.and_then(|(_, position)| position);
                meta.changelog_positions.push(position);
            }
            Ok(Some(meta))
        })
    }

    fn with_columns<T>(&self, read: impl FnOnce(&dyn Columns) -> Result<T, StateError>) -> Result<T, StateError> {
        let columns = self.columns.read().unwrap_or_else(PoisonError::into_inner);
        match columns.as_deref() {
            Some(columns) => read(columns),
            None => Err(StateError::Closed),
        }
    }
}

/// Whether the values of a store carry a time stamp. The state itself says so: a reader has no declarations.
fn is_stamped(columns: &dyn Columns, store: &str) -> Result<bool, StateError> {
    let stored: Vec<Row> = meta_rows(columns)?;
    let rows = MetaRows::new(columns.place(), stored)?;
    match rows.store(store)? {
        Some((stamped, _)) => Ok(stamped),
        None => Err(StateError::UnknownStore { store: store.to_owned(), known: rows.store_names().join(", ") }),
    }
}
