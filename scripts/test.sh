#!/usr/bin/env bash
# Checks everything: style, lints, licences, documentation, and all tests, those against real servers (Kafka, a schema
# registry, MESH, mail, S3) among them, and the tests themselves by bugs that are planted. Goes on after a failure, so that one run
# shows all of them; exits with 1 when there was any.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh
CARGO_DENY_VERSION=0.20.2

usage() {
  cat <<'END'
usage: scripts/test.sh [--quick]

  --quick   without the real servers (tests that need one say SKIPPED), the check of licences and the planted bugs

The first run fetches and builds what it needs into $CONCORD_CACHE (default ~/.cache/concord): half an hour on two cores.
END
}

QUICK=no
case ${1:-} in
"") ;;
--quick) QUICK=yes ;;
-h | --help)
  usage
  exit 0
  ;;
*)
  usage >&2
  exit 2
  ;;
esac

REPORT=()
FAILED=0
RUN=
mkdir -p "$CONCORD_CACHE/logs"
find "$CONCORD_CACHE/logs" -name 'test-*.log' -mtime +14 -delete
LOG=$CONCORD_CACHE/logs/test-$(date -u +%Y%m%dT%H%M%SZ)-$$.log
# tee outlives an interrupt, so that what happens on exit is still shown.
exec > >(exec tee -i "$LOG") 2>&1
TEE=$!

# step NAME COMMAND...: runs it here, shows its duration, notes a failure and goes on.
step() {
  local name=$1 begun=$SECONDS result=ok
  shift
  printf '\n=== %s\n' "$name"
  "$@" || result=FAILED
  [ "$result" = ok ] || FAILED=$((FAILED + 1))
  REPORT+=("$(printf '%-7s%6s s  %s' "$result" "$((SECONDS - begun))" "$name")")
  echo "=== $name: $result, $((SECONDS - begun)) s"
  [ "$result" = ok ]
}

skip() {
  REPORT+=("$(printf '%-7s%8s  %s' skipped "" "$1: $2")")
  printf '\n=== %s: skipped, %s\n' "$1" "$2"
}

start_servers() {
  local part failed=0
  RUN=$(mktemp -d "${TMPDIR:-/tmp}/concord-test.XXXXXX")
  for part in kafka registry mesh smtp s3; do
    if ! scripts/parts "$part" start --run "$RUN" >/dev/null; then
      failed=1
      continue
    fi
    set -a
    # shellcheck source=/dev/null
    . "$RUN/$part.env"
    set +a
  done
  return "$failed"
}

# Documents that other software wrote, for documents/tests/others, which skips itself without them. What common tools make of a letter
# is left to scripts/documents_of_others.sh: it needs LibreOffice, and a minute.
fetch_documents_of_others() {
  if DOCUMENTS_OF_OTHERS=$(scripts/documents_of_others.sh --fetch); then
    export DOCUMENTS_OF_OTHERS
  else
    skip "documents of other software" "they cannot be fetched from here"
  fi
}

check_licences() {
  build_cargo_deny && "$CONCORD_CACHE/bin/cargo-deny" check bans licenses sources
}

# Once, into the cache.
build_cargo_deny() {
  local built=$CONCORD_CACHE/bin/cargo-deny
  [ "$("$built" --version 2>/dev/null)" = "cargo-deny $CARGO_DENY_VERSION" ] && return 0
  echo "building cargo-deny $CARGO_DENY_VERSION once, into $built: some minutes"
  cargo install cargo-deny --version "$CARGO_DENY_VERSION" --locked --force --quiet \
    --root "$CONCORD_CACHE" --target-dir "$CONCORD_CACHE/deny-build" || return 1
  rm -rf "$CONCORD_CACHE/deny-build"
}

# What a test prints is shown although it passed: otherwise a test that skips itself would look like one that ran.
run_tests() {
  cargo test --workspace --no-fail-fast -- --show-output
}

summary() {
  local line deadline=$((SECONDS + 10))
  printf '\n=== summary\n'
  # What follows reads the log, which tee writes a moment after it was printed.
  until grep -q '^=== summary$' "$LOG" || [ "$SECONDS" -ge "$deadline" ]; do
    sleep 0.1
  done
  printf '%s\n' "${REPORT[@]}"
  awk '/^test result: / {
         for (i = 1; i < NF; i++) {
           if ($(i + 1) ~ /^passed/) passed += $i
           if ($(i + 1) ~ /^failed/) failed += $i
           if ($(i + 1) ~ /^ignored/) ignored += $i
         }
       }
       END {printf "tests: %d passed, %d failed, %d ignored\n", passed, failed, ignored}' "$LOG"
  line=$(grep -E '^SKIPPED' "$LOG" | sort | uniq -c || true)
  if [ -n "$line" ]; then
    printf 'tests that skipped themselves, with how often they said so:\n%s\n' "$line"
  fi
  echo "log: $LOG"
}

finish() {
  local status=$?
  trap - EXIT
  trap '' PIPE INT TERM
  set +e
  if [ -n "$RUN" ]; then
    scripts/parts stop-all --run "$RUN"
    if [ "$status" -eq 1 ]; then
      echo "the servers' logs and data are kept in $RUN"
    else
      rm -rf "$RUN"
    fi
  fi
  # tee ends when nothing writes to it any more.
  exec >&- 2>&-
  wait "$TEE"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Servers of the caller's are never used: tests create and fill topics, and send messages and mails.
unset KAFKA_BOOTSTRAP SCHEMA_REGISTRY_URL MESH_URL SMTP_PORTS S3_URL DOCUMENTS_OF_OTHERS PAGES_OF_OTHERS

prepare() {
  require_build_packages && require_rust_components && require_document_packages && use_cached_rocksdb
}
step "packages and the cached RocksDB" prepare || exit 1
step "format" cargo fmt --all --check || true
step "lints" cargo clippy --workspace --all-targets -- -D warnings || true
if [ "$QUICK" = yes ]; then
  skip "licences and sources of dependencies" "--quick"
else
  step "licences and sources of dependencies" check_licences || true
fi
step "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps || true
if [ "$QUICK" = yes ]; then
  skip "real servers" "--quick"
else
  step "real servers" start_servers || true
  fetch_documents_of_others
fi
step "tests" run_tests || true
if [ "$QUICK" = yes ]; then
  skip "planted bugs" "--quick"
else
  step "planted bugs" scripts/planted.sh || true
fi
summary
[ "$FAILED" -eq 0 ]
