//! What the log tells of earlier deliveries of one route.

use std::collections::{BTreeMap, HashSet};

use concord_schemas::list_reconciliation::Delivery;
use sha2::{Digest, Sha256};

use super::error::Trouble;
use super::reading::read_deliveries;
use super::surroundings::Surroundings;

/// A file by its job and its name.
pub(super) type FileKey = (String, String);

/// See the module. Some 30 bytes for each file that the topic still tells of, more for those on their way.
#[derive(Default)]
pub(super) struct Ledger {
    told: HashSet<[u8; 16]>,
    /// Ids of messages that were sent and of which nothing more is known.
    on_their_way: BTreeMap<FileKey, String>,
}

impl Ledger {
    /// Reads the deliveries of `route`.
    pub(super) fn read(surroundings: &Surroundings, route: &str) -> Result<Self, Trouble> {
        let mut ledger = Self::default();
        read_deliveries(surroundings, &mut |delivery| {
            if delivery.route == route {
                ledger.note(delivery);
            }
        })?;
        Ok(ledger)
    }

    /// A delivery that the log has, or will have.
    pub(super) fn note(&mut self, delivery: &Delivery<'_>) {
        self.told.insert(hash(delivery.job_id, delivery.name));
        let key = (delivery.job_id.to_owned(), delivery.name.to_owned());
        if delivery.state == SENT {
            self.on_their_way.insert(key, delivery.reference.to_owned());
        } else {
            self.on_their_way.remove(&key);
        }
    }

    /// Whether the log says what became of a file.
    pub(super) fn knows(&self, job_id: &str, name: &str) -> bool {
        self.told.contains(&hash(job_id, name))
    }

    /// Up to `most` files on their way, behind `after`, and again from the first.
    pub(super) fn on_their_way(&self, after: Option<&FileKey>, most: usize) -> Vec<(FileKey, String)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let behind = after.map_or(Unbounded, Excluded);
        let copied = |(key, reference): (&FileKey, &String)| (key.clone(), reference.clone());
        self.on_their_way.range::<FileKey, _>((behind, Unbounded)).map(copied).take(most).collect()
    }

    /// Nothing more will be known of it.
    pub(super) fn give_up(&mut self, key: &FileKey) {
        self.on_their_way.remove(key);
    }
}

/// A state of a delivery: handed over.
pub(super) const SENT: &str = "SENT";
/// A state of a delivery: taken by its recipient.
pub(super) const DELIVERED: &str = "DELIVERED";
/// A state of a delivery: refused for good.
pub(super) const REFUSED: &str = "REFUSED";
/// A state of a delivery: given back.
pub(super) const UNDELIVERABLE: &str = "UNDELIVERABLE";

fn hash(job_id: &str, name: &str) -> [u8; 16] {
    let digest = Sha256::new().chain_update(job_id).chain_update([0]).chain_update(name).finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn delivery(name: &'static str, state: &'static str, reference: &'static str) -> Delivery<'static> {
        Delivery { job_id: "j", name, route: "r", state, reference, detail: "", at_ms: 0 }
    }

    #[test]
    fn a_file_is_on_its_way_from_its_sending_to_its_arrival_and_known_ever_after() {
        let mut ledger = Ledger::default();
        assert!(!ledger.knows("j", "a"));
        for (name, reference) in [("a", "M1"), ("b", "M2"), ("c", "M3")] {
            ledger.note(&delivery(name, SENT, reference));
        }
        ledger.note(&delivery("b", DELIVERED, "M2"));
        let names = |found: Vec<(FileKey, String)>| found.into_iter().map(|(_, id)| id).collect::<Vec<_>>();
        assert_eq!(names(ledger.on_their_way(None, 9)), ["M1", "M3"]);
        assert_eq!(names(ledger.on_their_way(Some(&("j".into(), "a".into())), 9)), ["M3"]);
        assert_eq!(names(ledger.on_their_way(None, 1)), ["M1"]);
        ledger.note(&delivery("a", UNDELIVERABLE, "M1"));
        ledger.note(&delivery("d", REFUSED, ""));
        assert_eq!(names(ledger.on_their_way(None, 9)), ["M3"]);
        assert!(["a", "b", "c", "d"].into_iter().all(|name| ledger.knows("j", name)));
    }
}
