//! The report of a refusal, up to its list of messages, as the earlier implementation wrote it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Report;
use super::progress::Progress;
use crate::list_reconciliation::profile::Profile;

impl Report {
    /// The failure log of the earlier implementation, up to its list of messages.
    pub(super) fn write_validation_head(&self, text: &mut String, progress: &Progress) {
        let error_type = if progress.refused.is_empty() { "INVALID_RECORDS" } else { &progress.refused };
        text.push_str(&format!(
            "{{\"file\": {}, \"upload_date\": {}, \"error_type\": {}, ",
            quoted(&progress.file),
            quoted(&self.upload_date(progress.at_ms)),
            quoted(error_type)
        ));
        if error_type == "INVALID_RECORDS" {
            text.push_str(&format!(
                "\"total_records\": {}, \"total_invalid_records\": {}, ",
                progress.records, progress.invalid_records
            ));
        }
        text.push_str("\"message\": [");
        // Of invalid records the whole list follows, in place of the few reasons that the job names.
        if error_type != "INVALID_RECORDS" {
            let reasons: Vec<String> = progress.reasons.iter().map(|reason| quoted(reason)).collect();
            text.push_str(&reasons.join(", "));
        }
    }

    /// The earlier implementation left the zone out, and its own mails could not be written (P1).
    fn upload_date(&self, at_ms: i64) -> String {
        let Ok(at) = Timestamp::from_millisecond(at_ms) else { return String::new() };
        let at = at.to_zoned(TimeZone::UTC);
        let fraction = if at_ms % 1000 == 0 { "" } else { ".%6f" };
        let zone = if self.profile == Profile::Compatible { "" } else { "+00:00" };
        at.strftime(&format!("%Y-%m-%d %H:%M:%S{fraction}{zone}")).to_string()
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_string()).to_string()
}
