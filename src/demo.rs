//! `concord demo`: a synthetic practice and its PDS feed, reconciled before your eyes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_flows::list_reconciliation::Settings;
use jiff::Timestamp;

use crate::failure::Failure;
use crate::progress::Progress;
use crate::reconcile::{Request, reconcile};
use crate::summary;

/// Runs the demonstration.
///
/// # Errors
/// The output folder cannot be written.
pub fn demo(patients: u64, seed: u64, out: &Path) -> Result<(), Failure> {
    let now = Timestamp::now();
    let practice = SyntheticPractice::generate(SyntheticSettings {
        practice: "Y12345".to_string(),
        patients,
        seed,
        first_person: 0,
        now,
    })
    .map_err(|e| Failure::Usage(e.to_string()))?;
    let input = out.join("input");
    fs::create_dir_all(&input).map_err(|e| Failure::Usage(format!("cannot create {}: {e}", input.display())))?;
    let extract = input.join(practice.extract_file_name());
    let pds = input.join("pds.ndjson");
    println!("Making a practice of {patients} patients (seed {seed}; no person in it exists).");
    write(&extract, practice.extract())?;
    write(&pds, practice.pds())?;

    let request = Request {
        extracts: vec![extract.clone()],
        pds: vec![pds.clone()],
        registrations: None,
        out: out.to_path_buf(),
        at: now,
        flow: Settings::default(),
    };
    let mut progress = Progress::new();
    let outcome = reconcile(&request, &mut |doing, done, waiting| progress.show(doing, done, waiting))?;
    progress.end();
    println!("\n{}", summary::of(&outcome, out));
    check_against_truth(&practice, &outcome)?;

    let job = outcome.jobs.first().map_or("", |job| job.job_id.as_str());
    // As it was called, so that the lines can be copied.
    let program = std::env::args().next().unwrap_or_else(|| "concord".to_string());
    println!("Try next:");
    println!("  head -n 3 {}/{job}/*-CDD-*.csv", out.display());
    println!(
        "  {program} reconcile --extract {} --pds {} --out {} --json",
        extract.display(),
        pds.display(),
        out.join("again").display()
    );
    println!("  {program} topology describe");
    Ok(())
}

/// The generator knows what must come out; a demonstration that came out otherwise would be no recommendation.
fn check_against_truth(practice: &SyntheticPractice, outcome: &crate::reconcile::Outcome) -> Result<(), Failure> {
    let truth = practice.truth();
    match outcome.jobs.first() {
        Some(job) if job.counts == truth.counts => {
            println!("All counts are what the generator of the practice expects.\n");
            Ok(())
        }
        Some(job) => Err(Failure::Other(format!(
            "the counts differ from what the generator expects, which is a fault of the program: {:?} and not {:?}",
            job.counts, truth.counts
        ))),
        None => Err(Failure::Other("no job came out, which is a fault of the program".to_string())),
    }
}

fn write(path: &PathBuf, pieces: impl Iterator<Item = String>) -> Result<(), Failure> {
    let failed = |e| Failure::other(format!("writing {}", path.display()), e);
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    for piece in pieces {
        file.write_all(piece.as_bytes()).map_err(failed)?;
    }
    file.flush().map_err(failed)
}
