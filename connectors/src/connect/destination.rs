//! Where results go.

use super::assembly::WholeFile;
use super::error::Trouble;

/// What became of a file that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// It is there, now or since an earlier time; with its id or address there.
    Sent(String),
    /// It will never be accepted: code and cause.
    Refused(String),
}

/// What became of a file that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// It is still on its way.
    OnItsWay,
    /// Its recipient has taken it.
    Taken,
    /// It was given back: code and cause.
    GivenBack(String),
}

/// Where results go. Handing the same file over again must change nothing.
pub trait Destination: Send {
    /// Hands a file over.
    ///
    /// # Errors
    /// It is not there and not refused for good, or nobody knows: hand it over again.
    fn hand_over(&mut self, file: &mut WholeFile) -> Result<Handed, Trouble>;

    /// What became of a file, by the id that [`Handed::Sent`] gave. Where nothing is known beyond the handing over, it has
    /// arrived with that: `None`.
    ///
    /// # Errors
    /// Nobody answers.
    fn arrival(&mut self, reference: &str) -> Result<Option<Arrival>, Trouble>;

    /// Drops connections.
    fn forget(&mut self);
}
