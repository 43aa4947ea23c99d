//! Sequence audit: which numbers of a GP link are missing, which came again, and which messages have no receipt.
//!
//! All of it is pure. A [`LinkState`] and a [`SequenceLine`] take in what comes ([`SeenInterchange`]) and the passing of
//! deadlines, and answer with [`Change`]s to the published [`Finding`]s; [`MessageReceipts`] does so for the receipts of one
//! message. States are small and are stored by [`stored`]. [`reports`] are the questions of the earlier way.

mod counter;
mod finding;
mod gap;
mod line;
mod link;
mod receipts;
pub mod reports;
mod run;
mod settings;
mod stored;
mod traffic;

pub use counter::{Circle, Counter, NumberRange};
pub use finding::{Change, Finding, FindingKind, FindingState, LineKey};
pub use gap::{Gap, GapState};
pub use line::{Arrival, LineSummary, SequenceLine, Sighting};
pub use link::{AuditSettings, Consequences, LinkState, MessageReceiptEvent};
pub use receipts::{KeptReceipt, MessageKey, MessageReceipts, ReceiptCounts, Verdict};
pub use run::{Run, Seen};
pub use settings::{LineSettings, ReceiptSettings};
pub use stored::{UnreadableState, from_stored, stored};
pub use traffic::{SeenInterchange, SeenMessage, SeenReceipt, SeenTransaction, Workflow, side_of_codes};

#[cfg(test)]
mod tests;
