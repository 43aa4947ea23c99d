//! Reading the folder of a stopped instance. The state describes itself, so no declarations of stores are needed.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rocksdb::{DB, Options};

use super::directory::{LOCK_FILE, file_error, locked, task_folder, tasks_in};
use super::task::{RocksColumns, database_error};
use crate::columns::{Columns, META_COLUMN, meta_rows};
use crate::meta::MetaRows;
use crate::reader::share;
use crate::spec::check_name;
use crate::{CommittedReader, StateError};

/// The folder of a stopped instance, opened by [`RocksDirectory::open_read_only`](crate::RocksDirectory::open_read_only).
/// While it or one of its readers is kept no instance can start on the folder.
pub struct ReadOnlyDirectory {
    folder: PathBuf,
    /// A shared lock, given back when the file is closed.
    lock: Arc<File>,
}

impl ReadOnlyDirectory {
    pub(super) fn open(folder: &Path) -> Result<Self, StateError> {
        let lock_path = folder.join(LOCK_FILE);
        let lock = match OpenOptions::new().read(true).open(&lock_path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StateError::NoState { folder: folder.to_path_buf() });
            }
            Err(error) => return Err(file_error("open", &lock_path)(error)),
        };
        locked(lock.try_lock_shared(), folder, &lock_path)?;
        Ok(Self { folder: folder.to_path_buf(), lock: Arc::new(lock) })
    }

    /// The tasks that have state here, in order.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn tasks(&self) -> Result<Vec<(String, i32)>, StateError> {
        tasks_in(&self.folder)
    }

    /// Reads the state of a task.
    ///
    /// # Errors
    /// [`StateError::TaskNotFound`], also when the process died while it made the database; [`StateError::NewerFormat`]; or
    /// when the database cannot be opened.
    pub fn open_task(&self, sub_topology: &str, partition: i32) -> Result<CommittedReader, StateError> {
        check_name("sub-topology", sub_topology)?;
        let folder = task_folder(&self.folder, sub_topology, partition);
        let not_found = || StateError::TaskNotFound { sub_topology: sub_topology.to_owned(), partition };
        if !folder.join("CURRENT").exists() {
            return Err(not_found());
        }
        let place = folder.display().to_string();
        let options = Options::default();
        let columns =
            DB::list_cf(&options, &folder).map_err(|error| database_error("list the columns of", &place, error))?;
        // Columns are made one by one, and without this one nothing was ever written.
        if !columns.iter().any(|column| column == META_COLUMN) {
            return Err(not_found());
        }
        let database = DB::open_cf_for_read_only(&options, &folder, columns, false)
            .map_err(|error| database_error("open", &place, error))?;
        let columns = RocksColumns::new(database, place, Arc::clone(&self.lock));
        MetaRows::new(columns.place(), meta_rows(&columns)?)?;
        Ok(CommittedReader::new(share(Arc::new(columns))))
    }
}
