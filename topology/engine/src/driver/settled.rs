//! What must hold once all is at rest, whatever went wrong before: the engine's promises as one check.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{DriverError, TopologyTestDriver};
use crate::log::Isolation;

/// Bytes of the time stamp in front of the values in the changelog of a store with a time to live.
const STAMP_BYTES: usize = 8;

impl TopologyTestDriver {
    /// Checks that nothing waits, that no transaction is unfinished, and that the committed state of every task is what its
    /// changelogs say, or the stores it follows from, key by key.
    ///
    /// # Errors
    /// [`DriverError::NotSettled`] with the first that does not hold.
    pub fn check_settled(&self) -> Result<(), DriverError> {
        let lag = self.log.lag(&self.topology.application);
        if lag > 0 {
            return Err(DriverError::NotSettled(format!("{lag} records wait to be processed")));
        }
        let unfinished = self.log.open_transactions();
        if !unfinished.is_empty() {
            return Err(DriverError::NotSettled(format!("transactions are unfinished: {unfinished:?}")));
        }
        for part in &self.topology.sub_topologies {
            for derivation in &part.derivations {
                let sources = self.state_by_partition(part.name, &part.stores[derivation.source].name)?;
                let mut derived = self.state_by_partition(part.name, &part.stores[derivation.into].name)?;
                for (partition, source) in sources {
                    let mut follows = BTreeMap::new();
                    for (key, value) in &source {
                        let outcome = (derivation.entries)(key, value, &mut |key, value| {
                            follows.insert(key.to_vec(), Bytes::copy_from_slice(value));
                        });
                        outcome.map_err(|error| DriverError::NotSettled(error.to_string()))?;
                    }
                    let name = &part.stores[derivation.into].name;
                    let kept = derived.remove(&partition).unwrap_or_default();
                    compare(&format!("store {name} of task {}/{partition}", part.name), &kept, &follows)?;
                }
            }
            for (store, changelog) in part.stores.iter().zip(&part.changelogs) {
                let Some(changelog) = changelog else { continue };
                let mut kept = self.state_by_partition(part.name, &store.name)?;
                let topic = &self.topology.topics[*changelog].name;
                let mut written = self.last_values(topic, store.time_to_live_ms.is_some())?;
                for partition in 0..part.partitions {
                    let Some(kept) = kept.remove(&partition) else {
                        return Err(DriverError::NotSettled(format!("nobody has task {}/{partition}", part.name)));
                    };
                    let written = written.remove(&partition).unwrap_or_default();
                    compare(&format!("store {} of task {}/{partition}", store.name, part.name), &kept, &written)?;
                }
            }
        }
        Ok(())
    }

    /// The last committed value of each key of a changelog, by partition.
    fn last_values(
        &self,
        changelog: &str,
        stamped: bool,
    ) -> Result<BTreeMap<i32, BTreeMap<Vec<u8>, Bytes>>, DriverError> {
        let mut last: BTreeMap<i32, BTreeMap<Vec<u8>, Bytes>> = BTreeMap::new();
        for (partition, record) in self.log.records(changelog, Isolation::ReadCommitted)? {
            let values = last.entry(partition).or_default();
            let key = record.key.map(|key| key.to_vec()).unwrap_or_default();
            match record.value {
                Some(value) if stamped => values.insert(key, value.slice(STAMP_BYTES.min(value.len())..)),
                Some(value) => values.insert(key, value),
                None => values.remove(&key),
            };
        }
        Ok(last)
    }
}

/// Without the values, which may be a patient's.
fn compare(
    place: &str,
    kept: &BTreeMap<Vec<u8>, Bytes>,
    written: &BTreeMap<Vec<u8>, Bytes>,
) -> Result<(), DriverError> {
    let missing = written.keys().filter(|key| !kept.contains_key(*key)).count();
    let surplus = kept.keys().filter(|key| !written.contains_key(*key)).count();
    let other = kept.iter().filter(|(key, value)| written.get(*key).is_some_and(|w| w != *value)).count();
    if missing + surplus + other == 0 {
        return Ok(());
    }
    Err(DriverError::NotSettled(format!(
        "{place} differs from what it follows from: {missing} keys missing, {surplus} too many, {other} with another value"
    )))
}
