#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod any_bytes;
mod defects;
mod reading;
mod real_files;
mod splitting;
mod writing;

use super::{Interchange, Strictness, read_interchanges};

/// Reads a source of one interchange, with its defects.
fn read_one(source: &[u8]) -> Interchange {
    let mut read = read_interchanges(source, Strictness::Lenient);
    assert_eq!(read.len(), 1, "{read:?}");
    read.remove(0).unwrap()
}
