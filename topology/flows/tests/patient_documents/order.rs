//! The same documents in any order give the same records, byte for byte.

use proptest::prelude::*;

use crate::stage::Stage;

/// Documents of two patients: id, patient, text, time.
const DOCUMENTS: [(&str, &str, &str, i64); 9] = [
    ("a", "p1", "reader: fhir-r4\nfamily_name: Smith\nnhs_number: 9434765919", 3),
    ("b", "p1", "reader: ocr\nfamily_name: SMITH\nphone: 01134960001", 2),
    ("c", "p1", "family_name: Smyth\nnhs_number: 9990548609", 9),
    ("d", "p1", "medicine: 1|Warfarin|3 mg|tablet|1 daily", 1),
    ("e", "p1", "medicine: |warfarin 3mg tablets|||2 daily", 1),
    ("f", "p1", "broken", 4),
    ("g", "p2", "birth_date: 1980-01-01", 5),
    ("h", "p2", "birth_date: 1980-01-02", 5),
    ("i", "p2", "birth_date: 1980", 6),
];

fn records_of(order: &[usize], gap_ms: i64) -> (std::collections::BTreeMap<String, Option<Vec<u8>>>, Vec<String>) {
    let mut stage = Stage::new();
    for place in order {
        let (document, patient, text, at_ms) = DOCUMENTS[*place];
        stage.upload_as_of(patient, document, text, at_ms);
        stage.driver.run_for(gap_ms).unwrap();
    }
    stage.rest();
    stage.driver.check_settled().unwrap();
    (stage.records(), stage.conflicts().into_keys().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_order_gives_the_same_records(
        order in Just((0..DOCUMENTS.len()).collect::<Vec<_>>()).prop_shuffle(),
        gap_ms in 0..7_000_i64,
    ) {
        let in_order: Vec<usize> = (0..DOCUMENTS.len()).collect();
        prop_assert_eq!(records_of(&order, gap_ms), records_of(&in_order, 0));
    }
}
