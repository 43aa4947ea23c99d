//! What goes over the pipes: a document there, an answer back, each behind its length as eight bytes, least significant first.
//! A process may read several documents one after the other; it ends when its input does.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read, Write};

use concord_schemas::patient_documents::Features;
use serde::{Deserialize, Serialize};

use crate::{ContentType, Problem, ReadFailure, Reading};

/// An answer has at most so many bytes: ten thousand observations of a thousand each.
pub(super) const LONGEST_ANSWER: u64 = 64 << 20;

/// The answer to a document: its features, or why there are none.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer<'a> {
    #[serde(borrow)]
    content_type: Cow<'a, str>,
    #[serde(borrow)]
    features: Option<Features<'a>>,
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow)]
    detail: Cow<'a, str>,
}

impl Answer<'_> {
    pub fn of(outcome: Result<Reading, ReadFailure>) -> Answer<'static> {
        match outcome {
            Ok(Reading { content_type, features }) => Answer {
                content_type: content_type.name().into(),
                features: Some(features),
                code: "".into(),
                detail: "".into(),
            },
            Err(ReadFailure { problem, detail, content_type }) => Answer {
                content_type: content_type.name().into(),
                features: None,
                code: problem.code().into(),
                detail: detail.into(),
            },
        }
    }

    /// `None` of an answer that says neither.
    pub fn outcome(self) -> Option<Result<Reading, ReadFailure>> {
        let content_type = ContentType::of_name(&self.content_type);
        if let Some(features) = self.features {
            return Some(Ok(Reading { content_type, features: features.into_owned() }));
        }
        let problem = Problem::of_code(&self.code)?;
        Some(Err(ReadFailure { problem, detail: self.detail.into_owned(), content_type }))
    }
}

/// Writes a length and what has it.
pub(super) fn write_frame(output: &mut impl Write, content: &[u8]) -> io::Result<()> {
    output.write_all(&(content.len() as u64).to_le_bytes())?;
    output.write_all(content)?;
    output.flush()
}

/// Reads what [`write_frame`] wrote; `None` at the end of the input.
///
/// # Errors
/// [`ErrorKind::InvalidData`] when it is longer than `longest`, before any of it is read.
pub(super) fn read_frame(input: &mut impl Read, longest: u64) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    if input.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut length[1..])?;
    let length = u64::from_le_bytes(length);
    if length > longest {
        return Err(io::Error::new(ErrorKind::InvalidData, "a frame longer than one may be"));
    }
    let mut content = Vec::new();
    input.take(length).read_to_end(&mut content)?;
    if content.len() as u64 == length { Ok(Some(content)) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn frames_follow_each_other_and_end_with_the_input() {
        let mut written = Vec::new();
        write_frame(&mut written, b"one").unwrap();
        write_frame(&mut written, b"").unwrap();
        let mut input = written.as_slice();
        assert_eq!(read_frame(&mut input, 3).unwrap().as_deref(), Some(b"one".as_slice()));
        assert_eq!(read_frame(&mut input, 3).unwrap().as_deref(), Some(b"".as_slice()));
        assert_eq!(read_frame(&mut input, 3).unwrap(), None);
    }

    #[test]
    fn a_frame_that_is_cut_off_or_too_long_is_an_error() {
        let mut written = Vec::new();
        write_frame(&mut written, b"four").unwrap();
        assert_eq!(read_frame(&mut written.as_slice(), 3).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read_frame(&mut &written[..10], 4).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(read_frame(&mut &written[..3], 4).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn an_answer_comes_out_as_it_was_given() {
        let failure =
            ReadFailure { problem: Problem::Damaged, detail: "byte \"7\"".into(), content_type: ContentType::Pdf };
        for outcome in [
            Err(failure),
            Ok(Reading { content_type: ContentType::Text, features: Features { pages: 3, ..Features::default() } }),
        ] {
            let bytes = serde_json::to_vec(&Answer::of(outcome.clone())).unwrap();
            let answer: Answer<'_> = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(answer.outcome(), Some(outcome));
        }
        let neither = br#"{"content_type": "", "features": null, "code": "", "detail": ""}"#;
        assert!(serde_json::from_slice::<Answer<'_>>(neither).unwrap().outcome().is_none());
    }
}
