//! What holds of reading whatever is read. The fuzz target and a test of the stable compiler share it.

use concord_edifact::{Interchange, InterchangeReader, RefusedInterchange, Strictness, read_interchanges};

type Read = Vec<Result<Interchange, RefusedInterchange>>;

/// Lengths of pieces, each list repeated to the end of the source.
const PIECES: [&[usize]; 4] = [&[1], &[2, 3, 5, 7], &[64, 1], &[4096]];

/// Reads a source whole and in pieces, strictly and leniently.
///
/// # Panics
/// When the reader does, or when what it gives depends on where the source was cut, or says nothing of a source.
pub fn check(source: &[u8]) {
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        let whole = read_interchanges(source, strictness);
        assert!(!whole.is_empty(), "something is said of every source");
        for refused in whole.iter().filter_map(|read| read.as_ref().err()) {
            assert!(!refused.defects.is_empty(), "what is refused has a reason");
        }
        for lengths in PIECES {
            assert_eq!(in_pieces(source, lengths, strictness), whole, "read in pieces of {lengths:?}, {strictness:?}");
        }
    }
}

fn in_pieces(mut rest: &[u8], lengths: &[usize], strictness: Strictness) -> Read {
    let mut reader = InterchangeReader::new(strictness);
    let mut read = Read::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at(rest.len().min(*length));
        reader.push(piece, &mut |one| read.push(one));
        rest = behind;
    }
    reader.finish(&mut |one| read.push(one));
    read
}
