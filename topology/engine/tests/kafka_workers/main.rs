//! Workers on a real cluster: set `KAFKA_BOOTSTRAP` to its address.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod at_least_once;
mod calling;
mod counting;
mod rebuild;
