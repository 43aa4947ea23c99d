//! The record follows from the documents, not from the order in which they came.

use concord_schemas::Schemas;
use concord_schemas::codec::CONSOLIDATION;
use concord_schemas::patient_documents::{Extraction, PatientConsolidation};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::said::{document, medicines, record};

/// Few values, so that documents agree and differ.
const NUMBERS: [&str; 3] = ["9434765919", "9990548609", "9434765918"];
const NAMES: [&str; 4] = ["Smith", "SMITH", "Smyth", "O'Neil"];
const DATES: [&str; 4] = ["1980-01-01", "1980-01-02", "1980", "1979-12-31"];
const PHONES: [&str; 3] = ["01134960001", "+441134960001", "07700900001"];
const READERS: [&str; 4] = ["fhir-r4", "hl7-v2", "labelled-text", "ocr"];
const MEDICINES: [[&str; 5]; 5] = [
    ["1", "Paracetamol", "500 mg", "tablet", "1 daily"],
    ["", "Paracetamol 500mg tablets", "", "", "2 daily"],
    ["2", "Paracetamol", "500 mg", "tablet", "once a day"],
    ["", "Warfarin", "3 mg", "tablet", ""],
    ["3", "Warfarin", "5 mg", "tablet", "1 daily"],
];
const IDS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

fn any_document() -> impl Strategy<Value = Extraction<'static>> {
    let fields = (select(&NUMBERS[..]), select(&NAMES[..]), select(&DATES[..]), select(&PHONES[..]));
    let named = proptest::collection::vec(select(&MEDICINES[..]), 0..4);
    (select(&READERS[..]), 0..5_i64, fields, named, 0..=100_i32).prop_map(
        |(reader, at_ms, fields, named, confidence)| {
            let (number, name, date, phone) = fields;
            let said = [("nhs_number", number), ("family_name", name), ("birth_date", date), ("phone", phone)];
            let mut document = document("", reader, at_ms, &said);
            let features = document.features.as_mut().unwrap();
            features.demographics.iter_mut().for_each(|said| said.confidence = confidence);
            features.medications = medicines("", &named).features.unwrap().medications;
            document
        },
    )
}

/// Documents under ids of their own.
fn any_documents() -> impl Strategy<Value = Vec<Extraction<'static>>> {
    proptest::collection::vec(any_document(), 0..IDS.len()).prop_map(|documents| {
        let with_id = |(id, document)| Extraction { document_id: id, name: id, ..document };
        IDS.into_iter().zip(documents).map(with_id).collect()
    })
}

fn bytes(record: &PatientConsolidation<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Schemas::bundled().encoder().encode(&CONSOLIDATION, record, &mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn any_order_gives_the_same_bytes(documents in any_documents(), swaps in proptest::collection::vec(any::<(Index, Index)>(), 20)) {
        let mut shuffled = documents.clone();
        for (one, other) in swaps {
            if !shuffled.is_empty() {
                let (one, other) = (one.index(shuffled.len()), other.index(shuffled.len()));
                shuffled.swap(one, other);
            }
        }
        prop_assert_eq!(bytes(&record(&documents)), bytes(&record(&shuffled)));
    }

    #[test]
    fn what_is_deleted_leaves_no_trace(documents in any_documents(), deleted in any::<Index>()) {
        prop_assume!(!documents.is_empty());
        let mut left = documents.clone();
        let gone = left.remove(deleted.index(documents.len()));
        let record = record(&left);
        prop_assert!(record.documents.iter().all(|document| document.document_id != gone.document_id));
        let observed = record.fields.iter().flat_map(|field| &field.observed);
        for value in observed.chain(record.medications.iter().flat_map(|medicine| &medicine.doses)) {
            prop_assert!(!value.documents.is_empty(), "a value without a document");
            prop_assert!(value.documents.iter().all(|place| (*place as usize) < left.len()));
        }
    }

    #[test]
    fn every_document_stands_behind_what_it_says(documents in any_documents()) {
        let record = record(&documents);
        for (place, document) in documents.iter().enumerate() {
            let says = document.features.as_ref().unwrap();
            for field in &record.fields {
                let said = says.demographics.iter().any(|said| said.field == field.field);
                let stands = field.observed.iter().any(|value| value.documents.contains(&(place as i32)));
                prop_assert_eq!(said, stands, "{}", field.field);
            }
            let medicines = record.medications.iter().filter(|m| m.documents.contains(&(place as i32))).count();
            prop_assert!(medicines <= says.medications.len());
            prop_assert_eq!(medicines == 0, says.medications.is_empty());
        }
    }
}
