//! An HL7 v2.5 message of encoded orders (RDE^O11): PID, AL1, and for each medicine ORC, RXE, TQ1 and RXR.

use super::{SyntheticMedication, SyntheticRecord};

pub(super) fn message(record: &SyntheticRecord) -> String {
    let mut segments = vec![
        "MSH|^~\\&|RIVERSIDE|Y12345|CONCORD|X26|20240201120000||RDE^O11^RDE_O11|1|P|2.5|||||GBR|UNICODE UTF-8"
            .to_owned(),
        pid(record),
    ];
    for (at, allergy) in record.allergies.iter().enumerate() {
        let reactions: Vec<String> = allergy.reaction.split(", ").map(escaped).collect();
        segments.push(format!(
            "AL1|{}|DA|{}^{}^SCT||{}",
            at + 1,
            escaped(&allergy.code),
            escaped(&allergy.substance),
            reactions.join("~")
        ));
    }
    for medication in &record.medications {
        segments.extend(order(medication));
    }
    segments.join("\r") + "\r"
}

fn pid(record: &SyntheticRecord) -> String {
    let mut given = record.given_names.splitn(2, ' ').map(escaped);
    let (first, second) = (given.next().unwrap_or_default(), given.next().unwrap_or_default());
    let mut lines = record.address.splitn(4, ", ").map(escaped);
    let mut line = || lines.next().unwrap_or_default();
    let sex = match record.sex.as_str() {
        "male" => "M",
        "female" => "F",
        "other" => "O",
        "unknown" => "U",
        _ => "",
    };
    let name = format!("{}^{first}^{second}^^^^L", escaped(&record.family_name));
    let address = format!("{}^{}^{}^{}^{}^^H", line(), line(), line(), line(), escaped(&record.postcode));
    format!(
        "PID|1||{}^^^NHS^NH||{name}||{}|{sex}|||{address}||{}",
        escaped(&record.nhs_number),
        record.birth_date.replace('-', ""),
        escaped(&record.phone)
    )
}

fn order(medication: &SyntheticMedication) -> [String; 4] {
    let SyntheticMedication { code, name, strength, form, dose, route, start, end } = medication;
    let (number, unit) = strength.split_once(' ').unwrap_or((strength, ""));
    let (number, unit) = number.strip_suffix('%').map_or((number, unit), |number| (number, "%"));
    let mut rxe = vec![String::new(); 27];
    rxe[0] = "RXE".to_owned();
    rxe[2] = format!("{}^{}^DM+D", escaped(code), escaped(name));
    rxe[6] = escaped(form);
    rxe[7] = format!("^{}", escaped(dose));
    rxe[25] = escaped(number);
    rxe[26] = escaped(unit);
    [
        format!("ORC|{}|1", if end.is_empty() { "NW" } else { "DC" }),
        rxe.join("|"),
        format!("TQ1|1||||||{}|{}", start.replace('-', ""), end.replace('-', "")),
        format!("RXR|^{}", escaped(route)),
    ]
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '|' => escaped.push_str("\\F\\"),
            '^' => escaped.push_str("\\S\\"),
            '&' => escaped.push_str("\\T\\"),
            '~' => escaped.push_str("\\R\\"),
            '\\' => escaped.push_str("\\E\\"),
            _ => escaped.push(one),
        }
    }
    escaped
}
