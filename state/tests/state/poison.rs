//! After a failed write nothing goes on with doubtful state.

use bytes::Bytes;
use concord_state::{
    Backend, CommitMeta, CommittedMeta, CommittedReader, MemoryDirectory, StateDirectory, StateError, StoreIndex,
    StoreKind, StoreSpec, TaskState, WriteSet,
};

/// A database whose disk is full.
struct FullDisk(Box<dyn Backend>);

impl FullDisk {
    fn refusal() -> StateError {
        StateError::File {
            action: "write to",
            path: "full".into(),
            source: std::io::Error::from(std::io::ErrorKind::StorageFull),
        }
    }
}

impl Backend for FullDisk {
    fn get(&self, store: StoreIndex, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        self.0.get(store, key)
    }
    fn scan(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError> {
        self.0.scan(store, start, end, visit)
    }
    fn scan_index(
        &self,
        store: StoreIndex,
        start: &[u8],
        end: &[u8],
        visit: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), StateError> {
        self.0.scan_index(store, start, end, visit)
    }
    fn write(&mut self, _: WriteSet<'_>) -> Result<(), StateError> {
        Err(Self::refusal())
    }
    fn meta(&self) -> Result<Option<CommittedMeta>, StateError> {
        self.0.meta()
    }
    fn clear_store(&mut self, _: StoreIndex) -> Result<(), StateError> {
        Err(Self::refusal())
    }
    fn changelog_id(&self, store: StoreIndex) -> Result<Option<String>, StateError> {
        self.0.changelog_id(store)
    }
    fn keep_changelog_id(&mut self, _: StoreIndex, _: &str) -> Result<(), StateError> {
        Err(Self::refusal())
    }
    fn flush(&mut self) -> Result<(), StateError> {
        self.0.flush()
    }
    fn reader(&self) -> CommittedReader {
        self.0.reader()
    }
}

fn state_on_full_disk() -> TaskState {
    let stores = vec![StoreSpec::new("patients", StoreKind::Ordered).with_time_to_live_ms(10)];
    let backend = MemoryDirectory::new().open_task("compare", 0, &stores).unwrap();
    TaskState::new(Box::new(FullDisk(backend)), stores, String::new()).unwrap()
}

fn assert_poisoned(mut state: TaskState) {
    let poisoned = |result: Result<(), StateError>| matches!(result, Err(StateError::Poisoned));
    assert!(poisoned(state.get(0, b"k").map(drop)));
    assert!(poisoned(state.scan(0, b"", None, &mut |_, _| true)));
    assert!(poisoned(state.scan_prefix(0, b"k", &mut |_, _| true)));
    assert!(poisoned(state.commit(CommitMeta::default())));
    assert!(poisoned(state.apply_restored(0, [], 1)));
    assert!(poisoned(state.clear_store(0)));
    assert!(poisoned(state.changelog_id(0).map(drop)));
    assert!(poisoned(state.keep_changelog_id(0, "id")));
    assert!(poisoned(state.expire(1_000, 10).map(drop)));
    assert!(poisoned(state.flush()));
}

#[test]
fn a_failed_commit_poisons_the_state() {
    let mut state = state_on_full_disk();
    state.put(0, b"k", Bytes::from_static(b"v"), 0);
    let failed = state.commit(CommitMeta::default());
    assert!(matches!(failed, Err(StateError::File { .. })));
    assert_poisoned(state);
}

#[test]
fn a_failed_restore_poisons_the_state() {
    let mut state = state_on_full_disk();
    let entry = (&b"k"[..], Some(&b"\0\0\0\0\0\0\0\0v"[..]));
    assert!(state.apply_restored(0, [entry], 1).is_err());
    assert_poisoned(state);
}

#[test]
fn failing_to_clear_a_store_poisons_the_state() {
    let mut state = state_on_full_disk();
    assert!(state.clear_store(0).is_err());
    assert_poisoned(state);
}

#[test]
fn failing_to_keep_a_changelogs_identity_poisons_the_state() {
    let mut state = state_on_full_disk();
    assert!(state.keep_changelog_id(0, "id").is_err());
    assert_poisoned(state);
}
