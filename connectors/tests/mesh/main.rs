//! The client of MESH against the service with which NHS England lets clients be tested. `scripts/test.sh` starts one;
//! without it the tests that want it say SKIPPED.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod at_hand;
mod cutting;
mod failing_way;
mod outages;
mod raw_sender;
mod receiving;
mod reports;
mod sending;
mod signing_in;
