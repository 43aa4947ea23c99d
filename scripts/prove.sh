#!/usr/bin/env bash
# The proof of exactly once, in one command: the model, the stores, the simulations, the scenarios on a real Kafka, and the
# planted bugs.
# Every number it prints was printed by a test that ran.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh

usage() {
  cat <<'END'
usage: scripts/prove.sh [--kills N] [--seeds N] [--planted] [--json]

  --kills N  kills of an instance (60), with records in proportion; a fifth as many more for the sequence audit, and for
             patient documents
  --seeds N  simulated runs of list reconciliation (2000), and a tenth as many of each other flow
  --planted  plants each bug of scripts/planted.sh as well
  --json     the last line is {"kills","failpoints","seeds","records","lost","repeated","torn",
             "planted","planted_caught"}
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
REPORT=()
unset CONCORD_PLANTED_BUG CONCORD_INVARIANTS

# layer NAME COMMAND...: runs it, shows it, and goes on after a failure.
layer() {
  local name=$1 begun=$SECONDS result=ok
  shift
  printf '\n=== %s\n' "$name"
  "$@" 2>&1 | tee -a "$LOG" || result=FAILED
  [ "$result" = ok ] || FAILED=$((FAILED + 1))
  REPORT+=("$(printf '%-7s%6s s  %s' "$result" "$((SECONDS - begun))" "$name")")
  echo "=== $name: $result, $((SECONDS - begun)) s"
}

# on_kafka COMMAND...: with a Kafka of its own. A layer is a shell of its own, being part of a pipe; the server ends with it.
on_kafka() {
  RUN=$(mktemp -d "${TMPDIR:-/tmp}/concord-prove-kafka.XXXXXX")
  trap 'scripts/parts stop-all --run "$RUN"; rm -rf "$RUN"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  scripts/parts kafka start --run "$RUN" >/dev/null || return 1
  KAFKA_BOOTSTRAP=$(sed -n 's/^KAFKA_BOOTSTRAP=//p' "$RUN/kafka.env") "$@"
}

# figure NAME: the sum of a figure over all lines that tests have printed; null when none did.
figure() {
  { grep -oE "\"$1\":[0-9]+" "$LOG" || true; } | awk -F: '{sum += $2} END {print NR ? sum : "null"}'
}

require_build_packages && require_server_packages && require_document_packages && use_cached_rocksdb
# Of the whole workspace, so that nothing is built again for the dependencies of one package.
layer "model" cargo test --workspace --test commit_model
layer "stores" cargo test --workspace --test state
layer "engine, simulated" cargo test --workspace --test driver
layer "engine on a real Kafka" on_kafka cargo test --workspace --test kafka_log --test kafka_workers
layer "flow, simulated ($SEEDS seeds)" env CONCORD_SEEDS="$SEEDS" cargo test --workspace --test simulation -- --nocapture
layer "other flows, simulated ($((SEEDS / 10)) seeds each)" env CONCORD_SEEDS=$((SEEDS / 10)) \
  cargo test --workspace --test sequence_audit --test patient_documents --test asking_dps -- simulat fault
# The test starts brokers of its own; the variable only says that it may.
layer "scenarios on a real Kafka ($KILLS kills)" env KAFKA_BOOTSTRAP=own CONCORD_KILLS="$KILLS" CONCORD_RECORDS=$((KILLS * 1500)) \
  cargo test --workspace --test exactly_once
if [ "$PLANTED" = yes ]; then
  layer "planted bugs" scripts/planted.sh --json
fi

printf '\n=== summary\n'
printf '%s\n' "${REPORT[@]}"
if [ "$FAILED" -gt 0 ]; then
  echo "$FAILED layers failed; all that was said is in $LOG"
else
  echo "all layers agree"
fi
if [ "$JSON" = yes ]; then
  line=
  for name in kills failpoints seeds records lost repeated torn planted planted_caught; do
    line+=",\"$name\":$(figure "$name")"
  done
  echo "{${line#,}}"
fi
[ "$FAILED" -gt 0 ] || rm -f "$LOG"
[ "$FAILED" -eq 0 ]
