//! A mail as the outbox holds it until the post has taken it.

use concord_schemas::list_reconciliation::Mail;

use crate::list_reconciliation::outputs::json_text::{push_key, push_list, push_text};

/// The service in whose name mails about reconciled files are sent.
pub const SUCCESS_SERVICE: &str = "LR-14";
/// The service in whose name mails about refused and unfinished files are sent.
pub const FAILURE_SERVICE: &str = "LR-04";
/// The service in whose name files that came before are answered: the one that receives files.
pub const COPY_SERVICE: &str = "LR-02";

/// Appends the object as JSON, without a line end. Its name in the outbox is the mail's id and `.json`.
pub fn write_outbox_mail(out: &mut String, mail: &Mail<'_>) {
    out.push('{');
    push_key(out, "service");
    push_text(out, &mail.service.to_uppercase());
    out.push_str(", ");
    push_key(out, "timestamp");
    push_text(out, mail.timestamp);
    out.push_str(", ");
    push_key(out, "to");
    push_list(out, &mail.to);
    out.push_str(", ");
    push_key(out, "subject");
    push_text(out, mail.subject);
    out.push_str(", ");
    push_key(out, "body");
    push_text(out, mail.body);
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_the_outbox_has_its_keys_in_the_known_order_and_form() {
        let mut out = String::new();
        let mail = Mail {
            mail_id: "m-1",
            job_id: "j-1",
            service: "lr-14",
            timestamp: "20210927112024",
            to: vec!["a@nhs.net", "b@nhs.net"],
            subject: "Very important",
            body: "a \"b\"\n    • c",
        };
        write_outbox_mail(&mut out, &mail);
        assert_eq!(
            out,
            concat!(
                r#"{"service": "LR-14", "timestamp": "20210927112024", "to": ["a@nhs.net", "b@nhs.net"], "#,
                r#""subject": "Very important", "body": "a \"b\"\n    \u2022 c"}"#,
            )
        );
    }
}
