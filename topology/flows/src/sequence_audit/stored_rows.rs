//! Rows of what came of late on lines, in a store of the task that has the lines.

use bytes::Bytes;
use concord_engine::topology::StoreHandle;
use concord_engine::{Context, ProcessError};

use super::finding::LineKey;
use super::links::unreadable;
use super::recent::{RecentRow, RecentRows, RowId};
use super::stored::{from_stored, stored};

/// See the module.
pub(super) struct StoredRows<'all, 'ctx> {
    pub ctx: &'all mut Context<'ctx>,
    pub store: StoreHandle<()>,
}

impl RecentRows for StoredRows<'_, '_> {
    type Error = ProcessError;

    fn row(&self, line: &LineKey, id: RowId) -> Result<RecentRow, ProcessError> {
        match self.ctx.get(self.store, stored_under(line, id).as_bytes())? {
            Some(bytes) => Ok(from_stored(&bytes).map_err(unreadable)?),
            None => Ok(RecentRow::default()),
        }
    }

    fn keep(&mut self, line: &LineKey, id: RowId, row: RecentRow) -> Result<(), ProcessError> {
        let bytes = Bytes::from(stored(&row).map_err(unreadable)?);
        self.ctx.put_bytes(self.store, stored_under(line, id).as_bytes(), bytes)
    }

    fn forget(&mut self, line: &LineKey, id: RowId) -> Result<(), ProcessError> {
        self.ctx.delete(self.store, stored_under(line, id).as_bytes())
    }
}

/// `sis/TES5/XX11/0/1`: numbers 17 to 32 of the first epoch.
fn stored_under(line: &LineKey, id: RowId) -> String {
    format!("{line}/{}/{}", id.epoch, id.numbers)
}
