//! Typed values of topics and stores.

use concord_schemas::codec::TopicSchema;
use serde::{Deserialize, Serialize};

/// The kind of value a topic or store holds. A kind is an empty type; the value itself may borrow from the bytes it was read from.
///
/// ```
/// # use concord_engine::value::Value;
/// # use concord_schemas::codec::{PDS_RECORD, TopicSchema};
/// # use concord_schemas::list_reconciliation::PdsRecord;
/// struct PdsRecords;
///
/// impl Value for PdsRecords {
///     type Of<'a> = PdsRecord<'a>;
///     fn schema() -> &'static TopicSchema {
///         &PDS_RECORD
///     }
/// }
/// ```
pub trait Value: 'static {
    /// The value, borrowing from bytes that live for `'a`.
    type Of<'a>: Serialize + Deserialize<'a>;
    /// Its Avro schema.
    fn schema() -> &'static TopicSchema;
}

/// A kind of value that is made of many parts. What is sent part by part travels in few records: see
/// [`Context::send_part`](crate::Context::send_part).
pub trait Gathered: Value {
    /// One part, on its own.
    type Part: Send + 'static;
    /// About how many bytes the part takes in the record.
    fn weight(part: &Self::Part) -> usize;
    /// The value that carries these parts, which were sent with this key.
    fn together<'a>(key: &'a str, parts: &'a [Self::Part]) -> Self::Of<'a>;
}
