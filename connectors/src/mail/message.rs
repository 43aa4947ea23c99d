//! A mail as it goes over the wire: the same bytes whenever it is made from the same object.

use std::time::SystemTime;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use lettre::Message;
use lettre::message::{Mailbox, SinglePart};

use super::outbox::OutboxMail;

/// The mail, or what is wrong with the object.
pub(super) fn compose(mail: &OutboxMail, from: &Mailbox) -> Result<Message, String> {
    let mut message = Message::builder()
        .message_id(Some(message_id(&mail.id, from)?))
        .date(written_at(&mail.timestamp)?)
        .from(from.clone())
        .subject(&mail.subject);
    if mail.subject.chars().any(char::is_control) {
        return Err("subject: it has a control character".to_owned());
    }
    if mail.to.is_empty() {
        return Err("to: it names nobody".to_owned());
    }
    for (position, to) in mail.to.iter().enumerate() {
        let to = to.parse::<Mailbox>().map_err(|error| format!("to[{position}]: {error}"))?;
        if !to.email.to_string().is_ascii() {
            return Err(format!("to[{position}]: an address with characters other than those of ASCII"));
        }
        message = message.to(to);
    }
    message.singlepart(SinglePart::plain(mail.body.clone())).map_err(|error| error.to_string())
}

/// `<id@domain of the sender>`
fn message_id(id: &str, from: &Mailbox) -> Result<String, String> {
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if id.is_empty() || id.len() > 200 || !id.bytes().all(is_atom) {
        return Err("the id of the object is empty, too long, or not made of letters, digits, '-' and '_'".to_owned());
    }
    Ok(format!("<{id}@{}>", from.email.domain()))
}

fn written_at(timestamp: &str) -> Result<SystemTime, String> {
    let at = DateTime::strptime("%Y%m%d%H%M%S", timestamp)
        .and_then(|at| at.to_zoned(TimeZone::UTC))
        .map_err(|_| "timestamp: it is not YYYYMMDDHHMMSS".to_owned())?;
    Ok(SystemTime::from(at.timestamp()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn mail() -> OutboxMail {
        OutboxMail {
            id: "7b207bdb-2937-4e17-a1a9-57a2bbf3e358".to_owned(),
            service: "LR-14".to_owned(),
            timestamp: "20210927112024".to_owned(),
            to: vec!["a@nhs.example".to_owned(), "b@nhs.example".to_owned()],
            subject: "PDS Comparison run".to_owned(),
            body: "The files:\n    \u{2022} cdd.csv\n".to_owned(),
        }
    }

    fn composed(mail: &OutboxMail) -> Result<String, String> {
        let from = "List Reconciliation <lr@sender.example>".parse().unwrap();
        compose(mail, &from).map(|message| String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn the_same_object_makes_the_same_mail_with_an_id_and_a_date_of_its_own() {
        let text = composed(&mail()).unwrap();
        assert_eq!(text, composed(&mail()).unwrap());
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert!(lines.contains(&"Message-ID: <7b207bdb-2937-4e17-a1a9-57a2bbf3e358@sender.example>"), "{text}");
        assert!(lines.contains(&"Date: Mon, 27 Sep 2021 11:20:24 +0000"), "{text}");
        assert!(lines.contains(&"To: a@nhs.example, b@nhs.example"), "{text}");
        assert!(text.is_ascii());
        assert_eq!(text.replace("\r\n", "").find('\n'), None, "{text}");
    }

    #[test]
    fn an_object_that_cannot_become_a_mail_says_which_field_is_wrong() {
        let wrong: [(&str, OutboxMail); 6] = [
            ("to: ", OutboxMail { to: vec![], ..mail() }),
            ("to[1]", OutboxMail { to: vec!["a@nhs.example".to_owned(), "b".to_owned()], ..mail() }),
            ("to[0]", OutboxMail { to: vec!["\u{e9}@nhs.example".to_owned()], ..mail() }),
            ("timestamp", OutboxMail { timestamp: "20210931112024".to_owned(), ..mail() }),
            ("subject", OutboxMail { subject: "a\r\nBcc: c@elsewhere.example".to_owned(), ..mail() }),
            ("the id", OutboxMail { id: "a@b".to_owned(), ..mail() }),
        ];
        for (field, mail) in wrong {
            let problem = composed(&mail).unwrap_err();
            assert!(problem.starts_with(field), "{problem}");
        }
    }
}
