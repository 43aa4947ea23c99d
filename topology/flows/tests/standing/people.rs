//! People who do not exist, as a practice and as PDS would write them.

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

/// Valid NHS numbers of nobody.
pub const ANNA: &str = "9990000018";
pub const BERT: &str = "9990000026";
pub const CARA: &str = "9990000034";
pub const DORA: &str = "9990000042";

/// Practices.
pub const HERE: &str = "Y12345";
pub const THERE: &str = "Y54321";

/// On a list, as [`on_pds`] has the person.
pub fn on_list(nhs: &str) -> GpRecord<'_> {
    GpRecord {
        registered_gp: "1111111,1234",
        cipher: "LNA",
        download_date: "20210809",
        download_time: "1641",
        trans_id: "1",
        nhs_number: Some(nhs),
        surname: Some("WREN"),
        forenames: Some("ANNA"),
        title: Some("MS"),
        sex: Some(2),
        date_of_birth: Some("19800229"),
        address_line_2: Some("1 OAK LANE"),
        address_line_4: Some("ELMTON"),
        postcode: Some("AB1  2CD"),
        ..GpRecord::default()
    }
}

/// On PDS, registered at a practice.
pub fn on_pds<'a>(nhs: &'a str, practice: &'a str) -> PdsRecord<'a> {
    PdsRecord {
        nhs_number: nhs,
        version: "1",
        sensitivity: "U",
        surname: "Wren",
        forenames: vec!["Anna"],
        titles: vec!["Ms"],
        gender: "female",
        date_of_birth: "1980-02-29",
        address: vec!["1 Oak Lane", "Elmton"],
        postcode: "AB1 2CD",
        gp_practice: practice,
        gp_registered_date: "2020-01-01",
        date_of_death: "",
    }
}
