//! Extracts that DPS compares: one side sends them and waits, the other compares and answers, and what comes out is what
//! comparing at once makes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_answers;
mod crashes;
mod endings;
mod faults;
mod joined;
mod pieces;
mod random;
mod side;
mod topologies;
mod world;
