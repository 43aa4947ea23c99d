//! The two tables of a validation, written as the records come.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use concord_flows::list_reconciliation::Profile;
use concord_flows::list_reconciliation::extract::{
    InvalidCounts, RECORDS_LINE_END, ReadRecord, write_records_header, write_records_row,
};

use super::{COUNTS, RECORDS, Request, remove};
use crate::failure::Failure;

/// Which records are in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// All of them.
    All,
    /// Only the invalid ones: there are too many invalid fields.
    Invalid,
}

/// Whether all records are wanted is known only at the end, so both tables are begun, and one of them is kept. A run that
/// ends early leaves neither.
pub struct Tables {
    /// `None` from the moment on when there are too many invalid fields.
    all: Option<Table>,
    invalid: Option<Table>,
    counts: InvalidCounts,
    threshold: u64,
    explained: bool,
    profile: Profile,
    folder: PathBuf,
    row: String,
}

impl Tables {
    pub fn create(request: &Request) -> Result<Self, Failure> {
        let in_folder = |name| request.out.join(name);
        let mut tables = Self {
            all: Some(Table::create(in_folder(".records-all.part"))?),
            invalid: Some(Table::create(in_folder(".records-invalid.part"))?),
            counts: InvalidCounts::default(),
            threshold: request.invalid_threshold,
            explained: request.include_reason,
            profile: request.profile,
            folder: request.out.clone(),
            row: String::new(),
        };
        write_records_header(&mut tables.row);
        tables.row.push_str(RECORDS_LINE_END);
        for table in [&mut tables.all, &mut tables.invalid].into_iter().flatten() {
            table.write(&tables.row)?;
        }
        tables.leave_out_valid_records_if_too_many_are_not();
        Ok(tables)
    }

    pub fn write(&mut self, read: &ReadRecord<'_>) -> Result<(), Failure> {
        self.counts.add(read);
        self.leave_out_valid_records_if_too_many_are_not();
        if read.record.is_ok() && self.all.is_none() {
            return Ok(());
        }
        self.row.clear();
        write_records_row(&mut self.row, read, self.explained);
        self.row.push_str(RECORDS_LINE_END);
        if read.record.is_err()
            && let Some(invalid) = &mut self.invalid
        {
            invalid.write(&self.row)?;
        }
        match &mut self.all {
            Some(all) => all.write(&self.row),
            None => Ok(()),
        }
    }

    /// Fields are counted, not records: one record can be too many.
    fn leave_out_valid_records_if_too_many_are_not(&mut self) {
        if self.counts.total() >= self.threshold {
            self.all = None;
        }
    }

    pub fn finish(mut self) -> Result<Written, Failure> {
        let (table, written) = match (self.all.take(), self.invalid.take()) {
            (Some(all), _) => (Some(all), Written::All),
            (None, invalid) => (invalid, Written::Invalid),
        };
        if let Some(table) = table {
            table.keep_as(self.folder.join(RECORDS))?;
        }
        let mut counts = String::new();
        self.counts.write(&mut counts, self.profile);
        let path = self.folder.join(COUNTS);
        fs::write(&path, counts).map_err(|e| Failure::other(format!("writing {}", path.display()), e))?;
        Ok(written)
    }
}

/// A table under a name of its own, gone when it is dropped.
struct Table {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Table {
    fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = File::create(&path).map_err(|e| Failure::other(format!("writing {}", path.display()), e))?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.file.write_all(text.as_bytes()).map_err(|e| Failure::other(format!("writing {}", self.path.display()), e))
    }

    fn keep_as(mut self, path: PathBuf) -> Result<(), Failure> {
        let failed = |e| Failure::other(format!("writing {}", path.display()), e);
        self.file.flush().map_err(failed)?;
        fs::rename(&self.path, &path).map_err(failed)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // A table that was kept has another name by now.
        let _ = remove(&self.path);
    }
}
