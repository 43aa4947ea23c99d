//! Everything that can go wrong with stored state. No message contains a key or a value.

use std::path::PathBuf;

/// An operation on stored state failed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has the folder.
    #[error(
        "the state folder {folder} is in use by another process: stop that process, or set another state folder for this one"
    )]
    FolderInUse {
        /// The folder whose lock is held.
        folder: PathBuf,
    },
    /// The folder does not exist or was never used for state.
    #[error("{folder} holds no state: check the path, it must be the state folder of an instance that has run")]
    NoState {
        /// The folder that was asked for.
        folder: PathBuf,
    },
    /// This process has the task open already.
    #[error(
        "task {sub_topology}/{partition} is open already in this process: close it before it is opened again or deleted"
    )]
    TaskAlreadyOpen {
        /// Sub-topology of the task.
        sub_topology: String,
        /// Partition of the task.
        partition: i32,
    },
    /// No state of that task is here.
    #[error("no state of task {sub_topology}/{partition} is in this folder")]
    TaskNotFound {
        /// Sub-topology of the task.
        sub_topology: String,
        /// Partition of the task.
        partition: i32,
    },
    /// A later version of the program wrote the state.
    #[error(
        "the state of {place} has format {found}, this program reads formats up to {supported}: run the newer program, \
         or delete the state of this task to have it rebuilt from its changelogs"
    )]
    NewerFormat {
        /// The task's folder or name.
        place: String,
        /// Format of the stored state.
        found: u32,
        /// Newest format this program knows.
        supported: u32,
    },
    /// A store gained or lost its time to live, which changes the form of its values and of its changelog.
    #[error(
        "store {store} in {place} was written {written}, now it is declared {declared}: give the store a new name, or declare it as before"
    )]
    StoreLayoutChanged {
        /// The task's folder or name.
        place: String,
        /// Name of the store.
        store: String,
        /// The form of the stored values.
        written: &'static str,
        /// The form the declaration asks for.
        declared: &'static str,
    },
    /// A name cannot be used.
    #[error("{what} name {name:?} cannot be used: {reason}")]
    InvalidName {
        /// What the name is for.
        what: &'static str,
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A time to live must be positive.
    #[error("store {store}: its time to live must be at least one millisecond")]
    InvalidTimeToLive {
        /// Name of the store.
        store: String,
    },
    /// Range and prefix reads need an ordered store.
    #[error("store {store} is read by key only: declare it ordered to scan it")]
    NotOrdered {
        /// Name of the store.
        store: String,
    },
    /// The task has no such store.
    #[error("there is no store {store}: the task has {known}")]
    UnknownStore {
        /// The name or number that was asked for.
        store: String,
        /// The names there are.
        known: String,
    },
    /// Stored bytes are not what this program writes.
    #[error(
        "the state of {place} is damaged ({reason}): delete the state of this task, it is rebuilt from its changelogs"
    )]
    Corrupt {
        /// The task's folder or the store.
        place: String,
        /// What was found.
        reason: String,
    },
    /// A file operation failed.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Nothing more can be written.
    #[error(
        "the disk of the state of {place} is full: make room and start again. Nothing is lost: what was committed is in the \
         changelogs ({source})"
    )]
    DiskFull {
        /// The task's folder, or a file of it.
        place: String,
        /// The answer of RocksDB or of the system.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// RocksDB answered with an error.
    #[error("cannot {action} the state of {place}: {source}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// The task's folder.
        place: String,
        /// RocksDB's answer.
        source: rocksdb::Error,
    },
    /// An earlier write failed, so what is in memory and what is stored may differ.
    #[error("an earlier write to the state of this task failed: close the task and open it again")]
    Poisoned,
    /// Restoring and processing must not be mixed.
    #[error("restored entries arrived while the task has uncommitted writes: commit or roll back first")]
    UncommittedWrites,
    /// The task was closed while a reader of it was kept.
    #[error("the task was closed or moved to another instance: ask for its present owner")]
    Closed,
}

impl StateError {
    /// Whether deleting the task's folder and restoring it from the changelogs is the remedy.
    pub fn is_corruption(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }
}
