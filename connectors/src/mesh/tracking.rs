//! How far a message that was sent has come.

use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::error::{MeshError, MeshProblem};
use super::exchange::{Exchange, Form};

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// Not all of its chunks are there; its recipient does not see it.
    Uploading,
    /// It is in the recipient's inbox.
    Accepted,
    /// The recipient has acknowledged it.
    Acknowledged,
    /// The recipient did not collect it in time.
    Undeliverable,
    /// It failed.
    Error,
    /// A word that this program does not know.
    Other(String),
}

impl DeliveryStatus {
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "uploading" => Self::Uploading,
            "accepted" => Self::Accepted,
            "acknowledged" => Self::Acknowledged,
            "undeliverable" => Self::Undeliverable,
            "error" => Self::Error,
            _ => Self::Other(word.to_owned()),
        }
    }
}

/// What MESH knows of a message that was sent. What it leaves out is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    /// MESH's id of the message.
    pub message_id: String,
    /// The sender's own id of it.
    pub local_id: String,
    /// What kind of message it is.
    pub workflow_id: String,
    /// The mailbox it was sent to.
    pub recipient: String,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// Of a failure: MESH's code.
    pub code: String,
    /// Of a failure: the reason in words.
    pub description: String,
    /// In how many chunks it is sent; `None` where MESH does not say.
    pub chunks: Option<u32>,
}

/// The answer in both forms: the first one writes `messageId`, the second one `message_id`.
#[derive(Deserialize)]
struct Answer {
    #[serde(alias = "messageId")]
    message_id: String,
    #[serde(alias = "localId", default)]
    local_id: Option<String>,
    #[serde(alias = "workflowId", default)]
    workflow_id: Option<String>,
    #[serde(default)]
    recipient: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(alias = "statusCode", default)]
    status_code: Option<String>,
    #[serde(alias = "statusDescription", default)]
    status_description: Option<String>,
    #[serde(rename = "failureDiagnostic", default)]
    failure: Option<String>,
    #[serde(rename = "chunkCount", default)]
    chunks: Option<u32>,
}

impl From<Answer> for Tracking {
    fn from(answer: Answer) -> Self {
        Self {
            message_id: answer.message_id,
            local_id: answer.local_id.unwrap_or_default(),
            workflow_id: answer.workflow_id.unwrap_or_default(),
            recipient: answer.recipient.unwrap_or_default(),
            status: DeliveryStatus::of(&answer.status.unwrap_or_default()),
            code: answer.status_code.unwrap_or_default(),
            description: answer.status_description.or(answer.failure).unwrap_or_default(),
            chunks: answer.chunks,
        }
    }
}

pub(super) fn track(exchange: &Exchange, message_id: &str) -> Result<Tracking, MeshError> {
    let action = exchange.action(&format!("track message {message_id}"));
    let mut url = exchange.url(&["outbox", "tracking"]);
    url.query_pairs_mut().append_pair("messageID", message_id);
    let ask = || exchange.json::<Answer>(&action, exchange.request(Method::GET, url.clone(), Form::Second));
    exchange.patiently(ask).map(Tracking::from)
}

/// The message that was sent under a local id; `None` when there is none.
pub(super) fn find(exchange: &Exchange, local_id: &str) -> Result<Option<Tracking>, MeshError> {
    let action = exchange.action(&format!("look for the message sent as {local_id}"));
    let url = exchange.url(&["outbox", "tracking", local_id]);
    let ask = || exchange.json::<Answer>(&action, exchange.request(Method::GET, url.clone(), Form::First));
    match exchange.patiently(ask) {
        Ok(answer) => Ok(Some(answer.into())),
        Err(error) if error.problem == MeshProblem::NotThere => Ok(None),
        // Of several nobody can say which are whole; sending one more would be no answer.
        Err(error) if error.status == Some(StatusCode::MULTIPLE_CHOICES.as_u16()) => {
            Err(MeshError::new(MeshProblem::SentTwice, &action, "several messages were sent under this local id"))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn tracking(json: &str) -> Tracking {
        serde_json::from_str::<Answer>(json).unwrap().into()
    }

    #[test]
    fn both_forms_of_an_answer_are_read_alike() {
        let first = tracking(
            r#"{"messageId": "M1", "localId": "l", "workflowId": "w", "recipient": "R", "status": "Uploading",
                "statusCode": null, "failureDiagnostic": "f", "chunkCount": 3, "dtsId": "M1"}"#,
        );
        let second = tracking(
            r#"{"message_id": "M1", "local_id": "l", "workflow_id": "w", "recipient": "R", "status": "uploading",
                "status_description": "f"}"#,
        );
        assert_eq!(first.chunks, Some(3));
        assert_eq!(second, Tracking { chunks: None, ..first });
        assert_eq!(second.status, DeliveryStatus::Uploading);
        assert_eq!(tracking(r#"{"message_id": "M1", "status": "Lost"}"#).status, DeliveryStatus::Other("Lost".into()));
    }
}
