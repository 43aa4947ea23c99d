//! A mail as the outbox holds it until the post has taken it.

use super::MailText;
use crate::list_reconciliation::outputs::file_timestamp;
use crate::list_reconciliation::outputs::json_text::{push_key, push_list, push_text};

/// The service in whose name mails about reconciled files are sent.
pub const SUCCESS_SERVICE: &str = "LR-14";
/// The service in whose name mails about refused files are sent.
pub const FAILURE_SERVICE: &str = "LR-04";

/// What an object of the outbox is made of.
#[derive(Debug)]
pub struct OutboxMail<'a> {
    /// In whose name it is sent.
    pub service: &'a str,
    /// Processing time of the job, milliseconds since the epoch.
    pub at_ms: i64,
    /// Who receives it.
    pub to: &'a [&'a str],
    /// What it says.
    pub text: &'a MailText,
}

/// Appends the object as JSON, without a line end.
///
/// # Errors
/// When the processing time is outside the years -9999 to 9999.
pub fn write_outbox_mail(out: &mut String, mail: &OutboxMail<'_>) -> Result<(), jiff::Error> {
    let timestamp = file_timestamp(mail.at_ms)?;
    out.push('{');
    push_key(out, "service");
    push_text(out, &mail.service.to_uppercase());
    out.push_str(", ");
    push_key(out, "timestamp");
    push_text(out, &timestamp);
    out.push_str(", ");
    push_key(out, "to");
    push_list(out, mail.to);
    out.push_str(", ");
    push_key(out, "subject");
    push_text(out, &mail.text.subject);
    out.push_str(", ");
    push_key(out, "body");
    push_text(out, &mail.text.body);
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn an_object_of_the_outbox_has_its_keys_in_the_known_order_and_form() {
        let text = MailText { subject: "Very important".to_string(), body: "a \"b\"\n    • c".to_string() };
        let mut out = String::new();
        write_outbox_mail(
            &mut out,
            // 2021-09-27 11:20:24 UTC
            &OutboxMail { service: "lr-14", at_ms: 1_632_741_624_000, to: &["a@nhs.net", "b@nhs.net"], text: &text },
        )
        .unwrap();
        assert_eq!(
            out,
            concat!(
                r#"{"service": "LR-14", "timestamp": "20210927112024", "to": ["a@nhs.net", "b@nhs.net"], "#,
                r#""subject": "Very important", "body": "a \"b\"\n    \u2022 c"}"#,
            )
        );
    }
}
