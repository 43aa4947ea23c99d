//! Shared by the tests of the readers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::rejected::{ReadError, RowError};

pub(crate) fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The rejection of a row; any other result fails the test.
pub(crate) fn row_error<T: std::fmt::Debug>(result: Result<T, ReadError>) -> RowError {
    match result {
        Err(ReadError::Row(rejected)) => rejected.error,
        other => panic!("expected a rejected row, got {other:?}"),
    }
}
