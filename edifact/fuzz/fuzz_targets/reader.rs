//! Any bytes, in any pieces: nothing panics, and where a source is cut makes no difference.

#![no_main]

#[path = "../read_alike.rs"]
mod read_alike;

libfuzzer_sys::fuzz_target!(|source: &[u8]| read_alike::check(source));
