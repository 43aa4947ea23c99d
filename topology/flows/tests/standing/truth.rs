//! Whatever lists and PDS records come in whatever order, what stands is what comparing the last lists with the last records
//! from scratch would say. That comparison is written here a second time, for the few ways in which these people differ.

use std::collections::{BTreeMap, BTreeSet};

use concord_flows::list_reconciliation::{RegistrationSource, Settings};
use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};
use proptest::prelude::*;

use crate::people::{ANNA, BERT, CARA, DORA, HERE, THERE, on_list, on_pds};
use crate::stage::{DAY, List, NOW, Stage, key};

const PEOPLE: [&str; 4] = [ANNA, BERT, CARA, DORA];
const PRACTICES: [&str; 2] = [HERE, THERE];

/// How PDS has a person.
#[derive(Debug, Clone, Copy)]
struct OnPds {
    practice: &'static str,
    is_lark: bool,
    is_doctor: bool,
    sensitivity: &'static str,
    is_dead: bool,
}

/// How a list has a person.
#[derive(Debug, Clone, Copy)]
struct Named {
    person: usize,
    is_lark: bool,
    is_doctor: bool,
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    Pds(usize, OnPds),
    NoPds(usize),
    Registered(usize, &'static str),
    /// A list begins to come: its practice, its day, and whom it names.
    Begins(usize, i64, Vec<Named>),
    /// Of the lists that are coming, the oldest or the youngest sends its next record, or ends.
    GoesOn {
        youngest: bool,
    },
    /// A worker is killed, with its disk or without, and starts again.
    Dies {
        worker: usize,
        with_disk: bool,
    },
}

/// The world as it is: what was published last.
#[derive(Default)]
struct World {
    pds: BTreeMap<usize, OnPds>,
    registered: BTreeMap<usize, &'static str>,
    /// By practice: the day, the job, and whom it names; the greater one stands.
    lists: BTreeMap<usize, (i64, String, Vec<Named>)>,
}

impl World {
    fn ends(&mut self, practice: usize, day: i64, job_id: &str, named: Vec<Named>) {
        let is_later = |(stands_day, stands_job, _): &(i64, String, Vec<Named>)| {
            (day, job_id) > (*stands_day, stands_job.as_str())
        };
        if self.lists.get(&practice).is_none_or(is_later) {
            self.lists.insert(practice, (day, job_id.to_owned(), named));
        }
    }

    fn truth(&self, source: RegistrationSource) -> BTreeSet<String> {
        let mut stands = BTreeSet::new();
        for (practice, (_, _, named)) in &self.lists {
            let practice = PRACTICES[*practice];
            for (person, nhs_number) in PEOPLE.iter().enumerate() {
                let pds = self.pds.get(&person);
                let is_sensitive = pds.is_some_and(|pds| pds.sensitivity != "U");
                let mut add = |rule: &str| stands.insert(key(practice, nhs_number, rule));
                // The last record of a person stands.
                match (named.iter().rfind(|named| named.person == person), pds) {
                    (Some(_), Some(_)) if is_sensitive => {
                        add("sensitive");
                    }
                    (Some(named), Some(pds)) if pds.practice == practice => {
                        if named.is_lark != pds.is_lark {
                            add("MN-BR-SN-01");
                        }
                        if named.is_doctor != pds.is_doctor {
                            add("MN-BR-TL-01");
                        }
                    }
                    (Some(_), _) => {
                        add("ONLY-ON-GP");
                    }
                    (None, Some(pds)) if !is_sensitive => {
                        let registered = match source {
                            RegistrationSource::PdsRecords => pds.practice,
                            RegistrationSource::RegistrationList => self.registered.get(&person).unwrap_or(&""),
                        };
                        if registered == practice {
                            add("ONLY-ON-PDS");
                        }
                    }
                    (None, _) => {}
                }
            }
        }
        stands
    }
}

/// A list on its way.
struct Coming {
    practice: usize,
    day: i64,
    job_id: String,
    named: Vec<Named>,
    sent: usize,
}

impl Coming {
    fn list(&self) -> List<'_> {
        List { practice: PRACTICES[self.practice], job_id: &self.job_id, at_ms: NOW + self.day * DAY }
    }
}

fn record(named: &Named) -> GpRecord<'static> {
    GpRecord {
        surname: Some(if named.is_lark { "LARK" } else { "WREN" }),
        title: Some(if named.is_doctor { "DR" } else { "MS" }),
        ..on_list(PEOPLE[named.person])
    }
}

fn pds_record(person: usize, pds: &OnPds) -> PdsRecord<'static> {
    PdsRecord {
        surname: if pds.is_lark { "Lark" } else { "Wren" },
        titles: vec![if pds.is_doctor { "Dr" } else { "Ms" }],
        sensitivity: pds.sensitivity,
        date_of_death: if pds.is_dead { "2021-08-11" } else { "" },
        ..on_pds(PEOPLE[person], pds.practice)
    }
}

/// Sends the next record of a list, or its end. A list whose name was used ends only once, as a job does.
fn goes_on(stage: &mut Stage, world: &mut World, coming: &mut Vec<Coming>, youngest: bool) {
    let Some(place) = (if youngest { coming.len().checked_sub(1) } else { (!coming.is_empty()).then_some(0) }) else {
        return;
    };
    let list = &mut coming[place];
    if let Some(named) = list.named.get(list.sent) {
        let record = record(named);
        stage.records(list.list(), std::slice::from_ref(&record));
        list.sent += 1;
        return;
    }
    let list = coming.remove(place);
    stage.end(list.list(), list.named.len());
    world.ends(list.practice, list.day, &list.job_id, list.named);
}

fn play(steps: &[Step], source: RegistrationSource) {
    let mut stage = Stage::with(Settings { registrations: source, ..Settings::default() });
    let (mut world, mut coming) = (World::default(), Vec::new());
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Pds(person, pds) => {
                world.pds.insert(*person, *pds);
                stage.pds_on_day(number as i64 % 5, &pds_record(*person, pds));
            }
            Step::NoPds(person) => {
                world.pds.remove(person);
                stage.no_pds(PEOPLE[*person]);
            }
            Step::Registered(person, practice) => {
                world.registered.insert(*person, practice);
                stage.registration(PEOPLE[*person], practice, "0");
            }
            Step::Begins(practice, day, named) => coming.push(Coming {
                practice: *practice,
                day: *day,
                job_id: format!("job-{number:02}"),
                named: named.clone(),
                sent: 0,
            }),
            Step::GoesOn { youngest } => goes_on(&mut stage, &mut world, &mut coming, *youngest),
            Step::Dies { worker, with_disk } => {
                if *with_disk {
                    stage.driver.crash_with_disk(*worker).unwrap();
                } else {
                    stage.driver.crash(*worker).unwrap();
                }
                stage.driver.restart_all().unwrap();
            }
        }
        if number % 3 == 0 {
            stage.settle();
        }
        if coming.is_empty() {
            stage.settle();
            says_the_truth(&stage, &world, source);
        }
    }
    while !coming.is_empty() {
        goes_on(&mut stage, &mut world, &mut coming, false);
    }
    stage.settle();
    says_the_truth(&stage, &world, source);
    stage.check();
}

fn says_the_truth(stage: &Stage, world: &World, source: RegistrationSource) {
    let stands: BTreeSet<String> = stage.differences().into_keys().collect();
    assert_eq!(stands, world.truth(source));
}

fn named() -> impl Strategy<Value = Named> {
    (0..PEOPLE.len(), any::<bool>(), any::<bool>()).prop_map(|(person, is_lark, is_doctor)| Named {
        person,
        is_lark,
        is_doctor,
    })
}

fn on_pds_somehow() -> impl Strategy<Value = OnPds> {
    let practice = prop::sample::select(vec![HERE, HERE, HERE, THERE, THERE, ""]);
    let sensitivity = prop::sample::select(vec!["U", "U", "U", "U", "R", "V", "REDACTED"]);
    (practice, any::<bool>(), any::<bool>(), sensitivity, prop::bool::weighted(0.1)).prop_map(
        |(practice, is_lark, is_doctor, sensitivity, is_dead)| OnPds {
            practice,
            is_lark,
            is_doctor,
            sensitivity,
            is_dead,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..PEOPLE.len(), on_pds_somehow()).prop_map(|(person, pds)| Step::Pds(person, pds)),
        1 => (0..PEOPLE.len()).prop_map(Step::NoPds),
        2 => (0..PEOPLE.len(), prop::sample::select(vec![HERE, THERE, ""]))
            .prop_map(|(person, practice)| Step::Registered(person, practice)),
        3 => (0..PRACTICES.len(), 0..4_i64, prop::collection::vec(named(), 0..5))
            .prop_map(|(practice, day, named)| Step::Begins(practice, day, named)),
        8 => any::<bool>().prop_map(|youngest| Step::GoesOn { youngest }),
        1 => (0..2_usize, prop::bool::weighted(0.3)).prop_map(|(worker, with_disk)| Step::Dies { worker, with_disk }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_stands_is_what_comparing_from_scratch_would_say(steps in prop::collection::vec(step(), 1..40)) {
        play(&steps, RegistrationSource::PdsRecords);
    }

    #[test]
    fn what_stands_is_the_truth_with_a_list_of_registrations_too(steps in prop::collection::vec(step(), 1..30)) {
        play(&steps, RegistrationSource::RegistrationList);
    }
}
