//! People of a list whom PDS is asked about: their records wait, and come out as if PDS had been published before.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod any_order;
mod asking;
mod crashes;
mod endings;
mod failures;
mod people;
mod stage;
mod with_the_connector;
