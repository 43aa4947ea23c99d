//! The sequence audit: every input is accounted for once, and what is published is what the inputs say.
//!
//! Of the flow it shares the reading of EDIFACT and what of an interchange matters ([`SeenInterchange`]), the names of topics and
//! the settings. It shares nothing of how lines and receipts are judged: a line is here the plain set of its numbers, and what is
//! missing are the holes in it; a receipt is outstanding when the set of messages has what the set of receipts has not.

mod events;
mod inputs;
mod lines;
mod published;
mod receipts;

use concord_engine::topology::Topology;
use concord_flows::sequence_audit::{AuditSettings, LineSettings, SeenInterchange};
use concord_schemas::codec::Decoder;

use super::Outcome;
use super::report::Report;
use super::topics::{Record, Topics};
use inputs::Inputs;
use published::Published;

const REPORT_IT: &str =
    "keep the topics as they are and report it; `concord explain` shows what the records were made of";
const VERIFY_AGAIN: &str = "deadlines may have passed while this was read: verify again; when it stays, keep the topics as they are and report it";

/// What the parts of this verification read with.
struct Reading<'v> {
    topics: &'v Topics,
    decoder: &'v Decoder,
    application: &'v str,
    audit: &'v AuditSettings,
}

/// Holds everything against each other. `at_rest`: nothing waits to be processed; otherwise the topics are of different moments,
/// and only what each says by itself is checked.
pub(super) fn is_accounted_for(
    topology: &Topology,
    topics: &Topics,
    decoder: &Decoder,
    audit: &AuditSettings,
    at_rest: bool,
    report: &mut Report,
) -> Outcome<()> {
    let reading = Reading { topics, decoder, application: &topology.application, audit };
    let letters = inputs::dead_letters(topics, &topology.topics[topology.dead_letters].name)?;
    let published = Published::read(&reading, report)?;
    let events = events::Events::read(&reading, report)?;
    let inputs = Inputs::read(&reading, &letters, &events, report)?;
    if !at_rest {
        return Ok(());
    }
    let internal = letters.iter().filter(|letter| letter.contains(".repartition/")).count();
    if internal > 0 {
        let what =
            format!("{internal} events between the parts of the audit were rejected, so lines lack what they say");
        report.find(
            "dead letters",
            what,
            "mend their cause, replay them with `concord dead-letters replay`, and verify again",
        );
        return Ok(());
    }
    events.are_each_processed_once(&reading, report);
    published.tells_of_every_envelope(&inputs, report);
    lines::are_what_is_published(&reading, &inputs, &published, report);
    receipts::are_what_is_published(&reading, &inputs, &published, report)
}

/// Where a record stands, as lineage names it.
fn place_of(topic: &str, record: &Record) -> String {
    format!("{topic}/{}/{}", record.partition, record.offset)
}

/// Numbers and contents of the transactions of an interchange that are on the line of its sender, which has these settings.
fn transactions_on_line<'s>(
    seen: &'s SeenInterchange,
    settings: &'s LineSettings,
) -> impl Iterator<Item = (u64, Option<u64>)> {
    let of_sender = seen.messages.iter().filter(|message| !message.echoes_numbers);
    let all = of_sender.flat_map(|message| &message.transactions).map(|found| (found.number, found.content));
    all.filter(|(number, _)| settings.numbers.contains(*number))
}
