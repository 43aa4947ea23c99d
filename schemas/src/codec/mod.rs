//! Between a topic's value and its bytes: one codec per topic, the same on every edge of the engine.
//!
//! Bytes are a header that names the writer's schema, then the Avro datum ([`Framing`]).
//! Encoding writes straight into the caller's buffer; decoding borrows text from the bytes it is given.
//!
//! ```
//! use concord_schemas::Schemas;
//! use concord_schemas::codec::PDS_REGISTRATION;
//! use concord_schemas::list_reconciliation::Registration;
//!
//! let schemas = Schemas::bundled();
//! let (mut encoder, decoder) = (schemas.encoder(), schemas.decoder());
//! let registration = Registration { nhs_number: "9990548609", gp_practice: "B85001", dispensing_flag: "" };
//!
//! let mut bytes = Vec::new();
//! encoder.encode(&PDS_REGISTRATION, &registration, &mut bytes)?;
//! let read: Registration = decoder.decode(&PDS_REGISTRATION, &bytes)?;
//! assert_eq!(read, registration);
//! # Ok::<(), concord_schemas::codec::CodecError>(())
//! ```

mod decoder;
mod encoder;
mod error;
mod framing;
mod topic_schema;

pub use decoder::{Decoder, WriterSchema};
pub use encoder::Encoder;
pub use error::CodecError;
pub use framing::{Framing, WriterId};
pub use topic_schema::{
    ALL, AUDIT_COMMAND, AUDIT_FINDING, COMMAND, CONFLICT, CONSOLIDATION, DECISION, DELIVERY, DIFFERENCE, DOCUMENT,
    DOCUMENT_EVENT, DPS_ANSWER, EXTRACTION, FILE, GP_EXTRACT, GP_LINKS_HISTORY, GP_LINKS_INTERCHANGE, GP_RECORD,
    INTAKE_REFUSED, JOB, JOB_EVENT, LINK_EVENT, MAIL, OUTCOME, PDS_ANSWER, PDS_LOOKUP, PDS_RECORD, PDS_REGISTRATION,
    POST_OFFICE, READ_REQUEST, STANDING_LIST, STANDING_PERSON, STORED, TRANSACTION_EVENT, TopicSchema, UPDATE_REQUEST,
};
