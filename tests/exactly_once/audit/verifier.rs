//! Holds what the audit wrote against the expectation: every interchange went on to its link once and is counted there once,
//! and of every planted fault there is one finding that stands, and never said twice for one cause.

use std::collections::{BTreeMap, BTreeSet};

use concord_engine::topology::Topology;
use concord_flows::sequence_audit::from_stored;
use concord_flows::sequence_audit::topology::{FINDING, LINK_EVENTS, LINKS, TRANSACTION_EVENTS, TRANSACTION_LINES};
use concord_flows::sequence_audit::values::{KeptLink, KeptTransactions};
use concord_schemas::Schemas;
use concord_schemas::codec::{self, Decoder};
use concord_schemas::sequence_audit::{AuditFinding, LinkEvent, TransactionEvent};

use super::expected::{Interchange, Receipt, Traffic, found_as};
use crate::findings::Findings;
use crate::replayed::{Entries, replayed};
use crate::stage::Stage;
use crate::topics::{Record, Topics};
use crate::verifier::{disks, nothing_is_undecided_or_unread};
use crate::{Outcome, PARTITIONS};

/// Faults that a complaint names.
const MOST_NAMED: usize = 10;

/// Verifies what a scenario left. Both instances must be stopped.
pub fn verify(stage: &Stage) -> Outcome<Findings> {
    let topology = (stage.flow.topology)()?;
    let traffic = Traffic::read(&stage.topics)?;
    let mut findings = Findings::default();
    findings.records += traffic.interchanges.len() as u64;
    findings.same("interchanges on the topic", stage.audited.published, traffic.interchanges.len() as u64);
    let written = Written { topics: &stage.topics, topology: &topology, decoder: Schemas::bundled().decoder() };
    written.everything_goes_on_to_its_link_once(&traffic, &mut findings)?;
    written.transactions_go_on_to_their_sender_once(&traffic, &mut findings)?;
    written.every_number_is_counted_once(&traffic, &mut findings)?;
    written.what_stands_was_planted(stage.audited.planted.iter().map(found_as).collect(), &mut findings)?;
    nothing_is_undecided_or_unread(&stage.topics, &topology, 0, &mut findings)?;
    disks::state_is_what_the_changelogs_say(stage, &topology, &mut findings)?;
    Ok(findings)
}

/// The topics that came out.
struct Written<'s> {
    topics: &'s Topics,
    topology: &'s Topology,
    decoder: Decoder,
}

impl Written<'_> {
    fn everything_goes_on_to_its_link_once(&self, traffic: &Traffic, findings: &mut Findings) -> Outcome<()> {
        let topic = self.internal(LINK_EVENTS, "repartition");
        let (mut interchanges, mut receipts) = (Vec::new(), Vec::new());
        for record in &self.topics.read(&topic)? {
            let value = record.value.as_deref().unwrap_or_default();
            match self.decoder.decode(&codec::LINK_EVENT, value).map_err(|e| e.to_string())? {
                LinkEvent::InterchangeSeen(seen) => interchanges.push(Interchange {
                    sender: seen.sender.to_owned(),
                    recipient: seen.recipient.to_owned(),
                    number: seen.number.unwrap_or_default(),
                    received_at_ms: seen.at_ms,
                    messages: seen
                        .messages
                        .iter()
                        .map(|message| {
                            let transactions = message.transactions.iter().map(|of| of.number);
                            (message.number.unwrap_or_default(), transactions.collect())
                        })
                        .collect(),
                }),
                LinkEvent::ReceiptSeen(seen) => receipts.push(Receipt {
                    sender: seen.sender.to_owned(),
                    recipient: seen.recipient.to_owned(),
                    interchange: seen.interchange,
                    message: seen.message,
                    by: (seen.by_interchange, seen.by_message),
                    code: seen.verdict.to_owned(),
                }),
                LinkEvent::TimePassed(_) => return Err("time passed by an event, and nobody sends one".to_owned()),
            }
        }
        findings.each_once(&format!("interchanges on {topic}"), traffic.interchanges.iter().cloned(), interchanges);
        findings.each_once(&format!("receipts on {topic}"), traffic.receipts.iter().cloned(), receipts);
        Ok(())
    }

    fn transactions_go_on_to_their_sender_once(&self, traffic: &Traffic, findings: &mut Findings) -> Outcome<()> {
        let topic = self.internal(TRANSACTION_EVENTS, "repartition");
        let mut found = Vec::new();
        for record in &self.topics.read(&topic)? {
            let value = record.value.as_deref().unwrap_or_default();
            let TransactionEvent::TransactionsSeen(seen) =
                self.decoder.decode(&codec::TRANSACTION_EVENT, value).map_err(|e| e.to_string())?
            else {
                return Err(format!("{topic} has an event that nobody sends"));
            };
            let numbers: Vec<i64> = seen.transactions.iter().map(|of| of.number).collect();
            found.push((seen.sender.to_owned(), seen.at_ms, numbers));
        }
        let with_transactions = traffic.interchanges.iter().filter_map(|interchange| {
            let numbers = transactions(interchange);
            (!numbers.is_empty()).then(|| (interchange.sender.clone(), interchange.received_at_ms, numbers))
        });
        findings.each_once(&topic, with_transactions, found);
        Ok(())
    }

    /// The states of lines count what they have seen.
    fn every_number_is_counted_once(&self, traffic: &Traffic, findings: &mut Findings) -> Outcome<()> {
        let mut expected: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut of_senders: BTreeMap<String, u64> = BTreeMap::new();
        for interchange in &traffic.interchanges {
            let of_link = expected.entry(format!("{}>{}", interchange.sender, interchange.recipient)).or_default();
            of_link.0 += 1;
            of_link.1 += interchange.messages.len() as u64;
            let numbers = transactions(interchange).len() as u64;
            if numbers > 0 {
                *of_senders.entry(interchange.sender.clone()).or_default() += numbers;
            }
        }
        let mut found = BTreeMap::new();
        for bytes in self.store(LINKS)?.into_values() {
            let KeptLink { sender, recipient, state, .. } = from_stored(&bytes).map_err(|e| e.to_string())?;
            let counted = (state.interchanges.sightings(), state.messages.sightings());
            found.insert(format!("{sender}>{recipient}"), counted);
        }
        findings.each_once("interchanges and messages counted by links", expected, found);
        let mut found = BTreeMap::new();
        for bytes in self.store(TRANSACTION_LINES)?.into_values() {
            let KeptTransactions { sender, line, .. } = from_stored(&bytes).map_err(|e| e.to_string())?;
            found.insert(sender, line.sightings());
        }
        findings.each_once("transactions counted by senders", of_senders, found);
        Ok(())
    }

    fn what_stands_was_planted(&self, planted: Vec<String>, findings: &mut Findings) -> Outcome<()> {
        let mut standing = BTreeMap::new();
        let mut causes = BTreeMap::new();
        let mut said_again = 0;
        for record in &self.topics.read(FINDING)? {
            let key = record.text_key();
            let said = match &record.value {
                None => None,
                Some(value) => Some(self.said(value)?),
            };
            *causes.entry((key.clone(), record.lineage.clone(), said.clone())).or_insert(0_u64) += 1;
            let before = match said.clone() {
                Some(said) => standing.insert(key, said),
                None => standing.remove(&key),
            };
            // What comes and goes within one record is taken back without having been there.
            said_again += u64::from(said.is_some() && before == said);
        }
        let once: BTreeSet<_> = causes.keys().cloned().collect();
        let all = causes.into_iter().flat_map(|(cause, times)| std::iter::repeat_n(cause, times as usize));
        findings.each_once("findings by what led to them", once, all);
        findings.same("findings said again without a change", 0, said_again);
        let stand: Vec<String> = standing.into_values().map(|said| said.fault).collect();
        for (what, these, others) in
            [("planted and not found", &planted, &stand), ("found and not planted", &stand, &planted)]
        {
            // Nobody in generated traffic exists.
            let alone: Vec<&String> = these.iter().filter(|fault| !others.contains(fault)).take(MOST_NAMED).collect();
            findings.same(what, Vec::new(), alone);
        }
        findings.each_once("findings that stand", planted, stand);
        Ok(())
    }

    fn said(&self, value: &[u8]) -> Outcome<Said> {
        let finding: AuditFinding<'_> = self.decoder.decode(&codec::AUDIT_FINDING, value).map_err(|e| e.to_string())?;
        let AuditFinding { kind, state, counter, sender, recipient, from, to, copies, note, .. } = finding;
        let numbers = match (from, to) {
            (Some(from), Some(to)) if kind != "epoch-change" => format!("{from}-{to}"),
            _ => String::new(),
        };
        let fault = format!("{kind} {state} {counter} {sender}>{recipient} {numbers}");
        Ok(Said { fault, more: format!("{copies:?} {note}") })
    }

    /// What a store holds by its changelog.
    fn store(&self, name: &str) -> Outcome<Entries> {
        let specs = self.topology.sub_topologies.iter().flat_map(|sub| &sub.stores);
        let spec =
            specs.into_iter().find(|spec| spec.name == name).ok_or_else(|| format!("there is no store {name}"))?;
        let changelog = self.topics.read(&self.internal(name, "changelog"))?;
        let mut entries = Entries::new();
        for partition in 0..PARTITIONS {
            let history: Vec<&Record> = changelog.iter().filter(|record| record.partition == partition).collect();
            entries.extend(replayed(spec, history.into_iter(), i64::MAX));
        }
        Ok(entries)
    }

    fn internal(&self, name: &str, role: &str) -> String {
        format!("{}.{name}.{role}", self.topology.application)
    }
}

/// A finding in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    /// Kind, state, counter, line and numbers.
    fault: String,
    more: String,
}

fn transactions(interchange: &Interchange) -> Vec<i64> {
    interchange.messages.iter().flat_map(|(_, transactions)| transactions.iter().copied()).collect()
}
