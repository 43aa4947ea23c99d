//! What a task's state says of itself, and how that is stored: a few rows beside the values, written in the same batch.

use crate::{StateError, StoreSpec};

/// Format of the stored state that this program writes. State of a newer format is refused.
pub const FORMAT_VERSION: u32 = 1;

/// The stream time of a task that has seen no record.
pub const NO_STREAM_TIME: i64 = -1;

/// What a task's state says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedMeta {
    /// Format of the stored state.
    pub format_version: u32,
    /// Fingerprint of the topology that wrote it.
    pub fingerprint: String,
    /// For each store the changelog offset to read next; `None` when nothing of the changelog is in the store.
    pub changelog_positions: Vec<Option<i64>>,
    /// Topic, partition and next offset of the inputs at the last commit. For diagnosis only: the group's committed offsets decide.
    pub input_positions: Vec<(String, i32, i64)>,
    /// Largest record time seen, milliseconds since 1970; [`NO_STREAM_TIME`] before the first record.
    pub stream_time_ms: i64,
    /// When the state was last known to hold all that was committed, milliseconds since 1970: the last commit, the end of a
    /// restore, or a clean stop; 0 before.
    pub committed_at_ms: i64,
}

impl CommittedMeta {
    /// The meta of a task that never committed.
    pub(crate) fn empty(fingerprint: String, stores: usize) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            fingerprint,
            changelog_positions: vec![None; stores],
            input_positions: Vec::new(),
            stream_time_ms: NO_STREAM_TIME,
            committed_at_ms: 0,
        }
    }
}

/// What a commit adds to the task's meta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitMeta {
    /// For each store the changelog offset to read next; `None`, or a list that ends early, keeps the old position.
    pub changelog_positions: Vec<Option<i64>>,
    /// Topic, partition and next offset of the inputs.
    pub input_positions: Vec<(String, i32, i64)>,
    /// Largest record time seen, milliseconds since 1970.
    pub stream_time_ms: i64,
    /// Time of the commit, milliseconds since 1970.
    pub committed_at_ms: i64,
}

impl Default for CommitMeta {
    fn default() -> Self {
        Self {
            changelog_positions: Vec::new(),
            input_positions: Vec::new(),
            stream_time_ms: NO_STREAM_TIME,
            committed_at_ms: 0,
        }
    }
}

const FORMAT_ROW: &str = "format_version";
const FINGERPRINT_ROW: &str = "fingerprint";
const STREAM_TIME_ROW: &str = "stream_time_ms";
const COMMITTED_AT_ROW: &str = "committed_at_ms";
const INPUTS_ROW: &str = "inputs";
const STORE_ROW_PREFIX: &str = "store/";
/// Not there before a changelog's identity was known, and never read by programs that know nothing of it: no new format.
const CHANGELOG_ROW_PREFIX: &str = "changelog/";

/// One row of the meta column.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// The rows to store. Positions are kept by store name, so that stores may be added, moved or left out between versions of a
/// topology, and a store that is left out for a while finds its position again.
pub(crate) fn rows(meta: &CommittedMeta, stores: &[StoreSpec]) -> Vec<Row> {
    let mut rows = vec![
        row(FORMAT_ROW, meta.format_version.to_string()),
        row(FINGERPRINT_ROW, meta.fingerprint.clone()),
        row(STREAM_TIME_ROW, meta.stream_time_ms.to_string()),
        row(COMMITTED_AT_ROW, meta.committed_at_ms.to_string()),
        row(INPUTS_ROW, inputs_text(&meta.input_positions)),
    ];
    for (store, position) in stores.iter().zip(&meta.changelog_positions) {
        rows.push(store_row(store, *position));
    }
    rows
}

/// The row that says how a store's values look and how far its changelog was read.
pub(crate) fn store_row(store: &StoreSpec, position: Option<i64>) -> Row {
    let form = form(store.is_stamped());
    let position = position.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
    row(&format!("{STORE_ROW_PREFIX}{}", store.name), format!("{form} {position}"))
}

/// The row that names the changelog a store is a copy of.
pub(crate) fn changelog_row(store: &str, id: &str) -> Row {
    row(&format!("{CHANGELOG_ROW_PREFIX}{store}"), id.to_owned())
}

/// The stored rows of one task, by name.
pub(crate) struct MetaRows<'a> {
    place: &'a str,
    rows: Vec<(String, String)>,
}

impl<'a> MetaRows<'a> {
    /// Takes all rows of the meta column of `place`.
    pub(crate) fn new(place: &'a str, stored: impl IntoIterator<Item = Row>) -> Result<Self, StateError> {
        let mut rows = Vec::new();
        for (name, value) in stored {
            match (String::from_utf8(name), String::from_utf8(value)) {
                (Ok(name), Ok(value)) => rows.push((name, value)),
                _ => return Err(damaged(place, "a row of its meta column is not text")),
            }
        }
        let rows = Self { place, rows };
        rows.check_format()?;
        Ok(rows)
    }

    fn check_format(&self) -> Result<(), StateError> {
        let Some(text) = self.row(FORMAT_ROW) else {
            return Ok(());
        };
        let found: u32 = self.number(FORMAT_ROW, text)?;
        if found > FORMAT_VERSION {
            return Err(StateError::NewerFormat { place: self.place.to_owned(), found, supported: FORMAT_VERSION });
        }
        Ok(())
    }

    /// The meta as seen by a task with `stores`; `None` before the first commit.
    pub(crate) fn for_stores(&self, stores: &[StoreSpec]) -> Result<Option<CommittedMeta>, StateError> {
        let mut changelog_positions = Vec::with_capacity(stores.len());
        for store in stores {
            let Some((stamped, position)) = self.store(&store.name)? else {
                changelog_positions.push(None);
                continue;
            };
            if stamped != store.is_stamped() {
                return Err(StateError::StoreLayoutChanged {
                    place: self.place.to_owned(),
                    store: store.name.clone(),
                    written: form(stamped),
                    declared: form(store.is_stamped()),
                });
            }
            changelog_positions.push(position);
        }
        let Some(committed_at_ms) = self.row(COMMITTED_AT_ROW) else {
            return Ok(None);
        };
        Ok(Some(CommittedMeta {
            format_version: self.required_number(FORMAT_ROW)?,
            fingerprint: self.row(FINGERPRINT_ROW).unwrap_or_default().to_owned(),
            changelog_positions,
            input_positions: self.inputs()?,
            stream_time_ms: self.required_number(STREAM_TIME_ROW)?,
            committed_at_ms: self.number(COMMITTED_AT_ROW, committed_at_ms)?,
        }))
    }

    /// The rows that opening a task adds, so that its state describes itself from the start: the format if it has none, and the
    /// form of each new store.
    ///
    /// # Errors
    /// [`StateError::StoreLayoutChanged`] when a store's values are not of the declared form.
    pub(crate) fn rows_to_add(&self, stores: &[StoreSpec]) -> Result<Vec<Row>, StateError> {
        self.for_stores(stores)?;
        let mut added = Vec::new();
        if self.row(FORMAT_ROW).is_none() {
            added.push(row(FORMAT_ROW, FORMAT_VERSION.to_string()));
        }
        for store in stores {
            if self.store(&store.name)?.is_none() {
                added.push(store_row(store, None));
            }
        }
        Ok(added)
    }

    /// The names of the stores that were ever declared.
    pub(crate) fn store_names(&self) -> Vec<String> {
        let names = self.rows.iter();
        names.filter_map(|(row, _)| row.strip_prefix(STORE_ROW_PREFIX).map(str::to_owned)).collect()
    }

    /// Whether a store's values are stamped, and its changelog position.
    pub(crate) fn store(&self, name: &str) -> Result<Option<(bool, Option<i64>)>, StateError> {
        let row_name = format!("{STORE_ROW_PREFIX}{name}");
        let Some(text) = self.row(&row_name) else {
            return Ok(None);
        };
        let Some((form_word, position)) = text.split_once(' ') else {
            return Err(damaged(self.place, "a store's row is not of this format"));
        };
        let position = match position {
            "-" => None,
            offset => Some(self.number(&row_name, offset)?),
        };
        Ok(Some((form_word == form(true), position)))
    }

    /// The identity of the changelog that a store is a copy of; `None` when it was never kept.
    pub(crate) fn changelog_id(&self, store: &str) -> Option<String> {
        self.row(&format!("{CHANGELOG_ROW_PREFIX}{store}")).map(str::to_owned)
    }

    fn inputs(&self) -> Result<Vec<(String, i32, i64)>, StateError> {
        let mut inputs = Vec::new();
        for line in self.row(INPUTS_ROW).unwrap_or_default().lines() {
            let mut words = line.split(' ');
            let (Some(topic), Some(partition), Some(offset)) = (words.next(), words.next(), words.next()) else {
                return Err(damaged(self.place, "the inputs row is not of this format"));
            };
            inputs.push((topic.to_owned(), self.number(INPUTS_ROW, partition)?, self.number(INPUTS_ROW, offset)?));
        }
        Ok(inputs)
    }

    fn row(&self, name: &str) -> Option<&str> {
        let found = self.rows.iter().find(|(row, _)| row == name);
        found.map(|(_, value)| value.as_str())
    }

    fn required_number<N: std::str::FromStr>(&self, name: &str) -> Result<N, StateError> {
        match self.row(name) {
            Some(text) => self.number(name, text),
            None => Err(damaged(self.place, &format!("its {name} row is missing"))),
        }
    }

    fn number<N: std::str::FromStr>(&self, name: &str, text: &str) -> Result<N, StateError> {
        text.parse().map_err(|_| damaged(self.place, &format!("its {name} row holds no number")))
    }
}

/// The word by which a store's row says how its values look.
fn form(stamped: bool) -> &'static str {
    if stamped { "with-time-to-live" } else { "without-time-to-live" }
}

fn inputs_text(inputs: &[(String, i32, i64)]) -> String {
    let mut text = String::new();
    for (topic, partition, offset) in inputs {
        text.push_str(&format!("{topic} {partition} {offset}\n"));
    }
    text
}

fn row(name: &str, value: String) -> Row {
    (name.as_bytes().to_vec(), value.into_bytes())
}

fn damaged(place: &str, reason: &str) -> StateError {
    StateError::Corrupt { place: place.to_owned(), reason: reason.to_owned() }
}
