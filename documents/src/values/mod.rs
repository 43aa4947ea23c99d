//! Values as the contract wants them, from whatever a document writes: dates, names, phones, postcodes, codes, medicines.

pub(crate) mod code_system;
pub(crate) mod date;
pub(crate) mod medicine;
pub(crate) mod name;
pub(crate) mod phone;
pub(crate) mod postcode;
pub(crate) mod product;
pub(crate) mod sex;

use concord_schemas::nhs_number;

/// The ten digits of a valid NHS number, however they are grouped.
pub(crate) fn nhs_number(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(10);
    for one in text.trim().chars() {
        match one {
            '0'..='9' if digits.len() < 10 => digits.push(one),
            ' ' | '-' | '\u{a0}' => {}
            _ => return None,
        }
    }
    nhs_number::is_valid(&digits).then_some(digits)
}

/// Words with which programs fill what they know nothing for.
const UNSAID: [&str; 6] = ["not available", "not known", "unknown", "none", "n/a", "no information"];

/// Whether a text says that there is nothing to say.
pub(crate) fn is_unsaid(text: &str) -> bool {
    UNSAID.contains(&text.trim().to_lowercase().as_str())
}

/// Text with every run of blanks as one, and none around it.
pub(crate) fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}

/// Parts that are not empty, squeezed, with `separator` between them.
pub(crate) fn joined<T: AsRef<str>>(parts: impl IntoIterator<Item = T>, separator: &str) -> String {
    let parts = parts.into_iter().map(|part| squeezed(part.as_ref()));
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(separator)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn an_nhs_number_is_ten_digits_with_the_right_check_digit_however_grouped() {
        for text in ["9990548609", "999 054 8609", " 999-054-8609 "] {
            assert_eq!(nhs_number(text).as_deref(), Some("9990548609"), "{text}");
        }
        for text in ["9990548608", "999054860", "99905486099", "999 O54 8609", ""] {
            assert_eq!(nhs_number(text), None, "{text}");
        }
    }

    #[test]
    fn blanks_are_squeezed_and_empty_parts_left_out() {
        assert_eq!(squeezed("  a \t b\n"), "a b");
        assert_eq!(joined(["1 High Street", " ", "Leeds  West"], ", "), "1 High Street, Leeds West");
    }
}
