//! The rules and the outputs together, on whole lists: against published results, and against a generator that knows what
//! must be found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsRecordOwned, Selection};
use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_flows::list_reconciliation::compare;
use concord_flows::list_reconciliation::outputs::{self, WorkItem};
use concord_flows::list_reconciliation::profile::Profile;
use concord_flows::list_reconciliation::registration::{RegistrationStatus, is_sensitive};
use concord_schemas::list_reconciliation::{GpRecord, JobCounts};
use serde_json::Value;

/// What reconciling one list gave.
#[derive(Default)]
struct Reconciled {
    only_on_gp: BTreeSet<String>,
    only_on_pds: BTreeSet<String>,
    differences: BTreeSet<String>,
    work_items: BTreeMap<String, String>,
    counts: JobCounts,
    by_rule: BTreeMap<&'static str, i64>,
}

/// Reconciles an extract with all of PDS, simply and in memory.
fn reconcile(practice: &str, extract: &str, on_pds: &BTreeMap<String, PdsRecordOwned>, profile: Profile) -> Reconciled {
    let mut result = Reconciled::default();
    let rows: Vec<Vec<&str>> = extract.lines().skip(1).map(|line| line.split('~').collect()).collect();
    let mut in_extract = BTreeSet::new();
    for rows in rows.chunks(2) {
        let gp = gp_record(&rows[0], &rows[1]);
        let nhs_number = gp.nhs_number.unwrap();
        in_extract.insert(nhs_number.to_owned());
        reconcile_patient(practice, &gp, on_pds.get(nhs_number), profile, &mut result);
    }
    for (nhs_number, pds) in on_pds {
        let pds = pds.as_record();
        if pds.gp_practice != practice || in_extract.contains(nhs_number) || is_sensitive(&pds) {
            continue;
        }
        let mut row = String::new();
        outputs::write_only_on_pds_row(&mut row, &pds);
        result.only_on_pds.insert(row);
        result.counts.only_on_pds += 1;
    }
    result
}

fn reconcile_patient(
    practice: &str,
    gp: &GpRecord<'_>,
    pds: Option<&PdsRecordOwned>,
    profile: Profile,
    result: &mut Reconciled,
) {
    let pds = pds.map(PdsRecordOwned::as_record);
    let status = RegistrationStatus::of(practice, pds.as_ref());
    let sensitive = pds.as_ref().is_some_and(is_sensitive);
    let counts = &mut result.counts;
    counts.records += 1;
    match status {
        RegistrationStatus::Matched => counts.matched += 1,
        RegistrationStatus::PartnershipMismatch => counts.partnership_mismatch += 1,
        RegistrationStatus::DeductedPatientMatch => counts.deducted += 1,
        RegistrationStatus::Unmatched => counts.unmatched += 1,
    }
    if status.is_only_on_gp(sensitive) {
        let mut row = String::new();
        outputs::write_only_on_gp_row(&mut row, gp, status, pds.as_ref(), profile);
        result.only_on_gp.insert(row);
        counts.only_on_gp += 1;
    }
    let Some(pds) = pds else { return };
    let mut rule_ids = Vec::new();
    if sensitive {
        counts.sensitive += 1;
        let mut row = String::new();
        outputs::write_sensitive_row(&mut row, practice, gp, &pds, profile);
        result.differences.insert(row);
    } else if status == RegistrationStatus::Matched {
        for rule in compare::differences(gp, &pds, profile) {
            let mut row = String::new();
            outputs::write_differences_row(&mut row, practice, gp, &pds, rule, profile);
            result.differences.insert(row);
            rule_ids.push(rule.id);
            *result.by_rule.entry(rule.id).or_default() += 1;
        }
        counts.differences += i64::try_from(rule_ids.len()).unwrap();
        counts.patients_with_differences += i64::from(!rule_ids.is_empty());
    }
    if sensitive || !rule_ids.is_empty() {
        let item = WorkItem { patient_id: "patient", job_id: "job", practice, gp, pds: &pds, rule_ids: &rule_ids };
        let mut text = String::new();
        outputs::write_work_item(&mut text, &item, profile);
        result.work_items.insert(pds.nhs_number.to_owned(), text);
        counts.work_items += 1;
    }
}

/// Takes the two rows apart without checking them, independently of the extract reader.
fn gp_record<'a>(first: &[&'a str], second: &[&'a str]) -> GpRecord<'a> {
    let present = |text: &'a str| Some(text).filter(|text| !text.is_empty());
    GpRecord {
        nhs_number: present(first[7]),
        surname: present(first[8]),
        forenames: present(first[9]),
        previous_surname: present(first[10]),
        title: present(first[11]),
        sex: first[12].parse().ok(),
        date_of_birth: present(first[13]),
        address_line_1: present(first[14]),
        address_line_2: present(first[15]),
        address_line_3: present(second[2]),
        address_line_4: present(second[3]),
        address_line_5: present(second[4]),
        postcode: present(second[5]),
        ..GpRecord::default()
    }
}

fn pds_records(answers: &str) -> BTreeMap<String, PdsRecordOwned> {
    let settings = FhirSettings { selection: Selection::OneElement, today: jiff::civil::date(2021, 8, 10) };
    let mut records = BTreeMap::new();
    for entry in FhirReader::open("pds.ndjson", answers.as_bytes(), settings).unwrap() {
        let entry = entry.unwrap();
        if let PdsChange::Upsert(record) = entry.change {
            records.insert(entry.nhs_number, *record);
        }
    }
    records
}

#[test]
fn what_the_generator_put_in_is_what_the_rules_find_in_both_profiles() {
    let practice = SyntheticPractice::generate(SyntheticSettings {
        practice: "Y12345".to_owned(),
        patients: 20_000,
        seed: 2021,
        first_person: 0,
        now: "2021-08-10T13:40:00Z".parse().unwrap(),
    })
    .unwrap();
    let extract: String = practice.extract().collect();
    let answers: String = practice.pds().collect();
    let truth = practice.truth();
    for profile in [Profile::Fixed, Profile::Compatible] {
        let found = reconcile("Y12345", &extract, &pds_records(&answers), profile);
        assert_eq!(found.counts, truth.counts, "{profile:?}");
        assert_eq!(found.by_rule, truth.by_rule, "{profile:?}");
        assert_eq!(found.work_items.len(), usize::try_from(truth.counts.work_items).unwrap());
    }
}

/// Files of a published set of inputs and expected outputs; `None`, said aloud, where the machine lacks them.
fn published(test: &str, path: &str) -> Option<PathBuf> {
    let path =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/list-reconciliation")).join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {test}: {} is absent", path.display());
    None
}

fn rows_of(path: PathBuf, header: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(header));
    lines.map(str::to_owned).collect()
}

#[test]
fn set_b_gives_the_published_rows_and_work_items() {
    let Some(set) = published("set_b_gives_the_published_rows_and_work_items", "set-b") else { return };
    let answers = [
        patient("9449304424", "1", "1943-05-18", "female", &["COMFORT", "ZULA"], "AINDOW", "MRS", &["41 THE KINGSWAY", "EPSOM", "SURREY"], "KT17 1NA", "1976-08-12"),
        patient("9449305552", "9", "2008-09-20", "female", &["OCTAVIA"], "CHISLETT", "MS", &["1 RAVENSFIELD GARDENS", "EPSOM", "SURREY"], "KT19 0ST", "2012-05-22"),
        patient("9449306621", "6", "2011-05-09", "female", &["BERYL"], "SHIPPERBOTTOM", "MS", &["BROGA", "FARM LANE", "ASHTEAD"], "KT21 1LJ", "2012-05-22"),
        r#"{"resourceType": "OperationOutcome", "id": "9000000009", "issue": [{"details": {"coding": [{"code": "RESOURCE_NOT_FOUND"}]}}]}"#.to_owned(),
    ]
    .join("\n");
    let extract = fs::read_to_string(set.join("H81109_GPR4LNA1.EIA")).unwrap();
    for profile in [Profile::Fixed, Profile::Compatible] {
        let found = reconcile("H81109", &extract, &pds_records(&answers), profile);
        assert_eq!(found.only_on_gp, rows_of(set.join("expected_onlyongp.txt"), outputs::ONLY_ON_GP_HEADER));
        assert_eq!(found.only_on_pds, rows_of(set.join("expected_onlyonPDS.txt"), outputs::ONLY_ON_PDS_HEADER));
        assert_eq!(found.differences, rows_of(set.join("expected_cdd_file.txt"), outputs::DIFFERENCES_HEADER));
        assert_eq!(found.work_items.len(), 2);
        for (nhs_number, item) in &found.work_items {
            let expected = fs::read_to_string(set.join(format!("work-items/{nhs_number}.json"))).unwrap();
            assert_eq!(without_ids(item), without_ids(&expected), "{nhs_number}");
        }
    }
}

#[test]
fn a_list_of_matched_patients_gives_an_only_on_gp_file_of_its_header() {
    let Some(set) = published("a_list_of_matched_patients_gives_an_only_on_gp_file_of_its_header", "set-c") else {
        return;
    };
    let extract = fs::read_to_string(set.join("Y12345_GPR4LNA1.EIA")).unwrap();
    let answer = patient(
        "9000000017",
        "2",
        "2010-10-22",
        "female",
        &["JANE"],
        "SMITH",
        "MRS",
        &["1 SQUARE"],
        "LS1 6AE",
        "2020-01-01",
    )
    .replace("H81109", "Y12345");
    let found = reconcile("Y12345", &extract, &pds_records(&answer), Profile::Compatible);
    assert_eq!(found.only_on_gp, rows_of(set.join("expected_empty_gponly_file.txt"), outputs::ONLY_ON_GP_HEADER));
    assert_eq!(found.counts.matched, 1);
}

#[test]
fn a_list_of_people_unknown_to_pds_gives_a_differences_file_of_its_header() {
    let Some(set) = published("a_list_of_people_unknown_to_pds_gives_a_differences_file_of_its_header", "set-d") else {
        return;
    };
    let extract = fs::read_to_string(set.join("A82023_GPR4LNA1.EIA")).unwrap();
    let found = reconcile("A82023", &extract, &BTreeMap::new(), Profile::Compatible);
    assert_eq!(found.differences, rows_of(set.join("expected_empty_cdd_file.txt"), outputs::DIFFERENCES_HEADER));
    assert_eq!((found.counts.unmatched, found.only_on_gp.len()), (3, 3));
}

#[allow(clippy::too_many_arguments, reason = "one row of a table of people")]
fn patient(
    nhs_number: &str,
    version: &str,
    birth_date: &str,
    gender: &str,
    given: &[&str],
    family: &str,
    prefix: &str,
    lines: &[&str],
    postcode: &str,
    registered: &str,
) -> String {
    serde_json::json!({
        "resourceType": "Patient",
        "id": nhs_number,
        "meta": {"versionId": version, "security": [{"code": "U"}]},
        "name": [{"use": "usual", "given": given, "family": family, "prefix": [prefix]}],
        "gender": gender,
        "birthDate": birth_date,
        "address": [{"use": "home", "line": lines, "postalCode": postcode}],
        "generalPractitioner": [{"identifier": {"value": "H81109", "period": {"start": registered}}}],
    })
    .to_string()
}

/// A work item with the random ids blanked and the differences ordered; the order of keys stays as it was.
fn without_ids(text: &str) -> String {
    let mut item: Value = serde_json::from_str(text).unwrap();
    item["system"]["patientId"] = Value::Null;
    item["system"]["jobId"] = Value::Null;
    let differences = item["differences"].as_array_mut().unwrap();
    differences.sort_by_key(|difference| difference["ruleId"].to_string());
    item.to_string()
}
