//! Patient documents whole, in virtual time, with a reader that the tests play: what is published is what the documents say,
//! whatever order they came in and whoever crashed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod cost;
mod crashes;
mod failures;
mod life;
mod order;
mod quiet;
mod random;
mod reader;
mod simulation;
mod stage;
