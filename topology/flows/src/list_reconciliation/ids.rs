//! Keys and ids, all derived from inputs: the same input makes the same ids, however often and wherever it is processed.

use bytes::Bytes;
use concord_engine::{ProcessError, Rejection};
use concord_schemas::list_reconciliation::JobCounts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codes;
use super::outputs;
use crate::derived_id::uuid_of;

/// The id of a job, in the form of a UUID, from the file's name as sent and its content.
///
/// ```
/// use concord_flows::list_reconciliation::ids::job_id;
///
/// let id = job_id("H81109_GPR4LNA1.H9A", &[7; 32]);
/// assert_eq!(id.len(), 36);
/// assert_eq!(id, job_id("h81109_gpr4lna1.h9a", &[7; 32]));
/// ```
pub fn job_id(file_name: &str, content_sha256: &[u8; 32]) -> String {
    uuid_of(&[b"job", file_name.to_uppercase().as_bytes(), content_sha256])
}

/// The id of a patient within a job, as work items carry it.
pub(super) fn patient_id(job_id: &str, nhs: &str, number: i64) -> String {
    uuid_of(&[b"patient", job_id.as_bytes(), nhs.as_bytes(), &number.to_be_bytes()])
}

/// The id of a mail about a job, in the form of a UUID: `service` says which of them.
///
/// ```
/// use concord_flows::list_reconciliation::ids::mail_id;
///
/// assert_eq!(mail_id("j-1", "LR-14").len(), 36);
/// assert_ne!(mail_id("j-1", "LR-14"), mail_id("j-1", "LR-04"));
/// ```
pub fn mail_id(job_id: &str, service: &str) -> String {
    uuid_of(&[b"mail", job_id.as_bytes(), service.as_bytes()])
}

/// The id of a job's re-run, in the form of a UUID: `number` counts its re-runs from 1.
///
/// ```
/// use concord_flows::list_reconciliation::ids::rerun_id;
///
/// assert_eq!(rerun_id("j-1", 1), rerun_id("j-1", 1));
/// assert_ne!(rerun_id("j-1", 1), rerun_id("j-1", 2));
/// ```
pub fn rerun_id(job_id: &str, number: u32) -> String {
    uuid_of(&[b"rerun", job_id.as_bytes(), &number.to_be_bytes()])
}

/// Where the file of a re-run comes from, as its first event says.
///
/// ```
/// use concord_flows::list_reconciliation::ids::{rerun_of, rerun_source};
///
/// assert_eq!(rerun_of(&rerun_source("j-1", 2)), Some(("j-1", 2)));
/// assert_eq!(rerun_of("mesh:X26OT181/1"), None);
/// ```
pub fn rerun_source(job_id: &str, number: u32) -> String {
    format!("{RERUN}{job_id}/{number}")
}

/// The job that a source names as the first one, and which of its re-runs this is.
pub fn rerun_of(source: &str) -> Option<(&str, u32)> {
    let (job_id, number) = source.strip_prefix(RERUN)?.rsplit_once('/')?;
    Some((job_id, number.parse().ok()?))
}

const RERUN: &str = "rerun:";

/// `owner/member`: a practice's or a job's list, in order of NHS number.
pub(super) fn member_key(owner: &str, member: &str) -> String {
    format!("{owner}/{member}")
}

/// A record that waits for an answer of PDS: in order of the number that is asked about, and of the job.
pub(super) fn waiting_key(nhs: &str, job_id: &str, number: i64) -> String {
    format!("{nhs}/{job_id}/{number:012}")
}

/// The same by job.
pub(super) fn waiting_of_job_key(job_id: &str, nhs: &str, number: i64) -> String {
    format!("{job_id}/{nhs}/{number:012}")
}

/// The end of the range of keys that begin with `prefix` (which is not empty and ends in a slash).
pub(super) fn behind_prefix(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// Rows of an output file are ordered by NHS number, then rule, then place in the file.
pub(super) fn row_key(nhs: &str, rule: &str, number: i64) -> String {
    format!("{nhs}/{rule}/{number:012}")
}

pub(super) fn outcome_key(job_id: &str, number: i64) -> String {
    format!("{job_id}/{number}")
}

pub(super) fn difference_key(practice: &str, nhs: &str, rule: &str) -> String {
    format!("{practice}/{nhs}/{rule}")
}

/// The name of a work item; the second and later ones of a patient in one job carry a number.
pub(super) fn work_item_name(practice: &str, job_id: &str, nhs: &str, timestamp: &str, earlier: u32) -> String {
    let name = outputs::work_item_file_name(practice, job_id, nhs, timestamp);
    match (earlier, name.strip_suffix(".json")) {
        (0, _) | (_, None) => name,
        (earlier, Some(stem)) => format!("{stem}-{}.json", earlier + 1),
    }
}

/// `YYYYMMDDHHMMSS` of a processing time.
pub(super) fn timestamp(at_ms: i64) -> Result<String, Rejection> {
    outputs::file_timestamp(at_ms).map_err(|_| time_out_of_range())
}

pub(super) fn time_out_of_range() -> Rejection {
    Rejection::by_processor(
        codes::TIME_OUT_OF_RANGE,
        "the processing time of the job is outside the calendar: send the extract again with the time of now",
    )
}

pub(super) fn text(bytes: &[u8]) -> Result<&str, ProcessError> {
    std::str::from_utf8(bytes).map_err(|_| ProcessError::Programming("a key of our own is not text".to_string()))
}

/// The stored form of counts: a version byte, then the counts in order, eight bytes each. Version 1 ended before the
/// decisions, version 2 before the failed look-ups.
pub(super) fn counts_to_bytes(counts: &JobCounts) -> Bytes {
    let mut bytes = Vec::with_capacity(1 + 8 * 16);
    bytes.push(3);
    for count in fields(counts) {
        bytes.extend_from_slice(&count.to_be_bytes());
    }
    Bytes::from(bytes)
}

pub(super) fn counts_from_bytes(bytes: &[u8]) -> Result<JobCounts, ProcessError> {
    let unreadable = || unreadable("counts");
    let (version, rest) = bytes.split_first().ok_or_else(unreadable)?;
    let (words, tail) = rest.as_chunks::<8>();
    if !matches!((version, words.len()), (1, 12) | (2, 15) | (3, 16)) || !tail.is_empty() {
        return Err(unreadable().into());
    }
    let value = |index: usize| words.get(index).map_or(0, |word| i64::from_be_bytes(*word));
    Ok(JobCounts {
        records: value(0),
        matched: value(1),
        partnership_mismatch: value(2),
        deducted: value(3),
        unmatched: value(4),
        sensitive: value(5),
        only_on_gp: value(6),
        only_on_pds: value(7),
        differences: value(8),
        patients_with_differences: value(9),
        work_items: value(10),
        duplicates: value(11),
        pds_updates: value(12),
        gp_updates: value(13),
        validations: value(14),
        lookup_failed: value(15),
    })
}

fn fields(counts: &JobCounts) -> [i64; 16] {
    [
        counts.records,
        counts.matched,
        counts.partnership_mismatch,
        counts.deducted,
        counts.unmatched,
        counts.sensitive,
        counts.only_on_gp,
        counts.only_on_pds,
        counts.differences,
        counts.patients_with_differences,
        counts.work_items,
        counts.duplicates,
        counts.pds_updates,
        counts.gp_updates,
        counts.validations,
        counts.lookup_failed,
    ]
}

/// Adds what one partition counted.
pub(super) fn add_counts(total: &JobCounts, part: &JobCounts) -> JobCounts {
    JobCounts {
        records: total.records + part.records,
        matched: total.matched + part.matched,
        partnership_mismatch: total.partnership_mismatch + part.partnership_mismatch,
        deducted: total.deducted + part.deducted,
        unmatched: total.unmatched + part.unmatched,
        sensitive: total.sensitive + part.sensitive,
        only_on_gp: total.only_on_gp + part.only_on_gp,
        only_on_pds: total.only_on_pds + part.only_on_pds,
        differences: total.differences + part.differences,
        patients_with_differences: total.patients_with_differences + part.patients_with_differences,
        work_items: total.work_items + part.work_items,
        duplicates: total.duplicates + part.duplicates,
        pds_updates: total.pds_updates + part.pds_updates,
        gp_updates: total.gp_updates + part.gp_updates,
        validations: total.validations + part.validations,
        lookup_failed: total.lookup_failed + part.lookup_failed,
    }
}

/// The stored form of a job's progress: JSON, whose first byte tells it from any later form.
pub(super) fn progress_to_bytes(progress: &impl Serialize) -> Bytes {
    // Progress types have text keys and finite numbers only, which always serialise.
    Bytes::from(serde_json::to_vec(progress).unwrap_or_default())
}

pub(super) fn progress_from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    serde_json::from_slice(bytes).map_err(|_| unreadable("progress"))
}

fn unreadable(what: &str) -> Rejection {
    Rejection::by_processor(
        codes::PROGRESS_UNREADABLE,
        format!("the stored {what} of a job was written by another version of this program and cannot be read"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ids_depend_on_every_part_and_on_nothing_else() {
        assert_eq!(patient_id("j", "1", 2), patient_id("j", "1", 2));
        assert_ne!(patient_id("j", "1", 2), patient_id("j1", "", 2));
        assert_ne!(job_id("a", &[0; 32]), job_id("b", &[0; 32]));
    }

    #[test]
    fn counts_are_read_as_they_were_stored() {
        let counts =
            JobCounts { records: 1, duplicates: -12, only_on_pds: i64::MAX, validations: 3, ..JobCounts::default() };
        assert_eq!(counts_from_bytes(&counts_to_bytes(&counts)).unwrap(), counts);
        assert!(counts_from_bytes(&[2; 97]).is_err());
        assert!(counts_from_bytes(&[3; 121]).is_err());
        assert!(counts_from_bytes(&[4; 129]).is_err());
    }

    #[test]
    fn counts_that_earlier_versions_stored_are_read_without_what_these_did_not_count() {
        let counts = JobCounts { records: 7, duplicates: 2, ..JobCounts::default() };
        for (version, bytes) in [(1, 97), (2, 121)] {
            let mut stored = counts_to_bytes(&counts)[..bytes].to_vec();
            stored[0] = version;
            assert_eq!(counts_from_bytes(&stored).unwrap(), counts);
        }
    }

    #[test]
    fn the_range_behind_a_prefix_holds_its_members_and_no_others() {
        let end = behind_prefix("H81109/");
        assert!("H81109/9999999999".as_bytes() < &end[..]);
        assert!("H811090/1".as_bytes() >= &end[..]);
    }
}
