//! The table of file names: name, processing time, what comes out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::civil::{DateTime, date};

use super::*;

const BOTH: [Profile; 2] = [Profile::Fixed, Profile::Compatible];

fn midnight(text: &str) -> DateTime {
    let date: Date = text.parse().unwrap();
    date.at(0, 0, 0, 0)
}

fn date_of(name: &str, now: DateTime, profile: Profile) -> Result<String, Vec<&'static str>> {
    parse_extract_file_name(name, now, profile).map(|parsed| parsed.extract_date.to_string())
}

#[test]
fn an_accepted_name_gives_practice_cipher_and_date() {
    let name = parse_extract_file_name("A82023_GPR4BRF1.B1A.DAT", midnight("2020-02-01"), Profile::Fixed).unwrap();
    assert_eq!(name.normalised, "A82023_GPR4BRF1.B1A");
    assert_eq!(name.practice, "A82023");
    assert_eq!(name.cipher, "BRF");
    assert_eq!(name.extract_date, date(2020, 2, 1));

    let example = parse_extract_file_name("A12345_GPR4YW01.DJB", midnight("2021-04-20"), Profile::Fixed).unwrap();
    assert_eq!((example.cipher.as_str(), example.extract_date), ("YW0", date(2021, 4, 19)));
}

#[test]
fn letter_case_does_not_matter() {
    for (name, normalised) in
        [("a82023_gpr4brf1.b1b", "A82023_GPR4BRF1.B1B"), ("A82023_gPr4brf1.B1c.dAt", "A82023_GPR4BRF1.B1C")]
    {
        for profile in BOTH {
            let parsed = parse_extract_file_name(name, midnight("2020-02-01"), profile).unwrap();
            assert_eq!(parsed.normalised, normalised);
        }
    }
}

#[test]
fn the_dot_before_the_extension_is_compulsory_in_fixed_only() {
    for name in ["A82023_GPR4BRF1XB1A", "A82023_GPR4BRF1_B1A"] {
        let now = midnight("2020-02-01");
        assert_eq!(date_of(name, now, Profile::Fixed), Err(vec![INVALID_EXTENSION]));
        assert_eq!(date_of(name, now, Profile::Compatible).as_deref(), Ok("2020-02-01"));
    }
}

#[test]
fn malformed_names_are_refused_with_all_their_reasons_in_order() {
    let cases: &[(&str, &[&str])] = &[
        ("A82023_GPR4BRF1.B1A.DAT.DAT", &[TOO_LONG]),
        ("A12023___GPR4BRF1__.B1A", &[TOO_LONG]),
        ("A82023_GPR4LNA1___.C1A", &[TOO_LONG]),
        ("Y123452_GPR4LNA1.EIA", &[TOO_LONG]),
        ("A82023_GPR4BRF1.B1B.d@t", &[TOO_LONG]),
        ("A82023_GPR4BRF1.B1B.tad", &[TOO_LONG]),
        ("A82023_GPR4BRF1.B1B.Daaaat", &[TOO_LONG]),
        ("", &[INVALID_CHARACTERS]),
        ("AZ2023-GPR4BRF1.B1A", &[INVALID_CHARACTERS]),
        ("A82023-GPR4LNA1.C1A", &[INVALID_CHARACTERS]),
        ("A82023_GPR4BRF1.B1É", &[INVALID_CHARACTERS]),
        ("A12023GPR4BRF1.B1A", &[WRONG_FORMAT]),
        ("A82023GPR4LNA1.C1A", &[WRONG_FORMAT]),
        ("A820231GPR4BRF1.B1A", &[WRONG_FORMAT]),
        ("AZ2023_GPR4BRF1.B1A", &[INVALID_PRACTICE]),
        ("AZ2023_GAR4BRF1.CSA.DAT", &[INVALID_PRACTICE, INVALID_DOWNLOAD_NAME]),
        ("AZ2023_GAR4BRF1.ZZZ", &[INVALID_PRACTICE, INVALID_DOWNLOAD_NAME, INVALID_EXTENSION]),
        ("AZ2023_GDR4BRF1.ZZZ", &[INVALID_PRACTICE, INVALID_DOWNLOAD_NAME, INVALID_EXTENSION]),
        ("A82023_GDR4BRF1.B1A", &[INVALID_DOWNLOAD_NAME]),
        ("A82023_GPR4BRF2.B1A", &[INVALID_DOWNLOAD_NAME]),
        ("A82023_GPR4BRF1.B19", &[INVALID_EXTENSION]),
        ("A82023_GPR4BRF1.B11", &[INVALID_EXTENSION]),
        ("A82023_GPR4BRF1.M1A", &[INVALID_EXTENSION]),
        ("A82023_GPR4BRF1.B0A", &[INVALID_EXTENSION]),
        ("A82023_GPR4BRF1.BWA", &[INVALID_EXTENSION]),
        ("XA82023_GPR4BRF1.B1", &[INVALID_PRACTICE, INVALID_EXTENSION]),
        (".DAT", &[INVALID_PRACTICE, INVALID_DOWNLOAD_NAME]),
        ("A", &[INVALID_PRACTICE, INVALID_DOWNLOAD_NAME, INVALID_EXTENSION]),
    ];
    for (name, reasons) in cases {
        for profile in BOTH {
            assert_eq!(date_of(name, midnight("2020-02-01"), profile), Err(reasons.to_vec()), "{name:?} {profile:?}");
        }
    }
}

#[test]
fn the_file_date_must_exist_and_lie_within_the_last_fourteen_days() {
    let cases: &[(&str, &str, Result<&str, &str>)] = &[
        ("A82023_GPR4BRF1.BVA", "2020-02-25", Err(INVALID_DATE)),
        ("A82023_GPR4BRF1.BTA", "2020-02-29", Ok("2020-02-29")),
        ("A82023_GPR4BRF1.BTA", "2021-03-01", Err(INVALID_DATE)),
        ("A82023_GPR4BRF1.C1A", "2020-02-01", Err(FUTURE_DATE)),
        ("A82023_GPR4BRF1.B1A", "2020-02-16", Err(OLD_DATE)),
        ("A82023_GPR4LNA1.C1A", "2021-03-15", Ok("2021-03-01")),
        ("A82023_GPR4LNA1.C1A", "2021-03-16", Err(OLD_DATE)),
        ("A82023_GPR4LNA1.CFA", "2021-03-15", Ok("2021-03-15")),
        ("A82023_GPR4LNA1.LVA", "2020-12-31", Ok("2020-12-31")),
        ("A82023_GPR4BRF1.A1A", "2019-12-31", Err(OLD_DATE)),
        ("A82023_GPR4LNA1.AVA", "2021-12-31", Err(OLD_DATE)),
    ];
    for (name, now, expected) in cases {
        for profile in BOTH {
            let expected = expected.map(str::to_owned).map_err(|reason| vec![reason]);
            assert_eq!(date_of(name, midnight(now), profile), expected, "{name} {now} {profile:?}");
        }
    }
    let last_second = date(2020, 2, 15).at(23, 59, 59, 0);
    for profile in BOTH {
        assert_eq!(date_of("A82023_GPR4BRF1.B1A", last_second, profile).as_deref(), Ok("2020-02-01"));
    }
}

#[test]
fn late_december_seen_from_early_january_is_last_year() {
    let cases: &[(&str, &str, Result<&str, &str>)] = &[
        ("A82023_GPR4BRF1.LIA", "2020-01-01", Ok("2019-12-18")),
        ("A82023_GPR4BRF1.LIA", "2021-01-02", Err(OLD_DATE)),
        ("A82023_GPR4BRF1.LVA", "2020-01-14", Ok("2019-12-31")),
        ("A82023_GPR4LNA1.LVA", "2021-01-14", Ok("2020-12-31")),
        ("A82023_GPR4BRF1.LVA", "2020-01-15", Err(FUTURE_DATE)),
        ("A82023_GPR4LNA1.LVA", "2021-01-15", Err(FUTURE_DATE)),
        ("A82023_GPR4BRF1.AFA", "2021-01-15", Ok("2021-01-15")),
        ("A82023_GPR4BRF1.A1A", "2021-01-15", Ok("2021-01-01")),
    ];
    for (name, now, expected) in cases {
        for profile in BOTH {
            let expected = expected.map(str::to_owned).map_err(|reason| vec![reason]);
            assert_eq!(date_of(name, midnight(now), profile), expected, "{name} {now} {profile:?}");
        }
    }
}

#[test]
fn files_dated_in_early_january_are_accepted_in_fixed_and_refused_with_a_reason_in_compatible() {
    let cases: &[(&str, &str, Result<&str, &str>)] = &[
        ("A82023_GPR4BRF1.A1A", "2021-01-01", Ok("2021-01-01")),
        ("A82023_GPR4BRF1.A5A", "2021-01-14", Ok("2021-01-05")),
        ("A82023_GPR4BRF1.A5A", "2021-01-04", Err(FUTURE_DATE)),
        ("A82023_GPR4BRF1.LHA", "2021-01-01", Err(FUTURE_DATE)),
        ("A82023_GPR4BRF1.KVA", "2021-01-05", Err(INVALID_DATE)),
    ];
    for (name, now, expected) in cases {
        let expected = expected.map(str::to_owned).map_err(|reason| vec![reason]);
        assert_eq!(date_of(name, midnight(now), Profile::Fixed), expected, "{name} {now}");
        assert_eq!(date_of(name, midnight(now), Profile::Compatible), Err(vec![UNDATABLE_IN_JANUARY]));
    }
}

#[test]
fn a_file_made_just_after_midnight_in_summer_is_not_from_the_future_in_fixed() {
    let half_past_midnight_in_london = date(2021, 8, 1).at(23, 30, 0, 0);
    let name = "A82023_GPR4BRF1.H2A";
    assert_eq!(date_of(name, half_past_midnight_in_london, Profile::Fixed).as_deref(), Ok("2021-08-02"));
    assert_eq!(date_of(name, half_past_midnight_in_london, Profile::Compatible), Err(vec![FUTURE_DATE]));
}
