//! The mail about a job that came to no good end.

use super::{MailText, time_in};
use crate::list_reconciliation::JobStatus;
use crate::list_reconciliation::uk_time::EUROPE_LONDON;

/// What the mail about a job without a good end is made of.
#[derive(Debug)]
pub struct UnfinishedMail<'a> {
    /// The job.
    pub job_id: &'a str,
    /// The file's name.
    pub file: &'a str,
    /// Processing time, milliseconds since the epoch.
    pub at_ms: i64,
    /// How it ended.
    pub status: JobStatus,
    /// Why.
    pub reason: &'a str,
}

/// Subject and text. Times are those of the United Kingdom.
///
/// # Errors
/// When the processing time is outside the years -9999 to 9999.
pub fn unfinished_mail(mail: &UnfinishedMail<'_>) -> Result<MailText, jiff::Error> {
    let UnfinishedMail { job_id, file, at_ms, status, reason } = mail;
    let at = time_in(EUROPE_LONDON.clone(), *at_ms)?;
    let (status, meaning) = (status.as_str(), status.meaning());
    Ok(MailText {
        subject: format!("PDS Comparison did not finish for '{file}'"),
        body: format!(
            "The GP file: {file}, received at {at}, was not reconciled: {meaning} ({status}).\n\
             Files that may have been sent for it are not complete: do not use them.\n\
             \n\
             {reason}.\n\
             \n\
             For support reference, the Reconciliation Run Id associated to this email is: {job_id}"
        ),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_mail_about_a_job_without_a_good_end_says_why_and_warns_of_its_files() {
        let mail = unfinished_mail(&UnfinishedMail {
            job_id: "j-1",
            file: "Y12345_GPR4LNA1.E1A",
            // 2021-12-01 09:05:07 UTC
            at_ms: 1_638_349_507_000,
            status: JobStatus::TimedOut,
            reason: "The job was not done within 360 minutes of its verdict",
        })
        .unwrap();
        assert_eq!(mail.subject, "PDS Comparison did not finish for 'Y12345_GPR4LNA1.E1A'");
        let expected = concat!(
            "The GP file: Y12345_GPR4LNA1.E1A, received at 09:05:07 on 01/12/2021, was not reconciled: ",
            "it came to no end in the time that a job has (TIMED_OUT).\n",
            "Files that may have been sent for it are not complete: do not use them.\n",
            "\n",
            "The job was not done within 360 minutes of its verdict.\n",
            "\n",
            "For support reference, the Reconciliation Run Id associated to this email is: j-1",
        );
        assert_eq!(mail.body, expected);
    }
}
