//! Rows of input files that cannot be used: told without what they say of anybody, and kept whole where a file is wanted.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use concord_connectors::rejected::RejectedRow;
use serde_json::json;

use crate::failure::Failure;

/// Rows told one by one when all are kept in a file.
const TOLD: u64 = 10;

/// Tells and keeps rows that cannot be used.
pub struct RejectedRows {
    /// `None` when they are only told.
    kept_in: Option<PathBuf>,
    file: Option<BufWriter<File>>,
    count: u64,
}

impl RejectedRows {
    /// Every row is told on stderr.
    pub fn told() -> Self {
        Self { kept_in: None, file: None, count: 0 }
    }

    /// The first rows are told on stderr; all are kept in this file, one JSON object per line with where the row stood,
    /// what is wrong with it, what to do, and the row. Without rows there is no file.
    ///
    /// # Errors
    /// The file that an earlier run left cannot be removed.
    pub fn kept_in(path: PathBuf) -> Result<Self, Failure> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::other(format!("removing {}", path.display()), error))
            }
            _ => Ok(Self { kept_in: Some(path), file: None, count: 0 }),
        }
    }

    /// One more row.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn take(&mut self, rejected: &RejectedRow) -> Result<(), Failure> {
        self.count += 1;
        if self.kept_in.is_none() || self.count <= TOLD {
            eprintln!("rejected: {}", rejected.error);
        }
        let Some(path) = &self.kept_in else { return Ok(()) };
        let failed = |error| Failure::other(format!("writing {}", path.display()), error);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(File::create(path).map_err(failed)?)),
        };
        let error = &rejected.error;
        let line = json!({
            "file": error.file,
            "line": error.line,
            "field": error.field,
            "problem": error.problem,
            "remedy": error.remedy,
            "row": String::from_utf8_lossy(&rejected.row),
        });
        writeln!(file, "{line}").map_err(failed)
    }

    /// How many rows there were. Says where they are kept.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end(self) -> Result<u64, Failure> {
        if let (Some(path), Some(mut file)) = (self.kept_in, self.file) {
            file.flush().map_err(|error| Failure::other(format!("writing {}", path.display()), error))?;
            eprintln!("{} rows were rejected; all are kept in {}", self.count, path.display());
        }
        Ok(self.count)
    }
}
