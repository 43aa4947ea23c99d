//! A letter in labelled lines, as plain text or printed.

use super::{SyntheticAllergy, SyntheticMedication, SyntheticRecord};

/// The lines of a letter. What the record does not say has no line.
pub fn letter(record: &SyntheticRecord) -> String {
    let mut lines: Vec<String> = vec!["Riverside Surgery".to_owned(), String::new()];
    let mut labelled = |label: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("{label}: {value}"));
        }
    };
    labelled("NHS Number", &grouped(&record.nhs_number));
    labelled("Surname", &record.family_name);
    labelled("Forenames", &record.given_names);
    labelled("Date of birth", &day_first(&record.birth_date));
    labelled("Sex", &record.sex);
    labelled("Address", &record.address);
    labelled("Postcode", &record.postcode);
    labelled("Telephone", &record.phone);
    lines.extend([String::new(), "Current medication".to_owned()]);
    lines.extend(record.medications.iter().map(medication));
    if record.medications.is_empty() {
        lines.push("None".to_owned());
    }
    lines.extend([String::new(), "Allergies".to_owned()]);
    lines.extend(record.allergies.iter().map(allergy));
    if record.allergies.is_empty() {
        lines.push("No known allergies".to_owned());
    }
    lines.join("\n") + "\n"
}

fn medication(medication: &SyntheticMedication) -> String {
    let SyntheticMedication { code, name, strength, form, dose, route, start, end } = medication;
    let product =
        [name.as_str(), strength, form].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let dated = |word: &str, date: &str| if date.is_empty() { String::new() } else { format!("{word} {date}") };
    let code = if code.is_empty() { String::new() } else { format!("dm+d {code}") };
    let parts = [product, dose.clone(), route.clone(), dated("from", start), dated("until", end), code];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("- {}", parts.join(", "))
}

fn allergy(allergy: &SyntheticAllergy) -> String {
    let SyntheticAllergy { code, substance, reaction } = allergy;
    let code = if code.is_empty() { String::new() } else { format!(" (SNOMED {code})") };
    let reaction = if reaction.is_empty() { String::new() } else { format!(" - {reaction}") };
    format!("- {substance}{code}{reaction}")
}

fn grouped(number: &str) -> String {
    match (number.get(..3), number.get(3..6), number.get(6..)) {
        (Some(first), Some(second), Some(third)) => format!("{first} {second} {third}"),
        _ => number.to_owned(),
    }
}

fn day_first(date: &str) -> String {
    match date.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] => format!("{day}/{month}/{year}"),
        _ => date.to_owned(),
    }
}
