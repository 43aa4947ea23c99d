//! Forms in which states are stored: a first byte that says which, then postcard.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The form that this program writes.
const FORM: u8 = 4;

/// A stored state that this program cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored state is of another form than this program writes: run the program that wrote it")]
pub struct UnreadableState;

/// The bytes to store of a state.
///
/// # Errors
/// Only for a state that cannot be written in this form, of which there is none here.
pub fn stored<T: Serialize>(state: &T) -> Result<Vec<u8>, UnreadableState> {
    postcard::to_extend(state, vec![FORM]).map_err(|_| UnreadableState)
}

/// The state of stored bytes.
///
/// # Errors
/// When another program wrote them.
pub fn from_stored<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, UnreadableState> {
    match bytes.split_first() {
        Some((&FORM, state)) => postcard::from_bytes(state).map_err(|_| UnreadableState),
        _ => Err(UnreadableState),
    }
}
