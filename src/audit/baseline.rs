//! The numbers that a link used last, as the earlier adaptor keeps them: the collection `outboundSequenceId` as JSON Lines.

use std::fs;
use std::path::Path;

use concord_flows::sequence_audit::{Circle, Counter};
use concord_schemas::sequence_audit::{AuditAction, AuditCommand};
use serde_json::Value;

use crate::failure::Failure;

/// One of the adaptor's counters.
pub struct LastUsed {
    counter: Counter,
    sender: String,
    /// Empty for transactions.
    recipient: String,
    number: u64,
    from: String,
}

impl LastUsed {
    /// What it says to the audit.
    pub fn command(&self) -> AuditCommand<'_> {
        AuditCommand {
            action: AuditAction::TakeOver,
            sender: &self.sender,
            recipient: &self.recipient,
            counter: self.counter.as_str(),
            from: self.number.cast_signed(),
            to: self.number.cast_signed(),
            interchange: None,
            by: "baseline",
            reason: &self.from,
            at_ms: 0,
        }
    }
}

/// Reads an export.
pub fn read(path: &Path) -> Result<Vec<LastUsed>, Failure> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|e| Failure::Usage(format!("cannot open {name}: {e}")))?;
    let mut found = Vec::new();
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let Some(last_used) = last_used(line, &name.to_string()) else {
            return Err(Failure::Usage(format!(
                "{name}, line {}: it is no counter: write {{\"_id\":\"SIS-TES5-XX11\",\"sequenceNumber\":41}}, with SIS \
                 or SMS, sender and recipient, or with TN and the sender",
                place + 1
            )));
        };
        found.push(last_used);
    }
    Ok(found)
}

fn last_used(line: &str, from: &str) -> Option<LastUsed> {
    let document: Value = serde_json::from_str(line).ok()?;
    let mut parts = document.get("_id")?.as_str()?.split('-');
    let (counter, sender) = (parts.next()?, parts.next()?);
    let (counter, numbers) = match counter {
        "SIS" => (Counter::Sis, Circle::REFERENCES),
        "SMS" => (Counter::Sms, Circle::REFERENCES),
        "TN" => (Counter::Tn, Circle::GP_TRANSACTIONS),
        _ => return None,
    };
    let recipient = if counter == Counter::Tn { "" } else { parts.next()? };
    if sender.is_empty() || parts.next().is_some() || (counter != Counter::Tn && recipient.is_empty()) {
        return None;
    }
    let stored = document.get("sequenceNumber")?;
    let wrapped = || ["$numberLong", "$numberInt"].iter().find_map(|form| stored.get(form)?.as_str()?.parse().ok());
    let raw: u64 = stored.as_u64().or_else(wrapped)?;
    Some(LastUsed {
        counter,
        sender: sender.to_owned(),
        recipient: recipient.to_owned(),
        // The adaptor never sets its counter back: it sends what is left over of it, and never sends 0.
        number: raw % (numbers.largest() + 1),
        from: from.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn counters_are_read_in_each_form_of_an_export_and_by_what_is_sent_of_them() {
        let of = |line| last_used(line, "export").map(|last| (last.counter, last.sender, last.recipient, last.number));
        let sis = of(r#"{"_id":"SIS-TES5-XX11","sequenceNumber":{"$numberLong":"100000041"}}"#).unwrap();
        assert_eq!(sis, (Counter::Sis, "TES5".to_owned(), "XX11".to_owned(), 41));
        let tn = of(r#"{"_id":"TN-TES5","sequenceNumber":9999999}"#).unwrap();
        assert_eq!(tn, (Counter::Tn, "TES5".to_owned(), String::new(), 9_999_999));
        for line in ["{}", r#"{"_id":"SIS-TES5","sequenceNumber":1}"#, r#"{"_id":"TN-A-B","sequenceNumber":1}"#, "x"] {
            assert!(of(line).is_none(), "{line}");
        }
    }
}
