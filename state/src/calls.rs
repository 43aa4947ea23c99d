//! Pending calls: what a processor has asked of the world outside and has no answer to yet. Ordinary entries of an ordered
//! store, so they are committed, changelogged and restored like any other state.
//!
//! | row | value |
//! |---|---|
//! | `p/<call>/<length of key>/<key>/<sequence>` | the call: [`PendingCall::to_bytes`] |
//! | `d/<call>/<due>/<sequence>` | the key. Only of the first pending call of each key: it may begin at this time |
//! | `c/<call>` | how many are pending |
//! | `s` | the last sequence that was given out |
//!
//! Sequences count over all calls of a task and are never given out twice, so a sequence says which call an answer is to.
//! Numbers in keys have leading zeros: sequences are 16 hexadecimal digits, times 15 decimal digits of milliseconds.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};

use crate::{StateError, StoreIndex, TaskState};

/// A call that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingCall {
    /// Calls of one key are performed one behind the other.
    pub key: Bytes,
    /// Which call it is, among all of the task.
    pub sequence: u64,
    /// Attempts that have failed.
    pub failed_attempts: u32,
    /// When the next attempt may begin, milliseconds since 1970.
    pub due_ms: i64,
    /// Time of the record that asked, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Where it comes from, as the text of a lineage header.
    pub lineage: Bytes,
    /// Code of the last failure; empty before the first.
    pub last_failure: Bytes,
    /// What is asked.
    pub request: Bytes,
}

/// The first two bytes of a stored call, and the version of the form behind them.
const HEAD: [u8; 3] = [0xCA, 0x11, 1];
const LATEST_DUE: i64 = 999_999_999_999_999;
const SEQUENCE: &[u8] = b"s";
const SEQUENCE_DIGITS: usize = 16;
const DUE_DIGITS: usize = 15;

impl PendingCall {
    /// The stored form: head, three numbers, two texts with their lengths, the request. Key and sequence are in the row's key.
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(64 + self.lineage.len() + self.last_failure.len() + self.request.len());
        bytes.extend_from_slice(&HEAD);
        bytes.extend_from_slice(&self.failed_attempts.to_be_bytes());
        bytes.extend_from_slice(&self.due_ms.to_be_bytes());
        bytes.extend_from_slice(&self.timestamp_ms.to_be_bytes());
        for text in [&self.lineage, &self.last_failure] {
            bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
            bytes.extend_from_slice(text);
        }
        bytes.extend_from_slice(&self.request);
        Bytes::from(bytes)
    }

    /// Reads [`Self::to_bytes`]; key and sequence are the caller's to know. `None` for any other bytes.
    pub fn from_bytes(key: Bytes, sequence: u64, stored: &Bytes) -> Option<Self> {
        let mut rest = stored.clone();
        if rest.len() < HEAD.len() || rest.split_to(HEAD.len())[..] != HEAD {
            return None;
        }
        let failed_attempts = u32::from_be_bytes(take(&mut rest)?);
        let due_ms = i64::from_be_bytes(take(&mut rest)?);
        let timestamp_ms = i64::from_be_bytes(take(&mut rest)?);
        let lineage = take_text(&mut rest)?;
        let last_failure = take_text(&mut rest)?;
        Some(Self { key, sequence, failed_attempts, due_ms, timestamp_ms, lineage, last_failure, request: rest })
    }
}

fn take<const N: usize>(bytes: &mut Bytes) -> Option<[u8; N]> {
    let taken = *bytes.first_chunk::<N>()?;
    bytes.advance(N);
    Some(taken)
}

fn take_text(bytes: &mut Bytes) -> Option<Bytes> {
    let length = u32::from_be_bytes(take(bytes)?) as usize;
    (bytes.len() >= length).then(|| bytes.split_to(length))
}

/// Adds a call behind those of its key. Its `sequence` is not looked at: it gets the next one, which is answered.
///
/// # Errors
/// When the database fails.
pub fn add_call(state: &mut TaskState, store: StoreIndex, call: &str, asked: &PendingCall) -> Result<u64, StateError> {
    let is_first = first_call(state, store, call, &asked.key)?.is_none();
    let sequence = number(state, store, SEQUENCE)? + 1;
    put_number(state, store, SEQUENCE, sequence);
    let waiting = count_calls(state, store, call)?;
    put_number(state, store, &count_key(call), waiting + 1);
    state.put(store, &call_key(call, &asked.key, sequence), asked.to_bytes(), 0);
    if is_first {
        state.put(store, &due_key(call, asked.due_ms, sequence), asked.key.clone(), 0);
    }
    Ok(sequence)
}

/// A call as the task sees it; `None` when it is answered, or was taken back.
///
/// # Errors
/// When the database fails, or the entry is damaged.
pub fn pending_call(
    state: &TaskState,
    store: StoreIndex,
    call: &str,
    key: &Bytes,
    sequence: u64,
) -> Result<Option<PendingCall>, StateError> {
    let Some(stored) = state.get(store, &call_key(call, key, sequence))? else { return Ok(None) };
    PendingCall::from_bytes(key.clone(), sequence, &stored).map(Some).ok_or_else(damaged)
}

/// Takes a call out: it is answered. The next of its key may begin: answers when. Nothing happens when it is not there.
///
/// # Errors
/// When the database fails.
pub fn remove_call(
    state: &mut TaskState,
    store: StoreIndex,
    call: &str,
    pending: &PendingCall,
) -> Result<Option<i64>, StateError> {
    let entry = call_key(call, &pending.key, pending.sequence);
    if state.get(store, &entry)?.is_none() {
        return Ok(None);
    }
    let waiting = count_calls(state, store, call)?;
    put_number(state, store, &count_key(call), waiting.saturating_sub(1));
    state.delete(store, &entry);
    state.delete(store, &due_key(call, pending.due_ms, pending.sequence));
    let Some(next) = first_call(state, store, call, &pending.key)? else { return Ok(None) };
    state.put(store, &due_key(call, next.due_ms, next.sequence), pending.key.clone(), 0);
    Ok(Some(next.due_ms))
}

/// Notes that an attempt has failed, with this code, and that the next may begin at `due_ms`. `pending` is the first of its key.
pub fn postpone_call(
    state: &mut TaskState,
    store: StoreIndex,
    call: &str,
    pending: &PendingCall,
    due_ms: i64,
    failure: &str,
) {
    let later = PendingCall {
        failed_attempts: pending.failed_attempts + 1,
        due_ms,
        last_failure: Bytes::copy_from_slice(failure.as_bytes()),
        ..pending.clone()
    };
    state.delete(store, &due_key(call, pending.due_ms, pending.sequence));
    state.put(store, &due_key(call, due_ms, pending.sequence), pending.key.clone(), 0);
    state.put(store, &call_key(call, &pending.key, pending.sequence), later.to_bytes(), 0);
}

/// Takes back all calls of a key; answers how many there were.
///
/// # Errors
/// When the database fails.
pub fn cancel_calls(state: &mut TaskState, store: StoreIndex, call: &str, key: &[u8]) -> Result<u64, StateError> {
    let pending = calls_of_key(state, store, call, key, usize::MAX)?;
    let taken_back = pending.len() as u64;
    if taken_back == 0 {
        return Ok(0);
    }
    for (position, one) in pending.iter().enumerate() {
        state.delete(store, &call_key(call, key, one.sequence));
        if position == 0 {
            state.delete(store, &due_key(call, one.due_ms, one.sequence));
        }
    }
    let waiting = count_calls(state, store, call)?;
    put_number(state, store, &count_key(call), waiting.saturating_sub(taken_back));
    Ok(taken_back)
}

/// The first pending call of a key.
///
/// # Errors
/// When the database fails, or the entry is damaged.
pub fn first_call(
    state: &TaskState,
    store: StoreIndex,
    call: &str,
    key: &[u8],
) -> Result<Option<PendingCall>, StateError> {
    Ok(calls_of_key(state, store, call, key, 1)?.pop())
}

/// How many calls of a name are pending.
///
/// # Errors
/// When the database fails.
pub fn count_calls(state: &TaskState, store: StoreIndex, call: &str) -> Result<u64, StateError> {
    number(state, store, &count_key(call))
}

/// What [`due_calls`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCalls {
    /// What is wanted, the longest due first.
    pub calls: Vec<PendingCall>,
    /// When the first of all is due, wanted or not; `None` when none is due.
    pub first_due_ms: Option<i64>,
}

/// Calls that may begin at `until_ms`, at most `limit`; of each key the first only. `is_wanted` is given the sequence of each, and whether
/// it is committed as it is: that it waits was not written since the last commit. The caller knows of none that is due before
/// `from_ms`: what was removed there is not waded through.
///
/// # Errors
/// When the database fails, or an entry is damaged.
pub fn due_calls(
    state: &TaskState,
    store: StoreIndex,
    call: &str,
    (from_ms, until_ms): (i64, i64),
    limit: usize,
    is_wanted: &mut dyn FnMut(u64, bool) -> bool,
) -> Result<DueCalls, StateError> {
    let mut due: Vec<(u64, Bytes)> = Vec::new();
    let mut first_due_ms = None;
    let mut is_damaged = false;
    let (start, end) = (due_bound(call, from_ms), due_bound(call, until_ms.saturating_add(1)));
    state.scan(store, &start, Some(&end), &mut |row, key| {
        let Some((due_ms, sequence)) = parts_of_due_key(call, row) else {
            is_damaged = true;
            return false;
        };
        first_due_ms.get_or_insert(due_ms);
        if due.len() < limit && is_wanted(sequence, !state.is_uncommitted(store, row)) {
            due.push((sequence, Bytes::copy_from_slice(key)));
        }
        due.len() < limit
    })?;
    if is_damaged {
        return Err(damaged());
    }
    let mut calls = Vec::with_capacity(due.len());
    for (sequence, key) in due {
        calls.push(pending_call(state, store, call, &key, sequence)?.ok_or_else(damaged)?);
    }
    Ok(DueCalls { calls, first_due_ms })
}

/// When the first call is due that is due behind `now_ms`, milliseconds since 1970.
///
/// # Errors
/// When the database fails.
pub fn next_call_due(state: &TaskState, store: StoreIndex, call: &str, now_ms: i64) -> Result<Option<i64>, StateError> {
    let mut next = None;
    let end = behind(due_head(call));
    state.scan(store, &due_bound(call, now_ms.saturating_add(1)), Some(&end), &mut |row, _| {
        next = parts_of_due_key(call, row).map(|(due_ms, _)| due_ms);
        false
    })?;
    Ok(next)
}

/// Makes index, counts and the last sequence anew from the calls themselves; answers whether anything was wrong. For a state whose
/// writes did not reach the changelog all or none.
///
/// # Errors
/// When the database fails, or an entry is damaged.
pub fn repair_calls(state: &mut TaskState, store: StoreIndex, call: &str) -> Result<bool, StateError> {
    let mut expected: BTreeMap<Vec<u8>, Bytes> = BTreeMap::new();
    let (mut count, mut last_sequence, mut is_damaged) = (0, 0, false);
    let mut last_key: Option<Bytes> = None;
    let head = format!("p/{call}/").into_bytes();
    state.scan(store, &head, Some(&behind(head.clone())), &mut |row, stored| {
        let Some((key, sequence)) = parts_of_call_key(&head, row) else {
            is_damaged = true;
            return false;
        };
        let Some(pending) = PendingCall::from_bytes(key, sequence, &Bytes::copy_from_slice(stored)) else {
            is_damaged = true;
            return false;
        };
        count += 1;
        last_sequence = last_sequence.max(sequence);
        // Rows of a key stand together, in order.
        if last_key.as_ref() != Some(&pending.key) {
            expected.insert(due_key(call, pending.due_ms, sequence), pending.key.clone());
            last_key = Some(pending.key);
        }
        true
    })?;
    if is_damaged {
        return Err(damaged());
    }
    let mut surplus = Vec::new();
    let mut missing = expected;
    let head = due_head(call);
    state.scan(store, &head, Some(&behind(head.clone())), &mut |row, key| {
        if missing.remove(row).is_none_or(|expected| expected != *key) {
            surplus.push(row.to_vec());
        }
        true
    })?;
    let counts_are_right =
        number(state, store, &count_key(call))? == count && number(state, store, SEQUENCE)? >= last_sequence;
    if surplus.is_empty() && missing.is_empty() && counts_are_right {
        return Ok(false);
    }
    for row in surplus {
        state.delete(store, &row);
    }
    for (row, key) in missing {
        state.put(store, &row, key, 0);
    }
    put_number(state, store, &count_key(call), count);
    let sequence = number(state, store, SEQUENCE)?.max(last_sequence);
    put_number(state, store, SEQUENCE, sequence);
    Ok(true)
}

/// The calls of a key in the order in which they were asked, at most `limit`.
fn calls_of_key(
    state: &TaskState,
    store: StoreIndex,
    call: &str,
    key: &[u8],
    limit: usize,
) -> Result<Vec<PendingCall>, StateError> {
    let key = Bytes::copy_from_slice(key);
    let mut calls = Vec::new();
    let mut is_damaged = false;
    state.scan_prefix(store, &calls_prefix(call, &key), &mut |row, stored| {
        let stored = Bytes::copy_from_slice(stored);
        match sequence_at_end(row).and_then(|sequence| PendingCall::from_bytes(key.clone(), sequence, &stored)) {
            Some(pending) => calls.push(pending),
            None => is_damaged = true,
        }
        !is_damaged && calls.len() < limit
    })?;
    if is_damaged { Err(damaged()) } else { Ok(calls) }
}

/// What the rows of all calls of a key begin with. The length keeps one key from being the beginning of another.
fn calls_prefix(call: &str, key: &[u8]) -> Vec<u8> {
    let mut prefix = format!("p/{call}/{}/", key.len()).into_bytes();
    prefix.extend_from_slice(key);
    prefix.push(b'/');
    prefix
}

fn call_key(call: &str, key: &[u8], sequence: u64) -> Vec<u8> {
    let mut row = calls_prefix(call, key);
    row.extend_from_slice(format!("{sequence:016x}").as_bytes());
    row
}

fn due_head(call: &str) -> Vec<u8> {
    format!("d/{call}/").into_bytes()
}

/// The first row that is due at `due_ms` or later.
fn due_bound(call: &str, due_ms: i64) -> Vec<u8> {
    format!("d/{call}/{:015}", due_ms.clamp(0, LATEST_DUE)).into_bytes()
}

fn due_key(call: &str, due_ms: i64, sequence: u64) -> Vec<u8> {
    format!("d/{call}/{:015}/{sequence:016x}", due_ms.clamp(0, LATEST_DUE)).into_bytes()
}

/// The time, as far as a row tells it, and the sequence.
fn parts_of_due_key(call: &str, row: &[u8]) -> Option<(i64, u64)> {
    let times = row.strip_prefix(&due_head(call)[..])?;
    let (digits, _) = times.split_at_checked(DUE_DIGITS)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, sequence_at_end(row)?))
}

/// The key and the sequence.
fn parts_of_call_key(head: &[u8], row: &[u8]) -> Option<(Bytes, u64)> {
    let sequence = sequence_at_end(row)?;
    let rest = row.strip_prefix(head)?;
    let slash = rest.iter().position(|byte| *byte == b'/')?;
    let length: usize = std::str::from_utf8(&rest[..slash]).ok()?.parse().ok()?;
    let key = rest.get(slash + 1..)?.get(..length)?;
    Some((Bytes::copy_from_slice(key), sequence))
}

/// The first row behind all that begin with `head`, which ends with a slash.
fn behind(mut head: Vec<u8>) -> Vec<u8> {
    if let Some(slash) = head.last_mut() {
        *slash += 1;
    }
    head
}

fn count_key(call: &str) -> Vec<u8> {
    format!("c/{call}").into_bytes()
}

fn sequence_at_end(row: &[u8]) -> Option<u64> {
    let digits = row.get(row.len().checked_sub(SEQUENCE_DIGITS)?..)?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn number(state: &TaskState, store: StoreIndex, row: &[u8]) -> Result<u64, StateError> {
    let Some(stored) = state.get(store, row)? else { return Ok(0) };
    std::str::from_utf8(&stored).ok().and_then(|text| text.parse().ok()).ok_or_else(damaged)
}

fn put_number(state: &mut TaskState, store: StoreIndex, row: &[u8], number: u64) {
    state.put(store, row, Bytes::from(number.to_string()), 0);
}

fn damaged() -> StateError {
    StateError::Corrupt { place: "the pending calls".to_owned(), reason: "a row is not of this format".to_owned() }
}
