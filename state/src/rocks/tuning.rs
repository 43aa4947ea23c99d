//! How RocksDB is set: one memory budget for all databases, small background work, compression by level.

use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DataBlockIndexType, Env, Options, WriteBufferManager};

/// What a state folder may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RocksOptions {
    /// Memory for cached blocks and memtables of all tasks together, in bytes.
    pub memory_budget_bytes: usize,
    /// Threads for flushes and compactions of one task's database.
    pub background_jobs: i32,
}

impl Default for RocksOptions {
    fn default() -> Self {
        Self { memory_budget_bytes: 256 << 20, background_jobs: 2 }
    }
}

/// Memtables get a third of the budget: more buys little, since uncommitted writes already wait in the overlay.
const MEMTABLE_SHARE: usize = 3;
/// An eighth of the budget is for committed values kept beside the databases, shared out among the open tasks.
const RECENT_SHARE: usize = 8;
/// Share of a memtable for a filter of its keys: reads of keys that are in files pass by the memtable. It is ten bits for each of as
/// many entries of a hundred bytes as a memtable takes, and is there from the beginning, also where nothing is ever written.
const MEMTABLE_FILTER: f64 = 0.0125;
/// By so much a memtable grows. There is one for each column of each task, and most stay small: with RocksDB's mebibyte for each,
/// a few dozen would take all of the budget, and every commit would flush some.
const MEMTABLE_STEP_BYTES: usize = 64 << 10;
/// Filled share of the hash index within a block; RocksDB's advice.
const BLOCK_HASH_RATIO: f64 = 0.75;
const SMALLEST_MEMTABLE_BYTES: usize = 1 << 20;
const LARGEST_MEMTABLE_BYTES: usize = 64 << 20;
/// What a restart replays at most. A column that is seldom written must not keep old logs alive.
const LARGEST_WAL_BYTES: u64 = 128 << 20;
/// Records of several hundred bytes: a block holds some dozens of them. A read of one record cost a tenth less than with 16 KiB.
const BLOCK_BYTES: usize = 8 << 10;
/// Keys between two from which a block is read on: a read of one record walks over half as many.
const RESTART_INTERVAL: i32 = 4;
const BLOOM_BITS_PER_KEY: f64 = 10.0;
/// By level, from what is written from memtables on; the last that is in use has a compression of its own. Files of the first are soon merged into
/// the next: compressing them took half of the time of writing a memtable.
const COMPRESSION: [DBCompressionType; 2] = [DBCompressionType::None, DBCompressionType::Lz4];
/// The last level has nearly all data of a state, and a small one is written anew with each compaction: the fastest level of Zstandard.
const ZSTD_LEVEL: i32 = 1;
/// RocksDB's own, which Zstandard does not look at.
const WINDOW_BITS: i32 = -14;
const ZSTD_STRATEGY: i32 = 0;
/// Files that were written from memtables before they are merged into the next level. Twice RocksDB's number: most stores are so small that
/// each such merge writes all of the store anew.
const LEVEL_0_FILES: i32 = 8;

/// Compaction can wait for some seconds, and what is processed cannot: its threads, which all databases of the process share, get the processors that
/// others leave. A database that gets too far behind slows its writers down by itself. Writing memtables is not put back.
fn compact_behind_everything_else() {
    // What cannot be had is only missed: all priorities are equal then.
    if let Ok(mut shared) = Env::new() {
        shared.lower_thread_pool_cpu_priority();
    }
}

/// What all databases of a process share.
pub(crate) struct SharedMemory {
    cache: Cache,
    memtables: WriteBufferManager,
    memtable_bytes: usize,
    recent_bytes: usize,
    background_jobs: i32,
}

impl SharedMemory {
    pub(crate) fn new(options: &RocksOptions) -> Self {
        compact_behind_everything_else();
        let recent_budget = options.memory_budget_bytes / RECENT_SHARE;
        let shared = options.memory_budget_bytes - recent_budget;
        let cache = Cache::new_hyper_clock_cache(shared, 0);
        let memtable_budget = shared / MEMTABLE_SHARE;
        // Memtables are charged to the cache, so both together stay within the budget. Writers are never stalled for it: the
        // manager flushes early instead.
        let memtables = WriteBufferManager::new_write_buffer_manager_with_cache(memtable_budget, false, cache.clone());
        Self {
            cache,
            memtables,
            memtable_bytes: (memtable_budget / 4).clamp(SMALLEST_MEMTABLE_BYTES, LARGEST_MEMTABLE_BYTES),
            recent_bytes: recent_budget,
            background_jobs: options.background_jobs,
        }
    }

    /// What all tasks together may keep beside their databases, in bytes.
    pub(crate) fn recent_bytes(&self) -> usize {
        self.recent_bytes
    }

    /// Memory in use by cached blocks and memtables, in bytes.
    pub(crate) fn used_bytes(&self) -> usize {
        self.cache.get_usage()
    }

    /// Options of one task's database.
    pub(crate) fn database_options(&self) -> Options {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_max_background_jobs(self.background_jobs);
        options.set_write_buffer_manager(&self.memtables);
        options.set_max_total_wal_size(LARGEST_WAL_BYTES);
        options.set_bytes_per_sync(1 << 20);
        options.set_wal_bytes_per_sync(1 << 20);
        options.set_keep_log_file_num(2);
        options.set_max_log_file_size(4 << 20);
        // The counters of each database would be written to its log every ten minutes; nobody reads them there.
        options.set_stats_dump_period_sec(0);
        options.set_stats_persist_period_sec(0);
        options
    }

    /// Options of a column. One that is read by key has a filter in front of its memtable.
    pub(crate) fn column_options(&self, is_read_by_key: bool) -> Options {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(&self.cache);
        blocks.set_block_size(BLOCK_BYTES);
        blocks.set_block_restart_interval(RESTART_INTERVAL);
        blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
        blocks.set_optimize_filters_for_memory(true);
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
        blocks.set_format_version(6);
        blocks.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
        blocks.set_data_block_hash_ratio(BLOCK_HASH_RATIO);

        let mut options = Options::default();
        options.set_block_based_table_factory(&blocks);
        options.set_write_buffer_size(self.memtable_bytes);
        options.set_arena_block_size(MEMTABLE_STEP_BYTES);
        if is_read_by_key {
            options.set_memtable_whole_key_filtering(true);
            options.set_memtable_prefix_bloom_ratio(MEMTABLE_FILTER);
        }
        options.set_compression_per_level(&COMPRESSION);
        options.set_bottommost_compression_type(DBCompressionType::Zstd);
        options.set_bottommost_compression_options(WINDOW_BITS, ZSTD_LEVEL, ZSTD_STRATEGY, 0, true);
        options.set_level_zero_file_num_compaction_trigger(LEVEL_0_FILES);
        options.set_level_compaction_dynamic_level_bytes(true);
        if !is_read_by_key {
            // Timers and expiry indexes are queues: read from the front, deleted there. Files full of deletions are compacted
            // early, else each read from the front would walk over everything ever deleted.
            options.add_compact_on_deletion_collector_factory(1024, 512, 0.5);
        }
        options
    }
}
