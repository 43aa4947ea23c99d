//! The schema registry (Confluent's REST interface, as many registries offer it).

mod client;
mod error;

pub use client::RegistryClient;
pub use error::RegistryError;
