//! The database of one task: a column family per store, one per expiry index, one for the meta.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, ErrorKind, FlushOptions, ReadOptions, WriteBatch};

use super::directory::OpenTask;
use crate::columns::{Columns, META_COLUMN, columns_of, index_column, meta_rows};
use crate::meta::{MetaRows, changelog_row, rows, store_row};
use crate::reader::{SharedColumns, close, share};
use crate::{
    Backend, CommittedMeta, CommittedReader, StateError, StoreIndex, StoreKind, StoreSpec, WriteSet, failpoint,
};

/// The open database of one task.
pub(super) struct RocksTask {
    columns: Arc<RocksColumns>,
    stores: Vec<StoreSpec>,
    index_columns: Vec<String>,
    readers: SharedColumns,
    /// Declared last, so that the task counts as open until its database is closed.
    claim: OpenTask,
}

/// A database and its columns by name.
pub(super) struct RocksColumns {
    database: DB,
    place: String,
    /// The folder's lock: while a database is open, nobody else gets it.
    _lock: Arc<File>,
}

impl RocksTask {
    pub(super) fn open(folder: &Path, stores: &[StoreSpec], claim: OpenTask) -> Result<Self, StateError> {
        let place = folder.display().to_string();
        let memory = &claim.folder.memory;
        let options = memory.database_options();
        // Columns of stores that this version of the topology does not have are opened too: RocksDB wants all of them, and
        // an older version may come back to them.
        let mut names = BTreeSet::from(["default".to_owned()]);
        names.extend(columns_of(stores));
        if folder.join("CURRENT").exists() {
            let existing =
                DB::list_cf(&options, folder).map_err(|error| database_error("list the columns of", &place, error))?;
            names.extend(existing);
        }
        let is_read_by_key =
            |name: &str| stores.iter().any(|store| store.name == name && store.kind == StoreKind::KeyValue);
        let descriptors = names.into_iter().map(|name| {
            let options = memory.column_options(is_read_by_key(&name));
            ColumnFamilyDescriptor::new(name, options)
        });
        let database = DB::open_cf_descriptors(&options, folder, descriptors)
            .map_err(|error| database_error("open", &place, error))?;
        let columns = Arc::new(RocksColumns::new(database, place, Arc::clone(&claim.folder.lock)));
        failpoint!(DatabaseOpened);
        let added = MetaRows::new(columns.place(), meta_rows(&*columns)?)?.rows_to_add(stores)?;
        let mut batch = WriteBatch::default();
        for (name, value) in added {
            batch.put_cf(columns.family(META_COLUMN)?, name, value);
        }
        columns.write(batch)?;
        failpoint!(DatabaseDescribed);
        Ok(Self {
            readers: share(Arc::clone(&columns) as Arc<dyn Columns>),
            columns,
            index_columns: stores.iter().map(|s| index_column(&s.name)).collect(),
            stores: stores.to_vec(),
            claim,
        })
    }
}

impl Backend for RocksTask {
    fn get(&self, store: StoreIndex, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        self.columns.get(&self.stores[store].name, key)
    }

    fn scan(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError> {
        let column = &self.stores[store].name;
        self.columns.scan(column, start, end, visit)
    }

    fn scan_index(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: &[u8],
        visit: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), StateError> {
        let column = &self.index_columns[store];
        self.columns.scan(column, start, Some(end), &mut |entry, _| visit(entry))
    }

    fn write(&mut self, set: WriteSet<'_>) -> Result<(), StateError> {
        let mut values = Vec::with_capacity(self.stores.len());
        for store in &self.stores {
            values.push(self.columns.family(&store.name)?);
        }
        // Grown step by step, a batch of some megabytes would be copied over and over.
        let mut batch = WriteBatch::with_capacity_bytes(set.bytes());
        for write in set.values {
            let family = values[write.store];
            match write.value {
                Some(value) => batch.put_cf(family, write.key, value),
                None => batch.delete_cf(family, write.key),
            }
        }
        for write in set.index {
            let family = self.columns.family(&self.index_columns[write.store])?;
            if write.present {
                batch.put_cf(family, write.entry, b"");
            } else {
                batch.delete_cf(family, write.entry);
            }
        }
        let meta = self.columns.family(META_COLUMN)?;
        for (name, value) in rows(set.meta, &self.stores) {
            batch.put_cf(meta, name, value);
        }
        self.columns.write(batch)
    }

    fn meta(&self) -> Result<Option<CommittedMeta>, StateError> {
        let stored = meta_rows(&*self.columns)?;
        MetaRows::new(self.columns.place(), stored)?.for_stores(&self.stores)
    }

    fn clear_store(&mut self, store: StoreIndex) -> Result<(), StateError> {
        let spec = &self.stores[store];
        let mut emptied = vec![spec.name.as_str()];
        if spec.is_stamped() {
            emptied.push(&self.index_columns[store]);
        }
        let mut batch = WriteBatch::default();
        for column in &emptied {
            self.columns.empty(column, &mut batch)?;
        }
        let (name, value) = store_row(spec, None);
        batch.put_cf(self.columns.family(META_COLUMN)?, name, value);
        self.columns.write(batch)?;
        for column in emptied {
            let family = self.columns.family(column)?;
            let database = &self.columns.database;
            database.compact_range_cf(family, None::<&[u8]>, None::<&[u8]>);
        }
        Ok(())
    }

    fn changelog_id(&self, store: StoreIndex) -> Result<Option<String>, StateError> {
        let rows = MetaRows::new(self.columns.place(), meta_rows(&*self.columns)?)?;
        Ok(rows.changelog_id(&self.stores[store].name))
    }

    fn keep_changelog_id(&mut self, store: StoreIndex, id: &str) -> Result<(), StateError> {
        let mut batch = WriteBatch::default();
        let (name, value) = changelog_row(&self.stores[store].name, id);
        batch.put_cf(self.columns.family(META_COLUMN)?, name, value);
        self.columns.write(batch)
    }

    fn recent_bytes(&self) -> usize {
        self.claim.folder.memory.recent_bytes() / self.claim.folder.count_open_tasks().max(1)
    }

    fn flush(&mut self) -> Result<(), StateError> {
        let mut families = Vec::new();
        for column in columns_of(&self.stores) {
            families.push(self.columns.family(&column)?);
        }
        let database = &self.columns.database;
        database.flush_cfs_opt(&families, &FlushOptions::default()).map_err(|error| self.columns.error("flush", error))
    }

    fn reader(&self) -> CommittedReader {
        CommittedReader::new(Arc::clone(&self.readers))
    }
}

impl Drop for RocksTask {
    fn drop(&mut self) {
        close(&self.readers);
    }
}

impl RocksColumns {
    pub(super) fn new(database: DB, place: String, lock: Arc<File>) -> Self {
        Self { database, place, _lock: lock }
    }

    fn family(&self, column: &str) -> Result<&ColumnFamily, StateError> {
        let family = self.database.cf_handle(column);
        family.ok_or_else(|| StateError::Corrupt {
            place: self.place.clone(),
            reason: format!("column {column} is missing"),
        })
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        #[cfg(feature = "planted-bugs")]
        if planted::writes_no_log() {
            return planted::write_without_log(self, batch);
        }
        let written = self.database.write(batch);
        written.map_err(|error| self.error("write to", error))
    }

    /// Adds to `batch` the deletion of everything in a column.
    fn empty(&self, column: &str, batch: &mut WriteBatch) -> Result<(), StateError> {
        let family = self.family(column)?;
        let mut entries = self.database.raw_iterator_cf(family);
        entries.seek_to_last();
        if let Some(last) = entries.key() {
            // The end of a range is not part of it.
            batch.delete_range_cf(family, &b""[..], last);
            batch.delete_cf(family, last);
        }
        entries.status().map_err(|error| self.error("read", error))
    }

    fn error(&self, action: &'static str, error: rocksdb::Error) -> StateError {
        database_error(action, &self.place, error)
    }
}

/// A bug of `scripts/planted.sh`; the others are in the engine.
#[cfg(feature = "planted-bugs")]
mod planted {
    use rocksdb::{WriteBatch, WriteOptions};

    use super::RocksColumns;
    use crate::StateError;
    use crate::columns::META_COLUMN;

    pub(super) fn writes_no_log() -> bool {
        std::env::var("CONCORD_PLANTED_BUG").is_ok_and(|bug| bug == "wal-off")
    }

    /// What is known of positions is on the disk, and what belongs to it is not.
    pub(super) fn write_without_log(columns: &RocksColumns, batch: WriteBatch) -> Result<(), StateError> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        let written = columns.database.write_opt(batch, &options);
        written.map_err(|error| columns.error("write to", error))?;
        let flushed = columns.database.flush_cf(columns.family(META_COLUMN)?);
        flushed.map_err(|error| columns.error("flush", error))
    }
}

impl Columns for RocksColumns {
    fn place(&self) -> &str {
        &self.place
    }

    fn get(&self, column: &str, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        let found = self.database.get_pinned_cf(self.family(column)?, key);
        let value = found.map_err(|error| self.error("read", error))?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn scan(
        &self,
        column: &str,
        start: &[u8],
        end: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError> {
        if end.is_some_and(|end| end <= start) {
            return Ok(());
        }
        let mut options = ReadOptions::default();
        if let Some(end) = end {
            options.set_iterate_upper_bound(end);
        }
        let mut entries = self.database.raw_iterator_cf_opt(self.family(column)?, options);
        entries.seek(start);
        while let Some((key, value)) = entries.item() {
            if !visit(key, value) {
                return Ok(());
            }
            entries.next();
        }
        entries.status().map_err(|error| self.error("read", error))
    }
}

pub(super) fn database_error(action: &'static str, place: &str, source: rocksdb::Error) -> StateError {
    if source.kind() == ErrorKind::Corruption {
        return StateError::Corrupt { place: place.to_owned(), reason: source.into_string() };
    }
    // RocksDB's kind for it is the one of every answer of the file system; the words are the system's.
    if source.kind() == ErrorKind::IOError && source.as_ref().contains("No space left on device") {
        return StateError::DiskFull { place: place.to_owned(), source: source.into() };
    }
    StateError::Database { action, place: place.to_owned(), source }
}
