//! Exactly once, whatever call fails and whoever dies.

use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::log::TopicPartition;
use concord_engine::log::embedded::{Call, Fault, FaultPlan, FaultRates};
use concord_engine::topology::{Cleanup, TopologyBuilder};
use concord_schemas::list_reconciliation::Registration;

use crate::counting::{
    INPUT, OUTPUT, PATIENTS, Registrations, assert_counted_once, driver, register, register_from, settle,
};
use crate::scenarios::{Promise, ROUNDS};

const PROMISE: Promise = Promise { start: driver, check: assert_counted_once };

#[test]
fn every_record_counts_once_after_a_crash_at_any_call() {
    PROMISE.holds_after_a_crash_at_any_call();
}

#[test]
fn every_record_counts_once_after_a_crash_with_the_loss_of_the_disk() {
    let calls = PROMISE.calls_of_a_run(2);
    for nth in (1..=calls).step_by(3) {
        let faults = FaultPlan::none().at_call(nth, Fault::Crash { took_effect: nth % 2 == 0 });
        let mut driver = driver(2, faults);
        register(&mut driver, ROUNDS);
        while driver.running_workers() == 2 && driver.log().lag("counting") > 0 || driver.faults().calls() < nth {
            for worker in 0..2 {
                driver.step(worker).unwrap();
            }
            driver.advance(25);
        }
        for worker in 0..2 {
            if !driver.is_up(worker) {
                driver.crash_with_disk(worker).unwrap();
            }
        }
        driver.restart_all().unwrap();
        settle(&mut driver);
        assert_counted_once(&driver, ROUNDS, &format!("disk lost at call {nth}"));
    }
}

#[test]
fn every_record_counts_once_whatever_any_call_answers() {
    let faults =
        [Fault::UnknownOutcome { took_effect: false }, Fault::UnknownOutcome { took_effect: true }, Fault::MustAbort];
    let concerned = [Call::Commit, Call::SendOffsets, Call::Drain, Call::Abort, Call::Init];
    for fault in faults {
        for call in concerned {
            if fault == Fault::MustAbort && matches!(call, Call::Abort | Call::Init) {
                continue;
            }
            for nth in 1..=12 {
                let mut plan = FaultPlan::none().at(call, nth, fault);
                if call == Call::Abort {
                    // Somebody has to abort first.
                    plan = plan.at(Call::Drain, nth, Fault::MustAbort);
                }
                PROMISE.run(2, plan, &format!("{fault:?} at {call:?} number {nth}"));
            }
        }
    }
    for call in [Call::Committed, Call::Earliest, Call::Watermarks, Call::Init, Call::Drain, Call::SendOffsets] {
        for nth in 1..=8 {
            PROMISE.run(
                2,
                FaultPlan::none().at(call, nth, Fault::Retriable),
                &format!("retriable {call:?} number {nth}"),
            );
        }
    }
}

#[test]
fn every_record_counts_once_when_several_commits_in_a_row_fail() {
    for nth in 1..=6 {
        let unknown = |took_effect| Fault::UnknownOutcome { took_effect };
        let plan = FaultPlan::none()
            .at(Call::Commit, nth, unknown(true))
            .at(Call::Commit, nth + 1, Fault::MustAbort)
            .at(Call::Commit, nth + 2, unknown(false))
            .at(Call::Commit, nth + 3, Fault::Crash { took_effect: true });
        PROMISE.run(2, plan, &format!("four failures from commit {nth}"));
    }
}

#[test]
fn every_record_counts_once_while_markers_come_late() {
    for seed in 0..40 {
        let rates =
            FaultRates { marker_delay: 0.6, longest_marker_delay_ms: 3_000, crash: 0.002, ..FaultRates::default() };
        PROMISE.run(2, FaultPlan::seeded(seed, rates), &format!("late markers, seed {seed}"));
    }
}

#[test]
fn every_record_counts_once_when_the_tasks_of_a_silent_worker_go_to_another() {
    PROMISE.holds_when_the_tasks_of_a_silent_worker_go_to_another();
}

#[test]
fn a_stopped_worker_hands_its_tasks_over_at_once() {
    let mut driver = driver(2, FaultPlan::none());
    register(&mut driver, ROUNDS);
    settle(&mut driver);
    driver.stop(0).unwrap();
    let before = driver.now_ms();
    settle(&mut driver);
    assert!(driver.now_ms() - before < 5_000, "the others waited for the session to end");
    assert_counted_once(&driver, ROUNDS, "stopped");
}

#[test]
fn every_record_counts_once_under_faults_of_every_kind() {
    let rates = FaultRates {
        retriable: 0.03,
        must_abort: 0.03,
        unknown_outcome: 0.03,
        crash: 0.01,
        delivery_failure: 0.02,
        marker_delay: 0.2,
        longest_marker_delay_ms: 500,
        short_poll: 0.3,
    };
    PROMISE.holds_under_faults_at_these_rates(150, &rates);
}

/// The processor keeps what it has seen in a field, which is only a cache: after an abort its records come again.
#[test]
fn what_a_processor_kept_in_its_fields_is_gone_after_an_abort() {
    let mut t = TopologyBuilder::new("forgetful");
    let input = t.input::<Registrations>(INPUT, "NHS number", 1, Cleanup::Compact);
    let output = t.output::<Registrations>(OUTPUT, "NHS number", 1, Cleanup::Compact);
    t.sub_topology("forget", |sub| {
        let source = sub.source(input);
        sub.processor("seen", |p| {
            let out = p.sink(output);
            p.on(source, move |seen: &mut Vec<String>, ctx, _| {
                seen.push(ctx.key()?.to_owned());
                let all = seen.join(" ");
                ctx.send(out, ctx.key()?, &Registration { nhs_number: "", gp_practice: &all, dispensing_flag: "" })
            });
            Vec::new
        });
    });
    let settings = DriverSettings::with_workers(1);
    let mut driver = TopologyTestDriver::start(t.build().unwrap(), settings).unwrap();
    driver.fail_next(Call::Commit, Fault::MustAbort);
    register(&mut driver, 1);
    settle(&mut driver);
    let outputs = driver.outputs::<Registrations>(OUTPUT).unwrap();
    let told: Vec<&str> = outputs.iter().map(|output| output.value().unwrap().unwrap().gp_practice).collect();
    assert_eq!(told.last().copied(), Some(PATIENTS.join(" ").as_str()));
}

/// Records that are deleted unread are a loss that is told of; that they are missed while a task is on its way back changes nothing.
#[test]
fn input_deleted_during_a_recovery_does_not_stop_the_worker() {
    let mut driver = driver(1, FaultPlan::none());
    register(&mut driver, 1);
    settle(&mut driver);
    driver.log().hold_markers();
    driver.fail_next(Call::Commit, Fault::UnknownOutcome { took_effect: true });
    register_from(&mut driver, 1, 2);
    for _ in 0..20 {
        driver.step(0).unwrap();
        driver.advance(25);
    }
    register_from(&mut driver, 2, 3);
    for partition in 0..2 {
        driver.log().delete_before(&TopicPartition::new(INPUT, partition), i64::MAX).unwrap();
    }
    for _ in 0..20 {
        driver.step(0).unwrap();
        driver.advance(25);
    }
    driver.log().release_markers();
    settle(&mut driver);
    driver.check_settled().unwrap();
}
