//! A question as it was read from the log.

use concord_engine::log::{LogRecord, Offset, TopicPartition};
use concord_schemas::codec::{self, CodecError, Decoder};
use concord_schemas::pds::PdsLookup;

/// A question that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub from: TopicPartition,
    pub offset: Offset,
    pub nhs_number: String,
    /// `None` when the question cannot be read; it is answered with a failure.
    pub job_id: Option<String>,
    /// How often it was asked in vain.
    pub failures: u32,
    /// How often of these PDS answered for others.
    pub failed_beside_others: u32,
}

/// What a record of the topic is.
pub(super) enum Read {
    Question(Question),
    /// Nothing that anybody could be answered to.
    Nothing(&'static str),
    /// It was written with a schema that is not at hand.
    UnknownSchema(CodecError),
}

/// Reads a record.
pub(super) fn read(decoder: &Decoder, from: &TopicPartition, record: &LogRecord) -> Read {
    let Some(key) = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok()).filter(|key| !key.is_empty())
    else {
        return Read::Nothing("a question without a key that is text");
    };
    let Some(value) = &record.value else { return Read::Nothing("a question without a value") };
    let question = |job_id| Question {
        from: from.clone(),
        offset: record.offset,
        nhs_number: key.to_owned(),
        job_id,
        failures: 0,
        failed_beside_others: 0,
    };
    match decoder.decode::<PdsLookup<'_>>(&codec::PDS_LOOKUP, value) {
        Ok(lookup) if lookup.nhs_number == key => Read::Question(question(Some(lookup.job_id.to_owned()))),
        Err(error @ CodecError::UnknownWriterSchema { .. }) => Read::UnknownSchema(error),
        // Whoever waits for the answer knows the question by its key.
        Ok(_) | Err(_) => Read::Question(question(None)),
    }
}
