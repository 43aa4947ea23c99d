//! Between the log and PDS: questions of the topic `pds.lookup` are asked, and the answers published to `pds.answer`.
//!
//! A question's position is committed once its answer is acknowledged by the log, so a crash repeats answers and loses none.
//! Answers are the same whenever they are given, so a repetition changes nothing. What PDS has just said of a number is
//! remembered for a while, and not asked again.
//!
//! While PDS is away, or lets this program not in, questions wait; nothing is given up. A question that can never be answered,
//! or that PDS fails for while it answers others, is answered with a failure and its code.

mod asking;
mod publishing;
mod question;
mod recent;
mod service;
mod settings;

use concord_engine::topology::{Cleanup, TopicDeclaration, TopicRole};
use concord_schemas::codec;

pub use asking::AskPds;
pub use concord_schemas::pds::{PDS_ANSWER, PDS_LOOKUP};
pub use service::{Lookups, Standing, Step};
pub use settings::LookupSettings;

const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// The two topics, as they are created where no flow declares them.
#[must_use]
pub fn topics(partitions: i32) -> [TopicDeclaration; 2] {
    let of_a_week = |name: &str, role, schema| TopicDeclaration {
        name: name.into(),
        role,
        key: "NHS number",
        schema: Some(schema),
        partitions,
        cleanup: Cleanup::DeleteAfter { retention_ms: WEEK_MS },
    };
    [
        of_a_week(PDS_LOOKUP, TopicRole::Input, &codec::PDS_LOOKUP),
        of_a_week(PDS_ANSWER, TopicRole::Output, &codec::PDS_ANSWER),
    ]
}
