//! Names of code systems, which each kind of document names in its own way.

const KNOWN: [(&str, &str); 12] = [
    ("https://dmd.nhs.uk", "dm+d"),
    ("http://dmd.nhs.uk", "dm+d"),
    ("dm+d", "dm+d"),
    ("dmd", "dm+d"),
    ("http://snomed.info/sct", "snomed"),
    ("2.16.840.1.113883.6.96", "snomed"),
    ("snomed", "snomed"),
    ("snomed-ct", "snomed"),
    ("sct", "snomed"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "rxnorm"),
    ("2.16.840.1.113883.6.88", "rxnorm"),
    ("rxnorm", "rxnorm"),
];

/// `dm+d`, `snomed`, `rxnorm`, or the system as the document names it.
pub(crate) fn named(system: &str) -> &str {
    let system = system.trim();
    let bare = system.strip_prefix("urn:oid:").unwrap_or(system);
    let known = KNOWN.iter().find(|(known, _)| bare.eq_ignore_ascii_case(known));
    known.map_or(system, |(_, name)| name)
}

/// Which of several codes of one thing is the one to keep: dm+d before SNOMED CT before any other. Lower is better.
pub(crate) fn rank(system: &str) -> usize {
    match named(system) {
        "dm+d" => 0,
        "snomed" => 1,
        "rxnorm" => 2,
        _ => 3,
    }
}

/// What SNOMED CT puts in brackets behind the full name of a concept, to say what kind of thing it is.
const TAGS: [&str; 14] = [
    "product",
    "medicinal product",
    "medicinal product form",
    "clinical drug",
    "real clinical drug",
    "substance",
    "qualifier value",
    "dose form",
    "basic dose form",
    "finding",
    "disorder",
    "morphologic abnormality",
    "situation",
    "situation with explicit context",
];

/// What a concept is called, without such a tag.
pub(crate) fn without_tag(text: &str) -> &str {
    let Some((name, tag)) = text.trim().strip_suffix(')').and_then(|text| text.rsplit_once(" (")) else { return text };
    if TAGS.contains(&tag) { name.trim_end() } else { text }
}

/// SNOMED CT codes that say that there is no allergy, or that none is known.
const NO_ALLERGY: [&str; 8] =
    ["716186003", "409137002", "428607008", "429625007", "428197003", "716184000", "716220001", "160244002"];

/// Whether a code or a text says that there is no allergy.
pub(crate) fn denies_allergies(code: &str, text: &str) -> bool {
    let text = text.trim().trim_end_matches(['.', ':']).to_lowercase();
    if is_absent(code) {
        return true;
    }
    let denied = ["nkda", "nka", "nil known", "none known", "none", "nil", "no known allergies", "no allergies"];
    NO_ALLERGY.contains(&code.trim())
        || denied.contains(&text.as_str())
        || text.starts_with("no known ")
        || text.starts_with("no allerg")
        || text.starts_with("no information about ")
}

/// Codes of the International Patient Summary for what is not there or not known: `no-allergy-info`, `no-known-medications`.
pub(crate) fn is_absent(code: &str) -> bool {
    code.starts_with("no-known-") || (code.starts_with("no-") && code.ends_with("-info"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_system_has_one_name_in_whatever_document() {
        assert_eq!(named("https://dmd.nhs.uk"), "dm+d");
        assert_eq!(named("urn:oid:2.16.840.1.113883.6.96"), "snomed");
        assert_eq!(named("SCT"), "snomed");
        assert_eq!(named("http://example.org/own"), "http://example.org/own");
        assert!(rank("dm+d") < rank("SCT") && rank("SCT") < rank("http://example.org/own"));
    }

    #[test]
    fn the_kind_of_thing_that_a_concept_is_does_not_belong_to_its_name() {
        for (text, name) in [
            ("Film-coated tablet (qualifier value)", "Film-coated tablet"),
            ("Allergenic extract, penicillin (substance)", "Allergenic extract, penicillin"),
            ("Salbutamol (Ventolin)", "Salbutamol (Ventolin)"),
            ("(product)", "(product)"),
        ] {
            assert_eq!(without_tag(text), name);
        }
    }

    #[test]
    fn no_known_allergies_is_no_allergy() {
        assert!(denies_allergies("716186003", "No known allergy"));
        assert!(denies_allergies("", "NKDA"));
        assert!(denies_allergies("", "No known drug allergies"));
        assert!(denies_allergies("no-allergy-info", "No information about allergies"));
        assert!(!denies_allergies("91936005", "Penicillin"));
    }
}
