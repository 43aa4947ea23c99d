#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use concord_schemas::nhs_number;

use super::*;
use crate::pds::{FhirReader, FhirSettings, PdsChange, Selection};
use crate::registrations::RegistrationReader;

fn practice(patients: u64, seed: u64) -> SyntheticPractice {
    SyntheticPractice::generate(SyntheticSettings {
        practice: "Y12345".to_owned(),
        patients,
        seed,
        first_person: 0,
        now: "2021-08-10T13:40:00Z".parse().unwrap(),
    })
    .unwrap()
}

#[test]
fn the_same_seed_gives_the_same_files_and_another_seed_others() {
    let files = |seed| {
        let practice = practice(500, seed);
        let extract: String = practice.extract().collect();
        let pds: String = practice.pds().collect();
        let registrations: String = practice.registrations().collect();
        (extract, pds, registrations, practice.truth())
    };
    assert_eq!(files(7), files(7));
    assert_ne!(files(7).0, files(8).0);
    assert_ne!(files(7).1, files(8).1);
}

#[test]
fn every_record_has_two_rows_of_their_fields_within_the_rules_of_the_extract() {
    let extract: String = practice(2000, 3).extract().collect();
    let mut lines = extract.lines();
    assert_eq!(lines.next(), Some("503\\*"));
    let mut numbers = HashSet::new();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split('~').collect()).collect();
    assert_eq!(rows.len(), 4000);
    for record in rows.chunks(2) {
        let [first, second] = record else { panic!("a row is missing") };
        assert_eq!((first.len(), second.len()), (16, 11), "{first:?} {second:?}");
        assert!(nhs_number::is_valid(first[7]) && first[7].starts_with("999"));
        assert!(numbers.insert(first[7]));
        assert!(first.iter().chain(second).all(|field| field.chars().count() <= 35), "{first:?} {second:?}");
        assert_eq!(second[5].len(), 8);
        assert_eq!(&first[4..6], ["20210809", "1200"]);
    }
}

#[test]
fn all_that_pds_answers_is_readable_and_each_person_is_answered_once() {
    let practice = practice(5000, 11);
    let answers: String = practice.pds().collect();
    let settings = FhirSettings { selection: Selection::OneElement, today: jiff::civil::date(2021, 8, 10) };
    let mut numbers = HashSet::new();
    let (mut at_practice, mut sensitive) = (0, 0);
    for entry in FhirReader::open("pds.ndjson", answers.as_bytes(), settings).unwrap() {
        let entry = entry.unwrap();
        assert!(numbers.insert(entry.nhs_number));
        let PdsChange::Upsert(record) = entry.change else { continue };
        at_practice += i64::from(record.gp_practice == "Y12345");
        sensitive += i64::from(record.sensitivity != "U");
    }
    let counts = practice.truth().counts;
    assert_eq!(at_practice, counts.matched + counts.only_on_pds);
    // Sensitive people on PDS alone are counted nowhere.
    assert!(sensitive >= counts.sensitive);

    let list: String = practice.registrations().collect();
    let listed = RegistrationReader::open("list.csv", list.as_bytes()).unwrap().map(Result::unwrap);
    let here = listed.filter(|entry| entry.gp_practice == "Y12345").count();
    assert!(i64::try_from(here).unwrap() >= at_practice);
}

#[test]
fn the_counts_add_up_and_every_kind_of_person_occurs() {
    let truth = practice(20_000, 5).truth();
    let counts = truth.counts;
    assert_eq!(counts.records, 20_000);
    assert_eq!(counts.records, counts.matched + counts.partnership_mismatch + counts.deducted + counts.unmatched);
    assert_eq!(counts.only_on_gp, counts.records - counts.matched - counts.sensitive);
    assert_eq!(counts.work_items, counts.patients_with_differences + counts.sensitive);
    assert_eq!(counts.differences, truth.by_rule.values().sum::<i64>());
    assert_eq!(truth.by_rule.len(), 7);
    for count in [counts.unmatched, counts.partnership_mismatch, counts.deducted, counts.sensitive, counts.only_on_pds]
    {
        assert!(count > 0, "{counts:?}");
    }
}

#[test]
fn practices_with_separate_ranges_share_no_person() {
    let first = practice(1000, 1);
    let second = SyntheticPractice::generate(SyntheticSettings {
        practice: "Y54321".to_owned(),
        first_person: first.people(),
        ..first.settings.clone()
    })
    .unwrap();
    let numbers = |practice: &SyntheticPractice| -> HashSet<String> {
        practice.everyone().map(|person| person.nhs_number).collect()
    };
    assert!(numbers(&first).is_disjoint(&numbers(&second)));
}

#[test]
fn the_file_is_named_after_the_day_before_processing() {
    let named = |now: &str| {
        let settings = SyntheticSettings { now: now.parse().unwrap(), ..practice(1, 1).settings };
        SyntheticPractice::generate(settings).unwrap().extract_file_name()
    };
    assert_eq!(named("2021-08-10T00:00:00Z"), "Y12345_GPR4LNA1.H9A");
    assert_eq!(named("2022-01-01T10:00:00Z"), "Y12345_GPR4LNA1.LVA");
    assert_eq!(named("2021-03-11T10:00:00Z"), "Y12345_GPR4LNA1.CAA");
}

#[test]
fn a_malformed_practice_or_too_many_people_are_refused() {
    let settings = practice(1, 1).settings;
    for code in ["", "12345Y", "Y1234", "y12345"] {
        let refused = SyntheticPractice::generate(SyntheticSettings { practice: code.to_owned(), ..settings.clone() });
        assert_eq!(refused.unwrap_err(), SyntheticError::Practice(code.to_owned()));
    }
    let too_many = SyntheticSettings { patients: 90_000_000, ..settings };
    assert!(matches!(SyntheticPractice::generate(too_many), Err(SyntheticError::TooManyPeople(_))));
}
