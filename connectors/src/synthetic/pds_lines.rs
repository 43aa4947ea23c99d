//! The side of PDS: resources and registrations.

use serde_json::{Value, json};

use super::person::{Person, Place, Standing};

/// First line of the list of registrations.
pub(super) const REGISTRATIONS_HEADER: &str = "nhs_number,gp_practice,dispensing_flag\n";

/// Where people are who are registered elsewhere.
const ANOTHER_PRACTICE: &str = "Z99999";

/// What PDS answers about a person; of those it does not know, every second is not in the answers at all.
pub(super) fn resource(practice: &str, person: &Person) -> Option<String> {
    let resource = match person.standing {
        Standing::Unknown if person.index % 2 == 1 => return None,
        Standing::Unknown => outcome(person, "RESOURCE_NOT_FOUND"),
        Standing::Redacted => outcome(person, "INVALIDATED_RESOURCE"),
        Standing::VeryRestricted => patient(person, "V", json!({"gender": "unknown"})),
        Standing::Restricted => patient(person, "R", identity(person)),
        Standing::Nowhere => patient(person, "U", with_address(identity(person), person)),
        Standing::AtThePractice | Standing::Elsewhere => {
            let mut parts = with_address(identity(person), person);
            parts["generalPractitioner"] = json!([{
                "type": "Organization",
                "identifier": {
                    "value": practice_of(practice, person),
                    "period": {"start": format!("{}-04-01", person.registered_year)},
                },
            }]);
            patient(person, "U", parts)
        }
    };
    Some(format!("{resource}\n"))
}

/// The line of a person in the list of registrations; `None` for those registered nowhere.
pub(super) fn registration(practice: &str, person: &Person) -> Option<String> {
    if matches!(person.standing, Standing::Unknown | Standing::Nowhere | Standing::Redacted) {
        return None;
    }
    let flag = person.index % 2;
    Some(format!("{},{},{flag}\n", person.nhs_number, practice_of(practice, person)))
}

fn practice_of<'a>(practice: &'a str, person: &Person) -> &'a str {
    if person.standing == Standing::Elsewhere || person.place == Place::OnPdsElsewhere {
        return ANOTHER_PRACTICE;
    }
    practice
}

fn outcome(person: &Person, code: &str) -> Value {
    json!({
        "resourceType": "OperationOutcome",
        "id": person.nhs_number,
        "issue": [{"severity": "error", "details": {"coding": [{"code": code}]}}],
    })
}

fn patient(person: &Person, sensitivity: &str, parts: Value) -> Value {
    let mut patient = json!({
        "resourceType": "Patient",
        "id": person.nhs_number,
        "meta": {"versionId": person.version.to_string(), "security": [{"code": sensitivity}]},
    });
    if let (Value::Object(patient), Value::Object(parts)) = (&mut patient, parts) {
        patient.extend(parts);
    }
    patient
}

/// Name, gender and date of birth.
fn identity(person: &Person) -> Value {
    let mut given: Vec<String> = person.forenames.iter().map(|name| capitalised(name)).collect();
    if person.drift.forenames {
        given[0].push('e');
    }
    let male = person.drift.sex != (person.sex == 1);
    let gender = match person.sex {
        0 => "other",
        9 => "unknown",
        _ if male => "male",
        _ => "female",
    };
    let (year, month, day) = person.born;
    let birth_date = if person.drift.partial_birth_date {
        format!("{year}-{month:02}")
    } else {
        let day = if person.drift.birth_date { day % 28 + 1 } else { day };
        format!("{year}-{month:02}-{day:02}")
    };
    json!({
        "name": [{
            "use": "usual",
            "family": capitalised(person.pds_surname),
            "given": given,
            "prefix": [capitalised(person.pds_title)],
        }],
        "gender": gender,
        "birthDate": birth_date,
    })
}

fn with_address(mut parts: Value, person: &Person) -> Value {
    let present = person.pds_address.iter().filter(|line| !line.is_empty());
    let mut lines: Vec<String> = present.map(|line| capitalised(line)).collect();
    if person.pds_joins_lines {
        let second = lines.remove(1);
        lines[0] = format!("{}  {second}", lines[0]);
    }
    let outward_and_inward: Vec<&str> = person.pds_postcode.split_whitespace().collect();
    parts["address"] = json!([{"use": "home", "line": lines, "postalCode": outward_and_inward.join(" ")}]);
    parts
}

/// `O'FERNLEY-HAY` as `O'Fernley-Hay`.
fn capitalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts_word = true;
    for character in text.chars() {
        if starts_word {
            out.push(character);
        } else {
            out.extend(character.to_lowercase());
        }
        starts_word = !character.is_alphabetic();
    }
    out
}
