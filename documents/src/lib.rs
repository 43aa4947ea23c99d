//! Reads one document of a patient: what it is ([`classify`]), and what it says ([`read`]), within [`Limits`].
//!
//! Documents come from anywhere, so the program reads them in a process of its own ([`ReaderProcess`], [`read_in_child`]):
//! whatever happens there costs one document. [`synthetic`] writes documents of people who do not exist.

mod cda;
mod child;
mod content_type;
mod encoding;
mod failure;
mod fhir;
mod found;
mod hl7;
mod image;
mod labelled;
mod limits;
mod ocr;
mod pdf;
mod reading;
pub mod synthetic;
mod tools;
mod values;
mod words;
mod xml;

pub use child::{Extracted, ReaderCommand, ReaderPool, ReaderProcess, read_in_child, serve};
pub use content_type::{ContentType, classify};
pub use failure::{Problem, ReadFailure};
pub use limits::Limits;
pub use reading::{Reading, read};

#[cfg(test)]
mod tests;
