//! One invented person as the practice and as PDS know her.

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

pub(super) fn gp() -> GpRecord<'static> {
    GpRecord {
        nhs_number: Some("9990000018"),
        surname: Some("WREN"),
        forenames: Some("ANNA,BEA"),
        previous_surname: Some("LARK"),
        title: Some("DR"),
        sex: Some(2),
        date_of_birth: Some("19800229"),
        address_line_1: Some("THE NEST"),
        address_line_2: Some("1 OAK LANE"),
        address_line_3: None,
        address_line_4: Some("ELMTON"),
        address_line_5: Some(" "),
        postcode: Some("AB1  2CD"),
        ..GpRecord::default()
    }
}

pub(super) fn pds() -> PdsRecord<'static> {
    PdsRecord {
        nhs_number: "9990000018",
        version: "7",
        sensitivity: "U",
        surname: "Wren",
        forenames: vec!["Anna", "Béa"],
        titles: vec!["Dr", "Prof"],
        gender: "female",
        date_of_birth: "1980-02-28",
        address: vec!["1 Oak Lane", "Elmton"],
        postcode: "AB1 2CD",
        gp_practice: "Y54321",
        gp_registered_date: "2019-04-01",
        date_of_death: "",
    }
}
