//! Cutting a stream of bytes into lines of text, wherever its chunks begin and end.

use super::structure::{MAX_LINE_BYTES, StructureError};

/// Turns chunks into lines. Only an unfinished line is kept between chunks.
#[derive(Debug, Default)]
pub(super) struct LineCutter {
    unfinished: Vec<u8>,
    finished_lines: u64,
}

/// Receives a line without its line feed, and its physical number from 1.
pub(super) type OnLine<'f> = dyn FnMut(&str, u64) -> Result<(), StructureError> + 'f;

impl LineCutter {
    /// Hands on every line that ends in this chunk.
    pub(super) fn push(&mut self, chunk: &[u8], on_line: &mut OnLine<'_>) -> Result<(), StructureError> {
        let mut rest = chunk;
        while let Some(position) = memchr::memchr2(b'\n', b'\0', rest) {
            let piece = &rest[..position];
            self.check_length(piece)?;
            if rest[position] == b'\0' {
                let byte = self.unfinished.len() + position + 1;
                return Err(StructureError::NulByte { line: self.finished_lines + 1, byte });
            }
            if self.unfinished.is_empty() {
                self.finish_line(piece, on_line)?;
            } else {
                let mut line = std::mem::take(&mut self.unfinished);
                line.extend_from_slice(piece);
                self.finish_line(&line, on_line)?;
                line.clear();
                self.unfinished = line;
            }
            rest = &rest[position + 1..];
        }
        self.check_length(rest)?;
        self.unfinished.extend_from_slice(rest);
        Ok(())
    }

    /// Hands on the last line when the file does not end in a line feed.
    pub(super) fn finish(&mut self, on_line: &mut OnLine<'_>) -> Result<(), StructureError> {
        let line = std::mem::take(&mut self.unfinished);
        if line.is_empty() { Ok(()) } else { self.finish_line(&line, on_line) }
    }

    fn check_length(&self, more: &[u8]) -> Result<(), StructureError> {
        if self.unfinished.len() + more.len() > MAX_LINE_BYTES {
            return Err(StructureError::LineTooLong { line: self.finished_lines + 1 });
        }
        Ok(())
    }

    fn finish_line(&mut self, line: &[u8], on_line: &mut OnLine<'_>) -> Result<(), StructureError> {
        self.finished_lines += 1;
        match std::str::from_utf8(line) {
            Ok(text) => on_line(text, self.finished_lines),
            Err(error) => {
                let at = error.valid_up_to();
                Err(StructureError::NotUtf8 {
                    line: self.finished_lines,
                    byte: at + 1,
                    latin_1_suspected: line[at] >= 0xA0,
                })
            }
        }
    }
}
