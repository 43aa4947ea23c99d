# Sourced by the scripts: where built things and fetched servers live, outside the checkout, so that a later run reuses them.
CONCORD_CACHE=${CONCORD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/concord}
export CONCORD_CACHE
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CONCORD_CACHE/target}
