//! What the client tells of topics only through its own calls.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka_sys as sys;
use rdkafka_sys::rd_kafka_resp_err_t::{RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR_NO_ERROR};

use super::millis;
use crate::log::{Offset, TopicPartition};

/// The identities of topics, empty where the broker tells none, in the order of `names`.
pub(crate) fn topic_ids<C: ClientContext>(
    client: &Client<C>,
    names: &[Arc<str>],
    timeout: Duration,
) -> Result<Vec<String>, RDKafkaErrorCode> {
    let c_names: Vec<CString> = names
        .iter()
        .map(|n| CString::new(&**n))
        .collect::<Result<_, _>>()
        .map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
    let mut pointers: Vec<*const c_char> = c_names.iter().map(|n| n.as_ptr()).collect();
    let mut ids = vec![String::new(); names.len()];
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    // SAFETY: all pointers live to the end of the block; the collection is destroyed once; the call puts one event into the queue,
    // and the texts of its answer are copied.
    unsafe {
        let topics = sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let answer = ask(
            client,
            operation,
            timeout,
            |options, queue| sys::rd_kafka_DescribeTopics(client.native_ptr(), topics, options, queue),
            |event| {
                let mut count = 0;
                let described = sys::rd_kafka_DescribeTopics_result_topics(
                    sys::rd_kafka_event_DescribeTopics_result(event),
                    &mut count,
                );
                for index in 0..count {
                    let topic = *described.add(index);
                    let name = CStr::from_ptr(sys::rd_kafka_TopicDescription_name(topic)).to_string_lossy();
                    let id = sys::rd_kafka_TopicDescription_topic_id(topic);
                    let Some(place) = names.iter().position(|n| **n == *name) else { continue };
                    let zero = id.is_null()
                        || sys::rd_kafka_Uuid_most_significant_bits(id) == 0
                            && sys::rd_kafka_Uuid_least_significant_bits(id) == 0;
                    if !zero {
                        ids[place] = CStr::from_ptr(sys::rd_kafka_Uuid_base64str(id)).to_string_lossy().into_owned();
                    }
                }
                RD_KAFKA_RESP_ERR_NO_ERROR
            },
        );
        sys::rd_kafka_TopicCollection_destroy(topics);
        answer?;
    }
    Ok(ids)
}

/// Asks the brokers one question and has the answer read.
///
/// # Safety
/// `question` puts exactly one event into the queue, that of `operation`; `read` keeps no pointer of the event, and returns
/// the failure that it finds in the answer.
unsafe fn ask<C: ClientContext>(
    client: &Client<C>,
    operation: sys::rd_kafka_admin_op_t,
    timeout: Duration,
    question: impl FnOnce(*const sys::rd_kafka_AdminOptions_t, *mut sys::rd_kafka_queue_t),
    read: impl FnOnce(*mut sys::rd_kafka_event_t) -> sys::rd_kafka_resp_err_t,
) -> Result<(), RDKafkaErrorCode> {
    // SAFETY: the client is valid to the end of the block; what is made is destroyed once, in reverse order.
    let code = unsafe {
        let queue = sys::rd_kafka_queue_new(client.native_ptr());
        let options = sys::rd_kafka_AdminOptions_new(client.native_ptr(), operation);
        sys::rd_kafka_AdminOptions_set_request_timeout(options, millis(timeout), ptr::null_mut(), 0);
        question(options, queue);
        let event = sys::rd_kafka_queue_poll(queue, millis(timeout));
        let mut code = if event.is_null() { RD_KAFKA_RESP_ERR__TIMED_OUT } else { sys::rd_kafka_event_error(event) };
        if code == RD_KAFKA_RESP_ERR_NO_ERROR {
            code = read(event);
        }
        if !event.is_null() {
            sys::rd_kafka_event_destroy(event);
        }
        sys::rd_kafka_AdminOptions_destroy(options);
        sys::rd_kafka_queue_destroy(queue);
        code
    };
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(code.into()) }
}

/// Which end of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The lowest offset that exists.
    Low,
    /// The offset behind the last record, open transactions included.
    High,
}

/// One end of each of these partitions, in their order. The failure of any of them is the answer's.
pub(crate) fn ends<C: ClientContext>(
    client: &Client<C>,
    partitions: &[TopicPartition],
    end: End,
    timeout: Duration,
) -> Result<Vec<Offset>, RDKafkaErrorCode> {
    let wanted = match end {
        End::Low => rdkafka::Offset::Beginning,
        End::High => rdkafka::Offset::End,
    };
    let mut questions = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        questions
            .add_partition_offset(&partition.topic, partition.partition, wanted)
            .map_err(|_| RDKafkaErrorCode::InvalidArgument)?;
    }
    let mut found: HashMap<(String, i32), Offset> = HashMap::new();
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS;
    // SAFETY: client and list are valid to the end of the block; the call puts one event into the queue, and what is kept of its
    // answer is copied.
    unsafe {
        ask(
            client,
            operation,
            timeout,
            |options, queue| sys::rd_kafka_ListOffsets(client.native_ptr(), questions.ptr(), options, queue),
            |event| {
                let mut code = RD_KAFKA_RESP_ERR_NO_ERROR;
                let mut count = 0;
                let answers =
                    sys::rd_kafka_ListOffsets_result_infos(sys::rd_kafka_event_ListOffsets_result(event), &mut count);
                for index in 0..count {
                    let answer = &*sys::rd_kafka_ListOffsetsResultInfo_topic_partition(*answers.add(index));
                    if answer.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                        code = answer.err;
                        continue;
                    }
                    let topic = CStr::from_ptr(answer.topic).to_string_lossy().into_owned();
                    found.insert((topic, answer.partition), answer.offset);
                }
                code
            },
        )?;
    }
    let answer = |partition: &TopicPartition| found.get(&(partition.topic.to_string(), partition.partition)).copied();
    partitions.iter().map(|partition| answer(partition).ok_or(RDKafkaErrorCode::UnknownPartition)).collect()
}
