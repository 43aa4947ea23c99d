//! People who do not exist, as a practice and as PDS would write them.

use concord_schemas::list_reconciliation::PdsRecord;

/// Valid NHS numbers of nobody.
pub const ANNA: &str = "9990000018";
pub const BERT: &str = "9990000026";
pub const CARA: &str = "9990000034";
pub const DORA: &str = "9990000042";
/// An older form of number.
pub const OF_OLD: &str = "ABC?/12";

/// Practices.
pub const HERE: &str = "Y12345";
pub const THERE: &str = "Y54321";

/// An extract of people who are all called Anna Wren, or as `number=SURNAME` says.
pub fn extract(people: &[&str]) -> String {
    let mut text = "503\\*\n".to_owned();
    for (place, person) in people.iter().enumerate() {
        let transaction = place + 1;
        let (number, surname) = person.split_once('=').unwrap_or((person, "WREN"));
        text.push_str(&format!(
            "DOW~1~1111111,1234~LNA~20210809~1641~{transaction}~{number}~{surname}~ANNA~~MS~2~19800229~~1 OAK LANE\n\
             DOW~2~~ELMTON~~AB1  2CD~~~~~\n"
        ));
    }
    text
}

/// On PDS as the lists have everybody, registered at a practice.
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
