//! What is sent part by part: in few records, in order, before what follows it, and exactly once.

use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::log::embedded::{Call, Fault, FaultPlan};
use concord_engine::topology::{Cleanup, SinkHandle, Topology, TopologyBuilder};
use concord_engine::value::{Gathered, Value};
use concord_engine::{Context, ProcessError, Rejection};
use concord_schemas::codec::{JOB_EVENT, TopicSchema};
use concord_schemas::list_reconciliation::{JobEvent, JobReceived, Registration, ReportFile, ReportRow, ReportRows};

use crate::counting::{INPUT, OUTPUT, PATIENTS, Registrations, settle};

/// A practice at which a marker is sent instead of a part, and one that is rejected behind its part.
const MARKER: &str = "MARKER";
const BAD: &str = "BAD";
/// Makes a part larger than any record.
const HUGE: &str = "HUGE";

struct Rows;

impl Value for Rows {
    type Of<'a> = JobEvent<'a>;

    fn schema() -> &'static TopicSchema {
        &JOB_EVENT
    }
}

impl Gathered for Rows {
    type Part = String;

    fn weight(text: &String) -> usize {
        text.len()
    }

    fn together<'a>(job_id: &'a str, texts: &'a [String]) -> JobEvent<'a> {
        let row = |text: &'a String| ReportRow { file: ReportFile::Cdd, sort_key: "", text };
        JobEvent::ReportRows(ReportRows { job_id, rows: texts.iter().map(row).collect() })
    }
}

struct Gather(SinkHandle<Rows>);

impl Gather {
    fn on(&mut self, ctx: &mut Context<'_>, value: Registration<'_>) -> Result<(), ProcessError> {
        let key = ctx.key()?;
        if value.gp_practice == MARKER {
            let marker = JobReceived { job_id: "marker", file_name: "", at_ms: 0, source: "" };
            return ctx.send(self.0, key, &JobEvent::JobReceived(marker));
        }
        let part = if value.gp_practice == HUGE { "x".repeat(1 << 20) } else { value.gp_practice.to_owned() };
        ctx.send_part(self.0, "all", part)?;
        if value.gp_practice.starts_with(BAD) {
            return Err(Rejection::by_processor("TEST-0001", "rejected behind its part").into());
        }
        Ok(())
    }
}

fn topology(partitions: i32) -> Topology {
    let mut t = TopologyBuilder::new("gathering");
    let input = t.input::<Registrations>(INPUT, "NHS number", partitions, Cleanup::Compact);
    let output = t.output::<Rows>(OUTPUT, "all", 1, Cleanup::DeleteAfter { retention_ms: 1 << 40 });
    t.sub_topology("gather", |sub| {
        let source = sub.source(input);
        sub.processor("gather", |p| {
            p.on(source, Gather::on);
            let out = p.sink(output);
            move || Gather(out)
        });
    });
    t.build().unwrap()
}

fn run(faults: FaultPlan, practices: &[String]) -> TopologyTestDriver {
    let settings = DriverSettings { faults, ..DriverSettings::with_workers(1) };
    let mut driver = TopologyTestDriver::start(topology(1), settings).unwrap();
    for practice in practices {
        let registration = Registration { nhs_number: "", gp_practice: practice, dispensing_flag: "" };
        driver.pipe::<Registrations>(INPUT, PATIENTS[0], &registration).unwrap();
    }
    settle(&mut driver);
    driver.restart_all().unwrap();
    settle(&mut driver);
    driver.check_settled().unwrap();
    driver
}

/// The first task's parts are on their way when the log refuses the second's: both come again, and once.
#[test]
fn parts_of_several_tasks_are_sent_once_whichever_cannot_be_sent() {
    for nth in 1..=6 {
        let faults = FaultPlan::none().at(Call::Send, nth, Fault::MustAbort);
        let settings = DriverSettings { faults, ..DriverSettings::with_workers(1) };
        let mut driver = TopologyTestDriver::start(topology(2), settings).unwrap();
        for (number, patient) in PATIENTS.iter().enumerate() {
            let registration = Registration { nhs_number: "", gp_practice: &number.to_string(), dispensing_flag: "" };
            driver.pipe::<Registrations>(INPUT, patient, &registration).unwrap();
        }
        settle(&mut driver);
        driver.check_settled().unwrap();
        let mut texts = sent(&driver).concat();
        texts.sort();
        assert_eq!(texts, numbered(PATIENTS.len()), "sending number {nth} fails");
    }
}

/// The texts of each record that came out; a marker is one text.
fn sent(driver: &TopologyTestDriver) -> Vec<Vec<String>> {
    let outputs = driver.outputs::<Rows>(OUTPUT).unwrap();
    let texts = outputs.iter().map(|output| match output.value().unwrap().unwrap() {
        JobEvent::ReportRows(rows) => rows.rows.iter().map(|row| row.text.to_owned()).collect(),
        _ => vec![MARKER.to_owned()],
    });
    texts.collect()
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[test]
fn parts_of_one_transaction_are_one_record_that_names_its_first_and_last_input() {
    let driver = run(FaultPlan::none(), &numbered(5));
    assert_eq!(sent(&driver), [numbered(5)]);
    let lineage = driver.outputs::<Rows>(OUTPUT).unwrap()[0].lineage();
    let named: Vec<String> = lineage.iter().map(ToString::to_string).collect();
    assert_eq!(named, [format!("{INPUT}/0/0"), format!("{INPUT}/0/4")]);
}

#[test]
fn a_record_is_sent_when_one_more_part_would_be_too_much() {
    let large: Vec<String> = ["a", "b", "c"].iter().map(|letter| letter.repeat(30_000)).collect();
    let driver = run(FaultPlan::none(), &large);
    assert_eq!(sent(&driver), [large[..2].to_vec(), large[2..].to_vec()]);
}

#[test]
fn what_is_sent_to_the_same_topic_later_stands_behind_the_parts() {
    let practices: Vec<String> = ["1", "2", MARKER, "3"].map(str::to_owned).to_vec();
    let driver = run(FaultPlan::none(), &practices);
    assert_eq!(sent(&driver), [vec!["1".to_owned(), "2".to_owned()], vec![MARKER.to_owned()], vec!["3".to_owned()]]);
}

#[test]
fn a_rejected_record_leaves_no_part() {
    let practices: Vec<String> = ["1", BAD, "2"].map(str::to_owned).to_vec();
    let driver = run(FaultPlan::none(), &practices);
    assert_eq!(sent(&driver).concat(), ["1", "2"]);
    assert_eq!(driver.dead_letters().unwrap().len(), 1);
}

#[test]
fn a_part_that_no_record_can_carry_is_rejected() {
    let practices: Vec<String> = ["1", HUGE, "2"].map(str::to_owned).to_vec();
    let driver = run(FaultPlan::none(), &practices);
    assert_eq!(sent(&driver).concat(), ["1", "2"]);
    assert_eq!(driver.dead_letters().unwrap().len(), 1);
}

#[test]
fn every_part_is_sent_once_after_a_crash_or_an_abort_at_any_call() {
    let practices: Vec<String> = numbered(4).into_iter().chain([MARKER.to_owned(), "4".to_owned()]).collect();
    let calls = run(FaultPlan::none(), &practices).faults().calls();
    for nth in 1..=calls {
        for took_effect in [false, true] {
            let driver = run(FaultPlan::none().at_call(nth, Fault::Crash { took_effect }), &practices);
            assert_eq!(sent(&driver).concat(), practices, "crash at call {nth}, took effect: {took_effect}");
        }
    }
    for call in [Call::Send, Call::Drain, Call::SendOffsets, Call::Commit] {
        for nth in 1..=4 {
            let driver = run(FaultPlan::none().at(call, nth, Fault::MustAbort), &practices);
            assert_eq!(sent(&driver).concat(), practices, "{call:?} number {nth} aborts");
        }
    }
}
