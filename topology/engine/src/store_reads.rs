//! Committed state by store: which stores are here, single keys, ranges. Each answer says how far its state has come.

use concord_state::{CommittedReader, ReadOnlyDirectory, StateError};

use crate::log::Offset;
use crate::queries::CommittedViews;

/// The tasks whose stores are read: those of a running process, or of a stopped one's folder.
pub struct StoreReads {
    tasks: Vec<(String, i32, CommittedReader)>,
}

/// How far a task's state had come when it was read. Entries beside it are of this commit or a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePosition {
    /// Sub-topology of the task.
    pub sub_topology: String,
    /// Partition of the task.
    pub partition: i32,
    /// Name of the store.
    pub store: String,
    /// The offset of the store's changelog to be read next; `None` when nothing was ever written to the store.
    pub changelog_position: Option<Offset>,
    /// Topic, partition and next offset of the task's inputs.
    pub input_positions: Vec<(String, i32, Offset)>,
    /// Time of the last commit, milliseconds since the epoch; 0 before the first.
    pub committed_at_ms: i64,
}

/// One entry of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreEntry {
    /// Partition of the task that holds it.
    pub partition: i32,
    /// Key.
    pub key: Vec<u8>,
    /// Value as stored.
    pub value: Vec<u8>,
}

/// What was read of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreAnswer {
    /// The tasks that were asked. Tasks of other processes were not.
    pub positions: Vec<StorePosition>,
    /// By key, then partition. The same key may be on several partitions where a processor keeps something for each task.
    pub entries: Vec<StoreEntry>,
    /// Whether the limit left entries out.
    pub more: bool,
}

/// Which keys a scan visits: those that begin with `prefix`, not below `from`, below `to`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// Beginning of the keys; empty for all.
    pub prefix: Vec<u8>,
    /// Lowest key.
    pub from: Option<Vec<u8>>,
    /// The key that is too high.
    pub to: Option<Vec<u8>>,
}

/// Reads the entries of one task, whose partition is given.
type ReadOfTask<'a> = dyn FnMut(i32, &CommittedReader, &mut Vec<StoreEntry>) -> Result<(), StateError> + 'a;

impl StoreReads {
    /// The tasks of this process.
    pub fn of_process(views: &CommittedViews) -> Self {
        let tasks = views.tasks().into_iter().map(|((sub, partition), view)| (sub, partition, view.reader));
        Self { tasks: tasks.collect() }
    }

    /// The tasks in the folder of a stopped process.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn of_folder(directory: &ReadOnlyDirectory) -> Result<Self, StateError> {
        let mut tasks = Vec::new();
        for (sub, partition) in directory.tasks()? {
            match directory.open_task(&sub, partition) {
                Ok(reader) => tasks.push((sub, partition, reader)),
                // A folder made for a task that never got a database.
                Err(StateError::TaskNotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { tasks })
    }

    /// Every store of every task here.
    ///
    /// # Errors
    /// The state cannot be read. Tasks that are closed meanwhile are left out.
    pub fn list(&self) -> Result<Vec<StorePosition>, StateError> {
        let mut listed = Vec::new();
        for (sub, partition, reader) in &self.tasks {
            match positions(sub, *partition, reader) {
                Ok(positions) => listed.extend(positions),
                Err(StateError::Closed) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(listed)
    }

    /// The entries of one key: from each task here that has the store and the key.
    ///
    /// # Errors
    /// [`StateError::UnknownStore`] when no task here has the store; or the state cannot be read.
    pub fn get(&self, store: &str, key: &[u8]) -> Result<StoreAnswer, StateError> {
        self.read(store, &mut |partition, reader, entries| {
            if let Some(value) = reader.get(store, key)? {
                entries.push(StoreEntry { partition, key: key.to_vec(), value: value.to_vec() });
            }
            Ok(())
        })
    }

    /// The first `limit` entries of a range, over all tasks here. Memory is taken for that many entries of each task.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn scan(&self, store: &str, range: &KeyRange, limit: usize) -> Result<StoreAnswer, StateError> {
        let (start, end) = range.bounds();
        if end.as_ref().is_some_and(|end| *end <= start) {
            return self.read(store, &mut |_, _, _| Ok(()));
        }
        let mut answer = self.read(store, &mut |partition, reader, entries| {
            let mut taken = 0;
            reader.scan(store, &start, end.as_deref(), &mut |key, value| {
                entries.push(StoreEntry { partition, key: key.to_vec(), value: value.to_vec() });
                taken += 1;
                // One more than asked for tells whether something is left out.
                taken <= limit
            })
        })?;
        answer.entries.sort_by(|a, b| (&a.key, a.partition).cmp(&(&b.key, b.partition)));
        answer.more = answer.entries.len() > limit;
        answer.entries.truncate(limit);
        Ok(answer)
    }

    fn read(&self, store: &str, read: &mut ReadOfTask<'_>) -> Result<StoreAnswer, StateError> {
        let mut answer = StoreAnswer { positions: Vec::new(), entries: Vec::new(), more: false };
        let mut known = Vec::new();
        for (sub, partition, reader) in &self.tasks {
            let stores = match positions(sub, *partition, reader) {
                Ok(stores) => stores,
                Err(StateError::Closed) => continue,
                Err(error) => return Err(error),
            };
            known.extend(stores.iter().map(|s| s.store.clone()));
            // The position is read first, so that what follows is of that commit or a later one.
            let Some(position) = stores.into_iter().find(|s| s.store == store) else { continue };
            let before = answer.entries.len();
            match read(*partition, reader, &mut answer.entries) {
                Ok(()) => answer.positions.push(position),
                Err(StateError::Closed) => answer.entries.truncate(before),
                Err(error) => return Err(error),
            }
        }
        if !known.iter().any(|name| name == store) {
            known.sort_unstable();
            known.dedup();
            return Err(StateError::UnknownStore { store: store.to_owned(), known: known.join(", ") });
        }
        Ok(answer)
    }
}

impl KeyRange {
    /// The lowest key, and the one that is too high.
    fn bounds(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        let start = match &self.from {
            Some(from) => from.clone().max(self.prefix.clone()),
            None => self.prefix.clone(),
        };
        let end = match (behind_prefix(&self.prefix), &self.to) {
            (Some(behind), Some(to)) => Some(behind.min(to.clone())),
            (Some(behind), None) => Some(behind),
            (None, to) => to.clone(),
        };
        (start, end)
    }
}

/// The lowest key behind all that begin with `prefix`; `None` when there is none.
fn behind_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut behind = prefix[..=last].to_vec();
    behind[last] += 1;
    Some(behind)
}

fn positions(sub: &str, partition: i32, reader: &CommittedReader) -> Result<Vec<StorePosition>, StateError> {
    let meta = reader.meta()?;
    let mut positions = Vec::new();
    for (index, store) in reader.stores()?.into_iter().enumerate() {
        positions.push(StorePosition {
            sub_topology: sub.to_owned(),
            partition,
            store,
            changelog_position: meta.as_ref().and_then(|m| m.changelog_positions.get(index).copied().flatten()),
            input_positions: meta.as_ref().map_or_else(Vec::new, |m| m.input_positions.clone()),
            committed_at_ms: meta.as_ref().map_or(0, |m| m.committed_at_ms),
        });
    }
    Ok(positions)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use bytes::Bytes;
    use concord_state::{CommitMeta, RocksDirectory, RocksOptions, StateDirectory, StoreKind, StoreSpec, TaskState};

    use super::*;

    /// A stopped instance with two tasks; keys `a0`, `b0`, ... on partition 0 and `a1`, ... on partition 1, `both` on both.
    fn stopped_instance(folder: &std::path::Path) -> StoreReads {
        let disk = RocksDirectory::open(folder, RocksOptions::default()).unwrap();
        let stores = vec![StoreSpec::new("patients", StoreKind::KeyValue)];
        for partition in 0..2 {
            let backend = disk.open_task("compare", partition, &stores).unwrap();
            let mut state = TaskState::new(backend, stores.clone(), "v1".to_owned()).unwrap();
            for letter in ["a", "b", "c"] {
                state.put(0, format!("{letter}{partition}").as_bytes(), Bytes::from(letter), 0);
            }
            state.put(0, b"both", Bytes::from(vec![partition as u8]), 0);
            state
                .commit(CommitMeta {
                    changelog_positions: vec![Some(10 + i64::from(partition))],
                    input_positions: vec![("pds.record".to_owned(), partition, 7)],
                    stream_time_ms: 5,
                    committed_at_ms: 1_000,
                })
                .unwrap();
            state.put(0, b"a-never-committed", Bytes::from_static(b"x"), 0);
        }
        drop(disk);
        StoreReads::of_folder(&RocksDirectory::open_read_only(folder).unwrap()).unwrap()
    }

    fn keys(answer: &StoreAnswer) -> Vec<(i32, String)> {
        answer.entries.iter().map(|e| (e.partition, String::from_utf8(e.key.clone()).unwrap())).collect()
    }

    fn named(keys: &[(i32, &str)]) -> Vec<(i32, String)> {
        keys.iter().map(|(partition, key)| (*partition, (*key).to_owned())).collect()
    }

    #[test]
    fn the_list_tells_position_and_commit_time_of_every_store() {
        let folder = tempfile::tempdir().unwrap();
        let listed = stopped_instance(folder.path()).list().unwrap();
        assert_eq!(listed.len(), 2);
        assert_eq!((listed[1].store.as_str(), listed[1].partition), ("patients", 1));
        assert_eq!((listed[1].changelog_position, listed[1].committed_at_ms), (Some(11), 1_000));
        assert_eq!(listed[1].input_positions, [("pds.record".to_owned(), 1, 7)]);
    }

    #[test]
    fn a_key_is_found_on_every_partition_that_has_it_and_absence_names_the_tasks_asked() {
        let folder = tempfile::tempdir().unwrap();
        let reads = stopped_instance(folder.path());
        assert_eq!(keys(&reads.get("patients", b"b1").unwrap()), named(&[(1, "b1")]));
        assert_eq!(keys(&reads.get("patients", b"both").unwrap()), named(&[(0, "both"), (1, "both")]));
        let nowhere = reads.get("patients", b"z").unwrap();
        assert!(nowhere.entries.is_empty());
        assert_eq!(nowhere.positions.iter().map(|p| p.partition).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_scan_is_in_order_of_keys_over_all_tasks_and_sees_committed_entries_only() {
        let folder = tempfile::tempdir().unwrap();
        let reads = stopped_instance(folder.path());
        let all = reads.scan("patients", &KeyRange::default(), 100).unwrap();
        let expected = [(0, "a0"), (1, "a1"), (0, "b0"), (1, "b1"), (0, "both"), (1, "both"), (0, "c0"), (1, "c1")];
        assert_eq!(keys(&all), named(&expected));
        assert!(!all.more);
    }

    #[test]
    fn prefix_and_range_narrow_a_scan_together_and_the_limit_says_what_it_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let reads = stopped_instance(folder.path());
        let scan = |prefix: &str, from: Option<&str>, to: Option<&str>, limit| {
            let bytes = |text: Option<&str>| text.map(|t| t.as_bytes().to_vec());
            let range = KeyRange { prefix: prefix.as_bytes().to_vec(), from: bytes(from), to: bytes(to) };
            let answer = reads.scan("patients", &range, limit).unwrap();
            (keys(&answer), answer.more)
        };
        assert_eq!(scan("b", Some("b1"), None, 9), (named(&[(1, "b1"), (0, "both"), (1, "both")]), false));
        assert_eq!(scan("b", None, Some("b1"), 9), (named(&[(0, "b0")]), false));
        assert_eq!(scan("", None, None, 3), (named(&[(0, "a0"), (1, "a1"), (0, "b0")]), true));
        assert!(!scan("", None, None, 8).1);
        assert_eq!(scan("", Some("c"), Some("a"), 9), (Vec::new(), false));
    }

    #[test]
    fn a_prefix_that_ends_in_the_highest_byte_is_bounded_by_the_byte_before_it() {
        assert_eq!(behind_prefix(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(behind_prefix(&[255]), None);
        assert_eq!(behind_prefix(b""), None);
    }

    #[test]
    fn an_unknown_store_is_an_error_that_names_those_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let error = stopped_instance(folder.path()).get("patient", b"k").unwrap_err().to_string();
        assert!(error.contains("patients"), "{error}");
    }
}
