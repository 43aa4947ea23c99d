//! However many ask, PDS never sees more requests than it takes.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use concord_connectors::pds::api::{ApiTime, Pace};

use crate::people::synthetic;
use crate::stand::stand_with;
use crate::time::VirtualTime;

const SECOND: Duration = Duration::from_secs(1);

/// The most requests in any window that is closed at its beginning and open at its end.
fn most_within(window: Duration, times: &[Duration]) -> usize {
    let mut sorted = times.to_vec();
    sorted.sort();
    let in_window = |start: &Duration| sorted.iter().filter(|at| *at >= start && **at < *start + window).count();
    sorted.iter().map(in_window).max().unwrap_or_default()
}

#[test]
fn pds_sees_no_more_requests_in_any_second_than_the_rate_and_the_burst_together() {
    let people = synthetic(200);
    let stand = stand_with(&people, 20, |settings| (settings.rate_per_second, settings.burst) = (12.0, 3));
    for number in people.expected.keys() {
        stand.client.look_up(number, "job-1").unwrap();
    }
    let mut times: Vec<Duration> = stand.server.look_ups().iter().map(|seen| seen.at).collect();
    times.extend(stand.server.token_requests().iter().map(|seen| seen.at));
    assert!(stand.server.token_requests().len() > 1, "tokens count too");
    let most = most_within(SECOND, &times);
    assert!((12..=15).contains(&most), "{most} in a second");
    assert!(most_within(10 * SECOND, &times) <= 123);
    let least = SECOND * (times.len() as u32 - 3) / 12;
    assert!(
        stand.time.elapsed() >= least - Duration::from_millis(1),
        "{:?} for {} requests",
        stand.time.elapsed(),
        times.len()
    );
}

#[test]
fn many_threads_share_one_rate() {
    let time = Arc::new(VirtualTime::default());
    let pace = Pace::new(5.0, 2, Arc::clone(&time) as Arc<dyn ApiTime>).unwrap();
    let granted = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    assert!(pace.take());
                    granted.lock().unwrap().push(time.elapsed());
                }
            });
        }
    });
    let granted = granted.into_inner().unwrap();
    assert_eq!(granted.len(), 200);
    let last = granted.iter().max().unwrap();
    // 198 of 200 had to wait for their turn, a fifth of a second each.
    assert!(*last >= SECOND * 198 / 5 - Duration::from_millis(1), "{last:?}");
}

#[test]
fn nobody_is_given_leave_while_pds_is_left_alone() {
    let time = Arc::new(VirtualTime::default());
    let pace = Pace::new(5.0, 2, Arc::clone(&time) as Arc<dyn ApiTime>).unwrap();
    assert!(pace.take());
    assert_eq!(time.elapsed(), Duration::ZERO);
    pace.rest(30 * SECOND);
    pace.rest(SECOND);
    assert!(pace.take());
    assert!(time.elapsed() >= 30 * SECOND, "a shorter rest does not end a longer one");
}

#[test]
fn a_rate_or_a_burst_of_nothing_is_refused() {
    let time: Arc<dyn ApiTime> = Arc::new(VirtualTime::default());
    for (rate, burst) in [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (1.0, 0)] {
        assert!(Pace::new(rate, burst, Arc::clone(&time)).is_none(), "{rate} {burst}");
    }
}
