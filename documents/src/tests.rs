//! Properties of all readers together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use proptest::prelude::*;

use crate::synthetic::{KINDS, SyntheticAllergy, SyntheticKind, SyntheticMedication, SyntheticRecord};
use crate::{ContentType, Limits, Problem, ReadFailure, Reading, classify, encoding, fhir, hl7, labelled, words};

/// Reads a document that needs no tool.
fn read_here(document: &[u8]) -> Result<Reading, ReadFailure> {
    crate::read(document, &Limits::default(), Path::new("/nowhere"))
}

const WRITTEN_AS_TEXT: [SyntheticKind; 4] =
    [SyntheticKind::Fhir, SyntheticKind::Cda, SyntheticKind::Hl7, SyntheticKind::Text];

#[test]
fn the_same_person_is_read_alike_from_every_kind() {
    for index in 0..200 {
        let record = SyntheticRecord::of(11, index);
        for kind in WRITTEN_AS_TEXT {
            let reading = read_here(&kind.write(&record)).unwrap();
            assert_eq!(SyntheticRecord::said_by(&reading.features), record, "{kind:?} of person {index}");
        }
    }
}

#[test]
fn every_kind_is_recognised_by_its_content() {
    let record = SyntheticRecord::of(1, 1);
    let kinds: Vec<ContentType> = KINDS.iter().map(|kind| classify(&kind.write(&record))).collect();
    assert_eq!(
        kinds,
        [ContentType::FhirJson, ContentType::Cda, ContentType::Hl7V2, ContentType::Text, ContentType::Pdf]
    );
}

#[test]
fn what_is_empty_too_large_or_unknown_is_refused_with_its_reason() {
    let problem_of =
        |document: &[u8], limits: &Limits| crate::read(document, limits, Path::new("/nowhere")).unwrap_err();
    assert_eq!(problem_of(b"", &Limits::default()).problem, Problem::Empty);
    let small = Limits { document_bytes: 3, ..Limits::default() };
    assert_eq!(problem_of(b"text", &small).problem, Problem::TooLarge);
    let failure = problem_of(b"PK\x03\x04", &Limits::default());
    assert_eq!(failure.problem, Problem::UnknownKind);
    assert_eq!(failure.detail, "a ZIP archive or office document");
    let failure = problem_of(b"<a>", &Limits::default());
    assert_eq!((failure.problem, failure.content_type), (Problem::Damaged, ContentType::Xml));
}

/// Letters of several alphabets, and what each kind of structured document must escape.
const ANY_NAME: &str = "[A-ZÅÉØ][a-zåéø'&<>|^~\\\\\"-]{1,12}";
/// Letters alone: labelled text has no way to escape anything.
const PLAIN_NAME: &str = "[A-ZÅÉØ][a-zåéø]{1,12}";

fn date() -> impl Strategy<Value = String> {
    (1900..2100_i32, 1..=12_u8, 1..=28_u8).prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"))
}

fn medication(name: &'static str) -> impl Strategy<Value = SyntheticMedication> {
    let amount = (1..1_000_u32, prop_oneof![Just("mg"), Just("g"), Just("microgram")]);
    (
        "[1-9][0-9]{5,17}",
        name,
        amount.prop_map(|(number, unit)| format!("{number} {unit}")),
        prop_oneof![Just("tablet"), Just("capsule"), Just("oral solution")],
        "[1-9] (puff|dose) (once|twice) a day",
        prop_oneof![Just("oral"), Just("topical"), Just("rectal")],
        date(),
        prop_oneof![Just(String::new()), date()],
    )
        .prop_map(|(code, name, strength, form, dose, route, start, end)| SyntheticMedication {
            code,
            name,
            strength,
            form: form.to_owned(),
            dose,
            route: route.to_owned(),
            start,
            end,
        })
}

fn record(name: &'static str) -> impl Strategy<Value = SyntheticRecord> {
    let allergy = ("[1-9][0-9]{5,17}", name, name).prop_map(|(code, substance, reaction)| SyntheticAllergy {
        code,
        substance,
        reaction,
    });
    (
        any::<u64>(),
        name,
        name,
        date(),
        proptest::collection::vec(medication(name), 0..4),
        proptest::collection::vec(allergy, 0..3),
    )
        .prop_map(|(index, family_name, given_names, birth_date, medications, allergies)| SyntheticRecord {
            family_name,
            given_names,
            birth_date,
            medications,
            allergies,
            ..SyntheticRecord::of(3, index)
        })
}

proptest! {
    #[test]
    fn what_a_structured_document_says_is_what_is_read(record in record(ANY_NAME)) {
        for kind in [SyntheticKind::Fhir, SyntheticKind::Cda, SyntheticKind::Hl7] {
            let reading = read_here(&kind.write(&record)).unwrap();
            prop_assert_eq!(&SyntheticRecord::said_by(&reading.features), &record, "{:?}", kind);
        }
    }

    #[test]
    fn what_a_letter_says_is_what_is_read(record in record(PLAIN_NAME)) {
        let reading = read_here(&SyntheticKind::Text.write(&record)).unwrap();
        prop_assert_eq!(SyntheticRecord::said_by(&reading.features), record);
    }

    #[test]
    fn nothing_panics_on_any_bytes(document in proptest::collection::vec(any::<u8>(), 0..400)) {
        classify(&document);
        let _ = read_every_way(&document);
    }

    #[test]
    fn nothing_panics_on_a_document_that_was_tampered_with(
        index in any::<u64>(), kind in 0..4_usize, changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut document = WRITTEN_AS_TEXT[kind].write(&SyntheticRecord::of(5, index));
        for (at, byte) in &changes {
            let at = at.index(document.len());
            document[at] = *byte;
        }
        let _ = read_here(&document);
        document.truncate(cut.index(document.len()) + 1);
        let _ = read_here(&document);
        let _ = read_every_way(&document);
    }

    #[test]
    fn nothing_panics_on_labels_in_any_order(text in "((NHS|Name|Address|Dose|Medication|Allergies|Born|Tel|GP|Form)?[ :;.,()\\-0-9mgA-Zaé/]{0,6}\n?){0,40}") {
        let _ = read_here(text.as_bytes());
    }

    #[test]
    fn nothing_panics_on_an_image_of_any_bytes(document in proptest::collection::vec(any::<u8>(), 0..200)) {
        for (magic, kind) in [(&b"\x89PNG\r\n\x1a\n"[..], ContentType::Png), (b"\xff\xd8", ContentType::Jpeg), (b"II*\0", ContentType::Tiff), (b"MM\0*", ContentType::Tiff)] {
            let _ = crate::image::check(kind, &[magic, &document].concat(), &Limits::default());
        }
    }

    #[test]
    fn nothing_panics_on_a_table_of_words(rows in proptest::collection::vec("5\t[0-9]\t[0-9]\t[0-9]\t[0-9]\t[0-9]\t-?[0-9]{1,12}\t[0-9]{1,3}(\\.[0-9])?\t[0-9]{1,12}\t[0-9]{1,3}\t-?[0-9]{1,3}\t[a-zé:_]{0,8}", 0..30)) {
        let lines = words::lines_of_table(&rows.join("\n"), 1.0, None, &Limits::default()).unwrap();
        let mut found = crate::found::Found::new("ocr", &Limits::default());
        labelled::read_lines(&lines, &mut found);
        found.finish().unwrap();
    }
}

/// By every reader of text, whatever the document is.
fn read_every_way(document: &[u8]) -> Option<()> {
    let text = encoding::decode(document)?;
    let limits = Limits::default();
    let _ = fhir::read(&text, &limits);
    let _ = crate::cda::read(&text, &limits);
    let _ = hl7::read(&text, &limits);
    let _ = hl7::read(&format!("MSH|^~\\&|\rPID|{text}\rRXE|{text}\rAL1|{text}"), &limits);
    let _ = labelled::read(&text, &limits);
    Some(())
}
