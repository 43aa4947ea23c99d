//! Durable timers: ordinary entries of an ordered store, so they are committed, changelogged and restored like any other state.
//!
//! Each timer has two entries. By due time: `'d', clock, due, owner, 0, key -> payload`; the order of these keys is the order
//! of firing. By name: `'n', clock, owner, 0, key -> due`, which finds the first when the timer is replaced or cancelled.

use bytes::Bytes;

use crate::expiry::{ordered_bytes, time_from_ordered_bytes};
use crate::{StateError, StoreIndex, TaskState};

/// What a timer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The largest record time the task has seen.
    StreamTime,
    /// The time of day.
    WallClock,
}

/// A call that a processor asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// What it waits for.
    pub clock: Clock,
    /// When it fires, milliseconds since 1970.
    pub due_ms: i64,
    /// Name of the processor that set it; no zero byte in it.
    pub owner: String,
    /// Tells the owner's timers apart.
    pub key: Bytes,
    /// Given back to the owner.
    pub payload: Bytes,
}

const BY_DUE: u8 = b'd';
const BY_NAME: u8 = b'n';
const OWNER_END: u8 = 0;
/// Tag, clock and time at the beginning of a key by due time.
const DUE_KEY_HEAD_BYTES: usize = 2 + 8;

/// Sets a timer, in place of an earlier one with the same clock, owner and key.
///
/// # Errors
/// [`StateError::InvalidName`] for an owner with a zero byte; or when the database fails.
pub fn set_timer(state: &mut TaskState, store: StoreIndex, timer: &Timer, now_ms: i64) -> Result<(), StateError> {
    check_owner(&timer.owner)?;
    cancel_timer(state, store, timer.clock, &timer.owner, &timer.key)?;
    let due = ordered_bytes(timer.due_ms);
    let by_due = due_key(timer.clock, due, &timer.owner, &timer.key);
    let by_name = name_key(timer.clock, &timer.owner, &timer.key);
    state.put(store, &by_due, timer.payload.clone(), now_ms);
    state.put(store, &by_name, Bytes::copy_from_slice(&due), now_ms);
    Ok(())
}

/// Removes a timer; cancelling one that is not set is fine.
///
/// # Errors
/// When the database fails.
pub fn cancel_timer(
    state: &mut TaskState,
    store: StoreIndex,
    clock: Clock,
    owner: &str,
    key: &[u8],
) -> Result<(), StateError> {
    let by_name = name_key(clock, owner, key);
    let Some(due) = state.get(store, &by_name)? else {
        return Ok(());
    };
    let Ok(due) = <[u8; 8]>::try_from(&*due) else {
        return Err(damaged("the time of a timer is not eight bytes long"));
    };
    state.delete(store, &due_key(clock, due, owner, key));
    state.delete(store, &by_name);
    Ok(())
}

/// Whether exactly this timer is set: neither cancelled nor replaced since it was read.
///
/// # Errors
/// When the database fails.
pub fn timer_is_set(state: &TaskState, store: StoreIndex, timer: &Timer) -> Result<bool, StateError> {
    let by_due = due_key(timer.clock, ordered_bytes(timer.due_ms), &timer.owner, &timer.key);
    Ok(state.get(store, &by_due)?.is_some_and(|payload| payload == timer.payload))
}

/// The timers due at `now_ms` or earlier, at most `limit`, in the order of due time, owner and key. They stay set: whoever fires
/// one cancels it.
///
/// # Errors
/// [`StateError::NotOrdered`] for a store that is read by key only; or when the database fails.
pub fn due_timers(
    state: &TaskState,
    store: StoreIndex,
    clock: Clock,
    now_ms: i64,
    limit: usize,
) -> Result<Vec<Timer>, StateError> {
    let mut timers = Vec::new();
    if limit == 0 {
        return Ok(timers);
    }
    let mut end = due_head(clock).to_vec();
    match now_ms.checked_add(1) {
        Some(after_now) => end.extend_from_slice(&ordered_bytes(after_now)),
        None => end = due_end(clock).to_vec(),
    }
    let mut failure = None;
    state.scan(store, &due_head(clock), Some(&end), &mut |by_due, payload| match timer_of(clock, by_due, payload) {
        Ok(timer) => {
            timers.push(timer);
            timers.len() < limit
        }
        Err(error) => {
            failure = Some(error);
            false
        }
    })?;
    failure.map_or(Ok(timers), Err)
}

/// When the next timer of a clock is due, milliseconds since 1970.
///
/// # Errors
/// As [`due_timers`].
pub fn next_due(state: &TaskState, store: StoreIndex, clock: Clock) -> Result<Option<i64>, StateError> {
    let mut next = None;
    state.scan(store, &due_head(clock), Some(&due_end(clock)), &mut |by_due, _| {
        next = by_due.get(2..).and_then(|rest| rest.first_chunk().copied());
        false
    })?;
    Ok(next.map(time_from_ordered_bytes))
}

fn timer_of(clock: Clock, by_due: &[u8], payload: &[u8]) -> Result<Timer, StateError> {
    let not_ours = || damaged("the key of a timer is not of this format");
    let (head, rest) = by_due.split_first_chunk::<DUE_KEY_HEAD_BYTES>().ok_or_else(not_ours)?;
    let [_, _, due @ ..] = *head;
    let owner_length = rest.iter().position(|byte| *byte == OWNER_END);
    let (owner, key) = rest.split_at(owner_length.ok_or_else(not_ours)?);
    Ok(Timer {
        clock,
        due_ms: time_from_ordered_bytes(due),
        owner: String::from_utf8(owner.to_vec()).map_err(|_| not_ours())?,
        key: Bytes::copy_from_slice(&key[1..]),
        payload: Bytes::copy_from_slice(payload),
    })
}

fn due_key(clock: Clock, due: [u8; 8], owner: &str, key: &[u8]) -> Vec<u8> {
    let mut by_due = due_head(clock).to_vec();
    by_due.extend_from_slice(&due);
    push_name(&mut by_due, owner, key);
    by_due
}

fn name_key(clock: Clock, owner: &str, key: &[u8]) -> Vec<u8> {
    let mut by_name = vec![BY_NAME, tag(clock)];
    push_name(&mut by_name, owner, key);
    by_name
}

fn push_name(bytes: &mut Vec<u8>, owner: &str, key: &[u8]) {
    bytes.extend_from_slice(owner.as_bytes());
    bytes.push(OWNER_END);
    bytes.extend_from_slice(key);
}

/// What all keys by due time of a clock begin with.
fn due_head(clock: Clock) -> [u8; 2] {
    [BY_DUE, tag(clock)]
}

/// The first key behind them.
fn due_end(clock: Clock) -> [u8; 2] {
    [BY_DUE, tag(clock) + 1]
}

fn tag(clock: Clock) -> u8 {
    match clock {
        Clock::StreamTime => b's',
        Clock::WallClock => b'w',
    }
}

fn check_owner(owner: &str) -> Result<(), StateError> {
    if owner.as_bytes().contains(&OWNER_END) {
        return Err(StateError::InvalidName {
            what: "timer owner",
            name: owner.to_owned(),
            reason: "it contains a zero byte, which ends the owner in a timer's key",
        });
    }
    Ok(())
}

fn damaged(reason: &str) -> StateError {
    StateError::Corrupt { place: "the timers".to_owned(), reason: reason.to_owned() }
}
