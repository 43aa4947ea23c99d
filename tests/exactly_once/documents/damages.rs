//! The verification can fail: each damage that is done to what it has read is noticed, and nothing is where nothing is damaged.

use super::verifier::{ASKED, BEING_READ, CALLS, check, expected, written};
use super::written::{Publication, Written};
use crate::Outcome;
use crate::stage::Stage;

/// A damage, and words by which it is told.
type Damage = (&'static str, fn(&mut Written) -> Option<()>, &'static str);

const DAMAGES: &[Damage] = &[
    ("an upload is heard of twice", |w| copy_event(w, ASKED), "uploads and deletions that reach their patients"),
    ("the reading of a document begins twice", |w| copy_event(w, BEING_READ), "documents whose reading begins twice"),
    ("a document is read twice", |w| copy_event(w, "Complete"), "documents that are read twice"),
    ("a document is not read", |w| remove_event(w, "Complete"), "documents that are read: 1 lost"),
    ("a state is published twice", |w| copy_last(&mut w.extractions), "documents.extraction: 0 lost, 1 repeated"),
    ("a record is published again", |w| copy_last(&mut w.consolidations), "that say what the one before said"),
    ("a record is published for an earlier cause", earlier_cause, "causes with more than one record"),
    ("an earlier record comes back", earlier_record, "go back to an earlier one"),
    ("a value of a record is another", other_value, "of no state of the documents"),
    ("a record is lost", |w| w.consolidations.pop().map(drop), "patients "),
    ("a conflict stands that is none", conflict_of_nobody, "conflicts that stand"),
    ("a dead letter is there twice", |w| copy_last(&mut w.letters), "dead letters: 0 lost, 1 repeated"),
    ("a dead letter is lost", |w| w.letters.pop().map(drop), "dead letters: 1 lost"),
    ("a call is left", call_is_left, "entries of document-reading-calls that are left"),
];

/// Does one damage after the other to a copy of what the topics hold.
pub fn are_noticed(stage: &Stage) -> Outcome<()> {
    let (expected, written) = (expected(stage)?, written(stage)?);
    check(&stage.documents, &expected, &written).judge()?;
    for (name, damage, words) in DAMAGES {
        let mut damaged = written.clone();
        damage(&mut damaged).ok_or_else(|| format!("there is nothing to damage so that {name}"))?;
        match check(&stage.documents, &expected, &damaged).judge() {
            Err(told) if told.contains(words) => {}
            other => return Err(format!("{name}, and the verification says {other:?} and not \"{words}\"")),
        }
    }
    Ok(())
}

fn copy_last<T: Clone>(list: &mut Vec<T>) -> Option<()> {
    let last = list.last()?.clone();
    list.push(last);
    Some(())
}

/// Where the last event of a status stands whose document was not touched since.
fn last_event(written: &Written, status: &str) -> Option<usize> {
    let is_last = |place: usize| {
        let of = &written.events[place];
        !written.events[place + 1..].iter().any(|later| later.document_id == of.document_id)
    };
    let has_status = |place: usize| written.events[place].status.as_ref().is_some_and(|of| of.status == status);
    (0..written.events.len())
        .rev()
        .find(|place| has_status(*place) && (is_last(*place) || [ASKED, BEING_READ].contains(&status)))
}

fn copy_event(written: &mut Written, status: &str) -> Option<()> {
    let copy = written.events[last_event(written, status)?].clone();
    written.events.push(copy);
    Some(())
}

fn remove_event(written: &mut Written, status: &str) -> Option<()> {
    let place = last_event(written, status)?;
    written.events.remove(place);
    Some(())
}

/// The places of the last two records of a patient that has two.
fn last_two(written: &Written) -> Option<(usize, usize)> {
    let records = &written.consolidations;
    let last = (0..records.len()).rev().find(|last| {
        records[*last].value.is_some() && records[..*last].iter().any(|before| before.key == records[*last].key)
    })?;
    let before = (0..last).rev().find(|before| records[*before].key == records[last].key)?;
    Some((before, last))
}

fn earlier_cause(written: &mut Written) -> Option<()> {
    let (before, last) = last_two(written)?;
    written.consolidations[last].by = written.consolidations[before].by.clone();
    Some(())
}

fn earlier_record(written: &mut Written) -> Option<()> {
    let (before, _) = last_two(written)?;
    let mut again = written.consolidations[before].clone();
    again.by.push('0');
    written.consolidations.push(again);
    Some(())
}

fn other_value(written: &mut Written) -> Option<()> {
    let last = written.consolidations.iter_mut().rev().find_map(|record| record.value.as_mut())?;
    last.together.fields.get_mut("sex")?.0 = Some("nobody's".to_owned());
    last.misread.clear();
    Some(())
}

fn conflict_of_nobody(written: &mut Written) -> Option<()> {
    let (key, bytes) = ("nobody/sex".to_owned(), Some(Vec::new()));
    written.conflicts.push(Publication { key, by: String::new(), bytes, value: Some(true) });
    Some(())
}

fn call_is_left(written: &mut Written) -> Option<()> {
    written.stores.get_mut(CALLS)?.insert("p/read-document/1/x/1".to_owned());
    Some(())
}
