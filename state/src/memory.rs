//! State in memory: the disk of simulations, with the same rules as the real one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use crate::columns::{Columns, META_COLUMN, columns_of, index_column, meta_rows};
use crate::meta::{MetaRows, Row, changelog_row, rows, store_row};
use crate::reader::{SharedColumns, close, share};
use crate::spec::{check_name, check_stores};
use crate::{Backend, CommittedMeta, CommittedReader, StateDirectory, StateError, StoreIndex, StoreSpec, WriteSet};

/// A disk in memory. Clones share it. What was committed survives dropping the backend, as it survives a crash of a process.
#[derive(Clone, Default)]
pub struct MemoryDirectory {
    disk: Arc<Mutex<Disk>>,
}

type TaskName = (String, i32);
type ColumnMap = BTreeMap<String, BTreeMap<Vec<u8>, Bytes>>;

#[derive(Default)]
struct Disk {
    tasks: BTreeMap<TaskName, Arc<MemoryTask>>,
    open: BTreeSet<TaskName>,
}

/// The columns of one task.
struct MemoryTask {
    place: String,
    columns: RwLock<ColumnMap>,
}

impl MemoryDirectory {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateDirectory for MemoryDirectory {
    fn open_task(
        &self,
        sub_topology: &str,
        partition: i32,
        stores: &[StoreSpec],
    ) -> Result<Box<dyn Backend>, StateError> {
        check_name("sub-topology", sub_topology)?;
        check_stores(stores)?;
        let name = (sub_topology.to_owned(), partition);
        let mut disk = self.disk();
        if disk.open.contains(&name) {
            return Err(already_open(&name));
        }
        let place = format!("task {sub_topology}/{partition}");
        let task = disk
            .tasks
            .entry(name.clone())
            .or_insert_with(|| Arc::new(MemoryTask { place, columns: RwLock::default() }));
        for column in columns_of(stores) {
            task.write_columns().entry(column).or_default();
        }
        let task = Arc::clone(task);
        let added = MetaRows::new(&task.place, meta_rows(&*task)?)?.rows_to_add(stores)?;
        write_meta(&mut task.write_columns(), added);
        disk.open.insert(name.clone());
        Ok(Box::new(MemoryBackend {
            directory: self.clone(),
            name,
            readers: share(Arc::clone(&task) as Arc<dyn Columns>),
            index_columns: stores.iter().map(|s| index_column(&s.name)).collect(),
            stores: stores.to_vec(),
            task,
        }))
    }

    fn tasks(&self) -> Result<Vec<TaskName>, StateError> {
        Ok(self.disk().tasks.keys().cloned().collect())
    }

    fn delete_task(&self, sub_topology: &str, partition: i32) -> Result<(), StateError> {
        let name = (sub_topology.to_owned(), partition);
        let mut disk = self.disk();
        if disk.open.contains(&name) {
            return Err(already_open(&name));
        }
        disk.tasks.remove(&name);
        Ok(())
    }
}

/// One open task of a [`MemoryDirectory`].
struct MemoryBackend {
    directory: MemoryDirectory,
    name: TaskName,
    task: Arc<MemoryTask>,
    stores: Vec<StoreSpec>,
    index_columns: Vec<String>,
    readers: SharedColumns,
}

impl Backend for MemoryBackend {
    fn get(&self, store: StoreIndex, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        self.task.get(&self.stores[store].name, key)
    }

    fn scan(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError> {
        self.task.scan(&self.stores[store].name, start, end, visit)
    }

    fn scan_index(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: &[u8],
        visit: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), StateError> {
        let column = &self.index_columns[store];
        self.task.scan(column, start, Some(end), &mut |entry, _| visit(entry))
    }

    fn write(&mut self, batch: WriteSet<'_>) -> Result<(), StateError> {
        let mut columns = self.task.write_columns();
        for write in batch.values {
            let column = columns.entry(self.stores[write.store].name.clone()).or_default();
            match write.value {
                Some(value) => column.insert(write.key.to_vec(), Bytes::copy_from_slice(value)),
                None => column.remove(write.key),
            };
        }
        for write in batch.index {
            let column = columns.entry(self.index_columns[write.store].clone()).or_default();
            if write.present {
                column.insert(write.entry, Bytes::new());
            } else {
                column.remove(&write.entry);
            }
        }
        write_meta(&mut columns, rows(batch.meta, &self.stores));
        Ok(())
    }

    fn meta(&self) -> Result<Option<CommittedMeta>, StateError> {
        MetaRows::new(&self.task.place, meta_rows(&*self.task)?)?.for_stores(&self.stores)
    }

    fn clear_store(&mut self, store: StoreIndex) -> Result<(), StateError> {
        let mut columns = self.task.write_columns();
        for column in [&self.stores[store].name, &self.index_columns[store]] {
            if let Some(column) = columns.get_mut(column) {
                column.clear();
            }
        }
        write_meta(&mut columns, [store_row(&self.stores[store], None)]);
        Ok(())
    }

    fn changelog_id(&self, store: StoreIndex) -> Result<Option<String>, StateError> {
        let rows = MetaRows::new(&self.task.place, meta_rows(&*self.task)?)?;
        Ok(rows.changelog_id(&self.stores[store].name))
    }

    fn keep_changelog_id(&mut self, store: StoreIndex, id: &str) -> Result<(), StateError> {
        write_meta(&mut self.task.write_columns(), [changelog_row(&self.stores[store].name, id)]);
        Ok(())
    }

    /// Little, so that tests see values come and go.
    fn recent_bytes(&self) -> usize {
        4 << 10
    }

    fn flush(&mut self) -> Result<(), StateError> {
        Ok(())
    }

    fn reader(&self) -> CommittedReader {
        CommittedReader::new(Arc::clone(&self.readers))
    }
}

impl Drop for MemoryBackend {
    fn drop(&mut self) {
        close(&self.readers);
        self.directory.disk().open.remove(&self.name);
    }
}

impl MemoryTask {
    fn read_columns(&self) -> RwLockReadGuard<'_, ColumnMap> {
        self.columns.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_columns(&self) -> RwLockWriteGuard<'_, ColumnMap> {
        self.columns.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Columns for MemoryTask {
    fn place(&self) -> &str {
        &self.place
    }

    fn get(&self, column: &str, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        let columns = self.read_columns();
        Ok(columns.get(column).and_then(|c| c.get(key)).cloned())
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
        let columns = self.read_columns();
        let Some(column) = columns.get(column) else {
            return Ok(());
        };
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        for (key, value) in column.range::<[u8], _>((Bound::Included(start), end)) {
            if !visit(key, value) {
                break;
            }
        }
        Ok(())
    }
}

fn write_meta(columns: &mut ColumnMap, rows: impl IntoIterator<Item = Row>) {
    let meta = columns.entry(META_COLUMN.to_owned()).or_default();
    for (name, value) in rows {
        meta.insert(name, Bytes::from(value));
    }
}

fn already_open((sub_topology, partition): &TaskName) -> StateError {
    StateError::TaskAlreadyOpen { sub_topology: sub_topology.clone(), partition: *partition }
}
