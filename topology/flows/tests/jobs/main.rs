//! Jobs from their first piece to their end, in virtual time: what users see of them, who is told, and what is left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cleaning;
mod copies;
mod deliveries;
mod desk;
mod endings;
mod mails;
mod post_office;
