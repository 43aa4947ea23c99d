//! Planned faults of the embedded log: what a process meets, and what is left behind when it dies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use concord_engine::clock::{SystemClock, VirtualClock};
use concord_engine::log::embedded::{Call, EmbeddedLog, EmbeddedSettings, Fault, FaultPlan, FaultRates};
use concord_engine::log::{
    ConsumerEvent, GroupConsumer, GroupSettings, Guarantee, Isolation, Log, LogErrorKind, LogResult, OutgoingRecord,
    ProducerSettings, TopicPartition, TopicSpec, TransactionalProducer,
};

const WAIT: Duration = Duration::from_millis(10);
const SESSION_MS: i64 = 10_000;
const TRANSACTION_MS: i64 = 30_000;

struct World {
    log: EmbeddedLog,
    clock: VirtualClock,
    plan: FaultPlan,
    topic: Arc<str>,
}

fn world(plan: FaultPlan) -> World {
    let clock = VirtualClock::at(0);
    let log = EmbeddedLog::new(EmbeddedSettings { clock: Arc::new(clock.clone()), faults: plan.clone() });
    let topic: Arc<str> = Arc::from("patients");
    create(&log, &topic, 2);
    World { log, clock, plan, topic }
}

fn create(log: &EmbeddedLog, topic: &Arc<str>, partitions: i32) {
    let spec = TopicSpec { name: Arc::clone(topic), partitions, replication: 1, settings: vec![] };
    log.create_topics(&[spec]).unwrap();
}

fn producer(log: &dyn Log) -> Box<dyn TransactionalProducer> {
    let settings = ProducerSettings {
        guarantee: Guarantee::ExactlyOnce,
        transactional_id: "worker-0".to_owned(),
        transaction_timeout: Duration::from_millis(TRANSACTION_MS.unsigned_abs()),
        expected_partitions: 2,
        max_record_bytes: 1_000_000,
        queue_bytes: 1_000_000,
    };
    log.transactional_producer(&settings).unwrap()
}

fn consumer(log: &dyn Log, topic: &Arc<str>) -> Box<dyn GroupConsumer> {
    let settings = GroupSettings {
        group: "app".to_owned(),
        instance: "worker-0".to_owned(),
        topics: vec![Arc::clone(topic)],
        session_timeout: Duration::from_millis(SESSION_MS.unsigned_abs()),
        fetch_ahead_bytes: 1_000_000,
    };
    log.group_consumer(&settings).unwrap()
}

fn record<'a>(topic: &'a Arc<str>, partition: i32, value: &'a [u8]) -> OutgoingRecord<'a> {
    OutgoingRecord { topic, partition, timestamp_ms: 0, key: Some(value), value: Some(value), headers: &[] }
}

/// A whole transaction, with the positions of a group, up to its first error.
fn one_transaction(log: &dyn Log, topic: &Arc<str>) -> LogResult<()> {
    let mut consumer = consumer(log, topic);
    consumer.poll(10, WAIT)?;
    let mut producer = producer(log);
    producer.init(WAIT)?;
    producer.begin()?;
    producer.send(&record(topic, 0, b"a"))?;
    producer.send(&record(topic, 1, b"b"))?;
    producer.drain(WAIT)?;
    let membership = consumer.membership()?;
    producer.send_offsets(&[(TopicPartition::new(Arc::clone(topic), 0), 1)], &membership)?;
    producer.commit()
}

fn committed(world: &World) -> usize {
    world.log.records(&world.topic, Isolation::ReadCommitted).unwrap().len()
}

#[test]
fn a_crash_at_any_call_leaves_all_of_a_transaction_or_nothing() {
    let rehearsal = world(FaultPlan::none());
    one_transaction(&rehearsal.log.process("p"), &rehearsal.topic).unwrap();
    let calls = rehearsal.plan.calls();
    assert_eq!(calls, 9);
    for nth in 1..=calls {
        for took_effect in [false, true] {
            let world = world(FaultPlan::none().at_call(nth, Fault::Crash { took_effect }));
            let process = world.log.process("p");
            let error = one_transaction(&process, &world.topic).unwrap_err();
            assert_eq!(error.kind, LogErrorKind::Crashed);
            assert!(process.has_crashed());
            let everything = if nth == calls && took_effect { 2 } else { 0 };
            assert_eq!(committed(&world), everything, "crash at call {nth}, took effect: {took_effect}");
            assert_eq!(world.log.group_positions("app").len(), everything / 2);
        }
    }
}

#[test]
fn every_client_of_a_crashed_process_is_dead_and_a_new_life_works() {
    let world = world(FaultPlan::none());
    let process = world.log.process("p");
    let mut producer = producer(&process);
    producer.init(WAIT).unwrap();
    let mut consumer = consumer(&process, &world.topic);
    let mut reader = process.reader(Isolation::ReadCommitted).unwrap();
    process.crash();
    assert_eq!(producer.begin().unwrap_err().kind, LogErrorKind::Crashed);
    assert_eq!(consumer.poll(1, WAIT).unwrap_err().kind, LogErrorKind::Crashed);
    assert_eq!(reader.poll(1, WAIT).unwrap_err().kind, LogErrorKind::Crashed);
    assert_eq!(process.topics().unwrap_err().kind, LogErrorKind::Crashed);
    assert!(process.publisher().is_err());
    one_transaction(&world.log.process("p"), &world.topic).unwrap();
    assert_eq!(committed(&world), 2);
}

#[test]
fn what_a_crashed_process_left_open_ends_by_fencing_or_by_its_time_out() {
    for restarts in [true, false] {
        let world = world(FaultPlan::none().at(Call::Commit, 1, Fault::Crash { took_effect: false }));
        one_transaction(&world.log.process("p"), &world.topic).unwrap_err();
        assert_eq!(world.log.open_transactions().len(), 1);
        if restarts {
            producer(&world.log.process("p")).init(WAIT).unwrap();
        } else {
            world.clock.advance(TRANSACTION_MS - 1);
            assert_eq!(world.log.open_transactions().len(), 1);
            world.clock.advance(1);
        }
        assert_eq!(world.log.open_transactions(), []);
        assert_eq!(committed(&world), 0);
        assert!(world.log.group_positions("app").is_empty());
    }
}

#[test]
fn a_commit_with_a_lost_answer_may_have_happened_or_not() {
    for (took_effect, visible) in [(false, 0), (true, 2)] {
        let world = world(FaultPlan::none().at(Call::Commit, 1, Fault::UnknownOutcome { took_effect }));
        let process = world.log.process("p");
        assert_eq!(one_transaction(&process, &world.topic).unwrap_err().kind, LogErrorKind::Rebuild);
        producer(&process).init(WAIT).unwrap();
        assert_eq!(committed(&world), visible);
    }
}

#[test]
fn a_call_without_an_answer_can_be_repeated_whether_or_not_it_took_effect() {
    for call in [Call::Init, Call::SendOffsets] {
        for took_effect in [false, true] {
            let world = world(FaultPlan::none().at(call, 1, Fault::UnknownOutcome { took_effect }));
            let process = world.log.process("p");
            let mut consumer = consumer(&process, &world.topic);
            consumer.poll(1, WAIT).unwrap();
            let mut producer = producer(&process);
            let init = producer.init(WAIT);
            assert_eq!(init.is_err(), call == Call::Init);
            if init.is_err() {
                producer.init(WAIT).unwrap();
            }
            producer.begin().unwrap();
            let positions = [(TopicPartition::new(Arc::clone(&world.topic), 0), 4)];
            let membership = consumer.membership().unwrap();
            if let Err(error) = producer.send_offsets(&positions, &membership) {
                assert_eq!(error.kind, LogErrorKind::Retriable);
                producer.send_offsets(&positions, &membership).unwrap();
            }
            producer.commit().unwrap();
            assert_eq!(world.log.group_positions("app").into_values().collect::<Vec<_>>(), [4]);
        }
    }
}

#[test]
fn after_a_required_abort_nothing_but_the_abort_is_possible() {
    let world = world(FaultPlan::none().at(Call::Drain, 1, Fault::MustAbort));
    let process = world.log.process("p");
    let mut producer = producer(&process);
    producer.init(WAIT).unwrap();
    producer.begin().unwrap();
    producer.send(&record(&world.topic, 0, b"a")).unwrap();
    assert_eq!(producer.drain(WAIT).unwrap_err().kind, LogErrorKind::MustAbort);
    assert_eq!(producer.commit().unwrap_err().kind, LogErrorKind::MustAbort);
    producer.abort().unwrap();
    producer.begin().unwrap();
    producer.send(&record(&world.topic, 0, b"b")).unwrap();
    producer.drain(WAIT).unwrap();
    producer.commit().unwrap();
    let visible = world.log.records(&world.topic, Isolation::ReadCommitted).unwrap();
    assert_eq!(visible.len(), 1);
    assert_eq!(visible[0].1.value.as_deref(), Some(&b"b"[..]));
}

#[test]
fn an_undelivered_record_is_told_by_drain_and_prevents_the_commit() {
    let rates = FaultRates { delivery_failure: 1.0, ..FaultRates::default() };
    let world = world(FaultPlan::seeded(1, rates));
    let process = world.log.process("p");
    let mut producer = producer(&process);
    producer.init(WAIT).unwrap();
    producer.begin().unwrap();
    producer.send(&record(&world.topic, 0, b"a")).unwrap();
    assert_eq!(producer.drain(WAIT).unwrap_err().kind, LogErrorKind::MustAbort);
    producer.abort().unwrap();
    let mut publisher = process.publisher().unwrap();
    publisher.send(&record(&world.topic, 0, b"a")).unwrap();
    assert_eq!(publisher.flush(WAIT).unwrap_err().kind, LogErrorKind::Unavailable);
    publisher.flush(WAIT).unwrap();
    assert_eq!(committed(&world), 0);
}

#[test]
fn a_late_marker_is_written_when_its_time_has_come() {
    let rates = FaultRates { marker_delay: 1.0, longest_marker_delay_ms: 500, ..FaultRates::default() };
    let world = world(FaultPlan::seeded(3, rates));
    one_transaction(&world.log, &world.topic).unwrap();
    assert_eq!(committed(&world), 0);
    assert_eq!(world.log.pending_markers().len(), 3);
    world.clock.advance(500);
    assert_eq!(committed(&world), 2);
    assert_eq!(world.log.group_positions("app").len(), 1);
    assert_eq!(world.log.open_transactions(), []);
}

#[test]
fn the_same_seed_gives_the_same_faults_and_another_seed_others() {
    let outcomes = |seed: u64| -> Vec<Option<LogErrorKind>> {
        let rates =
            FaultRates { retriable: 0.1, must_abort: 0.1, unknown_outcome: 0.1, crash: 0.02, ..FaultRates::default() };
        let world = world(FaultPlan::seeded(seed, rates));
        let run = |_| one_transaction(&world.log.process("p"), &world.topic).err().map(|error| error.kind);
        (0..200).map(run).collect()
    };
    assert_eq!(outcomes(7), outcomes(7));
    assert_ne!(outcomes(7), outcomes(8));
    for kind in [LogErrorKind::Retriable, LogErrorKind::MustAbort, LogErrorKind::Rebuild, LogErrorKind::Crashed] {
        assert!(outcomes(7).contains(&Some(kind)), "seed 7 gives no {kind:?}");
    }
}

#[test]
fn a_stopped_plan_does_no_harm_and_the_tests_own_clients_never_meet_one() {
    let world = world(FaultPlan::seeded(5, FaultRates { crash: 1.0, ..FaultRates::default() }));
    one_transaction(&world.log, &world.topic).unwrap();
    assert!(one_transaction(&world.log.process("p"), &world.topic).is_err());
    world.plan.stop();
    one_transaction(&world.log.process("p"), &world.topic).unwrap();
    assert_eq!(committed(&world), 4);
}

#[test]
fn a_waiting_member_wakes_for_a_record_and_for_the_crash_of_its_process() {
    let log = EmbeddedLog::new(EmbeddedSettings::new(Arc::new(SystemClock)));
    let topic: Arc<str> = Arc::from("patients");
    create(&log, &topic, 1);
    let process = log.process("p");
    let mut consumer = consumer(&process, &topic);
    consumer.poll(10, WAIT).unwrap();
    consumer.fetch_from(&[(TopicPartition::new(Arc::clone(&topic), 0), 0)]).unwrap();
    let long = Duration::from_secs(60);
    let began = Instant::now();
    let (first_is_over, wait_for_first) = mpsc::channel();
    let waiting = std::thread::spawn(move || {
        let first = consumer.poll(10, long);
        first_is_over.send(()).unwrap();
        (first, consumer.poll(10, long))
    });
    log.publisher().unwrap().send(&record(&topic, 0, b"a")).unwrap();
    wait_for_first.recv_timeout(long).unwrap();
    process.crash();
    let (first, second) = waiting.join().unwrap();
    assert!(matches!(&first.unwrap()[..], [ConsumerEvent::Records { records, .. }] if records.len() == 1));
    assert_eq!(second.unwrap_err().kind, LogErrorKind::Crashed);
    assert!(began.elapsed() < long);
}
