//! Sequence audit: which numbers of a GP link are missing, which came again, and which messages have no receipt.
//!
//! The rules are pure. A [`LinkState`] and a [`SequenceLine`] take in what comes ([`SeenInterchange`]) and the passing of
//! deadlines, and answer with [`Change`]s to the published [`Finding`]s; [`MessageReceipts`] does so for the receipts of one
//! message. States are small and are stored by [`stored`]; what came of late on a line is in [`RecentRows`] beside its state. [`reports`] are the questions of the earlier way.
//!
//! The flow is three processors, which keep the states and call the rules: the reading of what was received, the links, and the
//! transactions of each sender, wired in [`topology()`].

pub mod codes;
mod command;
mod counter;
mod deadlines;
mod events;
mod finding;
mod gap;
mod line;
mod link;
mod links;
mod publication;
mod reading;
mod receipts;
mod received;
mod recent;
pub mod reports;
mod run;
mod seen;
mod settings;
mod stored;
mod stored_rows;
pub mod topology;
mod traffic;
mod transactions;
pub mod values;
mod workflow_mismatch;

pub use command::MOST_RECEIPTS;
pub use counter::{Circle, Counter, NumberRange};
pub use events::{interchange_event, link_key, receipt_event};
pub use finding::{Change, Finding, FindingKind, FindingState, LineKey};
pub use gap::{Gap, GapState};
pub use line::{Arrival, LineSummary, SequenceLine, Sighting};
pub use link::{AuditSettings, Consequences, LinkState, MessageReceiptEvent};
pub use receipts::{Absence, KeptReceipt, MessageKey, MessageReceipts, ReceiptCounts, SentAt, Verdict};
pub use received::{Received, file_id};
pub use recent::{RecentRow, RecentRows, RowId, Seen};
pub use run::{JoinedEpoch, Run};
pub use settings::{LineSettings, ReceiptSettings, Settings};
pub use stored::{UnreadableState, from_stored, stored};
pub use topology::topology;
pub use traffic::{SeenInterchange, SeenMessage, SeenReceipt, SeenTransaction, Workflow, side_of_codes};

#[cfg(test)]
mod tests;
