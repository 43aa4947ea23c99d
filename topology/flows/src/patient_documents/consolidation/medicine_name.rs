//! Names of medicines, taken apart: documents write name, strength and form in one text or in three.

use std::fmt;

use super::words::folded;

/// A medicine by what makes it the same as another without a code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct MedicineName {
    /// Words of the name.
    pub name: String,
    /// Such as `500mg` or `250mg/5ml`.
    pub strength: String,
    /// One of [`FORMS`], or the words of another one.
    pub form: String,
}

/// Forms in all the ways in which they are written.
const FORMS: [(&str, &[&str]); 14] = [
    ("tablet", &["tablet", "tablets", "tab", "tabs"]),
    ("capsule", &["capsule", "capsules", "cap", "caps"]),
    ("oral solution", &["oral solution", "solution oral", "liquid", "oral liquid"]),
    ("oral suspension", &["oral suspension", "suspension", "susp"]),
    ("injection", &["injection", "injections", "inj", "solution for injection"]),
    ("inhaler", &["inhaler", "inhalers", "inh", "metered dose inhaler", "mdi"]),
    ("cream", &["cream", "creams"]),
    ("ointment", &["ointment", "ointments", "oint"]),
    ("drops", &["drops", "drop"]),
    ("eye drops", &["eye drops", "eye drop"]),
    ("patch", &["patch", "patches", "transdermal patch"]),
    ("suppository", &["suppository", "suppositories"]),
    ("spray", &["spray", "sprays", "nasal spray"]),
    ("powder", &["powder", "powders", "oral powder"]),
];

/// Units of strengths in all the ways in which they are written.
const UNITS: [(&str, &[&str]); 9] = [
    ("mg", &["mg", "milligram", "milligrams"]),
    ("g", &["g", "gram", "grams"]),
    ("microgram", &["microgram", "micrograms", "mcg", "ug", "\u{b5}g", "\u{3bc}g"]),
    ("nanogram", &["nanogram", "nanograms", "ng"]),
    ("ml", &["ml", "millilitre", "millilitres", "milliliter", "milliliters"]),
    ("l", &["l", "litre", "litres"]),
    ("unit", &["unit", "units", "iu", "u"]),
    ("mmol", &["mmol", "millimole", "millimoles"]),
    ("%", &["%", "percent"]),
];

impl fmt::Display for MedicineName {
    /// `amoxicillin 500mg capsule`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&*self.name, &*self.strength, &*self.form];
        let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        formatter.write_str(&said.join(" "))
    }
}

impl MedicineName {
    /// The parts of what a document says.
    pub fn of(name: &str, strength: &str, form: &str) -> Self {
        let (mut words, mut strength) = (name.trim().to_lowercase(), normal_strength(strength));
        if let Some((before, found, behind)) = strength_within(&words)
            && (strength.is_empty() || strength == found)
        {
            words = format!("{before} {behind}");
            strength = found;
        }
        let mut words = folded(&words);
        let mut form = normal_form(&folded(form));
        if let Some((before, found)) = form_at_end(&words)
            && (form.is_empty() || form == found)
        {
            words = before;
            form = found;
        }
        Self { name: words, strength, form }
    }
}

/// A strength without blanks, with one word for each unit: `500mg`, `250mg/5ml`. What is none keeps its words.
pub(super) fn normal_strength(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    match strength_within(&lower) {
        Some((before, strength, behind)) if before.trim().is_empty() && behind.trim().is_empty() => strength,
        _ => folded(&lower),
    }
}

/// A form by its one word.
pub(super) fn normal_form(folded: &str) -> String {
    let known = FORMS.iter().find(|(_, written)| written.contains(&folded));
    known.map_or(folded, |(form, _)| form).to_owned()
}

/// The text before a strength, the strength, and the text behind it.
fn strength_within(text: &str) -> Option<(&str, String, &str)> {
    let mut at = 0;
    while let Some(offset) = text[at..].find(|c: char| c.is_ascii_digit()) {
        let start = at + offset;
        // Digits within a word are part of a name, such as "B12".
        let begins = text[..start].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        if begins && let Some((mut strength, mut end)) = quantity(text, start) {
            while let Some((part, further)) = text[end..].trim_start().strip_prefix('/').and_then(|rest| {
                let from = text.len() - rest.trim_start().len();
                quantity(text, from).or_else(|| unit(text, from).map(|(unit, end)| (unit.to_owned(), end)))
            }) {
                strength = format!("{strength}/{part}");
                end = further;
            }
            return Some((&text[..start], strength, &text[end..]));
        }
        at = start + text[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - start);
    }
    None
}

/// A number with a unit that begins there, and where it ends.
fn quantity(text: &str, start: usize) -> Option<(String, usize)> {
    let digits =
        text[start..].find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(text.len() - start);
    if digits == 0 {
        return None;
    }
    let behind = start + digits;
    let from = text.len() - text[behind..].trim_start_matches([' ', '\u{a0}']).len();
    let (unit, end) = unit(text, from)?;
    Some((format!("{}{unit}", number(&text[start..behind])), end))
}

/// A unit that begins there, and where it ends.
fn unit(text: &str, start: usize) -> Option<(&'static str, usize)> {
    let length = match text[start..].chars().next()? {
        '%' => 1,
        _ => text[start..].find(|c: char| !c.is_alphabetic()).unwrap_or(text.len() - start),
    };
    let word = &text[start..start + length];
    let known = UNITS.iter().find(|(_, written)| written.contains(&word))?;
    Some((known.0, start + length))
}

/// `1,000` and `1000.0` are `1000`.
fn number(text: &str) -> String {
    let plain = text.replace(',', "");
    match plain.split_once('.') {
        Some((whole, fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
        }
        None => plain,
    }
}

/// The words before a form that they end with, and the form. The longest form counts.
fn form_at_end(folded: &str) -> Option<(String, String)> {
    let ends_with = |written: &str| folded.strip_suffix(written).is_some_and(|before| before.ends_with(' '));
    let all = FORMS.iter().flat_map(|(form, written)| written.iter().map(move |written| (*form, *written)));
    let found = all.filter(|(_, written)| ends_with(written));
    let (form, written) = found.max_by_key(|(_, written)| written.len())?;
    Some((folded[..folded.len() - written.len()].trim_end().to_owned(), form.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str, strength: &str, form: &str) -> [String; 3] {
        let MedicineName { name, strength, form } = MedicineName::of(name, strength, form);
        [name, strength, form]
    }

    #[test]
    fn one_text_and_three_are_the_same_medicine() {
        let apart = ["amoxicillin", "500mg", "capsule"];
        assert_eq!(parts("Amoxicillin", "500 mg", "Capsules"), apart);
        assert_eq!(parts("AMOXICILLIN 500MG CAPS", "", ""), apart);
        assert_eq!(parts("Amoxicillin 500 milligram capsule", "", ""), apart);
        assert_eq!(parts("Amoxicillin 500mg capsules", "500mg", "cap"), apart);
        assert_eq!(parts("Amoxicillin capsules", "500.0 mg", ""), apart);
    }

    #[test]
    fn strengths_per_volume_and_in_percent_are_read() {
        assert_eq!(
            parts("Amoxicillin 250mg/5ml oral suspension", "", ""),
            ["amoxicillin", "250mg/5ml", "oral suspension"]
        );
        assert_eq!(parts("Hydrocortisone 1% cream", "", ""), ["hydrocortisone", "1%", "cream"]);
        assert_eq!(normal_strength("5 mg/ml"), "5mg/ml");
        assert_eq!(normal_strength("100 \u{3bc}g"), normal_strength("100 mcg"));
        assert_eq!(normal_strength("1,000 units"), "1000unit");
        assert_eq!(normal_strength("extra strong"), "extra strong");
    }

    #[test]
    fn what_contradicts_the_other_fields_stays_in_the_name() {
        assert_eq!(parts("Warfarin 3mg tablets", "5 mg", "tablet"), ["warfarin 3mg", "5mg", "tablet"]);
    }

    #[test]
    fn digits_of_a_name_are_no_strength() {
        assert_eq!(parts("Vitamin B12 tablets", "", ""), ["vitamin b12", "", "tablet"]);
        assert_eq!(parts("Co-codamol 8/500", "", "tablet"), ["co codamol 8 500", "", "tablet"]);
        assert_eq!(parts("Tablets", "", ""), ["tablets", "", ""]);
    }
}
