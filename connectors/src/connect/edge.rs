//! An edge: one way between the log and a place beside it, and the loop that keeps it going.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::error::Trouble;
use super::standing::Standing;
use crate::patience::Patience;

/// How soon a stop is noticed during a pause.
const LOOK: Duration = Duration::from_millis(100);

/// One way, on a thread of its own: what holds one up holds up no other.
pub trait Edge: Send {
    /// What health, metrics and the log call it.
    fn name(&self) -> &str;
    /// As much as can be done without making a stop wait for long.
    ///
    /// # Errors
    /// Whatever it is, the same turn again later is the answer.
    fn turn(&mut self) -> Result<Turn, Trouble>;
    /// Drops connections and what is not committed, to begin anew from what the log and the peers say.
    fn forget(&mut self);
}

/// What follows a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The next one, at once.
    Again,
    /// The next one after a pause.
    Rest(Duration),
}

/// Pauses between turns that fail, without end.
pub const BACK_OFF: Patience =
    Patience { attempts: u32::MAX, first_pause: Duration::from_millis(500), longest_pause: Duration::from_secs(60) };

/// Gives an edge its turns until `stop`. A turn that fails is taken again, after a pause that grows.
pub fn run(edge: &mut dyn Edge, back_off: Patience, standing: &Standing, stop: &AtomicBool) {
    let name = edge.name().to_owned();
    standing.begins(&name);
    let mut failures = 0;
    while !stop.load(Ordering::SeqCst) {
        let pause = match edge.turn() {
            Ok(turn) => {
                if failures > 0 {
                    tracing::info!(edge = name, "It works again.");
                    failures = 0;
                }
                standing.is_well(&name);
                match turn {
                    Turn::Again => continue,
                    Turn::Rest(pause) => pause,
                }
            }
            Err(trouble) => {
                failures += 1;
                tracing::warn!(edge = name, code = trouble.code, trouble = trouble.message, "It is tried again.");
                standing.is_troubled(&name, &trouble);
                edge.forget();
                let wished = trouble.retry_after.map(|wished| wished.min(back_off.longest_pause));
                back_off.next_pause(failures, wished).unwrap_or(back_off.longest_pause)
            }
        };
        rest(pause, stop);
    }
    edge.forget();
    standing.ends(&name);
}

/// Waits, and no longer than until `stop`.
fn rest(pause: Duration, stop: &AtomicBool) {
    let until = Instant::now() + pause;
    while !stop.load(Ordering::SeqCst) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::park_timeout(left.min(LOOK));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::connect::error::ConnectProblem;

    /// Fails some times, then works, then stops the loop.
    struct Unlucky<'a> {
        failures_left: u32,
        forgotten: u32,
        standing: &'a Standing,
        stop: &'a AtomicBool,
        seen: Vec<Result<String, String>>,
    }

    impl Edge for Unlucky<'_> {
        fn name(&self) -> &str {
            "mailbox X26ABC1"
        }

        fn turn(&mut self) -> Result<Turn, Trouble> {
            self.seen.push(self.standing.readiness());
            if self.failures_left > 0 {
                self.failures_left -= 1;
                return Err(Trouble::new(ConnectProblem::Folder, "list /in", "no such folder"));
            }
            self.stop.store(self.seen.len() > 4, Ordering::SeqCst);
            Ok(Turn::Again)
        }

        fn forget(&mut self) {
            self.forgotten += 1;
        }
    }

    #[test]
    fn an_edge_that_fails_says_so_forgets_what_it_had_and_goes_on_by_itself() {
        let (standing, stop) = (Standing::default(), AtomicBool::new(false));
        let mut edge = Unlucky { failures_left: 2, forgotten: 0, standing: &standing, stop: &stop, seen: Vec::new() };
        let at_once = Patience { first_pause: Duration::ZERO, longest_pause: Duration::ZERO, ..BACK_OFF };
        run(&mut edge, at_once, &standing, &stop);
        assert!(edge.seen[0].is_ok());
        let troubled = edge.seen[1].clone().unwrap_err();
        assert!(troubled.starts_with("mailbox X26ABC1: CONCORD-CN-0003: list /in: no such folder"), "{troubled}");
        assert!(edge.seen[2].is_err());
        assert_eq!(edge.seen[4].clone().unwrap(), "1 edges work");
        assert_eq!(edge.forgotten, 3, "behind each failure, and at the end");
        assert!(!standing.is_live());
    }
}
