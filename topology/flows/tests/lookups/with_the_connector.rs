//! The two sides of the topics together: what the flow asks is answered by the connector's service.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use concord_connectors::pds::api::{ApiTime, PdsError, PdsProblem};
use concord_connectors::pds::lookups::{AskPds, LookupSettings, Lookups as Service};
use concord_connectors::pds::{PdsChange, PdsRecordOwned};
use concord_flows::list_reconciliation::Lookups;
use concord_schemas::Schemas;
use jiff::Timestamp;

use crate::people::{ANNA, BERT, CARA, DORA, HERE, OF_OLD};
use crate::stage::{File, NOW, Outcome, Stage};

/// Time that passes only when somebody waits.
#[derive(Default)]
struct Time(Mutex<Duration>);

impl ApiTime for Time {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(NOW).unwrap()
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn wait(&self, pause: Duration) -> bool {
        *self.0.lock().unwrap() += pause;
        true
    }
}

/// Knows Anna as the list has her, but for her name, and Bert as redacted; not Cara; and does not take Dora's number.
struct Pds {
    asked: Mutex<BTreeSet<(String, String)>>,
}

impl AskPds for Pds {
    fn look_up(&self, nhs_number: &str, correlation: &str) -> Result<PdsChange, PdsError> {
        let is_new = self.asked.lock().unwrap().insert((nhs_number.to_owned(), correlation.to_owned()));
        assert!(is_new, "a number is asked about twice");
        match nhs_number {
            ANNA => Ok(PdsChange::Upsert(Box::new(PdsRecordOwned {
                nhs_number: ANNA.to_owned(),
                version: "3".to_owned(),
                sensitivity: "U".to_owned(),
                surname: "Lark".to_owned(),
                forenames: vec!["Anna".to_owned()],
                titles: vec!["Ms".to_owned()],
                gender: "female".to_owned(),
                date_of_birth: "1980-02-29".to_owned(),
                address: vec!["1 Oak Lane".to_owned(), "Elmton".to_owned()],
                postcode: "AB1 2CD".to_owned(),
                gp_practice: HERE.to_owned(),
                gp_registered_date: "2020-01-01".to_owned(),
                date_of_death: String::new(),
            }))),
            BERT => Ok(PdsChange::Upsert(Box::new(PdsRecordOwned::redacted(BERT)))),
            CARA => Ok(PdsChange::NotFound),
            _ => Err(PdsError {
                problem: PdsProblem::NumberRefused,
                detail: "as the test says".into(),
                retry_after: None,
            }),
        }
    }
}

#[test]
fn a_list_of_which_nothing_was_published_is_reconciled_by_asking() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let pds = Arc::new(Pds { asked: Mutex::default() });
    let asks = Arc::clone(&pds) as Arc<dyn AskPds>;
    let settings = LookupSettings::named("pds-lookups", "one");
    let schemas = Arc::new(Schemas::bundled());
    let mut service = Service::join(stage.driver.log(), schemas, asks, Arc::new(Time::default()), settings).unwrap();

    let file = File::of(HERE, &[ANNA, BERT, CARA, DORA, OF_OLD]);
    stage.send(&file);
    assert_eq!((stage.waiting(), stage.job(&file).status.as_str()), (4, "VALIDATED"));
    for _ in 0..50 {
        service.step(Duration::ZERO).unwrap();
        stage.driver.advance(10);
    }
    stage.idle();

    let asked: Vec<(String, String)> = [ANNA, BERT, CARA, DORA].map(|n| (n.to_owned(), file.job_id.clone())).to_vec();
    assert_eq!(pds.asked.lock().unwrap().iter().cloned().collect::<Vec<_>>(), asked);
    let outcomes: Vec<Outcome> = stage.outcomes(&file).into_values().collect();
    let redacted = Outcome { sensitive: true, ..Outcome::of("Deducted Patient Match") };
    let failed = Outcome::failed("CONCORD-PD-0006");
    let (differs, unmatched) = (Outcome::differing_in("MN-BR-SN-01"), Outcome::of("Unmatched"));
    assert_eq!(outcomes, [differs, redacted, unmatched.clone(), failed, unmatched]);
    let counts = stage.job(&file).counts;
    assert_eq!((stage.job(&file).status.as_str(), counts.records, counts.lookup_failed), ("RECONCILED", 5, 1));
    stage.check();
}
