//! A medicine in one text, as prescriptions have it: name, strength and form told apart.

/// A medicine's name, strength and form, and what stands behind them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Product {
    pub name: String,
    pub strength: String,
    pub form: String,
    pub rest: String,
}

/// Units as they are written, and as the contract has them. Those of the last rows measure volumes and times: they are no
/// strength by themselves.
const UNITS: [(&str, &str); 38] = [
    ("mg", "mg"),
    ("milligram", "mg"),
    ("milligrams", "mg"),
    ("g", "g"),
    ("gm", "g"),
    ("gram", "g"),
    ("grams", "g"),
    ("mcg", "microgram"),
    ("ug", "microgram"),
    ("µg", "microgram"),
    ("μg", "microgram"),
    ("microgram", "microgram"),
    ("micrograms", "microgram"),
    ("nanogram", "nanogram"),
    ("nanograms", "nanogram"),
    ("unit", "unit"),
    ("units", "unit"),
    ("unt", "unit"),
    ("iu", "unit"),
    ("[iu]", "unit"),
    ("international unit", "unit"),
    ("international units", "unit"),
    ("mmol", "mmol"),
    ("%", "%"),
    ("ml", "ml"),
    ("millilitre", "ml"),
    ("millilitres", "ml"),
    ("l", "litre"),
    ("litre", "litre"),
    ("litres", "litre"),
    ("dose", "dose"),
    ("doses", "dose"),
    ("actuation", "actuation"),
    ("actuat", "actuation"),
    ("h", "hour"),
    ("hr", "hour"),
    ("hour", "hour"),
    ("hours", "hour"),
];
/// Before `unit`: all other units are one word.
const INTERNATIONAL: &str = "international ";
const VOLUMES_AND_TIMES: [&str; 5] = ["ml", "litre", "dose", "actuation", "hour"];

/// Forms as they are written, and in the singular.
const FORMS: [(&str, &str); 50] = [
    ("tablet", "tablet"),
    ("tablets", "tablet"),
    ("tab", "tablet"),
    ("tabs", "tablet"),
    ("capsule", "capsule"),
    ("capsules", "capsule"),
    ("cap", "capsule"),
    ("caps", "capsule"),
    ("caplet", "caplet"),
    ("caplets", "caplet"),
    ("solution", "solution"),
    ("suspension", "suspension"),
    ("syrup", "syrup"),
    ("linctus", "linctus"),
    ("elixir", "elixir"),
    ("liquid", "liquid"),
    ("drops", "drops"),
    ("cream", "cream"),
    ("ointment", "ointment"),
    ("gel", "gel"),
    ("lotion", "lotion"),
    ("foam", "foam"),
    ("paste", "paste"),
    ("shampoo", "shampoo"),
    ("inhaler", "inhaler"),
    ("inhalers", "inhaler"),
    ("spray", "spray"),
    ("injection", "injection"),
    ("injections", "injection"),
    ("pen", "pen"),
    ("pens", "pen"),
    ("cartridge", "cartridge"),
    ("cartridges", "cartridge"),
    ("vial", "vial"),
    ("vials", "vial"),
    ("ampoule", "ampoule"),
    ("ampoules", "ampoule"),
    ("patch", "patch"),
    ("patches", "patch"),
    ("suppository", "suppository"),
    ("suppositories", "suppository"),
    ("pessary", "pessary"),
    ("pessaries", "pessary"),
    ("sachet", "sachet"),
    ("sachets", "sachet"),
    ("powder", "powder"),
    ("granules", "granules"),
    ("lozenge", "lozenge"),
    ("lozenges", "lozenge"),
    ("implant", "implant"),
];

/// Words with which a dose begins behind a form.
const DOSE_BEGINS: [&str; 9] = ["take", "one", "two", "three", "apply", "use", "inhale", "give", "half"];

/// Tells name, strength and form apart; where that cannot be done everything is the name.
pub(crate) fn split(text: &str) -> Product {
    let text = super::squeezed(text);
    several(&text).unwrap_or_else(|| one(text))
}

/// Of a product of several substances, each with its strength: `ciprofloxacin 3 mg/ml / dexamethasone 1 mg/ml ear drops`.
fn several(text: &str) -> Option<Product> {
    let parts: Vec<Product> = text.split(" / ").map(|part| one(part.to_owned())).collect();
    let (last, before) = parts.split_last()?;
    let is_whole = |part: &Product| !part.name.is_empty() && !part.strength.is_empty();
    if before.is_empty() || !parts.iter().all(is_whole) || before.iter().any(|part| !part.form.is_empty()) {
        return None;
    }
    let joined = |of: fn(&Product) -> &str| parts.iter().map(of).collect::<Vec<_>>().join(" / ");
    Some(Product { name: joined(|part| &part.name), strength: joined(|part| &part.strength), ..last.clone() })
}

/// `HCTZ 25/TRIAMTERENE`: a strength behind it would be that of the second substance alone.
fn has_a_strength_without_unit(name: &str) -> bool {
    name.split_whitespace().any(|word| {
        word.split_once('/').is_some_and(|(before, behind)| {
            before.ends_with(|one: char| one.is_ascii_digit()) && behind.starts_with(char::is_alphabetic)
        })
    })
}

fn one(text: String) -> Product {
    let starts = text.char_indices().filter(|(at, one)| {
        one.is_ascii_digit() && text[..*at].ends_with([' ', '(']) && text[..*at].contains(char::is_alphabetic)
    });
    for (start, _) in starts {
        if let Some((strength, length)) = leading_strength(&text[start..]) {
            let before = text[..start].trim_end_matches([' ', '(', ',']);
            let before = before.strip_suffix(" -").unwrap_or(before).trim_end();
            let behind = text[start + length..].trim_start_matches([' ', ')', ',']);
            match with_form(before, strength, behind) {
                Some(product) if !has_a_strength_without_unit(before) => return product,
                _ => break,
            }
        }
    }
    match text.rsplit_once(' ') {
        Some((name, last)) if matches!(form_of(last), Some("tablet" | "capsule")) => {
            Product { name: name.to_owned(), form: form_of(last).unwrap_or_default().to_owned(), ..Product::default() }
        }
        _ => Product { name: text, ..Product::default() },
    }
}

/// A strength that is the whole text, as the contract has it.
pub(crate) fn strength(text: &str) -> Option<String> {
    let text = super::squeezed(text);
    leading_strength(&text).and_then(|(strength, length)| (length == text.len()).then_some(strength))
}

/// A form that is the whole text, as the contract has it.
pub(crate) fn form(text: &str) -> Option<String> {
    let lower = super::squeezed(text).to_lowercase();
    let last = lower.rsplit(' ').next()?;
    (lower.split(' ').count() <= 4 && form_of(last).is_some()).then(|| in_singular(&lower))
}

/// A form as the contract has it: small letters, singular.
pub(crate) fn in_singular(form: &str) -> String {
    let words = form.split_whitespace().map(|word| {
        let lower = word.to_lowercase();
        form_of(&lower).map_or(lower, str::to_owned)
    });
    words.collect::<Vec<_>>().join(" ")
}

fn form_of(word: &str) -> Option<&'static str> {
    let lower = word.trim_end_matches([':', ',']).to_lowercase();
    FORMS.iter().find(|(written, _)| *written == lower).map(|(_, form)| *form)
}

/// `None` when what stands behind the strength is not understood.
fn with_form(name: &str, strength: String, behind: &str) -> Option<Product> {
    // A brand, as RxNorm has it, is part of the name.
    let (behind, brand) = match behind.strip_suffix(']').and_then(|behind| behind.rsplit_once(" [")) {
        Some((behind, brand)) => (behind, format!("[{brand}]")),
        None => (behind, String::new()),
    };
    let name = super::joined([name, &brand], " ");
    let words: Vec<&str> = behind.split(' ').filter(|word| !word.is_empty()).collect();
    let begins_dose = |word: &&str| {
        word.starts_with(|one: char| one.is_ascii_digit()) || DOSE_BEGINS.contains(&word.to_lowercase().as_str())
    };
    let form_length = words.iter().position(begins_dose).unwrap_or(words.len());
    let (form, rest) = words.split_at(form_length);
    if !form.iter().any(|word| form_of(word).is_some()) {
        // What stands behind the strength is no form: it stays with the name, so that nothing is lost.
        let name = super::joined([name, form.join(" ")], " ");
        return Some(Product { name, strength, form: String::new(), rest: rest.join(" ") });
    }
    let is_form = !form.iter().any(|word| word.contains(|one: char| one.is_ascii_digit()));
    is_form.then(|| Product { name, strength, form: in_singular(&form.join(" ")), rest: rest.join(" ") })
}

/// A strength at the beginning of the text, and how many bytes of the text it is.
fn leading_strength(text: &str) -> Option<(String, usize)> {
    let (number, mut at) = leading_number(text)?;
    let (unit, length) = leading_unit(&text[at..])?;
    if VOLUMES_AND_TIMES.contains(&unit) {
        return None;
    }
    at += length;
    let mut strength = amount(&number, unit);
    while let Some(behind) = text[at..].strip_prefix('/') {
        let (number, number_length) = leading_number(behind).unwrap_or_default();
        let Some((unit, unit_length)) = leading_unit(&behind[number_length..]) else { break };
        strength.push('/');
        // Per one millilitre is per millilitre.
        if number.is_empty() || number == "1" {
            strength.push_str(unit);
        } else {
            strength.push_str(&amount(&number, unit));
        }
        at += 1 + number_length + unit_length;
    }
    Some((strength, at))
}

/// A number and its unit as the contract writes them.
pub(crate) fn amount(number: &str, unit: &str) -> String {
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    if unit == "%" || unit.is_empty() { format!("{number}{unit}") } else { format!("{number} {unit}") }
}

/// A unit as the contract has it, perhaps one to another (`mg/ml`); one that is not known as it is written.
pub(crate) fn unit(text: &str) -> String {
    let known = |part: &str| {
        let lower = part.trim().to_lowercase();
        UNITS.iter().find(|(written, _)| *written == lower).map_or(part.trim(), |(_, unit)| unit).to_owned()
    };
    text.split('/').map(known).collect::<Vec<_>>().join("/")
}

fn leading_number(text: &str) -> Option<(String, usize)> {
    let length = text.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')).count();
    let written = text[..length].trim_end_matches(['.', ',']);
    let number = written.replace(',', "");
    let is_number = number.starts_with(|one: char| one.is_ascii_digit()) && number.matches('.').count() <= 1;
    (is_number && written.len() <= 12).then_some((number, written.len()))
}

fn leading_unit(text: &str) -> Option<(&'static str, usize)> {
    let behind_blank = text.strip_prefix(' ').unwrap_or(text);
    let blanks = text.len() - behind_blank.len();
    let length = if behind_blank.starts_with('%') {
        1
    } else {
        let end = |text: &str| text.find(|one: char| !one.is_alphabetic()).unwrap_or(text.len());
        match (behind_blank.get(..INTERNATIONAL.len()), behind_blank.get(INTERNATIONAL.len()..)) {
            (Some(word), Some(unit)) if word.eq_ignore_ascii_case(INTERNATIONAL) => INTERNATIONAL.len() + end(unit),
            _ => end(behind_blank),
        }
    };
    let lower = behind_blank[..length].to_lowercase();
    UNITS.iter().find(|(written, _)| *written == lower).map(|(_, unit)| (*unit, blanks + length))
}

#[cfg(test)]
mod tests;
