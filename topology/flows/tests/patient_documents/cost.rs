//! What a patient with many documents costs.

use std::time::{Duration, Instant};

use concord_flows::patient_documents::consolidation::{Consolidation, Rules};
use concord_flows::patient_documents::topology::CONSOLIDATION;
use concord_flows::patient_documents::values::Consolidations;
use concord_schemas::patient_documents::{Extraction, ProcessingStatus};

use crate::reader::features;
use crate::stage::{QUIET, Stage};

fn text(number: usize) -> String {
    let birth_date = if number.is_multiple_of(10) { "1980-01-02" } else { "1980-01-01" };
    let strength = 1 + number % 5;
    format!(
        "family_name: Smith\ngiven_names: Anna Maria\nbirth_date: {birth_date}\nsex: female\nnhs_number: 9434765919\n\
         address: 12 High Street, Leeds\npostcode: LS1 2AB\nphone: 01134960001\n\
         medicine: |Warfarin {strength}mg tablets|||1 daily\nmedicine: 322236009|Paracetamol|500 mg|tablet|1 daily"
    )
}

/// The least of several times that consolidating so many documents took.
fn time_of(documents: usize) -> Duration {
    let texts: Vec<String> = (0..documents).map(text).collect();
    let ids: Vec<String> = (0..documents).map(|number| format!("{number:08}")).collect();
    let rules = Rules::default();
    let once = || {
        let started = Instant::now();
        let mut consolidation = Consolidation::new(&rules);
        for (id, text) in ids.iter().zip(&texts) {
            consolidation.add(&extraction(id, text));
        }
        let record = consolidation.record("p1");
        assert_eq!((record.documents.len(), record.medications.len()), (documents, 6));
        started.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap()
}

fn extraction<'a>(document_id: &'a str, text: &'a str) -> Extraction<'a> {
    Extraction {
        document_id,
        patient_id: "p1",
        name: document_id,
        source: "",
        status: ProcessingStatus::Complete,
        failure_count: 0,
        status_last_updated_ms: 0,
        duration_ms: None,
        content_type: "text/plain",
        content_sha256: "",
        contents_last_updated_ms: 1,
        reason_code: "",
        reason: "",
        features_as_of_ms: Some(1),
        features: Some(features(text)),
    }
}

#[test]
fn time_grows_with_documents_and_not_with_their_square() {
    let (few, many) = (time_of(1_000), time_of(8_000));
    eprintln!("1,000 documents take {few:?}, 8,000 take {many:?}");
    // Eight times as many take eight times as long, and never the 64 times of a square.
    assert!(many < few * 24, "{few:?} became {many:?}");
}

#[test]
fn five_thousand_documents_of_a_patient_are_one_record_that_fits() {
    const DOCUMENTS: usize = 5_000;
    let mut stage = Stage::new();
    for number in 0..DOCUMENTS {
        // Ids as long as those that are made elsewhere.
        stage.upload("p1", &format!("0191a6f0-7c1e-7000-8000-{number:012}"), &text(number));
    }
    stage.settle();
    stage.pass(QUIET);
    let outputs = stage.driver.outputs::<Consolidations>(CONSOLIDATION).unwrap();
    let last = outputs.last().unwrap();
    eprintln!("the record of {DOCUMENTS} documents has {} bytes", last.record.value.as_ref().unwrap().len());
    let record = last.value().unwrap().unwrap();
    assert_eq!(record.documents.len(), DOCUMENTS);
    assert_eq!(record.fields[3].value.as_deref(), Some("1980-01-01"));
    assert!(outputs.len() <= 3, "it was consolidated {} times", outputs.len());
    stage.check();
}
