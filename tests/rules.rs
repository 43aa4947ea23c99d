//! `concord rules` from the outside, and the rules' part of the configuration.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use concord_flows::list_reconciliation::catalogue::{CATALOGUE, REGISTRATION_FINDINGS};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// A configuration with this behind the section of the flow.
    fn config(&self, rules: &str) -> String {
        let text = format!(
            "[instance]\nname = \"one\"\nstate_dir = \"state\"\n[kafka]\nbootstrap_servers = \"127.0.0.1:1\"\n\
             [flows.list_reconciliation]\n{rules}\n"
        );
        self.write("concord.toml", &text)
    }

    /// The trial of a pair, as JSON.
    fn test(&self, pair: &Value, options: &[&str]) -> Value {
        let file = self.write("pair.json", &pair.to_string());
        let mut arguments = vec!["rules", "test", &file, "--json"];
        arguments.extend(options);
        let (code, stdout, stderr) = concord(&arguments);
        assert_eq!(code, Some(0), "{stderr}");
        serde_json::from_str(&stdout).unwrap()
    }
}

fn concord(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_concord")).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn pair() -> Value {
    json!({
        "practice": "A82023",
        "region": "LNA",
        "date": "2021-08-10",
        "gp": {"forenames": "ANGELA", "surname": "KEW-JONES", "title": "MRS", "sex": 2, "date_of_birth": "19800229"},
        "pds": {
            "forenames": ["Angela"], "surname": "Kew Jones", "titles": ["Mrs"], "gender": "female",
            "date_of_birth": "1980-02-29", "gp_practice": "A82023",
        },
    })
}

fn rule<'a>(trial: &'a Value, id: &str) -> &'a Value {
    trial["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap()
}

fn fired(trial: &Value) -> Vec<&str> {
    let rules = trial["rules"].as_array().unwrap();
    rules.iter().filter(|rule| rule["fired"] == true).map(|rule| rule["id"].as_str().unwrap()).collect()
}

#[test]
fn list_and_explain_show_every_rule_of_both_sets() {
    let (code, list, _) = concord(&["rules", "list"]);
    assert_eq!(code, Some(0));
    let (_, as_json, _) = concord(&["rules", "list", "--json"]);
    let as_json: Value = serde_json::from_str(&as_json).unwrap();
    for (position, rule) in CATALOGUE.iter().chain(&REGISTRATION_FINDINGS).enumerate() {
        let line = list.lines().find(|line| line.starts_with(&format!("{} ", rule.id))).unwrap();
        for part in [rule.set.as_str(), rule.class.as_str(), rule.fields, rule.guidance] {
            assert!(line.contains(part), "{part} is not in: {line}");
        }
        assert_eq!(as_json["rules"][position]["id"], rule.id);

        let (code, explained, _) = concord(&["rules", "explain", rule.id]);
        assert_eq!(code, Some(0));
        assert!(explained.contains(rule.condition) && explained.contains(rule.guidance), "{explained}");
    }
}

#[test]
fn an_unknown_rule_exits_with_2_and_says_which_there_are() {
    let (code, _, stderr) = concord(&["rules", "explain", "BR-SN-06"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("there is no rule `BR-SN-06`") && stderr.contains("BR-SN-04"), "{stderr}");
}

#[test]
fn a_trial_shows_of_each_rule_both_values_and_why_it_fired_or_did_not() {
    let folder = Folder::new();
    let trial = folder.test(&pair(), &[]);
    assert_eq!(trial["rules"].as_array().unwrap().len(), CATALOGUE.len());
    assert_eq!(fired(&trial), ["MN-BR-SN-01", "BR-SN-07"]);
    let surname = rule(&trial, "MN-BR-SN-01");
    assert_eq!((&surname["gp"], &surname["pds"]), (&json!("kew-jones"), &json!("kew jones")));
    let hyphen = rule(&trial, "BR-SN-07");
    assert_eq!((&hyphen["decision"], &hyphen["item"]), (&json!("update PDS"), &json!("surname")));
    assert_eq!(rule(&trial, "BR-SN-03")["why"], "it would, but BR-SN-07 decides");
    assert_eq!(trial["remark"], Value::Null);

    let file = folder.write("pair.json", &pair().to_string());
    let (code, text, _) = concord(&["rules", "test", &file]);
    assert_eq!(code, Some(0));
    let block = "* BR-SN-07    update PDS (surname): the practice has a hyphen where PDS has a space\n    \
        practice  mrs | ANGELA | KEW-JONES\n    PDS       mrs | Angela | Kew Jones\n";
    assert!(text.contains(block), "{text}");
    assert!(text.ends_with("\nfired (*): MN-BR-SN-01, BR-SN-07\n"), "{text}");
}

#[test]
fn a_trial_takes_a_fhir_patient_too_and_says_who_would_not_be_compared() {
    let mut with_fhir = pair();
    with_fhir["pds"] = json!({
        "resourceType": "Patient", "id": "9990000018", "meta": {"versionId": "3", "security": [{"code": "U"}]},
        "name": [{"use": "usual", "family": "Kew Jones", "given": ["Angela"], "prefix": ["Mrs"]}],
        "gender": "female", "birthDate": "1980-02-29",
        "generalPractitioner": [{"identifier": {"value": "B85001"}}],
    });
    let trial = Folder::new().test(&with_fhir, &[]);
    assert_eq!(fired(&trial), ["MN-BR-SN-01", "BR-SN-07"]);
    assert!(trial["remark"].as_str().unwrap().contains("at another practice"), "{}", trial["remark"]);

    let mut sensitive = pair();
    sensitive["pds"]["sensitivity"] = json!("R");
    let trial = Folder::new().test(&sensitive, &[]);
    assert!(trial["remark"].as_str().unwrap().contains("sensitive"), "{}", trial["remark"]);
}

#[test]
fn the_configuration_says_which_rules_hold_where_and_when() {
    let folder = Folder::new();
    let config = folder.config(
        "[flows.list_reconciliation.rules]\nbusiness = true\ndispensing_practices = [\"A82023\"]\n\
         [[flows.list_reconciliation.rules.switches]]\nrules = [\"BR-SN-07\"]\nenabled = false\npractices = [\"A82023\"]\n\
         regions = [\"LNA\"]\nfrom = \"2021-08-01\"\nto = \"2021-08-31\"\n",
    );
    let trial = folder.test(&pair(), &["--config", &config]);
    assert_eq!(fired(&trial), ["MN-BR-SN-01", "BR-SN-03"]);
    let why = &rule(&trial, "BR-SN-07")["why"];
    assert_eq!(why, "switched off for practice A82023 in region LNA from 2021-08-01 to 2021-08-31");

    let mut later = pair();
    later["date"] = json!("2021-09-01");
    assert_eq!(fired(&folder.test(&later, &["--config", &config])), ["MN-BR-SN-01", "BR-SN-07"]);

    let mut dispensed = pair();
    dispensed["gp"]["drugs_dispensed_marker"] = json!("Y");
    dispensed["dispensing_flag"] = json!("0");
    assert!(fired(&folder.test(&dispensed, &["--config", &config])).contains(&"BR-DD-04"));
    dispensed["practice"] = json!("A82024");
    assert!(fired(&folder.test(&dispensed, &["--config", &config])).contains(&"BR-DD-03"));

    let first_set_only = folder.config("");
    let trial = folder.test(&pair(), &["--config", &first_set_only]);
    assert_eq!(fired(&trial), ["MN-BR-SN-01"]);
    assert_eq!(rule(&trial, "BR-SN-07")["why"], "the business rules are not in use");
}

#[test]
fn the_two_readings_of_the_business_rules_can_be_tried_and_configured() {
    let folder = Folder::new();
    let pair = json!({
        "gp": {"forenames": "Angela", "surname": "Smith"},
        "pds": {"forenames": ["Angela Charlotte"], "surname": "Smith"},
    });
    let decision = |options: &[&str]| rule(&folder.test(&pair, options), "BR-FN-02")["decision"].clone();
    assert_eq!(decision(&[]), "update GP");
    assert_eq!(decision(&["--reading", "prototype"]), "update PDS");
    let config = folder.config("[flows.list_reconciliation.rules]\nbusiness = true\nreading = \"prototype\"\n");
    assert_eq!(decision(&["--config", &config]), "update PDS");
    assert_eq!(decision(&["--config", &config, "--reading", "specification"]), "update GP");
}

#[test]
fn a_wrong_configuration_of_the_rules_exits_with_2_and_says_what_to_write() {
    let switch = "[[flows.list_reconciliation.rules.switches]]\n";
    let folder = Folder::new();
    let file = folder.write("pair.json", &pair().to_string());
    let cases = [
        ("[flows.list_reconciliation.rules]\nbuisness = true\n".to_string(), "business"),
        (format!("{switch}rules = [\"BR-SN-04\"]\nenabled = false\npractice = [\"A82023\"]\n"), "practices"),
        (format!("{switch}rules = [\"BR-SN-04\"]\n"), "enabled"),
        (format!("{switch}rules = [\"BR-SN-4\"]\nenabled = false\n"), "write one of BR-SN-"),
        (
            format!("{switch}rules = [\"BR-SN-04\"]\nenabled = false\nfrom = \"1.9.2021\"\n"),
            "write it as \"2021-09-01\"",
        ),
        (format!("{switch}rules = []\nenabled = false\n"), "write rules = [\"BR-SN-04\"]"),
        (format!("{switch}rules = [\"BR-SN-04\"]\nenabled = false\nregions = [\"lna\"]\n"), "such as LNA"),
        ("[flows.list_reconciliation.rules]\ndispensing_practices = [\"82023\"]\n".to_string(), "such as A82023"),
    ];
    for (rules, remedy) in cases {
        let config = folder.config(&rules);
        let (code, _, stderr) = concord(&["rules", "test", &file, "--config", &config]);
        assert_eq!(code, Some(2), "{rules}{stderr}");
        assert!(stderr.contains(remedy) && stderr.contains("rules"), "{remedy} is not in: {stderr}");
    }
}

#[test]
fn a_wrong_pair_exits_with_2_and_says_what_to_write() {
    let folder = Folder::new();
    let change = |pointer: &str, value: Value| {
        let mut pair = pair();
        *pair.pointer_mut(pointer).unwrap() = value;
        pair.to_string()
    };
    let cases = [
        ("{".to_string(), "line 1"),
        (change("/gp", json!({"surnames": "KEW"})), "surname"),
        (change("/pds", json!({"surnames": "Kew"})), "surname"),
        (change("/gp/sex", json!(3)), "write 1 (male), 2 (female)"),
        (change("/gp/date_of_birth", json!("1980-02-29")), "such as \"19800229\""),
        (change("/pds/gender", json!("Female")), "write male, female, other or unknown"),
        (
            change(
                "/pds",
                json!({"resourceType": "OperationOutcome", "id": "9990000018",
            "issue": [{"details": {"coding": [{"code": "RESOURCE_NOT_FOUND"}]}}]}),
            ),
            "nothing to compare",
        ),
    ];
    for (text, message) in cases {
        let file = folder.write("pair.json", &text);
        let (code, _, stderr) = concord(&["rules", "test", &file]);
        assert_eq!(code, Some(2), "{text}: {stderr}");
        assert!(stderr.contains(message) && stderr.contains("pair.json"), "{message} is not in: {stderr}");
    }
    let (code, _, stderr) = concord(&["rules", "test", "/nowhere/pair.json"]);
    assert!(code == Some(2) && stderr.contains("/nowhere/pair.json"), "{stderr}");
}
