//! One partition: records in order, the spans of open transactions, and what each kind of reader may see.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};

use super::super::{Isolation, LogRecord, Offset};

/// Names a transaction over the whole life of the log; the same transactional id gets a new one each time.
pub(super) type TransactionNumber = u64;

/// The position asked for lies outside what exists.
#[derive(Debug)]
pub(super) struct PositionOutOfRange;

#[derive(Debug)]
struct Entry {
    record: LogRecord,
    transaction: Option<TransactionNumber>,
    aborted: bool,
}

/// The first record a transaction wrote here; it holds the last stable offset until its marker is written.
#[derive(Debug)]
struct OpenSpan {
    transaction: TransactionNumber,
    first: Offset,
}

/// Control records take an offset and nothing else, so they are kept as gaps between the entries' offsets.
#[derive(Debug, Default)]
pub(super) struct Partition {
    log_start: Offset,
    next_offset: Offset,
    entries: VecDeque<Entry>,
    open: Vec<OpenSpan>,
}

impl Partition {
    /// Appends a record, whose `offset` is set here. Also tells whether it is the transaction's first in this partition.
    pub(super) fn append(&mut self, mut record: LogRecord, transaction: Option<TransactionNumber>) -> (Offset, bool) {
        let offset = self.next_offset;
        let opens_span = transaction.is_some_and(|number| self.open.iter().all(|span| span.transaction != number));
        if let Some(number) = transaction.filter(|_| opens_span) {
            self.open.push(OpenSpan { transaction: number, first: offset });
        }
        record.offset = offset;
        self.entries.push_back(Entry { record, transaction, aborted: false });
        self.next_offset += 1;
        (offset, opens_span)
    }

    /// Writes the marker of a decided transaction.
    pub(super) fn write_marker(&mut self, transaction: TransactionNumber, commit: bool) {
        let Some(place) = self.open.iter().position(|span| span.transaction == transaction) else { return };
        let span = self.open.swap_remove(place);
        if !commit {
            let from = self.index_of(span.first);
            for entry in self.entries.range_mut(from..) {
                entry.aborted |= entry.transaction == Some(transaction);
            }
        }
        self.next_offset += 1;
    }

    /// The lowest offset that exists.
    pub(super) fn log_start(&self) -> Offset {
        self.log_start
    }

    /// The offset behind the last record or marker, open transactions included.
    pub(super) fn high_watermark(&self) -> Offset {
        self.next_offset
    }

    /// Where a reader of this isolation must stop.
    pub(super) fn end(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::ReadUncommitted => self.next_offset,
            Isolation::ReadCommitted => self.open.iter().map(|span| span.first).min().unwrap_or(self.next_offset),
        }
    }

    /// Adds at most `limit` visible records from `from` on to `records`; answers the position to go on from.
    pub(super) fn read(
        &self,
        from: Offset,
        limit: usize,
        isolation: Isolation,
        records: &mut Vec<LogRecord>,
    ) -> Result<Offset, PositionOutOfRange> {
        if from < self.log_start || from > self.next_offset {
            return Err(PositionOutOfRange);
        }
        let end = self.end(isolation);
        if from >= end {
            return Ok(from);
        }
        let mut left = limit;
        for entry in self.entries.range(self.index_of(from)..) {
            let offset = entry.record.offset;
            if offset >= end {
                break;
            }
            if left == 0 {
                return Ok(offset);
            }
            if entry.aborted && isolation == Isolation::ReadCommitted {
                continue;
            }
            records.push(entry.record.clone());
            left -= 1;
        }
        Ok(end)
    }

    /// How many committed records stand at `from` or behind it.
    pub(super) fn committed_from(&self, from: Offset) -> usize {
        let end = self.end(Isolation::ReadCommitted);
        let from_here = self.entries.range(self.index_of(from)..);
        from_here.take_while(|entry| entry.record.offset < end).filter(|entry| !entry.aborted).count()
    }

    /// Keeps the last committed record of each key, and whatever the last stable offset does not yet cover.
    pub(super) fn compact(&mut self, remove_tombstones: bool) {
        let end = self.end(Isolation::ReadCommitted);
        let mut last_of_key = HashMap::new();
        for entry in self.entries.iter().filter(|entry| entry.record.offset < end && !entry.aborted) {
            last_of_key.insert(entry.record.key.clone(), entry.record.offset);
        }
        let kept: HashSet<Offset> = last_of_key.into_values().collect();
        self.entries.retain(|entry| {
            let offset = entry.record.offset;
            let removable_tombstone = remove_tombstones && entry.record.value.is_none();
            offset >= end || (kept.contains(&offset) && !removable_tombstone)
        });
    }

    /// Deletes the records below `offset`; an offset beyond the last stable one is lowered to it.
    pub(super) fn delete_before(&mut self, offset: Offset) {
        let new_start = offset.min(self.end(Isolation::ReadCommitted)).max(self.log_start);
        let first_kept = self.index_of(new_start);
        self.entries.drain(..first_kept);
        self.log_start = new_start;
    }

    /// Index of the first entry at `offset` or behind it. Without gaps before it that is a subtraction.
    fn index_of(&self, offset: Offset) -> usize {
        let Some(first) = self.entries.front() else { return 0 };
        let guess = usize::try_from(offset - first.record.offset).unwrap_or(0);
        if self.entries.get(guess).is_some_and(|entry| entry.record.offset == offset) {
            return guess;
        }
        self.entries.partition_point(|entry| entry.record.offset < offset)
    }
}
