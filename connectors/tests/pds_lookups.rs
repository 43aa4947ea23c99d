//! The service between the log and PDS: every question has its answer, whatever fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use concord_connectors::pds::api::{ApiTime, PdsError, PdsProblem};
use concord_connectors::pds::lookups::{AskPds, LookupSettings, Lookups, PDS_ANSWER, PDS_LOOKUP, Standing, topics};
use concord_connectors::pds::{PdsChange, PdsRecordOwned};
use concord_engine::clock::VirtualClock;
use concord_engine::log::embedded::{EmbeddedLog, EmbeddedProcess, EmbeddedSettings};
use concord_engine::log::{Isolation, Log, OutgoingRecord};
use concord_engine::partitioner::partition_of;
use concord_engine::topics::spec;
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::pds::{PdsAnswer, PdsLookup};
use jiff::Timestamp;

const PARTITIONS: i32 = 3;
const KNOWN: &str = "9000000009";
const UNKNOWN: &str = "9000000017";
const OTHERS: [&str; 4] = ["9449304424", "9449305552", "9449306621", "9000000025"];

/// Time that passes only when somebody waits.
#[derive(Default)]
struct Time(Mutex<Duration>);

impl ApiTime for Time {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn wait(&self, pause: Duration) -> bool {
        *self.0.lock().unwrap() += pause;
        true
    }
}

/// What a PDS of a test answers by number; who is in neither table is found.
#[derive(Default)]
struct Pds {
    /// One answer each, in order, before the others.
    first: Mutex<BTreeMap<String, VecDeque<PdsProblem>>>,
    away: Mutex<Option<PdsProblem>>,
    asked: Mutex<Vec<(String, String)>>,
    /// Everybody who asks waits here for the others.
    together: Option<Barrier>,
    /// The process that dies when it asks.
    dying: Mutex<Option<EmbeddedProcess>>,
}

impl AskPds for Pds {
    fn look_up(&self, nhs_number: &str, correlation: &str) -> Result<PdsChange, PdsError> {
        self.asked.lock().unwrap().push((nhs_number.to_owned(), correlation.to_owned()));
        if let Some(together) = &self.together {
            together.wait();
        }
        if let Some(dying) = self.dying.lock().unwrap().take() {
            dying.crash();
        }
        let first = self.first.lock().unwrap().get_mut(nhs_number).and_then(VecDeque::pop_front);
        let problem = first.or_else(|| *self.away.lock().unwrap());
        match problem {
            Some(problem) => Err(PdsError { problem, detail: "as the test says".to_owned(), retry_after: None }),
            None if nhs_number == UNKNOWN => Ok(PdsChange::NotFound),
            None => Ok(PdsChange::Upsert(Box::new(PdsRecordOwned {
                nhs_number: nhs_number.to_owned(),
                surname: "Wren".to_owned(),
                ..PdsRecordOwned::default()
            }))),
        }
    }
}

/// A log with the two topics, a PDS, and a service between them.
struct Stand {
    log: EmbeddedLog,
    clock: VirtualClock,
    time: Arc<Time>,
    pds: Arc<Pds>,
    settings: LookupSettings,
}

/// An answer as it stands on its topic.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Answer {
    nhs_number: String,
    job_id: String,
    outcome: String,
    code: String,
    has_record: bool,
}

impl Stand {
    fn new(pds: Pds) -> Self {
        let clock = VirtualClock::at(0);
        let log = EmbeddedLog::new(EmbeddedSettings::new(Arc::new(clock.clone())));
        let specs: Vec<_> = topics(PARTITIONS).iter().map(|topic| spec(topic, 1)).collect();
        log.create_topics(&specs).unwrap();
        let settings = LookupSettings { in_flight: 2, ..LookupSettings::named("pds-lookups", "one") };
        Self { log, clock, time: Arc::default(), pds: Arc::new(pds), settings }
    }

    fn ask(&self, numbers: &[&str]) {
        for number in numbers {
            let lookup = PdsLookup { nhs_number: number, job_id: "job-1" };
            let mut value = Vec::new();
            Schemas::bundled().encoder().encode(&codec::PDS_LOOKUP, &lookup, &mut value).unwrap();
            self.publish(number.as_bytes(), Some(&value));
        }
    }

    fn publish(&self, key: &[u8], value: Option<&[u8]>) {
        let topic: Arc<str> = PDS_LOOKUP.into();
        let partition = partition_of(key, PARTITIONS);
        let record = OutgoingRecord { topic: &topic, partition, timestamp_ms: 0, key: Some(key), value, headers: &[] };
        self.log.publisher().unwrap().send(&record).unwrap();
    }

    fn join(&self, log: &dyn Log) -> Lookups {
        let time = Arc::clone(&self.time) as Arc<dyn ApiTime>;
        let pds = Arc::clone(&self.pds) as Arc<dyn AskPds>;
        Lookups::join(log, Arc::new(Schemas::bundled()), pds, time, self.settings.clone()).unwrap()
    }

    /// Steps until nothing waits and nothing comes.
    fn work_off(&self, lookups: &mut Lookups) {
        for _ in 0..200 {
            let step = lookups.step(Duration::ZERO).unwrap();
            self.clock.advance(10);
            if step.answered == 0
                && step.waiting == 0
                && self.lag() == 0
                && lookups.standing() != Standing::NoPartitions
            {
                return;
            }
        }
        panic!("questions still wait: {} of them", self.lag());
    }

    fn lag(&self) -> usize {
        self.log.lag("pds-lookups")
    }

    fn answers(&self) -> Vec<Answer> {
        let decoder = Schemas::bundled().decoder();
        let records = self.log.records(PDS_ANSWER, Isolation::ReadCommitted).unwrap();
        let mut answers = Vec::new();
        for (partition, record) in &records {
            let answer: PdsAnswer<'_> = decoder.decode(&codec::PDS_ANSWER, record.value.as_deref().unwrap()).unwrap();
            let key = record.key.as_deref().unwrap();
            assert_eq!(key, answer.nhs_number.as_bytes());
            assert_eq!(*partition, partition_of(key, PARTITIONS), "the answer stands where the question stood");
            assert!(record.headers.iter().any(|header| &*header.name == "concord-lineage"));
            answers.push(Answer {
                nhs_number: answer.nhs_number.to_owned(),
                job_id: answer.job_id.to_owned(),
                outcome: answer.outcome.to_owned(),
                code: answer.code.to_owned(),
                has_record: answer.record.is_some(),
            });
        }
        answers.sort_by(|one, other| one.nhs_number.cmp(&other.nhs_number));
        answers
    }

    fn outcome(&self, number: &str) -> (String, String) {
        let answers = self.answers();
        let of_number: Vec<&Answer> = answers.iter().filter(|answer| answer.nhs_number == number).collect();
        assert_eq!(of_number.len(), 1, "{of_number:?}");
        (of_number[0].outcome.clone(), of_number[0].code.clone())
    }

    fn times_asked(&self, number: &str) -> usize {
        self.pds.asked.lock().unwrap().iter().filter(|(asked, _)| asked == number).count()
    }
}

fn failed(code: &str) -> (String, String) {
    ("FAILED".to_owned(), code.to_owned())
}

fn found() -> (String, String) {
    ("FOUND".to_owned(), String::new())
}

#[test]
fn every_question_has_its_answer_and_its_position_is_committed() {
    let stand = Stand::new(Pds::default());
    stand.ask(&[KNOWN, UNKNOWN]);
    stand.ask(&OTHERS);
    let mut lookups = stand.join(&stand.log);
    stand.work_off(&mut lookups);
    let answers = stand.answers();
    assert_eq!(answers.len(), 6);
    for answer in &answers {
        let expected = if answer.nhs_number == UNKNOWN { "NOT_FOUND" } else { "FOUND" };
        assert_eq!((answer.outcome.as_str(), answer.has_record), (expected, expected == "FOUND"));
        assert_eq!((answer.job_id.as_str(), answer.code.as_str()), ("job-1", ""));
    }
    assert!(stand.pds.asked.lock().unwrap().iter().all(|(_, correlation)| correlation == "job-1"));
    // Another life of the process has nothing to do.
    lookups.close(true).unwrap();
    stand.work_off(&mut stand.join(&stand.log));
    assert_eq!(stand.answers().len(), 6);
}

#[test]
fn a_process_that_dies_while_it_asks_loses_no_question() {
    let stand = Stand::new(Pds::default());
    stand.ask(&[KNOWN, UNKNOWN]);
    stand.ask(&OTHERS);
    let process = stand.log.process("one");
    *stand.pds.dying.lock().unwrap() = Some(process.clone());
    let mut lookups = stand.join(&process);
    let died = (0..50).any(|_| lookups.step(Duration::ZERO).is_err());
    assert!(died && process.has_crashed());
    assert!(stand.answers().is_empty(), "what it was told went with it");
    stand.work_off(&mut stand.join(&stand.log.process("one")));
    assert_eq!(stand.answers().len(), 6);
}

#[test]
fn a_number_is_asked_about_once_while_its_answer_is_remembered() {
    let stand = Stand::new(Pds::default());
    stand.ask(&[KNOWN, KNOWN]);
    let mut lookups = stand.join(&stand.log);
    stand.work_off(&mut lookups);
    stand.ask(&[KNOWN]);
    stand.work_off(&mut lookups);
    assert_eq!((stand.times_asked(KNOWN), stand.answers().len()), (1, 3));
    assert!(stand.answers().iter().all(|answer| answer.outcome == "FOUND"));
    stand.time.wait(stand.settings.kept_for);
    stand.ask(&[KNOWN]);
    stand.work_off(&mut lookups);
    assert_eq!((stand.times_asked(KNOWN), stand.answers().len()), (2, 4));
}

#[test]
fn while_pds_is_away_questions_wait_and_then_go_on_by_themselves() {
    for problem in [PdsProblem::Unreachable, PdsProblem::Busy, PdsProblem::NotUnderstood, PdsProblem::NotAllowed] {
        let stand = Stand::new(Pds { away: Mutex::new(Some(problem)), ..Pds::default() });
        stand.ask(&[KNOWN, UNKNOWN]);
        stand.ask(&OTHERS);
        let mut lookups = stand.join(&stand.log);
        for _ in 0..300 {
            lookups.step(Duration::ZERO).unwrap();
        }
        assert!(stand.answers().is_empty(), "{problem:?}");
        assert!(stand.log.group_positions("pds-lookups").values().all(|position| *position == 0), "{problem:?}");
        let Standing::Waiting { code, why } = lookups.standing() else { panic!("{:?}", lookups.standing()) };
        assert!(why.contains(code) && why.contains("as the test says"), "{why}");
        let asked = stand.pds.asked.lock().unwrap().len();
        assert!(asked < 60, "pauses grow: asked {asked} times in five minutes");
        *stand.pds.away.lock().unwrap() = None;
        stand.time.wait(Duration::from_secs(60));
        stand.work_off(&mut lookups);
        assert_eq!(stand.answers().len(), 6, "{problem:?}");
        assert!(matches!(lookups.standing(), Standing::Working(3)));
    }
}

#[test]
fn a_number_that_pds_cannot_be_asked_about_has_a_failure_with_its_code_and_the_others_their_answers() {
    let table = [
        (PdsProblem::NumberRefused, "CONCORD-PD-0006"),
        (PdsProblem::UnknownAnswer, "CONCORD-PD-0008"),
        (PdsProblem::RecordUnusable, "CONCORD-PD-0009"),
        (PdsProblem::Superseded, "CONCORD-PD-0010"),
    ];
    for (problem, code) in table {
        let pds = Pds::default();
        pds.first.lock().unwrap().insert(KNOWN.to_owned(), [problem].into());
        let stand = Stand::new(pds);
        stand.ask(&[KNOWN]);
        stand.ask(&OTHERS);
        stand.work_off(&mut stand.join(&stand.log));
        assert_eq!(stand.outcome(KNOWN), failed(code));
        assert!(OTHERS.iter().all(|number| stand.outcome(number) == found()));
    }
}

#[test]
fn a_number_that_pds_fails_for_while_it_answers_for_others_does_not_hold_them_up() {
    let pds = Pds::default();
    pds.first.lock().unwrap().insert(KNOWN.to_owned(), vec![PdsProblem::Busy; 1000].into());
    let stand = Stand::new(pds);
    let mut lookups = stand.join(&stand.log);
    for number in OTHERS {
        stand.ask(&[KNOWN, number]);
        for _ in 0..100 {
            lookups.step(Duration::ZERO).unwrap();
            stand.clock.advance(10);
        }
    }
    assert!(OTHERS.iter().all(|number| stand.outcome(number) == found()));
    let answers = stand.answers();
    let of_known: Vec<&Answer> = answers.iter().filter(|answer| answer.nhs_number == KNOWN).collect();
    assert!(!of_known.is_empty() && of_known.iter().all(|answer| answer.code == "CONCORD-PD-0012"), "{of_known:?}");
}

#[test]
fn one_request_at_a_time_is_enough_for_that() {
    let pds = Pds::default();
    pds.first.lock().unwrap().insert(KNOWN.to_owned(), vec![PdsProblem::Unreachable; 1000].into());
    let mut stand = Stand::new(pds);
    stand.settings.in_flight = 1;
    // The number that fails is there first.
    stand.ask(&[KNOWN]);
    let mut lookups = stand.join(&stand.log);
    for _ in 0..10 {
        lookups.step(Duration::ZERO).unwrap();
    }
    stand.ask(&OTHERS);
    for _ in 0..200 {
        lookups.step(Duration::ZERO).unwrap();
        stand.clock.advance(10);
    }
    assert!(OTHERS.iter().all(|number| stand.outcome(number) == found()));
    assert!(stand.answers().iter().all(|answer| answer.nhs_number != KNOWN), "one failure beside others is not enough");
}

#[test]
fn a_new_question_about_a_number_that_failed_does_not_stand_before_other_numbers() {
    let pds = Pds::default();
    pds.first.lock().unwrap().insert(KNOWN.to_owned(), vec![PdsProblem::Busy; 1000].into());
    let mut stand = Stand::new(pds);
    stand.settings.in_flight = 1;
    stand.ask(&[KNOWN]);
    let mut lookups = stand.join(&stand.log);
    for _ in 0..10 {
        lookups.step(Duration::ZERO).unwrap();
    }
    for (round, number) in OTHERS.into_iter().enumerate() {
        stand.ask(&[KNOWN, number]);
        // The longest pause is over: PDS is asked once.
        stand.time.wait(Duration::from_secs(60));
        lookups.step(Duration::ZERO).unwrap();
        assert_eq!(stand.answers().iter().filter(|answer| answer.nhs_number != KNOWN).count(), round + 1);
    }
}

#[test]
fn a_question_that_cannot_be_read_is_answered_with_a_failure_and_holds_nobody_up() {
    let stand = Stand::new(Pds::default());
    stand.publish(UNKNOWN.as_bytes(), Some(b"no value of any schema"));
    stand.publish(b"\xff\xfe", Some(b"no key that is text"));
    stand.publish(OTHERS[0].as_bytes(), None);
    // The value asks about somebody else than the key.
    let mut value = Vec::new();
    let lookup = PdsLookup { nhs_number: KNOWN, job_id: "job-1" };
    Schemas::bundled().encoder().encode(&codec::PDS_LOOKUP, &lookup, &mut value).unwrap();
    stand.publish(OTHERS[1].as_bytes(), Some(&value));
    stand.ask(&[KNOWN]);
    stand.work_off(&mut stand.join(&stand.log));
    assert_eq!(stand.outcome(UNKNOWN), failed("CONCORD-PD-0011"));
    assert_eq!(stand.outcome(OTHERS[1]), failed("CONCORD-PD-0011"));
    assert_eq!(stand.outcome(KNOWN), found());
    assert_eq!((stand.answers().len(), stand.lag()), (3, 0));
    assert_eq!(stand.pds.asked.lock().unwrap().len(), 1);
}

#[test]
fn several_questions_are_under_way_at_the_same_time() {
    // Four who ask meet here: with fewer threads the test would never end.
    let mut stand = Stand::new(Pds { together: Some(Barrier::new(OTHERS.len())), ..Pds::default() });
    stand.settings.in_flight = OTHERS.len();
    stand.ask(&OTHERS);
    let mut lookups = stand.join(&stand.log);
    stand.work_off(&mut lookups);
    assert_eq!(stand.answers().len(), OTHERS.len());
}

#[test]
fn a_log_without_the_topics_is_told_by_name() {
    let log = EmbeddedLog::new(EmbeddedSettings::new(Arc::new(VirtualClock::at(0))));
    let stand = Stand::new(Pds::default());
    let time = Arc::clone(&stand.time) as Arc<dyn ApiTime>;
    let pds = Arc::clone(&stand.pds) as Arc<dyn AskPds>;
    let joined = Lookups::join(&log, Arc::new(Schemas::bundled()), pds, time, stand.settings.clone());
    assert!(joined.err().unwrap().to_string().contains("pds.lookup"));
}
