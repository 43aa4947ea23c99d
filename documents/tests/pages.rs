//! PDF and images with the real tools: what is printed is what is read. Where a tool is not installed a test says SKIPPED.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use concord_documents::synthetic::{
    ImageKind, SyntheticKind, SyntheticRecord, letter, pdf_of_lines, rendered, scanned_pdf,
};
use concord_documents::{ContentType, Limits, Problem, ReadFailure, Reading, read};
use concord_schemas::patient_documents::fields;

fn has(tools: &[&str]) -> bool {
    let missing: Vec<_> = tools.iter().filter(|tool| Command::new(tool).arg("-v").output().is_err()).collect();
    if !missing.is_empty() {
        eprintln!("SKIPPED: {missing:?} are not installed (tesseract-ocr, poppler-utils)");
    }
    missing.is_empty()
}

const POPPLER: [&str; 3] = ["pdfinfo", "pdftotext", "pdftoppm"];
const ALL: [&str; 4] = ["pdfinfo", "pdftotext", "pdftoppm", "tesseract"];

fn read_here(document: &[u8]) -> Result<Reading, ReadFailure> {
    let folder = tempfile::tempdir().unwrap();
    read(document, &Limits::default(), folder.path())
}

#[test]
fn the_text_layer_of_a_pdf_says_what_was_printed() {
    if !has(&POPPLER) {
        return;
    }
    for index in 0..20 {
        let record = SyntheticRecord::of(2, index);
        let reading = read_here(&SyntheticKind::Pdf.write(&record)).unwrap();
        assert_eq!(reading.content_type, ContentType::Pdf);
        assert_eq!(reading.features.reader, "pdf-text");
        assert_eq!(SyntheticRecord::said_by(&reading.features), record, "person {index}");
        let place = &reading.features.demographics[0].place;
        assert_eq!(place.page, Some(1));
        assert!(place.region.unwrap().left > 60 && place.region.unwrap().top > 50, "{place}");
    }
}

/// What of a record was not read letter by letter, of all fields, medicines and allergies.
fn misread(read: &SyntheticRecord, printed: &SyntheticRecord) -> (usize, usize) {
    let fields = |record: &SyntheticRecord| {
        let mut fields: Vec<String> = [
            &record.nhs_number,
            &record.family_name,
            &record.given_names,
            &record.birth_date,
            &record.sex,
            &record.address,
            &record.postcode,
            &record.phone,
        ]
        .map(Clone::clone)
        .to_vec();
        fields.extend(record.medications.iter().map(|one| format!("{one:?}")));
        fields.extend(record.allergies.iter().map(|one| format!("{one:?}")));
        fields
    };
    let (read, printed) = (fields(read), fields(printed));
    (printed.iter().filter(|field| !read.contains(field)).count(), printed.len())
}

/// Reads images of so many people; how many of a hundred values were misread.
fn misread_of(make: impl Fn(&SyntheticRecord) -> Vec<u8>, kind: ContentType, people: u64) -> usize {
    let (mut wrong, mut all) = (0, 0);
    for index in 0..people {
        let record = SyntheticRecord::of(4, index);
        let reading = read_here(&make(&record)).unwrap();
        assert_eq!(reading.content_type, kind);
        assert_eq!(reading.features.reader, "ocr");
        let (misread, values) = misread(&SyntheticRecord::said_by(&reading.features), &record);
        wrong += misread;
        all += values;
    }
    println!("{kind}: {wrong} of {all} values misread");
    wrong * 100 / all
}

#[test]
fn images_of_every_kind_are_read_by_ocr() {
    if !has(&ALL) {
        return;
    }
    for (image, kind) in
        [(ImageKind::Png, ContentType::Png), (ImageKind::Jpeg, ContentType::Jpeg), (ImageKind::Tiff, ContentType::Tiff)]
    {
        let make = |record: &SyntheticRecord| rendered(&pdf_of_lines(&letter(record)), image, 300).unwrap();
        assert!(misread_of(make, kind, 2) <= 10, "{kind}");
    }
}

#[test]
fn a_pdf_without_text_is_read_by_ocr_with_places_in_points() {
    if !has(&ALL) {
        return;
    }
    let make = |record: &SyntheticRecord| scanned_pdf(&pdf_of_lines(&letter(record)), 300).unwrap();
    assert!(misread_of(make, ContentType::Pdf, 2) <= 10);
    let record = SyntheticRecord::of(4, 0);
    let place_in = |document: &[u8]| {
        let features = read_here(document).unwrap().features;
        features.demographics.iter().find(|one| one.field == fields::BIRTH_DATE).unwrap().place.region.unwrap()
    };
    let (scanned, printed) = (place_in(&make(&record)), place_in(&SyntheticKind::Pdf.write(&record)));
    assert!(
        (scanned.left - printed.left).abs() < 10 && (scanned.top - printed.top).abs() < 10,
        "{scanned:?} {printed:?}"
    );
}

#[test]
fn an_image_that_only_looks_whole_is_damaged() {
    if !has(&["tesseract"]) {
        return;
    }
    let content = [
        &[0, 0, 0, 13][..],
        b"IHDR",
        &[0, 0, 0, 10, 0, 0, 0, 10, 8, 0, 0, 0, 0],
        &[0; 4],
        &[0, 0, 0, 1],
        b"IDATx",
        &[0; 4],
        &[0; 4],
        b"IEND",
        &[0; 4],
    ];
    let image = [b"\x89PNG\r\n\x1a\n".as_slice(), &content.concat()].concat();
    let failure = read_here(&image).unwrap_err();
    assert_eq!((failure.problem, failure.content_type), (Problem::Damaged, ContentType::Png));
}

#[test]
fn a_pdf_that_is_cut_off_or_locked_is_refused_with_its_reason() {
    if !has(&POPPLER) {
        return;
    }
    let whole = SyntheticKind::Pdf.write(&SyntheticRecord::of(2, 0));
    assert_eq!(read_here(&whole[..40]).unwrap_err().problem, Problem::Damaged);
    let lock = format!(
        "/Encrypt << /Filter /Standard /V 1 /R 2 /O <{}> /U <{}> /P -4 >> /ID [<00> <00>] /Root",
        "11".repeat(32),
        "22".repeat(32)
    );
    let text = String::from_utf8_lossy(&whole).replace("/Root", &lock);
    assert_eq!(read_here(text.as_bytes()).unwrap_err().problem, Problem::Encrypted);
}
