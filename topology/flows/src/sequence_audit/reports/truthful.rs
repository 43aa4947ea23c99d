//! The answers as they are, from the states of lines and of messages.

use concord_schemas::gp_links::{DocumentWorkflow, StateDocument};

use super::super::counter::{Circle, NumberRange};
use super::super::finding::FindingState;
use super::super::gap::GapState;
use super::super::line::SequenceLine;
use super::super::receipts::{MessageKey, MessageReceipts};
use super::super::run::Run;
use super::super::settings::LineSettings;

/// From an instant on, up to another, which is outside. Milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first that is inside.
    pub from_ms: i64,
    /// The first that is outside again.
    pub to_ms: i64,
}

/// Which numbers are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingNumbers {
    /// Nothing on the line is of that time.
    NoData,
    /// Something is, and nothing is missing.
    NoGap,
    /// In the order of the line.
    Missing(Vec<MissingRange>),
}

/// Numbers that are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRange {
    /// The numbers.
    pub numbers: NumberRange,
    /// Suspected, confirmed or explained.
    pub state: FindingState,
}

/// The numbers missing of what was prepared within a window: those between two that came, the one before prepared before
/// the window ends, the one behind not before it begins. Of a time that is not known they might be, so they are named.
#[must_use]
pub fn missing_numbers(line: &SequenceLine, window: Window, settings: &LineSettings) -> MissingNumbers {
    let overlaps = |before: Option<i64>, behind: Option<i64>| {
        before.is_none_or(|before| before < window.to_ms) && behind.is_none_or(|behind| behind >= window.from_ms)
    };
    let runs = || line.runs().iter().filter(|run| overlaps(run.prepared_first, run.prepared_last));
    if runs().all(|run| run.last < run.first) {
        return MissingNumbers::NoData;
    }
    let mut missing = Vec::new();
    for run in runs() {
        for gap in run.gaps.iter().filter(|gap| overlaps(gap.prepared_before, gap.prepared_after)) {
            let state = match gap.state {
                GapState::Suspected { .. } => FindingState::Suspected,
                GapState::Confirmed => FindingState::Confirmed,
                GapState::Explained(_) => FindingState::Explained,
            };
            missing.push(MissingRange { numbers: Run::numbers(gap.from, gap.to, settings.numbers), state });
        }
    }
    if missing.is_empty() { MissingNumbers::NoGap } else { MissingNumbers::Missing(missing) }
}

/// The messages without a receipt that were prepared within a window, each once, however many transactions it has.
pub fn missing_receipts<'all>(
    messages: impl IntoIterator<Item = (&'all MessageKey, &'all MessageReceipts)>,
    window: Window,
) -> Vec<&'all MessageKey> {
    let is_inside = |at: i64| (window.from_ms..window.to_ms).contains(&at);
    let outstanding = messages
        .into_iter()
        .filter(|(_, receipts)| receipts.is_outstanding() && receipts.prepared_at_ms().is_some_and(is_inside));
    outstanding.map(|(key, _)| key).collect()
}

/// What a practice must enter again when a Health Authority lost the interchanges of a range, ends included, in the order of
/// the line: the operations of registrations.
#[must_use]
pub fn operations<'all>(
    documents: &'all [StateDocument],
    sender: &str,
    recipient: &str,
    range: NumberRange,
    numbers: Circle,
) -> Vec<(u64, &'all str)> {
    let length = numbers.steps(range.from, range.to);
    let mut found = Vec::new();
    for document in documents {
        let is_asked = document.workflow == DocumentWorkflow::Registration
            && document.sender == sender
            && document.recipient == recipient;
        let number = document.interchange.and_then(|number| u64::try_from(number).ok());
        if let (true, Some(number), Some(operation)) = (is_asked, number, document.operation_id.as_deref())
            && numbers.contains(number)
            && numbers.steps(range.from, number) <= length
        {
            found.push((number, operation));
        }
    }
    found.sort_by_key(|&(number, operation)| (numbers.steps(range.from, number), operation));
    found
}
