//! The sequence audit whole, in virtual time: what is published is what happened, whatever order it came in and whoever crashed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod commands;
mod cost;
mod crashes;
mod history;
mod life;
mod order;
mod planted;
mod random;
mod simulation;
mod stage;
