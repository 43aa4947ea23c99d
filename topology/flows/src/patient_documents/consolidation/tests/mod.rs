//! The consolidation of documents that were read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod any_order;
mod conflicts;
mod lists;
mod said;
mod winners;
