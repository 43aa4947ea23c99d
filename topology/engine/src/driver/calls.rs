//! Calls performed by a test, in virtual time: they take as long as it says, finish in any order, fail, or never come back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::calls::{BegunCall, CallFailure, CallLine, CallService, FinishedCall};
use crate::clock::{Clock, VirtualClock};

type Answer = Box<dyn FnMut(&BegunCall) -> Result<Bytes, CallFailure> + Send>;

/// How often calls go wrong, each a probability between 0 and 1 for one attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CallRates {
    /// The attempt fails, and another may not.
    pub fails: f64,
    /// The attempt never comes back; its time limit ends it.
    pub never: f64,
    /// An attempt takes up to so many milliseconds longer: calls finish in any order.
    pub longest_ms: i64,
}

/// Code of the failures that [`CallRates::fails`] makes.
pub const SCRIPTED_FAILURE: &str = "TEST-CALL";

/// Who performs the calls of a driven topology. Clones share one script.
#[derive(Clone, Default)]
pub struct ScriptedCalls(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, Answer>,
    takes_ms: i64,
    random: u64,
    rates: CallRates,
    begun: Vec<(i64, BegunCall)>,
}

impl ScriptedCalls {
    /// Calls of this name are answered so. It is asked when an attempt begins; the answer comes when the attempt has taken its time.
    #[must_use]
    pub fn on(self, call: &str, answer: impl FnMut(&BegunCall) -> Result<Bytes, CallFailure> + Send + 'static) -> Self {
        self.with(|script| script.answers.insert(call.to_owned(), Box::new(answer)));
        self
    }

    /// From now on an attempt that begins takes so many milliseconds.
    pub fn take(&self, ms: i64) {
        self.with(|script| script.takes_ms = ms);
    }

    /// From now on calls go wrong at these rates, drawn from `seed`.
    pub fn disturb(&self, seed: u64, rates: CallRates) {
        self.with(|script| {
            script.random = seed;
            script.rates = rates;
        });
    }

    /// Every attempt that has begun so far, in order, on all workers, with the time at which it began.
    pub fn begun(&self) -> Vec<(i64, BegunCall)> {
        self.with(|script| script.begun.clone())
    }

    /// The same as a service on a driver's clock.
    pub(super) fn on_clock(&self, clock: &VirtualClock) -> Arc<dyn CallService> {
        Arc::new(ScriptedService { script: self.clone(), clock: clock.clone() })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What comes of an attempt, and after how many milliseconds.
    fn begin(&self, call: &BegunCall, now_ms: i64) -> (i64, Result<Bytes, CallFailure>) {
        let limit_ms = i64::try_from(call.time_limit.as_millis()).unwrap_or(i64::MAX);
        self.with(|script| {
            script.begun.push((now_ms, call.clone()));
            let answered = match script.answers.get_mut(call.call) {
                Some(answer) => answer(call),
                None => Err(CallFailure::for_good(SCRIPTED_FAILURE, "the script does not know this call")),
            };
            let rates = script.rates;
            let takes_ms = script.takes_ms + script.draw_up_to(rates.longest_ms);
            let never = script.happens(rates.never);
            let fails = script.happens(rates.fails);
            if never || takes_ms >= limit_ms {
                return (limit_ms, Err(CallFailure::time_limit()));
            }
            if fails {
                return (takes_ms, Err(CallFailure::for_now(SCRIPTED_FAILURE, "the script made it fail")));
            }
            (takes_ms, answered)
        })
    }
}

impl Script {
    fn happens(&mut self, rate: f64) -> bool {
        rate > 0.0 && ((self.draw() >> 11) as f64 / (1_u64 << 53) as f64) < rate
    }

    fn draw_up_to(&mut self, most: i64) -> i64 {
        if most <= 0 { 0 } else { (self.draw() % (most.unsigned_abs() + 1)) as i64 }
    }

    /// The next number of a splitmix64 stream.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

struct ScriptedService {
    script: ScriptedCalls,
    clock: VirtualClock,
}

impl CallService for ScriptedService {
    fn performs(&self, call: &str) -> bool {
        self.script.with(|script| script.answers.contains_key(call))
    }

    fn line(&self) -> Box<dyn CallLine> {
        Box::new(ScriptedLine { script: self.script.clone(), clock: self.clock.clone(), under_way: BTreeMap::new() })
    }
}

struct ScriptedLine {
    script: ScriptedCalls,
    clock: VirtualClock,
    /// By the time at which they finish, and their number.
    under_way: BTreeMap<(i64, u64), FinishedCall>,
}

impl CallLine for ScriptedLine {
    fn begin(&mut self, call: BegunCall) {
        let now_ms = self.clock.now_ms();
        let (takes_ms, outcome) = self.script.begin(&call, now_ms);
        let took = Duration::from_millis(takes_ms.unsigned_abs());
        let finished = FinishedCall { number: call.number, outcome, took };
        self.under_way.insert((now_ms.saturating_add(takes_ms), call.number), finished);
    }

    fn is_taken_up(&self, number: u64) -> bool {
        self.under_way.keys().any(|(_, begun)| *begun == number)
    }

    fn call_off(&mut self, number: u64) {
        self.under_way.retain(|(_, begun), _| *begun != number);
    }

    fn finished(&mut self) -> Option<FinishedCall> {
        let first = self.under_way.first_entry()?;
        (first.key().0 <= self.clock.now_ms()).then(|| first.remove())
    }

    fn wait(&mut self, _: Duration) {}
}
