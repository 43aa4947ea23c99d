//! The exchange with DPS, which holds all of PDS and compares extracts with it: list reconciliation sends it the extract, and
//! it answers in JSON Lines. Concord can play either side.
//!
//! An answer is, in this order: a header; the records that are not valid; the patients of whom there is something to report;
//! the people whom only PDS registers at the practice; a trailer with totals, by which a cut answer is told from a whole one.
//! `schemas/json/dps-answer.schema.json` describes the lines; a test holds it against what is written and read here.
//!
//! Everything here is a function of what it is given. The processor that sends extracts and waits for answers is
//! `asking_dps`; where this program is in the place of DPS, the comparison composes the lines, and the report writes them.
//!
//! - To answer: [`line_of_patient`] and its sisters say what there is to report, [`write_line`] writes it, and [`Totals`] are
//!   counted along the way for the trailer.
//! - To read an answer: [`AnswerReader`] reads it, once for the verdict and once for the rows; [`receive`] says what becomes of the job; and
//!   [`rows_of_patient`] and its sisters make the rows of the output files, the same that comparing here would have made.

mod answer;
mod answer_file;
mod blocks;
pub mod codes;
mod composing;
mod exchange;
mod lines;
mod parsing;
mod reader;
mod rows;
mod totals;
mod unknown_fields;

pub use answer::{Flaw, Refusal};
pub(super) use answer_file::{Answered, row_of_line};
pub(super) use composing::line_of_compared;
pub use composing::{line_of_invalid_record, line_of_patient, line_of_person_only_on_pds};
pub use exchange::{ExchangeState, JobInExchange, Reaction, receive, time_out};
pub use lines::{
    AnswerLine, FieldMessage, GpBlock, HeaderLine, InvalidRecordLine, OnlyOnPdsLine, PatientLine, PdsBlock, VERSION,
    Verdict, write_line,
};
pub use reader::{AnswerEnd, AnswerReader, OnLine};
pub use rows::{row_of_invalid_record, row_of_person_only_on_pds, rows_of_patient};
pub use totals::Totals;
pub use unknown_fields::UnknownFields;

/// The schema of an answer's lines, as it is published.
pub const ANSWER_SCHEMA: &str = include_str!("../../../../../schemas/json/dps-answer.schema.json");
