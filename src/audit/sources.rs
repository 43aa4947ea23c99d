//! The files of an audit.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use concord_connectors::nhais_state::StateReader;
use concord_connectors::rejected::ReadError;
use concord_edifact::{EnvelopeReader, Event};
use concord_schemas::gp_links::StateDocument;

use crate::failure::Failure;

/// A file of interchanges.
pub struct Source {
    /// As it was named.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
    /// When its first interchange was prepared, milliseconds since the epoch. Nothing else in a file says when it came.
    pub prepared_at_ms: Option<i64>,
    /// When it counts as received; 0 until the run decides.
    pub received_at_ms: i64,
}

impl Source {
    /// Reads a file.
    pub fn read(path: PathBuf) -> Result<Self, Failure> {
        let content = fs::read(&path).map_err(|e| Failure::other(format!("reading {}", path.display()), e))?;
        Ok(Self::of(path.display().to_string(), content))
    }

    /// What is there already.
    pub fn of(name: String, content: Vec<u8>) -> Self {
        let mut reader = EnvelopeReader::new();
        let mut prepared = None;
        let mut on = |event: Event| {
            if let Event::Begins(header) = event {
                prepared = prepared.or(header.prepared_at);
            }
        };
        reader.push(&content, &mut on);
        reader.finish(&mut on);
        Self { name, content, prepared_at_ms: prepared.map(|at| at.as_millisecond()), received_at_ms: 0 }
    }
}

/// The files that are named, and those in folders that are, in order of their names.
pub fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in named {
        let metadata =
            fs::metadata(path).map_err(|e| Failure::Usage(format!("cannot open {}: {e}", path.display())))?;
        if metadata.is_dir() {
            let mut below = Vec::new();
            collect(path, &mut below)?;
            below.sort();
            found.extend(below);
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |e| Failure::other(format!("reading {}", folder.display()), e);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&entry.path(), found)?;
        } else {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// Whether a file holds documents of the earlier adaptor: JSON, plain or gzip.
pub fn holds_documents(content: &[u8]) -> bool {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    content.starts_with(GZIP) || first_of(content) == Some(b'{')
}

/// Whether a file is one JSON value with all documents in it.
pub fn is_array(content: &[u8]) -> bool {
    first_of(content) == Some(b'[')
}

fn first_of(content: &[u8]) -> Option<u8> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content).trim_ascii_start().first().copied()
}

/// The documents of an export.
pub fn documents(path: &Path) -> Result<Vec<StateDocument>, Failure> {
    let file = File::open(path).map_err(|e| Failure::Usage(format!("cannot open {}: {e}", path.display())))?;
    let mut documents = Vec::new();
    each_document(&path.display().to_string(), BufReader::new(file), |document, _| documents.push(document))?;
    Ok(documents)
}

/// Hands over each document of an export, and its line as the export has it.
pub fn each_document(
    name: &str,
    content: impl BufRead + Send,
    mut visit: impl FnMut(StateDocument, &[u8]),
) -> Result<(), Failure> {
    let mut reader = StateReader::open(name, content).map_err(|e| Failure::other("reading documents", e))?;
    let mut unusable = 0_u64;
    while let Some(document) = reader.next() {
        match document {
            Ok(document) => visit(document, reader.line()),
            Err(ReadError::Row(row)) => {
                unusable += 1;
                eprintln!("{}", row.error);
            }
            Err(error) => return Err(Failure::Other(error.to_string())),
        }
    }
    if unusable > 0 {
        eprintln!("{name}: {unusable} lines are no documents, and are left out");
    }
    Ok(())
}
