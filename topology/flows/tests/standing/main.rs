//! Standing lists: every change of PDS is held against the last list of each practice, and the topic of differences always
//! says what holds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod causes;
mod crashes;
mod decisions;
mod lists;
mod people;
mod registrations;
mod stage;
mod switches;
mod truth;
