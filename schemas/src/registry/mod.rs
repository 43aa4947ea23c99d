//! The schema registry (Confluent's REST interface, as many registries offer it).

mod client;
mod error;

pub use client::{RegistryClient, Retries};
pub use error::RegistryError;
