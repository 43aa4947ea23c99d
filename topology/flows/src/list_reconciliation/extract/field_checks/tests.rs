//! Each rule with the values it accepts and refuses. Empty fields never reach these checks.

use super::*;

fn check(name: &str, accepts: fn(&str) -> bool, accepted: &[&str], refused: &[&str]) {
    for text in accepted {
        assert!(accepts(text), "{name} should accept {text:?}");
    }
    for text in refused {
        assert!(!accepts(text), "{name} should refuse {text:?}");
    }
}

#[test]
fn a_registered_gp_is_seven_digits_a_comma_and_a_local_code() {
    check(
        "registered GP",
        is_registered_gp,
        &["1234567,123ABC", "1234567,1", "1234567,A", "0000000,0"],
        &[
            "1234567.123ABC",
            "123456723ABC",
            "1234567,1234567",
            "1234567,",
            "123456,123456",
            "123456B,123456",
            "1234567,abc",
            "1234567,1,2",
            " ",
        ],
    );
}

#[test]
fn a_cipher_is_three_capitals_or_digits() {
    check("cipher", is_cipher, &["LA0", "111", "AAA"], &["A", "LA0A", "la0", "L 0", "LÀ"]);
}

#[test]
fn an_nhs_number_is_up_to_fifteen_characters_of_its_old_and_new_forms() {
    check(
        "NHS number",
        is_nhs_number,
        &["1234567890", "1234567881", "123456789", "ABC", "A/B?", "ABC1234?/012345", "123456789012345"],
        &["JRDAN 123", "ABC1234[+012345", " ", "abc", "1234567890123456", "123 456 7890", "É"],
    );
}

#[test]
fn a_surname_has_capitals_with_some_accents_spaces_apostrophes_and_hyphens() {
    let longest = "A".repeat(35);
    let too_long = "A".repeat(36);
    check(
        "surname",
        is_surname,
        &["SMITH", "ÀÈÇÑÖ", "O'CONNOR", &longest, "'- ", " ", "VAN\tDYK", "VAN\u{a0}DYK"],
        &[&too_long, "Smith", "SMITHȧ", "Ø", "×", "Þ", "ÚRSULA", "Ý", "ŠIMEK", "SMITH2", "ST.", "A,B"],
    );
}

#[test]
fn each_forename_has_its_own_limit_of_length() {
    let long_second = format!("PETER {}", "A".repeat(30));
    let two_longest = format!("{} {}", "A".repeat(35), "B".repeat(35));
    let too_long = format!("PETER {}", "A".repeat(36));
    check(
        "forenames",
        is_forenames,
        &["'- ,.", "À-È Ç'ÑÖ", "JOHN O'CONNOR", &long_second, &two_longest, "PAUL,PHILIP", "J.R.", " ANN\u{2003}MAY "],
        &[&too_long, "Smith", "SMITHȧ", " ", "\t \u{a0}", "ANN2"],
    );
}

#[test]
fn a_title_has_no_accents_and_no_full_stop() {
    let too_long = "A".repeat(36);
    check("title", is_title, &["DR", "O'", "PROF "], &["DR.", "É", "MR/MRS", "Smith", &too_long]);
}

#[test]
fn sex_is_one_of_four_digits() {
    check("sex", is_sex, &["0", "1", "2", "9"], &["3", "A", " ", " 1", "01"]);
}

#[test]
fn an_address_line_may_have_digits_but_no_accents_or_other_signs() {
    let longest = "A".repeat(35);
    let too_long = "A".repeat(36);
    check(
        "address line",
        is_address_line,
        &["SMITH123", "O'CONNOR123", "12-14", "ST. JOHN'S, RD", &longest, "'- ", " "],
        &[&too_long, "Smith", "A/B", "FLAT (A)", "FLAT&", "É"],
    );
}

#[test]
fn a_postcode_is_eight_characters_of_six_layouts() {
    check(
        "postcode",
        is_postcode,
        &[
            "HP15 6QX",
            "HP8  6QX",
            "H8A  6QX",
            "HP8A 6QX",
            "H8   6QX",
            "E1   1AA",
            "ZZ99 3VZ",
            "H15  6QX",
            "E1 1AA  ",
            "E1\t\t\t1AA",
            "E1\u{a0}\u{a0}\u{a0}1AA",
        ],
        &[
            "HP8 6QX",
            "H   6QX",
            "H.5 6QX",
            "HP15 6QXXE",
            "HP156QXX",
            "HP D  QX",
            "GIR  0AA",
            "SW1A1AA ",
            "hp15 6qx",
            " ",
            "        ",
            "E1 1 1AA",
            "E1   AAA",
            "E1   11A",
        ],
    );
}

#[test]
fn the_drugs_marker_is_y() {
    check("drugs marker", is_drugs_dispensed_marker, &["Y"], &["N", " ", "y", "YY"]);
}

#[test]
fn a_residential_institute_code_is_two_capitals_or_digits() {
    check("institute", is_residential_institute_code, &["A1", "AA", "11"], &["A", "1", "A11", "AAA", "a1", "É1"]);
}

#[test]
fn a_transaction_number_is_digits_without_leading_zero() {
    let very_long = "9".repeat(40);
    check(
        "transaction number",
        is_transaction_number,
        &["1", "123", "9999999", "99999999", &very_long],
        &[" ", "0", "-1", "1.5", "01", "0123", "A", " 1", "1\u{0663}"],
    );
}

#[test]
fn rpp_mileage_outside_its_range_counts_as_empty() {
    for (text, value) in [
        ("3", Some(3)),
        ("50", Some(50)),
        ("03", Some(3)),
        (" 3", Some(3)),
        ("+5", Some(5)),
        ("1_0", Some(10)),
        ("2", None),
        ("51", None),
        ("x", None),
        ("3.0", None),
        (" ", None),
        ("", None),
    ] {
        assert_eq!(rpp_mileage(text), value, "{text:?}");
    }
}

#[test]
fn walking_units_outside_their_range_or_not_divisible_by_three_count_as_empty() {
    for (text, value) in [
        ("3", Some(3)),
        ("99", Some(99)),
        ("003", Some(3)),
        ("3%", None),
        ("2", None),
        ("4", None),
        ("100", None),
        ("102", None),
        ("0", None),
    ] {
        assert_eq!(walking_units(text), value, "{text:?}");
    }
}

#[test]
fn blocked_routes_other_than_b_and_s_count_as_empty() {
    for (text, value) in
        [("B", Some("B")), ("S", Some("S")), ("A", None), ("b", None), ("BS", None), (" ", None), ("1", None)]
    {
        assert_eq!(blocked_route(text), value, "{text:?}");
    }
}

#[test]
fn a_day_is_eight_digits_that_the_calendar_has() {
    assert_eq!(day("20120105"), Date::new(2012, 1, 5).ok());
    assert_eq!(day("00010101"), Date::new(1, 1, 1).ok());
    assert_eq!(day("20200229"), Date::new(2020, 2, 29).ok());
    for text in
        ["20200230", "2012015", "25", "%3error", " ", "20201301", "00000101", "2012010a", "201201 5", "20210229"]
    {
        assert_eq!(day(text), None, "{text:?}");
    }
}

#[test]
fn a_minute_is_a_day_and_four_digits_that_the_clock_has() {
    assert_eq!(minute(b"202108091641"), Date::new(2021, 8, 9).ok().map(|day| day.at(16, 41, 0, 0)));
    for text in [b"000000000000", b"201206061360", b"201206062401", b"20120606  01"] {
        assert_eq!(minute(text), None);
    }
}
