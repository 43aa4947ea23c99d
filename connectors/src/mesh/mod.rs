//! A client of MESH, the NHS's file messaging, for one mailbox.
//!
//! A message is downloaded with [`MeshClient::download`] and stays in the inbox until [`MeshClient::acknowledge`]: call that
//! once it is durably in the log, and a crash before costs a second download of the same bytes under the same id.
//! [`MeshClient::send`] asks whether MESH has the message already, so it may be repeated after a crash or a lost answer.
//!
//! ```no_run
//! use std::path::PathBuf;
//!
//! use concord_connectors::mesh::{MeshClient, MeshSettings, Received, TlsFiles};
//! use concord_connectors::secret::Secret;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tls = TlsFiles { ca: "ca.pem".into(), certificate: "client.pem".into(), key: "client.key".into() };
//! let mut settings = MeshSettings::new(
//!     "https://mesh.example",
//!     "X26ABC1",
//!     Secret::from_file(&PathBuf::from("mailbox-password"))?,
//!     Secret::from_file(&PathBuf::from("shared-key"))?,
//! );
//! settings.tls = Some(tls);
//! let client = MeshClient::new(settings, jiff::Timestamp::now)?;
//! client.handshake()?;
//! for id in client.inbox()? {
//!     let mut content = Vec::new();
//!     match client.download(&id, &mut content)? {
//!         Received::Message(message) => { /* into the log: content, message.headers.file_name, ... */ }
//!         Received::Report(report) => { /* what became of report.linked_message_id */ }
//!     }
//!     client.acknowledge(&id)?;
//! }
//! # Ok(())
//! # }
//! ```

mod authorization;
mod checksum;
mod client;
mod download;
mod error;
mod exchange;
mod message;
mod sending;
mod settings;
mod tracking;
mod unpacking;

pub use authorization::authorization;
pub use checksum::Checksum;
pub use client::MeshClient;
pub use error::{MeshError, MeshProblem};
pub use message::{Message, MessageHeaders, Received, Report};
pub use sending::{Outgoing, Sent};
pub use settings::{MeshSettings, TlsFiles};
pub use tracking::{DeliveryStatus, Tracking};
