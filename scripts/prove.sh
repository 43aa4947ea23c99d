#!/usr/bin/env bash
# The proof of exactly once, in one command: the model, the simulation, the kill test on a real Kafka, and the planted bugs.
# Every number it prints was printed by a test that ran.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh

usage() {
  cat <<'END'
usage: scripts/prove.sh [--kills N] [--seeds N] [--planted] [--json]

  --kills N  kills of an instance (60), with records in proportion
  --seeds N  simulated runs of the flow (2000)
  --planted  plants each bug of scripts/planted.sh as well
  --json     the last line is {"kills","seeds","records","lost","repeated","torn","planted","planted_caught"}
END
}

KILLS=60
SEEDS=2000
PLANTED=no
JSON=no
while [ $# -gt 0 ]; do
  case $1 in
  --kills) KILLS=${2:?--kills wants a number} && shift ;;
  --seeds) SEEDS=${2:?--seeds wants a number} && shift ;;
  --planted) PLANTED=yes ;;
  --json) JSON=yes ;;
  -h | --help) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
  esac
  shift
done

LOG=$(mktemp "${TMPDIR:-/tmp}/concord-prove.XXXXXX")
FAILED=0
unset CONCORD_PLANTED_BUG CONCORD_INVARIANTS

# layer NAME COMMAND...: runs it, shows it, and goes on after a failure.
layer() {
  local name=$1 begun=$SECONDS
  shift
  printf '\n=== %s\n' "$name"
  if "$@" 2>&1 | tee -a "$LOG"; then
    echo "=== $name: ok, $((SECONDS - begun)) s"
  else
    echo "=== $name: FAILED, $((SECONDS - begun)) s"
    FAILED=$((FAILED + 1))
  fi
}

# figure NAME: the sum of a figure over all lines that tests have printed; null when none did.
figure() {
  { grep -oE "\"$1\":[0-9]+" "$LOG" || true; } | awk -F: '{sum += $2} END {print NR ? sum : "null"}'
}

require_build_packages && require_server_packages && use_cached_rocksdb
layer "model" cargo test -p concord-engine --test commit_model
layer "engine, simulated" cargo test -p concord-engine --test driver
layer "flow, simulated ($SEEDS seeds)" env CONCORD_SEEDS="$SEEDS" cargo test -p concord-flows --test simulation -- --nocapture
# The test starts brokers of its own; the variable only says that it may.
layer "kill test ($KILLS kills)" env KAFKA_BOOTSTRAP=own CONCORD_KILLS="$KILLS" CONCORD_RECORDS=$((KILLS * 1500)) \
  cargo test -p concord --test exactly_once
if [ "$PLANTED" = yes ]; then
  layer "planted bugs" scripts/planted.sh --json
fi

echo
if [ "$FAILED" -gt 0 ]; then
  echo "$FAILED layers failed; all that was said is in $LOG"
else
  echo "all layers agree"
fi
if [ "$JSON" = yes ]; then
  line=
  for name in kills seeds records lost repeated torn planted planted_caught; do
    line+=",\"$name\":$(figure "$name")"
  done
  echo "{${line#,}}"
fi
[ "$FAILED" -gt 0 ] || rm -f "$LOG"
[ "$FAILED" -eq 0 ]
