//! The list of who is registered where: CSV, plain or gzip, `nhs_number,gp_practice,dispensing_flag`.

use std::io::BufRead;

use concord_schemas::list_reconciliation::Registration;
use concord_schemas::nhs_number;

use crate::csv_rows::CsvRows;
use crate::rejected::ReadError;

const COLUMNS: &[&str] = &["nhs_number", "gp_practice", "dispensing_flag"];
const NHS_NUMBER: usize = 0;
const GP_PRACTICE: usize = 1;
const DISPENSING_FLAG: usize = 2;

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationEntry {
    /// Ten digits, the check digit right.
    pub nhs_number: String,
    /// ODS code, never empty.
    pub gp_practice: String,
    /// As given.
    pub dispensing_flag: String,
}

impl RegistrationEntry {
    /// The entry as the value of its topic.
    #[must_use]
    pub fn as_registration(&self) -> Registration<'_> {
        Registration {
            nhs_number: &self.nhs_number,
            gp_practice: &self.gp_practice,
            dispensing_flag: &self.dispensing_flag,
        }
    }
}

/// Reads the list row by row. A bad row is an error of its own; the rows behind it are still read.
///
/// ```
/// use concord_connectors::registrations::RegistrationReader;
///
/// let list = "nhs_number,gp_practice,dispensing_flag\n9449304424,H81109,1\n";
/// let mut reader = RegistrationReader::open("list.csv", list.as_bytes())?;
/// let entry = reader.next().transpose()?;
/// assert_eq!(entry.map(|entry| entry.gp_practice).as_deref(), Some("H81109"));
/// # Ok::<(), concord_connectors::rejected::ReadError>(())
/// ```
pub struct RegistrationReader<'source> {
    rows: CsvRows<'source>,
}

impl<'source> RegistrationReader<'source> {
    /// Reads the column names. `file` is the name for errors.
    ///
    /// # Errors
    /// When the source cannot be read or its first line lacks a column.
    pub fn open(file: &str, source: impl BufRead + Send + 'source) -> Result<Self, ReadError> {
        Ok(Self { rows: CsvRows::open(file, source, COLUMNS)? })
    }

    fn entry(&self) -> Result<RegistrationEntry, ReadError> {
        let rows = &self.rows;
        if !nhs_number::is_valid(rows.field(NHS_NUMBER)) {
            return Err(rows.reject(
                NHS_NUMBER,
                "it is not a valid NHS number",
                "give ten digits, the last of which is the check digit",
            ));
        }
        if rows.field(GP_PRACTICE).is_empty() {
            return Err(rows.reject(GP_PRACTICE, "it is empty", "leave out people who are registered nowhere"));
        }
        Ok(RegistrationEntry {
            nhs_number: rows.field(NHS_NUMBER).to_owned(),
            gp_practice: rows.field(GP_PRACTICE).to_owned(),
            dispensing_flag: rows.field(DISPENSING_FLAG).to_owned(),
        })
    }
}

impl Iterator for RegistrationReader<'_> {
    type Item = Result<RegistrationEntry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.advance()?;
        Some(row.and_then(|()| self.entry()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::test_rows::{gzipped, row_error};

    const LIST: &str = "nhs_number,gp_practice,dispensing_flag\n\
                        9449304424,H81109,1\n\
                        9449304425,H81109,0\n\
                        9449305552,,0\n\
                        9449306621,H81109,False\n";

    #[test]
    fn good_rows_are_read_and_bad_ones_are_rejected_one_by_one() {
        for content in [LIST.as_bytes().to_vec(), gzipped(LIST.as_bytes())] {
            let mut read: Vec<_> = RegistrationReader::open("r.csv", content.as_slice()).unwrap().collect();
            assert_eq!(read.len(), 4);
            let last = read.pop().unwrap().unwrap();
            assert_eq!(last.as_registration().nhs_number, "9449306621");
            assert_eq!(last.dispensing_flag, "False");
            assert_eq!(row_error(read.pop().unwrap()).field, "gp_practice");
            let wrong_check_digit = row_error(read.pop().unwrap());
            assert_eq!((wrong_check_digit.line, wrong_check_digit.field.as_str()), (3, "nhs_number"));
            assert!(!wrong_check_digit.to_string().contains("9449304425"));
            assert!(read.pop().unwrap().is_ok());
        }
    }
}
