# Sourced by the scripts that build: the cache, the packages of the machine, and the RocksDB that every profile links.
# shellcheck source=scripts/lib/cache.sh
. scripts/lib/cache.sh
# shellcheck source=scripts/lib/packages.sh
. scripts/lib/packages.sh
# shellcheck source=scripts/lib/rocksdb.sh
. scripts/lib/rocksdb.sh
