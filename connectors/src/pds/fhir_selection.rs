//! Which of several names, addresses and practices of a Patient is taken.

use super::fhir_resource::{Address, HumanName, Period, Resource};
use super::record::PdsRecordOwned;

/// How one name, one address and one practice are taken from lists that may hold several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All parts from one and the same element. Names: `usual`, else `official`, else the first that is not an old one.
    /// Addresses: `home`, else the first that is neither temporary nor old. Among equals the first whose period holds today.
    OneElement,
    /// Each part from the first element that has it, as the earlier implementation did: a title may then stand beside the
    /// surname of another name, and a temporary address may be taken.
    FirstOfEachPart,
}

const NAME_USES: [(&str, u8); 4] = [("usual", 0), ("official", 1), ("old", 3), ("maiden", 3)];
const ADDRESS_USES: [(&str, u8); 3] = [("home", 0), ("temp", 2), ("old", 3)];
const OTHER_NAME_USE: u8 = 2;
const OTHER_ADDRESS_USE: u8 = 1;

/// Fills in name, address and practice. `today` is an ISO date.
pub(super) fn select(record: &mut PdsRecordOwned, resource: Resource, selection: Selection, today: &str) {
    match selection {
        Selection::OneElement => one_element(record, resource, today),
        Selection::FirstOfEachPart => first_of_each_part(record, resource),
    }
}

fn one_element(record: &mut PdsRecordOwned, resource: Resource, today: &str) {
    let name = resource.name.into_iter().min_by_key(|name| name_rank(name, today));
    if let Some(name) = name {
        record.surname = name.family.unwrap_or_default();
        record.forenames = texts(name.given);
        record.titles = texts(name.prefix);
    }
    let address = resource.address.into_iter().min_by_key(|address| address_rank(address, today));
    if let Some(address) = address {
        record.address = texts(address.line);
        record.postcode = address.postal_code.unwrap_or_default();
    }
    let practice = resource
        .general_practitioner
        .into_iter()
        .map(|reference| reference.identifier)
        .find(|identifier| identifier.value.is_some());
    if let Some(practice) = practice {
        record.gp_practice = practice.value.unwrap_or_default();
        record.gp_registered_date = practice.period.start.unwrap_or_default();
    }
}

fn first_of_each_part(record: &mut PdsRecordOwned, mut resource: Resource) {
    let names = &mut resource.name;
    record.surname = names.iter_mut().find_map(|name| name.family.take()).unwrap_or_default();
    record.forenames = texts(names.iter_mut().find_map(|name| name.given.take()));
    record.titles = texts(names.iter_mut().find_map(|name| name.prefix.take()));

    let addresses = &mut resource.address;
    record.address = texts(addresses.iter_mut().find_map(|address| address.line.take()));
    record.postcode = addresses.iter_mut().find_map(|address| address.postal_code.take()).unwrap_or_default();

    let practices = &mut resource.general_practitioner;
    record.gp_practice = practices.iter_mut().find_map(|practice| practice.identifier.value.take()).unwrap_or_default();
    record.gp_registered_date =
        practices.iter_mut().find_map(|practice| practice.identifier.period.start.take()).unwrap_or_default();
}

fn texts(list: Option<Vec<Option<String>>>) -> Vec<String> {
    list.unwrap_or_default().into_iter().flatten().collect()
}

/// The lower, the better: by use, then by whether its period holds today.
fn name_rank(name: &HumanName, today: &str) -> (u8, bool) {
    (rank(name.usage.as_deref(), &NAME_USES, OTHER_NAME_USE), !holds(&name.period, today))
}

fn address_rank(address: &Address, today: &str) -> (u8, bool) {
    (rank(address.usage.as_deref(), &ADDRESS_USES, OTHER_ADDRESS_USE), !holds(&address.period, today))
}

fn rank(usage: Option<&str>, ranks: &[(&str, u8)], other: u8) -> u8 {
    let Some(usage) = usage else {
        return other;
    };
    ranks.iter().find(|(known, _)| *known == usage).map_or(other, |&(_, rank)| rank)
}

/// Whether a period that may be open, partial (a year) or exact to the second holds on a day.
fn holds(period: &Period, today: &str) -> bool {
    let begun = period.start.as_deref().is_none_or(|start| as_precise_as(today, start) >= day_of(start));
    let ended = period.end.as_deref().is_some_and(|end| as_precise_as(today, end) > day_of(end));
    begun && !ended
}

fn day_of(date_or_time: &str) -> &str {
    date_or_time.split_once('T').map_or(date_or_time, |(day, _)| day)
}

/// Today, cut to a year or a month when the other date is.
fn as_precise_as<'a>(today: &'a str, other: &str) -> &'a str {
    today.get(..day_of(other).len()).unwrap_or(today)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn selected(resource: &str, selection: Selection) -> PdsRecordOwned {
        let mut record = PdsRecordOwned::default();
        select(&mut record, serde_json::from_str(resource).unwrap(), selection, "2021-08-10");
        record
    }

    const TWO_NAMES: &str = r#"{"name": [
        {"use": "old", "family": "Lark", "given": ["Anna"]},
        {"use": "usual", "family": "Wren", "prefix": ["Dr"]}
    ]}"#;

    #[test]
    fn one_element_gives_all_parts_of_the_name() {
        let record = selected(TWO_NAMES, Selection::OneElement);
        assert_eq!((record.surname.as_str(), record.forenames.len()), ("Wren", 0));
        assert_eq!(record.titles, ["Dr"]);
    }

    #[test]
    fn first_of_each_part_mixes_names_as_the_earlier_implementation_did() {
        let record = selected(TWO_NAMES, Selection::FirstOfEachPart);
        assert_eq!(record.surname, "Lark");
        assert_eq!(record.forenames, ["Anna"]);
        assert_eq!(record.titles, ["Dr"]);
    }

    #[test]
    fn usual_goes_before_official_before_the_first_that_is_not_old() {
        let family = |uses: &[&str]| {
            let names: Vec<String> =
                uses.iter().map(|usage| format!(r#"{{"use": "{usage}", "family": "{usage}"}}"#)).collect();
            selected(&format!(r#"{{"name": [{}]}}"#, names.join(",")), Selection::OneElement).surname
        };
        assert_eq!(family(&["official", "usual"]), "usual");
        assert_eq!(family(&["nickname", "official"]), "official");
        assert_eq!(family(&["old", "nickname", "temp"]), "nickname");
        assert_eq!(family(&["old"]), "old");
    }

    #[test]
    fn a_temporary_or_old_address_is_taken_only_when_there_is_no_other() {
        let temp = r#"{"use": "temp", "line": ["T"], "postalCode": "T1 1TT"}"#;
        let old = r#"{"use": "old", "line": ["O"]}"#;
        let home = r#"{"use": "home", "line": ["H"], "period": {"end": "2020-12-31"}}"#;
        let address =
            |list: &[&str], selection| selected(&format!(r#"{{"address": [{}]}}"#, list.join(",")), selection);
        let home_record = address(&[temp, old, home], Selection::OneElement);
        assert_eq!((home_record.address, home_record.postcode.as_str()), (vec!["H".to_owned()], ""));
        assert_eq!(address(&[old, temp], Selection::OneElement).address, ["T"]);
        assert_eq!(address(&[old], Selection::OneElement).address, ["O"]);
        let mixed = address(&[home, temp], Selection::FirstOfEachPart);
        assert_eq!((mixed.address, mixed.postcode.as_str()), (vec!["H".to_owned()], "T1 1TT"));
    }

    #[test]
    fn of_two_homes_the_one_whose_period_holds_today_is_taken() {
        let table = [
            (r#"{"end": "2021-08-09"}"#, "second"),
            (r#"{"end": "2021-08-10"}"#, "first"),
            (r#"{"end": "2021-08-09T23:59:59+00:00"}"#, "second"),
            (r#"{"end": "2021"}"#, "first"),
            (r#"{"end": "2020"}"#, "second"),
            (r#"{"start": "2021-09"}"#, "second"),
            (r#"{"start": "2021-08"}"#, "first"),
        ];
        for (period, expected) in table {
            let resource = format!(
                r#"{{"address": [{{"use": "home", "line": ["first"], "period": {period}}}, {{"use": "home", "line": ["second"]}}]}}"#
            );
            assert_eq!(selected(&resource, Selection::OneElement).address, [expected], "{period}");
        }
    }

    #[test]
    fn a_practice_keeps_its_own_start_of_registration() {
        let resource = r#"{"generalPractitioner": [
            {"identifier": {"period": {"start": "2001-01-01"}}},
            {"identifier": {"value": "Y12345", "period": {"start": "2020-01-01"}}}
        ]}"#;
        let one = selected(resource, Selection::OneElement);
        assert_eq!((one.gp_practice.as_str(), one.gp_registered_date.as_str()), ("Y12345", "2020-01-01"));
        let mixed = selected(resource, Selection::FirstOfEachPart);
        assert_eq!(mixed.gp_registered_date, "2001-01-01");
    }
}
