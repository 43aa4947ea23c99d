//! Rules are switched by practice, region and day, for lists and for what stands of them.

use concord_flows::list_reconciliation::Settings;
use concord_flows::list_reconciliation::business::Reading;
use concord_flows::list_reconciliation::catalogue::{RuleSettings, RuleSwitch};
use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};
use jiff::civil::date;

use crate::people::{ANNA, BERT, HERE, THERE, on_list, on_pds};
use crate::stage::{List, NOW, Stage, key};

const FIRST: List<'_> = List { practice: HERE, job_id: "job-1", at_ms: NOW };

fn with(switch: RuleSwitch) -> Stage {
    let rules = RuleSettings::new(true, Reading::Specification).with_switches(vec![switch]).unwrap();
    Stage::with(Settings { rules, ..Settings::default() })
}

fn off(rules: &[&str]) -> RuleSwitch {
    RuleSwitch { rules: rules.iter().map(ToString::to_string).collect(), ..RuleSwitch::default() }
}

#[test]
fn a_rule_that_is_off_at_a_practice_finds_and_decides_nothing_there() {
    let mut stage = with(RuleSwitch { practices: vec![HERE.to_owned()], ..off(&["MN-BR-TL-01", "BR-TL-01"]) });
    for (nhs, practice, job_id) in [(ANNA, HERE, "job-1"), (BERT, THERE, "job-2")] {
        stage.pds(&on_pds(nhs, practice));
        let list = List { practice, job_id, at_ms: NOW };
        stage.list(list, &[GpRecord { title: Some("DR"), surname: Some("LARK"), ..on_list(nhs) }]);
    }
    assert_eq!(
        stage.stands(),
        [key(HERE, ANNA, "MN-BR-SN-01"), key(THERE, BERT, "MN-BR-SN-01"), key(THERE, BERT, "MN-BR-TL-01")]
    );
    assert_eq!((stage.counts("job-1").differences, stage.counts("job-2").differences), (1, 2));
    stage.pds(&PdsRecord { titles: vec!["Mx"], ..on_pds(ANNA, HERE) });
    assert!(!stage.stands().contains(&key(HERE, ANNA, "MN-BR-TL-01")), "nor when PDS changes");
    stage.check();
}

#[test]
fn a_rule_is_off_in_a_region_by_the_cipher_of_the_record() {
    let mut stage = with(RuleSwitch { regions: vec!["YW0".to_owned()], ..off(&["MN-BR-TL-01"]) });
    for (nhs, practice, cipher, job_id) in [(ANNA, HERE, "LNA", "job-1"), (BERT, THERE, "YW0", "job-2")] {
        stage.pds(&on_pds(nhs, practice));
        stage.list(List { practice, job_id, at_ms: NOW }, &[GpRecord { cipher, ..on_list(nhs) }]);
        stage.pds(&PdsRecord { titles: vec!["Dr"], ..on_pds(nhs, practice) });
    }
    assert_eq!(stage.stands(), [key(HERE, ANNA, "MN-BR-TL-01")]);
    stage.check();
}

#[test]
fn a_rule_that_ends_on_a_day_finds_nothing_in_changes_of_the_next() {
    let mut stage = with(RuleSwitch { from: Some(date(2021, 8, 12)), ..off(&["MN-BR-TL-01"]) });
    stage.pds(&on_pds(ANNA, HERE));
    stage.list(FIRST, &[on_list(ANNA)]);
    stage.pds_on_day(1, &PdsRecord { titles: vec!["Dr"], ..on_pds(ANNA, HERE) });
    assert_eq!(stage.stands(), [key(HERE, ANNA, "MN-BR-TL-01")]);
    stage.pds_on_day(2, &PdsRecord { titles: vec!["Mx"], ..on_pds(ANNA, HERE) });
    assert!(stage.stands().is_empty(), "it is looked at again by the rules of the day");
    stage.check();
}
