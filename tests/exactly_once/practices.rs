//! What goes in: synthetic practices, each with an extract, and what PDS knows of all of them.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_schemas::list_reconciliation::JobCounts;

use crate::Outcome;

/// A practice whose extract lies in a file.
pub struct Practice {
    pub code: String,
    pub file: PathBuf,
    /// What comparing must count, known from how the people were made.
    pub truth: JobCounts,
}

/// Writes the extracts of `count` practices with `records` patients together, and one file of PDS records.
pub fn generate(
    folder: &Path,
    count: u64,
    records: u64,
    seed: u64,
    now: jiff::Timestamp,
) -> Outcome<(Vec<Practice>, PathBuf)> {
    let failed = |e: std::io::Error| format!("writing into {}: {e}", folder.display());
    let pds_file = folder.join("pds.ndjson");
    let mut pds = BufWriter::new(File::create(&pds_file).map_err(failed)?);
    let mut practices = Vec::new();
    let mut first_person = 0;
    for number in 0..count {
        let settings = SyntheticSettings {
            practice: format!("Y{:05}", 10_000 + number),
            patients: records / count,
            seed,
            first_person,
            now,
        };
        let code = settings.practice.clone();
        let practice = SyntheticPractice::generate(settings).map_err(|e| e.to_string())?;
        first_person += practice.people();
        let file = folder.join(practice.extract_file_name());
        fs::write(&file, practice.extract().collect::<String>()).map_err(failed)?;
        for line in practice.pds() {
            pds.write_all(line.as_bytes()).map_err(failed)?;
        }
        practices.push(Practice { code, file, truth: practice.truth().counts });
    }
    pds.flush().map_err(failed)?;
    Ok((practices, pds_file))
}
