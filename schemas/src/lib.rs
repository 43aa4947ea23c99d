//! The contract of Concord's topics: Avro schemas, their Rust types, wire codecs and the registry client.

pub mod codec;
pub mod dps;
pub mod gp_links;
pub mod list_reconciliation;
pub mod nhs_number;
pub mod patience;
pub mod patient_documents;
pub mod pds;
pub mod registry;
mod schemas;
pub mod sequence_audit;
pub mod sources;

pub use schemas::Schemas;
