//! `concord validate`: a GP extract checked on this machine, without anything of it being sent anywhere.

mod report;
mod tables;

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use concord_connectors::connect::Pieces;
use concord_flows::list_reconciliation::extract::{ExtractReader, ReadRecord, ReaderSettings};
use concord_flows::list_reconciliation::{Profile, parse_extract_file_name};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::failure::Failure;
use crate::output;
use crate::reconcile::check_is_there;
use report::{Report, Verdict};
use tables::Tables;

/// In the output folder: the records, a row each.
pub const RECORDS: &str = "records.csv";
/// In the output folder: how often each field is invalid.
pub const COUNTS: &str = "invalid_counts.csv";
/// In the output folder: what is also printed.
pub const REPORT: &str = "report.txt";

/// What to check, and how.
pub struct Request {
    /// The extract. Its name counts.
    pub file: PathBuf,
    /// Where the tables and the report go.
    pub out: PathBuf,
    /// Processing time.
    pub at: Timestamp,
    /// Earlier behaviour or corrected.
    pub profile: Profile,
    /// From this number of invalid fields on, only invalid records are written.
    pub invalid_threshold: u64,
    /// Whether the records' table has messages beside the names of fields.
    pub include_reason: bool,
}

/// Checks an extract.
///
/// # Errors
/// Files that cannot be read or written; [`Failure::Rejected`] of an extract that is not valid, whose reasons were told.
pub fn validate(request: &Request) -> Result<(), Failure> {
    check_is_there(&request.file)?;
    fs::create_dir_all(&request.out)
        .map_err(|e| Failure::Usage(format!("cannot create {}: {e}", request.out.display())))?;
    // What an earlier run left must not be taken for the result of this one, however this one ends.
    for name in [RECORDS, COUNTS, REPORT] {
        remove(&request.out.join(name))?;
    }
    let report = check(request)?;
    let text = report.text(request);
    let path = request.out.join(REPORT);
    fs::write(&path, &text).map_err(|e| Failure::other(format!("writing {}", path.display()), e))?;
    output::line(text.trim_end());
    if report.is_valid() { Ok(()) } else { Err(Failure::Rejected) }
}

fn check(request: &Request) -> Result<Report, Failure> {
    let now = request.at.to_zoned(TimeZone::UTC).datetime();
    let file_name = request.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut report = Report::of(&file_name);
    let name = match parse_extract_file_name(&file_name, now, request.profile) {
        Ok(name) => name,
        Err(reasons) => {
            report.verdict = Verdict::Refused(reasons.into_iter().map(String::from).collect());
            return Ok(report);
        }
    };
    let cipher = name.cipher.clone();
    report.name = Some(name);

    let mut tables = Tables::create(request)?;
    let mut failure = None;
    let mut on_record = |read: ReadRecord<'_>| {
        report.add(&read);
        if failure.is_none() {
            failure = tables.write(&read).err();
        }
    };
    let reading = |error| Failure::other(format!("reading {}", request.file.display()), error);
    let mut reader = ExtractReader::new(ReaderSettings { profile: request.profile, file_cipher: cipher, now });
    for piece in Pieces(File::open(&request.file).map_err(reading)?) {
        reader.push(&piece.map_err(reading)?, &mut on_record);
        if reader.structure_error().is_some() {
            break;
        }
    }
    let end = reader.finish(&mut on_record);
    if let Some(failure) = failure {
        return Err(failure);
    }
    report.verdict = match end.structure_error {
        Some(error) => Verdict::Refused(vec![error.to_string()]),
        None => Verdict::Read { written: tables.finish()? },
    };
    report.odd_last_row = end.odd_last_row.filter(|_| request.profile == Profile::Compatible);
    report.trailing_lines_dropped = end.trailing_lines_dropped;
    Ok(report)
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::other(format!("removing {}", path.display()), error))
        }
        _ => Ok(()),
    }
}
