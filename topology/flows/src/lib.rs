//! The systems that run on the engine, one folder each.

pub mod list_reconciliation;
pub mod sequence_audit;
