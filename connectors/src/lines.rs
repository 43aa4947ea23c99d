//! The lines of a plain or gzip text file, one at a time and of bounded length.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use crate::rejected::{ReadError, RejectedRow, RowError};

/// The longest line that is read, in bytes: one line can never exhaust the memory.
pub(crate) const LONGEST_LINE: usize = 1024 * 1024;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads line by line; holds the one it read last.
pub(crate) struct Lines<'source> {
    file: String,
    source: Box<dyn BufRead + Send + 'source>,
    number: u64,
    line: Vec<u8>,
    ended: bool,
}

impl<'source> Lines<'source> {
    /// Starts at the beginning of a source; `file` is its name in errors. Content that starts as gzip does is unpacked.
    pub(crate) fn open(file: &str, source: impl BufRead + Send + 'source) -> Result<Self, ReadError> {
        let source = unpacked(source).map_err(|error| ReadError::Source { file: file.to_owned(), line: 1, error })?;
        Ok(Self { file: file.to_owned(), source, number: 0, line: Vec::new(), ended: false })
    }

    /// Reads the next line that is not blank and returns it without its line end.
    pub(crate) fn next_line(&mut self) -> Option<Result<&[u8], ReadError>> {
        while !self.ended {
            match self.read_line() {
                Ok(Length::WithinLimit) => {}
                Ok(Length::BeyondLimit) => {
                    return Some(Err(self.reject(
                        "the line",
                        "it is longer than 1 MiB",
                        "write one row per line, ended by a line feed",
                    )));
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(ReadError::Source { file: self.file.clone(), line: self.number, error }));
                }
            }
            if !self.line.trim_ascii().is_empty() {
                return Some(Ok(&self.line));
            }
        }
        None
    }

    /// The line read last.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Refuses the line read last.
    pub(crate) fn reject(&self, field: impl Into<String>, problem: &'static str, remedy: &'static str) -> ReadError {
        let error = RowError { file: self.file.clone(), line: self.number, field: field.into(), problem, remedy };
        ReadError::Row(RejectedRow { error, row: self.line.clone() })
    }

    fn read_line(&mut self) -> io::Result<Length> {
        self.line.clear();
        self.number += 1;
        let limit = LONGEST_LINE as u64 + 1;
        self.source.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            self.ended = true;
            return Ok(Length::WithinLimit);
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        } else if self.line.len() > LONGEST_LINE {
            self.line.truncate(LONGEST_LINE);
            self.source.skip_until(b'\n')?;
            return Ok(Length::BeyondLimit);
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(Length::WithinLimit)
    }
}

enum Length {
    WithinLimit,
    BeyondLimit,
}

fn unpacked<'source>(mut source: impl BufRead + Send + 'source) -> io::Result<Box<dyn BufRead + Send + 'source>> {
    let mut start = Vec::with_capacity(GZIP_MAGIC.len());
    source.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut start)?;
    let is_gzip = start == GZIP_MAGIC;
    let whole = Cursor::new(start).chain(source);
    if is_gzip {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(whole))));
    }
    Ok(Box::new(whole))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::test_rows::gzipped;

    fn read(content: &[u8]) -> Vec<Result<String, String>> {
        let mut lines = Lines::open("list.csv", content).unwrap();
        let mut read = Vec::new();
        while let Some(line) = lines.next_line() {
            read.push(match line {
                Ok(line) => Ok(String::from_utf8(line.to_vec()).unwrap()),
                Err(error) => Err(error.to_string()),
            });
        }
        read
    }

    fn ok(lines: &[&str]) -> Vec<Result<String, String>> {
        lines.iter().map(|line| Ok((*line).to_owned())).collect()
    }

    #[test]
    fn line_ends_blank_lines_and_a_byte_order_mark_are_left_out() {
        assert_eq!(read("\u{feff}a\r\n\n  \nb\nc".as_bytes()), ok(&["a", "b", "c"]));
        assert_eq!(read(b""), ok(&[]));
        assert_eq!(read(b"\n"), ok(&[]));
        assert_eq!(read(b"x"), ok(&["x"]));
    }

    #[test]
    fn gzip_content_reads_as_its_plain_text_even_in_several_members() {
        let mut packed = gzipped(b"a\nb\n");
        packed.extend(gzipped(b"c\n"));
        assert_eq!(read(&packed), ok(&["a", "b", "c"]));
    }

    #[test]
    fn a_damaged_gzip_stream_ends_the_reading_with_an_error() {
        let mut packed = gzipped(&b"some text that is long enough\n".repeat(50));
        packed.truncate(packed.len() - 10);
        let read = read(&packed);
        assert!(read.last().unwrap().as_ref().unwrap_err().contains("cannot be read on"));
        assert_eq!(read.iter().filter(|line| line.is_err()).count(), 1);
    }

    #[test]
    fn a_line_beyond_the_limit_is_rejected_and_the_next_is_read() {
        let longest = "x".repeat(LONGEST_LINE);
        let content = format!("a\n{longest}\n{longest}x\nb\n");
        let read = read(content.as_bytes());
        assert_eq!(read.len(), 4);
        assert_eq!(read[1], Ok(longest));
        assert_eq!(
            read[2],
            Err("list.csv, line 3, the line: it is longer than 1 MiB; write one row per line, ended by a line feed"
                .to_owned())
        );
        assert_eq!(read[3], Ok("b".to_owned()));
    }
}
