#!/usr/bin/env bash
# Builds Concord and runs its demonstration, which needs no server: `scripts/demo.sh --help` shows what can be chosen.
set -euo pipefail
CALLED_FROM=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh

require_build_packages
use_cached_rocksdb
cargo build --release -p concord
PROGRAM=$(realpath "$CARGO_TARGET_DIR/release/concord")
# File names among the arguments are meant from where the caller stands.
cd "$CALLED_FROM"
exec "$PROGRAM" demo "$@"
