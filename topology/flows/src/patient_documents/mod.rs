//! Patient documents: what is uploaded is read, and what all documents of a patient say becomes one record.
//!
//! The rules are pure: [`consolidation`] makes a record of what was read, [`life`] says what an upload or a request means for a
//! document, [`NeedsUpdate`] when a patient is consolidated.
//!
//! The flow is two processors, which keep and order: the reading by document, and the consolidating by patient, wired in
//! [`topology()`]. Whoever performs the call [`READ_DOCUMENT`] is given [`Asked`] and answers with [`Answered`].

pub mod codes;
mod consolidating;
pub mod consolidation;
mod debounce;
mod ids;
pub mod life;
mod publication;
mod reading;
mod reading_call;
mod settings;
pub mod topology;
pub mod values;

pub use debounce::{Debounce, NeedsUpdate};
pub use ids::{document_id, version_id};
pub use reading_call::{Answered, Asked, FoundOut, Outcome, READ_DOCUMENT, UnreadableForm};
pub use settings::Settings;
pub use topology::topology;
