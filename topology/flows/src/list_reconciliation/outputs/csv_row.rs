//! One row of a CSV output: commas between fields, quotes only where a field needs them.

/// Appends fields to a row.
pub(in crate::list_reconciliation) struct CsvRow<'out> {
    out: &'out mut String,
    first: bool,
}

impl<'out> CsvRow<'out> {
    /// Starts a row behind whatever `out` holds.
    pub(in crate::list_reconciliation) fn start(out: &'out mut String) -> Self {
        Self { out, first: true }
    }

    /// Appends one field.
    pub(in crate::list_reconciliation) fn field(&mut self, text: &str) {
        self.joined(&[text], "");
    }

    /// Appends one field made of several texts with a separator between them.
    pub(in crate::list_reconciliation) fn joined(&mut self, texts: &[&str], separator: &str) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        let separated = texts.len() > 1 && needs_quotes(separator);
        if !separated && !texts.iter().any(|text| needs_quotes(text)) {
            self.push_joined(texts, separator);
            return;
        }
        self.out.push('"');
        let start = self.out.len();
        self.push_joined(texts, separator);
        if self.out[start..].contains('"') {
            let doubled = self.out[start..].replace('"', "\"\"");
            self.out.truncate(start);
            self.out.push_str(&doubled);
        }
        self.out.push('"');
    }

    fn push_joined(&mut self, texts: &[&str], separator: &str) {
        for (position, text) in texts.iter().enumerate() {
            if position > 0 {
                self.out.push_str(separator);
            }
            self.out.push_str(text);
        }
    }
}

fn needs_quotes(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::CsvRow;

    fn row(fields: &[&str]) -> String {
        let mut out = String::new();
        let mut row = CsvRow::start(&mut out);
        for field in fields {
            row.field(field);
        }
        out
    }

    #[test]
    fn fields_are_quoted_only_where_they_must_be() {
        assert_eq!(row(&["A", "", " B ", "É;'"]), "A,, B ,É;'");
        assert_eq!(row(&["A,B", "A\nB", "A\rB", "A\"B"]), "\"A,B\",\"A\nB\",\"A\rB\",\"A\"\"B\"");
    }

    #[test]
    fn a_joined_field_is_quoted_when_its_separator_or_a_part_asks_for_it() {
        let mut out = String::new();
        let mut row = CsvRow::start(&mut out);
        row.joined(&[], ",");
        row.joined(&["A"], ",");
        row.joined(&["A", "B"], ",");
        row.joined(&["A", "B"], " ");
        row.joined(&["A\"", "B"], " ");
        assert_eq!(out, ",A,\"A,B\",A B,\"A\"\" B\"");
    }
}
