//! What examples state, a line for each thing: a value of a field, a medicine with all that is said of it, an allergy. Each was held
//! against the text of its example before it was written down here. Of CDA it is what the entries state; what stands in the text for people
//! alone counts where no entry says anything, or where an entry refers to it.

mod cda;
mod fhir;
mod messages;

pub use cda::CDA;
pub use fhir::FHIR;
pub use messages::MESSAGES;

pub struct Said {
    pub file: &'static str,
    /// The document says nothing else. Otherwise it says more, which is not looked at: portals put letters and lists of others into it.
    pub is_all: bool,
    pub lines: &'static str,
}
