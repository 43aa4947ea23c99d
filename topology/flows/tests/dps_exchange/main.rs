//! The exchange with DPS, both sides: what one writes the other reads, and what is made of it is what comparing here makes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answering;
mod bad_answers;
mod files;
mod schema;
mod states;
mod the_same_files;
