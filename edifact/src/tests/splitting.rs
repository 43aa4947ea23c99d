//! Segments, elements and components: the vectors of the earlier adaptor's splitter.

use super::super::{Lexed, Lexer, Segment, Separators, unescaped};

fn segments(source: &str) -> Vec<String> {
    let mut lexer = Lexer::new();
    let mut found = Vec::new();
    let mut on = |lexed: Lexed<'_>| {
        let (Lexed::Segment(segment) | Lexed::Unterminated(segment)) = lexed else { panic!("{lexed:?}") };
        found.push(String::from_utf8(segment.bytes.to_vec()).unwrap());
    };
    lexer.push(source.as_bytes(), &mut on);
    lexer.finish(&mut on);
    found
}

/// Splits as the splitter of the vectors does: every piece, empty ones too.
fn pieces(separator: u8, text: &str) -> Vec<String> {
    let pieces = Separators::default().split(separator, text.as_bytes());
    pieces.map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect()
}

const VECTORS: [(&str, &[&str]); 9] = [
    ("a'q", &["a", "q"]),
    ("a?'q", &["a?'q"]),
    ("a??'q", &["a??", "q"]),
    ("a???'q", &["a???'q"]),
    ("a???''q", &["a???'", "q"]),
    ("", &[""]),
    ("'", &["", ""]),
    ("?'?'", &["?'?'"]),
    ("??'??'", &["??", "??", ""]),
];

#[test]
fn separators_split_behind_an_even_number_of_release_characters() {
    for (text, expected) in VECTORS {
        assert_eq!(pieces(b'\'', text), expected, "{text}");
        for (separator, name) in [(b'+', "+"), (b':', ":")] {
            let expected: Vec<String> = expected.iter().map(|piece| piece.replace('\'', name)).collect();
            assert_eq!(pieces(separator, &text.replace('\'', name)), expected, "{text} with {name}");
        }
    }
    assert_eq!(pieces(b'\'', "''?''"), ["", "", "?'", ""]);
}

#[test]
fn line_ends_of_either_kind_between_segments_are_left_out() {
    for source in ["AAA'BBB'CCC'", "AAA'\nBBB'\nCCC'\n", "AAA'\r\nBBB'\r\nCCC'\r\n", "  AAA' \r BBB'\n\nCCC"] {
        assert_eq!(segments(source), ["AAA", "BBB", "CCC"], "{source:?}");
    }
    assert_eq!(segments("\r\n "), Vec::<String>::new());
}

#[test]
fn a_service_string_advice_changes_what_separates() {
    assert_eq!(segments("UNA:+.? 'A+1?'2'"), ["A+1?'2"]);
    assert_eq!(segments("UNA;*.! ~\r\nA*1'2!~~B*3~"), ["A*1'2!~", "B*3"]);
    let mut lexer = Lexer::new();
    let mut read = Vec::new();
    lexer.push(b"UNA;*. ~~B*3;4?~", &mut |_| {});
    lexer.finish(&mut |_| {});
    lexer.push(b"UNA;*.  ~B*3;4?~C", &mut |found| {
        if let Lexed::Segment(segment) = found {
            read.extend(segment.components(1).map(<[u8]>::to_vec));
            assert_eq!(segment.separators.release, None);
        }
    });
    assert_eq!(read, [b"3".to_vec(), b"4?".to_vec()], "a blank releases nothing");
}

#[test]
fn elements_and_components_are_found_by_their_places() {
    let bytes = b"PNA+PAT+N/10/10:OPI+++SU:O?'NE?+IL+FO:A?:B";
    let segment = Segment { bytes, separators: Separators::default(), number: 1, offset: 0 };
    assert_eq!(segment.tag(), b"PNA");
    assert!(segment.is(b"PNA", b"PAT"));
    assert_eq!(segment.element(3), Some(&b""[..]));
    assert_eq!(segment.component(5, 1), Some(&b"O?'NE?+IL"[..]));
    assert_eq!(&*unescaped(segment.component(5, 1).unwrap(), segment.separators), b"O'NE+IL");
    assert_eq!(segment.component(6, 1), Some(&b"A?:B"[..]));
    assert_eq!(segment.element(7), None);
}

#[test]
fn every_character_of_the_set_is_read_and_those_outside_it_are_bytes() {
    let set = "ABCXYZ019 .,-()/=!\"%&*;<>";
    let source = format!("FTX+RGI+++{set}?'?+?:??'FTX+\u{e9}\u{80}'");
    let found = segments(&source);
    let segment = Segment { bytes: found[0].as_bytes(), separators: Separators::default(), number: 1, offset: 0 };
    let text = unescaped(segment.element(4).unwrap(), segment.separators).into_owned();
    assert_eq!(String::from_utf8(text).unwrap(), format!("{set}'+:?"));
    assert_eq!(found[1], "FTX+\u{e9}\u{80}");
}

#[test]
fn a_segment_without_end_takes_no_more_memory_than_one_may_have() {
    let mut lexer = Lexer::new();
    let mut found = Vec::new();
    let mut on = |lexed: Lexed<'_>| match lexed {
        Lexed::TooLong(segment) => found.push((segment.number, segment.bytes.len())),
        Lexed::Segment(segment) => found.push((segment.number, segment.bytes.len())),
        other => panic!("{other:?}"),
    };
    lexer.push(b"AAA'FTX+", &mut on);
    for _ in 0..40 {
        lexer.push(&[b'x'; 10_000], &mut on);
    }
    lexer.push(b"??", &mut on);
    lexer.push(b"?'still it'BBB'", &mut on);
    assert_eq!(found, [(1, 3), (2, super::super::LONGEST_SEGMENT), (3, 3)]);
}
