//! Names of the output files.

use jiff::Timestamp;

/// The time in a file's name: `YYYYMMDDHHMMSS` in UTC. `at_ms` is the job's processing time in milliseconds since the epoch.
///
/// # Errors
/// When the time is outside the years -9999 to 9999.
pub fn file_timestamp(at_ms: i64) -> Result<String, jiff::Error> {
    let at = Timestamp::from_millisecond(at_ms)?;
    Ok(at.strftime("%Y%m%d%H%M%S").to_string())
}

/// Name of the file of consolidated demographic differences.
#[must_use]
pub fn differences_file_name(practice: &str, timestamp: &str) -> String {
    format!("{practice}-CDD-{timestamp}.csv")
}

/// Name of the OnlyOnGP file.
#[must_use]
pub fn only_on_gp_file_name(practice: &str, timestamp: &str) -> String {
    format!("{practice}-OnlyOnGP-{timestamp}.csv")
}

/// Name of the OnlyOnPDS file.
#[must_use]
pub fn only_on_pds_file_name(practice: &str, timestamp: &str) -> String {
    format!("{practice}-OnlyOnPDS-{timestamp}.csv")
}

/// Name of a patient's work item.
///
/// Only people on PDS have one, so the NHS number is ten digits and safe in a name.
#[must_use]
pub fn work_item_file_name(practice: &str, job_id: &str, nhs_number: &str, timestamp: &str) -> String {
    format!("{practice}-WIP-{job_id}-{nhs_number}-{timestamp}.json")
}

/// Begins the names of extracts that are sent to DPS; their own names as they were sent follow.
pub const DPS_EXTRACT: &str = "dps-extract/";

/// Name of the answer that is written in the place of DPS.
#[must_use]
pub fn dps_answer_file_name(practice: &str, timestamp: &str) -> String {
    format!("{practice}-DPSAnswer-{timestamp}.jsonl")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn files_are_named_after_practice_kind_and_processing_time_in_utc() {
        // 2021-08-10 13:40:00.123 UTC, when clocks in London show 14:40.
        let timestamp = file_timestamp(1_628_602_800_123).unwrap();
        assert_eq!(timestamp, "20210810134000");
        assert_eq!(differences_file_name("H81109", &timestamp), "H81109-CDD-20210810134000.csv");
        assert_eq!(only_on_gp_file_name("H81109", &timestamp), "H81109-OnlyOnGP-20210810134000.csv");
        assert_eq!(only_on_pds_file_name("H81109", &timestamp), "H81109-OnlyOnPDS-20210810134000.csv");
        assert_eq!(
            work_item_file_name("H81109", "j-1", "9449305552", &timestamp),
            "H81109-WIP-j-1-9449305552-20210810134000.json"
        );
    }

    #[test]
    fn a_time_beyond_the_calendar_is_an_error() {
        assert!(file_timestamp(i64::MAX).is_err());
    }
}
