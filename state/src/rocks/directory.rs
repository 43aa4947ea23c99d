//! The state folder of a process: `<folder>/<sub-topology>/<partition>`, and a lock against a second process.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::read_only::ReadOnlyDirectory;
use super::task::RocksTask;
use super::tuning::{RocksOptions, SharedMemory};
use crate::spec::{check_name, check_stores};
use crate::{Backend, StateDirectory, StateError, StoreSpec};

pub(super) const LOCK_FILE: &str = "concord.lock";

/// State on disk. One per process; it holds the folder's lock until it and all its open tasks are dropped.
pub struct RocksDirectory {
    opened: Arc<OpenedFolder>,
}

/// What the tasks of an open folder share.
pub(super) struct OpenedFolder {
    folder: PathBuf,
    pub(super) memory: SharedMemory,
    open_tasks: Mutex<BTreeSet<(String, i32)>>,
    /// Held by this and by each open database; closing the file gives the lock back, also when the process is killed.
    pub(super) lock: Arc<File>,
}

impl RocksDirectory {
    /// Opens a state folder, creating it if it is missing.
    ///
    /// # Errors
    /// [`StateError::FolderInUse`] while another process has it; [`StateError::File`] when it cannot be created.
    pub fn open(folder: impl AsRef<Path>, options: RocksOptions) -> Result<Self, StateError> {
        let folder = folder.as_ref().to_path_buf();
        fs::create_dir_all(&folder).map_err(file_error("create", &folder))?;
        let lock_path = folder.join(LOCK_FILE);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&lock_path)
            .map_err(file_error("open", &lock_path))?;
        locked(lock.try_lock(), &folder, &lock_path)?;
        Ok(Self {
            opened: Arc::new(OpenedFolder {
                folder,
                memory: SharedMemory::new(&options),
                open_tasks: Mutex::default(),
                lock: Arc::new(lock),
            }),
        })
    }

    /// Opens the folder of a stopped instance for reading. Several may do so at a time.
    ///
    /// # Errors
    /// [`StateError::NoState`] when the folder was never used for state; [`StateError::FolderInUse`] while an instance runs.
    pub fn open_read_only(folder: impl AsRef<Path>) -> Result<ReadOnlyDirectory, StateError> {
        ReadOnlyDirectory::open(folder.as_ref())
    }

    /// Memory in use by cached blocks and memtables of all open tasks, in bytes.
    pub fn used_memory_bytes(&self) -> usize {
        self.opened.memory.used_bytes()
    }
}

impl StateDirectory for RocksDirectory {
    fn open_task(
        &self,
        sub_topology: &str,
        partition: i32,
        stores: &[StoreSpec],
    ) -> Result<Box<dyn Backend>, StateError> {
        check_name("sub-topology", sub_topology)?;
        check_stores(stores)?;
        let claim = OpenTask::claim(&self.opened, sub_topology, partition)?;
        let folder = task_folder(&self.opened.folder, sub_topology, partition);
        fs::create_dir_all(&folder).map_err(file_error("create", &folder))?;
        Ok(Box::new(RocksTask::open(&folder, stores, claim)?))
    }

    fn tasks(&self) -> Result<Vec<(String, i32)>, StateError> {
        tasks_in(&self.opened.folder)
    }

    fn delete_task(&self, sub_topology: &str, partition: i32) -> Result<(), StateError> {
        check_name("sub-topology", sub_topology)?;
        let _claim = OpenTask::claim(&self.opened, sub_topology, partition)?;
        let folder = task_folder(&self.opened.folder, sub_topology, partition);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(file_error("delete", &folder)(error)),
            _ => Ok(()),
        }
    }
}

/// The right to use one task's folder; dropping it gives it back.
pub(super) struct OpenTask {
    pub(super) folder: Arc<OpenedFolder>,
    name: (String, i32),
}

impl OpenTask {
    fn claim(folder: &Arc<OpenedFolder>, sub_topology: &str, partition: i32) -> Result<Self, StateError> {
        let name = (sub_topology.to_owned(), partition);
        if !folder.open_tasks().insert(name.clone()) {
            return Err(StateError::TaskAlreadyOpen { sub_topology: sub_topology.to_owned(), partition });
        }
        let folder = Arc::clone(folder);
        Ok(Self { folder, name })
    }
}

impl Drop for OpenTask {
    fn drop(&mut self) {
        self.folder.open_tasks().remove(&self.name);
    }
}

impl OpenedFolder {
    pub(super) fn count_open_tasks(&self) -> usize {
        self.open_tasks().len()
    }

    fn open_tasks(&self) -> MutexGuard<'_, BTreeSet<(String, i32)>> {
        self.open_tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder of one task's database.
pub(super) fn task_folder(folder: &Path, sub_topology: &str, partition: i32) -> PathBuf {
    folder.join(sub_topology).join(partition.to_string())
}

/// The tasks that have a folder, in order.
pub(super) fn tasks_in(folder: &Path) -> Result<Vec<(String, i32)>, StateError> {
    let mut tasks = Vec::new();
    for sub_topology in folders_in(folder)? {
        for partition in folders_in(&folder.join(&sub_topology))? {
            if let Ok(partition) = partition.parse() {
                tasks.push((sub_topology.clone(), partition));
            }
        }
    }
    tasks.sort_unstable();
    Ok(tasks)
}

fn folders_in(folder: &Path) -> Result<Vec<String>, StateError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(file_error("list", folder))? {
        let entry = entry.map_err(file_error("list", folder))?;
        let kind = entry.file_type().map_err(file_error("list", folder))?;
        if let (true, Ok(name)) = (kind.is_dir(), entry.file_name().into_string()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Tells a held lock from a lock that cannot be had at all.
pub(super) fn locked(answer: Result<(), TryLockError>, folder: &Path, lock_path: &Path) -> Result<(), StateError> {
    match answer {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StateError::FolderInUse { folder: folder.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(file_error("lock", lock_path)(source)),
    }
}

pub(super) fn file_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StateError {
    let path = path.to_path_buf();
    move |source| match source.kind() {
        ErrorKind::StorageFull => StateError::DiskFull { place: path.display().to_string(), source: source.into() },
        _ => StateError::File { action, path, source },
    }
}
