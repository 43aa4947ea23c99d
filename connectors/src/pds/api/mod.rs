//! The client of the PDS FHIR API: one person at a time, politely.
//!
//! - It keeps to a rate, with a small burst, whatever number of threads share it ([`Pace`]); a PDS that asks to be left alone is.
//! - It signs in with a signed JWT, and keeps the token until shortly before it ends (`token`).
//! - What an answer means is a table (`answers`). What is no answer of PDS, such as the page of a gateway, is an outage, and
//!   never "no record".
//!
//! ```no_run
//! use std::path::PathBuf;
//! use std::sync::Arc;
//!
//! use concord_connectors::pds::PdsChange;
//! use concord_connectors::pds::api::{Credentials, MachineTime, PdsApiSettings, PdsClient};
//! use concord_connectors::secret::Secret;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut settings = PdsApiSettings::new("https://int.api.service.nhs.uk");
//! settings.credentials = Some(Credentials {
//!     key_id: "int-1".to_owned(),
//!     app_key: Secret::from_file(&PathBuf::from("app-key"))?,
//!     private_key_file: PathBuf::from("private-key.pem"),
//! });
//! let client = PdsClient::new(settings, Arc::new(MachineTime::default()))?;
//! match client.look_up("9000000009", "the id of a job")? {
//!     PdsChange::Upsert(record) => println!("version {}", record.version),
//!     PdsChange::NotFound => println!("PDS knows no such number"),
//! }
//! # Ok(())
//! # }
//! ```

mod answers;
mod client;
mod error;
mod pace;
mod request;
mod settings;
mod time;
mod token;

pub use client::PdsClient;
pub use error::{PdsError, PdsProblem};
pub use pace::Pace;
pub use settings::{Credentials, PdsApiSettings};
pub use time::{ApiTime, MachineTime};
