//! Header, titles, blank and trailing lines, encodings, limits.

use super::*;
use crate::list_reconciliation::extract::StructureError;
use crate::list_reconciliation::extract::structure::{MAX_HELD_BYTES, MAX_LINE_BYTES};

fn fault(profile: Profile, file: impl AsRef<[u8]>) -> Option<StructureError> {
    read(profile, file).1.structure_error
}

#[test]
fn the_first_line_must_be_the_header() {
    for header in ["", "502\\*", "503*", "503", "503\\*\\*", "   \n503\\*", "503\\*DOW"] {
        let text = format!("{header}\n{ROW_1}\n{ROW_2}\n");
        for profile in BOTH {
            let (seen, end) = read(profile, &text);
            let message = end.structure_error.map(|error| error.to_string());
            assert_eq!(message.as_deref(), Some("Header must be 503\\*"), "{header:?}");
            assert_eq!(seen, []);
        }
    }
}

#[test]
fn empty_lines_before_the_header_and_white_space_around_it_do_no_harm() {
    for start in ["\n\n503\\*", " 503\\* ", "503\\*\r"] {
        for profile in BOTH {
            let (seen, end) = read(profile, format!("{start}\n{ROW_1}\n{ROW_2}\n"));
            assert_eq!((end.structure_error, seen.len()), (None, 1), "{start:?}");
        }
    }
}

#[test]
fn empty_files_and_files_that_end_after_the_header_are_told_apart() {
    for profile in BOTH {
        for text in ["", "\n", "\n\n\n"] {
            assert_eq!(fault(profile, text), Some(StructureError::Empty), "{text:?}");
        }
        for text in ["503\\*", "503\\*\n", "503\\*\n\n"] {
            assert_eq!(fault(profile, text), Some(StructureError::HeaderOnly), "{text:?}");
        }
        assert_eq!(fault(profile, "503\\*\n  \n"), Some(StructureError::NoRecords));
    }
}

#[test]
fn a_file_of_anything_but_rows_has_no_records() {
    for profile in BOTH {
        let (seen, end) = read(profile, file(&["*****", "*****"]));
        assert_eq!(seen, []);
        let message = end.structure_error.unwrap().to_string();
        assert_eq!(message, "GP extract does not contain any identifiable DOW records for processing");
    }
}

#[test]
fn blank_lines_and_spaces_around_rows_do_not_matter() {
    let text = format!("503\\*\r\n\r\n  {ROW_1}  \r\n\n\t\r\n{ROW_2}\u{a0}\r\n\r\n");
    for (profile, lines) in [(Profile::Fixed, (3, 6)), (Profile::Compatible, (2, 3))] {
        let (seen, end) = read(profile, &text);
        assert_eq!(end.structure_error, None);
        assert!(seen[0].record.is_ok());
        assert_eq!(seen[0].lines, lines, "{profile:?}");
    }
}

#[test]
fn a_file_need_not_end_in_a_line_feed() {
    for profile in BOTH {
        let (seen, _) = read(profile, format!("503\\*\n{ROW_1}\n{ROW_2}"));
        assert_eq!(seen.len(), 1);
    }
}

#[test]
fn two_rows_of_column_titles_are_skipped() {
    let titles = ["RECORD_TYPE~1~GP~CIPHER~DATE~TIME~TRANS_ID~NHS_NUMBER~SURNAME", "RECORD_TYPE~2~LOCALITY"];
    for profile in BOTH {
        let (seen, end) = read(profile, file(&[titles[0], titles[1], ROW_1, ROW_2, "******"]));
        assert_eq!(end.structure_error, None);
        assert_eq!((seen.len(), seen[0].number, seen[0].lines), (1, 1, (4, 5)));
        assert!(seen[0].record.is_ok());
        assert_eq!(end.trailing_lines_dropped, 1);
    }
}

#[test]
fn lines_behind_the_data_are_dropped_and_counted() {
    for profile in BOTH {
        let (seen, end) = read(profile, file(&[ROW_1, ROW_2, "*****", "END", "*****"]));
        assert_eq!((seen.len(), end.trailing_lines_dropped, end.odd_last_row), (1, 3, None));
        assert!(seen[0].record.is_ok());
    }
}

#[test]
fn lines_between_rows_are_rows_when_data_follows() {
    for profile in BOTH {
        let (seen, end) = read(profile, file(&[ROW_1, ROW_2, "*****", "*****", &row_1("2"), ROW_2]));
        assert_eq!((end.records, end.invalid_records, end.trailing_lines_dropped), (3, 1, 0));
        assert_eq!(seen[1].broken(), ["INVALID_RECORD", "ON_LINES"]);
    }
}

#[test]
fn a_last_patient_in_an_institute_is_kept_in_fixed_and_lost_in_compatible() {
    let in_institute = format!("{ROW_2}A1");
    let rows = [ROW_1, ROW_2, &row_1("2"), &in_institute];
    let (seen, end) = read(Profile::Fixed, file(&rows));
    assert_eq!((seen.len(), end.invalid_records, end.trailing_lines_dropped), (2, 0, 0));

    let (seen, end) = read(Profile::Compatible, file(&rows));
    assert_eq!((seen.len(), end.trailing_lines_dropped), (1, 2));
}

#[test]
fn a_home_where_all_live_in_an_institute_is_read_in_fixed_and_refused_in_compatible() {
    let in_institute = format!("{ROW_2}A1");
    let rows = [ROW_1, &in_institute, &row_1("2"), &in_institute];
    assert_eq!(read(Profile::Fixed, file(&rows)).0.len(), 2);
    assert_eq!(fault(Profile::Compatible, file(&rows)), Some(StructureError::NoRecords));
}

#[test]
fn a_last_row_without_a_second_is_invalid_in_fixed_and_dropped_but_counted_in_compatible() {
    let alone = with_field(&row_1("2"), 15, "");
    let rows = [ROW_1, ROW_2, &alone];
    let (seen, end) = read(Profile::Fixed, file(&rows));
    assert_eq!((end.records, end.invalid_records, end.odd_last_row), (2, 1, Some(4)));
    let log = seen[1].record.as_ref().unwrap_err();
    assert_eq!(
        serde_json::to_string(log).unwrap(),
        r#"{"_INVALID_":{"INVALID_RECORD":"Record - Must contain the correct number of data fields for parsing","ON_LINES":"4-4"}}"#
    );

    let (seen, end) = read(Profile::Compatible, file(&rows));
    assert_eq!((seen.len(), end.records, end.invalid_records, end.odd_last_row), (1, 1, 0, Some(4)));
}

#[test]
fn a_byte_order_mark_is_skipped_in_fixed_and_spoils_the_header_in_compatible() {
    let text = format!("\u{feff}503\\*\n{ROW_1}\n{ROW_2}\n");
    assert_eq!(read(Profile::Fixed, &text).0.len(), 1);
    assert_eq!(fault(Profile::Compatible, &text), Some(StructureError::WrongHeader));
}

#[test]
fn text_that_is_not_utf_8_is_refused_with_its_place() {
    let mut latin_1 = file(&[ROW_1, ROW_2]).into_bytes();
    let at = latin_1.iter().position(|byte| *byte == b'B').unwrap();
    latin_1[at] = 0xc9;
    for profile in BOTH {
        let error = fault(profile, &latin_1).unwrap();
        assert_eq!(error, StructureError::NotUtf8 { line: 2, byte: at - 5, latin_1_suspected: true });
        assert!(error.to_string().contains(&format!("line 2, byte {} is not (Latin-1 suspected)", at - 5)), "{error}");
    }
}

#[test]
fn accents_in_utf_8_are_read() {
    for profile in BOTH {
        let (seen, _) = read(profile, file(&[&with_field(ROW_1, 8, "BJÖRKMÉ"), ROW_2]));
        assert!(seen[0].record.as_ref().unwrap().contains("BJÖRKMÉ"));
    }
}

#[test]
fn a_nul_byte_is_refused_with_its_place() {
    for profile in BOTH {
        let error = fault(profile, file(&[ROW_1, "DOW\0~"]));
        assert_eq!(error, Some(StructureError::NulByte { line: 3, byte: 4 }));
    }
}

#[test]
fn a_line_beyond_the_limit_is_refused_before_it_is_kept() {
    for profile in BOTH {
        let longest = vec![b'X'; MAX_LINE_BYTES];
        assert_eq!(fault(profile, [b"503\\*\n", longest.as_slice()].concat()), Some(StructureError::NoRecords));
        let too_long = [b"503\\*\n", longest.as_slice(), b"X"].concat();
        assert_eq!(fault(profile, too_long), Some(StructureError::LineTooLong { line: 2 }));
    }
}

#[test]
fn undecided_lines_are_not_kept_without_limit() {
    let line = "*".repeat(1023);
    let chunk = format!("{line}\n").repeat(1024);
    for profile in BOTH {
        let mut reader = ExtractReader::new(settings(profile));
        let mut see = |_: crate::list_reconciliation::extract::ReadRecord<'_>| {};
        reader.push(b"503\\*\n", &mut see);
        for _ in 0..MAX_HELD_BYTES / (1024 * 1024) + 1 {
            reader.push(chunk.as_bytes(), &mut see);
        }
        assert!(matches!(reader.structure_error(), Some(StructureError::TooMuchUndecided { .. })));
    }
}

#[test]
fn nothing_is_handed_on_behind_a_structure_error() {
    for profile in BOTH {
        let (seen, end) = read(profile, file(&[ROW_1, ROW_2, "\0", &row_1("2"), ROW_2]));
        assert_eq!((seen.len(), end.records), (1, 1));
    }
}
