//! `concord reconcile` from the outside: files in, exit code, messages and files out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod bad_extracts;
mod bad_pds_rows;
mod command;
mod command_line;
mod defects;
mod mails;
mod people;
mod real_files;
mod registrations;
mod synthetic;
