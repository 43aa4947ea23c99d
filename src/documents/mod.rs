//! `concord documents`: documents of patients, from folders on this machine or on a cluster.

mod consolidate;
mod demo;
mod files;
mod inspect;
mod planted;
mod readers;
mod record_json;
pub mod topics;
mod upload;

pub use inspect::place;
pub use readers::calls;

use crate::cli::DocumentsCommand;
use crate::failure::Failure;

/// Runs one of them.
///
/// # Errors
/// [`Failure::Findings`] when a document could not be read; or what was asked for cannot be done.
pub fn documents(command: DocumentsCommand) -> Result<(), Failure> {
    match command {
        DocumentsCommand::Consolidate(args) => consolidate::command(&args),
        DocumentsCommand::Demo(args) => demo::demo(&args),
        DocumentsCommand::Upload(args) => upload::upload(&args),
        DocumentsCommand::Delete(args) => upload::delete(&args),
        DocumentsCommand::List(args) => inspect::list(&args),
        DocumentsCommand::Show(args) => inspect::show(&args),
        DocumentsCommand::Retry(args) => inspect::retry(&args),
    }
}
