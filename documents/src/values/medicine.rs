//! A medicine with its dose, route and dates in one line, as letters and lists have it.

use super::product;
use super::{date, joined, squeezed};

/// What a line says of a medicine. Text is empty where it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Medicine {
    pub code_system: &'static str,
    pub code: String,
    pub name: String,
    pub strength: String,
    pub form: String,
    pub dose: String,
    pub route: String,
    pub start: String,
    pub end: String,
    pub status: &'static str,
}

/// Routes as they are written, and as the contract has them.
const ROUTES: [(&str, &str); 35] = [
    ("oral", "oral"),
    ("orally", "oral"),
    ("by mouth", "oral"),
    ("oral use", "oral"),
    ("swallow, oral", "oral"),
    ("po", "oral"),
    ("sublingual", "sublingual"),
    ("topical", "topical"),
    ("topically", "topical"),
    ("to the skin", "topical"),
    ("cutaneous", "topical"),
    ("transdermal", "transdermal"),
    ("inhaled", "inhalation"),
    ("inhalation", "inhalation"),
    ("by inhalation", "inhalation"),
    ("inhalation, oral", "inhalation"),
    ("respiratory (inhalation)", "inhalation"),
    ("inh", "inhalation"),
    ("subcutaneous", "subcutaneous"),
    ("subcutaneously", "subcutaneous"),
    ("sc", "subcutaneous"),
    ("s/c", "subcutaneous"),
    ("intramuscular", "intramuscular"),
    ("im", "intramuscular"),
    ("intravenous", "intravenous"),
    ("iv", "intravenous"),
    ("rectal", "rectal"),
    ("rectally", "rectal"),
    ("pr", "rectal"),
    ("vaginal", "vaginal"),
    ("pv", "vaginal"),
    ("nasal", "nasal"),
    ("ophthalmic", "ophthalmic"),
    ("into the eye", "ophthalmic"),
    ("to the ear", "otic"),
];

const STATUSES: [(&str, &str); 8] = [
    ("active", "active"),
    ("current", "active"),
    ("on hold", "on-hold"),
    ("completed", "completed"),
    ("finished", "completed"),
    ("stopped", "stopped"),
    ("discontinued", "stopped"),
    ("not taken", "not-taken"),
];

/// What begins a part that is a date, whether it is the end, and the status that it gives.
const DATES: [(&str, bool, &str); 17] = [
    ("from", false, ""),
    ("since", false, ""),
    ("started on", false, ""),
    ("started", false, ""),
    ("start date", false, ""),
    ("start", false, ""),
    ("to", true, ""),
    ("until", true, ""),
    ("till", true, ""),
    ("end date", true, ""),
    ("ended", true, ""),
    ("end", true, ""),
    ("stopped on", true, "stopped"),
    ("stopped", true, "stopped"),
    ("discontinued", true, "stopped"),
    ("completed", true, "completed"),
    ("finished", true, "completed"),
];

const CODES: [(&str, &str); 5] =
    [("dm+d", "dm+d"), ("dmd", "dm+d"), ("snomed ct", "snomed"), ("snomed", "snomed"), ("sct", "snomed")];

/// Lines that say that there is no medicine.
const NONE: [&str; 8] =
    ["none", "nil", "nil regular", "none known", "no medication", "no medications", "no regular medication", "n/a"];

/// What a line says of a medicine: its name with strength and form, then in any order, behind commas or semicolons, dose, route,
/// dates, code and status. `None` when it names none.
pub(crate) fn from_line(line: &str) -> Option<Medicine> {
    let line = squeezed(line);
    if NONE.contains(&line.trim_end_matches('.').to_lowercase().as_str()) {
        return None;
    }
    let mut medicine = Medicine::default();
    let line = take_code_in_brackets(&line, &mut medicine);
    let parts = parts_of(&line);
    let (first, others) = parts.split_first()?;
    let product = product::split(first);
    if product.name.chars().filter(|one| one.is_alphabetic()).count() < 2 {
        return None;
    }
    medicine.name = product.name;
    medicine.strength = product.strength;
    medicine.form = product.form;
    let mut doses = vec![product.rest];
    for part in others {
        if !take_part(part, &mut medicine) {
            doses.push((*part).to_owned());
        }
    }
    medicine.dose = joined(doses.iter(), ", ");
    Some(medicine)
}

/// A route as the contract has it; one that is not known in small letters.
pub(crate) fn route(text: &str) -> String {
    let lower = squeezed(text).to_lowercase();
    let ends = [" route of administration", " route", " use"];
    let bare = ends.iter().find_map(|end| lower.strip_suffix(end)).unwrap_or(&lower);
    known_route(bare).unwrap_or(bare).to_owned()
}

fn known_route(lower: &str) -> Option<&'static str> {
    ROUTES.iter().find(|(written, _)| *written == lower).map(|(_, route)| *route)
}

/// Cuts at commas and semicolons that are neither in brackets nor within a number, and at dashes between blanks.
fn parts_of(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (at, one) in line.char_indices() {
        match one {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' | ';' | '-' | '–' if depth == 0 => {
                let behind = &line[at + one.len_utf8()..];
                let is_between_blanks = behind.starts_with(' ') && line[..at].ends_with(' ');
                let is_within_number = one == ',' && behind.starts_with(|one: char| one.is_ascii_digit());
                if is_within_number || (matches!(one, '-' | '–') && !is_between_blanks) {
                    continue;
                }
                parts.push(line[start..at].trim());
                start = at + one.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(line[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Takes a part that is code, date, route, status, strength or form; `false` for any other, which is the dose.
fn take_part(part: &str, medicine: &mut Medicine) -> bool {
    take_code(part, medicine)
        || take_dates(part, medicine)
        || take_word(part, medicine)
        || take_if_empty(&mut medicine.strength, product::strength(part))
        || take_if_empty(&mut medicine.form, product::form(part))
}

fn take_if_empty(field: &mut String, value: Option<String>) -> bool {
    match value {
        Some(value) if field.is_empty() => {
            *field = value;
            true
        }
        _ => false,
    }
}

fn take_word(part: &str, medicine: &mut Medicine) -> bool {
    let lower = part.trim_end_matches('.').to_lowercase();
    if let Some(route) = known_route(&lower).filter(|_| medicine.route.is_empty()) {
        medicine.route = route.to_owned();
        return true;
    }
    match status(&lower) {
        Some(status) => {
            medicine.status = status;
            true
        }
        None => false,
    }
}

/// A status as the contract has it; `None` for any other words.
pub(crate) fn status(text: &str) -> Option<&'static str> {
    let lower = squeezed(text).to_lowercase();
    STATUSES.iter().find(|(written, _)| *written == lower).map(|(_, status)| *status)
}

fn take_dates(part: &str, medicine: &mut Medicine) -> bool {
    let lower = part.to_lowercase();
    // Small letters of another alphabet may be longer: then nothing here can be a date.
    if lower.len() != part.len() {
        return false;
    }
    let begins = |word: &str| lower.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', ':']));
    let Some((word, is_end, status)) = DATES.iter().find(|(word, ..)| begins(word)) else { return false };
    let rest = part[word.len()..].trim_start_matches([' ', ':']);
    let (first, last) = [" to ", " until "].iter().find_map(|to| rest.split_once(to)).unwrap_or((rest, ""));
    let (Some(first), last) = (date::from_words(first), date::from_words(last)) else { return false };
    if *is_end {
        medicine.end = first
    } else {
        medicine.start = first
    }
    if let Some(last) = last {
        medicine.end = last;
    }
    if !status.is_empty() {
        medicine.status = status;
    }
    true
}

fn take_code(part: &str, medicine: &mut Medicine) -> bool {
    let lower = part.to_lowercase();
    let found = CODES.iter().find_map(|(word, system)| Some((system, lower.strip_prefix(word)?)));
    let Some((system, rest)) = found else { return false };
    let code =
        rest.trim_start_matches([' ', ':', '=']).trim_start_matches("code").trim_start_matches([' ', ':']).trim();
    let is_code = (6..=18).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    if is_code {
        medicine.code_system = system;
        medicine.code = code.to_owned();
    }
    is_code
}

/// Takes `(dm+d 322236009)` wherever it stands, and gives the line without it.
fn take_code_in_brackets(line: &str, medicine: &mut Medicine) -> String {
    for (open, close) in [('(', ')'), ('[', ']')] {
        for (start, _) in line.match_indices(open) {
            let Some(length) = line[start..].find(close) else { break };
            if take_code(line[start + 1..start + length].trim(), medicine) {
                return squeezed(&format!("{} {}", &line[..start], &line[start + length + 1..]));
            }
        }
    }
    line.to_owned()
}

/// A code that may stand in a text, and the text without it: for substances of allergies.
pub(crate) fn without_code(text: &str) -> (String, &'static str, String) {
    let mut medicine = Medicine::default();
    let rest = take_code_in_brackets(&squeezed(text), &mut medicine);
    (rest, medicine.code_system, medicine.code)
}

#[cfg(test)]
mod tests;
