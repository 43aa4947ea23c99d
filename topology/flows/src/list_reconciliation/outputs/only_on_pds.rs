//! OnlyOnPDS: people whom PDS registers at the practice and who are not in its file.

use concord_schemas::list_reconciliation::PdsRecord;

use super::csv_row::CsvRow;

/// First line of the file.
pub const ONLY_ON_PDS_HEADER: &str =
    "SURNAME,FORENAMES,DOB,NHS NO.,ADD 1,ADD 2,ADD 3,ADD 4,ADD 5,POSTCODE,TITLE,SEX,DATE ACCEPT.";

const ADDRESS_LINES: usize = 5;

/// Appends a person's row. Address lines behind the fifth are not shown.
pub fn write_only_on_pds_row(out: &mut String, pds: &PdsRecord<'_>) {
    let mut row = CsvRow::start(out);
    row.field(pds.surname);
    row.joined(&pds.forenames, " ");
    row.field(pds.date_of_birth);
    row.field(pds.nhs_number);
    for line in 0..ADDRESS_LINES {
        row.field(pds.address.get(line).copied().unwrap_or_default());
    }
    row.field(pds.postcode);
    row.joined(&pds.titles, ", ");
    row.field(pds.gender);
    row.field(day_of(pds.gp_registered_date));
}

/// The day of a FHIR date or time: the column is a date.
fn day_of(start: &str) -> &str {
    start.split_once('T').map_or(start, |(day, _)| day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list_reconciliation::outputs::fixtures;

    fn row(pds: &PdsRecord<'_>) -> String {
        let mut out = String::new();
        write_only_on_pds_row(&mut out, pds);
        out
    }

    #[test]
    fn all_columns_are_what_pds_holds() {
        assert_eq!(
            row(&fixtures::pds()),
            "Wren,Anna Béa,1980-02-28,9990000018,1 Oak Lane,Elmton,,,,AB1 2CD,\"Dr, Prof\",female,2019-04-01"
        );
    }

    #[test]
    fn a_sixth_address_line_is_left_out() {
        let pds = PdsRecord { address: vec!["1", "2", "3", "4", "5", "6"], ..PdsRecord::default() };
        assert_eq!(row(&pds), ",,,,1,2,3,4,5,,,,");
    }

    #[test]
    fn the_date_of_acceptance_is_a_date_even_when_pds_gives_a_time() {
        let pds = PdsRecord { gp_registered_date: "2020-01-01T08:00:00+00:00", ..PdsRecord::default() };
        assert!(row(&pds).ends_with(",2020-01-01"));
    }
}
