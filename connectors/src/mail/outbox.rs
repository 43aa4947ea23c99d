//! An object of the outbox.

use serde::Deserialize;

use super::error::{MailError, MailProblem};

/// One mail, as its producer put it into the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxMail {
    /// Id of the object: the same mail has the same, and no other mail has it.
    pub id: String,
    /// In whose name it is sent, such as `LR-14`.
    pub service: String,
    /// When it was written, `YYYYMMDDHHMMSS` in UTC.
    pub timestamp: String,
    /// Who receives it.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// Plain text; lines end with a line feed.
    pub body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    service: String,
    timestamp: String,
    to: Vec<String>,
    subject: String,
    body: String,
}

impl OutboxMail {
    /// Reads the JSON of an object; `id` is its key in the outbox.
    ///
    /// # Errors
    /// [`MailProblem::NotAMail`], which names the field.
    pub fn read(id: &str, json: &[u8]) -> Result<Self, MailError> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let object: Object = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            // What the parser says of a value quotes it, so only the place is told.
            let place = error.path().to_string();
            let detail = format!("it is not the JSON of a mail ({:?} at {place})", error.inner().classify());
            MailError::new(MailProblem::NotAMail, format!("object {id}"), detail)
        })?;
        let Object { service, timestamp, to, subject, body } = object;
        Ok(Self { id: id.to_owned(), service, timestamp, to, subject, body })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn an_object_that_is_no_mail_is_told_by_its_field_and_not_by_its_content() {
        for (json, place) in [
            (r#"{"service": "LR-14", "timestamp": "1", "to": "SMITH", "subject": "s", "body": "b"}"#, "to"),
            (r#"{"service": "LR-14", "timestamp": "1", "to": [7], "subject": "s", "body": "b"}"#, "to[0]"),
            (r#"{"service": "LR-14"}"#, "."),
            (r#"{"service": "LR-14", "#, "?"),
        ] {
            let Err(error) = OutboxMail::read("o-1", json.as_bytes()) else { panic!("{json} was read") };
            assert_eq!(error.code(), "CONCORD-ML-0002");
            assert!(error.to_string().contains(&format!("at {place})")), "{error}");
            assert!(!error.to_string().contains("SMITH"), "{error}");
        }
    }
}
