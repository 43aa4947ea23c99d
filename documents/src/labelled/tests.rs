#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn read_text(text: &str) -> Features<'static> {
    read(text, &Limits::default()).unwrap()
}

fn values_of(features: &Features<'_>, field: &str) -> Vec<String> {
    features.demographics.iter().filter(|one| one.field == field).map(|one| one.value.to_string()).collect()
}

#[test]
fn labelled_values_are_read_with_their_lines() {
    let features = read_text(
        "Riverside Surgery\n\nNHS No: 999 054 8609   D.O.B.: 31/12/1958 (65 years)   Sex: F\n\
         Name: Mrs Åsa Marie O'Toole     Hospital No: L1\nTel: 0113 496 0000   Mobile: 07700 900000\n",
    );
    for (field, values) in [
        ("nhs_number", vec!["9990548609"]),
        ("birth_date", vec!["1958-12-31"]),
        ("sex", vec!["female"]),
        ("family_name", vec!["O'Toole"]),
        ("given_names", vec!["Åsa Marie"]),
        ("phone", vec!["01134960000", "07700900000"]),
    ] {
        assert_eq!(values_of(&features, field), values, "{field}");
    }
    assert_eq!(features.demographics[0].place.to_string(), "line 3");
    assert_eq!(features.demographics[0].confidence, 95);
    assert_eq!(features.phones[1].usage, "mobile");
    assert_eq!(features.identifiers[1].system, "hospital no");
}

#[test]
fn a_label_without_a_colon_counts_when_its_value_proves_it() {
    let features = read_text(
        "NHS number 999 054 8609\nDate of birth  31 December 1958\nSex female\nAddress is on file\nNHS Trust\n",
    );
    assert_eq!(values_of(&features, "nhs_number"), ["9990548609"]);
    assert_eq!(values_of(&features, "birth_date"), ["1958-12-31"]);
    assert_eq!(values_of(&features, "sex"), ["female"]);
    assert_eq!(features.demographics.len(), 3);
}

#[test]
fn an_address_goes_on_in_lines_further_in_and_ends_with_its_postcode() {
    let features = read_text(
        "Address: 1 Trevelyan Square,\n         Boar Lane,\n         Leeds LS1 6AE\n         not this\nName: A B\n",
    );
    assert_eq!(values_of(&features, "address"), ["1 Trevelyan Square, Boar Lane, Leeds"]);
    assert_eq!(values_of(&features, "postcode"), ["LS1 6AE"]);
    let features = read_text("Address:\n1 Trevelyan Square\nLeeds\nPostcode: LS1 6AE\n");
    assert_eq!(features.addresses[0].text, "1 Trevelyan Square, Leeds");
    assert_eq!(features.addresses[0].postcode, "LS1 6AE");
    let features = read_text("Address: 1 Trevelyan Square, Leeds\nThank you for seeing her.\n");
    assert_eq!(values_of(&features, "address"), ["1 Trevelyan Square, Leeds"]);
}

#[test]
fn what_is_about_others_is_not_read() {
    let features = read_text(
        "GP name: Dr Jones   Surgery telephone: 0113 496 0009\nName: Ann Smith\n\nNext of kin\nName: Bob Smith\nTel: 0113 496 0008\n\nSex: F\n",
    );
    assert_eq!(values_of(&features, "family_name"), ["Smith"]);
    assert_eq!(values_of(&features, "given_names"), ["Ann"]);
    assert_eq!(values_of(&features, "phone"), [""; 0]);
    assert_eq!(values_of(&features, "sex"), ["female"]);
}

fn medicines(features: &Features<'_>) -> Vec<String> {
    let of = features.medications.iter();
    of.map(|one| format!("{}|{}|{}|{}", one.name, one.strength, one.form, one.dose)).collect()
}

#[test]
fn a_list_of_medicines_ends_where_its_items_do() {
    let features = read_text(
        "Current medication:\n- Paracetamol 500 mg tablets, 1 tablet\n  twice a day\n- Ramipril 5 mg capsules\n\n- Aspirin 75 mg tablets\n\
         Yours sincerely 5 mg\n\nMedications\n\nWarfarin 1 mg tablets\nSenna\n\nnot this 5 mg\n",
    );
    let expected = [
        "Paracetamol|500 mg|tablet|1 tablet twice a day",
        "Ramipril|5 mg|capsule|",
        "Aspirin|75 mg|tablet|",
        "Warfarin|1 mg|tablet|",
        "Senna|||",
    ];
    assert_eq!(medicines(&features), expected);
    assert_eq!(features.medications[0].place.to_string(), "line 2");
}

#[test]
fn labelled_lines_belong_to_the_medicine_before_them() {
    let features = read_text(
        "Medication: Paracetamol\nStrength: 500mg\nForm: Tablets\nDose: 1 tablet   Route: by mouth\nStart date: 1/1/2024\ndm+d code: 322236009\n\
         Medication: Senna   Dose: 2 at night\n",
    );
    assert_eq!(medicines(&features), ["Paracetamol|500 mg|tablet|1 tablet", "Senna|||2 at night"]);
    let found = &features.medications[0];
    assert_eq!((found.route.as_ref(), found.start.as_ref()), ("oral", "2024-01-01"));
    assert_eq!((found.code_system.as_ref(), found.code.as_ref()), ("dm+d", "322236009"));
}

#[test]
fn allergies_stand_in_a_line_or_a_list() {
    let found = |text: &str| -> Vec<String> {
        read_text(text).allergies.iter().map(|one| format!("{}|{}", one.substance, one.reaction)).collect()
    };
    assert_eq!(found("Allergies: Penicillin (rash, wheeze), latex\n"), ["Penicillin|rash, wheeze", "latex|"]);
    assert_eq!(found("Allergies: Penicillin - rash, wheeze; latex\n"), ["Penicillin|rash, wheeze", "latex|"]);
    assert_eq!(
        found("ALLERGIES\n* Penicillin: rash\n* Latex (SNOMED 111088007) - swelling\n"),
        ["Penicillin|rash", "Latex|swelling"]
    );
    assert_eq!(found("Allergy: Penicillin\nReaction: rash\n"), ["Penicillin|rash"]);
    assert_eq!(found("Allergies: None known\nKnown allergies: NKDA\n"), [""; 0]);
}

#[test]
fn a_form_names_the_parts_of_an_address_and_of_a_name() {
    let features = read_text(
        "First Name: Åsa\nMiddle Name: Marie\nLast Name: O'Toole\n\nStreet Address:   12 Mill Lane\nStreet Address 2: --\n\
         Home Phone Number: 0113 496 0000\nCity: Leeds\n\nState: West Yorkshire\nZip Code: LS1 4AP\nWork Phone Number: --\n",
    );
    assert_eq!(values_of(&features, "given_names"), ["Åsa Marie"]);
    assert_eq!(values_of(&features, "address"), ["12 Mill Lane, Leeds, West Yorkshire"]);
    assert_eq!(values_of(&features, "postcode"), ["LS1 4AP"]);
    assert_eq!(values_of(&features, "phone"), ["01134960000"]);
}

#[test]
fn words_before_a_label_may_say_that_it_is_not_the_patients() {
    let features = read_text(
        "Patient Name: Ann Smith\nSubscriber Name: Bob Smith\nContact Last Name: Jones\nTest Name: Blood count\n\
         Sex: F Date of birth: 31/12/1958\nI saw her today. Phone: 0113 496 0000\n",
    );
    assert_eq!(values_of(&features, "family_name"), ["Smith"]);
    assert_eq!(values_of(&features, "given_names"), ["Ann"]);
    assert_eq!(values_of(&features, "birth_date"), ["1958-12-31"]);
    assert_eq!(values_of(&features, "phone"), ["01134960000"]);
}

#[test]
fn a_part_about_others_ends_at_a_ruler_or_where_its_lines_are_no_longer_further_in() {
    let form = "Name: Ann Smith\n\nPRIMARY NEXT OF KIN\n\n  Name: Bob Smith\n\n  Phone: 0113 496 0008\nSex: F\n";
    let ruled = "Name: Ann Smith\n----------\nEmergency Contacts\n\n----------\nName: Bob Smith\n\nPhone: 0113 496 0008\n----------\nSex: F\n";
    for text in [form, ruled, &form.replace("PRIMARY NEXT OF KIN", "Primary Next of Kin")] {
        let features = read_text(text);
        assert_eq!(values_of(&features, "given_names"), ["Ann"], "{text}");
        assert_eq!(values_of(&features, "phone"), [""; 0], "{text}");
        assert_eq!(values_of(&features, "sex"), ["female"], "{text}");
    }
    // A letter begins with whom it is from.
    let features = read_text("RIVERSIDE SURGERY\nName: Ann Smith\n");
    assert_eq!(values_of(&features, "given_names"), ["Ann"]);
}

#[test]
fn what_a_form_says_of_a_medicine_or_an_allergy_ends_with_the_part() {
    let features = read_text(
        "Medication: Ramipril 5 mg capsules\nInstructions: 1 a day\nRefills: 3\nStatus: Active\n\n------ ALLERGIES OF THE PATIENT ------\n\n\
         Allergy Name: Latex      Date Entered: 7 Dec 2012\nAllergy Type: DRUG      Location: Leeds\nReaction: rash\n\n------ PROBLEMS ------\n\n\
         Problem: Asthma\nReaction: none\nStatus: Stopped\n\nMedication: Senna\n\nProblem List\n\nProblem: Asthma\nStatus: Stopped\n",
    );
    assert_eq!(medicines(&features), ["Ramipril|5 mg|capsule|1 a day", "Senna|||"]);
    assert_eq!(
        (features.medications[0].status.as_ref(), features.medications[1].status.as_ref()),
        ("active", "unknown")
    );
    assert_eq!((features.allergies[0].substance.as_ref(), features.allergies[0].reaction.as_ref()), ("Latex", "rash"));
    assert_eq!(features.allergies.len(), 1);
}

#[test]
fn an_item_goes_on_in_the_next_line_when_its_own_had_no_room() {
    let features = read_text(
        "Current medication\n- Paracetamol 500 mg tablet, 1 tablet four times a day, oral, from 2021-03-04,\ndm+d 322236009\n\
         - Senna\nThis is a line that says nothing of medicines, and that is as long as any other.\n",
    );
    assert_eq!(medicines(&features), ["Paracetamol|500 mg|tablet|1 tablet four times a day", "Senna|||"]);
    assert_eq!(features.medications[0].code, "322236009");
    let features = read_text("Current medication\n- Co-\n  codamol 8 mg/500 mg tablets, from 2021-03-\n  04\n");
    assert_eq!(medicines(&features), ["Co-codamol|8 mg/500 mg|tablet|"]);
    assert_eq!(features.medications[0].start, "2021-03-04");
}
