#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod audit;
mod lines;
mod links;
mod planted;
mod properties;
mod real_files;
mod receipts;
mod report_questions;
