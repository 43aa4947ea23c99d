//! Reader of the PDS test pack: people as CSV, plain or gzip, one row each.

use std::io::BufRead;

use concord_schemas::nhs_number;

use super::record::{PdsChange, PdsEntry, PdsRecordOwned};
use crate::csv_rows::CsvRows;
use crate::rejected::ReadError;

/// The columns that are read; the pack has more, which are skipped.
const COLUMNS: &[&str] = &[
    "NHS_NUMBER",
    "DATE_OF_BIRTH",
    "FAMILY_NAME",
    "GIVEN_NAME",
    "OTHER_GIVEN_NAME",
    "TITLE",
    "GENDER",
    "ADDRESS_LINE_1",
    "ADDRESS_LINE_2",
    "ADDRESS_LINE_3",
    "ADDRESS_LINE_4",
    "ADDRESS_LINE_5",
    "POST_CODE",
    "SENSITIVE_FLAG",
    "PRIMARY_CARE_CODE",
];
/// Files that were made without it are read as ever.
const OPTIONAL_COLUMN: &str = "DATE_OF_DEATH";
const NHS_NUMBER: usize = 0;
const DATE_OF_BIRTH: usize = 1;
const FAMILY_NAME: usize = 2;
const GIVEN_NAMES: [usize; 2] = [3, 4];
const TITLE: usize = 5;
const GENDER: usize = 6;
const ADDRESS_LINES: [usize; 5] = [7, 8, 9, 10, 11];
const POST_CODE: usize = 12;
const SENSITIVE_FLAG: usize = 13;
const PRIMARY_CARE_CODE: usize = 14;
const DATE_OF_DEATH: usize = 15;

/// Reads the pack row by row. A bad row is an error of its own; the rows behind it are still read.
///
/// What PDS would withhold of sensitive people is withheld here: of `R` practice and address, of `V` all but the gender
/// `unknown`, of `REDACTED` everything. The pack has neither serial change numbers nor starts of registration: both are empty.
pub struct TestPackReader<'source> {
    rows: CsvRows<'source>,
}

impl<'source> TestPackReader<'source> {
    /// Reads the column names. `file` is the name for errors.
    ///
    /// # Errors
    /// When the source cannot be read or its first line lacks a column.
    pub fn open(file: &str, source: impl BufRead + Send + 'source) -> Result<Self, ReadError> {
        Ok(Self { rows: CsvRows::open(file, source, COLUMNS)?.with_optional(OPTIONAL_COLUMN) })
    }

    fn entry(&self) -> Result<PdsEntry, ReadError> {
        let rows = &self.rows;
        let nhs_number = rows.field(NHS_NUMBER);
        if !nhs_number::is_valid(nhs_number) {
            return Err(rows.reject(
                NHS_NUMBER,
                "it is not a valid NHS number",
                "give ten digits, the last of which is the check digit",
            ));
        }
        let whole = PdsRecordOwned {
            nhs_number: nhs_number.to_owned(),
            version: String::new(),
            sensitivity: rows.field(SENSITIVE_FLAG).to_owned(),
            surname: rows.field(FAMILY_NAME).to_owned(),
            forenames: self.present(&GIVEN_NAMES),
            titles: self.present(&[TITLE]),
            gender: self.gender()?.to_owned(),
            date_of_birth: self.date_of_birth()?,
            address: self.present(&ADDRESS_LINES),
            postcode: rows.field(POST_CODE).to_owned(),
            gp_practice: rows.field(PRIMARY_CARE_CODE).to_owned(),
            gp_registered_date: String::new(),
            // No rule compares it, so whatever form it has costs nobody the record.
            date_of_death: iso_date(rows.field(DATE_OF_DEATH)).unwrap_or_else(|| rows.field(DATE_OF_DEATH).to_owned()),
        };
        let shown = self.as_shown(whole)?;
        Ok(PdsEntry { nhs_number: nhs_number.to_owned(), change: PdsChange::Upsert(Box::new(shown)) })
    }

    fn gender(&self) -> Result<&'static str, ReadError> {
        match self.rows.field(GENDER).to_ascii_lowercase().as_str() {
            "" => Ok(""),
            "male" => Ok("male"),
            "female" => Ok("female"),
            "not known" => Ok("unknown"),
            "indeterminate" => Ok("other"),
            _ => Err(self.rows.reject(
                GENDER,
                "it is not a gender of the pack",
                "use Male, Female, Not known or Indeterminate",
            )),
        }
    }

    fn date_of_birth(&self) -> Result<String, ReadError> {
        iso_date(self.rows.field(DATE_OF_BIRTH)).ok_or_else(|| {
            self.rows.reject(
                DATE_OF_BIRTH,
                "it is not a date",
                "write YYYYMMDD, or YYYYMM or YYYY when no more is known",
            )
        })
    }

    fn present(&self, columns: &[usize]) -> Vec<String> {
        let fields = columns.iter().map(|&column| self.rows.field(column));
        fields.filter(|field| !field.is_empty()).map(str::to_owned).collect()
    }

    fn as_shown(&self, whole: PdsRecordOwned) -> Result<PdsRecordOwned, ReadError> {
        match whole.sensitivity.as_str() {
            "U" => Ok(whole),
            "R" => {
                Ok(PdsRecordOwned { address: Vec::new(), postcode: String::new(), gp_practice: String::new(), ..whole })
            }
            "V" => Ok(PdsRecordOwned {
                nhs_number: whole.nhs_number,
                sensitivity: whole.sensitivity,
                gender: "unknown".to_owned(),
                ..PdsRecordOwned::default()
            }),
            "REDACTED" => Ok(PdsRecordOwned::redacted(&whole.nhs_number)),
            // Showing a person whose marker is not understood could do harm.
            _ => Err(self.rows.reject(SENSITIVE_FLAG, "it is not a marker of the pack", "use U, R, V or REDACTED")),
        }
    }
}

impl Iterator for TestPackReader<'_> {
    type Item = Result<PdsEntry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.advance()?;
        Some(row.and_then(|()| self.entry()))
    }
}

/// `YYYYMMDD`, perhaps with a time behind it, or only `YYYYMM` or `YYYY`, as an ISO date.
fn iso_date(digits: &str) -> Option<String> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match digits.len() {
        0 | 4 => Some(digits.to_owned()),
        6 => Some(format!("{}-{}", &digits[..4], &digits[4..])),
        8 | 10 | 12 | 14 => Some(format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..8])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::{BTreeMap, HashSet};

    use super::*;
    use crate::test_rows::row_error;

    const HEADER: &str = "NHS_NUMBER,DATE_OF_BIRTH,DATE_OF_DEATH,FAMILY_NAME,GIVEN_NAME,OTHER_GIVEN_NAME,TITLE,GENDER,\
                          ADDRESS_LINE_1,ADDRESS_LINE_2,ADDRESS_LINE_3,ADDRESS_LINE_4,ADDRESS_LINE_5,PAF_KEY,SENSITIVE_FLAG,\
                          PRIMARY_CARE_CODE,REF_ID,POST_CODE,Notes";

    fn read(row: &str) -> Result<PdsEntry, ReadError> {
        let content = format!("{HEADER}\n{row}\n");
        let mut reader = TestPackReader::open("pack.csv", content.as_bytes()).unwrap();
        let entry = reader.next().unwrap();
        assert!(reader.next().is_none());
        entry
    }

    fn record(row: &str) -> PdsRecordOwned {
        match read(row).unwrap().change {
            PdsChange::Upsert(record) => *record,
            PdsChange::NotFound => panic!("not a record"),
        }
    }

    fn person(date_of_birth: &str, gender: &str, marker: &str) -> String {
        format!(
            "9000000009,{date_of_birth},,WREN,Anna,Béa,DR,{gender},,1 OAK LANE,,ELMTON,,1,{marker},Y12345,,AB1 2CD,"
        )
    }

    #[test]
    fn a_row_becomes_a_record_of_its_present_parts() {
        let record = record(&person("19800229", "Female", "U"));
        assert_eq!(record.forenames, ["Anna", "Béa"]);
        assert_eq!(record.titles, ["DR"]);
        assert_eq!(record.address, ["1 OAK LANE", "ELMTON"]);
        assert_eq!((record.gender.as_str(), record.date_of_birth.as_str()), ("female", "1980-02-29"));
        assert_eq!((record.postcode.as_str(), record.gp_practice.as_str()), ("AB1 2CD", "Y12345"));
    }

    #[test]
    fn birth_dates_may_carry_a_time_or_be_partial() {
        for (given, expected) in [
            ("2014051200", "2014-05-12"),
            ("201405121530", "2014-05-12"),
            ("201405", "2014-05"),
            ("2014", "2014"),
            ("", ""),
        ] {
            assert_eq!(record(&person(given, "Male", "U")).date_of_birth, expected, "{given}");
        }
        for bad in ["2014-05-12", "20140", "ABCDEFGH"] {
            assert_eq!(row_error(read(&person(bad, "Male", "U"))).field, "DATE_OF_BIRTH", "{bad}");
        }
    }

    #[test]
    fn a_date_of_death_is_kept_in_whatever_form_and_a_file_without_the_column_is_read_as_ever() {
        let died = person("1980", "Male", "U").replace(",1980,,", ",1980,201206121010,");
        assert_eq!(record(&died).date_of_death, "2012-06-12");
        assert_eq!(record(&died.replace("201206121010", "June")).date_of_death, "June");
        assert_eq!(record(&person("1980", "Male", "U")).date_of_death, "");
        let column_left_out = |line: &str| {
            let fields: Vec<&str> =
                line.split(',').enumerate().filter(|(n, _)| *n != 2).map(|(_, field)| field).collect();
            fields.join(",")
        };
        let content = format!("{}\n{}\n", column_left_out(HEADER), column_left_out(&died));
        let mut reader = TestPackReader::open("pack.csv", content.as_bytes()).unwrap();
        let PdsChange::Upsert(record) = reader.next().unwrap().unwrap().change else { panic!("not a record") };
        assert_eq!((record.date_of_death.as_str(), record.surname.as_str()), ("", "WREN"));
    }

    #[test]
    fn the_words_for_gender_become_those_of_fhir() {
        for (word, expected) in
            [("Male", "male"), ("Female", "female"), ("Not known", "unknown"), ("Indeterminate", "other"), ("", "")]
        {
            assert_eq!(record(&person("1980", word, "U")).gender, expected, "{word}");
        }
        assert_eq!(row_error(read(&person("1980", "M", "U"))).field, "GENDER");
    }

    #[test]
    fn of_sensitive_people_only_what_pds_shows_is_kept() {
        let restricted = record(&person("1980", "Male", "R"));
        assert_eq!(restricted.surname, "WREN");
        assert!(restricted.address.is_empty() && restricted.postcode.is_empty() && restricted.gp_practice.is_empty());

        let very_restricted = PdsRecordOwned {
            nhs_number: "9000000009".to_owned(),
            sensitivity: "V".to_owned(),
            gender: "unknown".to_owned(),
            ..PdsRecordOwned::default()
        };
        assert_eq!(record(&person("1980", "Male", "V")), very_restricted);
        assert_eq!(record(&person("1980", "Male", "REDACTED")), PdsRecordOwned::redacted("9000000009"));
        for unknown in ["", "S"] {
            assert_eq!(row_error(read(&person("1980", "Male", unknown))).field, "SENSITIVE_FLAG");
        }
    }

    #[test]
    fn a_wrong_check_digit_is_rejected() {
        let row = person("1980", "Male", "U").replace("9000000009", "9000000008");
        assert_eq!(row_error(read(&row)).field, "NHS_NUMBER");
    }

    #[test]
    fn the_whole_pack_is_read_without_a_rejection() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/list-reconciliation/pds-test-pack.csv");
        let Ok(content) = std::fs::read(path) else {
            eprintln!("SKIPPED: the_whole_pack_is_read_without_a_rejection: {path} is absent");
            return;
        };
        let mut numbers = HashSet::new();
        let mut markers: BTreeMap<String, u32> = BTreeMap::new();
        for entry in TestPackReader::open("pds-test-pack.csv", content.as_slice()).unwrap() {
            let entry = entry.unwrap();
            let PdsChange::Upsert(record) = entry.change else { panic!("not a record") };
            numbers.insert(entry.nhs_number);
            *markers.entry(record.sensitivity).or_default() += 1;
        }
        assert_eq!(numbers.len(), 690);
        let markers: Vec<(&str, u32)> = markers.iter().map(|(marker, &count)| (marker.as_str(), count)).collect();
        assert_eq!(markers, [("R", 3), ("REDACTED", 8), ("U", 667), ("V", 12)]);
    }
}
