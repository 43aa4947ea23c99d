//! The four words of the contract for what documents write of sex and gender.

const WORDS: [(&str, &str); 19] = [
    ("male", "male"),
    ("m", "male"),
    ("man", "male"),
    ("1", "male"),
    ("female", "female"),
    ("f", "female"),
    ("woman", "female"),
    ("2", "female"),
    ("other", "other"),
    ("o", "other"),
    ("a", "other"),
    ("un", "other"),
    ("indeterminate", "other"),
    ("unknown", "unknown"),
    ("u", "unknown"),
    ("unk", "unknown"),
    ("not known", "unknown"),
    ("not specified", "unknown"),
    ("0", "unknown"),
];

/// `male`, `female`, `other` or `unknown`; `None` for anything else.
pub(crate) fn from_text(text: &str) -> Option<&'static str> {
    let word = text.trim().trim_end_matches('.').to_lowercase();
    WORDS.iter().find(|(written, _)| *written == word).map(|(_, sex)| *sex)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn words_letters_and_the_digits_of_the_nhs_are_understood() {
        assert_eq!(from_text(" Female "), Some("female"));
        assert_eq!(from_text("M"), Some("male"));
        assert_eq!(from_text("2"), Some("female"));
        assert_eq!(from_text("UN"), Some("other"));
        assert_eq!(from_text("not known"), Some("unknown"));
        assert_eq!(from_text("yes"), None);
    }
}
