//! Rows that wait: a first row for its second, and rows not yet known to be data.

/// A row's place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowNumber {
    /// Counting every line of the file, from 1.
    pub(super) physical: u64,
    /// Counting only lines that are not blank, from 1.
    pub(super) surviving: u64,
}

/// Rows in order, in one buffer that is used again and again.
#[derive(Debug, Default)]
pub(super) struct HeldRows {
    text: String,
    rows: Vec<HeldRow>,
}

#[derive(Debug, Clone, Copy)]
struct HeldRow {
    end: usize,
    number: RowNumber,
}

impl HeldRows {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn bytes(&self) -> usize {
        // The bookkeeping counts: very many one-letter lines must not escape the bound.
        self.text.len() + self.rows.len() * size_of::<HeldRow>()
    }

    pub(super) fn push(&mut self, row: &str, number: RowNumber) {
        self.text.push_str(row);
        self.rows.push(HeldRow { end: self.text.len(), number });
    }

    pub(super) fn get(&self, index: usize) -> Option<(&str, RowNumber)> {
        let row = self.rows.get(index)?;
        let start = match index {
            0 => 0,
            _ => self.rows[index - 1].end,
        };
        Some((&self.text[start..row.end], row.number))
    }

    pub(super) fn drop_first(&mut self, count: usize) {
        if count >= self.rows.len() {
            self.text.clear();
            self.rows.clear();
            return;
        }
        let cut = match count {
            0 => return,
            _ => self.rows[count - 1].end,
        };
        self.text.drain(..cut);
        self.rows.drain(..count);
        for row in &mut self.rows {
            row.end -= cut;
        }
    }
}
