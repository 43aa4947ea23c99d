#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;
use crate::list_reconciliation::business::{self, Decision, Item, Patient, Reading};
use crate::list_reconciliation::compare;
use crate::list_reconciliation::profile::Profile;

const DAY: Date = date(2021, 8, 10);
const HERE: Situation<'_> = Situation { practice: "A82023", region: "LNA", date: DAY };

fn switch(rules: &[&str]) -> RuleSwitch {
    RuleSwitch { rules: rules.iter().map(ToString::to_string).collect(), ..RuleSwitch::default() }
}

fn settings(switches: &[RuleSwitch]) -> RuleSettings {
    RuleSettings::new(true, Reading::default()).with_switches(switches.to_vec()).unwrap()
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn the_catalogue_has_every_rule_once_in_the_order_of_evaluation() {
    let described: Vec<&str> = CATALOGUE.iter().map(|entry| entry.id).collect();
    let evaluated: Vec<&str> = compare::RULES.iter().map(|rule| rule.id).chain(business::ids()).collect();
    assert_eq!(described, evaluated);
    assert_eq!(described.iter().collect::<BTreeSet<_>>().len(), described.len(), "an id stands twice");
    for entry in &CATALOGUE {
        let is_business = !entry.id.starts_with("MN-");
        assert_eq!(entry.set == RuleSet::Business, is_business, "{}", entry.id);
        assert_eq!(entry.class == Class::Validate, entry.guidance == compare::GUIDANCE, "{}", entry.id);
    }
}

#[test]
fn findings_of_registration_are_described_and_are_no_rules_that_could_be_switched() {
    for finding in &REGISTRATION_FINDINGS {
        assert_eq!(entry(finding.id), Some(finding));
        assert!(!ActiveRules::ALL.has(finding.id), "{}", finding.id);
    }
    assert_eq!(
        REGISTRATION_FINDINGS.each_ref().map(|finding| finding.id),
        [ONLY_ON_GP, ONLY_ON_PDS, compare::SENSITIVE]
    );
}

#[test]
fn without_settings_the_first_set_holds_and_the_second_does_not() {
    let active = RuleSettings::default().active(&HERE);
    for entry in &CATALOGUE {
        assert_eq!(active.has(entry.id), entry.set == RuleSet::Differences, "{}", entry.id);
    }
    assert!(!active.has_business());
    assert_eq!(settings(&[]).active(&HERE), ActiveRules::ALL);
    assert!(!ActiveRules::ALL.has("BR-SN-06"), "there is no such rule");
}

#[test]
fn a_switch_holds_for_its_practices_regions_and_days_and_the_last_one_decides() {
    let off = switch(&["BR-SN-04", "MN-BR-TL-01"]);
    let table = [
        (off.clone(), false),
        (RuleSwitch { practices: texts(&["B85001", "A82023"]), ..off.clone() }, false),
        (RuleSwitch { practices: texts(&["B85001"]), ..off.clone() }, true),
        (RuleSwitch { regions: texts(&["LNA"]), ..off.clone() }, false),
        (RuleSwitch { regions: texts(&["YW0"]), ..off.clone() }, true),
        (RuleSwitch { from: Some(DAY), ..off.clone() }, false),
        (RuleSwitch { from: Some(DAY.tomorrow().unwrap()), ..off.clone() }, true),
        (RuleSwitch { to: Some(DAY), ..off.clone() }, false),
        (RuleSwitch { to: Some(DAY.yesterday().unwrap()), ..off.clone() }, true),
        (RuleSwitch { practices: texts(&["A82023"]), regions: texts(&["YW0"]), ..off.clone() }, true),
    ];
    for (switch, on) in table {
        let active = settings(std::slice::from_ref(&switch)).active(&HERE);
        assert_eq!((active.has("BR-SN-04"), active.has("MN-BR-TL-01")), (on, on), "{switch:?}");
        assert!(active.has("BR-SN-05"), "it is not in the switch");
    }
    let on_again = RuleSwitch { enabled: true, practices: texts(&["A82023"]), ..switch(&["BR-SN-04"]) };
    let active = settings(&[off, on_again]).active(&HERE);
    assert_eq!((active.has("BR-SN-04"), active.has("MN-BR-TL-01")), (true, false));
}

#[test]
fn a_switch_of_a_business_rule_does_not_bring_the_set_into_use() {
    let on = RuleSwitch { enabled: true, ..switch(&["BR-SN-04"]) };
    let settings = RuleSettings::default().with_switches(vec![on]).unwrap();
    assert!(!settings.active(&HERE).has("BR-SN-04"));
}

#[test]
fn a_wrong_switch_is_refused_with_what_to_write_instead() {
    let table = [
        (switch(&[]), "write rules = [\"BR-SN-04\"]"),
        (switch(&["BR-SN-06"]), "there is no rule `BR-SN-06`: write one of BR-SN-01, BR-SN-02, BR-SN-04"),
        (switch(&["ONLY-ON-GP"]), "`ONLY-ON-GP` is found of every list"),
        (switch(&["br-tl-1"]), "write one of BR-TL-02, BR-TL-01 ("),
        (RuleSwitch { practices: texts(&["a82023"]), ..switch(&["BR-SN-04"]) }, "`a82023` is no practice code"),
        (RuleSwitch { regions: texts(&["LN"]), ..switch(&["BR-SN-04"]) }, "`LN` is no cipher"),
        (
            RuleSwitch { from: Some(DAY), to: Some(DAY.yesterday().unwrap()), ..switch(&["BR-SN-04"]) },
            "ends (2021-08-09) before it begins (2021-08-10)",
        ),
    ];
    for (switch, message) in table {
        let refused = RuleSettings::default().with_switches(vec![switch]).unwrap_err();
        assert!(refused.contains(message), "{refused}");
    }
    let refused = RuleSettings::default().with_dispensing_practices(texts(&["A8202"])).unwrap_err();
    assert!(refused.contains("`A8202` is no practice code"), "{refused}");
}

#[test]
fn whether_a_practice_dispenses_is_known_only_where_it_is_configured() {
    assert_eq!(RuleSettings::default().dispenses("A82023"), None);
    let known = RuleSettings::default().with_dispensing_practices(texts(&["A82023"])).unwrap();
    assert_eq!((known.dispenses("A82023"), known.dispenses("B85001")), (Some(true), Some(false)));
}

fn gp() -> GpRecord<'static> {
    GpRecord { forenames: Some("ANGELA"), surname: Some("KEW-JONES"), title: Some("MRS"), ..GpRecord::default() }
}

fn pds() -> PdsRecord<'static> {
    PdsRecord { forenames: vec!["Angela"], surname: "Kew Jones", titles: vec!["Mrs"], ..PdsRecord::default() }
}

fn tried(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, settings: &RuleSettings) -> Vec<Trial> {
    let patient = Patient { gp, pds, pds_dispensing: None, practice_dispenses: None };
    trial(&TrialRecords { patient, situation: HERE, profile: Profile::Fixed }, settings)
}

fn of<'a>(tried: &'a [Trial], id: &str) -> &'a Trial {
    tried.iter().find(|trial| trial.rule.id == id).unwrap()
}

#[test]
fn a_trial_says_of_every_rule_what_it_compared_and_why_it_fired_or_did_not() {
    let tried =
        tried(&gp(), &pds(), &settings(&[RuleSwitch { practices: texts(&["A82023"]), ..switch(&["BR-AD-01"]) }]));
    assert_eq!(tried.len(), CATALOGUE.len());

    let surname = of(&tried, "MN-BR-SN-01");
    assert_eq!(
        (surname.gp.as_str(), surname.pds.as_str(), &surname.verdict),
        ("kew-jones", "kew jones", &Verdict::Differs)
    );
    let hyphen = of(&tried, "BR-SN-07");
    assert_eq!((hyphen.gp.as_str(), hyphen.pds.as_str()), ("mrs | ANGELA | KEW-JONES", "mrs | Angela | Kew Jones"));
    assert_eq!(hyphen.verdict, Verdict::Decides(Decision::UpdatePds, Item::Surname));

    let not_fired = |id, why: &str| {
        assert_eq!(of(&tried, id).verdict, Verdict::DoesNotFire(why.to_string()), "{id}");
    };
    not_fired("MN-BR-TL-01", "both are the same");
    not_fired("BR-FN-02", "the forenames are the same");
    not_fired("BR-SN-03", "it would, but BR-SN-07 decides");
    not_fired("BR-TN-04", "it would, but BR-SN-07 decides");
    not_fired("BR-DD-01", "it is not known what PDS says");
    assert_eq!(of(&tried, "BR-AD-01").verdict, Verdict::Off("switched off for practice A82023".to_string()));
}

#[test]
fn a_trial_without_the_business_rules_says_that_they_are_not_in_use() {
    let tried = tried(&gp(), &pds(), &RuleSettings::default());
    assert_eq!(of(&tried, "BR-SN-07").verdict, Verdict::Off("the business rules are not in use".to_string()));
    assert_eq!(of(&tried, "MN-BR-SN-01").verdict, Verdict::Differs);
}

const TEXT: &str = "[aAbÉ \\t'-]{0,4}";

fn list() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(TEXT, 0..3)
}

proptest! {
    /// What a trial shows is what the rules compared.
    #[test]
    fn a_difference_is_found_exactly_where_the_values_shown_differ(
        texts in prop::array::uniform5(TEXT),
        lists in prop::array::uniform3(list()),
        surname in TEXT,
        postcode in TEXT,
        born in prop::option::of(0..2_usize),
        born_on_pds in 0..4_usize,
        sex in prop::option::of(prop::sample::select(vec![0, 1, 2, 9])),
        gender in prop::sample::select(vec!["", "male", "Female", "other", "unknown"]),
        profile in prop::sample::select(vec![Profile::Fixed, Profile::Compatible]),
    ) {
        let gp = GpRecord {
            surname: Some(&texts[0]),
            forenames: Some(&texts[1]),
            title: Some(&texts[2]),
            postcode: Some(&texts[3]),
            address_line_2: Some(&texts[4]),
            date_of_birth: born.map(|born| ["20120211", "19230501"][born]),
            sex,
            ..GpRecord::default()
        };
        let borrowed: Vec<Vec<&str>> =
            lists.iter().map(|list| list.iter().map(String::as_str).collect()).collect();
        let pds = PdsRecord {
            surname: &surname,
            forenames: borrowed[0].clone(),
            titles: borrowed[1].clone(),
            address: borrowed[2].clone(),
            postcode: &postcode,
            date_of_birth: ["", "2012-02-11", "1923-05-01", "1923"][born_on_pds],
            gender,
            ..PdsRecord::default()
        };
        let patient = Patient { gp: &gp, pds: &pds, pds_dispensing: None, practice_dispenses: None };
        for trial in trial(&TrialRecords { patient, situation: HERE, profile }, &settings(&[])) {
            let differ = trial.gp != trial.pds;
            match trial.rule.id {
                id if id.starts_with("MN-") => prop_assert_eq!(trial.verdict == Verdict::Differs, differ, "{}", id),
                id @ ("BR-DB-01" | "BR-SX-01" | "BR-AD-01" | "BR-AD-02") => {
                    prop_assert_eq!(matches!(trial.verdict, Verdict::Decides(..)), differ, "{}", id);
                }
                _ => {}
            }
            if let Verdict::Decides(decision, _) = trial.verdict {
                let is_for_a_person = trial.rule.class == Class::Validate;
                prop_assert_eq!(decision == Decision::Validate, is_for_a_person, "{}", trial.rule.id);
            }
        }
    }
}

#[test]
fn the_reading_of_the_settings_is_the_one_tried() {
    let gp = GpRecord { forenames: Some("Angela"), surname: Some("Smith"), ..GpRecord::default() };
    let pds = PdsRecord { forenames: vec!["Angela Charlotte"], surname: "Smith", ..PdsRecord::default() };
    for (reading, decision) in [(Reading::Specification, Decision::UpdateGp), (Reading::Prototype, Decision::UpdatePds)]
    {
        let settings = RuleSettings::new(true, reading);
        let tried = tried(&gp, &pds, &settings);
        assert_eq!(of(&tried, "BR-FN-02").verdict, Verdict::Decides(decision, Item::Forenames));
    }
}
