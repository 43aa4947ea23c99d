//! Doses by what they say, since the same dose is written in many ways.

use super::words::folded;

/// What is written, and what stands for it. Each is looked for behind those before it, in the words that they left.
const WORDS: [(&str, &str); 35] = [
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("once", "1 times"),
    ("twice", "2 times"),
    ("od", "1 times a day"),
    ("bd", "2 times a day"),
    ("bid", "2 times a day"),
    ("tds", "3 times a day"),
    ("tid", "3 times a day"),
    ("qds", "4 times a day"),
    ("qid", "4 times a day"),
    ("daily", "a day"),
    ("per day", "a day"),
    ("each day", "a day"),
    ("every day", "a day"),
    ("times a day", "daily"),
    ("a day", "1 daily"),
    ("nocte", "at night"),
    ("every night", "at night"),
    ("mane", "in the morning"),
    ("every morning", "in the morning"),
    ("as required", "when required"),
    ("as needed", "when required"),
    ("when needed", "when required"),
    ("if required", "when required"),
    ("prn", "when required"),
    ("tablets", "tablet"),
    ("tabs", "tablet"),
    ("tab", "tablet"),
    ("capsules", "capsule"),
    ("caps", "capsule"),
    ("cap", "capsule"),
    ("puffs", "puff"),
];

/// Words that a dose may begin with and that say nothing.
const EMPTY_BEGINNINGS: [&str; 4] = ["take ", "to be taken ", "inhale ", "apply "];

/// What makes two doses the same.
pub(super) fn dose_key(text: &str) -> String {
    let mut key = format!(" {} ", with_units_joined(&folded(text)));
    for (written, stands_for) in WORDS {
        key = key.replace(&format!(" {written} "), &format!(" {stands_for} "));
    }
    let key = key.trim();
    EMPTY_BEGINNINGS.iter().find_map(|beginning| key.strip_prefix(beginning)).unwrap_or(key).to_owned()
}

/// `500 mg` as `500mg`.
fn with_units_joined(folded: &str) -> String {
    const UNITS: [&str; 7] = ["mg", "g", "microgram", "micrograms", "ml", "units", "unit"];
    let mut text = String::with_capacity(folded.len());
    for word in folded.split(' ') {
        let joins = UNITS.contains(&word) && text.ends_with(|c: char| c.is_ascii_digit());
        if !joins && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dose_is_one_however_it_is_written() {
        let key = dose_key("1 tablet twice a day");
        for text in ["One tablet twice daily", "1 TABLET BD", "Take 1 tablet twice per day", "one tablet, twice a day."]
        {
            assert_eq!(dose_key(text), key, "{text}");
        }
        assert_eq!(dose_key("1 tab daily"), dose_key("1 tablet a day"));
        assert_eq!(dose_key("500 mg tds"), dose_key("500mg three times a day"));
    }

    #[test]
    fn other_doses_are_others() {
        let doses =
            ["1 tablet once a day", "2 tablets once a day", "1 tablet at night", "12 tablets daily", "1 tablet"];
        let keys: std::collections::BTreeSet<String> = doses.iter().map(|dose| dose_key(dose)).collect();
        assert_eq!(keys.len(), doses.len(), "{keys:?}");
        assert_ne!(dose_key("2.5 mg daily"), dose_key("25 mg daily"));
    }
}
