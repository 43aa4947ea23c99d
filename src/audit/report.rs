//! What an audit found, for programs and for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use concord_flows::sequence_audit::values::{KeptLink, OpenMessage};
use concord_flows::sequence_audit::{LineSummary, NumberRange, side_of_codes};
use concord_schemas::gp_links::Side;
use serde_json::{Value, json};

use super::Outcome;

/// Links and findings as one object.
pub fn as_json(outcome: &Outcome) -> Value {
    let links: Vec<Value> = links(outcome).map(|link| link.as_json()).collect();
    let findings: Vec<&Value> = outcome.findings.iter().map(super::FindingLine::as_json).collect();
    json!({ "links": links, "findings": findings })
}

/// Each link, then how many findings of each kind there are.
pub fn as_text(outcome: &Outcome) -> String {
    let mut text = String::new();
    let mut any = false;
    for link in links(outcome) {
        any = true;
        link.write_to(&mut text);
    }
    // Writing to a String does not fail.
    if !any {
        let _ = writeln!(text, "No interchange was read: there is no data.\n");
    }
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for finding in &outcome.findings {
        *counts.entry((&finding.kind, &finding.state)).or_default() += 1;
    }
    if counts.is_empty() {
        let _ = writeln!(text, "No finding.");
    } else {
        let _ = writeln!(text, "{} findings:", outcome.findings.len());
    }
    for ((kind, state), count) in counts {
        let _ = writeln!(text, "  {count:>6}  {kind} {state}");
    }
    text
}

/// A direction of a link with all that is told of it.
struct Link<'a> {
    kept: &'a KeptLink,
    counters: [(&'static str, LineSummary); 3],
    outstanding: Vec<&'a OpenMessage>,
}

fn links(outcome: &Outcome) -> impl Iterator<Item = Link<'_>> {
    outcome.links.iter().map(|kept| {
        let (sender, recipient) = (&kept.sender, &kept.recipient);
        let transactions = outcome.transactions.iter().find(|transactions| transactions.sender == *sender);
        let of_sender = transactions.and_then(|transactions| {
            let settings = outcome.audit.of_transactions(transactions.side)?;
            Some(transactions.line.summary(&settings))
        });
        let outstanding = outcome.messages.iter().filter(|message| {
            message.key.sender == *sender && message.key.recipient == *recipient && message.receipts.is_outstanding()
        });
        Link {
            kept,
            counters: [
                ("sis", kept.state.interchanges.summary(&outcome.audit.interchanges)),
                ("sms", kept.state.messages.summary(&outcome.audit.messages)),
                ("tn", of_sender.unwrap_or_default()),
            ],
            outstanding: outstanding.collect(),
        }
    })
}

impl Link<'_> {
    fn direction(&self) -> &'static str {
        // Of a link that only receipts have told of, the codes must do.
        match self.kept.side.or_else(|| side_of_codes(&self.kept.sender, &self.kept.recipient)) {
            Some(Side::Gp) => "outbound",
            Some(Side::HealthAuthority) => "inbound",
            None => "unknown",
        }
    }

    fn as_json(&self) -> Value {
        let counters: serde_json::Map<String, Value> =
            self.counters.iter().map(|(name, summary)| ((*name).to_owned(), json!(summary))).collect();
        let outstanding: Vec<Value> = self
            .outstanding
            .iter()
            .map(|message| json!({ "sis": message.key.interchange, "sms": message.key.message }))
            .collect();
        let receipts = self.kept.state.receipts;
        json!({
            "sender": self.kept.sender,
            "recipient": self.kept.recipient,
            "direction": self.direction(),
            "counters": counters,
            "receipts": {
                "expected": receipts.expected,
                "received": receipts.received,
                "negative": receipts.negative,
                "outstanding": outstanding,
            },
        })
    }

    fn write_to(&self, text: &mut String) {
        const NAMED: usize = 10;
        // Writing to a String does not fail.
        let _ = writeln!(text, "{} to {} ({})", self.kept.sender, self.kept.recipient, self.direction());
        let names = ["interchanges", "messages", "transactions of the sender"];
        for (name, (_, summary)) in names.iter().zip(&self.counters) {
            let seen: Vec<String> =
                summary.seen.iter().map(|NumberRange { from, to }| format!("{from} to {to}")).collect();
            let seen = match (seen.is_empty(), summary.next) {
                (false, _) => seen.join(", then "),
                (true, Some(next)) => format!("none, {next} is the next"),
                (true, None) => "none".to_owned(),
            };
            let _ = write!(text, "  {name}: {seen}");
            if !summary.missing.is_empty() {
                let _ = write!(text, "; missing {}", ranges(&summary.missing));
            }
            if summary.duplicates > 0 {
                let _ = write!(text, "; {} came again", summary.duplicates);
            }
            text.push('\n');
        }
        let receipts = self.kept.state.receipts;
        if receipts.expected + receipts.negative > 0 {
            let (expected, received, negative) = (receipts.expected, receipts.received, receipts.negative);
            let _ = write!(text, "  receipts: {expected} expected, {received} came, {negative} negative");
            let named = self.outstanding.iter().take(NAMED);
            let named: Vec<String> =
                named.map(|message| format!("{}/{}", message.key.interchange, message.key.message)).collect();
            if !named.is_empty() {
                let more = self.outstanding.len() - named.len();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let _ = write!(text, "; none for interchange/message {}{more}", named.join(", "));
            }
            text.push('\n');
        }
        text.push('\n');
    }
}

/// `2, 4-6, 8`.
pub fn ranges(ranges: &[NumberRange]) -> String {
    let words = ranges.iter().map(
        |NumberRange { from, to }| {
            if from == to { from.to_string() } else { format!("{from}-{to}") }
        },
    );
    words.collect::<Vec<_>>().join(", ")
}
