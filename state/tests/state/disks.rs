//! The directories each property is checked over.

use concord_state::{MemoryDirectory, RocksDirectory, RocksOptions, StateDirectory, StoreSpec, TaskState};
use tempfile::TempDir;

/// A directory that lives as long as the test.
pub struct Disk {
    pub directory: Box<dyn StateDirectory>,
    _folder: Option<TempDir>,
}

pub fn memory() -> Disk {
    Disk { directory: Box::new(MemoryDirectory::new()), _folder: None }
}

pub fn rocks() -> Disk {
    let folder = TempDir::new().unwrap();
    Disk { directory: Box::new(RocksDirectory::open(folder.path(), small()).unwrap()), _folder: Some(folder) }
}

pub fn both() -> [Disk; 2] {
    [memory(), rocks()]
}

pub fn small() -> RocksOptions {
    RocksOptions { memory_budget_bytes: 16 << 20, ..RocksOptions::default() }
}

impl Disk {
    /// Opens task `compare/0`.
    pub fn open(&self, stores: &[StoreSpec]) -> TaskState {
        open(&*self.directory, stores)
    }
}

pub fn open(directory: &dyn StateDirectory, stores: &[StoreSpec]) -> TaskState {
    let backend = directory.open_task("compare", 0, stores).unwrap();
    TaskState::new(backend, stores.to_vec(), "fingerprint".to_owned()).unwrap()
}

/// All entries of an ordered store, as the task sees them.
pub fn entries(state: &TaskState, store: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    state
        .scan(store, b"", None, &mut |key, value| {
            entries.push((key.to_vec(), value.to_vec()));
            true
        })
        .unwrap();
    entries
}
