//! Whatever the order in which PDS answers, and however often, everything comes out as if it had been published before.

use std::collections::{BTreeMap, BTreeSet};

use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsRecordOwned, Selection};
use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_flows::list_reconciliation::Lookups;
use concord_schemas::list_reconciliation::JobCounts;
use proptest::prelude::*;

use crate::stage::{File, Outcome, Stage, Stands};

type Pds = BTreeMap<String, PdsRecordOwned>;

/// A list, and all of PDS. Some people stand on the list twice, the second time under another surname.
fn world(patients: u64, seed: u64, twice: usize) -> (File, BTreeSet<String>, Pds) {
    let now = "2021-08-10T13:40:00Z".parse().unwrap();
    let settings = SyntheticSettings { practice: "Y12345".to_owned(), patients, seed, first_person: 0, now };
    let practice = SyntheticPractice::generate(settings).unwrap();
    let mut lines: Vec<String> = practice.extract().collect::<String>().lines().map(str::to_owned).collect();
    for place in 0..twice.min(patients as usize) {
        let mut fields: Vec<String> = lines[1 + 2 * place].split('~').map(str::to_owned).collect();
        fields[6] = format!("77000{}", fields[6]);
        fields[8] = "ANOTHER".to_owned();
        let second_row = lines[2 + 2 * place].clone();
        lines.extend([fields.join("~"), second_row]);
    }
    let named = lines[1..].iter().step_by(2).map(|line| line.split('~').nth(7).unwrap().to_owned()).collect();
    let file = File::new(&practice.extract_file_name(), lines.join("\n") + "\n");
    let resources: String = practice.pds().collect();
    let settings = FhirSettings { selection: Selection::OneElement, today: jiff::civil::date(2021, 8, 10) };
    let mut pds = Pds::new();
    for entry in FhirReader::open("pds.ndjson", resources.as_bytes(), settings).unwrap() {
        let entry = entry.unwrap();
        if let PdsChange::Upsert(record) = entry.change {
            pds.insert(entry.nhs_number, *record);
        }
    }
    (file, named, pds)
}

/// All that comes out of a job.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    status: String,
    counts: JobCounts,
    outcomes: BTreeMap<i64, Outcome>,
    files: BTreeMap<String, String>,
    differences: BTreeMap<String, Stands>,
}

fn made(stage: &Stage, file: &File) -> Made {
    stage.check();
    let job = stage.job(file);
    Made {
        status: job.status,
        counts: job.counts,
        outcomes: stage.outcomes(file),
        files: stage.files(file),
        differences: stage.differences(),
    }
}

/// How PDS goes about answering.
#[derive(Debug, Clone)]
struct Manner {
    about: Lookups,
    /// Whether a person is published before; by place among the people of the list, again and again.
    published: Vec<bool>,
    /// Which of the questions that wait is answered next, and how often it is.
    next: Vec<(prop::sample::Index, usize)>,
    /// After how many answers a worker is killed, with its disk or without.
    dies: (usize, usize, bool),
}

fn manner() -> impl Strategy<Value = Manner> {
    (
        prop::sample::select(vec![Lookups::Unknown, Lookups::Unknown, Lookups::Always]),
        prop::collection::vec(prop::bool::weighted(0.3), 1..20),
        prop::collection::vec((any::<prop::sample::Index>(), 1..3_usize), 1..20),
        (0..20_usize, 0..2_usize, any::<bool>()),
    )
        .prop_map(|(about, published, next, dies)| Manner { about, published, next, dies })
}

fn played(file: &File, named: &BTreeSet<String>, pds: &Pds, manner: &Manner) -> Made {
    let mut stage = Stage::asking(manner.about);
    let place_of: BTreeMap<&String, usize> = named.iter().enumerate().map(|(place, number)| (number, place)).collect();
    for (number, record) in pds {
        // Whom the list does not name nobody asks about.
        let is_published = place_of.get(number).is_none_or(|place| manner.published[place % manner.published.len()]);
        if is_published {
            stage.publish(&record.as_record());
        }
    }
    stage.give(file);
    let (mut answered, mut rounds) = (BTreeSet::new(), 0);
    loop {
        // With a question or two at rest in the log, and the file perhaps only in part.
        stage.driver.step(rounds % 2).unwrap();
        stage.driver.advance(20);
        rounds += 1;
        if rounds % 7 == 0 {
            stage.idle();
        }
        let open: Vec<String> = stage.asked().into_iter().filter(|number| !answered.contains(number)).collect();
        if open.is_empty() {
            stage.idle();
            if stage.asked().iter().all(|number| answered.contains(number)) {
                break;
            }
            continue;
        }
        let (index, times) = &manner.next[answered.len() % manner.next.len()];
        let number = index.get(&open);
        for _ in 0..*times {
            match pds.get(number) {
                Some(record) => stage.tell(&record.as_record()),
                None => stage.answer(number, "NOT_FOUND", None, ""),
            }
        }
        answered.insert(number.clone());
        if answered.len() == manner.dies.0 {
            let (_, worker, with_disk) = manner.dies;
            if with_disk {
                stage.driver.crash_with_disk(worker).unwrap();
            } else {
                stage.driver.crash(worker).unwrap();
            }
            stage.driver.restart_all().unwrap();
        }
    }
    made(&stage, file)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_comes_out_as_if_pds_had_been_published_before(
        patients in 1..40_u64,
        seed in any::<u64>(),
        twice in 0..6_usize,
        manner in manner(),
    ) {
        let (file, named, pds) = world(patients, seed, twice);
        let mut before = Stage::asking(Lookups::Never);
        for record in pds.values() {
            before.publish(&record.as_record());
        }
        before.send(&file);
        prop_assert_eq!(played(&file, &named, &pds, &manner), made(&before, &file));
    }
}
