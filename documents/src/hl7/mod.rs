//! HL7 v2 messages: the patient (PID), orders of medicines (RXE, or RXO before they are encoded), and allergies (AL1).

mod allergy;
mod medication;
mod message;
mod patient;
#[cfg(test)]
mod tests;

use concord_schemas::patient_documents::Features;

use crate::found::{Found, Spot};
use crate::{Limits, Problem, ReadFailure};
use message::{Message, Segment};

/// Reads a message, or a batch of messages about one patient.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Features<'static>, ReadFailure> {
    let messages = message::parse(text, limits)?;
    is_one_patient(&messages)?;
    let mut found = Found::new("hl7-v2", limits);
    for message in &messages {
        let mut orders = medication::Orders::default();
        for segment in &message.segments {
            match segment.name() {
                "PID" => patient::read(segment, &mut found),
                "AL1" => allergy::read(segment, &mut found),
                _ => orders.take(segment, &mut found),
            }
            if found.is_full() {
                break;
            }
        }
        orders.end(&mut found);
    }
    found.finish()
}

/// # Errors
/// [`Problem::SeveralPatients`] when two PID segments have identifiers and share none.
fn is_one_patient(messages: &[Message<'_>]) -> Result<(), ReadFailure> {
    let segments = messages.iter().flat_map(|message| &message.segments).filter(|segment| segment.name() == "PID");
    let mut known: Option<Vec<String>> = None;
    for segment in segments {
        let own = patient::identifiers(segment);
        match &known {
            Some(known) if !own.is_empty() && !own.iter().any(|one| known.contains(one)) => {
                return Err(ReadFailure::new(Problem::SeveralPatients, "PID segments with different identifiers"));
            }
            None if !own.is_empty() => known = Some(own),
            _ => {}
        }
    }
    Ok(())
}

/// The place of a field, such as `PID[1]-3(2)`: the first PID of the document, its third field, the second repetition of that.
fn spot(segment: &Segment<'_>, field: usize, repetition: usize) -> Spot {
    let repetition = if repetition == 0 { String::new() } else { format!("({})", repetition + 1) };
    Spot::at_path(format!("{}[{}]-{field}{repetition}", segment.name(), segment.occurrence))
}
