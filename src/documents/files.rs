//! The documents of a folder `DIR/<patient id>/<document>`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::failure::Failure;

/// One document on this machine.
#[derive(Debug, PartialEq, Eq)]
pub struct DocumentFile {
    /// The patient whose folder it is in.
    pub patient_id: String,
    /// Its file name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// When it was changed last, milliseconds since the epoch.
    pub changed_at_ms: i64,
}

impl DocumentFile {
    /// Its id in a run over files: unique over patients, and in the order of the names within one.
    pub fn document_id(&self) -> String {
        format!("{}:{}", self.patient_id, self.name)
    }
}

/// The documents in the folders of a folder, in order; and what is there and is none, in words. Names that begin with `.` are
/// left alone.
///
/// # Errors
/// A folder cannot be read.
pub fn documents(dir: &Path) -> Result<(Vec<DocumentFile>, Vec<String>), Failure> {
    let reading = |path: &Path, e: io::Error| Failure::Usage(format!("cannot read {}: {e}", path.display()));
    let (mut found, mut left_alone) = (Vec::new(), Vec::new());
    for (patient_id, path) in entries(dir).map_err(|e| reading(dir, e))? {
        if !path.is_dir() {
            left_alone.push(format!("{} is not in the folder of a patient", path.display()));
            continue;
        }
        for (name, path) in entries(&path).map_err(|e| reading(&path, e))? {
            let meta = fs::metadata(&path).map_err(|e| reading(&path, e))?;
            if !meta.is_file() {
                left_alone.push(format!("{} is no file", path.display()));
                continue;
            }
            let changed = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            let changed_at_ms = changed.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default();
            found.push(DocumentFile { patient_id: patient_id.clone(), name, path, changed_at_ms });
        }
    }
    Ok((found, left_alone))
}

/// Names and paths in a folder, in the order of the names.
fn entries(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_folder_is_a_patient_and_each_file_in_it_a_document() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["p2/b.txt", "p1/b.txt", "p1/a.txt", "p1/.hidden", "p1/deeper/c.txt", ".hidden/d.txt"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::write(dir.path().join("stray.txt"), "x").unwrap();
        let (found, left_alone) = documents(dir.path()).unwrap();
        let ids: Vec<String> = found.iter().map(DocumentFile::document_id).collect();
        assert_eq!(ids, ["p1:a.txt", "p1:b.txt", "p2:b.txt"]);
        assert!(found.iter().all(|document| document.changed_at_ms > 0));
        assert_eq!(left_alone.len(), 2, "{left_alone:?}");
    }
}
