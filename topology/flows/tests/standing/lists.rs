//! A later list takes the place of an earlier one, in whatever order the two are processed.

use concord_flows::list_reconciliation::Settings;
use concord_flows::list_reconciliation::topology::DIFFERENCE;
use concord_flows::list_reconciliation::values::Differences;
use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use crate::people::{ANNA, BERT, CARA, DORA, HERE, on_list, on_pds};
use crate::stage::{DAY, List, NOW, Stage, key};

const FIRST: List<'_> = List { practice: HERE, job_id: "job-1", at_ms: NOW };
const LATER: List<'_> = List { practice: HERE, job_id: "job-0", at_ms: NOW + DAY };

fn named<'a>(nhs: &'a str, surname: &'static str) -> GpRecord<'a> {
    GpRecord { surname: Some(surname), ..on_list(nhs) }
}

/// PDS has four people here.
fn with_four() -> Stage {
    let mut stage = Stage::new();
    for nhs in [ANNA, BERT, CARA, DORA] {
        stage.pds(&on_pds(nhs, HERE));
    }
    stage
}

#[test]
fn a_later_list_keeps_what_remains_takes_back_what_is_resolved_and_finds_what_is_new() {
    let mut stage = with_four();
    stage.list(FIRST, &[named(ANNA, "LARK"), named(BERT, "LARK"), on_list(CARA)]);
    assert_eq!(
        stage.stands(),
        [key(HERE, ANNA, "MN-BR-SN-01"), key(HERE, BERT, "MN-BR-SN-01"), key(HERE, DORA, "ONLY-ON-PDS")]
    );
    stage.list(LATER, &[named(ANNA, "LARK"), on_list(BERT), named(CARA, "LARK")]);
    assert_eq!(
        stage.stands(),
        [key(HERE, ANNA, "MN-BR-SN-01"), key(HERE, CARA, "MN-BR-SN-01"), key(HERE, DORA, "ONLY-ON-PDS")]
    );
    for (nhs, rule, first_seen) in
        [(ANNA, "MN-BR-SN-01", NOW), (CARA, "MN-BR-SN-01", NOW + DAY), (DORA, "ONLY-ON-PDS", NOW)]
    {
        let stands = stage.of(HERE, nhs, rule);
        assert_eq!((stands.first_seen, stands.last_confirmed), (first_seen, NOW + DAY), "{rule}");
        assert_eq!((stands.list.as_str(), stands.cause.as_str()), ("job-0", "LIST"));
    }
    assert_eq!(stage.history(HERE, BERT, "MN-BR-SN-01"), ["+LIST", "-LIST"]);
    stage.check();
}

#[test]
fn whom_a_later_list_does_not_name_is_only_on_pds_or_forgotten() {
    let mut stage = with_four();
    stage.pds(&on_pds(CARA, "Y54321"));
    stage.pds(&PdsRecord { sensitivity: "R", ..on_pds(DORA, "") });
    stage.list(FIRST, &[named(ANNA, "LARK"), on_list(BERT), on_list(CARA), on_list(DORA)]);
    let before = [key(HERE, ANNA, "MN-BR-SN-01"), key(HERE, CARA, "ONLY-ON-GP"), key(HERE, DORA, "sensitive")];
    assert_eq!(stage.stands(), before);
    stage.list(LATER, &[on_list(BERT)]);
    assert_eq!(stage.stands(), [key(HERE, ANNA, "ONLY-ON-PDS")]);
    for (nhs, rule) in [(ANNA, "MN-BR-SN-01"), (CARA, "ONLY-ON-GP"), (DORA, "sensitive")] {
        assert_eq!(stage.history(HERE, nhs, rule), ["+LIST", "-LIST"], "{rule}");
    }
    let kept = stage.driver.state("comparison", "standing").unwrap();
    assert_eq!(kept.len(), 2, "of Cara and Dora nothing is to be remembered");
    stage.check();
}

#[test]
fn the_later_list_stands_even_when_it_is_processed_first() {
    let (first, later) = ([named(ANNA, "LARK"), on_list(BERT)], [on_list(ANNA), named(BERT, "LARK"), on_list(CARA)]);
    let mut in_order = with_four();
    in_order.list(FIRST, &first);
    in_order.list(LATER, &later);
    let mut reversed = with_four();
    reversed.list(LATER, &later);
    reversed.list(FIRST, &first);
    let mut mixed = with_four();
    mixed.records(FIRST, &first[..1]);
    mixed.settle();
    mixed.records(LATER, &later);
    mixed.settle();
    mixed.records(FIRST, &first[1..]);
    mixed.end(FIRST, 2);
    mixed.settle();
    mixed.end(LATER, 3);
    mixed.settle();
    for stage in [&in_order, &reversed, &mixed] {
        assert_eq!(stage.stands(), [key(HERE, BERT, "MN-BR-SN-01"), key(HERE, DORA, "ONLY-ON-PDS")]);
        assert_eq!(stage.of(HERE, BERT, "MN-BR-SN-01").list, "job-0");
        assert_eq!((stage.counts("job-1").records, stage.counts("job-0").records), (2, 3));
        assert_eq!((stage.counts("job-1").only_on_pds, stage.counts("job-0").only_on_pds), (2, 1));
        stage.check();
    }
    assert!(reversed.history(HERE, ANNA, "MN-BR-SN-01").is_empty(), "the earlier list said nothing any more");
}

#[test]
fn of_two_lists_of_one_time_the_greater_job_id_stands() {
    let twin = List { job_id: "job-2", ..FIRST };
    for lists in [[FIRST, twin], [twin, FIRST]] {
        let mut stage = with_four();
        for list in lists {
            stage.list(list, &[named(ANNA, if list.job_id == "job-2" { "LARK" } else { "WREN" })]);
        }
        assert_eq!(stage.of(HERE, ANNA, "MN-BR-SN-01").list, "job-2");
        stage.check();
    }
}

#[test]
fn pds_changes_in_the_middle_of_a_list_are_not_lost() {
    let mut stage = with_four();
    stage.list(FIRST, &[on_list(ANNA), on_list(BERT), on_list(CARA)]);
    // The later list names Anna, not Bert, and Cara behind the change.
    stage.records(LATER, &[on_list(ANNA)]);
    stage.settle();
    for nhs in [ANNA, BERT, CARA] {
        stage.pds(&PdsRecord { surname: "Lark", ..on_pds(nhs, HERE) });
    }
    let changed = [ANNA, BERT, CARA].map(|nhs| key(HERE, nhs, "MN-BR-SN-01"));
    assert_eq!(stage.stands()[..3], changed);
    stage.records(LATER, &[on_list(CARA)]);
    stage.end(LATER, 2);
    stage.settle();
    let bert = key(HERE, BERT, "ONLY-ON-PDS");
    assert_eq!(
        stage.stands(),
        [key(HERE, ANNA, "MN-BR-SN-01"), bert, key(HERE, CARA, "MN-BR-SN-01"), key(HERE, DORA, "ONLY-ON-PDS")]
    );
    stage.check();
}

#[test]
fn the_last_record_of_a_person_who_is_twice_in_a_list_stands() {
    let mut stage = with_four();
    stage.list(FIRST, &[named(ANNA, "LARK"), on_list(ANNA), on_list(BERT), named(BERT, "LARK")]);
    let stands = stage.stands();
    assert!(!stands.contains(&key(HERE, ANNA, "MN-BR-SN-01")) && stands.contains(&key(HERE, BERT, "MN-BR-SN-01")));
    assert_eq!(stage.counts("job-1").differences, 2, "the job counts both");
    stage.check();
}

#[test]
fn records_without_an_nhs_number_do_not_stand_and_older_forms_do() {
    let mut stage = Stage::new();
    stage.list(FIRST, &[GpRecord { nhs_number: None, ..on_list(ANNA) }, on_list("AB/12?3")]);
    assert_eq!(stage.stands(), [key(HERE, "AB/12?3", "ONLY-ON-GP")]);
    stage.list(LATER, &[GpRecord { nhs_number: None, ..on_list(ANNA) }]);
    assert!(stage.stands().is_empty());
    assert!(stage.driver.state("comparison", "standing").unwrap().is_empty());
    stage.check();
}

#[test]
fn without_standing_lists_a_difference_is_published_once_and_never_taken_back() {
    let mut stage = Stage::with(Settings { standing: false, ..Settings::default() });
    stage.pds(&on_pds(ANNA, HERE));
    stage.pds(&on_pds(BERT, HERE));
    stage.list(FIRST, &[named(ANNA, "LARK"), on_list(CARA)]);
    stage.pds(&PdsRecord { surname: "Lark", ..on_pds(ANNA, HERE) });
    stage.list(LATER, &[named(ANNA, "WREN")]);
    stage.list(List { job_id: "job-3", ..FIRST }, &[on_list(ANNA)]);
    let outputs = stage.driver.outputs::<Differences>(DIFFERENCE).unwrap();
    let keys: Vec<&str> = outputs.iter().map(|output| output.key()).collect();
    assert_eq!(keys, vec![key(HERE, ANNA, "MN-BR-SN-01"); 3], "by each job on its own, and of registration nothing");
    let stands = stage.of(HERE, ANNA, "MN-BR-SN-01");
    assert_eq!((stands.first_seen, stands.last_confirmed, stands.cause.as_str()), (NOW, NOW, "LIST"));
    stage.driver.check_settled().unwrap();
}
