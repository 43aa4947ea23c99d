//! List reconciliation as `concord run` does it, on practices that are made up.

pub mod changes;
pub mod england;
pub mod flow;
mod jobs;
pub mod night;
mod practices;
