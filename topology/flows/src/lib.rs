//! The systems that run on the engine, one folder each.

mod derived_id;
pub mod list_reconciliation;
pub mod patient_documents;
pub mod sequence_audit;
