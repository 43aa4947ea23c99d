//! Jobs for a terminal. They hold no patient's data.

use std::fmt::Write;

use serde_json::Value;

use crate::stores::time_text;

/// Above the rows of a list.
pub const HEADING: &str =
    "job                                   status        practice  records  last step                 file";

/// A job in one line.
pub fn row(job: &Value) -> String {
    let last =
        job["history"].as_array().and_then(|steps| steps.last()).map_or_else(String::new, |step| time(&step["at_ms"]));
    format!(
        "{:<37} {:<13} {:<9} {:>7}  {last:<25} {}",
        text(job, "job_id"),
        text(job, "status"),
        text(job, "practice"),
        job["counts"]["records"].as_i64().unwrap_or(0),
        text(job, "file"),
    )
}

/// Everything that is known of a job.
pub fn whole(job: &Value) -> String {
    let mut shown = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(shown, "{} {}", text(job, "file"), text(job, "status"));
    for (name, value) in [
        ("job", text(job, "job_id").to_owned()),
        ("practice", text(job, "practice").to_owned()),
        ("processing time", time(&job["at_ms"])),
        ("from", text(job, "source").to_owned()),
        ("re-run of", text(job, "rerun_of").to_owned()),
        ("last copy from", text(job, "last_copy").to_owned()),
    ] {
        if !value.is_empty() {
            let _ = writeln!(shown, "  {name:<16} {value}");
        }
    }
    for (title, key) in [("reasons", "reasons"), ("files", "files")] {
        lines(&mut shown, title, job[key].as_array(), |value| value.as_str().unwrap_or_default().to_owned());
    }
    lines(&mut shown, "history", job["history"].as_array(), |step| {
        format!("{}  {:<13} {}", time(&step["at_ms"]), text(step, "status"), text(step, "detail"))
    });
    lines(&mut shown, "mails", job["mails"].as_array(), |mail| {
        format!("{}  {}  {}", text(mail, "mail_id"), text(mail, "service"), text(mail, "state"))
    });
    for (title, key) in [("counts", "counts"), ("deliveries", "deliveries")] {
        let counts: Vec<Value> = job[key]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, count)| Some((name, count.as_i64().filter(|count| *count != 0)?)))
            .map(|(name, count)| Value::String(format!("{count:>9}  {}", name.replace('_', " "))))
            .collect();
        lines(&mut shown, title, Some(&counts), |line| line.as_str().unwrap_or_default().to_owned());
    }
    if let Some(copies) = job["copies"].as_i64().filter(|copies| *copies > 0) {
        let _ = writeln!(shown, "  it came again {copies} times");
    }
    shown
}

fn lines(shown: &mut String, title: &str, values: Option<&Vec<Value>>, line: impl Fn(&Value) -> String) {
    let Some(values) = values.filter(|values| !values.is_empty()) else { return };
    let _ = writeln!(shown, "  {title}");
    for value in values {
        let _ = writeln!(shown, "    {}", line(value).trim_end());
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn time(value: &Value) -> String {
    value.as_i64().map_or_else(String::new, time_text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_job_is_shown_with_what_it_has_and_without_empty_parts() {
        let job = json!({
            "job_id": "j-1", "practice": "Y12345", "file": "Y12345_GPR4LNA1.H9A", "status": "COMPLETE",
            "at_ms": 1_628_602_800_000_i64, "reasons": [], "invalid_records": 0,
            "counts": {"records": 10, "matched": 0}, "files": ["a.csv"],
            "source": "mesh:X26OT181/1", "rerun_of": "", "copies": 2, "last_copy": "folder:/inbound",
            "history": [{"status": "RECEIVED", "at_ms": 1_628_602_800_000_i64, "detail": "from mesh:X26OT181/1"}],
            "mails": [{"mail_id": "m-1", "service": "LR-14", "state": "SENT"}],
            "deliveries": {"expected": 3, "sent": 3, "delivered": 0, "refused": 0},
        });
        let expected = "Y12345_GPR4LNA1.H9A COMPLETE\n  \
            job              j-1\n  \
            practice         Y12345\n  \
            processing time  2021-08-10T13:40:00Z\n  \
            from             mesh:X26OT181/1\n  \
            last copy from   folder:/inbound\n  \
            files\n    a.csv\n  \
            history\n    2021-08-10T13:40:00Z  RECEIVED      from mesh:X26OT181/1\n  \
            mails\n    m-1  LR-14  SENT\n  \
            counts\n           10  records\n  \
            deliveries\n            3  expected\n            3  sent\n  \
            it came again 2 times\n";
        assert_eq!(whole(&job), expected);
        assert!(row(&job).starts_with("j-1                                   COMPLETE      Y12345         10  2021"));
    }

    #[test]
    fn a_job_of_an_earlier_version_is_shown_without_what_it_has_not() {
        let job = json!({
            "job_id": "j-1", "practice": "", "file": "rubbish.txt", "status": "REJECTED", "at_ms": 0,
            "reasons": ["Filename contains invalid characters"], "invalid_records": 0, "counts": {}, "files": [],
        });
        assert!(whole(&job).contains("  reasons\n    Filename contains invalid characters\n"));
    }
}
