//! The engine's promises, held against the test driver: exactly once whatever fails, durable timers, rejections without trace.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod at_least_once;
mod calls;
mod counting;
mod crashes;
mod declaring;
mod freezing;
mod gathering;
mod oversize;
mod parking;
mod registry;
mod rejecting;
mod scenarios;
mod starting;
mod time;
