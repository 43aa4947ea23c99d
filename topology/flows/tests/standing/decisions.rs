//! Business rules decide on differences, on a topic of their own, as long as the differences stand.

use std::slice;

use concord_flows::list_reconciliation::business::Reading;
use concord_flows::list_reconciliation::catalogue::RuleSettings;
use concord_flows::list_reconciliation::{RegistrationSource, Settings};
use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use crate::people::{ANNA, BERT, CARA, HERE, on_list, on_pds};
use crate::stage::{DAY, List, NOW, Stage, key};

const FIRST: List<'_> = List { practice: HERE, job_id: "job-1", at_ms: NOW };

fn in_use() -> Settings {
    Settings { rules: RuleSettings::new(true, Reading::Specification), ..Settings::default() }
}

#[test]
fn decisions_are_published_counted_and_taken_back_with_their_causes() {
    let mut stage = Stage::with(in_use());
    for nhs in [ANNA, BERT, CARA] {
        stage.pds(&on_pds(nhs, HERE));
    }
    let records = [
        GpRecord { title: None, ..on_list(ANNA) },
        GpRecord { title: Some("DR"), ..on_list(BERT) },
        GpRecord { postcode: Some("ZZ1  2CD"), ..on_list(CARA) },
    ];
    stage.list(FIRST, &records);
    let decided: Vec<(String, String)> =
        stage.decisions().into_iter().map(|(key, stands)| (key, stands.decision)).collect();
    let expected = [
        (key(HERE, ANNA, "BR-TL-02"), "update GP".to_owned()),
        (key(HERE, BERT, "BR-TL-01"), "update PDS".to_owned()),
        (key(HERE, CARA, "BR-AD-02"), "validate".to_owned()),
    ];
    assert_eq!(decided, expected);
    let counts = stage.counts("job-1");
    assert_eq!((counts.gp_updates, counts.pds_updates, counts.validations, counts.differences), (1, 1, 1, 3));

    stage.pds_on_day(1, &PdsRecord { titles: vec!["Mx"], version: "2", ..on_pds(BERT, HERE) });
    let bert = stage.decisions().remove(&key(HERE, BERT, "BR-TL-01")).unwrap();
    assert_eq!((bert.first_seen, bert.last_confirmed, bert.cause.as_str()), (NOW, NOW + DAY, "PDS_CHANGED"));
    assert_eq!(bert.pds_version, "2");
    stage.pds(&PdsRecord { sensitivity: "R", ..on_pds(BERT, "") });
    stage.pds(&PdsRecord { titles: Vec::new(), ..on_pds(ANNA, HERE) });
    assert_eq!(stage.decisions().into_keys().collect::<Vec<_>>(), [key(HERE, CARA, "BR-AD-02")]);
    stage.list(List { job_id: "job-2", at_ms: NOW + DAY, ..FIRST }, slice::from_ref(&on_list(CARA)));
    assert!(stage.decisions().is_empty());
    stage.check();
}

#[test]
fn business_rules_that_are_not_in_use_decide_nothing() {
    let mut stage = Stage::new();
    stage.pds(&on_pds(ANNA, HERE));
    stage.list(FIRST, &[GpRecord { title: None, ..on_list(ANNA) }]);
    assert!(stage.decisions().is_empty());
    let counts = stage.counts("job-1");
    assert_eq!((counts.gp_updates, counts.pds_updates, counts.validations, counts.differences), (0, 0, 0, 1));
    stage.check();
}

#[test]
fn the_flag_of_the_list_of_registrations_decides_on_dispensing_and_a_change_of_it_too() {
    let rules = RuleSettings::new(true, Reading::Specification).with_dispensing_practices(vec![HERE.to_owned()]);
    let registrations = RegistrationSource::RegistrationList;
    let mut stage = Stage::with(Settings { registrations, rules: rules.unwrap(), ..Settings::default() });
    stage.pds(&on_pds(ANNA, HERE));
    stage.registration(ANNA, HERE, "1");
    stage.list(FIRST, &[on_list(ANNA)]);
    assert_eq!(stage.decisions().into_keys().collect::<Vec<_>>(), [key(HERE, ANNA, "BR-DD-02")]);
    stage.registration(ANNA, HERE, "0");
    assert!(stage.decisions().is_empty());
    stage.check();
}
