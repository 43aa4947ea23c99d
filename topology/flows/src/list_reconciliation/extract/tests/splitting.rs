//! Where chunks begin and end makes no difference.

use proptest::prelude::*;

use super::*;

/// Lines that make up files of all sorts: sound, broken, and such that change how others are read.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0u32..6).prop_map(|number| row_1(&number.to_string()).into_bytes()),
        6 => Just(ROW_2.as_bytes().to_vec()),
        1 => Just(format!("{ROW_2}A1").into_bytes()),
        1 => Just(with_field(ROW_1, 8, "BJÖRK ÉÖ").into_bytes()),
        1 => Just(with_field(ROW_1, 8, "Šmith\u{2003}").into_bytes()),
        1 => Just("*****".as_bytes().to_vec()),
        1 => Just("NHS_NUMBER~".as_bytes().to_vec()),
        1 => Just(" \t\r".as_bytes().to_vec()),
        1 => Just(Vec::new()),
        1 => "[A-Z~ é]{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ]
}

fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![
        8 => Just("503\\*"),
        1 => Just("\u{feff}503\\*"),
        1 => Just("\n503\\*\r"),
        1 => Just("503"),
    ];
    (start, prop::collection::vec(line(), 0..12), any::<bool>()).prop_map(|(start, lines, ends_in_line_feed)| {
        let mut file = start.as_bytes().to_vec();
        for line in lines {
            file.push(b'\n');
            file.extend(line);
        }
        if ends_in_line_feed {
            file.push(b'\n');
        }
        file
    })
}

/// White space as the earlier implementation's language knows it: the four separators of ASCII count, too.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

fn pieces<'f>(mut file: &'f [u8], sizes: &[usize]) -> Vec<&'f [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if file.len() <= *size {
            break;
        }
        let (piece, rest) = file.split_at(*size);
        pieces.push(piece);
        file = rest;
    }
    pieces.push(file);
    pieces
}

proptest! {
    #[test]
    fn any_split_gives_the_same_records_and_the_same_end(
        file in any_file(),
        sizes in prop::collection::vec(1usize..120, 1..8),
    ) {
        for profile in BOTH {
            let whole = read(profile, &file);
            let split = read_chunks(settings(profile), pieces(&file, &sizes));
            prop_assert_eq!(&whole, &split);
        }
    }

    #[test]
    fn every_line_is_accounted_for(file in any_file()) {
        for profile in BOTH {
            let (seen, end) = read(profile, &file);
            prop_assert_eq!(seen.len() as u64, end.records);
            let invalid = seen.iter().filter(|seen| seen.record.is_err()).count() as u64;
            prop_assert_eq!(invalid, end.invalid_records);
            if end.structure_error.is_some() {
                continue;
            }
            let has_titles = seen.first().map_or(0, |first| if first.lines.0 == 4 { 2 } else { 0 });
            if profile == Profile::Compatible && !seen.is_empty() {
                let text = String::from_utf8(file.clone()).unwrap();
                let not_blank = text.lines().filter(|line| !line.chars().all(is_blank)).count();
                let odd = usize::from(end.odd_last_row.is_some());
                prop_assert_eq!(not_blank, 1 + has_titles + 2 * seen.len() + odd + end.trailing_lines_dropped);
            }
        }
    }
}

#[test]
fn a_file_fed_byte_by_byte_is_read_as_a_whole() {
    let text = file(&[&with_field(ROW_1, 8, "BJÖRK"), ROW_2, &row_1("2"), ROW_2]);
    for profile in BOTH {
        let whole = read(profile, &text);
        assert_eq!(whole.1.records, 2);
        assert_eq!(read_chunks(settings(profile), text.as_bytes().chunks(1)), whole);
    }
}
