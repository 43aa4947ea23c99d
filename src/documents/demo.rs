//! `concord documents demo`: documents of all kinds with contradictions, consolidated and held against what was planted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use concord_documents::Problem;
use concord_flows::patient_documents::consolidation::folded;
use serde_json::Value;

use super::consolidate::{Outcome, consolidate};
use super::files::documents;
use super::planted::{PlantedPatient, SCAN, planted};
use crate::cli::DocumentsDemoArgs;
use crate::config::PatientDocuments;
use crate::failure::Failure;
use crate::progress::Progress;

/// Runs the demonstration.
///
/// # Errors
/// What came out is not what was planted, which is a fault of the program; or files cannot be written.
pub fn demo(args: &DocumentsDemoArgs) -> Result<(), Failure> {
    if args.patients == 0 {
        return Err(Failure::Usage("--patients must be 1 or more".to_owned()));
    }
    let input = args.out.join("input");
    if input.exists() {
        fs::remove_dir_all(&input).map_err(|e| Failure::other(format!("removing {}", input.display()), e))?;
    }
    let patients = planted(args.patients, args.documents, args.seed);
    let without_images = write(&patients, &input)?;
    println!(
        "Made {} documents of {} patients (seed {}; no person in them exists).",
        args.documents - without_images,
        args.patients,
        args.seed
    );
    if without_images > 0 {
        println!("{without_images} images are left out: poppler-utils is not installed.");
    }
    let (found, _) = documents(&input)?;
    let began = Instant::now();
    let outcome = consolidate(&found, &PatientDocuments::default())?;
    let seconds = began.elapsed().as_secs_f64();
    let records = args.out.join("consolidated");
    outcome.write(&records)?;
    println!("Read and consolidated in {seconds:.1} s; the records are in {}.\n", records.display());

    let mut comparison = Comparison::default();
    for patient in &patients {
        comparison.hold(patient, outcome.patients.get(&patient.patient_id));
    }
    comparison.tell(&outcome);
    if comparison.wrong.is_empty() && outcome.failed.is_empty() && outcome.dead_letters.count == 0 {
        println!("\nWhat is consolidated is what was planted.");
        return Ok(());
    }
    for wrong in comparison.wrong.iter().take(20) {
        eprintln!("{wrong}");
    }
    Err(Failure::Other(format!(
        "{} values are not what was planted and {} documents were not read",
        comparison.wrong.len(),
        outcome.failed.len()
    )))
}

/// Writes the documents; answers how many images could not be made.
fn write(patients: &[PlantedPatient], input: &Path) -> Result<usize, Failure> {
    let mut progress = Progress::new();
    let mut without_images = 0;
    for (place, patient) in patients.iter().enumerate() {
        progress.tell(format!("making documents: {place} of {} patients", patients.len()));
        let folder = input.join(&patient.patient_id);
        fs::create_dir_all(&folder).map_err(|e| Failure::Usage(format!("cannot create {}: {e}", folder.display())))?;
        for document in &patient.documents {
            let path = folder.join(&document.name);
            match document.content() {
                Ok(content) => {
                    fs::write(&path, content).map_err(|e| Failure::other(format!("writing {}", path.display()), e))?
                }
                Err(failure) if failure.problem == Problem::NoTool => without_images += 1,
                Err(failure) => return Err(Failure::other("making an image", failure)),
            }
        }
    }
    progress.end();
    Ok(without_images)
}

/// What came out beside what was planted.
#[derive(Default)]
struct Comparison {
    values: usize,
    planted_conflicts: usize,
    found_conflicts: usize,
    medicines: usize,
    allergies: usize,
    /// Values, medicines and allergies that only scans say: letters that OCR took for others.
    misread: usize,
    wrong: Vec<String>,
}

impl Comparison {
    fn hold(&mut self, patient: &PlantedPatient, record: Option<&Value>) {
        let id = &patient.patient_id;
        let Some(record) = record else {
            self.wrong.push(format!("{id}: there is no record"));
            return;
        };
        self.hold_fields(patient, record);
        self.hold_conflicts(patient, record);
        let truth = &patient.truth;
        let medicines = truth.medications.iter().map(|medicine| &*medicine.code).collect();
        self.medicines += self.hold_list(id, record, "medications", &medicines);
        let allergies = truth.allergies.iter().map(|allergy| &*allergy.code).collect();
        self.allergies += self.hold_list(id, record, "allergies", &allergies);
    }

    fn hold_fields(&mut self, patient: &PlantedPatient, record: &Value) {
        let truth = &patient.truth;
        let values = [
            ("nhs_number", &truth.nhs_number),
            ("family_name", &truth.family_name),
            ("given_names", &truth.given_names),
            ("birth_date", &truth.birth_date),
            ("sex", &truth.sex),
            ("address", &truth.address),
            ("postcode", &truth.postcode),
            ("phone", &truth.phone),
        ];
        for (field, truth) in values {
            let found = record["fields"][field]["value"].as_str();
            // Identifiers that do not agree have no value.
            let is_unresolved = field == "nhs_number" && patient.conflicts.contains(field);
            let expected = (!is_unresolved).then(|| folded(truth));
            if found.map(folded) == expected {
                self.values += 1;
            } else {
                self.wrong.push(format!("{}: {field} is not what was planted", patient.patient_id));
            }
            let observed = record["fields"][field]["observed"].as_array().into_iter().flatten();
            self.misread += observed.filter(|observed| is_of_scans(observed)).count();
        }
    }

    fn hold_conflicts(&mut self, patient: &PlantedPatient, record: &Value) {
        let conflicts = record["conflicts"].as_array().into_iter().flatten();
        // Where only scans say something else, OCR has misread it: that was not planted.
        let real = conflicts.filter(|conflict| {
            let values = conflict["values"].as_array().into_iter().flatten();
            values.filter(|value| !is_of_scans(value)).count() > 1
        });
        let found: BTreeSet<String> =
            real.filter_map(|conflict| conflict["field"].as_str()).map(str::to_owned).collect();
        self.planted_conflicts += patient.conflicts.len();
        self.found_conflicts += found.len();
        for field in found.symmetric_difference(&patient.conflicts) {
            self.wrong.push(format!(
                "{}: the conflict {field} was planted and not found, or the reverse",
                patient.patient_id
            ));
        }
    }

    /// How many entries of a list are as planted.
    fn hold_list(&mut self, id: &str, record: &Value, list: &str, truth: &BTreeSet<&str>) -> usize {
        let entries = record[list].as_array().into_iter().flatten();
        let (of_scans, others): (Vec<&Value>, Vec<&Value>) = entries.partition(|entry| is_of_scans(entry));
        self.misread += of_scans.len();
        let found: BTreeSet<&str> = others.iter().map(|entry| entry["code"].as_str().unwrap_or_default()).collect();
        for code in found.symmetric_difference(truth) {
            self.wrong.push(format!("{id}: {list}: {code} was planted and not found, or the reverse"));
        }
        found.intersection(truth).count()
    }

    fn tell(&self, outcome: &Outcome) {
        println!("{:>8}  documents, {} of them not read", outcome.documents, outcome.failed.len());
        println!("{:>8}  values of fields as planted", self.values);
        println!("{:>8}  medicines and {} allergies as planted", self.medicines, self.allergies);
        println!("{:>8}  conflicts planted, {} found", self.planted_conflicts, self.found_conflicts);
        println!("{:>8}  values that only scans say: what OCR took for something else", self.misread);
    }
}

/// Whether only documents that were read by OCR say it.
fn is_of_scans(said: &Value) -> bool {
    let documents = said["documents"].as_array().into_iter().flatten();
    documents.filter_map(Value::as_str).all(|name| name.starts_with(SCAN))
}
