//! Any bytes, in any pieces: nothing panics, and where a source is cut makes no difference.

use proptest::prelude::*;

use super::super::*;

/// Text made of what an interchange is made of, whole segments and scraps.
fn like_an_interchange() -> impl Strategy<Value = Vec<u8>> {
    let parts: Vec<&'static [u8]> = vec![
        b"UNA:+.? '",
        b"UNA;*.! ~",
        b"UNA",
        b"UNB+UNOA:2+TES5+XX11+200610:1438+00000001'",
        b"UNB+UNOA:2+XX11+TES5+200610:1438+00000002++RECEP+++EDIFACT TRANSFER'",
        b"UNB",
        b"UNH+00000001+FHSREG:0:1:FH:FHS001'",
        b"UNH+00000001+RECEP:0:2:FH'",
        b"RFF+950:G1'",
        b"RFF+TN:1'",
        b"RFF+TN:99999999999999999999999'",
        b"RFF+MIS:00000006 CP'",
        b"RFF+RIS:00000003 OK:4'",
        b"DTM+137:202006101438:203'",
        b"NAD+GP+4826940,281:900'",
        b"NHS+XX1:819:201'",
        b"UNT+5+00000001'",
        b"UNZ+1+00000001'",
        b"'",
        b"+",
        b":",
        b"?",
        b"\r\n",
        b" ",
        b"\xff",
    ];
    let part = prop_oneof![
        9 => proptest::sample::select(parts).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
    ];
    proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

fn read_in_pieces(
    source: &[u8],
    lengths: &[usize],
    strictness: Strictness,
) -> Vec<Result<Interchange, RefusedInterchange>> {
    let mut reader = InterchangeReader::new(strictness);
    let mut read = Vec::new();
    let mut rest = source;
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let length = lengths.next().copied().unwrap_or(1).clamp(1, rest.len());
        reader.push(&rest[..length], &mut |one| read.push(one));
        rest = &rest[length..];
    }
    reader.finish(&mut |one| read.push(one));
    read
}

fn check(source: &[u8], lengths: &[usize]) -> Result<(), TestCaseError> {
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        let whole = read_interchanges(source, strictness);
        prop_assert!(!whole.is_empty(), "something is said of every source");
        prop_assert_eq!(&read_in_pieces(source, lengths, strictness), &whole);
        for refused in whole.iter().filter_map(|read| read.as_ref().err()) {
            prop_assert!(!refused.defects.is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn arbitrary_bytes_are_read_alike_in_any_pieces(
        source in proptest::collection::vec(any::<u8>(), 0..300),
        lengths in proptest::collection::vec(1..20_usize, 1..5),
    ) {
        check(&source, &lengths)?;
    }

    #[test]
    fn scraps_of_interchanges_are_read_alike_in_any_pieces(
        source in like_an_interchange(),
        lengths in proptest::collection::vec(1..60_usize, 1..5),
    ) {
        check(&source, &lengths)?;
    }
}
