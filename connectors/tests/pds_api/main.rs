//! The client of the PDS FHIR API against a small PDS, which answers from invented people and fails on demand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod failures;
mod pace;
mod people;
mod server;
mod signing_in;
mod stand;
mod time;
