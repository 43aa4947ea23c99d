//! The reader: chunks of a file in, records with their verdicts out, and at the end a verdict on the file.

use concord_schemas::list_reconciliation::GpRecord;
use jiff::civil::DateTime;

use super::Profile;
use super::characters::trim;
use super::held_rows::{HeldRows, RowNumber};
use super::invalid_record::InvalidRecord;
use super::lines::LineCutter;
use super::structure::{MAX_HELD_BYTES, StructureError};
use super::validation::Validator;

const HEADER: &str = r"503\*";
/// A second line with this text begins the two rows of column titles.
const TITLE_SIGN: &str = "NHS_NUMBER";
const SEPARATOR: u8 = b'~';

/// What a reader must know about its file.
#[derive(Debug, Clone)]
pub struct ReaderSettings {
    /// Which reading of the rules holds.
    pub profile: Profile,
    /// The cipher of the file's name; every record must carry it.
    pub file_cipher: String,
    /// Processing time in UTC.
    pub now: DateTime,
}

/// A patient record of the file, valid or not.
#[derive(Debug)]
pub struct ReadRecord<'a> {
    /// 1, 2, 3, ... within the file.
    pub number: u64,
    /// Lines of its two rows, from 1: physical lines in `Fixed`, lines that are not blank in `Compatible`.
    pub lines: (u64, u64),
    /// The record, or what is wrong with it.
    pub record: Result<GpRecord<'a>, InvalidRecord<'a>>,
}

/// Receives the records of a file in order.
pub type OnRecord<'f> = dyn FnMut(ReadRecord<'_>) + 'f;

/// What is known when the file has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadEnd {
    /// Records handed on.
    pub records: u64,
    /// How many of these were invalid.
    pub invalid_records: u64,
    /// Why the file as a whole must be refused. Records handed on before the fault was found count for nothing.
    pub structure_error: Option<StructureError>,
    /// The line of a last row without a second row. `Compatible` drops it, `Fixed` hands it on as an invalid record.
    pub odd_last_row: Option<u64>,
    /// Lines dropped behind the last line that is taken for data.
    pub trailing_lines_dropped: usize,
}

/// Reads an extract chunk by chunk.
///
/// Chunks may end anywhere, in the middle of a line or of a character; what comes out is the same.
/// Memory holds an unfinished line, rows that wait, and the transaction numbers of the file.
///
/// ```
/// use concord_flows::list_reconciliation::profile::Profile;
/// use concord_flows::list_reconciliation::extract::{ExtractReader, ReaderSettings};
/// use jiff::civil::date;
///
/// let mut reader = ExtractReader::new(ReaderSettings {
///     profile: Profile::Fixed,
///     file_cipher: "LNA".to_owned(),
///     now: date(2021, 8, 10).at(13, 40, 0, 0),
/// });
/// let mut valid = 0;
/// let mut count = |read: concord_flows::list_reconciliation::extract::ReadRecord<'_>| {
///     valid += i32::from(read.record.is_ok());
/// };
/// reader.push(b"503\\*\nDOW~1~1111111,1234~LNA~20210809~1641~1~~", &mut count);
/// reader.push(b"SMITH~~~~~~~\nDOW~2~~EAST~~E1   1AA~~3~~~\n", &mut count);
/// let end = reader.finish(&mut count);
/// assert_eq!((end.records, valid, end.structure_error), (1, 1, None));
/// ```
#[derive(Debug)]
pub struct ExtractReader {
    lines: LineCutter,
    body: Body,
    structure_error: Option<StructureError>,
}

impl ExtractReader {
    /// A reader at the start of a file.
    #[must_use]
    pub fn new(settings: ReaderSettings) -> Self {
        Self { lines: LineCutter::default(), body: Body::new(settings), structure_error: None }
    }

    /// Reads on. After a structure error the rest of the file is not looked at.
    pub fn push(&mut self, chunk: &[u8], on_record: &mut OnRecord<'_>) {
        if self.structure_error.is_some() {
            return;
        }
        let body = &mut self.body;
        let read = self.lines.push(chunk, &mut |line, physical| body.take_line(line, physical, on_record));
        self.structure_error = read.err();
    }

    /// Why the file must be refused, as far as it has been read.
    #[must_use]
    pub fn structure_error(&self) -> Option<&StructureError> {
        self.structure_error.as_ref()
    }

    /// Reads what is left when there are no more chunks.
    pub fn finish(mut self, on_record: &mut OnRecord<'_>) -> ReadEnd {
        if self.structure_error.is_none() {
            let body = &mut self.body;
            let read = self.lines.finish(&mut |line, physical| body.take_line(line, physical, on_record));
            self.structure_error = read.and_then(|()| self.body.check_end()).err();
        }
        let odd_last_row = match self.structure_error {
            None => self.body.end_odd_row(on_record),
            Some(_) => None,
        };
        ReadEnd {
            records: self.body.records.handed_on,
            invalid_records: self.body.records.invalid,
            structure_error: self.structure_error,
            odd_last_row,
            trailing_lines_dropped: self.body.held.len() - self.body.decided,
        }
    }
}

/// What the next line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expecting {
    Header,
    TitlesOrRows,
    SecondTitle,
    Rows,
}

/// The file as lines: header, perhaps titles, rows, perhaps trailing lines.
#[derive(Debug)]
struct Body {
    profile: Profile,
    expecting: Expecting,
    surviving_lines: u64,
    /// Whether any line looked like data.
    has_data: bool,
    /// Rows that wait for a second row, or for proof that they are data.
    held: HeldRows,
    /// How many of the held rows are data for certain: none, or a first row.
    decided: usize,
    records: Records,
}

impl Body {
    fn new(settings: ReaderSettings) -> Self {
        Self {
            profile: settings.profile,
            expecting: Expecting::Header,
            surviving_lines: 0,
            has_data: false,
            held: HeldRows::default(),
            decided: 0,
            records: Records {
                profile: settings.profile,
                validator: Validator::new(settings),
                handed_on: 0,
                invalid: 0,
            },
        }
    }

    fn take_line(&mut self, line: &str, physical: u64, on_record: &mut OnRecord<'_>) -> Result<(), StructureError> {
        let line = match self.profile {
            Profile::Fixed if physical == 1 => line.strip_prefix('\u{feff}').unwrap_or(line),
            _ => line,
        };
        // Empty lines count nowhere, but a line of white space may stand where the header or the titles should.
        if line.is_empty() {
            return Ok(());
        }
        let text = trim(line);
        let number = RowNumber { physical, surviving: self.surviving_lines + 1 };
        self.surviving_lines += u64::from(!text.is_empty());
        match self.expecting {
            Expecting::Header => {
                if text != HEADER {
                    return Err(StructureError::WrongHeader);
                }
                self.expecting = Expecting::TitlesOrRows;
            }
            Expecting::TitlesOrRows if text.contains(TITLE_SIGN) => {
                self.expecting = Expecting::SecondTitle;
                self.has_data |= self.is_data(text);
            }
            Expecting::SecondTitle if !text.is_empty() => {
                self.expecting = Expecting::Rows;
                self.has_data |= self.is_data(text);
            }
            Expecting::SecondTitle => {}
            Expecting::TitlesOrRows | Expecting::Rows => {
                self.expecting = Expecting::Rows;
                if !text.is_empty() {
                    self.take_row(text, number, on_record)?;
                }
            }
        }
        Ok(())
    }

    /// Whether this line, and so all before it, is data and not trailing text.
    fn is_data(&self, text: &str) -> bool {
        match self.profile {
            // A row whose last field is filled does not end in a separator, but has some.
            Profile::Fixed => memchr::memchr(SEPARATOR, text.as_bytes()).is_some(),
            Profile::Compatible => text.as_bytes().last() == Some(&SEPARATOR),
        }
    }

    fn take_row(&mut self, row: &str, number: RowNumber, on_record: &mut OnRecord<'_>) -> Result<(), StructureError> {
        self.held.push(row, number);
        if !self.is_data(row) {
            if self.held.bytes() > MAX_HELD_BYTES {
                return Err(StructureError::TooMuchUndecided { line: number.physical });
            }
            return Ok(());
        }
        self.has_data = true;
        let mut index = 0;
        while let (Some(first), Some(second)) = (self.held.get(index), self.held.get(index + 1)) {
            self.records.hand_on(first, second, on_record);
            index += 2;
        }
        self.held.drop_first(index);
        self.decided = self.held.len();
        Ok(())
    }

    fn check_end(&self) -> Result<(), StructureError> {
        match self.expecting {
            Expecting::Header => Err(StructureError::Empty),
            Expecting::TitlesOrRows => Err(StructureError::HeaderOnly),
            _ if !self.has_data => Err(StructureError::NoRecords),
            _ => Ok(()),
        }
    }

    /// The line of a first row whose second row never came.
    fn end_odd_row(&mut self, on_record: &mut OnRecord<'_>) -> Option<u64> {
        if self.decided == 0 {
            return None;
        }
        let (row, number) = self.held.get(0)?;
        if self.profile == Profile::Fixed {
            self.records.hand_on_odd(row, number, on_record);
        }
        Some(line_of(number, self.profile))
    }
}

/// Judges records, counts them, and hands them on.
#[derive(Debug)]
struct Records {
    profile: Profile,
    validator: Validator,
    handed_on: u64,
    invalid: u64,
}

impl Records {
    fn hand_on(&mut self, first: (&str, RowNumber), second: (&str, RowNumber), on_record: &mut OnRecord<'_>) {
        let lines = (line_of(first.1, self.profile), line_of(second.1, self.profile));
        let record = self.validator.validate([first.0, second.0], lines);
        self.handed_on += 1;
        self.invalid += u64::from(record.is_err());
        on_record(ReadRecord { number: self.handed_on, lines, record });
    }

    fn hand_on_odd(&mut self, row: &str, number: RowNumber, on_record: &mut OnRecord<'_>) {
        let line = line_of(number, self.profile);
        let record = Err(Validator::wrong_field_count([row, ""], (line, line)));
        self.handed_on += 1;
        self.invalid += 1;
        on_record(ReadRecord { number: self.handed_on, lines: (line, line), record });
    }
}

fn line_of(number: RowNumber, profile: Profile) -> u64 {
    match profile {
        Profile::Fixed => number.physical,
        Profile::Compatible => number.surviving,
    }
}
