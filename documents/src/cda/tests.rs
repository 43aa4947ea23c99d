#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use concord_schemas::patient_documents::Features;

use super::*;

fn read_cda(target: &str, sections: &str) -> Features<'static> {
    read(&document(target, sections), &Limits::default()).unwrap()
}

fn document(target: &str, sections: &str) -> String {
    format!(
        "<ClinicalDocument xmlns=\"urn:hl7-org:v3\">{target}<component><structuredBody>{sections}</structuredBody></component></ClinicalDocument>"
    )
}

fn section(code: &str, content: &str) -> String {
    format!("<component><section><code code=\"{code}\"/>{content}</section></component>")
}

fn values_of(features: &Features<'_>, field: &str) -> Vec<String> {
    features.demographics.iter().filter(|one| one.field == field).map(|one| one.value.to_string()).collect()
}

const TARGET: &str = "<recordTarget><patientRole>\
    <id root=\"2.16.840.1.113883.2.1.4.1\" extension=\"9990548609\"/><id root=\"1.2.3\" extension=\"L1\"/>\
    <addr use=\"HP\"><houseNumber>1</houseNumber><streetName>Trevelyan Square</streetName><city>Leeds</city><postalCode>LS16AE</postalCode></addr>\
    <addr use=\"OLD\"><streetAddressLine>2 Then Road</streetAddressLine></addr>\
    <telecom value=\"tel:+44(0)113 496 0000\" use=\"MC\"/><telecom value=\"mailto:a@b\"/>\
    <patient><name use=\"P\"><given>Zed</given></name><name><given>Åsa</given><given>Marie</given><family qualifier=\"BR\">Before</family><family>O'Toole</family></name>\
    <administrativeGenderCode code=\"F\"/><birthTime value=\"19581231\"/></patient></patientRole></recordTarget>";

#[test]
fn the_record_target_is_the_patient() {
    let features = read_cda(TARGET, "");
    for (field, value) in [
        ("nhs_number", "9990548609"),
        ("family_name", "O'Toole"),
        ("given_names", "Åsa Marie"),
        ("birth_date", "1958-12-31"),
        ("sex", "female"),
        ("address", "1 Trevelyan Square, Leeds"),
        ("postcode", "LS1 6AE"),
        ("phone", "+441134960000"),
    ] {
        assert_eq!(values_of(&features, field), [value], "{field}");
    }
    assert_eq!(features.identifiers.len(), 2);
    assert_eq!(features.addresses[1].usage, "old");
    let place = features.demographics[0].place.to_string();
    assert_eq!(place, "/ClinicalDocument/recordTarget/patientRole/id[1]");
}

#[test]
fn a_name_at_birth_is_none_beside_another_and_an_address_is_in_the_order_of_writing() {
    let features = read_cda(
        "<recordTarget><patientRole><addr><country>GB</country><city>Leeds</city><postalCode>LS1 6AE</postalCode>\
         <streetAddressLine>1 Boar Lane</streetAddressLine></addr><patient><name><given>Ann</given><family>Smith</family></name>\
         <name><given qualifier=\"BR\">Anna</given><given>Mary</given><family qualifier=\"BR\">Jones</family></name></patient>\
         </patientRole></recordTarget>",
        "",
    );
    assert_eq!(values_of(&features, "given_names"), ["Ann"]);
    assert_eq!(values_of(&features, "address"), ["1 Boar Lane, Leeds, GB"]);
}

#[test]
fn a_dose_is_the_cell_of_the_row_that_an_entry_refers_to() {
    let of_row = "<text><table><thead><tr><th>Medication</th><th>Start</th><th>SIG</th><th>Frequency</th></tr></thead>\
        <tbody><tr ID=\"m1\"><td>Senna</td><td>2024-01-01</td><td>2 at night</td><td>Not available</td></tr></tbody></table></text>";
    let of_product = of_row.replace("<tr ID=\"m1\"><td>Senna", "<tr><td><content ID=\"m1\">Senna</content>");
    let of_dose = of_row.replace(" ID=\"m1\"", "").replace("<td>2 at", "<td ID=\"m1\">2 at");
    let entry = |dose: &str| {
        format!(
            "<entry><substanceAdministration><text><reference value=\"#m1\"/></text>{dose}<consumable><manufacturedProduct>\
             <manufacturedMaterial><code code=\"1\" displayName=\"Senna\"/></manufacturedMaterial></manufacturedProduct></consumable>\
             <entryRelationship><observation><code code=\"33999-4\"/><value code=\"73425007\"/></observation></entryRelationship>\
             </substanceAdministration></entry>"
        )
    };
    let dose_in = |text: &str, dose: &str| {
        let features = read_cda("", &section("10160-0", &format!("{text}{}", entry(dose))));
        assert_eq!(features.medications[0].status, "completed");
        features.medications[0].dose.to_string()
    };
    for text in [of_row, &of_product, &of_dose] {
        assert_eq!(dose_in(text, ""), "2 at night", "{text}");
    }
    let dose_of = |dose: &str| dose_in(of_row, dose);
    assert_eq!(dose_of("<doseQuantity value=\"2\"/>"), "2 at night");
    let counted = "<effectiveTime><period value=\".5\" unit=\"d\"/></effectiveTime><administrationUnitCode displayName=\"Puff\"/>";
    assert_eq!(dose_of(&format!("{counted}<doseQuantity value=\"2\" unit=\"1\"/>")), "2 puff twice a day");
    let translated = "<doseQuantity value=\"30.0\" unit=\"1\"><translation><originalText>units</originalText></translation></doseQuantity>";
    assert_eq!(
        dose_of(&format!("<effectiveTime><period value=\"1\" unit=\"d\"/></effectiveTime>{translated}")),
        "30 unit once a day"
    );
}

#[test]
fn allergies_whose_entries_say_nothing_are_those_of_the_text() {
    let list = "<text><list><item>Penicillin - Hives</item></list></text>";
    let of = |entries: &str| -> Vec<String> {
        let features = read_cda("", &section("48765-2", &format!("{list}{entries}")));
        features.allergies.iter().map(|one| format!("{}|{}|{}", one.substance, one.reaction, one.code)).collect()
    };
    assert_eq!(of("<entry><observation><code code=\"247472004\"/></observation></entry>"), ["Penicillin|Hives|"]);
    // What is denied is understood: the text is not asked.
    assert_eq!(of("<entry><observation negationInd=\"true\"><value code=\"1\"/></observation></entry>"), [""; 0]);
    let entry = "<entry><observation><participant><participantRole><playingEntity><code code=\"UNK\" nullFlavor=\"UNK\">\
        <originalText>Not coded</originalText></code><name>LATEX</name></playingEntity></participantRole></participant>\
        <entryRelationship typeCode=\"SUBJ\"><observation><templateId root=\"2.16.840.1.113883.10.20.22.4.9\"/>\
        <text>rash</text><value/></observation></entryRelationship></observation></entry>";
    assert_eq!(of(entry), ["LATEX|rash|"]);
}

#[test]
fn a_document_about_several_patients_is_refused() {
    let failure = read(&document(&TARGET.repeat(2), ""), &Limits::default()).unwrap_err();
    assert_eq!(failure.problem, Problem::SeveralPatients);
    assert_eq!(read("<Patient/>", &Limits::default()).unwrap_err().problem, Problem::NoPatientDocument);
}

fn medicine(attributes: &str, status: &str, content: &str) -> String {
    format!(
        "<entry><substanceAdministration moodCode=\"EVN\" {attributes}><statusCode code=\"{status}\"/>{content}\
         <consumable><manufacturedProduct><manufacturedMaterial><code code=\"322236009\" codeSystem=\"2.16.840.1.113883.6.96\" \
         displayName=\"Paracetamol 500mg tablets\"/></manufacturedMaterial></manufacturedProduct></consumable>\
         </substanceAdministration></entry>"
    )
}

#[test]
fn a_medicine_has_dose_route_and_dates() {
    let content = "<effectiveTime><low value=\"20240101\"/><high value=\"202402\"/></effectiveTime>\
        <effectiveTime operator=\"A\"><period value=\"12\" unit=\"h\"/></effectiveTime>\
        <routeCode displayName=\"By mouth\"/><doseQuantity value=\"1\" unit=\"{tablet}\"/>";
    let features = read_cda("", &section("10160-0", &medicine("", "active", content)));
    let found = &features.medications[0];
    assert_eq!((found.code_system.as_ref(), found.code.as_ref()), ("snomed", "322236009"));
    assert_eq!(
        (found.name.as_ref(), found.strength.as_ref(), found.form.as_ref()),
        ("Paracetamol", "500 mg", "tablet")
    );
    assert_eq!((found.dose.as_ref(), found.route.as_ref()), ("1 tablet twice a day", "oral"));
    assert_eq!((found.start.as_ref(), found.end.as_ref(), found.status.as_ref()), ("2024-01-01", "2024-02", "active"));
    let place = "/ClinicalDocument/component/structuredBody/component[1]/section/entry[1]/substanceAdministration";
    assert_eq!(found.place.to_string(), place);
}

#[test]
fn a_medicine_that_is_negated_or_nullified_is_none() {
    let entries = [
        medicine("negationInd=\"true\"", "active", ""),
        medicine("", "nullified", ""),
        medicine("", "suspended", ""),
        medicine("", "aborted", ""),
    ];
    let features = read_cda("", &section("10160-0", &entries.concat()));
    let statuses: Vec<_> = features.medications.iter().map(|one| one.status.as_ref()).collect();
    assert_eq!(statuses, ["on-hold", "stopped"]);
}

#[test]
fn a_name_may_stand_in_the_narrative_alone() {
    let content = "<text><content ID=\"m1\">Ramipril 5 mg capsules</content></text><entry><organizer><component><substanceAdministration>\
        <consumable><manufacturedProduct><manufacturedMaterial><code nullFlavor=\"UNK\"><originalText><reference value=\"#m1\"/></originalText></code>\
        </manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration></component></organizer></entry>";
    let features = read_cda("", &section("10160-0", content));
    assert_eq!(
        (features.medications[0].name.as_ref(), features.medications[0].strength.as_ref()),
        ("Ramipril", "5 mg")
    );
    assert_eq!(features.medications[0].status, "unknown");
}

fn allergy(attributes: &str, extra: &str) -> String {
    format!(
        "<entry><act><statusCode code=\"active\"/><entryRelationship typeCode=\"SUBJ\"><observation {attributes}><value code=\"416098002\"/>\
         <participant><participantRole><playingEntity><code code=\"91936005\" codeSystem=\"2.16.840.1.113883.6.96\"/><name>Penicillin</name></playingEntity>\
         </participantRole></participant>{extra}</observation></entryRelationship></act></entry>"
    )
}

#[test]
fn an_allergy_has_its_substance_from_the_participant_and_its_reactions() {
    let reaction = |name: &str| {
        format!(
            "<entryRelationship typeCode=\"MFST\"><observation><value displayName=\"{name}\"/></observation></entryRelationship>"
        )
    };
    let features = read_cda("", &section("48765-2", &allergy("", &(reaction("rash") + &reaction("wheeze")))));
    let found = &features.allergies[0];
    assert_eq!((found.code_system.as_ref(), found.code.as_ref()), ("snomed", "91936005"));
    assert_eq!((found.substance.as_ref(), found.reaction.as_ref()), ("Penicillin", "rash, wheeze"));
}

#[test]
fn an_allergy_that_is_negated_or_over_is_none() {
    let over = "<entryRelationship><observation><code code=\"33999-4\"/><value code=\"413322009\"/></observation></entryRelationship>";
    let severity = "<entry><act><entryRelationship><observation><code code=\"SEV\"/><value displayName=\"Severe\"/></observation></entryRelationship></act></entry>";
    let entries = allergy("negationInd=\"true\"", "") + &allergy("", over) + severity;
    assert_eq!(read_cda("", &section("48765-2", &entries)).allergies, []);
}

#[test]
fn a_section_without_entries_is_read_from_its_table_or_list() {
    let table = "<text><table><thead><tr><th>Medication</th><th>Dosage</th><th>Start date</th><th>Notes</th></tr></thead><tbody>\
        <tr><td>Ramipril 5 mg capsules</td><td>1 a day</td><td>01/02/2024</td><td>x</td></tr></tbody></table></text>";
    let list = "<text><list><item>Penicillin</item><item>No known drug allergies</item></list></text>";
    let sections =
        section("10160-0", table) + "<component><section><title>Allergies</title>" + list + "</section></component>";
    let features = read_cda("", &sections);
    let found = &features.medications[0];
    assert_eq!((found.name.as_ref(), found.dose.as_ref(), found.start.as_ref()), ("Ramipril", "1 a day", "2024-02-01"));
    assert_eq!(found.confidence, 80);
    let substances: Vec<_> = features.allergies.iter().map(|one| one.substance.as_ref()).collect();
    assert_eq!(substances, ["Penicillin"]);
}
