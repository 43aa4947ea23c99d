//! What was written of late and is committed, kept in memory: keys that are read for each record (counts, sequence numbers, jobs
//! under way) would otherwise be looked for in the database again after each commit.
//!
//! Two generations: writes go to the young one; when that is full it becomes the old one, and what was old is forgotten.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::StoreIndex;
use crate::overlay::{Change, entry_bytes};

type Generation = HashMap<Arc<[u8]>, Change>;

/// Committed changes of the stores of a task that are read by key.
pub(crate) struct Recent {
    young: Vec<Generation>,
    old: Vec<Generation>,
    young_bytes: usize,
}

impl Recent {
    pub(crate) fn new(stores: usize) -> Self {
        let generation = || (0..stores).map(|_| Generation::new()).collect();
        Self { young: generation(), old: generation(), young_bytes: 0 }
    }

    /// What was committed last for a key; `None` when that is not known here, `Some(None)` when the key was deleted.
    pub(crate) fn get(&self, store: StoreIndex, key: &[u8]) -> Option<&Change> {
        self.young[store].get(key).or_else(|| self.old[store].get(key))
    }

    /// Takes over what has been committed, and keeps about `limit_bytes` of it; nothing at all when that is 0.
    pub(crate) fn add(
        &mut self,
        store: StoreIndex,
        committed: impl Iterator<Item = (Arc<[u8]>, Change)>,
        limit_bytes: usize,
    ) {
        if limit_bytes == 0 {
            return;
        }
        for (key, change) in committed {
            self.young_bytes += entry_bytes(&key, &change);
            if let Some(replaced) = self.young[store].insert(Arc::clone(&key), change) {
                self.young_bytes -= entry_bytes(&key, &replaced);
            }
            if self.young_bytes > limit_bytes / 2 {
                self.young_bytes = 0;
                std::mem::swap(&mut self.young, &mut self.old);
                self.young.iter_mut().for_each(Generation::clear);
            }
        }
    }

    /// Forgets everything: the database is written past this.
    pub(crate) fn clear(&mut self) {
        self.young_bytes = 0;
        self.young.iter_mut().chain(&mut self.old).for_each(Generation::clear);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn entry(key: &str, value: Option<&'static str>) -> (Arc<[u8]>, Change) {
        (Arc::from(key.as_bytes()), value.map(|value| Bytes::from_static(value.as_bytes())))
    }

    #[test]
    fn the_last_committed_change_is_known_and_old_ones_are_forgotten() {
        let mut recent = Recent::new(1);
        recent.add(0, [entry("a", Some("1")), entry("b", Some("1"))].into_iter(), 1_000);
        recent.add(0, [entry("a", Some("2")), entry("b", None)].into_iter(), 1_000);
        assert_eq!(recent.get(0, b"a"), Some(&Some(Bytes::from_static(b"2"))));
        assert_eq!(recent.get(0, b"b"), Some(&None), "a deletion is known too");
        assert_eq!(recent.get(0, b"c"), None);
        for number in 0..20 {
            recent.add(0, [entry(&format!("further-{number}"), Some("1"))].into_iter(), 1_000);
        }
        assert_eq!(recent.get(0, b"a"), None);
        let kept = (0..20).filter(|number| recent.get(0, format!("further-{number}").as_bytes()).is_some()).count();
        assert!((3..=8).contains(&kept), "{kept} are kept");
    }
}
