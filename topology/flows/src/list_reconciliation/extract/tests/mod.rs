//! The reader as a whole: what it makes of files, in both profiles.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod records;
mod records_csv;
mod shared_files;
mod splitting;
mod structure;

use jiff::civil::{DateTime, date};
use serde_json::{Map, Value};

use super::{ExtractReader, ReadEnd, ReaderSettings};
use crate::list_reconciliation::profile::Profile;

const BOTH: [Profile; 2] = [Profile::Fixed, Profile::Compatible];

const ROW_1: &str = "DOW~1~1111111,1234~LNA~20210809~1641~1557492~9000000009~BARRY~TOMSON~TOMSON~MR~1~20010101~41 STREET GROVE~THE STREET";
const ROW_2: &str = "DOW~2~BUILDING~LEEDS~WEST YORKSHIRE~LS15 7YB~~3~~~";

fn settings(profile: Profile) -> ReaderSettings {
    ReaderSettings { profile, file_cipher: "LNA".to_owned(), now: processing_time() }
}

fn processing_time() -> DateTime {
    date(2021, 8, 10).at(13, 40, 0, 0)
}

/// A record with its texts owned, so that it outlives the chunk it was read from.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    number: u64,
    lines: (u64, u64),
    /// The record's `Debug` form, or its failure log.
    record: Result<String, Map<String, Value>>,
}

impl Seen {
    /// Keys of the rules that the record breaks.
    fn broken(&self) -> Vec<&str> {
        match &self.record {
            Ok(_) => Vec::new(),
            Err(log) => log["_INVALID_"].as_object().unwrap().keys().map(String::as_str).collect(),
        }
    }
}

fn read_chunks<'c>(settings: ReaderSettings, chunks: impl IntoIterator<Item = &'c [u8]>) -> (Vec<Seen>, ReadEnd) {
    let mut seen = Vec::new();
    let mut see = |read: super::ReadRecord<'_>| {
        seen.push(Seen {
            number: read.number,
            lines: read.lines,
            record: match read.record {
                Ok(record) => Ok(format!("{record:?}")),
                Err(invalid) => Err(invalid.to_failure_log()),
            },
        });
    };
    let mut reader = ExtractReader::new(settings);
    for chunk in chunks {
        reader.push(chunk, &mut see);
    }
    let end = reader.finish(&mut see);
    (seen, end)
}

fn read(profile: Profile, file: impl AsRef<[u8]>) -> (Vec<Seen>, ReadEnd) {
    read_chunks(settings(profile), [file.as_ref()])
}

/// A file with the given lines behind the header.
fn file(lines: &[&str]) -> String {
    format!("503\\*\n{}\n", lines.join("\n"))
}

/// `ROW_1` with another transaction number, so that several can stand in a file.
fn row_1(transaction_number: &str) -> String {
    ROW_1.replace("1557492", transaction_number)
}

/// The row with one field (counted from 0) replaced.
fn with_field(row: &str, position: usize, value: &str) -> String {
    let mut fields: Vec<&str> = row.split('~').collect();
    fields[position] = value;
    fields.join("~")
}
