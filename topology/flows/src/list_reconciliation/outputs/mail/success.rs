//! The mail about a reconciled file.

use concord_schemas::list_reconciliation::JobCounts;

use super::{MailText, time_in};
use crate::list_reconciliation::uk_time::EUROPE_LONDON;

/// Records that the reconciliation changes on PDS by itself: it never does.
const UPDATED_ON_PDS: i64 = 0;

/// What the mail about a reconciled file is made of.
#[derive(Debug)]
pub struct SuccessMail<'a> {
    /// The job.
    pub job_id: &'a str,
    /// Practice code of the file name.
    pub practice: &'a str,
    /// The file's normalised name.
    pub file: &'a str,
    /// Processing time, milliseconds since the epoch.
    pub at_ms: i64,
    /// What the job counted.
    pub counts: &'a JobCounts,
    /// Names of the files that were sent, in any order.
    pub files: &'a [&'a str],
}

/// Subject and text. Times are those of the United Kingdom.
///
/// # Errors
/// When the processing time is outside the years -9999 to 9999.
pub fn success_mail(mail: &SuccessMail<'_>) -> Result<MailText, jiff::Error> {
    let SuccessMail { job_id, practice, file, at_ms, counts, files } = mail;
    let at = time_in(EUROPE_LONDON.clone(), *at_ms)?;
    let JobCounts { only_on_pds, only_on_gp, differences, patients_with_differences, .. } = counts;
    let mut files = files.to_vec();
    files.sort_unstable();
    let files: String = files.iter().map(|file| format!("    • {file}\n")).collect();
    Ok(MailText {
        subject: format!("PDS Comparison run at {at} against Practice: {practice} - {file} - Registrations Output"),
        body: format!(
            "The GP file: {file} has been compared to PDS at {at}\n\
             \n\
             {only_on_pds} patient records were found on PDS, that were not in the GP file.\n\
             \n\
             {only_on_gp} patient records were found in the GP file, that are not associated to this GP in PDS.\n\
             \n\
             The comparison run has also discovered {differences} discrepancies that have generated {patients_with_differences} work\n\
             item/s to resolve, with {UPDATED_ON_PDS} record/s being automatically updated in PDS and\n\
             {differences} record/s being provided for the GP Practice to review and update.\n\
             \n\
             The files generated can be found in your MESH mailbox:\n\
             {files}\n\
             For support reference, the Reconciliation Run Id associated to this email is: {job_id}"
        ),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_mail_about_a_reconciled_file_is_the_known_one_byte_for_byte() {
        let counts = JobCounts {
            only_on_pds: 3,
            only_on_gp: 5,
            differences: 4,
            patients_with_differences: 1,
            work_items: 2,
            ..JobCounts::default()
        };
        let mail = success_mail(&SuccessMail {
            job_id: "7b207bdb-2937-4e17-a1a9-57a2bbf3e358",
            practice: "Y12345",
            file: "Y12345_GPR4LNA1.E1A",
            // 2021-05-27 14:48:37.999 UTC, when clocks in London show 15:48:37.
            at_ms: 1_622_126_917_999,
            counts: &counts,
            files: &["Y12345-OnlyOnPDS-1.csv", "Y12345-CDD-1.csv", "Y12345-OnlyOnGP-1.csv"],
        })
        .unwrap();
        assert_eq!(
            mail.subject,
            "PDS Comparison run at 15:48:37 on 27/05/2021 against Practice: Y12345 - Y12345_GPR4LNA1.E1A - Registrations Output"
        );
        let expected = concat!(
            "The GP file: Y12345_GPR4LNA1.E1A has been compared to PDS at 15:48:37 on 27/05/2021\n",
            "\n",
            "3 patient records were found on PDS, that were not in the GP file.\n",
            "\n",
            "5 patient records were found in the GP file, that are not associated to this GP in PDS.\n",
            "\n",
            "The comparison run has also discovered 4 discrepancies that have generated 1 work\n",
            "item/s to resolve, with 0 record/s being automatically updated in PDS and\n",
            "4 record/s being provided for the GP Practice to review and update.\n",
            "\n",
            "The files generated can be found in your MESH mailbox:\n",
            "    \u{2022} Y12345-CDD-1.csv\n",
            "    \u{2022} Y12345-OnlyOnGP-1.csv\n",
            "    \u{2022} Y12345-OnlyOnPDS-1.csv\n",
            "\n",
            "For support reference, the Reconciliation Run Id associated to this email is: ",
            "7b207bdb-2937-4e17-a1a9-57a2bbf3e358",
        );
        assert_eq!(mail.body, expected);
    }

    #[test]
    fn in_winter_the_time_is_that_of_utc() {
        let mail = success_mail(&SuccessMail {
            job_id: "j",
            practice: "Y12345",
            file: "f",
            // 2021-12-01 09:05:07 UTC
            at_ms: 1_638_349_507_000,
            counts: &JobCounts::default(),
            files: &[],
        })
        .unwrap();
        assert!(mail.body.starts_with("The GP file: f has been compared to PDS at 09:05:07 on 01/12/2021\n"));
    }
}
