//! What a person wants to read at the end of a run.

use std::fmt::Write;
use std::path::Path;

use crate::reconcile::{JobResult, Outcome, REJECTED_ROWS};

/// The end of a reconciliation, for a terminal.
pub fn of(outcome: &Outcome, out: &Path) -> String {
    let mut text = String::new();
    for job in &outcome.jobs {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}", job_lines(job, out));
    }
    if !outcome.first_differences.is_empty() {
        let _ = writeln!(text, "First differences (NHS numbers masked; whole in the CDD file):");
        for (nhs_number, rule) in &outcome.first_differences {
            let _ = writeln!(text, "  {nhs_number}  {rule}  {}", what(rule));
        }
        text.push('\n');
    }
    let records: i64 = outcome.jobs.iter().map(|job| job.counts.records).sum();
    if outcome.rejected_rows > 0 {
        let kept = out.join(REJECTED_ROWS);
        let _ = writeln!(
            text,
            "{} rows of the PDS side could not be used; they are in {}.",
            outcome.rejected_rows,
            kept.display()
        );
    }
    let _ = writeln!(
        text,
        "{records} GP records against {} PDS records in {:.2} s ({:.0} records a second, loading included).",
        outcome.pds_records,
        outcome.seconds,
        (records as f64 + outcome.pds_records as f64) / outcome.seconds.max(0.001)
    );
    text
}

fn job_lines(job: &JobResult, out: &Path) -> String {
    let mut text = String::new();
    let folder = out.join(&job.job_id);
    let _ = writeln!(text, "{} {} (job {})", job.file, job.status.to_lowercase(), job.job_id);
    if job.status != "RECONCILED" {
        for reason in &job.reasons {
            let _ = writeln!(text, "  {reason}");
        }
        if job.invalid_records > 0 {
            let _ =
                writeln!(text, "  {} records are invalid; each is explained in validation.json", job.invalid_records);
        }
    } else {
        let c = &job.counts;
        let rows = [
            (c.records, "records in the file"),
            (c.matched, "registered here on PDS too"),
            (c.partnership_mismatch, "registered at another practice"),
            (c.deducted, "registered at no practice"),
            (c.unmatched, "not known to PDS"),
            (c.sensitive, "of these are sensitive"),
            (c.only_on_gp, "only on GP"),
            (c.only_on_pds, "only on PDS"),
            (c.differences, "differences"),
            (c.patients_with_differences, "patients with differences"),
            (c.work_items, "work items"),
        ];
        for (count, meaning) in rows {
            let _ = writeln!(text, "  {count:>9}  {meaning}");
        }
        if job.invalid_records > 0 {
            let _ = writeln!(text, "  {:>9}  invalid records, left out (validation.json)", job.invalid_records);
        }
    }
    let _ = writeln!(text, "  files in {}", folder.display());
    let (items, files): (Vec<&String>, Vec<&String>) = job.files.iter().partition(|f| f.starts_with("work-items/"));
    for file in files {
        let _ = writeln!(text, "    {file}");
    }
    if folder.join("mail").is_dir() {
        let _ = writeln!(text, "    mail/ (what is told of it)");
    }
    if !items.is_empty() {
        let _ = writeln!(text, "    work-items/ ({} files)", items.len());
    }
    text
}

fn what(rule: &str) -> &'static str {
    concord_flows::list_reconciliation::catalogue::entry(rule).map_or("", |rule| rule.fields)
}
