//! Medicines and allergies, each once.

use super::said::{allergies, conflicts, medicines, record};

#[test]
fn medicines_with_one_code_are_one_whatever_they_are_called() {
    let record = record(&[
        medicines("a", &[["322236009", "Paracetamol", "500 mg", "tablet", "1 tablet twice a day"]]),
        medicines("b", &[["322236009", "PARACETAMOL 500MG TABLETS", "", "", "one tablet bd"]]),
    ]);
    assert_eq!(record.medications.len(), 1);
    let merged = &record.medications[0];
    assert_eq!((&*merged.code, &*merged.key), ("322236009", "322236009"));
    assert_eq!((&*merged.strength, &*merged.form), ("500 mg", "tablet"));
    assert_eq!(merged.documents, [0, 1]);
    assert_eq!(merged.doses.len(), 1, "one dose written in two ways");
    assert!(record.conflicts.is_empty());
}

#[test]
fn without_a_code_name_strength_and_form_decide() {
    let record = record(&[
        medicines("a", &[["", "Amoxicillin", "500 mg", "capsule", ""], ["", "Amoxicillin", "250 mg", "capsule", ""]]),
        medicines("b", &[["", "amoxicillin 500mg caps", "", "", ""]]),
    ]);
    let found: Vec<(&str, &[i32])> = record.medications.iter().map(|m| (&*m.key, &*m.documents)).collect();
    assert_eq!(found, [("amoxicillin 250mg capsule", &[0][..]), ("amoxicillin 500mg capsule", &[0, 1][..])]);
    assert!(record.conflicts.is_empty(), "two strengths are two medicines");
}

#[test]
fn a_medicine_without_a_code_is_the_one_of_its_name_that_has_one() {
    let record = record(&[
        medicines("a", &[["", "Paracetamol 500mg tablets", "", "", "1 daily"]]),
        medicines("b", &[["322236009", "Paracetamol", "500 mg", "tablet", "2 daily"]]),
    ]);
    assert_eq!(record.medications.len(), 1);
    assert_eq!(record.medications[0].documents, [0, 1]);
    assert_eq!(conflicts(&record), ["medications/322236009/dose"]);
}

#[test]
fn a_name_under_two_codes_stays_on_its_own() {
    let named = |code| [code, "Paracetamol", "500 mg", "tablet", ""];
    let record = record(&[medicines("a", &[named("1"), named("2")]), medicines("b", &[named("")])]);
    let keys: Vec<&str> = record.medications.iter().map(|medicine| &*medicine.key).collect();
    assert_eq!(keys, ["1", "2", "paracetamol 500mg tablet"]);
}

#[test]
fn doses_and_strengths_that_differ_between_documents_conflict() {
    let record = record(&[
        medicines("a", &[["1", "Warfarin", "3 mg", "tablet", "1 daily"]]),
        medicines("b", &[["1", "Warfarin", "5 mg", "tablet", "2 daily"]]),
    ]);
    assert_eq!(conflicts(&record), ["medications/1/dose", "medications/1/strength"]);
    let doses: Vec<&str> = record.medications[0].doses.iter().map(|dose| &*dose.value).collect();
    assert_eq!(doses, ["1 daily", "2 daily"]);
}

#[test]
fn several_doses_of_one_document_are_no_conflict() {
    let twice = [["1", "Insulin", "", "", "10 units in the morning"], ["1", "Insulin", "", "", "12 units at night"]];
    let record = record(&[medicines("a", &twice), medicines("b", &twice)]);
    assert_eq!(record.medications[0].doses.len(), 2);
    assert!(record.conflicts.is_empty());
}

#[test]
fn a_medicine_that_nothing_names_is_none() {
    assert!(record(&[medicines("a", &[["", " ", "500 mg", "", ""]])]).medications.is_empty());
}

#[test]
fn the_most_recent_document_says_whether_a_medicine_is_taken() {
    let named = [["1", "Warfarin", "", "", ""]];
    let (mut stopped, active) = (medicines("a", &named), medicines("b", &named));
    stopped.features_as_of_ms = Some(2);
    stopped.features.as_mut().unwrap().medications[0].status = "stopped".into();
    assert_eq!(record(&[stopped, active]).medications[0].status, "stopped");
}

#[test]
fn allergies_merge_by_code_and_by_words_and_keep_all_reactions() {
    let record = record(&[
        allergies("a", &[["764146007", "Penicillin", "rash"]]),
        allergies("b", &[["", "PENICILLIN", "Rash, wheeze"], ["", "Cat hair", ""]]),
    ]);
    let found: Vec<(&str, &str, &[i32])> =
        record.allergies.iter().map(|a| (&*a.code, &*a.substance, &*a.documents)).collect();
    assert_eq!(found, [("764146007", "PENICILLIN", &[0, 1][..]), ("", "Cat hair", &[1][..])]);
    let reactions: Vec<&str> = record.allergies[0].reactions.iter().map(|reaction| &*reaction.value).collect();
    assert_eq!(reactions, ["Rash", "wheeze"]);
}
