//! The Kafka log against a real cluster: set `KAFKA_BOOTSTRAP` to its address.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod conformance;
mod membership;
mod reading;
mod topics;
mod transactions;
