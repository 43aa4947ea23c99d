#!/usr/bin/env bash
# Tests the tests: plants each bug of topology/engine/src/planted.rs in turn and runs the layers, cheap ones first, until one
# notices it. Fails when a bug is noticed by none, when a layer cannot run, and when one of the first two complains with nothing
# planted; that the others do not, scripts/test.sh and scripts/prove.sh show, which run them so.
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
# Answers of programs that were ended: by timeout, by a panic that cannot unwind, by a signal.
TIMED_OUT=124
ABORTED=134
KILLED=137

finish() {
  local status=$?
  trap - EXIT
  stop_servers
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
  RUN=$(mktemp -d "${TMPDIR:-/tmp}/concord-planted-kafka.XXXXXX")
  scripts/parts kafka start --run "$RUN" >"$LOGS/kafka" 2>&1 && return
  echo "Kafka does not start, so the layers that need it say nothing:" >&2
  tail -n 5 "$LOGS/kafka" >&2
  exit 1
}

# Ends what servers a layer has left, its own and those that its tests had started when they were ended.
stop_servers() {
  local env
  if [ -n "$RUN" ]; then
    scripts/parts stop-all --run "$RUN" || true
    rm -rf "$RUN"
    RUN=
  fi
  [ -d "$LOGS/tmp" ] || return 0
  pkill -KILL -f -- "$LOGS/tmp" || true
  while IFS= read -r env; do
    scripts/parts stop-all --run "$(dirname "$env")" >/dev/null || true
  done < <(find "$LOGS/tmp" -name kafka.env)
  rm -rf "$LOGS/tmp"
}

# The layers. Each gets the name of the bug and answers as its tests do.
driver() { CONCORD_INVARIANTS=off timeout --foreground 180 "$(built driver)"; }
simulation() { CONCORD_INVARIANTS=off CONCORD_SEEDS=$SEEDS timeout --foreground 300 "$(built simulation)"; }
invariants() { timeout --foreground 180 "$(built driver)"; }
rebuild() {
  KAFKA_BOOTSTRAP=$(sed -n 's/^KAFKA_BOOTSTRAP=//p' "$RUN/kafka.env") timeout --foreground 300 "$(built kafka_workers)"
}
kill_test() {
  KAFKA_BOOTSTRAP=own TMPDIR=$LOGS/tmp timeout --foreground 900 "$(built exactly_once)"
}

# What a layer needs beforehand: if that fails, no bug was noticed.
prepare() {
  case $1 in
  rebuild) start_kafka ;;
  kill_test)
    mkdir -p "$LOGS/tmp"
    grep -q exactly_once "$BUILT" || build --test exactly_once || exit 1
    ;;
  esac
}

# catches LAYER BUG: whether the layer notices the bug. One test that fails is enough, so the others are not waited for; a layer that
# does not come to its end, or whose program is ended, has noticed it too. Any other way to fail is none of a test.
catches() {
  local answer=0 layer log=$LOGS/$2.$1
  : >"$log"
  prepare "$1"
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
  case $answer in
  0) return 1 ;;
  "$TIMED_OUT" | "$ABORTED" | "$KILLED") return 0 ;;
  esac
  if ! has_failed "$log"; then
    echo "the layer \"${TITLE[$1]}\" ended with $answer, and no test has failed:" >&2
    tail -n 5 "$log" >&2
    exit 1
  fi
}

has_failed() {
  grep -qE '^test .* \.\.\. FAILED$|^  FAILED after ' "$1"
}

# by_what LAYER BUG: the first test that failed, or the lack of an end.
by_what() {
  local failed
  failed=$(awk '/ \(seed [0-9]+\)$/ {scenario = $1}
                /^test .* \.\.\. FAILED$/ {print $2; exit}
                /^  FAILED after / {print scenario; exit}' "$LOGS/$2.$1")
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
    fi
    stop_servers
    [ -z "$noticed" ] || break
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
