package concord.bench;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.WriteBufferManager;

/**
 * One memory budget for all stores, shared out as Concord shares out its own: a third for what is not yet written to files,
 * charged to the cache. Filters over whole keys, since all reads are of one key.
 */
public final class RocksSettings implements RocksDBConfigSetter {
    /** Name of the system property, and of the setting, of the budget in MiB. */
    static final String BUDGET_MIB = "store-memory-mib";

    private static Cache cache;
    private static WriteBufferManager writeBuffers;
    private static final BloomFilter FILTER = new BloomFilter(10, false);

    private static synchronized void shareOut() {
        if (cache == null) {
            long budget = Long.getLong(BUDGET_MIB) << 20;
            cache = new LRUCache(budget);
            writeBuffers = new WriteBufferManager(budget / 3, cache);
        }
    }

    @Override
    public void setConfig(String store, Options options, Map<String, Object> configs) {
        shareOut();
        BlockBasedTableConfig tables = (BlockBasedTableConfig) options.tableFormatConfig();
        tables.setBlockCache(cache);
        tables.setFilterPolicy(FILTER);
        tables.setBlockSize(8 << 10);
        options.setTableFormatConfig(tables);
        options.setWriteBufferManager(writeBuffers);
        options.setWriteBufferSize(16 << 20);
        options.setMaxWriteBufferNumber(3);
        options.setIncreaseParallelism(2);
    }

    @Override
    public void close(String store, Options options) {
        // All is shared, and lives as long as the process.
    }
}
