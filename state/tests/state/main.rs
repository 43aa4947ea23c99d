//! What a task's state promises, checked over every kind of directory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod derived;
mod disks;
mod folder;
mod memtables;
mod model;
mod poison;
mod readers;
mod restore;
mod time_to_live;
mod timers;
