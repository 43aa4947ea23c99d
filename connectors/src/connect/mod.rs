//! The ways between the log and what is beside it: mailboxes, folders, buckets, a mail server.
//!
//! Each way is an [`Edge`] with a loop of its own. On the way in, a file is taken out of where it arrived only when it is durably in
//! the log; since its events have ids derived from its name and content, a repetition changes nothing. On the way out, the position
//! in the log moves only together with what became of the files and mails before it, in one transaction.

mod answer;
mod assembly;
mod bucket;
mod bucket_intake;
mod bucket_place;
mod destination;
mod document_intake;
mod documents;
mod edge;
mod error;
mod extract;
mod feed;
mod fetching;
mod file_kind;
mod folder_intake;
mod folder_place;
mod input;
mod intake;
mod interchanges;
mod ledger;
mod mailbox;
mod mesh_access;
mod mesh_destination;
mod outbox;
mod place;
mod progress;
mod reading;
mod results;
mod retained;
mod retention;
mod standing;
mod surroundings;
mod writing;

pub use answer::{DescribedAnswer, job_of_answer, publish_answer};
pub use assembly::WholeFile;
pub use bucket::BucketAccess;
pub use bucket_intake::BucketIntake;
pub use bucket_place::BucketPlace;
pub use destination::{Arrival, Destination, Handed};
pub use documents::{DescribedDocument, DocumentContent, most_bytes_in_record, publish_document};
pub use edge::{BACK_OFF, Edge, Turn, run};
pub use error::{ConnectProblem, Trouble};
pub use extract::{Described, ExtractError, Pieces, measure, publish_extract};
pub use fetching::{NotFetched, Objects};
pub use file_kind::FileKind;
pub use folder_intake::FolderIntake;
pub use folder_place::FolderPlace;
pub use input::{DocumentIds, IdOf, InputIds, InputKind};
pub use intake::refused_inputs;
pub use interchanges::{DescribedInterchanges, publish_interchanges};
pub use mailbox::Mailbox;
pub use mesh_access::MeshAccess;
pub use mesh_destination::MeshDestination;
pub use outbox::{MAIL_ROUTE, MailSettingsOf, Outbox};
pub use place::{Kept, Place, PlaceDestination, Removed};
pub use results::{Results, Route};
pub use retained::RetainedInputs;
pub use retention::Retention;
pub use standing::Standing;
pub use surroundings::Surroundings;
pub use writing::{LogWriter, WriteError};
