//! The calls that the safe client does not wrap: batches from a queue of our own, group metadata with its generation,
//! producing without a look-up per record, transactions, and topic identities. The only folder of the engine with `unsafe`.
#![allow(unsafe_code, reason = "calls of the C client; each block states why it is sound")]

mod group;
mod producer;
mod queue;
mod topics;

use std::ffi::c_int;
use std::time::Duration;

pub use self::group::GroupMetadata;
pub(super) use self::group::commit_positions;
pub(super) use self::producer::{FailedDelivery, NativeProducer, TransactionFailure};
pub(super) use self::queue::{Fetched, MessageQueue};
pub(super) use self::topics::{End, ends, topic_ids};

/// Milliseconds for the C client, which takes -1 as "for ever" and an `int` otherwise.
fn millis(timeout: Duration) -> c_int {
    c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX)
}
