//! The questions of the earlier way: which numbers are missing, which messages have no receipt, what to enter again.
//!
//! [`compatible`] gives exactly the earlier answers over the documents of the earlier adaptor, with their quirks. [`truthful`]
//! answers from the states of lines. [`history`] makes traffic of documents, so that the one can be held against the other.

pub mod compatible;
pub mod history;
pub mod truthful;
