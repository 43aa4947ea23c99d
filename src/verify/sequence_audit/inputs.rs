//! What came in: interchanges read anew from the pieces on their topic, histories, and what operators said.

use std::collections::{BTreeMap, BTreeSet};

use concord_edifact::{InterchangeReader, Strictness};
use concord_flows::sequence_audit::reports::history;
use concord_flows::sequence_audit::topology::{COMMAND, GP_LINKS_HISTORY, GP_LINKS_INTERCHANGE};
use concord_flows::sequence_audit::{MessageKey, MessageReceiptEvent, SeenInterchange, Workflow};
use concord_schemas::codec;
use concord_schemas::gp_links::{HistoryDocument, InterchangePiece};
use concord_schemas::sequence_audit::{AuditAction, AuditCommand};

use super::super::Outcome;
use super::super::report::Report;
use super::super::topics::Topics;
use super::events::Events;
use super::{REPORT_IT, Reading, place_of};

/// For so long the flow remembers what it has read, less what clocks may differ.
const REMEMBERED_MS: i64 = 23 * 60 * 60 * 1000;

/// Everything that came in and is still on its topics.
#[derive(Default)]
pub struct Inputs {
    /// Interchanges, each as often as it was read.
    pub interchanges: Vec<SeenInterchange>,
    /// Interchanges of which a history tells; their contents are not known.
    pub history: Vec<SeenInterchange>,
    /// Receipts of which a history tells.
    pub history_receipts: Vec<MessageReceiptEvent>,
    /// Ids of the findings that tell of bytes that are no interchange.
    pub refused: BTreeSet<String>,
    /// Numbers used last, as operators said: counter, sender, recipient, number.
    pub taken_over: Vec<(String, String, String, u64)>,
    /// Messages of which operators said that no receipt will come.
    pub given_up: BTreeSet<MessageKey>,
    /// Nothing that came was deleted from the topics meanwhile.
    pub are_complete: bool,
}

/// A source whose last piece has not been read yet.
#[derive(Default)]
struct Source {
    pieces: BTreeMap<i32, Vec<u8>>,
    read_at_ms: Option<i64>,
}

/// Where the rejected records stand.
pub fn dead_letters(topics: &Topics, topic: &str) -> Outcome<BTreeSet<String>> {
    let mut letters = BTreeSet::new();
    topics.each(topic, &mut |record| {
        letters.extend(record.rejected_at);
        Ok(())
    })?;
    Ok(letters)
}

impl Inputs {
    /// Reads all of it. Each source must have caused one event for each of its interchanges.
    pub fn read(
        reading: &Reading<'_>,
        letters: &BTreeSet<String>,
        events: &Events,
        report: &mut Report,
    ) -> Outcome<Self> {
        let mut inputs = Self::default();
        inputs.read_sources(reading, letters, events, report)?;
        inputs.read_history(reading, letters)?;
        inputs.read_commands(reading, letters)?;
        inputs.are_complete = true;
        for topic in [GP_LINKS_INTERCHANGE, GP_LINKS_HISTORY, COMMAND] {
            inputs.are_complete &= !reading.topics.has_lost_its_beginning(topic)?;
        }
        if !inputs.are_complete {
            report.checked("topics of inputs whose beginning is deleted: lines are checked in part", 1);
        }
        Ok(inputs)
    }

    fn read_sources(
        &mut self,
        reading: &Reading<'_>,
        letters: &BTreeSet<String>,
        events: &Events,
        report: &mut Report,
    ) -> Outcome<()> {
        let mut sources: BTreeMap<String, Source> = BTreeMap::new();
        reading.topics.each(GP_LINKS_INTERCHANGE, &mut |record| {
            let place = place_of(GP_LINKS_INTERCHANGE, &record);
            if letters.contains(&place) {
                return Ok(());
            }
            let value = record.value.as_deref().unwrap_or_default();
            let Ok(piece) = reading.decoder.decode::<InterchangePiece<'_>>(&codec::GP_LINKS_INTERCHANGE, value) else {
                report.find(&*place, "it is not readable, and no dead letter", REPORT_IT);
                return Ok(());
            };
            let source = sources.entry(piece.file_id.to_owned()).or_default();
            let is_remembered = source.read_at_ms.is_some_and(|read_at| piece.received_at_ms - read_at < REMEMBERED_MS);
            if is_remembered {
                report.checked("pieces of interchanges that were repeated", 1);
                if events.caused_by(&place).next().is_some() {
                    report.find(&*place, "it repeats what was read, and was read again", REPORT_IT);
                }
                return Ok(());
            }
            source.pieces.insert(piece.piece, piece.content.to_vec());
            if piece.piece + 1 < piece.pieces {
                return Ok(());
            }
            let whole = std::mem::take(&mut source.pieces);
            if source.read_at_ms.is_some() && events.caused_by(&place).next().is_none() {
                // A repetition a day later: it was remembered a little longer, or it is read again.
                return Ok(());
            }
            source.read_at_ms = Some(piece.received_at_ms);
            if !(0..piece.pieces).all(|number| whole.contains_key(&number)) {
                report.find(&*place, "a piece before the last is missing, and it is no dead letter", REPORT_IT);
                return Ok(());
            }
            self.take(&place, &piece, whole.values(), events, report);
            Ok(())
        })?;
        let unfinished = sources.values().filter(|source| !source.pieces.is_empty()).count();
        report.checked("sources whose last piece has not come", unfinished as u64);
        Ok(())
    }

    fn take<'p>(
        &mut self,
        place: &str,
        last: &InterchangePiece<'_>,
        pieces: impl Iterator<Item = &'p Vec<u8>>,
        events: &Events,
        report: &mut Report,
    ) {
        let mut reader = InterchangeReader::new(Strictness::Lenient);
        let mut read = Vec::new();
        pieces.for_each(|piece| reader.push(piece, &mut |one| read.push(one)));
        reader.finish(&mut |one| read.push(one));
        let workflow = Workflow::of_id(last.workflow_id);
        let mut interchanges = Vec::new();
        for (number, one) in read.iter().enumerate() {
            match one {
                Ok(interchange) => interchanges.push(SeenInterchange::of(interchange, workflow)),
                Err(_) => {
                    self.refused.insert(format!("envelope-mismatch///{}/{number}", last.file_id));
                }
            }
        }
        report.checked("sources of interchanges", 1);
        report.checked("interchanges", interchanges.len() as u64);
        let expected: Vec<_> =
            interchanges.iter().map(|i| (i.sender.as_str(), i.recipient.as_str(), i.number)).collect();
        let mut found: Vec<_> =
            events.caused_by(place).map(|e| (e.sender.as_str(), e.recipient.as_str(), e.number)).collect();
        // Events of one source stand on several partitions.
        let mut sorted = expected;
        sorted.sort_unstable();
        found.sort_unstable();
        if found.is_empty() && events.are_partly_deleted {
            report.checked("interchanges whose events are deleted", interchanges.len() as u64);
        } else if found != sorted {
            let what = format!("it holds {} interchanges, and {} events of these were made", sorted.len(), found.len());
            report.find(place, what, REPORT_IT);
        }
        self.interchanges.extend(interchanges);
    }

    fn read_history(&mut self, reading: &Reading<'_>, letters: &BTreeSet<String>) -> Outcome<()> {
        reading.topics.each(GP_LINKS_HISTORY, &mut |record| {
            if letters.contains(&place_of(GP_LINKS_HISTORY, &record)) {
                return Ok(());
            }
            let value = record.value.as_deref().unwrap_or_default();
            let document: HistoryDocument<'_> = reading
                .decoder
                .decode(&codec::GP_LINKS_HISTORY, value)
                .map_err(|e| format!("{GP_LINKS_HISTORY} does not decode: {e}"))?;
            let document = [document.as_document()];
            self.history.extend(history::interchanges(&document));
            self.history_receipts.extend(history::receipts(&document));
            Ok(())
        })
    }

    fn read_commands(&mut self, reading: &Reading<'_>, letters: &BTreeSet<String>) -> Outcome<()> {
        reading.topics.each(COMMAND, &mut |record| {
            if letters.contains(&place_of(COMMAND, &record)) {
                return Ok(());
            }
            let value = record.value.as_deref().unwrap_or_default();
            let said: AuditCommand<'_> = reading
                .decoder
                .decode(&codec::AUDIT_COMMAND, value)
                .map_err(|e| format!("{COMMAND} does not decode: {e}"))?;
            let (sender, recipient) = (said.sender.to_owned(), said.recipient.to_owned());
            match said.action {
                AuditAction::TakeOver => {
                    self.taken_over.push((said.counter.to_owned(), sender, recipient, said.from.cast_unsigned()));
                }
                AuditAction::ExplainReceipt => {
                    for number in (said.from..=said.to).map(i64::cast_unsigned) {
                        let (interchange, message) = match said.interchange {
                            Some(interchange) => (interchange.cast_unsigned(), number),
                            None => (number, 0),
                        };
                        let (sender, recipient) = (sender.clone(), recipient.clone());
                        self.given_up.insert(MessageKey { sender, recipient, interchange, message });
                    }
                }
                AuditAction::ExplainNumbers => {}
            }
            Ok(())
        })
    }
}
