//! The answer to a file that came before.

use super::{MailText, time_in};
use crate::list_reconciliation::JobStatus;
use crate::list_reconciliation::uk_time::EUROPE_LONDON;

/// What the answer to a copy is made of.
#[derive(Debug)]
pub struct CopyMail<'a> {
    /// The job of the first one.
    pub job_id: &'a str,
    /// The file's name.
    pub file: &'a str,
    /// Processing time of the first one, milliseconds since the epoch.
    pub at_ms: i64,
    /// Where the job stands.
    pub status: JobStatus,
}

/// Subject and text. Times are those of the United Kingdom.
///
/// # Errors
/// When the processing time is outside the years -9999 to 9999.
pub fn copy_mail(mail: &CopyMail<'_>) -> Result<MailText, jiff::Error> {
    let CopyMail { job_id, file, at_ms, status } = mail;
    let at = time_in(EUROPE_LONDON.clone(), *at_ms)?;
    let (status, meaning) = (status.as_str(), status.meaning());
    Ok(MailText {
        subject: format!("PDS Comparison: the GP file '{file}' was received again"),
        body: format!(
            "The GP file: {file} was received again.\n\
             It is the same, character for character, as the one received at {at}, and has not been processed a second time.\n\
             \n\
             What became of the first one: {meaning} ({status}).\n\
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
    fn the_answer_to_a_copy_says_when_the_first_one_came_and_what_became_of_it() {
        let mail = copy_mail(&CopyMail {
            job_id: "j-1",
            file: "Y12345_GPR4LNA1.E1A",
            // 2021-05-27 14:48:37 UTC, when clocks in London show 15:48:37.
            at_ms: 1_622_126_917_000,
            status: JobStatus::Rejected,
        })
        .unwrap();
        assert_eq!(mail.subject, "PDS Comparison: the GP file 'Y12345_GPR4LNA1.E1A' was received again");
        let expected = concat!(
            "The GP file: Y12345_GPR4LNA1.E1A was received again.\n",
            "It is the same, character for character, as the one received at 15:48:37 on 27/05/2021, ",
            "and has not been processed a second time.\n",
            "\n",
            "What became of the first one: it was refused, for its name, its structure or its records (REJECTED).\n",
            "\n",
            "For support reference, the Reconciliation Run Id associated to this email is: j-1",
        );
        assert_eq!(mail.body, expected);
    }
}
