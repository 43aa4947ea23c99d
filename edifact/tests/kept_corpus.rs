//! The kept corpus of the fuzz target, and what small changes make of it: nothing panics, and where a source is cut makes no
//! difference. `CONCORD_SEEDS=10000` makes many changes of each file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[path = "../fuzz/read_alike.rs"]
mod read_alike;

/// Changes of each file without `CONCORD_SEEDS`.
const SEEDS: u64 = 400;

/// What interchanges are made of.
const SCRAPS: [&[u8]; 14] = [
    b"'",
    b"+",
    b":",
    b"?",
    b"??'",
    b"\r\n",
    b"UNA:+.? '",
    b"UNA;*.! ~",
    b"UNB+UNOA:2+TES5+XX11+200610:1438+00000001'",
    b"UNH+00000001+FHSREG:0:1:FH:FHS001'",
    b"UNT+5+00000001'",
    b"UNZ+1+00000001'",
    b"RFF+TN:99999999999999999999999'",
    b"\xff\x00",
];

/// Every file of the corpus, in order of its name.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/reader");
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// A generator of Marsaglia's, xorshift64*: enough to choose places.
struct Random(u64);

impl Random {
    fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        drawn as usize % bound.max(1)
    }
}

/// A file with one to four small changes.
fn changed(source: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = source.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let length = random.below(40).min(bytes.len() - at);
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let again = bytes[at..at + length].to_vec();
                bytes.splice(at..at, again);
            }
            4 => {
                let from = random.below(other.len() + 1);
                bytes.splice(at..at + length, other[from..].iter().copied());
            }
            _ => {
                let scrap = SCRAPS[random.below(SCRAPS.len())];
                bytes.splice(at..at, scrap.iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn every_file_of_the_corpus_is_read_alike_in_any_pieces() {
    let corpus = corpus();
    assert!(corpus.len() >= 12, "the corpus has {} files", corpus.len());
    for (name, source) in &corpus {
        assert!(source.len() < 4 << 10, "{name} is large");
        assert!(catch_unwind(|| read_alike::check(source)).is_ok(), "{name}");
    }
}

#[test]
fn small_changes_of_the_corpus_are_read_alike_in_any_pieces() {
    let corpus = corpus();
    let seeds = std::env::var("CONCORD_SEEDS").ok().map_or(SEEDS, |text| text.parse().unwrap());
    for (place, (name, source)) in corpus.iter().enumerate() {
        for seed in 0..seeds {
            let mut random = Random::of(seed + place as u64 * 1_000_003);
            let (_, other) = &corpus[random.below(corpus.len())];
            let bytes = changed(source, other, &mut random);
            let is_well = catch_unwind(|| read_alike::check(&bytes)).is_ok();
            assert!(is_well, "{name}, change {seed}: {}", bytes.escape_ascii());
        }
    }
}

#[test]
fn a_segment_that_never_ends_is_read_alike_in_any_pieces() {
    for (_, source) in corpus() {
        let mut bytes = source;
        bytes.extend(std::iter::repeat_n(b'A', 70 << 10));
        bytes.extend_from_slice(b"'UNZ+1+00000001'");
        // Its pieces of one byte alone are some hundred thousand; one file is enough for each beginning.
        if bytes.starts_with(b"UNB") {
            read_alike::check(&bytes);
            return;
        }
    }
    panic!("no file of the corpus begins with UNB");
}
