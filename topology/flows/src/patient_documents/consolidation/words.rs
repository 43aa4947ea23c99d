//! Texts reduced to what makes them the same: case, punctuation and white space are written differently by every system.

/// The words of a text in lower case, separated by single spaces. Apostrophes vanish, other punctuation separates.
///
/// ```
/// use concord_flows::patient_documents::consolidation::folded;
///
/// assert_eq!(folded("  O'NEIL-Smith,"), folded("Oneil Smith"));
/// ```
#[must_use]
pub fn folded(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\'' | '\u{2018}' | '\u{2019}' | '`' => {}
            other if other.is_alphanumeric() => words.extend(other.to_lowercase()),
            _ if words.ends_with(' ') || words.is_empty() => {}
            _ => words.push(' '),
        }
    }
    words.truncate(words.trim_end().len());
    words
}

/// A text with single spaces, as it may be shown.
pub(super) fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_punctuation_and_white_space_make_no_difference() {
        assert_eq!(folded("12  High St.,\nLeeds"), "12 high st leeds");
        assert_eq!(folded("O\u{2019}Neil"), "oneil");
        assert_eq!(folded("ÉLODIE"), folded("élodie"));
        assert_eq!(folded(" -- "), "");
    }
}
