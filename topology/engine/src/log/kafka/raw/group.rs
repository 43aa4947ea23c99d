//! A member of a group: the proof of its membership, and positions that it commits itself.

use std::ffi::CStr;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka_sys as sys;
use rdkafka_sys::rd_kafka_resp_err_t::{RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR_NO_ERROR};

use super::millis;

/// The group metadata of a member, as the client made it.
#[derive(Clone)]
pub struct GroupMetadata(Arc<OwnedMetadata>);

struct OwnedMetadata(NonNull<sys::rd_kafka_consumer_group_metadata_t>);

// SAFETY: never changed after its making; the C client only reads it.
unsafe impl Send for OwnedMetadata {}
// SAFETY: as above.
unsafe impl Sync for OwnedMetadata {}

impl Drop for OwnedMetadata {
    fn drop(&mut self) {
        // SAFETY: owned, destroyed once.
        unsafe { sys::rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) };
    }
}

impl GroupMetadata {
    /// Valid as long as `self` is, and only to be read.
    pub(super) fn native(&self) -> *mut sys::rd_kafka_consumer_group_metadata_t {
        self.0.0.as_ptr()
    }

    /// The metadata of `client`'s membership as of now.
    pub(crate) fn of<C: ClientContext>(client: &Client<C>) -> Option<Self> {
        // SAFETY: the client is valid; ownership of the answer is ours.
        let metadata = unsafe { sys::rd_kafka_consumer_group_metadata(client.native_ptr()) };
        Some(Self(Arc::new(OwnedMetadata(NonNull::new(metadata)?))))
    }

    /// Generation, or member epoch; below 1 when not a member.
    pub(crate) fn generation(&self) -> i32 {
        // SAFETY: valid while self lives.
        unsafe { sys::rd_kafka_consumer_group_metadata_generation_id(self.0.0.as_ptr()) }
    }

    /// Member id; empty when not a member.
    pub(crate) fn member(&self) -> String {
        // SAFETY: as above; the text is copied.
        unsafe {
            let member = sys::rd_kafka_consumer_group_metadata_member_id(self.0.0.as_ptr());
            if member.is_null() { String::new() } else { CStr::from_ptr(member).to_string_lossy().into_owned() }
        }
    }
}

impl std::fmt::Debug for GroupMetadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupMetadata").field("generation", &self.generation()).field("member", &self.member()).finish()
    }
}

/// Commits positions as a member of the group and waits for the answer. Any partition's failure is the answer's.
pub(crate) fn commit_positions<C: ClientContext>(
    client: &Client<C>,
    positions: &TopicPartitionList,
    timeout: Duration,
) -> Result<(), RDKafkaErrorCode> {
    // SAFETY: client and list are valid; the queue is ours and destroyed once, as is the event, whose list is read before.
    let code = unsafe {
        let queue = sys::rd_kafka_queue_new(client.native_ptr());
        let asked = sys::rd_kafka_commit_queue(client.native_ptr(), positions.ptr(), queue, None, ptr::null_mut());
        let code = if asked == RD_KAFKA_RESP_ERR_NO_ERROR {
            let event = sys::rd_kafka_queue_poll(queue, millis(timeout));
            let answered = commit_answer(event);
            if !event.is_null() {
                sys::rd_kafka_event_destroy(event);
            }
            answered
        } else {
            asked
        };
        sys::rd_kafka_queue_destroy(queue);
        code
    };
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(code.into()) }
}

/// # Safety
/// The event is null, or valid and of a commit.
unsafe fn commit_answer(event: *mut sys::rd_kafka_event_t) -> sys::rd_kafka_resp_err_t {
    if event.is_null() {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    // SAFETY: by the caller; the list belongs to the event and has `cnt` elements.
    unsafe {
        let code = sys::rd_kafka_event_error(event);
        let list = sys::rd_kafka_event_topic_partition_list(event);
        if code != RD_KAFKA_RESP_ERR_NO_ERROR || list.is_null() || (*list).elems.is_null() {
            return code;
        }
        let count = usize::try_from((*list).cnt).unwrap_or(0);
        // The client speaks of failure as a whole only when all partitions failed.
        let partitions = std::slice::from_raw_parts((*list).elems, count);
        partitions.iter().map(|p| p.err).find(|err| *err != RD_KAFKA_RESP_ERR_NO_ERROR).unwrap_or(code)
    }
}
