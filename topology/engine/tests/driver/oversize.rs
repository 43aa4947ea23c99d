//! What is larger than the log accepts: the record or timer that made it goes to the dead letters, and the stream goes on.

use bytes::Bytes;
use concord_engine::driver::{DriverError, DriverSettings, TopologyTestDriver};
use concord_engine::log::Guarantee;
use concord_engine::topology::{Cleanup, SinkHandle, StoreHandle, Topology, TopologyBuilder};
use concord_engine::worker::{WorkerError, WorkerSettings};
use concord_engine::{Context, ProcessError, Timer, TimerClock};
use concord_schemas::list_reconciliation::Registration;

use crate::counting::{INPUT, OUTPUT, PATIENTS, Registrations, count_of};

/// Above what topics are created for.
const LARGE: usize = 2 << 20;
/// A setting that lets it pass, so that only the log finds it too large.
const LARGER: usize = 4 << 20;

/// Counts its records by key, and then does something large, as the practice of the record says.
struct Large {
    counts: StoreHandle<()>,
    out: SinkHandle<Registrations>,
}

impl Large {
    fn on(&mut self, ctx: &mut Context<'_>, value: Registration<'_>) -> Result<(), ProcessError> {
        let key = ctx.key()?;
        let count = count_of(ctx.get(self.counts, key.as_bytes())?.as_deref()) + 1;
        ctx.put_bytes(self.counts, key.as_bytes(), Bytes::copy_from_slice(&count.to_be_bytes()))?;
        let now_ms = ctx.wall_clock_ms();
        match value.gp_practice {
            "OUTPUT" => self.send(ctx, LARGE),
            "TIMER" => ctx.set_timer(TimerClock::WallClock, key.as_bytes(), now_ms, Bytes::new()),
            "STORE" => ctx.put_bytes(self.counts, b"large", Bytes::from(vec![0; LARGE])),
            "PAYLOAD" => {
                let due_ms = now_ms + 60_000;
                ctx.set_timer(TimerClock::WallClock, key.as_bytes(), due_ms, Bytes::from(vec![0; LARGE]))
            }
            "DELETE" => ctx.delete(self.counts, &vec![b'k'; LARGE]),
            "TOMBSTONE" => ctx.send_tombstone(self.out, &"k".repeat(LARGE)),
            _ => self.send(ctx, 0),
        }
    }

    fn fire(&mut self, ctx: &mut Context<'_>, _: &Timer) -> Result<(), ProcessError> {
        self.send(ctx, LARGE)
    }

    fn send(&self, ctx: &mut Context<'_>, bytes: usize) -> Result<(), ProcessError> {
        let text = "x".repeat(bytes);
        ctx.send(self.out, ctx.key()?, &Registration { nhs_number: "", gp_practice: &text, dispensing_flag: "" })
    }
}

fn topology() -> Topology {
    let mut t = TopologyBuilder::new("large");
    let input = t.input::<Registrations>(INPUT, "NHS number", 1, Cleanup::Compact);
    let output = t.output::<Registrations>(OUTPUT, "NHS number", 1, Cleanup::Compact);
    t.sub_topology("large", |sub| {
        let source = sub.source(input);
        let store = sub.key_value_store::<()>("counts");
        sub.processor("large", |p| {
            p.on(source, Large::on);
            p.on_timer(Large::fire);
            let (counts, out) = (p.store(store), p.sink(output));
            move || Large { counts, out }
        });
    });
    t.build().unwrap()
}

fn started(guarantee: Guarantee, max_record_bytes: usize) -> TopologyTestDriver {
    let template = DriverSettings::with_workers(1);
    let worker = WorkerSettings { guarantee, max_record_bytes, ..template.worker.clone() };
    TopologyTestDriver::start(topology(), DriverSettings { worker, ..template }).unwrap()
}

/// One record before and one behind the one that does something large.
fn pipe_around(driver: &mut TopologyTestDriver, practice: &str) {
    for (patient, gp_practice) in PATIENTS.iter().zip(["B85001", practice, "H81109"]) {
        let value = Registration { nhs_number: "", gp_practice, dispensing_flag: "" };
        driver.pipe::<Registrations>(INPUT, patient, &value).unwrap();
    }
}

/// Steps until so many letters are written and nothing is left to do; a worker that does the same again and again does not
/// come to that.
fn settle_soon(driver: &mut TopologyTestDriver, case: &str, letters: usize) {
    for _ in 0..200 {
        driver.step(0).unwrap_or_else(|error| panic!("{case}: {error}"));
        driver.advance(25);
        if driver.dead_letters().unwrap().len() >= letters && driver.check_settled().is_ok() {
            return;
        }
    }
    panic!("{case}: {} letters after 200 steps", driver.dead_letters().unwrap().len());
}

/// `counted`: whether the large record itself stands, and only its timer was rejected.
fn assert_one_letter(driver: &TopologyTestDriver, case: &str, counted: bool) {
    let letters = driver.dead_letters().unwrap();
    let codes: Vec<&str> = letters.iter().map(|letter| letter.code.as_str()).collect();
    assert_eq!(codes, ["CONCORD-EN-0006"], "{case}");
    assert_eq!(letters[0].record.key.as_deref(), Some(PATIENTS[1].as_bytes()), "{case}");
    assert_eq!(letters[0].offset, if counted { "" } else { "1" }, "{case}");
    let counts = driver.state("large", "counts").unwrap();
    let counted_of = |patient: usize| count_of(counts.get(PATIENTS[patient].as_bytes()).map(|bytes| &bytes[..]));
    assert_eq!([counted_of(0), counted_of(1), counted_of(2)], [1, u32::from(counted), 1], "{case}");
}

fn sent(driver: &TopologyTestDriver) -> Vec<String> {
    driver.outputs::<Registrations>(OUTPUT).unwrap().iter().map(|output| output.key().to_owned()).collect()
}

#[test]
fn what_the_settings_find_too_large_goes_to_the_dead_letters_and_the_stream_goes_on() {
    for practice in ["OUTPUT", "TIMER", "STORE", "PAYLOAD", "DELETE", "TOMBSTONE"] {
        let mut driver = started(Guarantee::ExactlyOnce, 1 << 20);
        pipe_around(&mut driver, practice);
        settle_soon(&mut driver, practice, 1);
        assert_one_letter(&driver, practice, practice == "TIMER");
        assert_eq!(sent(&driver), [PATIENTS[0], PATIENTS[2]], "{practice}");
    }
}

#[test]
fn an_output_that_only_the_log_finds_too_large_goes_to_the_dead_letters_and_the_stream_goes_on() {
    for practice in ["OUTPUT", "TIMER"] {
        let mut driver = started(Guarantee::ExactlyOnce, LARGER);
        pipe_around(&mut driver, practice);
        settle_soon(&mut driver, practice, 1);
        assert_one_letter(&driver, practice, practice == "TIMER");
        assert_eq!(sent(&driver), [PATIENTS[0], PATIENTS[2]], "{practice}");
    }
}

/// Each attempt finds one more of them: what was found before must not be forgotten with the attempt.
#[test]
fn many_of_them_in_one_transaction_take_one_attempt_each() {
    const MANY: usize = 12;
    for practice in ["OUTPUT", "TIMER"] {
        let mut driver = started(Guarantee::ExactlyOnce, LARGER);
        for number in 0..MANY {
            let value = Registration { nhs_number: "", gp_practice: practice, dispensing_flag: "" };
            driver.pipe::<Registrations>(INPUT, &format!("key {number}"), &value).unwrap();
        }
        settle_soon(&mut driver, practice, MANY);
        assert_eq!(driver.dead_letters().unwrap().len(), MANY, "{practice}");
    }
}

/// What was sent before stands there, so it is sent again; but the letter is written, and no record is lost.
#[test]
fn at_least_once_such_an_output_goes_to_the_dead_letters_too() {
    for practice in ["OUTPUT", "TIMER"] {
        let mut driver = started(Guarantee::AtLeastOnce, LARGER);
        pipe_around(&mut driver, practice);
        settle_soon(&mut driver, practice, 1);
        let codes: Vec<String> = driver.dead_letters().unwrap().into_iter().map(|letter| letter.code).collect();
        assert_eq!(codes, ["CONCORD-EN-0006"], "{practice}");
        for patient in [PATIENTS[0], PATIENTS[2]] {
            assert!(sent(&driver).contains(&patient.to_owned()), "{practice}: {patient}");
        }
    }
}

/// Whose value it is nobody knows at the commit, and the next attempt would meet the same limit.
#[test]
fn a_value_that_only_its_changelog_finds_too_large_stops_the_worker_with_the_remedy() {
    for guarantee in [Guarantee::ExactlyOnce, Guarantee::AtLeastOnce] {
        let mut driver = started(guarantee, LARGER);
        pipe_around(&mut driver, "STORE");
        let stopped = (0..200).find_map(|_| {
            driver.advance(25);
            driver.step(0).err()
        });
        let Some(DriverError::Worker { cause: WorkerError::Log(error), .. }) = stopped else {
            panic!("{guarantee:?}: {stopped:?}");
        };
        for part in ["large.counts.changelog", "max.message.bytes", "processing.max_record_bytes"] {
            assert!(error.message.contains(part), "{part} is not in: {error}");
        }
        assert_eq!(driver.running_workers(), 0, "{guarantee:?}");
    }
}
