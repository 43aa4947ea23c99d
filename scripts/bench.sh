#!/usr/bin/env bash
# Benches that need a broker, or another program to be held against. Builds what they need, starts a Kafka of its own, and
# removes it afterwards, with all that was measured on it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh

usage() {
  cat <<'END_OF_USAGE'
usage: scripts/bench.sh SUBCOMMAND [OPTION]...

  compare   Concord beside a bare transactional pass-through and Kafka Streams            about an hour
  flow      list reconciliation beside a bare pass-through of the same bytes              2 minutes
  restore   full restore beside a bare read of the changelog; restart after kill -9       5 minutes
  memory    peak memory under full restore, a slow broker, and large records              3 minutes
  soak      does anything grow: rebalances, expiring state, a steady load                 30 minutes
  england   list reconciliation at growing sizes, and what the whole country needs        20 minutes, 20 GB of disk
  changes   from a change of PDS to the difference that a consumer sees                   2 minutes, and loading before
  night     6,500 small practices in one night, with broken and huge files among them     some minutes
  audit     the sequence audit: its rate, how soon a gap shows, its state, a question     8 minutes, 10 GB of disk
  documents patient documents: their rate, OCR beside Tesseract, accuracy, memory, cost   some minutes

  SUBCOMMAND --help   its options: sizes, and what it measures exactly
  --quick             small sizes: shows that all works, its figures mean little
  --json              the last line is one JSON object

Close other programs first. The folder of all data is made in TMPDIR, and removed at the end.
END_OF_USAGE
}

case ${1:-} in
compare | flow | restore | memory | soak | england | changes | night | audit | documents) SUBCOMMAND=$1 ;;
-h | --help)
  usage
  exit 0
  ;;
*)
  usage >&2
  exit 2
  ;;
esac
shift

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

# Builds the bench program and `concord`, and prints where the former is.
build_bench() {
  cargo build --quiet --release --bench bench --message-format=json |
    sed -n 's/.*"name":"bench".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
}

require_build_packages
use_cached_rocksdb
echo "building" >&2
PROGRAM=$(build_bench)
for argument in "$@"; do
  case $argument in
  -h | --help) exec "$PROGRAM" "$SUBCOMMAND" --help ;;
  esac
done
require_server_packages
[ "$SUBCOMMAND" != documents ] || require_document_packages
# Three times what is written to changelogs while latency is taken.
[ "$SUBCOMMAND" != audit ] || export KAFKA_CLEANER_BYTES=10485760
ARGUMENTS=()
if [ "$SUBCOMMAND" = compare ]; then
  CLASS_PATH=$(build_kafka_streams)
  ARGUMENTS+=(--kafka-streams "$CLASS_PATH")
fi

RUN=$(mktemp -d "${TMPDIR:-/tmp}/concord-bench.XXXXXX")
BENCH=
# The bench ends what it has started when it ends by itself; here it is ended from outside, and then its programs are, too.
finish() {
  if [ -n "$BENCH" ] && kill -0 "$BENCH" 2>/dev/null; then
    # shellcheck disable=SC2046
    kill -9 "$BENCH" $(cat "/proc/$BENCH/task/"*/children 2>/dev/null) 2>/dev/null || true
  fi
  scripts/parts stop-all --run "$RUN" || true
  rm -rf "$RUN"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# Only the memory bench uses the way that can be slow.
[ "$SUBCOMMAND" != memory ] || export KAFKA_PROXIED=yes
scripts/parts kafka start --run "$RUN" >/dev/null
set -a
# shellcheck source=/dev/null
. "$RUN/kafka.env"
set +a
# In the background, so that a signal to this script is not kept until the bench is done.
TMPDIR=$RUN "$PROGRAM" "$SUBCOMMAND" --broker "$RUN" "${ARGUMENTS[@]}" "$@" &
BENCH=$!
wait "$BENCH"
