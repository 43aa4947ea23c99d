//! Rows of a CSV file whose first line names the columns. One row per line: a quoted field cannot hold a line break, so
//! that a stray quote costs one row and not the rest of the file.

use std::io::BufRead;
use std::str;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use crate::lines::Lines;
use crate::rejected::ReadError;

/// Reads row by row; holds the one it read last.
pub(crate) struct CsvRows<'source> {
    lines: Lines<'source>,
    parser: Reader,
    wanted: Vec<&'static str>,
    /// Where each wanted column stands in a row of the file; an optional one perhaps nowhere.
    places: Vec<Option<usize>>,
    columns_in_file: usize,
    text: Vec<u8>,
    /// Where each field ends in `text`.
    ends: Vec<usize>,
}

impl<'source> CsvRows<'source> {
    /// Reads the first line and finds the wanted columns in it, in whatever order they stand.
    pub(crate) fn open(
        file: &str,
        source: impl BufRead + Send + 'source,
        wanted: &'static [&'static str],
    ) -> Result<Self, ReadError> {
        let mut rows = Self {
            lines: Lines::open(file, source)?,
            parser: ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build(),
            wanted: wanted.to_vec(),
            places: Vec::new(),
            columns_in_file: 0,
            text: Vec::new(),
            ends: Vec::new(),
        };
        if let Some(Err(error)) = rows.lines.next_line() {
            return Err(error);
        }
        rows.split_line()?;
        for column in wanted {
            let place = rows.place_of(column);
            if place.is_none() {
                return Err(rows.lines.reject(
                    *column,
                    "the first line does not name this column",
                    "name the columns in the first line, separated by commas",
                ));
            }
            rows.places.push(place);
        }
        rows.columns_in_file = rows.ends.len();
        Ok(rows)
    }

    /// Wants one more column, whose fields are empty where the file does not have it. To be called before the first row.
    pub(crate) fn with_optional(mut self, column: &'static str) -> Self {
        self.wanted.push(column);
        self.places.push(self.place_of(column));
        self
    }

    fn place_of(&self, column: &str) -> Option<usize> {
        (0..self.ends.len()).find(|&place| self.bytes_of(place) == column.as_bytes())
    }

    /// Reads the next row; `None` at the end of the file.
    pub(crate) fn advance(&mut self) -> Option<Result<(), ReadError>> {
        if let Err(error) = self.lines.next_line()? {
            return Some(Err(error));
        }
        Some(self.split_line().and_then(|()| self.check()))
    }

    /// A field of the row read last, by its place among the wanted columns.
    pub(crate) fn field(&self, column: usize) -> &str {
        // Every row is checked to be UTF-8 before it is given out.
        self.places[column].map_or("", |place| str::from_utf8(self.bytes_of(place)).unwrap_or_default())
    }

    /// Refuses the row read last for one of its wanted columns.
    pub(crate) fn reject(&self, column: usize, problem: &'static str, remedy: &'static str) -> ReadError {
        self.lines.reject(self.wanted[column], problem, remedy)
    }

    fn check(&self) -> Result<(), ReadError> {
        if self.ends.len() != self.columns_in_file {
            return Err(self.lines.reject(
                "the row",
                "it has another number of fields than the first line",
                "give every column a field, and put fields that hold a comma in quotes",
            ));
        }
        for place in 0..self.ends.len() {
            if str::from_utf8(self.bytes_of(place)).is_err() {
                return Err(self.lines.reject(
                    format!("field {}", place + 1),
                    "its text is not UTF-8",
                    "write the file in UTF-8",
                ));
            }
        }
        Ok(())
    }

    fn bytes_of(&self, place: usize) -> &[u8] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.text[start..self.ends[place]]
    }

    /// Splits the line read last into its fields.
    fn split_line(&mut self) -> Result<(), ReadError> {
        let line = self.lines.line();
        if line.is_empty() {
            // Only an empty file comes here; to the parser no bytes would mean "continue".
            self.ends.clear();
            return Ok(());
        }
        // Unquoting never makes a field longer, and there is at most one field more than there are bytes.
        self.text.resize(line.len() + 1, 0);
        self.ends.resize(line.len() + 2, 0);
        self.parser.reset();
        let (_, _, text, ends) = self.parser.read_record(line, &mut self.text, &mut self.ends);
        let (result, _, more_text, more_ends) =
            self.parser.read_record(b"\n", &mut self.text[text..], &mut self.ends[ends..]);
        if !matches!(result, ReadRecordResult::Record) {
            self.ends.clear();
            return Err(self.lines.reject(
                "the row",
                "a quote is opened and not closed",
                "close the quote on the same line, and double quotes inside a quoted field",
            ));
        }
        self.text.truncate(text + more_text);
        self.ends.truncate(ends + more_ends);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::test_rows::row_error;

    fn rows(content: &[u8]) -> Vec<Result<(String, String), String>> {
        let mut rows = CsvRows::open("f.csv", content, &["a", "b"]).unwrap();
        let mut read = Vec::new();
        while let Some(row) = rows.advance() {
            read.push(match row {
                Ok(()) => Ok((rows.field(0).to_owned(), rows.field(1).to_owned())),
                Err(ReadError::Row(rejected)) => Err(rejected.error.to_string()),
                Err(error) => panic!("{error}"),
            });
        }
        read
    }

    fn pair(a: &str, b: &str) -> Result<(String, String), String> {
        Ok((a.to_owned(), b.to_owned()))
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        assert_eq!(rows(b"b,other,a\n1,2,3\n"), [pair("3", "1")]);
        assert_eq!(rows("a,b\r\n\"x,\"\"y\"\"\",\u{e9}\r\n,\n".as_bytes()), [pair("x,\"y\"", "é"), pair("", "")]);
    }

    #[test]
    fn a_stray_quote_costs_one_row_only() {
        let read = rows(b"a,b\n\"x,1\ny,2\n");
        assert_eq!(read.len(), 2);
        assert_eq!(
            read[0],
            Err("f.csv, line 2, the row: a quote is opened and not closed; \
                 close the quote on the same line, and double quotes inside a quoted field"
                .to_owned())
        );
        assert_eq!(read[1], pair("y", "2"));
    }

    #[test]
    fn rows_of_the_wrong_length_or_not_utf8_are_rejected() {
        let read = rows(b"a,b\n1\n1,2,3\n\xc9,2\n1,2\n");
        assert!(read[0].as_ref().unwrap_err().contains("another number of fields"));
        assert!(read[1].as_ref().unwrap_err().contains("another number of fields"));
        assert!(read[2].as_ref().unwrap_err().contains("f.csv, line 4, field 1: its text is not UTF-8"));
        assert_eq!(read[3], pair("1", "2"));
    }

    #[test]
    fn a_missing_column_is_named() {
        for content in [&b"a,c\n1,2\n"[..], b""] {
            let error = row_error(CsvRows::open("f.csv", content, &["a", "b"]).map(|_| ()));
            assert_eq!(error.problem, "the first line does not name this column");
        }
    }
}
