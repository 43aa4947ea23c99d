//! Generates the traffic of GP links, with faults planted in it, and says which: what an audit of the sequences must find.
//!
//! Practices send registrations to one or two Health Authorities, which answer each interchange with a receipt. What is sent
//! arrives in another order, and some numbers begin again at 1 on the way. Everything follows from the seed.

mod numbering;
mod practice;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use practice::Practice;

/// What to generate.
#[derive(Debug, Clone)]
pub struct LinkTrafficSettings {
    /// Practices; every third has links to two Health Authorities.
    pub practices: u32,
    /// Interchanges that a practice sends on each link; from 20 on there is a change of epoch.
    pub interchanges: u32,
    /// The same seed gives the same traffic.
    pub seed: u64,
    /// When the first is sent.
    pub start: Timestamp,
    /// How long the audit waits for a number. What is only out of order arrives within it, what is late arrives far behind it.
    pub grace: SignedDuration,
    /// Of a thousand interchanges, how many have each kind of fault.
    pub faults_per_mille: u64,
}

/// One interchange on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// When it arrives.
    pub at: Timestamp,
    /// EDIFACT.
    pub text: String,
}

/// A fault that was planted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlantedFault {
    /// What it is.
    pub kind: Planted,
    /// Who sent, or should have sent.
    pub sender: String,
    /// To whom; empty for transactions, which are numbered over all recipients.
    pub recipient: String,
    /// Which numbers: `sis`, `sms` or `tn`.
    pub counter: &'static str,
    /// The first number; 0 for a change of epoch.
    pub from: u64,
    /// The last number, in the order of the line.
    pub to: u64,
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Planted {
    /// Never arrives.
    Lost,
    /// Arrives long after it was missed.
    Late,
    /// Arrives twice, the same both times.
    SentAgain,
    /// Arrives twice, with other content the second time.
    SentDifferent,
    /// The numbers go on elsewhere.
    EpochChange,
    /// No receipt arrives.
    NoReceipt,
    /// A receipt says that a message, or a part of an interchange, was not taken.
    Refused,
    /// A receipt is for what was never sent.
    Orphan,
}

/// Traffic, and what is planted in it.
///
/// ```
/// use concord_connectors::synthetic::{LinkTraffic, LinkTrafficSettings};
/// use jiff::{SignedDuration, Timestamp};
///
/// let traffic = LinkTraffic::generate(&LinkTrafficSettings {
///     practices: 3,
///     interchanges: 50,
///     seed: 1,
///     start: Timestamp::UNIX_EPOCH,
///     grace: SignedDuration::from_hours(1),
///     faults_per_mille: 20,
/// });
/// assert!(traffic.deliveries.len() > 300);
/// assert!(!traffic.planted.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTraffic {
    /// In the order in which they arrive.
    pub deliveries: Vec<Delivery>,
    /// What is planted.
    pub planted: BTreeSet<PlantedFault>,
}

impl LinkTraffic {
    /// Generates everything.
    #[must_use]
    pub fn generate(settings: &LinkTrafficSettings) -> Self {
        let mut traffic = Self { deliveries: Vec::new(), planted: BTreeSet::new() };
        for index in 0..settings.practices {
            Practice::new(settings, index).send_all(&mut traffic);
        }
        // Of the same instant in the order in which they were made.
        traffic.deliveries.sort_by_key(|delivery| delivery.at);
        traffic
    }
}

#[cfg(test)]
mod tests;
