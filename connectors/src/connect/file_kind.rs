//! What kind of file an output is, by its name.

/// The kinds of output files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// `<practice>-CDD-<time>.csv`: the differences.
    Cdd,
    /// `<practice>-OnlyOnGP-<time>.csv`
    OnlyOnGp,
    /// `<practice>-OnlyOnPDS-<time>.csv`
    OnlyOnPds,
    /// `work-items/<name>`
    WorkItem,
    /// `validation.json`: the refused records whole.
    Validation,
    /// `<practice>-DPSAnswer-<time>.jsonl`: the answer that is written in the place of DPS.
    DpsAnswer,
    /// `dps-extract/<name>`: an extract on its way to DPS.
    DpsExtract,
    /// Any other file.
    Other,
}

/// The words for the kinds.
const WORDS: [(FileKind, &str); 8] = [
    (FileKind::Cdd, "cdd"),
    (FileKind::OnlyOnGp, "only-on-gp"),
    (FileKind::OnlyOnPds, "only-on-pds"),
    (FileKind::WorkItem, "work-item"),
    (FileKind::Validation, "validation"),
    (FileKind::DpsAnswer, "dps-answer"),
    (FileKind::DpsExtract, "dps-extract"),
    (FileKind::Other, "other"),
];

impl FileKind {
    /// The kind of a file, by its name in the log.
    pub fn of(name: &str) -> Self {
        if name.starts_with("work-items/") {
            return Self::WorkItem;
        }
        if name.starts_with("dps-extract/") {
            return Self::DpsExtract;
        }
        if name == "validation.json" {
            return Self::Validation;
        }
        // A practice code has no hyphen, so the first two stand around the kind.
        match name.split('-').nth(1) {
            Some("CDD") => Self::Cdd,
            Some("OnlyOnGP") => Self::OnlyOnGp,
            Some("OnlyOnPDS") => Self::OnlyOnPds,
            Some("DPSAnswer") => Self::DpsAnswer,
            _ => Self::Other,
        }
    }

    /// What configurations, logs and metrics call it.
    pub fn as_str(self) -> &'static str {
        WORDS.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, word)| word)
    }

    /// The kind that configurations call so.
    ///
    /// # Errors
    /// The words that there are.
    pub fn from_word(word: &str) -> Result<Self, String> {
        WORDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind).ok_or_else(|| {
            let words: Vec<&str> = WORDS.iter().map(|(_, word)| *word).collect();
            format!("`{word}` is no kind of file: write one of {}", words.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn every_output_has_its_kind_by_its_name() {
        for (name, kind) in [
            ("Y12345-CDD-20210810134000.csv", FileKind::Cdd),
            ("Y12345-OnlyOnGP-20210810134000.csv", FileKind::OnlyOnGp),
            ("Y12345-OnlyOnPDS-20210810134000.csv", FileKind::OnlyOnPds),
            ("work-items/Y12345-WIP-j-9000000009-20210810134000.json", FileKind::WorkItem),
            ("Y12345-DPSAnswer-20210810134000.jsonl", FileKind::DpsAnswer),
            ("dps-extract/Y12345_GPR4LNA1.EIA", FileKind::DpsExtract),
            ("validation.json", FileKind::Validation),
            ("Y12345_GPR4LNA1.EIA", FileKind::Other),
        ] {
            assert_eq!(FileKind::of(name), kind, "{name}");
            assert_eq!(FileKind::from_word(kind.as_str()), Ok(kind));
        }
        let refused = FileKind::from_word("csv").unwrap_err();
        assert!(refused.contains("cdd, only-on-gp"), "{refused}");
    }
}
