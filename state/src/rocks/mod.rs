//! State on disk: one RocksDB per task under one folder, all sharing one block cache and one memtable budget.

mod directory;
mod read_only;
mod task;
mod tuning;

pub use directory::RocksDirectory;
pub use read_only::ReadOnlyDirectory;
pub use tuning::RocksOptions;
