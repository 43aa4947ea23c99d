//! Reading and validating a GP extract: bytes in, one verdict per patient record out.
//!
//! An extract is text. Its first line is the header, then come two rows of `~`-separated fields per patient.

use super::profile::Profile;

mod characters;
mod field_checks;
mod held_rows;
mod invalid_record;
mod lines;
mod python_integer;
mod reader;
mod records_csv;
mod rows;
mod rules;
mod structure;
mod transaction_numbers;
mod validation;

#[cfg(test)]
mod tests;

pub use invalid_record::{FieldError, InvalidRecord};
pub(super) use invalid_record::{ON_LINES, REASONS};
pub use reader::{ExtractReader, OnRecord, ReadEnd, ReadRecord, ReaderSettings};
pub use records_csv::{InvalidCounts, RECORDS_LINE_END, write_records_header, write_records_row};
pub use structure::StructureError;
