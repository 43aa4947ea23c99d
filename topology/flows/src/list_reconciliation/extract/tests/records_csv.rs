//! The two tables of the offline validator, byte for byte.

use super::super::{InvalidCounts, RECORDS_LINE_END, write_records_header, write_records_row};
use super::*;

const HEADER: &str = "_INVALID_,RECORD_TYPE_1,\"REGISTERED_GP_GMC_NUMBER,REGISTERED_GP_LOCAL_CODE\",\
    TRADING_PARTNER_NHAIS_CIPHER,DATE_OF_DOWNLOAD,TRANS_ID,NHS_NUMBER,SURNAME,FORENAMES,PREV_SURNAME,TITLE,SEX,DOB,\
    ADDRESS_LINE1,ADDRESS_LINE2,RECORD_TYPE_2,ADDRESS_LINE3,ADDRESS_LINE4,ADDRESS_LINE5,POSTCODE,\
    DRUGS_DISPENSED_MARKER,RPP_MILEAGE,BLOCKED_ROUTE_SPECIAL_DISTRICT_MARKER,WALKING_UNITS,RESIDENTIAL_INSTITUTE_CODE";

/// Rows and counts of a file.
fn tables(profile: Profile, text: &str, explained: bool) -> (Vec<String>, InvalidCounts) {
    let mut rows = Vec::new();
    let mut counts = InvalidCounts::default();
    let mut take = |read: super::super::ReadRecord<'_>| {
        let mut row = String::new();
        write_records_row(&mut row, &read, explained);
        rows.push(row);
        counts.add(&read);
    };
    let mut reader = ExtractReader::new(settings(profile));
    reader.push(text.as_bytes(), &mut take);
    let end = reader.finish(&mut take);
    assert_eq!(end.structure_error, None);
    (rows, counts)
}

fn written(counts: &InvalidCounts, profile: Profile) -> String {
    let mut text = String::new();
    counts.write(&mut text, profile);
    text
}

/// The counts' rows but for those of 0; all fields must be there, in the order of the header.
fn counted(counts: &InvalidCounts) -> Vec<String> {
    let text = written(counts, Profile::Fixed);
    let rows: Vec<&str> = text.strip_suffix(RECORDS_LINE_END).unwrap().split(RECORDS_LINE_END).collect();
    assert_eq!(rows[0], "COLUMN,COUNT");
    let columns: Vec<&str> = rows[1..].iter().map(|row| row.rsplit_once(',').unwrap().0).collect();
    assert_eq!(format!("_INVALID_,{}", columns.join(",")), HEADER);
    rows[1..].iter().filter(|row| !row.ends_with(",0")).map(ToString::to_string).collect()
}

#[test]
fn the_header_names_the_reasons_and_the_twenty_four_fields() {
    let mut header = String::new();
    write_records_header(&mut header);
    assert_eq!(header, HEADER);
    assert_eq!(RECORDS_LINE_END, "\r\n");
}

#[test]
fn a_valid_record_has_no_reasons_and_its_values_as_they_were_read() {
    for profile in BOTH {
        let (rows, counts) = tables(profile, &file(&[ROW_1, ROW_2]), true);
        let expected = ",DOW,\"1111111,1234\",LNA,2021-08-09 16:41:00,1557492,9000000009,BARRY,TOMSON,TOMSON,MR,1,\
            2001-01-01,41 STREET GROVE,THE STREET,DOW,BUILDING,LEEDS,WEST YORKSHIRE,LS15 7YB,,3,,,";
        assert_eq!(rows, [expected]);
        assert_eq!((counts.total(), counted(&counts)), (0, vec![]));
    }
}

#[test]
fn an_invalid_record_has_its_fields_and_its_lines_as_reasons() {
    let first = with_field(&with_field(ROW_1, 12, "5"), 3, "LONG");
    let text = file(&[&first, ROW_2]);
    let values = "DOW,\"1111111,1234\",LONG,2021-08-09 16:41:00,1557492,9000000009,BARRY,TOMSON,TOMSON,MR,5,\
        2001-01-01,41 STREET GROVE,THE STREET,DOW,BUILDING,LEEDS,WEST YORKSHIRE,LS15 7YB,,3,,,";
    let (rows, counts) = tables(Profile::Fixed, &text, false);
    assert_eq!(rows, [format!("TRADING_PARTNER_NHAIS_CIPHER | SEX | ON_LINES,{values}")]);
    assert_eq!(counts.total(), 2);
    assert_eq!(counted(&counts), ["TRADING_PARTNER_NHAIS_CIPHER,1", "SEX,1"]);

    let (rows, _) = tables(Profile::Fixed, &text, true);
    let reasons = "TRADING_PARTNER_NHAIS_CIPHER Destination HA Cipher - Must be a valid 3-digit alphanumeric code that \
        matches the GP HA cipher | SEX Sex - Must be 1 for Male, 2 for Female, 0 for Indeterminate/Not Known or 9 for Not \
        Specified. | ON_LINES 2-3";
    assert_eq!(rows, [format!("\"{reasons}\",{values}")]);
}

#[test]
fn a_record_that_is_no_record_has_no_values_and_no_field_to_count() {
    let text = file(&["DOW~1~too~short", "DOW~2~~"]);
    for profile in BOTH {
        let (rows, counts) = tables(profile, &text, false);
        assert_eq!(rows, [format!("INVALID_RECORD | ON_LINES{}", ",".repeat(24))]);
        assert_eq!(counts.total(), 0);
    }
    let (_, counts) = tables(Profile::Compatible, &text, false);
    assert_eq!(written(&counts, Profile::Compatible), "COLUMN,COUNT\r\n");
    assert_eq!(counted(&counts), [""; 0]);
}

/// Valid and invalid records are written from different values: a reader must not see that.
#[test]
fn a_field_reads_the_same_in_valid_and_in_invalid_records() {
    let first = "DOW~1~1111111,1234~LNA~20210809~1641~000~9000000009~O'HARA  É~A,B~PREV~DR~0~19991231~A 1~B 2";
    let second = "DOW~2~C 3~D 4~E 5~E1   1AA~Y~07~B~012~A1";
    for profile in BOTH {
        let valid = with_field(first, 6, "99999999999999999999");
        let (valid, _) = tables(profile, &file(&[&valid, second, "~", "~"]), false);
        let (invalid, _) = tables(profile, &file(&[first, second, "~", "~"]), false);
        let invalid = invalid[0].replace("TRANS_ID | ON_LINES,", ",").replace(",000,", ",99999999999999999999,");
        assert!(valid[0].starts_with(",DOW,"), "it is valid: {}", valid[0]);
        assert_eq!(valid[0], invalid);
    }
}
