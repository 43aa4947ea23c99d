//! `concord connect` as a process of its own, against a real Kafka and the real servers of each way: killed between its steps, and
//! nothing is lost and nothing there twice. Without the servers the tests say SKIPPED.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod application;
mod configuration;
mod documents;
mod files;
mod from_mesh;
mod interchanges;
mod mails;
mod mesh_part;
mod to_mesh;
