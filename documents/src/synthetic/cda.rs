//! A CDA R2 document: record target, and sections of medicines and allergies with entries.

use quick_xml::escape::escape;

use super::{SyntheticAllergy, SyntheticMedication, SyntheticRecord};

pub(super) fn document(record: &SyntheticRecord) -> String {
    let medications: String = record.medications.iter().map(medication).collect();
    let allergies: String = record.allergies.iter().map(allergy).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <title>Summary</title>{target}<component><structuredBody>\
         <component><section><code code=\"10160-0\" codeSystem=\"2.16.840.1.113883.6.1\"/><title>Medication</title>{medications}</section></component>\
         <component><section><code code=\"48765-2\" codeSystem=\"2.16.840.1.113883.6.1\"/><title>Allergies</title>{allergies}</section></component>\
         </structuredBody></component></ClinicalDocument>\n",
        target = record_target(record),
    )
}

fn record_target(record: &SyntheticRecord) -> String {
    let lines: String = record.address.split(", ").map(|line| element("streetAddressLine", line)).collect();
    let given: String = record.given_names.split(' ').map(|name| element("given", name)).collect();
    let sex = match record.sex.as_str() {
        "male" => "M",
        "female" => "F",
        "other" => "UN",
        _ => "UNK",
    };
    let sex = if record.sex.is_empty() { String::new() } else { format!("<administrativeGenderCode code=\"{sex}\"/>") };
    format!(
        "<recordTarget><patientRole><id root=\"2.16.840.1.113883.2.1.4.1\" extension=\"{}\"/>\
         <addr use=\"HP\">{lines}{}</addr><telecom value=\"tel:{}\" use=\"HP\"/>\
         <patient><name use=\"L\">{given}{}</name>{sex}{}</patient></patientRole></recordTarget>",
        escape(&record.nhs_number),
        element("postalCode", &record.postcode),
        escape(&record.phone),
        element("family", &record.family_name),
        time("birthTime", &record.birth_date),
    )
}

fn medication(medication: &SyntheticMedication) -> String {
    let SyntheticMedication { code, name, strength, form, dose, route, start, end } = medication;
    let product = [name.as_str(), strength].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let code = match code.is_empty() {
        true => format!("<code nullFlavor=\"UNK\">{}</code>", element("originalText", &product)),
        false => format!(
            "<code code=\"{}\" codeSystem=\"2.16.840.1.113883.6.96\" displayName=\"{}\"/>",
            escape(code),
            escape(&product)
        ),
    };
    let form = if form.is_empty() { String::new() } else { format!("<formCode displayName=\"{}\"/>", escape(form)) };
    let route =
        if route.is_empty() { String::new() } else { format!("<routeCode displayName=\"{}\"/>", escape(route)) };
    format!(
        "<entry><substanceAdministration classCode=\"SBADM\" moodCode=\"EVN\"><text>{}</text><statusCode code=\"active\"/>\
         <effectiveTime xsi:type=\"IVL_TS\">{}{}</effectiveTime>{route}<consumable><manufacturedProduct><manufacturedMaterial>\
         {code}{form}</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration></entry>",
        escape(dose),
        time("low", start),
        time("high", end),
    )
}

fn allergy(allergy: &SyntheticAllergy) -> String {
    let reactions = allergy.reaction.split(", ").filter(|one| !one.is_empty()).map(|one| {
        format!(
            "<entryRelationship typeCode=\"MFST\"><observation classCode=\"OBS\" moodCode=\"EVN\"><value displayName=\"{}\"/></observation></entryRelationship>",
            escape(one)
        )
    });
    let code = if allergy.code.is_empty() {
        "<code nullFlavor=\"UNK\"/>".to_owned()
    } else {
        format!("<code code=\"{}\" codeSystem=\"2.16.840.1.113883.6.96\"/>", escape(&allergy.code))
    };
    format!(
        "<entry><act classCode=\"ACT\" moodCode=\"EVN\"><statusCode code=\"active\"/><entryRelationship typeCode=\"SUBJ\">\
         <observation classCode=\"OBS\" moodCode=\"EVN\"><statusCode code=\"completed\"/><participant typeCode=\"CSM\"><participantRole>\
         <playingEntity>{code}{}</playingEntity></participantRole></participant>{}</observation></entryRelationship></act></entry>",
        element("name", &allergy.substance),
        reactions.collect::<String>(),
    )
}

fn element(name: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<{name}>{}</{name}>", escape(text)) }
}

fn time(name: &str, date: &str) -> String {
    if date.is_empty() { String::new() } else { format!("<{name} value=\"{}\"/>", date.replace('-', "")) }
}
