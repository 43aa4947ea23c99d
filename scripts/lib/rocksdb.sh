# Sourced by the scripts after cache.sh: RocksDB is about 350 C++ files and takes over ten minutes on two cores.
# It is compiled once, from the crate that Cargo.lock names, into the cache; every profile then links that one library.
use_cached_rocksdb() {
  local version lib features
  version=$(awk '/^name = "librocksdb-sys"$/ {getline; gsub(/[" ]/, ""); sub(/version=/, ""); print}' Cargo.lock)
  if [ -z "$version" ]; then
    echo "Cargo.lock names no librocksdb-sys: run this from the project's root, with its Cargo.lock" >&2
    return 1
  fi
  features=$(rocksdb_cpu_features)
  lib=$CONCORD_CACHE/native/rocksdb-$version-$(uname -m)${features:+-crc}
  if [ ! -f "$lib/librocksdb.a" ]; then
    mkdir -p "$lib"
    # Two scripts may start at once: the second waits here and then finds the library.
    (flock 9 && { [ -f "$lib/librocksdb.a" ] || build_rocksdb "$version" "$lib" "$features"; }) 9>"$CONCORD_CACHE/native/lock" || return 1
  fi
  export ROCKSDB_LIB_DIR=$lib ROCKSDB_STATIC=1
}

# What RocksDB needs to compute the checksums of its log with the processor's own instructions; without them it uses a table, which took a tenth of
# the time of a write. Prints nothing where the processor does not have them (most since 2010 do).
rocksdb_cpu_features() {
  if grep -qsw sse4_2 /proc/cpuinfo && grep -qsw pclmulqdq /proc/cpuinfo; then
    echo '-C target-feature=+sse4.2,+pclmulqdq'
  fi
}

# build_rocksdb VERSION FOLDER FEATURES: leaves FOLDER/librocksdb.a, complete or not at all.
build_rocksdb() {
  local version=$1 lib=$2 features=$3 built
  echo "building RocksDB ($version) once, into $lib: over ten minutes on two cores" >&2
  # Without debug information the library has 45 MB instead of 1.5 GB, which every test binary would have to be linked with.
  env -u ROCKSDB_LIB_DIR -u ROCKSDB_STATIC CARGO_PROFILE_RELEASE_DEBUG=false RUSTFLAGS="${RUSTFLAGS:-} $features" \
    cargo build --release --quiet -p librocksdb-sys --target-dir "$CONCORD_CACHE/native/build" 9>&- >&2 || return 1
  built=$(find "$CONCORD_CACHE/native/build" -name librocksdb.a -printf '%T@ %p\n' | sort -rn | head -n 1 | cut -d' ' -f2-)
  cp "$built" "$lib/librocksdb.a.part" && strip --strip-debug "$lib/librocksdb.a.part" &&
    mv "$lib/librocksdb.a.part" "$lib/librocksdb.a" || return 1
  rm -rf "$CONCORD_CACHE/native/build"
}
