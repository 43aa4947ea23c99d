//! How a task's data lies in named columns, whichever database holds them: one per store, one per expiry index, one for the meta.

use bytes::Bytes;

use crate::{StateError, StoreSpec};

/// The column of the rows in which a task speaks of itself.
pub(crate) const META_COLUMN: &str = "__meta";

/// The column of a store's expiry index.
pub(crate) fn index_column(store: &str) -> String {
    format!("__expiry.{store}")
}

/// All columns of a task with these stores.
pub(crate) fn columns_of(stores: &[StoreSpec]) -> Vec<String> {
    let mut columns = vec![META_COLUMN.to_owned()];
    for store in stores {
        columns.push(store.name.clone());
        if store.is_stamped() {
            columns.push(index_column(&store.name));
        }
    }
    columns
}

/// Committed data by column name: what both databases can do, and all that a reader needs.
pub(crate) trait Columns: Send + Sync {
    /// The task's folder or name, for messages.
    fn place(&self) -> &str;

    /// The value of a key in a column.
    fn get(&self, column: &str, key: &[u8]) -> Result<Option<Bytes>, StateError>;

    /// Visits entries with `start <= key < end` in order until `visit` returns `false`.
    fn scan(
        &self,
        column: &str,
        start: &[u8],
        end: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StateError>;
}

/// All rows of the meta column.
pub(crate) fn meta_rows(columns: &dyn Columns) -> Result<Vec<crate::meta::Row>, StateError> {
    let mut rows = Vec::new();
    columns.scan(META_COLUMN, b"", None, &mut |name, value| {
        rows.push((name.to_vec(), value.to_vec()));
        true
    })?;
    Ok(rows)
}
