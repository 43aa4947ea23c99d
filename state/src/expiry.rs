//! Time to live: the stamp in front of a value, and the index that finds what has expired without reading the store.
//!
//! The index entry of a value is the start of its time bucket followed by its key. Invariant: a stored value has an entry at or
//! before its stamp. Older entries of the same key stay until a sweep meets them; it then follows the value's own stamp.

use bytes::Bytes;

use crate::StateError;

/// Bytes of the time stamp in front of each value of a store with a time to live.
pub(crate) const STAMP_BYTES: usize = 8;

/// Buckets are at most an hour wide: entries leave at most that much late, rewrites within an hour share an entry.
const WIDEST_BUCKET_MS: i64 = 3_600_000;
const BUCKETS_PER_TIME_TO_LIVE: i64 = 64;

/// The value as stored and changelogged: its stamp, then the value.
pub(crate) fn stamp(value: &[u8], now_ms: i64) -> Bytes {
    let mut stamped = Vec::with_capacity(STAMP_BYTES + value.len());
    stamped.extend_from_slice(&now_ms.to_be_bytes());
    stamped.extend_from_slice(value);
    Bytes::from(stamped)
}

/// Splits a stored value into its stamp and what was put.
pub(crate) fn split_stamp<'a>(store: &str, stamped: &'a [u8]) -> Result<(i64, &'a [u8]), StateError> {
    match stamped.split_first_chunk::<STAMP_BYTES>() {
        Some((stamp, value)) => Ok((i64::from_be_bytes(*stamp), value)),
        None => Err(damaged(store, "a value is shorter than its time stamp")),
    }
}

/// What was put, sharing memory with the stored value.
pub(crate) fn without_stamp(store: &str, stamped: Bytes) -> Result<Bytes, StateError> {
    split_stamp(store, &stamped)?;
    Ok(stamped.slice(STAMP_BYTES..))
}

/// The index entry of a key that was put at `stamp_ms`.
pub(crate) fn index_entry(time_to_live_ms: i64, stamp_ms: i64, key: &[u8]) -> Vec<u8> {
    let width = bucket_width_ms(time_to_live_ms);
    let bucket = stamp_ms.div_euclid(width).saturating_mul(width);
    let mut entry = Vec::with_capacity(STAMP_BYTES + key.len());
    entry.extend_from_slice(&ordered_bytes(bucket));
    entry.extend_from_slice(key);
    entry
}

/// The key in an index entry.
pub(crate) fn indexed_key<'a>(store: &str, entry: &'a [u8]) -> Result<&'a [u8], StateError> {
    match entry.split_first_chunk::<STAMP_BYTES>() {
        Some((_, key)) => Ok(key),
        None => Err(damaged(store, "an expiry entry is shorter than its time")),
    }
}

/// The first index entry whose bucket is not over yet: all before it may have expired at `now_ms`.
pub(crate) fn index_end(time_to_live_ms: i64, now_ms: i64) -> [u8; 8] {
    let newest_expired = now_ms.saturating_sub(time_to_live_ms).saturating_sub(1);
    let width = bucket_width_ms(time_to_live_ms);
    // Only whole buckets are swept, so that no sweep meets an entry that it must leave for the next.
    let bucket_after = newest_expired.saturating_add(1).div_euclid(width).saturating_mul(width);
    ordered_bytes(bucket_after)
}

/// Whether a value put at `stamp_ms` is older than its time to live.
pub(crate) fn is_expired(time_to_live_ms: i64, stamp_ms: i64, now_ms: i64) -> bool {
    stamp_ms.saturating_add(time_to_live_ms) < now_ms
}

/// A time as bytes whose order is the order of time, also before 1970.
pub(crate) fn ordered_bytes(time_ms: i64) -> [u8; 8] {
    (time_ms.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The time in bytes made by [`ordered_bytes`].
pub(crate) fn time_from_ordered_bytes(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed()
}

fn bucket_width_ms(time_to_live_ms: i64) -> i64 {
    (time_to_live_ms / BUCKETS_PER_TIME_TO_LIVE).clamp(1, WIDEST_BUCKET_MS)
}

fn damaged(store: &str, reason: &str) -> StateError {
    StateError::Corrupt { place: format!("store {store}"), reason: reason.to_owned() }
}
