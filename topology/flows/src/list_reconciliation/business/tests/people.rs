//! The people of the demographic prototype: what it said of each, with its own actions and items.

use super::*;

struct Person {
    nhs_number: &'static str,
    gp: Side,
    pds: Side,
}

/// Date of birth as that side writes it, sex digit, forenames, surname, postcode, address lines.
struct Side(&'static str, i32, &'static str, &'static str, &'static str, &'static [&'static str]);

const PEOPLE: [Person; 11] = [
    Person {
        nhs_number: "9494968344",
        gp: Side("1917-02-16", 1, "Ted", "D'Alesco", "ZE1 0NY", &["Buhler", "Peterborough", "Nottingham"]),
        pds: Side("19170216", 1, "Ted", "D'Alesco", "ZE1 0NY", &["Buhler", "Peterborough", "Nottingham"]),
    },
    Person {
        nhs_number: "8582405340",
        gp: Side(
            "2916-08-17",
            1,
            "NotTerry",
            "Bondley",
            "NotZE2 9AR",
            &["NotRedwing", "NotWolverhampton", "NotWinchester"],
        ),
        pds: Side("19160817", 9, "Terry", "Bondley", "ZE2 9AR", &["Redwing", "Wolverhampton", "Winchester"]),
    },
    Person {
        nhs_number: "8761038776",
        gp: Side("1984-02-10", 9, "Lucais", "Kidwell", "ZE1 0UP", &["Mayfield"]),
        pds: Side("19840210", 9, "Kidwell", "Lucais", "ZE1 0UP", &["Mayfield"]),
    },
    Person {
        nhs_number: "2797516451",
        gp: Side("1966-12-16", 2, "Kerwinn", "Rich Marvell", "ZE1 0TU", &["South"]),
        pds: Side("19661216", 2, "Kerwinn", "Marvell", "ZE1 0TU", &["South"]),
    },
    Person {
        nhs_number: "4698144396",
        gp: Side("2018-10-21", 1, "Nata Jones", "Astridge", "ZE2 9RJ", &["Pine View"]),
        pds: Side("20181021", 1, "Nata", "Astridge", "ZE2 9RJ", &["Pine View"]),
    },
    Person {
        nhs_number: "0486072339",
        gp: Side("1979-08-19", 0, "Nelle", "", "ZE1 0RD", &["Jerby East"]),
        pds: Side("19790819", 0, "Nelle", "Brumen", "ZE1 0RD", &["Jerby East"]),
    },
    Person {
        nhs_number: "6414799785",
        gp: Side("1987-02-06", 9, "Abe", "De Mullett", "ZE1 0FG", &["Bobwhite"]),
        pds: Side("19870206", 9, "Abe-Rich", "De Mullett", "ZE1 0FG", &["Bobwhite"]),
    },
    Person {
        nhs_number: "1304672999",
        gp: Side("1923-11-21", 2, "Nikki-Stevens", "Pavey", "ZE3 9JY", &["Logan"]),
        pds: Side("19231121", 2, "Nikki", "Pavey", "ZE3 9JY", &["Logan"]),
    },
    Person {
        nhs_number: "4682621238",
        gp: Side("1940-07-17", 2, "Brianne", "Das-Lee", "ZE1 0UE", &["Schlimgen"]),
        pds: Side("19400717", 2, "Brianne", "Das Lee", "ZE1 0UE", &["Schlimgen"]),
    },
    Person {
        nhs_number: "6472621238",
        gp: Side("1940-07-17", 2, "Brian Lee", "Das", "ZE1 0BA", &["Green Street"]),
        pds: Side("19400717", 2, "Brian-Lee", "Das", "ZE1 0BA", &["Green Street"]),
    },
    Person {
        nhs_number: "2123864726",
        gp: Side("1981-11-10", 2, "John", "Smith", "ZE1 0BA", &["Green Street"]),
        pds: Side("19801110", 2, "John", "Smith", "ZE1 0BA", &["Green Street"]),
    },
];

/// One row for each item: the prototype wrote a swap as two.
const ROWS: [(&str, &str, &str); 15] = [
    ("8582405340", "date of birth", "validate"),
    ("8582405340", "sex", "validate"),
    ("8582405340", "postcode", "validate"),
    ("8582405340", "forenames", "validate"),
    ("8582405340", "address", "validate"),
    ("8761038776", "forenames", "update PDS"),
    ("8761038776", "surname", "update PDS"),
    ("2797516451", "surname", "update PDS"),
    ("4698144396", "forenames", "update PDS"),
    ("0486072339", "surname", "update GP"),
    ("6414799785", "forenames", "update GP"),
    ("1304672999", "forenames", "update PDS"),
    ("4682621238", "surname", "update PDS"),
    ("6472621238", "forenames", "update PDS"),
    ("2123864726", "date of birth", "validate"),
];

fn rows_of(person: &Person, reading: Reading) -> Vec<(&'static str, &'static str, &'static str)> {
    // Each side writes dates the other way round in these records: the rules are given what the flow gives them.
    let born_on_gp = person.gp.0.replace('-', "");
    let born_on_pds = format!("{}-{}-{}", &person.pds.0[..4], &person.pds.0[4..6], &person.pds.0[6..]);
    let filled = |text: &'static str| Some(text).filter(|text| !text.is_empty());
    let line = |number: usize| person.gp.5.get(number).copied();
    let gp = GpRecord {
        date_of_birth: Some(&born_on_gp),
        sex: Some(person.gp.1),
        forenames: filled(person.gp.2),
        surname: filled(person.gp.3),
        postcode: filled(person.gp.4),
        address_line_1: line(0),
        address_line_2: line(1),
        address_line_3: line(2),
        ..GpRecord::default()
    };
    let pds = PdsRecord {
        date_of_birth: &born_on_pds,
        gender: ["other", "male", "female", "unknown"][usize::try_from(person.pds.1).unwrap().min(3)],
        forenames: vec![person.pds.2],
        surname: person.pds.3,
        postcode: person.pds.4,
        address: person.pds.5.to_vec(),
        ..PdsRecord::default()
    };
    let mut rows = Vec::new();
    for decided in decide(&patient_with(&gp, &pds), ActiveRules::ALL, reading) {
        let items = match decided.item {
            Item::Names => vec![Item::Forenames, Item::Surname],
            one => vec![one],
        };
        rows.extend(items.into_iter().map(|item| (person.nhs_number, item.as_str(), decided.decision.as_str())));
    }
    rows
}

#[test]
fn eleven_people_give_the_fifteen_rows_of_the_prototype_in_both_readings() {
    for reading in [Reading::Specification, Reading::Prototype] {
        let mut found: Vec<_> = PEOPLE.iter().flat_map(|person| rows_of(person, reading)).collect();
        let mut expected = ROWS.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{reading:?}");
    }
}
