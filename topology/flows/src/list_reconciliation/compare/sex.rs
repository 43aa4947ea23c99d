//! Equality of the practice's sex digit and the FHIR gender word of PDS.

/// Whether the practice's digit is the word of PDS.
///
/// The mapping of 0 and 9 is the earlier implementation's, in both profiles. An absent sex equals only an absent gender;
/// the earlier implementation could not process an absent sex, so there is no earlier result to reproduce.
pub(super) fn same(gp: Option<i32>, pds: &str) -> bool {
    let Some(digit) = gp else {
        return pds.is_empty();
    };
    let word = match digit {
        1 => "male",
        2 => "female",
        0 => "other",
        9 => "unknown",
        _ => return false,
    };
    pds.eq_ignore_ascii_case(word)
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
