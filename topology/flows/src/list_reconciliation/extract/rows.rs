//! The two rows of a patient, cut into named fields.

use super::Profile;

/// The fields of a record in the order of the file, which is also that of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    RecordType1,
    RegisteredGp,
    Cipher,
    /// Date and time are one field to the rules.
    Download,
    TransactionNumber,
    NhsNumber,
    Surname,
    Forenames,
    PreviousSurname,
    Title,
    Sex,
    BirthDate,
    AddressLine1,
    AddressLine2,
    RecordType2,
    AddressLine3,
    AddressLine4,
    AddressLine5,
    Postcode,
    DrugsDispensedMarker,
    RppMileage,
    BlockedRoute,
    WalkingUnits,
    ResidentialInstituteCode,
}

pub(super) const FIELDS: usize = Field::ResidentialInstituteCode as usize + 1;

/// Fields as the file has them; empty ones are empty text.
#[derive(Clone, Copy)]
pub(super) struct RawRecord<'a> {
    values: [&'a str; FIELDS],
    /// `HHMM`; the date is the field `Download`.
    pub(super) download_time: &'a str,
    /// `1` and `2` behind the record types.
    pub(super) row_numbers: [&'a str; 2],
}

impl<'a> RawRecord<'a> {
    pub(super) fn get(&self, field: Field) -> &'a str {
        self.values[field as usize]
    }

    /// `None` when the rows do not have the right number of fields.
    ///
    /// `Fixed` asks 16 of the first row and 11 of the second. `Compatible` asks 27 of both together, so that fields
    /// may move from one row to the other, and needs enough in each to find the date, the time and the row numbers.
    pub(super) fn cut(rows: [&'a str; 2], profile: Profile) -> Option<Self> {
        let mut record = Self { values: [""; FIELDS], download_time: "", row_numbers: [""; 2] };
        let mut values = record.values.iter_mut();

        let mut first_row_fields = 0;
        for value in fields(rows[0]) {
            match first_row_fields {
                1 => record.row_numbers[0] = value,
                5 => record.download_time = value,
                _ => *values.next()? = value,
            }
            first_row_fields += 1;
        }
        let mut second_row_fields = 0;
        for value in fields(rows[1]) {
            match second_row_fields {
                1 => record.row_numbers[1] = value,
                _ => *values.next()? = value,
            }
            second_row_fields += 1;
        }

        let complete = match profile {
            Profile::Fixed => first_row_fields == 16 && second_row_fields == 11,
            Profile::Compatible => first_row_fields >= 6 && second_row_fields >= 2 && values.next().is_none(),
        };
        complete.then_some(record)
    }
}

fn fields(row: &str) -> impl Iterator<Item = &str> {
    row.split('~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: usize) -> String {
        vec!["X"; fields].join("~")
    }

    fn is_cut(first: usize, second: usize, profile: Profile) -> bool {
        RawRecord::cut([&row(first), &row(second)], profile).is_some()
    }

    #[test]
    fn fixed_counts_the_fields_of_each_row() {
        assert!(is_cut(16, 11, Profile::Fixed));
        for (first, second) in [(15, 12), (17, 10), (16, 10), (16, 12), (15, 11), (1, 1), (27, 0), (400, 400)] {
            assert!(!is_cut(first, second, Profile::Fixed), "{first} {second}");
        }
    }

    #[test]
    fn compatible_counts_the_fields_of_both_rows_together() {
        for (first, second) in [(16, 11), (15, 12), (17, 10), (6, 21), (25, 2)] {
            assert!(is_cut(first, second, Profile::Compatible), "{first} {second}");
        }
        for (first, second) in [(16, 10), (16, 12), (15, 11), (5, 22), (26, 1), (1, 1), (400, 400)] {
            assert!(!is_cut(first, second, Profile::Compatible), "{first} {second}");
        }
    }

    #[test]
    fn fields_that_moved_to_the_other_row_are_named_by_their_order_in_compatible() {
        let first = "DOW~1~GP~LNA~20210809~1641~7~NHS~SUR~FORE~PREV~MR~1~20010101~HOUSE";
        let second = "DOW~2~TYPE~LOCALITY~TOWN~COUNTY~POST~Y~3~B~6~A1";
        let record = RawRecord::cut([first, second], Profile::Compatible).expect("27 fields");
        assert_eq!(record.get(Field::AddressLine1), "HOUSE");
        assert_eq!(record.get(Field::AddressLine2), "DOW");
        assert_eq!(record.get(Field::RecordType2), "TYPE");
        assert_eq!(record.get(Field::ResidentialInstituteCode), "A1");
        assert_eq!((record.get(Field::Download), record.download_time), ("20210809", "1641"));
        assert_eq!(record.row_numbers, ["1", "2"]);
    }
}
