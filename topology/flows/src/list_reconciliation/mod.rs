//! List reconciliation: a GP practice extract against PDS, from file to differences.
//!
//! The rules are pure: [`file_name`], [`extract`], [`registration`], [`compare`], [`business`], [`outputs`]; [`catalogue`] is
//! their table. The flow is three processors: the intake of files, the comparison with PDS, and the report of a job, wired in
//! [`topology()`]; and a fourth, where DPS compares in place of the second.

mod asking_dps;
pub mod business;
pub mod catalogue;
pub mod codes;
pub mod compare;
mod comparison;
pub mod dps_exchange;
pub mod extract;
pub mod file_name;
pub mod ids;
mod intake;
mod job_status;
mod named_patients;
pub mod outputs;
pub mod post_office;
pub mod profile;
pub mod registration;
mod report;
pub mod settings;
pub mod topology;
mod uk_time;
pub mod values;

pub use file_name::{ExtractFileName, parse_extract_file_name};
pub use job_status::JobStatus;
pub use profile::Profile;
pub use settings::{Delivered, DpsExchange, Lookups, MailSettings, OnInvalid, RegistrationSource, Settings};
pub use topology::topology;
