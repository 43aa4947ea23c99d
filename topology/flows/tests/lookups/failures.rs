//! PDS could not tell: that is never taken for the word that there is no record.

use concord_flows::list_reconciliation::{Lookups, RegistrationSource, Settings};
use concord_schemas::list_reconciliation::PdsRecord;

use crate::people::{ANNA, BERT, CARA, HERE, on_pds};
use crate::stage::{File, Outcome, Stage};

const CODE: &str = "CONCORD-PD-0006";

#[test]
fn a_failed_question_is_counted_and_told_and_makes_no_row_and_no_difference() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let file = File::of(HERE, &[ANNA, BERT, BERT]);
    stage.send(&file);
    stage.found(&on_pds(ANNA, HERE));
    stage.failed(BERT, CODE);
    let outcomes = stage.outcomes(&file);
    assert_eq!((&outcomes[&2], &outcomes[&3]), (&Outcome::failed(CODE), &Outcome::failed(CODE)));
    let job = stage.job(&file);
    assert_eq!(job.status, "RECONCILED", "{job:?}");
    let counts = job.counts;
    assert_eq!((counts.records, counts.matched, counts.unmatched), (3, 1, 0));
    assert_eq!((counts.lookup_failed, counts.duplicates, counts.only_on_gp), (2, 1, 0));
    let note = ("VALIDATED".to_owned(), "PDS could not tell about 2 records: their outcomes say why".to_owned());
    assert!(job.history.contains(&note), "{:?}", job.history);
    assert!(!job.history.iter().any(|(_, detail)| detail.contains(BERT)));
    assert!(stage.rows(&file, "OnlyOnGP").is_empty());
    assert!(stage.differences().is_empty());
    stage.check();
}

#[test]
fn what_pds_says_later_of_whom_it_could_not_tell_is_held_against_the_list() {
    let mut stage = Stage::asking(Lookups::Unknown);
    stage.send(&File::of(HERE, &[ANNA, BERT]));
    stage.failed(ANNA, CODE);
    stage.failed(BERT, CODE);
    stage.publish(&PdsRecord { surname: "Lark", ..on_pds(ANNA, HERE) });
    stage.publish(&on_pds(BERT, HERE));
    assert_eq!(stage.stands(HERE), [format!("{ANNA}/MN-BR-SN-01")]);
    stage.check();
}

#[test]
fn the_next_list_asks_again() {
    let mut stage = Stage::asking(Lookups::Unknown);
    stage.send(&File::of(HERE, &[ANNA]));
    stage.failed(ANNA, CODE);
    let next = File::of(HERE, &[ANNA, BERT]).later(1);
    stage.send(&next);
    assert_eq!(stage.asked(), [ANNA, ANNA, BERT]);
    stage.not_found(ANNA);
    stage.not_found(BERT);
    assert_eq!(stage.outcomes(&next)[&1], Outcome::of("Unmatched"));
    stage.check();
}

#[test]
fn that_somebody_is_missing_stands_until_pds_says_otherwise() {
    let mut stage = Stage::asking(Lookups::Unknown);
    stage.send(&File::of(HERE, &[ANNA]));
    stage.not_found(ANNA);
    let first_seen = stage.differences()[&format!("{HERE}/{ANNA}/ONLY-ON-GP")].seen.0;
    let next = File::of(HERE, &[&format!("{ANNA}=LARK")]).later(1000);
    stage.send(&next);
    stage.failed(ANNA, CODE);
    let stands = &stage.differences()[&format!("{HERE}/{ANNA}/ONLY-ON-GP")];
    assert_eq!((stands.list.as_str(), stands.seen.0), (next.job_id.as_str(), first_seen));
    assert_eq!(stage.outcomes(&next)[&1], Outcome::failed(CODE));
    stage.check();
}

#[test]
fn what_was_published_of_a_person_still_stands_when_asking_again_fails() {
    let mut stage = Stage::asking(Lookups::Always);
    stage.publish(&PdsRecord { surname: "Lark", ..on_pds(ANNA, HERE) });
    let file = File::of(HERE, &[ANNA]);
    stage.send(&file);
    stage.failed(ANNA, CODE);
    assert_eq!(stage.outcomes(&file)[&1], Outcome::failed(CODE));
    assert!(stage.rows(&file, "CDD").is_empty());
    assert_eq!(stage.stands(HERE), [format!("{ANNA}/MN-BR-SN-01")]);
    assert!(stage.stored_version(ANNA).is_some());
    stage.check();
}

#[test]
fn where_somebody_is_registered_does_not_say_that_pds_has_no_record() {
    let registrations = RegistrationSource::RegistrationList;
    let mut stage = Stage::with(Settings { lookups: Lookups::Unknown, registrations, ..Settings::default() });
    stage.send(&File::of(HERE, &[ANNA, BERT, CARA]));
    stage.failed(ANNA, CODE);
    stage.not_found(BERT);
    stage.found(&on_pds(CARA, HERE));
    for nhs in [ANNA, BERT, CARA] {
        stage.register(nhs, HERE);
    }
    assert_eq!(stage.stands(HERE), [format!("{BERT}/ONLY-ON-GP")]);
    stage.check();
}

#[test]
fn whom_the_list_names_is_not_only_on_pds_for_a_failed_question() {
    let mut stage = Stage::asking(Lookups::Always);
    stage.publish(&on_pds(ANNA, HERE));
    let file = File::of(HERE, &[ANNA]);
    stage.send(&file);
    stage.failed(ANNA, CODE);
    assert!(stage.rows(&file, "OnlyOnPDS").is_empty());
    stage.check();
}
