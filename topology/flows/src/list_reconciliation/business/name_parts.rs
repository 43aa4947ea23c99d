//! How names relate to each other: hyphens, apostrophes, parts, capitals. Texts are compared as they stand.

/// The parts between spaces of one are the parts between hyphens of the other: `KEW JONES`, `KEW-JONES`.
pub(super) fn is_hyphenated(spaced: &str, hyphened: &str) -> bool {
    !spaced.is_empty() && !hyphened.is_empty() && spaced.split_whitespace().eq(hyphened.split('-'))
}

/// One is the other without the apostrophe: `OCONNER` or `O CONNER`, `O'CONNER`.
pub(super) fn lacks_apostrophe(without: &str, with: &str) -> bool {
    let without_space = without.chars().filter(|character| *character != ' ');
    let without_apostrophe = with.chars().filter(|character| *character != '\'');
    !without.is_empty() && !with.is_empty() && without_space.eq(without_apostrophe)
}

/// `short` is the first word, or the first part before a hyphen, of `long`.
pub(super) fn is_first_part(short: &str, long: &str) -> bool {
    !short.is_empty() && (long.split_whitespace().next() == Some(short) || is_first_hyphened_part(short, long))
}

/// `short` is what stands before the first hyphen of `long`.
pub(super) fn is_first_hyphened_part(short: &str, long: &str) -> bool {
    !short.is_empty() && long.split_once('-').is_some_and(|(first, _)| first == short)
}

/// `short` is one of the words of `long`, but not the first.
pub(super) fn is_later_word(short: &str, long: &str) -> bool {
    !short.is_empty() && long.split_whitespace().skip(1).any(|word| word == short)
}

/// The words of `short` are the first words of `long`, which has more.
pub(super) fn are_first_words(short: &str, long: &str) -> bool {
    let mut words = long.split_whitespace();
    !short.is_empty() && short.split_whitespace().all(|word| words.next() == Some(word)) && words.next().is_some()
}

/// Every part has its capital in the right place: `Smith`, `Kew-Jones`, `O'Conner`. No name is not such a name.
pub(super) fn is_well_cased(name: &str) -> bool {
    let mut parts = name.split_whitespace().flat_map(|word| word.split('-')).peekable();
    parts.peek().is_some() && parts.all(is_well_cased_part)
}

fn is_well_cased_part(part: &str) -> bool {
    let (initial, rest) = match part.split_once('\'') {
        Some((initial, rest)) => (Some(initial), rest),
        None => (None, part),
    };
    let is_one_capital = |text: &str| {
        let mut characters = text.chars();
        characters.next().is_some_and(char::is_uppercase) && characters.next().is_none()
    };
    let mut characters = rest.chars();
    initial.is_none_or(is_one_capital)
        && characters.next().is_some_and(char::is_uppercase)
        && !characters.as_str().is_empty()
        && characters.all(char::is_lowercase)
}

/// The text has capitals only, as the extract demands: it cannot say which letters are capitals in the person's name.
pub(super) fn is_in_capitals(name: &str) -> bool {
    !name.chars().any(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hyphen_in_the_place_of_a_space_is_told_from_other_differences() {
        assert!(is_hyphenated("KEW JONES", "KEW-JONES"));
        assert!(!is_hyphenated("KEW-JONES", "KEW JONES"));
        assert!(!is_hyphenated("KEWJONES", "KEW-JONES"));
        assert!(!is_hyphenated("", "-"));
    }

    #[test]
    fn a_missing_apostrophe_may_have_left_a_space() {
        assert!(lacks_apostrophe("OCONNER", "O'CONNER"));
        assert!(lacks_apostrophe("O CONNER", "O'CONNER"));
        assert!(!lacks_apostrophe("O'CONNER", "OCONNER"));
        assert!(!lacks_apostrophe("", "'"));
    }

    #[test]
    fn parts_are_whole_words_or_what_stands_before_a_hyphen() {
        assert!(is_first_part("MARK", "MARK RICH") && is_first_part("MARK", "MARK-RICH"));
        assert!(!is_first_part("MAR", "MARK RICH") && !is_first_part("RICH", "MARK RICH") && !is_first_part("", "-A"));
        assert!(is_later_word("RICH", "MARK RICH") && !is_later_word("MARK", "MARK RICH"));
        assert!(!is_later_word("RICH", "MARK-RICH"));
        assert!(are_first_words("ANNA BEA", "ANNA BEA CLARA"));
        assert!(!are_first_words("ANNA BEA", "ANNA BEA") && !are_first_words("ANNA C", "ANNA BEA C"));
        assert!(!are_first_words("", "ANNA"));
    }

    #[test]
    fn a_name_is_well_cased_when_each_part_is() {
        for name in ["Smith", "Kew-Jones", "Kew Jones", "O'Conner", "Élan", "D'Arcy-O'Neil Ash"] {
            assert!(is_well_cased(name), "{name}");
        }
        for name in
            ["", "smith", "SMITH", "Kew-jones", "O'conner", "McDonald", "S", "O'", "'Smith", "Oo'Conner", "Sm1th"]
        {
            assert!(!is_well_cased(name), "{name}");
        }
    }
}
