//! About whom PDS is asked, and how often.

use concord_flows::list_reconciliation::{Lookups, Settings, topology};

use crate::people::{ANNA, BERT, CARA, HERE, OF_OLD, THERE, on_pds};
use crate::stage::{File, Outcome, Stage};

#[test]
fn without_the_setting_nobody_is_asked_about_and_there_is_nothing_to_ask_with() {
    let description = topology(&Settings::default()).unwrap().describe_as_text();
    assert!(!description.contains("pds.lookup") && !description.contains("lookups-"), "{description}");
    let mut stage = Stage::asking(Lookups::Never);
    let file = File::of(HERE, &[ANNA]);
    stage.send(&file);
    assert_eq!(stage.job(&file).status, "RECONCILED");
    assert_eq!(stage.outcomes(&file)[&1], Outcome::of("Unmatched"));
    stage.check();
}

#[test]
fn who_is_not_known_is_asked_about_and_the_others_are_compared_meanwhile() {
    let mut stage = Stage::asking(Lookups::Unknown);
    stage.publish(&on_pds(ANNA, HERE));
    let file = File::of(HERE, &[ANNA, BERT, CARA]);
    stage.send(&file);
    let asked_by = |number: &str| (number.to_owned(), file.job_id.clone());
    assert_eq!(stage.questions(), [asked_by(BERT), asked_by(CARA)]);
    assert_eq!(stage.outcomes(&file).into_iter().collect::<Vec<_>>(), [(1, Outcome::of("Matched"))]);
    assert_eq!((stage.waiting(), stage.job(&file).status.as_str()), (2, "VALIDATED"));

    stage.found(&on_pds(BERT, HERE));
    stage.found(&on_pds(CARA, THERE));
    assert_eq!(stage.outcomes(&file)[&2], Outcome::of("Matched"));
    assert_eq!(stage.outcomes(&file)[&3], Outcome::of("Partnership Mismatch"));
    assert_eq!(stage.job(&file).status, "RECONCILED");
    stage.check();
}

#[test]
fn who_was_answered_once_is_known_to_the_next_list() {
    let mut stage = Stage::asking(Lookups::Unknown);
    stage.send(&File::of(HERE, &[ANNA]));
    stage.found(&on_pds(ANNA, HERE));
    let next = File::of(HERE, &[&format!("{ANNA}=LARK")]).later(1);
    stage.send(&next);
    assert_eq!(stage.asked(), [ANNA]);
    assert_eq!(stage.outcomes(&next)[&1], Outcome::differing_in("MN-BR-SN-01"));
    stage.check();
}

#[test]
fn everybody_is_asked_about_where_that_is_set() {
    let mut stage = Stage::asking(Lookups::Always);
    stage.publish(&on_pds(ANNA, HERE));
    let file = File::of(HERE, &[ANNA, BERT]);
    stage.send(&file);
    assert_eq!(stage.asked(), [ANNA, BERT]);
    assert!(stage.outcomes(&file).is_empty());
    stage.found(&on_pds(BERT, HERE));
    let mut changed = on_pds(ANNA, HERE);
    (changed.version, changed.surname) = ("2", "Lark");
    stage.found(&changed);
    assert_eq!(stage.outcomes(&file)[&1], Outcome::differing_in("MN-BR-SN-01"));
    assert_eq!(stage.stored_version(ANNA).as_deref(), Some("2"));
    stage.check();
}

#[test]
fn what_is_no_nhs_number_is_asked_about_nowhere_and_is_unmatched_at_once() {
    for about in [Lookups::Unknown, Lookups::Always] {
        let mut stage = Stage::asking(about);
        // An older form, a wrong check digit, no number.
        let file = File::of(HERE, &[OF_OLD, "9990000019", ""]);
        stage.send(&file);
        assert_eq!(stage.asked(), [""; 0]);
        assert!(stage.outcomes(&file).values().all(|outcome| *outcome == Outcome::of("Unmatched")));
        assert_eq!(stage.job(&file).status, "RECONCILED");
        stage.check();
    }
}

#[test]
fn while_a_question_is_open_nobody_asks_it_again() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let (here, there) = (File::of(HERE, &[BERT, &format!("{BERT}=LARK")]), File::of(THERE, &[BERT]));
    stage.send(&here);
    stage.send(&there);
    assert_eq!((stage.asked(), stage.waiting()), (vec![BERT.to_owned()], 3));
    stage.found(&on_pds(BERT, HERE));
    assert_eq!(stage.outcomes(&here)[&1], Outcome::of("Matched"));
    assert_eq!(stage.outcomes(&here)[&2], Outcome::differing_in("MN-BR-SN-01"));
    assert_eq!(stage.outcomes(&there)[&1], Outcome::of("Partnership Mismatch"));
    for file in [&here, &there] {
        assert_eq!(stage.job(file).status, "RECONCILED");
    }
    assert_eq!(stage.job(&here).counts.duplicates, 1);
    assert_eq!(stage.stands(HERE), [format!("{BERT}/MN-BR-SN-01")], "the last record of a list stands");
    assert_eq!(stage.asked(), [BERT]);
    stage.check();
}

#[test]
fn a_record_stays_behind_an_earlier_one_that_waits_even_if_its_person_was_published_meanwhile() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let first = File::of(HERE, &[&format!("{BERT}=LARK")]);
    stage.send(&first);
    stage.publish(&on_pds(BERT, HERE));
    let second = File::of(HERE, &[BERT]).later(1);
    stage.send(&second);
    assert_eq!((stage.waiting(), stage.asked().len()), (2, 1));
    stage.not_found(BERT);
    assert_eq!(stage.outcomes(&first)[&1], Outcome::differing_in("MN-BR-SN-01"));
    assert_eq!(stage.outcomes(&second)[&1], Outcome::of("Matched"));
    assert_eq!(stage.stands(HERE), [""; 0]);
    stage.check();
}
