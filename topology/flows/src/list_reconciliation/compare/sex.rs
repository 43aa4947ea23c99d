//! Equality of the practice's sex digit and the FHIR gender word of PDS.

/// Whether the practice's digit is the word of PDS.
///
/// The mapping of 0 and 9 is the earlier implementation's, in both profiles. An absent sex equals only an absent gender;
/// the earlier implementation could not process an absent sex, so there is no earlier result to reproduce.
pub(in crate::list_reconciliation) fn same(gp: Option<i32>, pds: &str) -> bool {
    let Some(digit) = gp else {
        return pds.is_empty();
    };
    word(digit).is_some_and(|word| pds.eq_ignore_ascii_case(word))
}

/// The word that stands for a digit.
pub(in crate::list_reconciliation) fn word(digit: i32) -> Option<&'static str> {
    match digit {
        1 => Some("male"),
        2 => Some("female"),
        0 => Some("other"),
        9 => Some("unknown"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn each_digit_stands_for_one_word() {
        let words = ["male", "female", "other", "unknown", ""];
        for (digit, expected) in
            [(Some(1), "male"), (Some(2), "female"), (Some(0), "other"), (Some(9), "unknown"), (None, "")]
        {
            for word in words {
                assert_eq!(same(digit, word), word == expected, "{digit:?} {word:?}");
            }
        }
    }

    #[test]
    fn the_case_of_the_word_makes_no_difference() {
        assert!(same(Some(2), "Female"));
    }
}
