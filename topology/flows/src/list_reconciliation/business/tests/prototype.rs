//! The order in which the prototype asked its questions, stated once more as one function, against the table of rules.

use proptest::prelude::*;

use super::*;

/// What the prototype said of two pairs of names that are not letter by letter the same.
fn prototype(gp: Names<'_>, pds: Names<'_>) -> (Decision, Item) {
    use Decision::{UpdateGp, UpdatePds, Validate};
    let same = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
    let cased = |name: &str| {
        let is_part = |part: &str| {
            let letters: Vec<char> = part.chars().collect();
            let is_name = |letters: &[char]| {
                letters.len() > 1
                    && letters[0].is_ascii_uppercase()
                    && letters[1..].iter().all(char::is_ascii_lowercase)
            };
            let has_initial = letters.len() > 2 && letters[0].is_ascii_uppercase() && letters[1] == '\'';
            is_name(&letters) || has_initial && is_name(&letters[2..])
        };
        !name.is_empty() && name.split(' ').all(|word| word.split('-').all(is_part))
    };
    let hyphen = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a.split(' ').eq(b.split('-'));
    let apostrophe = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a.replace(' ', "") == b.replace('\'', "");
    let leads = |a: &str, b: &str| !b.is_empty() && b.split(' ').next() == Some(a);
    let leads_hyphen = |a: &str, b: &str| !b.is_empty() && b.split('-').next() == Some(a);
    let inside = |a: &str, b: &str| b.split(' ').skip(1).any(|word| word == a);

    let ((f, s), (pf, ps)) = (gp, pds);
    match (same(f, pf), same(s, ps)) {
        (false, false) => {
            let is_swap = same(f, ps) && same(s, pf) && [f, s, pf, ps].into_iter().all(cased);
            (if is_swap { UpdatePds } else { Validate }, Item::Names)
        }
        (true, true) => {
            let ill = |(f, s): Names<'_>| match (cased(f), cased(s)) {
                (true, false) => Item::Surname,
                (false, true) => Item::Forenames,
                _ => Item::Names,
            };
            match (cased(f) && cased(s), cased(pf) && cased(ps)) {
                (true, false) => (UpdatePds, ill(pds)),
                (false, true) => (UpdateGp, ill(gp)),
                _ => (Validate, Item::Names),
            }
        }
        (false, true) => {
            let decision = if f.is_empty() || leads_hyphen(f, pf) {
                UpdateGp
            } else if pf.is_empty()
                || hyphen(f, pf)
                || hyphen(pf, f)
                || leads_hyphen(pf, f)
                || leads(f, pf)
                || leads(pf, f)
            {
                UpdatePds
            } else {
                Validate
            };
            (decision, Item::Forenames)
        }
        (true, false) => {
            let decision = if s.is_empty() || apostrophe(s, ps) || leads_hyphen(s, ps) || leads(s, ps) {
                UpdateGp
            } else if ps.is_empty()
                || apostrophe(ps, s)
                || hyphen(s, ps)
                || hyphen(ps, s)
                || inside(s, ps)
                || inside(ps, s)
                || leads_hyphen(ps, s)
                || leads(ps, s)
            {
                UpdatePds
            } else {
                Validate
            };
            (decision, Item::Surname)
        }
    }
}

/// Few letters, so that names are often nearly the same.
const NAME: &str = "([Aa]b?('[Cc]d)?([ -][Aa]b?('[Cc]d)?){0,2})?";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_table_of_rules_decides_as_the_prototype_did(f in NAME, s in NAME, pf in NAME, ps in NAME, same_first in 0..3) {
        let pf = if same_first == 1 { f.clone() } else { pf };
        let ps = if same_first == 2 { s.clone() } else { ps };
        let (gp, pds) = ((f.as_str(), s.as_str()), (pf.as_str(), ps.as_str()));
        let decided = decide_names(gp, pds, ActiveRules::ALL, Reading::Prototype);
        if gp == pds {
            prop_assert_eq!(decided, []);
        } else {
            let found: Vec<_> = decided.iter().map(|decided| (decided.decision, decided.item)).collect();
            prop_assert_eq!(found, [prototype(gp, pds)], "{:?} {:?}", gp, pds);
        }
    }

    #[test]
    fn no_reading_leaves_a_difference_without_a_decision(f in NAME, s in NAME, pf in NAME, ps in NAME) {
        let differ = !f.eq_ignore_ascii_case(&pf) || !s.eq_ignore_ascii_case(&ps);
        for reading in [Reading::Specification, Reading::Prototype] {
            let decided = decide_names((&f, &s), (&pf, &ps), ActiveRules::ALL, reading);
            prop_assert!(decided.len() <= 1, "names get one decision");
            prop_assert!(!differ || decided.len() == 1, "{:?}", reading);
        }
    }
}
