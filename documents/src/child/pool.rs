//! Processes that wait for the next document: starting one costs more than reading a message.

use std::sync::{Mutex, PoisonError};

use super::process::{Extracted, ReaderCommand, ReaderProcess};
use crate::ReadFailure;

/// After so many documents a process is replaced, so that nothing in it can grow without end.
const DOCUMENTS_PER_PROCESS: u32 = 1_000;

/// Reads documents in processes that are kept for the next one. As many of them run as there are callers at a time: whoever calls
/// bounds that. What a document breaks is its process, and no other document.
#[derive(Debug)]
pub struct ReaderPool {
    command: ReaderCommand,
    waiting: Mutex<Vec<ReaderProcess>>,
}

impl ReaderPool {
    /// Starts none yet.
    pub fn new(command: ReaderCommand) -> Self {
        Self { command, waiting: Mutex::default() }
    }

    /// Reads a document. Blocks the calling thread for the limit of time at most, and a little more.
    ///
    /// # Errors
    /// [`ReadFailure`]; [`Problem::may_pass`](crate::Problem::may_pass) says whether trying again may help.
    pub fn read(&self, document: &[u8]) -> Result<Extracted, ReadFailure> {
        let mut process = match self.waiting_one() {
            Some(process) => process,
            None => ReaderProcess::start(&self.command)?,
        };
        let outcome = process.read(document);
        if process.documents() < DOCUMENTS_PER_PROCESS && process.is_usable() {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(process);
        }
        outcome
    }

    /// Those that ended while they waited are left out.
    fn waiting_one(&self) -> Option<ReaderProcess> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(mut process) = waiting.pop() {
            if process.is_usable() {
                return Some(process);
            }
        }
        None
    }
}
