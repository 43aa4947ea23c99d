//! The business rules on a published pair of lists, where it is at hand: 98 people of many practices, as two files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use concord_flows::list_reconciliation::business::{self, Decision, Item, Patient, Reading};
use concord_flows::list_reconciliation::catalogue::ActiveRules;
use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};
use serde_json::Value;

type Row = BTreeMap<String, String>;

/// Rows by NHS number.
fn rows(path: &PathBuf) -> BTreeMap<String, Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.deserialize::<Row>().map(Result::unwrap);
    rows.map(|row| (row["NHS_NUMBER"].clone(), row)).collect()
}

struct OnPds {
    forenames: Vec<String>,
    surname: String,
    gender: &'static str,
    date_of_birth: String,
    address: Vec<String>,
    postcode: String,
}

impl OnPds {
    /// Its columns hold JSON.
    fn of(row: &Row) -> Self {
        let parsed = |column: &str| serde_json::from_str::<Value>(&row[column]).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect();
        let (name, gender, address) = (parsed("name"), parsed("gender"), parsed("address"));
        let born = &row["DATE_OF_BIRTH"];
        Self {
            forenames: list(&name["givenNames"]),
            surname: text(&name["familyName"]),
            gender: match gender["gender"].as_str().unwrap() {
                "0" => "other",
                "1" => "male",
                "2" => "female",
                _ => "unknown",
            },
            date_of_birth: format!("{}-{}-{}", &born[..4], &born[4..6], &born[6..]),
            address: list(&address["lines"]),
            postcode: text(&address["postCode"]),
        }
    }
}

/// Decisions on a person by item.
fn decide(gp: &Row, pds: &Row, reading: Reading) -> Vec<(Item, Decision)> {
    let born = gp["DATE_OF_BIRTH"].replace('-', "");
    let filled = |column: &str| Some(gp[column].as_str()).filter(|text| !text.is_empty());
    let gp = GpRecord {
        date_of_birth: Some(&born),
        sex: Some(gp["SEX"].parse().unwrap()),
        forenames: filled("FORENAME"),
        surname: filled("SURNAME"),
        postcode: filled("POSTCODE"),
        address_line_1: filled("ADDRESS_1"),
        address_line_2: filled("ADDRESS_2"),
        address_line_3: filled("ADDRESS_3"),
        address_line_4: filled("ADDRESS_4"),
        address_line_5: filled("ADDRESS_5"),
        ..GpRecord::default()
    };
    let pds = OnPds::of(pds);
    let pds = PdsRecord {
        forenames: pds.forenames.iter().map(String::as_str).collect(),
        surname: &pds.surname,
        gender: pds.gender,
        date_of_birth: &pds.date_of_birth,
        address: pds.address.iter().map(String::as_str).collect(),
        postcode: &pds.postcode,
        ..PdsRecord::default()
    };
    let patient = Patient { gp: &gp, pds: &pds, pds_dispensing: None, practice_dispenses: None };
    let decided = business::decide(&patient, ActiveRules::ALL, reading);
    decided.into_iter().map(|decided| (decided.item, decided.decision)).collect()
}

#[test]
fn ninety_six_people_on_both_lists_have_the_differences_counted_of_them() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/list-reconciliation");
    if !data.is_dir() {
        eprintln!(
            "SKIPPED: ninety_six_people_on_both_lists_have_the_differences_counted_of_them: no real files at hand"
        );
        return;
    }
    let (on_gp, on_pds) = (rows(&data.join("gp_302.csv")), rows(&data.join("pds_302.csv")));
    let both: Vec<(&Row, &Row)> = on_gp.iter().filter_map(|(number, gp)| Some((gp, on_pds.get(number)?))).collect();
    assert_eq!((on_gp.len(), both.len()), (98, 96));

    let mut items: BTreeMap<Item, u32> = BTreeMap::new();
    for (gp, pds) in both {
        for (item, _) in decide(gp, pds, Reading::Specification) {
            *items.entry(item).or_default() += 1;
        }
    }
    let expected = [
        (Item::Forenames, 1),
        (Item::Surname, 1),
        (Item::DateOfBirth, 1),
        (Item::Sex, 1),
        (Item::Address, 8),
        (Item::Postcode, 1),
    ];
    assert_eq!(items, BTreeMap::from(expected));

    let person = "2959359119";
    assert_eq!(on_gp[person]["PRACTICE"], "B86024");
    assert_eq!(decide(&on_gp[person], &on_pds[person], Reading::Specification), [(Item::Address, Decision::Validate)]);
}
