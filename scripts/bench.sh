#!/usr/bin/env bash
# Benches that need a broker, or another program to be held against. Builds what they need, starts a Kafka of its own, and
# removes it afterwards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh

usage() {
  cat <<'END_OF_USAGE'
usage: scripts/bench.sh compare [OPTION]...

  compare   Concord (S) beside a bare transactional pass-through (P) and Kafka Streams (K): the same input, broker and
            machine, in turns. Fails when an arm writes anything else than what the generator expects.

  --repeats N         runs of each arm (default 3); the report has the median, the least and the greatest
  --json              the last line is {"W0":{...},"W1":{...},"W2":{...}}
  --quick             small inputs and one repeat: shows that all works, its figures mean little
  --threads N         threads of each arm (default 2)
  --cases A,B         of W0, W1, W1-zipf, W2, W2-narrow (default all)
  --arms PSK          some of the arms only
  --only-throughput   without the runs at half load

A whole run takes about an hour. Close other programs first: the report says how busy they kept the machine.
END_OF_USAGE
}

case ${1:-} in
compare) shift ;;
-h | --help)
  usage
  exit 0
  ;;
*)
  usage >&2
  exit 2
  ;;
esac
ARGUMENTS=()
for argument in "$@"; do
  case $argument in
  -h | --help)
    usage
    exit 0
    ;;
  --quick) ARGUMENTS+=(--quick --repeats 1) ;;
  *) ARGUMENTS+=("$argument") ;;
  esac
done

# The Kafka Streams arm, built again when its sources have changed. Prints its class path.
build_kafka_streams() {
  local sources=tests/bench/kafka_streams sum folder
  sum=$(find "$sources" tests/bench/avro -type f -print0 | sort -z | xargs -0 cat | sha256sum | cut -c1-16)
  folder=$CONCORD_CACHE/kafka-streams-$sum
  if [ ! -d "$folder" ]; then
    rm -rf "$folder.part"
    mvn -q -B -Dstyle.color=never -f "$sources/pom.xml" package "-DbuildFolder=$folder.part" >&2 || return 1
    mv "$folder.part" "$folder"
  fi
  echo "$folder/classes:$folder/lib/*"
}

# Builds the bench program and prints where it is.
build_bench() {
  cargo build --quiet --release --bench compare --message-format=json |
    sed -n 's/.*"name":"compare".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
}

require_build_packages
require_server_packages
use_cached_rocksdb
echo "building" >&2
CLASS_PATH=$(build_kafka_streams)
PROGRAM=$(build_bench)

RUN=$(mktemp -d "${TMPDIR:-/tmp}/concord-bench.XXXXXX")
finish() {
  scripts/parts stop-all --run "$RUN" || true
  rm -rf "$RUN"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
scripts/parts kafka start --run "$RUN" >/dev/null
set -a
# shellcheck source=/dev/null
. "$RUN/kafka.env"
set +a
TMPDIR=$RUN "$PROGRAM" --broker "$RUN" --kafka-streams "$CLASS_PATH" "${ARGUMENTS[@]}"
