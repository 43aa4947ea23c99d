//! A change of PDS shows at once, with its cause.

use concord_schemas::list_reconciliation::PdsRecord;

use crate::people::{ANNA, BERT, HERE, THERE, on_list, on_pds};
use crate::stage::{DAY, List, NOW, Stage, key};

const FIRST: List<'_> = List { practice: HERE, job_id: "job-1", at_ms: NOW };
const OF_THERE: List<'_> = List { practice: THERE, job_id: "job-2", at_ms: NOW };

/// Anna is on the list of one practice, and PDS has her there.
fn with_anna() -> Stage {
    let mut stage = Stage::new();
    stage.pds(&on_pds(ANNA, HERE));
    stage.list(FIRST, &[on_list(ANNA)]);
    assert!(stage.stands().is_empty());
    stage
}

#[test]
fn a_changed_record_makes_a_difference_and_takes_it_back_when_it_is_right_again() {
    let mut stage = with_anna();
    stage.pds_on_day(1, &PdsRecord { surname: "Lark", version: "2", ..on_pds(ANNA, HERE) });
    let stands = stage.of(HERE, ANNA, "MN-BR-SN-01");
    assert_eq!((stands.cause.as_str(), stands.status.as_str()), ("PDS_CHANGED", "Matched"));
    assert_eq!((stands.list.as_str(), stands.pds_version.as_str()), ("job-1", "2"));
    assert_eq!((stands.first_seen, stands.last_confirmed), (NOW + DAY, NOW + DAY));

    stage.pds_on_day(2, &PdsRecord { surname: "Lark", titles: vec!["Dr"], version: "3", ..on_pds(ANNA, HERE) });
    let stands = stage.of(HERE, ANNA, "MN-BR-SN-01");
    assert_eq!((stands.first_seen, stands.last_confirmed), (NOW + DAY, NOW + 2 * DAY));
    assert_eq!(stands.pds_version, "3");
    assert_eq!(stage.stands(), [key(HERE, ANNA, "MN-BR-SN-01"), key(HERE, ANNA, "MN-BR-TL-01")]);

    stage.pds_on_day(3, &on_pds(ANNA, HERE));
    assert!(stage.stands().is_empty());
    assert_eq!(stage.history(HERE, ANNA, "MN-BR-SN-01"), ["+PDS_CHANGED", "+PDS_CHANGED", "-PDS_CHANGED"]);
    stage.check();
}

#[test]
fn a_person_who_moves_is_only_on_the_list_here_and_only_on_pds_there() {
    let mut stage = with_anna();
    stage.list(OF_THERE, &[on_list(BERT)]);
    stage.pds_on_day(1, &on_pds(ANNA, THERE));
    let here = stage.of(HERE, ANNA, "ONLY-ON-GP");
    assert_eq!((here.cause.as_str(), here.status.as_str()), ("PDS_MOVED", "Partnership Mismatch"));
    let there = stage.of(THERE, ANNA, "ONLY-ON-PDS");
    assert_eq!((there.cause.as_str(), there.list.as_str(), there.first_seen), ("PDS_MOVED", "job-2", NOW + DAY));

    stage.pds_on_day(2, &on_pds(ANNA, ""));
    let here = stage.of(HERE, ANNA, "ONLY-ON-GP");
    assert_eq!((here.status.as_str(), here.first_seen), ("Deducted Patient Match", NOW + DAY));
    assert_eq!(stage.history(THERE, ANNA, "ONLY-ON-PDS"), ["+PDS_MOVED", "-PDS_MOVED"]);

    stage.pds_on_day(3, &on_pds(ANNA, HERE));
    assert_eq!(stage.stands(), [key(THERE, BERT, "ONLY-ON-GP")]);
    stage.check();
}

#[test]
fn a_person_on_two_lists_stands_on_each() {
    let mut stage = with_anna();
    stage.list(OF_THERE, &[on_list(ANNA)]);
    assert_eq!(stage.stands(), [key(THERE, ANNA, "ONLY-ON-GP")]);
    stage.pds(&PdsRecord { surname: "Lark", ..on_pds(ANNA, THERE) });
    assert_eq!(stage.stands(), [key(HERE, ANNA, "ONLY-ON-GP"), key(THERE, ANNA, "MN-BR-SN-01")]);
    stage.check();
}

#[test]
fn nothing_stands_at_a_practice_that_has_sent_no_list() {
    let mut stage = with_anna();
    stage.pds(&on_pds(BERT, THERE));
    stage.pds(&on_pds(ANNA, THERE));
    assert_eq!(stage.stands(), [key(HERE, ANNA, "ONLY-ON-GP")]);
    stage.check();
}

#[test]
fn a_person_who_becomes_sensitive_is_not_compared_any_more_until_she_is_not() {
    let mut stage = with_anna();
    stage.pds(&PdsRecord { surname: "Lark", ..on_pds(ANNA, HERE) });
    stage.pds(&PdsRecord { sensitivity: "R", ..on_pds(ANNA, "") });
    assert_eq!(stage.stands(), [key(HERE, ANNA, "sensitive")]);
    assert_eq!(stage.of(HERE, ANNA, "sensitive").cause, "PDS_SENSITIVE");
    assert_eq!(stage.history(HERE, ANNA, "MN-BR-SN-01"), ["+PDS_CHANGED", "-PDS_SENSITIVE"]);
    stage.pds(&PdsRecord { surname: "Lark", ..on_pds(ANNA, HERE) });
    assert_eq!(stage.stands(), [key(HERE, ANNA, "MN-BR-SN-01")]);
    assert_eq!(stage.history(HERE, ANNA, "sensitive"), ["+PDS_SENSITIVE", "-PDS_SENSITIVE"]);
    stage.check();
}

#[test]
fn a_sensitive_person_is_never_said_to_be_missing_from_a_list() {
    let mut stage = with_anna();
    stage.pds(&on_pds(BERT, HERE));
    assert_eq!(stage.stands(), [key(HERE, BERT, "ONLY-ON-PDS")]);
    stage.pds(&PdsRecord { sensitivity: "V", ..on_pds(BERT, HERE) });
    assert!(stage.stands().is_empty());
    assert_eq!(stage.history(HERE, BERT, "ONLY-ON-PDS"), ["+PDS_CHANGED", "-PDS_SENSITIVE"]);
    stage.check();
}

#[test]
fn a_death_takes_the_person_off_pds_at_the_practice_and_names_itself() {
    let mut stage = with_anna();
    stage.pds(&PdsRecord { titles: vec!["Dr"], ..on_pds(ANNA, HERE) });
    stage.pds(&PdsRecord { date_of_death: "2021-08-11", ..on_pds(ANNA, "") });
    assert_eq!(stage.stands(), [key(HERE, ANNA, "ONLY-ON-GP")]);
    assert_eq!(stage.of(HERE, ANNA, "ONLY-ON-GP").cause, "PDS_DIED");
    assert_eq!(stage.history(HERE, ANNA, "MN-BR-TL-01"), ["+PDS_CHANGED", "-PDS_DIED"]);
    stage.check();
}

#[test]
fn a_record_that_pds_removes_leaves_the_person_unknown() {
    let mut stage = with_anna();
    stage.pds(&on_pds(BERT, HERE));
    stage.pds(&PdsRecord { surname: "Lark", ..on_pds(ANNA, HERE) });
    stage.no_pds(ANNA);
    stage.no_pds(BERT);
    assert_eq!(stage.stands(), [key(HERE, ANNA, "ONLY-ON-GP")]);
    let stands = stage.of(HERE, ANNA, "ONLY-ON-GP");
    assert_eq!((stands.cause.as_str(), stands.status.as_str()), ("PDS_REMOVED", "Unmatched"));
    assert_eq!(stands.pds_version, "");
    assert_eq!(stage.history(HERE, ANNA, "MN-BR-SN-01"), ["+PDS_CHANGED", "-PDS_REMOVED"]);
    assert_eq!(stage.history(HERE, BERT, "ONLY-ON-PDS"), ["+PDS_CHANGED", "-PDS_REMOVED"]);
    stage.check();
}

#[test]
fn a_change_is_explained_by_the_record_that_made_it() {
    let mut stage = with_anna();
    stage.pds(&PdsRecord { surname: "Lark", ..on_pds(ANNA, HERE) });
    let outputs = stage.driver.outputs::<concord_flows::list_reconciliation::values::Differences>(
        concord_flows::list_reconciliation::topology::DIFFERENCE,
    );
    let lineage = outputs.unwrap().pop().unwrap().lineage();
    assert_eq!(lineage.iter().map(|input| &*input.topic).collect::<Vec<_>>(), ["pds.record"]);
}
