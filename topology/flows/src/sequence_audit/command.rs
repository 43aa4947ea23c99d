//! What operators say of lines and receipts.

use concord_engine::Rejection;
use concord_schemas::sequence_audit::{AuditAction, AuditCommand};

use super::codes;
use super::counter::{Counter, NumberRange};
use super::finding::{Change, LineKey};
use super::line::SequenceLine;
use super::receipts::MessageKey;
use super::recent::RecentRows;
use super::settings::LineSettings;

/// Messages of an interchange, or interchanges, whose receipts one command can be about.
pub const MOST_RECEIPTS: u32 = 10_000;

/// A command that can be obeyed.
pub(super) struct Said {
    pub counter: Counter,
    pub numbers: NumberRange,
    /// The reason and who gives it, as findings note it.
    pub why: String,
}

/// Checks a command before anything is done.
pub(super) fn understood(command: &AuditCommand<'_>) -> Result<Said, Rejection> {
    if command.by.trim().is_empty() || command.reason.trim().is_empty() {
        let message = "a command that does not say who gives it and why: name both";
        return Err(Rejection::by_processor(codes::COMMAND_BY_NOBODY, message));
    }
    let counter = [Counter::Sis, Counter::Sms, Counter::Tn].into_iter().find(|of| of.as_str() == command.counter);
    let least = if command.action == AuditAction::TakeOver { 0 } else { 1 };
    let is_of_receipt = command.action == AuditAction::ExplainReceipt;
    let fits = command.from >= least
        && command.to >= least
        && (counter == Some(Counter::Tn)) == command.recipient.is_empty()
        && (!is_of_receipt
            || match counter {
                Some(Counter::Sis) => command.interchange.is_none(),
                Some(Counter::Sms) => command.interchange.is_some_and(|number| number > 0),
                Some(Counter::Tn) | None => false,
            });
    let messages = command.to.saturating_sub(command.from);
    if is_of_receipt && !(0..i64::from(MOST_RECEIPTS)).contains(&messages) {
        return Err(Rejection::by_processor(
            codes::COMMAND_SUBJECT,
            "a command about the receipts of nothing, or of too many: from the first to the last, 10,000 at most",
        ));
    }
    match counter {
        Some(counter) if fits => Ok(Said {
            counter,
            numbers: (command.from.cast_unsigned(), command.to.cast_unsigned()).into(),
            why: format!("{} ({})", command.reason.trim(), command.by.trim()),
        }),
        _ => Err(Rejection::by_processor(
            codes::COMMAND_SUBJECT,
            "a command about no line: give sis or sms with sender and recipient, or tn with the sender alone, and \
             numbers from 1; for a receipt sms with its interchange and message, or sis with the interchange alone",
        )),
    }
}

/// Checks the numbers of a command against those of its line.
pub(super) fn check_numbers(command: &AuditCommand<'_>, settings: &LineSettings) -> Result<(), Rejection> {
    let numbers = settings.numbers;
    let is_one = |number: i64| u64::try_from(number).is_ok_and(|number| numbers.contains(number));
    let begins = command.action == AuditAction::TakeOver && command.from == 0;
    let are_numbers = begins || (is_one(command.from) && is_one(command.to));
    // More cannot be missing: the numbers have then gone on elsewhere.
    let steps = numbers.steps(command.from.cast_unsigned(), command.to.cast_unsigned());
    if are_numbers && (command.action == AuditAction::TakeOver || steps < settings.plausible.max(1)) {
        return Ok(());
    }
    let largest = numbers.largest();
    let message = format!(
        "a command about numbers that there are not, or about more than can be missing: from 1 to {largest}, from the first to \
         the last in the order of the line, {} at most",
        settings.plausible
    );
    Err(Rejection::by_processor(codes::COMMAND_SUBJECT, message))
}

/// What the receipts are of that a command about receipts names by a number: a message of its interchange, or an interchange as a whole.
pub(super) fn receipted(command: &AuditCommand<'_>, number: u64) -> MessageKey {
    let (sender, recipient) = (command.sender, command.recipient);
    match command.interchange {
        None => MessageKey::of_interchange(sender, recipient, number),
        Some(of) => MessageKey { message: number, ..MessageKey::of_interchange(sender, recipient, of.cast_unsigned()) },
    }
}

/// Has a line take in what is said of it.
pub(super) fn obey<R: RecentRows>(
    line: &mut SequenceLine,
    key: &LineKey,
    command: &AuditCommand<'_>,
    said: &Said,
    settings: &LineSettings,
    rows: &mut R,
    changes: &mut Vec<Change>,
) -> Result<(), R::Error> {
    match command.action {
        AuditAction::ExplainNumbers => line.explain(key, said.numbers, &said.why, command.at_ms, settings, changes),
        AuditAction::TakeOver => line.take_over(key, said.numbers.from, command.at_ms, settings, rows, changes)?,
        // It is no matter of a line.
        AuditAction::ExplainReceipt => {}
    }
    Ok(())
}
