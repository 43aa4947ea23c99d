//! docs/OPERATIONS.md has every configuration key, metric and code of the program, and none that the program lacks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use concord_engine::metric_names;

const OPERATIONS: &str = "docs/OPERATIONS.md";
/// The sources that define codes.
const CODES: [&str; 11] = [
    "topology/engine/src/rejection.rs",
    "topology/flows/src/list_reconciliation/codes.rs",
    "connectors/src/mesh/error.rs",
    "connectors/src/mail/error.rs",
    "connectors/src/connect/error.rs",
    "connectors/src/pds/api/error.rs",
    "topology/flows/src/list_reconciliation/dps_exchange/codes.rs",
    "edifact/src/codes.rs",
    "documents/src/failure.rs",
    "topology/flows/src/sequence_audit/codes.rs",
    "topology/flows/src/patient_documents/codes.rs",
];

/// Tables of a list that is one key, which the document describes by itself.
const DESCRIBED_AS_ONE: [&str; 2] = ["Switch", "Route"];

#[test]
fn every_configuration_key_is_documented_and_every_documented_key_exists() {
    let sources = [
        "src/config.rs",
        "src/config/connectors.rs",
        "src/config/patient_documents.rs",
        "src/config/reading_limits.rs",
    ];
    let keys = configuration_keys(&sources.map(text_of).concat());
    assert!(keys.contains("instance.name") && keys.contains("flows.list_reconciliation.profile"), "{keys:?}");
    assert_same(&keys, &first_cells(&section("## 3. Configuration")), "configuration key");
}

#[test]
fn every_metric_is_documented_and_every_documented_metric_exists() {
    let metrics = metric_names::ALL.iter().map(|(name, _)| (*name).to_string()).collect();
    assert_same(&metrics, &first_cells(&section("## 4. Metrics")), "metric");
}

#[test]
fn every_code_is_documented_and_every_documented_code_exists() {
    let mut defined = BTreeSet::new();
    for source in CODES {
        let found = codes_in(&text_of(source));
        assert!(!found.is_empty(), "{source} defines no code");
        defined.extend(found);
    }
    assert_same(&defined, &first_cells(&section("## 6. Codes")), "code");
    for code in codes_in(&text_of(OPERATIONS)) {
        assert!(defined.contains(&code), "{OPERATIONS} speaks of the code {code}, which the program does not have");
    }
}

#[test]
fn every_test_that_holds_a_behaviour_of_the_peers_is_there() {
    let table = text_of("docs/PEER-BEHAVIOURS.md");
    let named: Vec<(&str, &str)> = table.split('`').filter_map(|words| words.split_once(".rs: ")).collect();
    assert!(named.len() > 50, "{} tests are named", named.len());
    for (file, test) in named {
        let text = text_of(&format!("{file}.rs"));
        let at = text.find(&format!("fn {test}(")).unwrap_or_else(|| panic!("{file}.rs has no test {test}"));
        // The attribute stands above the function, or around all of them in a macro for properties.
        let before = &text[..at];
        assert!(
            before.trim_end().ends_with("#[test]") || before.contains("proptest! {"),
            "{file}.rs: {test} is no test"
        );
    }
}

fn text_of(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

/// The lines of the document below a heading, up to the next of its rank.
fn section(heading: &str) -> String {
    let document = text_of(OPERATIONS);
    let lines: Vec<&str> = document.lines().skip_while(|line| *line != heading).collect();
    assert!(!lines.is_empty(), "{OPERATIONS} has no heading `{heading}`");
    let below = lines[1..].iter().take_while(|line| !line.starts_with("## "));
    below.copied().collect::<Vec<_>>().join("\n")
}

/// What stands in backquotes in the first cell of the rows of tables.
fn first_cells(section: &str) -> BTreeSet<String> {
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    cells.map(|(name, _)| name.to_string()).collect()
}

fn assert_same(defined: &BTreeSet<String>, documented: &BTreeSet<String>, what: &str) {
    let missing: Vec<_> = defined.difference(documented).collect();
    assert!(missing.is_empty(), "{OPERATIONS} lacks a row for each {what} of {missing:?}");
    let unknown: Vec<_> = documented.difference(defined).collect();
    assert!(
        unknown.is_empty(),
        "{OPERATIONS} has a row for each {what} of {unknown:?}, which the program does not have"
    );
}

/// The leaves of `Config`, as `section.key`: structs of the file are sections, everything else is a key.
fn configuration_keys(source: &str) -> BTreeSet<String> {
    let mut structs: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut present = None;
    for line in source.lines() {
        if let Some(name) = line.strip_prefix("pub struct ").and_then(|rest| rest.strip_suffix(" {")) {
            present = Some(name.to_string());
            structs.insert(name.to_string(), Vec::new());
        } else if line == "}" {
            present = None;
        } else if let Some(name) = &present
            && let Some((field, kind)) = line.strip_prefix("    pub ").and_then(|rest| rest.split_once(": "))
        {
            let kind = kind.trim_end_matches(',').trim_start_matches("Option<").trim_end_matches('>');
            // The tables of a list.
            let (field, kind) = match kind.strip_prefix("Vec<").filter(|of| !DESCRIBED_AS_ONE.contains(of)) {
                Some(of) => (format!("{field}[]"), of),
                None => (field.to_string(), kind),
            };
            structs.get_mut(name).unwrap().push((field, kind.to_string()));
        }
    }
    let mut keys = BTreeSet::new();
    collect_keys("Config", "", &structs, &mut keys);
    keys
}

fn collect_keys(
    name: &str,
    prefix: &str,
    structs: &BTreeMap<String, Vec<(String, String)>>,
    keys: &mut BTreeSet<String>,
) {
    for (field, kind) in &structs[name] {
        let key = format!("{prefix}{field}");
        if structs.contains_key(kind) {
            collect_keys(kind, &format!("{key}."), structs, keys);
        } else {
            keys.insert(key.trim_end_matches("[]").to_string());
        }
    }
}

/// `CONCORD-`, two capitals, a hyphen, four digits.
fn codes_in(text: &str) -> BTreeSet<String> {
    const LENGTH: usize = "CONCORD-EN-0001".len();
    let mut codes = BTreeSet::new();
    for (start, _) in text.match_indices("CONCORD-") {
        let Some(code) = text.get(start..start + LENGTH) else { continue };
        let [flow_1, flow_2, b'-', number @ ..] = &code.as_bytes()["CONCORD-".len()..] else { continue };
        if flow_1.is_ascii_uppercase() && flow_2.is_ascii_uppercase() && number.iter().all(u8::is_ascii_digit) {
            codes.insert(code.to_string());
        }
    }
    codes
}
