//! The pool with real threads. Nothing here waits for a time to pass but for what it needs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use bytes::Bytes;
use concord_engine::calls::{BegunCall, CallFailure, CallLine, CallPool, CallService, FinishedCall, Until};
use concord_engine::rejection::codes;

const PATIENCE: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(600);

fn call(number: u64, name: &'static str, time_limit: Duration) -> BegunCall {
    BegunCall {
        number,
        call: name,
        key: Bytes::new(),
        request: Bytes::from(number.to_string()),
        attempt: 1,
        time_limit,
    }
}

/// Waits for the next call to finish.
fn next(line: &mut dyn CallLine) -> FinishedCall {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(finished) = line.finished() {
            return finished;
        }
        assert!(Instant::now() < deadline, "no call has finished");
        line.wait(Duration::from_millis(5));
    }
}

fn until_true(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

fn echo(_: &[u8], request: &[u8], _: &Until) -> Result<Bytes, CallFailure> {
    Ok(Bytes::copy_from_slice(request))
}

#[test]
fn every_call_is_answered_on_the_line_on_which_it_was_begun() {
    let pool = CallPool::new(3).perform("echo", echo).start().unwrap();
    assert!(pool.performs("echo") && !pool.performs("other"));
    let mut lines = [pool.line(), pool.line()];
    for number in 1..=50 {
        for line in &mut lines {
            line.begin(call(number, "echo", LONG));
        }
    }
    for line in &mut lines {
        let mut answered: Vec<u64> = (0..50).map(|_| next(line.as_mut())).map(answer_of).collect();
        answered.sort_unstable();
        assert_eq!(answered, (1..=50).collect::<Vec<u64>>());
        assert_eq!(line.finished(), None);
    }
}

fn answer_of(finished: FinishedCall) -> u64 {
    let answer: u64 = std::str::from_utf8(&finished.outcome.unwrap()).unwrap().parse().unwrap();
    assert_eq!(answer, finished.number);
    answer
}

#[test]
fn as_many_calls_are_performed_at_once_as_there_are_threads() {
    let meeting = Arc::new(Barrier::new(3));
    let meets = meeting.clone();
    let meet = move |_: &[u8], _: &[u8], _: &Until| {
        meets.wait();
        Ok(Bytes::new())
    };
    let pool = CallPool::new(3).perform("meet", meet).start().unwrap();
    let mut line = pool.line();
    for number in 1..=3 {
        line.begin(call(number, "meet", LONG));
    }
    for _ in 0..3 {
        assert!(next(line.as_mut()).outcome.is_ok());
    }
}

#[test]
fn a_panic_is_a_failed_attempt_and_its_thread_goes_on() {
    let panics = |_: &[u8], request: &[u8], _: &Until| {
        assert!(request != b"1", "planted");
        Ok(Bytes::new())
    };
    let pool = CallPool::new(1).perform("panics", panics).start().unwrap();
    let mut line = pool.line();
    line.begin(call(1, "panics", LONG));
    let failure = next(line.as_mut()).outcome.unwrap_err();
    assert_eq!((failure.code, failure.may_pass), (codes::CALL_PANICKED, true));
    line.begin(call(2, "panics", LONG));
    assert!(next(line.as_mut()).outcome.is_ok());
}

#[test]
fn a_call_fails_at_its_time_limit_and_is_told_so() {
    let (told, gate) = (Arc::new(AtomicBool::new(false)), Arc::new(Barrier::new(2)));
    let (tells, opens) = (told.clone(), gate.clone());
    let waits = move |_: &[u8], _: &[u8], until: &Until| {
        tells.store(until.wait(LONG), Ordering::SeqCst);
        opens.wait();
        Ok(Bytes::from_static(b"too late"))
    };
    let pool = CallPool::new(1).perform("waits", waits).perform("echo", echo).start().unwrap();
    let mut line = pool.line();
    line.begin(call(1, "waits", Duration::from_millis(20)));
    let finished = next(line.as_mut());
    assert_eq!(finished.outcome.unwrap_err().code, codes::CALL_TIME_LIMIT);
    assert!(finished.took >= Duration::from_millis(20));
    gate.wait();
    // Its thread has come back, and its late answer is not heard.
    line.begin(call(2, "echo", LONG));
    assert_eq!(next(line.as_mut()).number, 2);
    assert!(told.load(Ordering::SeqCst));
    assert_eq!(line.finished(), None);
}

#[test]
fn the_time_limit_counts_from_when_a_thread_takes_the_call_up() {
    let gate = Arc::new(Barrier::new(2));
    let opens = gate.clone();
    let waits = move |_: &[u8], _: &[u8], _: &Until| {
        opens.wait();
        Ok(Bytes::new())
    };
    let pool = CallPool::new(1).perform("waits", waits).perform("echo", echo).start().unwrap();
    let mut line = pool.line();
    line.begin(call(1, "waits", LONG));
    line.begin(call(2, "echo", Duration::from_secs(5)));
    line.wait(Duration::from_millis(50));
    assert_eq!(line.finished(), None);
    gate.wait();
    assert_eq!((next(line.as_mut()).number, next(line.as_mut()).number), (1, 2));
}

#[test]
fn a_thread_that_does_not_come_back_is_replaced_and_may_come_back_later() {
    let (gone, is_back) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let (goes, counts) = (gone.clone(), is_back.clone());
    let strays = move |_: &[u8], _: &[u8], _: &Until| {
        goes.wait();
        counts.fetch_add(1, Ordering::SeqCst);
        Ok(Bytes::new())
    };
    let pool = CallPool::new(1).perform("strays", strays).perform("echo", echo).start().unwrap();
    let mut line = pool.line();
    line.begin(call(1, "strays", Duration::from_millis(1)));
    line.begin(call(2, "echo", LONG));
    assert_eq!(next(line.as_mut()).outcome.unwrap_err().code, codes::CALL_TIME_LIMIT);
    assert_eq!(next(line.as_mut()).number, 2, "another thread took the call up");
    gone.wait();
    until_true("the thread does not come back", || is_back.load(Ordering::SeqCst) == 1);
    // Its late answer is not heard, and the pool goes on as it was.
    for number in 3..10 {
        line.begin(call(number, "echo", LONG));
        assert_eq!(next(line.as_mut()).number, number);
    }
}

#[test]
fn what_is_called_off_is_not_heard_whether_it_has_begun_or_not() {
    let pool = CallPool::new(1)
        .perform("waits", |_: &[u8], _: &[u8], until: &Until| {
            until.wait(LONG);
            Ok(Bytes::new())
        })
        .perform("echo", echo)
        .start()
        .unwrap();
    let mut line = pool.line();
    line.begin(call(1, "waits", LONG));
    line.begin(call(2, "echo", LONG));
    line.begin(call(3, "echo", LONG));
    until_true("nobody takes up the first call", || line.is_taken_up(1));
    assert!(!line.is_taken_up(2), "it waits for its turn");
    line.call_off(2);
    line.call_off(1);
    assert_eq!(next(line.as_mut()).number, 3);
    assert_eq!(line.finished(), None);
}

#[test]
fn a_line_that_is_dropped_calls_off_what_it_began_and_the_pool_goes_on() {
    let (begun, ended) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let (begins, ends) = (begun.clone(), ended.clone());
    let waits = move |_: &[u8], _: &[u8], until: &Until| {
        begins.wait();
        until.wait(LONG);
        ends.fetch_add(1, Ordering::SeqCst);
        Ok(Bytes::new())
    };
    let pool = CallPool::new(1).perform("waits", waits).perform("echo", echo).start().unwrap();
    let mut line = pool.line();
    line.begin(call(1, "waits", LONG));
    begun.wait();
    drop(line);
    until_true("the call goes on", || ended.load(Ordering::SeqCst) == 1);
    let mut other = pool.line();
    other.begin(call(1, "echo", LONG));
    assert_eq!(next(other.as_mut()).number, 1);
}

#[test]
fn the_threads_end_with_the_pool() {
    let held = Arc::new(());
    let holds = held.clone();
    let echoes = move |_: &[u8], request: &[u8], _: &Until| {
        let _holds = &holds;
        Ok(Bytes::copy_from_slice(request))
    };
    let pool = CallPool::new(2).perform("echo", echoes).start().unwrap();
    let mut line = pool.line();
    line.begin(call(1, "echo", LONG));
    assert_eq!(next(line.as_mut()).number, 1);
    drop((pool, line));
    until_true("threads are left", || Arc::strong_count(&held) == 1);
}
