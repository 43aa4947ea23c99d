//! The published schema describes what is written, and refuses what the reader refuses line by line.

use concord_flows::list_reconciliation::Profile;
use concord_flows::list_reconciliation::compare::RULES;
use concord_flows::list_reconciliation::dps_exchange::{ANSWER_SCHEMA, Verdict};
use concord_flows::list_reconciliation::registration::RegistrationStatus;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::answering::{Pds, answer};
use crate::bad_answers::{HEADER, PATIENT, PERSON, TRAILER};
use crate::files::read;

fn schema() -> Value {
    serde_json::from_str(ANSWER_SCHEMA).unwrap()
}

fn validator() -> Validator {
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn assert_valid(validator: &Validator, line: &str) {
    let value = serde_json::from_str(line).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{line}: {errors:?}");
}

#[test]
fn every_line_that_is_written_is_as_described() {
    let validator = validator();
    for line in [HEADER, PATIENT, PERSON, TRAILER] {
        assert_valid(&validator, line);
    }
    for (change, verdict) in [
        (("", ""), Verdict::Accepted),
        (("~2~19", "~3~19"), Verdict::InvalidRecords),
        (("503\\*", "502\\*"), Verdict::InvalidStructure),
    ] {
        let (name, extract, pds) = crate::the_same_files::synthetic(300, 3);
        let extract = extract.replacen(change.0, change.1, 1);
        let answer = answer("j-1", &name, &extract, &pds, Profile::Fixed);
        assert_eq!(read(&answer, Profile::Fixed, 999, &mut |_| {}).header.unwrap().verdict, verdict);
        for line in answer.lines() {
            assert_valid(&validator, line);
        }
    }
    let nobody = answer(
        "j-1",
        "Y12345_GPR4LNA1.H9A",
        "503\\*\nDOW~1~1111111,1234~LNA~20210809~1641~1~~SMITH~~~~~~~\nDOW~2~~EAST~~E1   1AA~~3~~~\n",
        &Pds::new(),
        Profile::Fixed,
    );
    assert!(nobody.contains("\"Unmatched\""));
    nobody.lines().for_each(|line| assert_valid(&validator, line));
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    let validator = validator();
    let lines = [HEADER, PATIENT, PERSON, TRAILER];
    let mut refused = 0;
    for (place, line) in lines.iter().enumerate() {
        for changed in changes(&serde_json::from_str(line).unwrap()) {
            if validator.is_valid(&changed) {
                continue;
            }
            refused += 1;
            let changed = changed.to_string();
            let mut lines = lines.map(str::to_owned);
            lines[place] = changed.clone();
            let end = read(&lines.join("\n"), Profile::Fixed, 300, &mut |_| {});
            assert!(end.refusal.is_some(), "the reader takes {changed}");
        }
    }
    assert!(refused > 200, "{refused}");
}

/// Each member, at any depth, taken away or replaced by something else.
fn changes(value: &Value) -> Vec<Value> {
    let mut changed = Vec::new();
    let Value::Object(members) = value else { return changed };
    for (name, member) in members {
        let mut without = members.clone();
        without.remove(name);
        changed.push(Value::Object(without));
        let others = [Value::Null, json!("WREN"), json!(-1), json!([]), json!({}), json!(true), json!([null, 7])];
        for other in others.into_iter().chain(changes(member)) {
            let mut with = members.clone();
            with.insert(name.clone(), other);
            changed.push(Value::Object(with));
        }
    }
    changed
}

#[test]
fn the_schema_names_the_rules_and_the_statuses_of_the_program() {
    let schema = schema();
    let patient = &schema["$defs"]["patient"]["properties"];
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(patient["rules"]["items"]["enum"], json!(rules));
    use RegistrationStatus::{DeductedPatientMatch, Matched, PartnershipMismatch, Unmatched};
    let statuses = [Matched, PartnershipMismatch, DeductedPatientMatch, Unmatched].map(RegistrationStatus::as_str);
    assert_eq!(patient["status"]["enum"], json!(statuses));
}

#[test]
fn fields_that_are_not_described_are_allowed() {
    let validator = validator();
    for line in [HEADER, PATIENT, PERSON, TRAILER] {
        let mut value: Value = serde_json::from_str(line).unwrap();
        value["something_new"] = json!({"a": [1]});
        assert!(validator.is_valid(&value));
    }
}
