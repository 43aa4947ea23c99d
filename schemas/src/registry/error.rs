//! What can go wrong between this program and its registry.

use crate::codec::{CodecError, WriterId};

/// A schema could not be registered or fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The configured address is not a URL.
    #[error("schema registry: the URL is not valid ({cause}); write it as http://host:8081 or with its path")]
    InvalidUrl {
        /// What is wrong with it.
        cause: String,
    },
    /// The registry did not answer, or answered that it cannot work now. Worth trying again later.
    #[error("schema registry {url} is unavailable after {attempts} attempts: {cause}")]
    Unavailable {
        /// Address without credentials.
        url: String,
        /// How often it was asked.
        attempts: u32,
        /// The last failure.
        cause: String,
    },
    /// The registry works and has no such schema: trying again does not help.
    #[error(
        "schema registry {url} has no schema with id {schema_id}; was the record written with the ids of another registry?"
    )]
    UnknownSchemaId {
        /// Address without credentials.
        url: String,
        /// The id that a record names.
        schema_id: u32,
    },
    /// The registry's compatibility rule forbids this version.
    #[error("subject {subject}: the registry refuses the schema as incompatible: {reason}")]
    Incompatible {
        /// The registry's subject.
        subject: String,
        /// As the registry says it.
        reason: String,
    },
    /// The registry refused the request for another reason.
    #[error("schema registry {url} refuses to {action}: {reason}")]
    Refused {
        /// Address without credentials.
        url: String,
        /// What was asked of it.
        action: String,
        /// As the registry says it.
        reason: String,
    },
    /// A record names a registry's schema, and no registry is configured.
    #[error("topic {topic}: a record names schema id {schema_id} of a schema registry; configure the registry's URL")]
    NotConfigured {
        /// Name of the topic schema.
        topic: &'static str,
        /// The id that a record names.
        schema_id: u32,
    },
    /// A record names a schema by fingerprint, and it is none of the bundled ones. Registries do not find by fingerprint.
    #[error("topic {topic}: no bundled schema has {id}; was the record written by a newer version of the program?")]
    UnknownFingerprint {
        /// Name of the topic schema.
        topic: &'static str,
        /// The fingerprint that a record names.
        id: WriterId,
    },
    /// The registry has the schema, and its records cannot be read as ours.
    #[error(transparent)]
    Unreadable(#[from] CodecError),
}
