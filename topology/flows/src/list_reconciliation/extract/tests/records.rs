//! Verdicts on records: every rule through the reader, the failure log, and where the profiles part.

use super::*;

/// Reads one record.
fn judge_at(profile: Profile, now: DateTime, first: &str, second: &str) -> Seen {
    // A row of trailing separators proves that the second row is data also in Compatible.
    let text = file(&[first, second, "~", "~"]);
    let (seen, _) = read_chunks(ReaderSettings { now, ..settings(profile) }, [text.as_bytes()]);
    seen.into_iter().next().unwrap()
}

fn judge(profile: Profile, first: &str, second: &str) -> Seen {
    judge_at(profile, processing_time(), first, second)
}

fn message(profile: Profile, first: &str, second: &str) -> (Vec<String>, String) {
    let seen = judge(profile, first, second);
    let log = seen.record.as_ref().unwrap_err();
    let invalid = log["_INVALID_"].as_object().unwrap();
    let keys: Vec<String> = invalid.keys().cloned().collect();
    let message = invalid[&keys[0]].as_str().unwrap().to_owned();
    (keys, message)
}

#[test]
fn each_rule_has_its_key_and_message() {
    let address = "Address Lines - Must contain only uppercase alphabetic characters and space, apostrophe, hyphen, comma or full-stop. Max length 35.";
    let cases: &[(usize, usize, &str, &str, &str)] = &[
        (1, 0, "DOWNLOAD", "RECORD_TYPE_1", "Transaction/Record Type - Row 1 of record must be 'DOW~1'."),
        (2, 0, "dow", "RECORD_TYPE_2", "Transaction/Record Type - Row 2 of record must be 'DOW~2'."),
        (
            1,
            2,
            "123,1",
            "REGISTERED_GP_GMC_NUMBER,REGISTERED_GP_LOCAL_CODE",
            "GP Code - Must be a valid 7-digit numeric GMC National GP code and 1-6-digit alphanumeric Local GP code separated by a comma.",
        ),
        (
            1,
            3,
            "LA0",
            "TRADING_PARTNER_NHAIS_CIPHER",
            "Destination HA Cipher - Must be a valid 3-digit alphanumeric code that matches the GP HA cipher",
        ),
        (
            1,
            4,
            "20210700",
            "DATE_OF_DOWNLOAD",
            "Transaction/Record Date and Time - Must be a valid transmission date and timestamp, in the format YYYMMDDHHMM, which is less than 14 days old and not in the future.",
        ),
        (1, 6, "01", "TRANS_ID", "Transaction/Record Number - Must be a unique, not-null integer greater than 0."),
        (1, 7, "12 3", "NHS_NUMBER", "NHS Number - Must be a valid NHS number. Max length 10."),
        (
            1,
            8,
            "Smith",
            "SURNAME",
            "Surname - must contain only uppercase alphabetic characters and space, apostrophe or hyphen. Max length 35.",
        ),
        (
            1,
            9,
            "Tom",
            "FORENAMES",
            "Forename - must contain only uppercase alphabetic characters and space, apostrophe, hyphen, comma or full-stop. Max length 35.",
        ),
        (
            1,
            10,
            "Smith",
            "PREV_SURNAME",
            "Previous Surname - must contain only uppercase alphabetic characters and space, apostrophe or hyphen. Max length 35.",
        ),
        (
            1,
            11,
            "Mr",
            "TITLE",
            "Title - must contain only uppercase alphabetic characters and space, apostrophe or hyphen. Max length 35.",
        ),
        (
            1,
            12,
            "3",
            "SEX",
            "Sex - Must be 1 for Male, 2 for Female, 0 for Indeterminate/Not Known or 9 for Not Specified.",
        ),
        (1, 13, "25", "DOB", "Date of Birth - Must be a date in the past, and in the format YYYYMMDD."),
        (1, 14, "A/B", "ADDRESS_LINE1", address),
        (1, 15, "A/B", "ADDRESS_LINE2", address),
        (2, 2, "A/B", "ADDRESS_LINE3", address),
        (2, 3, "A/B", "ADDRESS_LINE4", address),
        (2, 4, "A/B", "ADDRESS_LINE5", address),
        (
            2,
            5,
            "LS15",
            "POSTCODE",
            "Postcode - Must be 8 characters and in one of the following formats: AN   NAA, ANN  NAA, AAN  NAA, AANN NAA, ANA  NAA, AANA NAA.",
        ),
        (2, 6, "N", "DRUGS_DISPENSED_MARKER", "Drug Dispensed Marker - Must be 'Y' or blank."),
        (
            2,
            10,
            "A",
            "RESIDENTIAL_INSTITUTE_CODE",
            "Residential Institute Code - Must be a 2-character string and valid code for the patients Health Authority.",
        ),
    ];
    for (row, position, value, key, expected) in cases {
        let (first, second) = match row {
            1 => (with_field(ROW_1, *position, value), ROW_2.to_owned()),
            _ => (ROW_1.to_owned(), with_field(ROW_2, *position, value)),
        };
        for profile in BOTH {
            let (keys, message) = message(profile, &first, &second);
            assert_eq!(keys, [*key, "ON_LINES"]);
            assert_eq!(message, *expected);
        }
    }
}

#[test]
fn optional_fields_may_be_empty_and_required_ones_may_not() {
    let first = "DOW~1~1111111,1234~LNA~20210809~1641~1~~~~~~~~~";
    let second = "DOW~2~~~~~~~~~";
    for profile in BOTH {
        assert_eq!(judge(profile, first, second).broken(), Vec::<&str>::new());
        let seen = judge(profile, "~~~~~~~~~~~~~~~", "~~~~~~~~~~");
        assert_eq!(
            seen.broken(),
            [
                "RECORD_TYPE_1",
                "REGISTERED_GP_GMC_NUMBER,REGISTERED_GP_LOCAL_CODE",
                "TRADING_PARTNER_NHAIS_CIPHER",
                "DATE_OF_DOWNLOAD",
                "TRANS_ID",
                "RECORD_TYPE_2",
                "ON_LINES"
            ]
        );
    }
}

#[test]
fn mileage_blocked_route_and_walking_units_never_make_a_record_invalid() {
    let second = "DOW~2~~~~~~3%~X~4~";
    for profile in BOTH {
        let seen = judge(profile, ROW_1, second);
        let record = seen.record.unwrap();
        for empty in ["rpp_mileage: None", "blocked_route_special_district_marker: None", "walking_units: None"] {
            assert!(record.contains(empty), "{record}");
        }
        let filled = judge(profile, ROW_1, "DOW~2~~~~~Y~+5~S~003~A1").record.unwrap();
        for value in [
            "rpp_mileage: Some(5)",
            r#"marker: Some("S")"#,
            "walking_units: Some(3)",
            r#"code: Some("A1")"#,
            r#"drugs_dispensed_marker: Some("Y")"#,
        ] {
            assert!(filled.contains(value), "{filled}");
        }
    }
}

#[test]
fn the_failure_log_has_all_fields_in_order_then_the_broken_rules() {
    let first = with_field(&with_field(ROW_1, 8, "Barry"), 10, "");
    let second = "DOW~2~BUILDING~LEEDS~~LS15 7YB~~3~b~9~";
    for profile in BOTH {
        let log = judge(profile, &first, second).record.unwrap_err();
        let expected = r#"{"RECORD_TYPE_1":"DOW",
            "REGISTERED_GP_GMC_NUMBER,REGISTERED_GP_LOCAL_CODE":"1111111,1234",
            "TRADING_PARTNER_NHAIS_CIPHER":"LNA",
            "DATE_OF_DOWNLOAD":"2021-08-09 16:41:00",
            "TRANS_ID":1557492,
            "NHS_NUMBER":"9000000009",
            "SURNAME":"Barry",
            "FORENAMES":"TOMSON",
            "PREV_SURNAME":null,
            "TITLE":"MR",
            "SEX":1,
            "DOB":"2001-01-01",
            "ADDRESS_LINE1":"41 STREET GROVE",
            "ADDRESS_LINE2":"THE STREET",
            "RECORD_TYPE_2":"DOW",
            "ADDRESS_LINE3":"BUILDING",
            "ADDRESS_LINE4":"LEEDS",
            "ADDRESS_LINE5":null,
            "POSTCODE":"LS15 7YB",
            "DRUGS_DISPENSED_MARKER":null,
            "RPP_MILEAGE":3,
            "BLOCKED_ROUTE_SPECIAL_DISTRICT_MARKER":null,
            "WALKING_UNITS":9,
            "RESIDENTIAL_INSTITUTE_CODE":null,
            "_INVALID_":{
                "SURNAME":"Surname - must contain only uppercase alphabetic characters and space, apostrophe or hyphen. Max length 35.",
                "ON_LINES":"2-3"}}"#;
        let expected: Map<String, Value> = serde_json::from_str(expected).unwrap();
        assert_eq!(serde_json::to_string(&log).unwrap(), serde_json::to_string(&expected).unwrap());
    }
}

#[test]
fn values_that_cannot_be_read_stay_raw_in_the_failure_log() {
    let cases: &[(usize, &str, &str, Value)] = &[
        (0, "NOT", "RECORD_TYPE_1", Value::Null),
        (4, "2021080", "DATE_OF_DOWNLOAD", "20210801641".into()),
        (4, "20210709", "DATE_OF_DOWNLOAD", "2021-07-09 16:41:00".into()),
        (6, "0123", "TRANS_ID", "0123".into()),
        (6, "", "TRANS_ID", Value::Null),
        (12, "01", "SEX", "01".into()),
        (13, "20200230", "DOB", "20200230".into()),
        (13, "21500105", "DOB", "2150-01-05".into()),
    ];
    for (position, value, key, logged) in cases {
        for profile in BOTH {
            let log = judge(profile, &with_field(ROW_1, *position, value), ROW_2).record.unwrap_err();
            assert_eq!(log[*key], *logged, "{key} {value:?}");
        }
    }
}

#[test]
fn the_same_transaction_number_again_is_invalid_each_time_but_the_first() {
    let short_of_fields = "DOW~1~1111111,1234~LNA~20210809~1641~7";
    for profile in BOTH {
        let (seen, _) = read(
            profile,
            file(&[
                short_of_fields,
                ROW_2,
                &row_1("7"),
                ROW_2,
                &with_field(&row_1("8"), 8, "Smith"),
                ROW_2,
                &row_1("7"),
                ROW_2,
                &row_1("8"),
                ROW_2,
                &row_1("123456789012345678901234567890"),
                ROW_2,
                &row_1("123456789012345678901234567890"),
                ROW_2,
            ]),
        );
        let broken: Vec<_> = seen.iter().map(|seen| seen.broken().first().copied().unwrap_or("none")).collect();
        assert_eq!(broken, ["INVALID_RECORD", "none", "SURNAME", "TRANS_ID", "TRANS_ID", "none", "TRANS_ID"]);
        assert_eq!(seen[3].record.as_ref().unwrap_err()["TRANS_ID"], 7);
        assert_eq!(seen[6].record.as_ref().unwrap_err()["TRANS_ID"], "123456789012345678901234567890");
        assert_eq!(seen[6].record.as_ref().unwrap_err()["_INVALID_"]["ON_LINES"], "14-15");
    }
}

#[test]
fn short_and_long_rows_are_invalid_and_the_rest_of_the_file_is_read() {
    for profile in BOTH {
        let (seen, end) = read(profile, file(&["DOW~1", ROW_2, &format!("{ROW_1}~~"), ROW_2, ROW_1, ROW_2]));
        assert_eq!((end.structure_error, end.records, end.invalid_records), (None, 3, 2));
        assert_eq!(seen[0].broken(), ["INVALID_RECORD", "ON_LINES"]);
        assert_eq!(seen[1].broken(), ["INVALID_RECORD", "ON_LINES"]);
        assert!(seen[2].record.is_ok());
    }
}

#[test]
fn a_field_that_moved_to_the_other_row_is_a_wrong_count_in_fixed_and_shifts_columns_in_compatible() {
    let first = ROW_1.strip_suffix("~THE STREET").unwrap();
    let second = format!("{ROW_2}~");
    assert_eq!(judge(Profile::Fixed, first, &second).broken(), ["INVALID_RECORD", "ON_LINES"]);
    let broken = judge(Profile::Compatible, first, &second);
    assert_eq!(broken.broken(), ["RECORD_TYPE_2", "DRUGS_DISPENSED_MARKER", "ON_LINES"]);
}

#[test]
fn row_numbers_are_checked_in_fixed_only() {
    for (first, second, key) in [
        (with_field(ROW_1, 1, "2"), ROW_2.to_owned(), "RECORD_TYPE_1"),
        (ROW_1.to_owned(), with_field(ROW_2, 1, ""), "RECORD_TYPE_2"),
    ] {
        assert_eq!(judge(Profile::Fixed, &first, &second).broken(), [key, "ON_LINES"]);
        assert!(judge(Profile::Compatible, &first, &second).record.is_ok());
    }
}

#[test]
fn the_extraction_must_lie_within_the_last_fourteen_days() {
    let winter = |text: &str| with_field(&with_field(ROW_1, 4, &text[..8]), 5, &text[8..]);
    let now = date(2012, 12, 20).at(1, 1, 0, 0);
    for profile in BOTH {
        for (minute, is_valid) in [
            ("201212060101", true),
            ("201212200101", true),
            ("201212060100", false),
            ("201212200102", false),
            ("201312060101", false),
            ("000000000000", false),
            ("201212061360", false),
            ("2012120601", false),
        ] {
            assert_eq!(judge_at(profile, now, &winter(minute), ROW_2).record.is_ok(), is_valid, "{minute} {profile:?}");
        }
        let a_second_later = date(2012, 12, 20).at(1, 1, 1, 0);
        assert!(judge_at(profile, a_second_later, &winter("201212060101"), ROW_2).record.is_err());
    }
}

#[test]
fn the_extraction_is_uk_time_in_fixed_and_taken_for_utc_in_compatible() {
    let at = |text: &str| with_field(&with_field(ROW_1, 4, &text[..8]), 5, &text[8..]);
    let noon_in_summer = date(2021, 8, 10).at(12, 0, 0, 0);
    // Local time is 13:00.
    for (minute, fixed, compatible) in [
        ("202108101200", true, true),
        ("202108101300", true, false),
        ("202108101301", false, false),
        ("202107271300", true, true),
        ("202107271200", false, true),
    ] {
        let first = at(minute);
        let verdict = |profile| judge_at(profile, noon_in_summer, &first, ROW_2).record.is_ok();
        assert_eq!((verdict(Profile::Fixed), verdict(Profile::Compatible)), (fixed, compatible), "{minute}");
    }
}

#[test]
fn an_hour_that_happens_twice_counts_if_either_is_past() {
    let first = with_field(&with_field(ROW_1, 4, "20211031"), 5, "0130");
    // 01:30 was 00:30 UTC before the clocks went back and 01:30 UTC after.
    for (now, is_valid) in [(date(2021, 10, 31).at(0, 29, 0, 0), false), (date(2021, 10, 31).at(0, 30, 0, 0), true)] {
        assert_eq!(judge_at(Profile::Fixed, now, &first, ROW_2).record.is_ok(), is_valid, "{now}");
    }
}

#[test]
fn a_date_and_a_time_cut_at_the_wrong_place_are_accepted_in_compatible_only() {
    let first = with_field(&with_field(ROW_1, 4, "2021080916"), 5, "41");
    assert_eq!(judge(Profile::Fixed, &first, ROW_2).broken(), ["DATE_OF_DOWNLOAD", "ON_LINES"]);
    assert!(judge(Profile::Compatible, &first, ROW_2).record.is_ok());
}

#[test]
fn nobody_is_born_tomorrow() {
    for profile in BOTH {
        for (birth_date, is_valid) in [("20210810", true), ("20210811", false), ("00010101", true)] {
            let seen = judge(profile, &with_field(ROW_1, 13, birth_date), ROW_2);
            assert_eq!(seen.record.is_ok(), is_valid, "{birth_date}");
        }
    }
}

#[test]
fn a_child_born_today_just_after_midnight_in_summer_is_born_in_fixed() {
    let now = date(2021, 8, 10).at(23, 30, 0, 0);
    let first = with_field(ROW_1, 13, "20210811");
    assert!(judge_at(Profile::Fixed, now, &first, ROW_2).record.is_ok());
    assert!(judge_at(Profile::Compatible, now, &first, ROW_2).record.is_err());
}

#[test]
fn an_invalid_record_shows_no_patient_in_its_debug_form() {
    let mut shown = String::new();
    let mut reader = ExtractReader::new(settings(Profile::Fixed));
    let mut see = |read: crate::list_reconciliation::extract::ReadRecord<'_>| shown = format!("{read:?}");
    reader.push(file(&[&with_field(ROW_1, 8, "Barry"), ROW_2]).as_bytes(), &mut see);
    reader.finish(&mut see);
    assert!(shown.contains("SURNAME"), "{shown}");
    for private in ["Barry", "9000000009", "GROVE"] {
        assert!(!shown.contains(private), "{shown}");
    }
}

#[test]
fn an_invalid_record_keeps_its_rows_as_received() {
    let first = with_field(ROW_1, 8, "Barry");
    let mut rows = Vec::new();
    let mut reader = ExtractReader::new(settings(Profile::Fixed));
    let mut see = |read: crate::list_reconciliation::extract::ReadRecord<'_>| {
        rows.extend(read.record.unwrap_err().rows.map(str::to_owned));
    };
    reader.push(file(&[&first, ROW_2]).as_bytes(), &mut see);
    reader.finish(&mut see);
    assert_eq!(rows, [first.as_str(), ROW_2]);
}
