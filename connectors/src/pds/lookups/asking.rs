//! Asks several questions at once, while somebody keeps in touch with the group.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::next_step::NextStep;
use crate::pds::PdsChange;
use crate::pds::api::{PdsClient, PdsError};

/// Between two signs of life to the group.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// Whoever can be asked.
pub trait AskPds: Send + Sync {
    /// What PDS holds of a person; see [`PdsClient::look_up`].
    ///
    /// # Errors
    /// See there.
    fn look_up(&self, nhs_number: &str, correlation: &str) -> Result<PdsChange, PdsError>;
}

impl AskPds for PdsClient {
    fn look_up(&self, nhs_number: &str, correlation: &str) -> Result<PdsChange, PdsError> {
        Self::look_up(self, nhs_number, correlation)
    }
}

/// Asks about every number, with its correlation, on so many threads. After a failure that is not the number's own no
/// further one is asked about: its place stays `None`. `meanwhile` is called about once a second.
pub(super) fn ask_all(
    pds: &dyn AskPds,
    numbers: &[(&str, &str)],
    in_flight: usize,
    meanwhile: &mut dyn FnMut(),
) -> Vec<Option<Result<PdsChange, PdsError>>> {
    let mut answers: Vec<_> = numbers.iter().map(|_| None).collect();
    let next = AtomicUsize::new(0);
    let halt = AtomicBool::new(false);
    thread::scope(|scope| {
        let (sender, answered) = mpsc::channel();
        for _ in 0..in_flight.clamp(1, numbers.len().max(1)) {
            let (sender, next, halt) = (sender.clone(), &next, &halt);
            scope.spawn(move || {
                while !halt.load(Ordering::SeqCst) {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    let Some((nhs_number, correlation)) = numbers.get(place) else { return };
                    let answer = pds.look_up(nhs_number, correlation);
                    if answer.as_ref().is_err_and(|error| error.next_step() != NextStep::SetAside) {
                        halt.store(true, Ordering::SeqCst);
                    }
                    // The receiver is there until every sender is gone.
                    let _ = sender.send((place, answer));
                }
            });
        }
        drop(sender);
        loop {
            match answered.recv_timeout(SIGN_OF_LIFE) {
                Ok((place, answer)) => answers[place] = Some(answer),
                Err(RecvTimeoutError::Timeout) => meanwhile(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    });
    answers
}
