//! Readers of what PDS holds: FHIR Patient resources, one per line, and the columns of the PDS test pack.

mod fhir;
mod fhir_resource;
mod fhir_selection;
mod record;
mod test_pack;

pub use fhir::{FhirReader, FhirSettings};
pub use fhir_selection::Selection;
pub use record::{PdsChange, PdsEntry, PdsRecordOwned};
pub use test_pack::TestPackReader;
