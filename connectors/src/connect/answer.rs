//! An answer of DPS becomes the events of `dps.answer`: opened, its pieces, closed.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use concord_schemas::codec;
use concord_schemas::dps::{AnswerChunk, AnswerClosed, AnswerOpened, DpsAnswerEvent};
use serde::Deserialize;

use super::extract::{ExtractError, Pieces};
use super::writing::LogWriter;

/// A longer header is none.
const LONGEST_LINE: u64 = 1 << 20;
const LONGEST_ID: usize = 64;

/// What is known of an answer before it is published.
#[derive(Debug, Clone, Copy)]
pub struct DescribedAnswer<'a> {
    /// The job that its header names ([`job_of_answer`]); where it names none, an id of its own.
    pub job_id: &'a str,
    /// Where it came from.
    pub source: &'a str,
    /// When it came, milliseconds since the epoch.
    pub received_at_ms: i64,
    /// Length of the content.
    pub bytes: u64,
    /// Digest of the content.
    pub sha256: [u8; 32],
}

/// The job that the header of an answer names, whatever else is right or wrong with it; `None` when it names none.
///
/// # Errors
/// The content cannot be read.
///
/// ```
/// use concord_connectors::connect::job_of_answer;
///
/// let answer = br#"{"type": "header", "version": 1, "job_id": "j-1", "practice": "Y12345"}"#;
/// assert_eq!(job_of_answer(&answer[..])?.as_deref(), Some("j-1"));
/// assert_eq!(job_of_answer(&b"<html>"[..])?, None);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn job_of_answer(content: impl Read) -> io::Result<Option<String>> {
    #[derive(Deserialize)]
    struct Header<'a> {
        #[serde(borrow)]
        job_id: Cow<'a, str>,
    }
    let mut content = BufReader::new(content.take(LONGEST_LINE));
    let mut line = Vec::new();
    // Empty lines say nothing.
    while line.trim_ascii().is_empty() {
        line.clear();
        if content.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
    }
    let Ok(Header { job_id }) = serde_json::from_slice(&line) else { return Ok(None) };
    // The form that the schema of answers gives it: it becomes a key.
    let is_id = (1..=LONGEST_ID).contains(&job_id.len())
        && job_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    Ok(is_id.then(|| job_id.into_owned()))
}

/// Publishes an answer, and waits until it is durably in the log. The same answer again changes nothing.
///
/// # Errors
/// The content cannot be read, or the log refuses. Part of it may be in the log then; publishing it again completes it.
pub fn publish_answer(
    writer: &mut LogWriter,
    answer: &DescribedAnswer<'_>,
    content: impl Read,
) -> Result<(), ExtractError> {
    let DescribedAnswer { job_id, source, received_at_ms, bytes, sha256 } = *answer;
    let answer_id: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let answer_id = answer_id.as_str();
    let mut send = |event: DpsAnswerEvent<'_>| writer.send(&codec::DPS_ANSWER, job_id, Some(&event), received_at_ms);
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    send(DpsAnswerEvent::AnswerOpened(AnswerOpened { job_id, answer_id, source, received_at_ms, bytes }))?;
    let mut sequence = 0;
    for piece in Pieces(content) {
        send(DpsAnswerEvent::AnswerChunk(AnswerChunk { job_id, answer_id, sequence, content: &piece? }))?;
        sequence += 1;
    }
    send(DpsAnswerEvent::AnswerClosed(AnswerClosed { job_id, answer_id, chunks: sequence }))?;
    writer.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_job_is_that_of_the_first_line_that_says_anything() {
        for (answer, job) in [
            ("\r\n\n{\"job_id\": \"j-1\"}\n{\"job_id\": \"j-2\"}\n", Some("j-1")),
            ("{\"version\": 2, \"shape\": [], \"job_id\": \"j-1\"}", Some("j-1")),
            ("{\"job_id\": \"../j\"}", None),
            ("{\"job_id\": \"\"}", None),
            ("{\"job_id\": 7}", None),
            ("{\"job_id\": \"j-1\"", None),
            ("", None),
        ] {
            assert_eq!(job_of_answer(answer.as_bytes()).unwrap().as_deref(), job, "{answer:?}");
        }
        let endless = io::repeat(b'x');
        assert_eq!(job_of_answer(endless).unwrap(), None);
    }
}
