//! The mail about a refused file.

use std::fmt::Write;

use jiff::tz::TimeZone;

use super::{MailText, time_in};

/// What the mail about a refused file is made of.
#[derive(Debug)]
pub struct FailureMail<'a> {
    /// The file's name, as its sender knows it.
    pub file: &'a str,
    /// Processing time, milliseconds since the epoch.
    pub at_ms: i64,
    /// Why the file was refused.
    pub reasons: FailureReasons<'a>,
}

/// Why a file was refused.
#[derive(Debug)]
pub enum FailureReasons<'a> {
    /// Its name or its structure.
    File(&'a [&'a str]),
    /// Records of it.
    Records {
        /// Records in the file.
        records: i64,
        /// Of these, the invalid ones.
        invalid_records: i64,
        /// The invalid ones, in the order of the file; of very many the first ones (docs/decisions/0009).
        invalid: &'a [InvalidRecordReasons<'a>],
    },
}

/// What is wrong with one record. It says nothing of the patient.
#[derive(Debug)]
pub struct InvalidRecordReasons<'a> {
    /// The lines of its two rows, `a-b`.
    pub lines: &'a str,
    /// One message for each rule it breaks.
    pub reasons: &'a [&'a str],
}

/// Subject and text. The time is in UTC, as the report of the refusal has it.
///
/// # Errors
/// When the processing time is outside the years -9999 to 9999.
pub fn failure_mail(mail: &FailureMail<'_>) -> Result<MailText, jiff::Error> {
    let FailureMail { file, at_ms, reasons } = mail;
    let at = time_in(TimeZone::UTC, *at_ms)?;
    let mut body = format!(
        "The GP file: {file} failed validation at {at}.\nAs a result, no records in this file have been processed.\n\n"
    );
    match reasons {
        FailureReasons::File(reasons) => push_reasons_of_file(&mut body, reasons),
        FailureReasons::Records { records, invalid_records, invalid } => {
            // Writing to a String cannot fail.
            let _ = write!(body, "Total records: {records}\nTotal invalid records: {invalid_records}\n\n");
            push_invalid_records(&mut body, invalid);
            let left = invalid_records - invalid.len() as i64;
            if left > 0 {
                let _ = writeln!(body, "And {left} more invalid records: the validation report has them all.");
            }
        }
    }
    body.push_str("\nPlease check and amend the file content and upload again.\n");
    Ok(MailText { subject: format!("Validation Failure - PDS Comparison validation failure against '{file}'"), body })
}

fn push_reasons_of_file(body: &mut String, reasons: &[&str]) {
    body.push_str("The reasons for the failure are:\n");
    for (position, reason) in reasons.iter().enumerate() {
        // The first bullet stands without a space, as its readers know it.
        body.push_str(if position == 0 { "    •" } else { "\n    • " });
        body.push_str(reason);
    }
}

fn push_invalid_records(body: &mut String, invalid: &[InvalidRecordReasons<'_>]) {
    body.push_str("The reasons for the failure are:\n");
    for record in invalid {
        let _ = writeln!(body, "Invalid Record on lines {}", record.lines);
        for reason in record.reasons {
            let _ = writeln!(body, "   • {reason}");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    /// 2020-04-06 13:40:00 UTC, when clocks in London show 14:40.
    const AT_MS: i64 = 1_586_180_400_000;

    #[test]
    fn the_mail_about_a_bad_name_or_structure_is_the_known_one_byte_for_byte() {
        let mail = failure_mail(&FailureMail {
            file: "AZ2023_GAR4BRF1.CSA.DAT",
            at_ms: AT_MS,
            reasons: FailureReasons::File(&[
                "Filename contains invalid practice code",
                "Filename contains invalid DOW name and/or HA cipher",
                "Filename contains invalid extension",
            ]),
        })
        .unwrap();
        assert_eq!(
            mail.subject,
            "Validation Failure - PDS Comparison validation failure against 'AZ2023_GAR4BRF1.CSA.DAT'"
        );
        let expected = concat!(
            "The GP file: AZ2023_GAR4BRF1.CSA.DAT failed validation at 13:40:00 on 06/04/2020.\n",
            "As a result, no records in this file have been processed.\n",
            "\n",
            "The reasons for the failure are:\n",
            "    \u{2022}Filename contains invalid practice code\n",
            "    \u{2022} Filename contains invalid DOW name and/or HA cipher\n",
            "    \u{2022} Filename contains invalid extension\n",
            "Please check and amend the file content and upload again.\n",
        );
        assert_eq!(mail.body, expected);
    }

    #[test]
    fn the_mail_about_invalid_records_is_the_known_one_byte_for_byte() {
        let mail = failure_mail(&FailureMail {
            file: "A12023_GPR4LNA1.CSB",
            at_ms: AT_MS,
            reasons: FailureReasons::Records {
                records: 9,
                invalid_records: 2,
                invalid: &[
                    InvalidRecordReasons {
                        lines: "2-3",
                        reasons: &[
                            "Transaction/Record Number - Must be a unique, not-null integer greater than 0.",
                            "Drug Dispensed Marker - Must be 'Y' or blank.",
                        ],
                    },
                    InvalidRecordReasons {
                        lines: "14-15",
                        reasons: &["Blocked Route Special District Marker - Must be 'B' or 'S'."],
                    },
                ],
            },
        })
        .unwrap();
        assert_eq!(
            mail.subject,
            "Validation Failure - PDS Comparison validation failure against 'A12023_GPR4LNA1.CSB'"
        );
        let expected = concat!(
            "The GP file: A12023_GPR4LNA1.CSB failed validation at 13:40:00 on 06/04/2020.\n",
            "As a result, no records in this file have been processed.\n",
            "\n",
            "Total records: 9\n",
            "Total invalid records: 2\n",
            "\n",
            "The reasons for the failure are:\n",
            "Invalid Record on lines 2-3\n",
            "   \u{2022} Transaction/Record Number - Must be a unique, not-null integer greater than 0.\n",
            "   \u{2022} Drug Dispensed Marker - Must be 'Y' or blank.\n",
            "Invalid Record on lines 14-15\n",
            "   \u{2022} Blocked Route Special District Marker - Must be 'B' or 'S'.\n",
            "\n",
            "Please check and amend the file content and upload again.\n",
        );
        assert_eq!(mail.body, expected);
    }

    #[test]
    fn a_mail_that_leaves_invalid_records_out_says_how_many() {
        let mail = failure_mail(&FailureMail {
            file: "A12023_GPR4LNA1.CSB",
            at_ms: AT_MS,
            reasons: FailureReasons::Records {
                records: 9,
                invalid_records: 3,
                invalid: &[InvalidRecordReasons { lines: "2-3", reasons: &["a"] }],
            },
        })
        .unwrap();
        let end = concat!(
            "Invalid Record on lines 2-3\n",
            "   \u{2022} a\n",
            "And 2 more invalid records: the validation report has them all.\n",
            "\n",
            "Please check and amend the file content and upload again.\n",
        );
        assert!(mail.body.ends_with(end), "{}", mail.body);
    }
}
