//! What PDS holds: readers of FHIR Patient resources, one per line, and of the columns of the PDS test pack; and the client of
//! its API.

pub mod api;
mod fhir;
mod fhir_entry;
mod fhir_resource;
mod fhir_selection;
pub mod lookups;
mod record;
mod test_pack;

pub use fhir::{FhirReader, FhirSettings};
pub use fhir_selection::Selection;
pub use record::{PdsChange, PdsEntry, PdsRecordOwned};
pub use test_pack::TestPackReader;
