//! A reader that the tests play. Its documents are lines: `birth_date: 1980-01-01`, `medicine: code|name|strength|form|dose`,
//! `reader: ocr`. Of others it says what they tell it to.

use bytes::Bytes;
use concord_engine::calls::{BegunCall, CallFailure};
use concord_flows::patient_documents::{Answered, Asked, FoundOut, Outcome, codes};
use concord_schemas::patient_documents::{Features, ObservedField, ObservedMedication, Place};

/// A document with this text cannot be read, however often it is tried.
pub const BROKEN: &str = "broken";
/// A document with this text is read by no attempt.
pub const HOPELESS: &str = "hopeless";
/// A document that begins so is read by the third attempt.
pub const STUBBORN: &str = "stubborn\n";
/// How long reading takes by what its answers say, milliseconds.
pub const TOOK_MS: i64 = 7;

/// The digest that the reader finds of what it does not read for now.
pub const FOUND_SHA256: &str = "0f";

/// The code of what is broken.
pub const BROKEN_CODE: &str = "TEST-BROKEN";
/// The code of what fails for now.
pub const BUSY_CODE: &str = "TEST-BUSY";

/// What stands at this place says that the patient is called Smith.
pub const ELSEWHERE: &str = "s3://scans/1.txt";
/// There the store answers the second attempt.
pub const AWAY_AT_FIRST: &str = "s3://scans/2.txt";
/// Nothing is there.
pub const NOWHERE: &str = "s3://scans/3.txt";

/// Reads a document.
pub fn read(call: &BegunCall) -> Result<Bytes, CallFailure> {
    let asked = Asked::from_bytes(&call.request).unwrap();
    let content = match (asked.content, asked.url) {
        (Some(content), _) => content,
        (None, AWAY_AT_FIRST) if call.attempt < 2 => {
            return Err(CallFailure::for_now(codes::STORE_AWAY, "the store is away"));
        }
        (None, NOWHERE) => return Err(CallFailure::for_good(codes::NOT_FETCHED, "there is no such object")),
        (None, _) => b"family_name: Smith",
    };
    let text = std::str::from_utf8(content).unwrap();
    let busy = text == HOPELESS || (text.starts_with(STUBBORN) && call.attempt < 3);
    if busy {
        let found =
            FoundOut { content_type: "text/plain".into(), content_sha256: FOUND_SHA256.into(), duration_ms: TOOK_MS };
        return Err(CallFailure::for_now(BUSY_CODE, "the reader is busy").but_found(found.to_bytes().unwrap()));
    }
    let outcome = match text {
        BROKEN => Outcome::NotRead { code: BROKEN_CODE.into(), reason: "it is broken".into() },
        _ => Outcome::Read(features(text)),
    };
    let answered = Answered {
        content_type: "text/plain".into(),
        content_sha256: asked.content_sha256.into(),
        duration_ms: TOOK_MS,
        outcome,
    };
    Ok(Bytes::from(answered.to_bytes().unwrap()))
}

/// What the lines of a text say.
pub fn features(text: &str) -> Features<'_> {
    let mut features = Features { reader: "labelled-text".into(), ..Features::default() };
    for (number, line) in text.lines().enumerate() {
        let Some((label, value)) = line.split_once(": ") else { continue };
        let place = Place::at_path(format!("line {}", number + 1));
        match label {
            "reader" => features.reader = value.into(),
            "medicine" => {
                let mut parts = value.split('|');
                let mut part = || parts.next().unwrap_or_default();
                let code = part();
                features.medications.push(ObservedMedication {
                    code_system: if code.is_empty() { "".into() } else { "dm+d".into() },
                    code: code.into(),
                    name: part().into(),
                    strength: part().into(),
                    form: part().into(),
                    dose: part().into(),
                    place,
                    confidence: 100,
                    ..ObservedMedication::default()
                });
            }
            field => features.demographics.push(ObservedField {
                field: field.into(),
                value: value.into(),
                place,
                confidence: 100,
            }),
        }
    }
    features
}
