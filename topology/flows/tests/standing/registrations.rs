//! Where the list of registrations says who is registered where.

use concord_flows::list_reconciliation::{RegistrationSource, Settings};
use concord_schemas::list_reconciliation::PdsRecord;

use crate::people::{ANNA, BERT, HERE, THERE, on_list, on_pds};
use crate::stage::{List, NOW, Stage, key};

const FIRST: List<'_> = List { practice: HERE, job_id: "job-1", at_ms: NOW };

#[test]
fn a_person_whom_the_list_of_registrations_moves_is_missing_there_and_not_here() {
    let registrations = RegistrationSource::RegistrationList;
    let mut stage = Stage::with(Settings { registrations, ..Settings::default() });
    for nhs in [ANNA, BERT] {
        stage.pds(&on_pds(nhs, HERE));
        stage.registration(nhs, HERE, "0");
    }
    stage.list(FIRST, &[on_list(ANNA)]);
    stage.list(List { practice: THERE, job_id: "job-2", ..FIRST }, &[]);
    assert_eq!(stage.stands(), [key(HERE, BERT, "ONLY-ON-PDS")]);

    stage.registration(BERT, THERE, "0");
    assert_eq!(stage.stands(), [key(THERE, BERT, "ONLY-ON-PDS")]);
    assert_eq!(stage.of(THERE, BERT, "ONLY-ON-PDS").cause, "PDS_MOVED");
    assert_eq!(stage.history(HERE, BERT, "ONLY-ON-PDS"), ["+LIST", "-PDS_MOVED"]);

    stage.pds(&PdsRecord { sensitivity: "R", ..on_pds(BERT, "") });
    assert!(stage.stands().is_empty());
    stage.pds(&PdsRecord { surname: "Lark", ..on_pds(BERT, HERE) });
    assert_eq!(stage.stands(), [key(THERE, BERT, "ONLY-ON-PDS")], "PDS's own practice says nothing here");
    stage.registration(BERT, "", "");
    assert!(stage.stands().is_empty());

    // Of whom the list names, PDS records say where they are.
    stage.registration(ANNA, THERE, "0");
    assert_eq!(stage.stands(), [key(THERE, ANNA, "ONLY-ON-PDS")]);
    stage.pds(&on_pds(ANNA, THERE));
    assert_eq!(stage.stands(), [key(HERE, ANNA, "ONLY-ON-GP"), key(THERE, ANNA, "ONLY-ON-PDS")]);
    stage.check();
}
