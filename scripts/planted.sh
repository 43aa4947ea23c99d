#!/usr/bin/env bash
# Tests the tests: plants each bug of topology/engine/src/planted.rs in turn and runs the layers, cheap ones first, until one
# notices it. Fails when a bug is noticed by none, or when a layer complains with nothing planted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh

usage() {
  cat <<'END'
usage: scripts/planted.sh [--seeds N] [--quick] [--json] [BUG...]

  --seeds N  seeds of the flow's simulation for each bug that the engine's tests do not notice (500)
  --quick    without a real Kafka; a bug that only shows there counts as not noticed
  --json     the last line is {"planted","planted_caught"}
  BUG...     only these; all, if none is named
END
}

SEEDS=500
QUICK=no
JSON=no
WANTED=()
while [ $# -gt 0 ]; do
  case $1 in
  --seeds) SEEDS=${2:?--seeds wants a number} && shift ;;
  --quick) QUICK=yes ;;
  --json) JSON=yes ;;
  -h | --help) usage && exit 0 ;;
  -*) usage >&2 && exit 2 ;;
  *) WANTED+=("$1") ;;
  esac
  shift
done

FEATURE=(--features concord-engine/planted-bugs)
LOGS=$(mktemp -d "${TMPDIR:-/tmp}/concord-planted.XXXXXX")
RUN=
BUILT=$LOGS/built

finish() {
  local status=$?
  trap - EXIT
  [ -z "$RUN" ] || scripts/parts stop-all --run "$RUN" || true
  [ -z "$RUN" ] || rm -rf "$RUN"
  if [ "$status" -eq 0 ]; then
    rm -rf "$LOGS"
  else
    echo "what the tests said is in $LOGS" >&2
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
unset KAFKA_BOOTSTRAP CONCORD_PLANTED_BUG CONCORD_INVARIANTS

# build ARGUMENT...: builds tests; notes where they are. Of the whole workspace, so that dependencies are those of the other tests.
build() {
  cargo test --workspace "${FEATURE[@]}" --no-run "$@" 2>"$LOGS/build" || {
    tail -n 40 "$LOGS/build" >&2
    return 1
  }
  sed -n 's/^ *Executable [^(]*(\(.*\))$/\1/p' "$LOGS/build" >>"$BUILT"
}

# built NAME: the newest program of that name that was built here.
built() {
  grep -E "/$1-[0-9a-f]+\$" "$BUILT" | tail -n 1
}

start_kafka() {
  [ -z "$RUN" ] || return 0
  RUN=$(mktemp -d "${TMPDIR:-/tmp}/concord-planted-kafka.XXXXXX")
  scripts/parts kafka start --run "$RUN" >/dev/null
}

# The layers. Each gets the name of the bug and answers as its tests do.
driver() { CONCORD_INVARIANTS=off timeout --foreground 180 "$(built driver)"; }
simulation() { CONCORD_INVARIANTS=off CONCORD_SEEDS=$SEEDS timeout --foreground 300 "$(built simulation)"; }
invariants() { timeout --foreground 180 "$(built driver)"; }
rebuild() {
  start_kafka && KAFKA_BOOTSTRAP=$(sed -n 's/^KAFKA_BOOTSTRAP=//p' "$RUN/kafka.env") timeout --foreground 300 "$(built kafka_workers)"
}
kill_test() {
  grep -q exactly_once "$BUILT" || build --test exactly_once || return 64
  KAFKA_BOOTSTRAP=own timeout 900 "$(built exactly_once)"
}

# catches LAYER BUG: whether the layer notices the bug. One test that fails is enough, so the others are not waited for. A bug
# that nobody knows is the caller's mistake, not caught.
catches() {
  local answer=0 layer log=$LOGS/$2.$1
  : >"$log"
  set -m
  CONCORD_PLANTED_BUG=$2 "$1" >"$log" 2>&1 &
  layer=$!
  set +m
  while kill -0 "$layer" 2>/dev/null; do
    if has_failed "$log"; then
      kill -KILL -- "-$layer" 2>/dev/null || true
      wait "$layer" 2>/dev/null || true
      return 0
    fi
    sleep 0.1
  done
  wait "$layer" || answer=$?
  if [ "$answer" -eq 64 ]; then
    tail -n 5 "$log" >&2
    exit 2
  fi
  [ "$answer" -ne 0 ]
}

has_failed() {
  grep -qE '^test .* \.\.\. FAILED$' "$1"
}

# by_what LAYER BUG: the first test that failed, or the lack of an end.
by_what() {
  local failed
  failed=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p; s/^  FAILED after.*/a scenario/p' "$LOGS/$2.$1" | head -n 1)
  echo "${failed:-it does not end}"
}

require_build_packages && use_cached_rocksdb
build --test driver --test simulation --test kafka_workers
cargo build --quiet --workspace "${FEATURE[@]}" --example planted_bugs
"$CARGO_TARGET_DIR/debug/examples/planted_bugs" >"$LOGS/bugs"
LAYERS=(driver simulation invariants)
[ "$QUICK" = yes ] || LAYERS+=(rebuild kill_test)
declare -A TITLE=([driver]="engine" [simulation]="flow, simulated" [invariants]="invariants only"
  [rebuild]="engine on Kafka" [kill_test]="cluster")

for layer in driver simulation; do
  if ! "$layer" >"$LOGS/nothing.$layer" 2>&1; then
    echo "with nothing planted the layer \"${TITLE[$layer]}\" fails already" >&2
    exit 1
  fi
done

PLANTED=0
CAUGHT=0
printf '%-28s %-16s %s\n' "planted bug" "noticed by" "first test that fails"
while IFS=$'\t' read -r bug what; do
  if [ ${#WANTED[@]} -gt 0 ] && [[ " ${WANTED[*]} " != *" $bug "* ]]; then
    continue
  fi
  PLANTED=$((PLANTED + 1))
  noticed=
  for layer in "${LAYERS[@]}"; do
    if catches "$layer" "$bug" </dev/null; then
      noticed=$layer
      break
    fi
  done
  if [ -n "$noticed" ]; then
    CAUGHT=$((CAUGHT + 1))
    printf '%-28s %-16s %s\n' "$bug" "${TITLE[$noticed]}" "$(by_what "$noticed" "$bug")"
  else
    printf '%-28s %-16s %s\n' "$bug" "NOBODY" "$what"
  fi
done <"$LOGS/bugs"
if [ "$PLANTED" -eq 0 ]; then
  echo "no such bug: ${WANTED[*]}; the names are in topology/engine/src/planted.rs" >&2
  exit 2
fi
echo "$CAUGHT of $PLANTED planted bugs were noticed."
[ "$JSON" = no ] || echo "{\"planted\":$PLANTED,\"planted_caught\":$CAUGHT}"
[ "$CAUGHT" -eq "$PLANTED" ]
