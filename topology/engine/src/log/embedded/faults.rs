//! What goes wrong, and when: a plan that every call of a client process asks before it acts.
//!
//! A plan is seeded (each call draws from one random stream) or scripted (the n-th call, or the n-th call of a name,
//! fails in a given way), or both. The same seed and the same order of calls give the same faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The calls of the seam, by which faults are counted and scripted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the call of the same name in the seam")]
pub enum Call {
    Topics,
    CreateTopics,
    ConsumerPoll,
    FetchFrom,
    Hold,
    Committed,
    Earliest,
    Release,
    Membership,
    CommitPositions,
    CloseConsumer,
    Init,
    Begin,
    Send,
    Drain,
    SendOffsets,
    Commit,
    Abort,
    Assign,
    Unassign,
    ReaderPoll,
    Watermarks,
    Publish,
    Flush,
}

impl Call {
    /// Calls whose failure the caller may answer by repeating them.
    fn can_be_retried(self) -> bool {
        use Call::{CommitPositions, Committed, CreateTopics, Drain, Earliest, Init, SendOffsets, Topics, Watermarks};
        matches!(
            self,
            Topics | CreateTopics | Committed | CommitPositions | Earliest | Init | Drain | SendOffsets | Watermarks
        )
    }

    /// Calls that can find the transaction beyond rescue.
    fn can_require_abort(self) -> bool {
        matches!(self, Self::Drain | Self::SendOffsets | Self::Commit | Self::CommitPositions)
    }

    /// Calls that change the log and whose answer can be lost on the way back.
    fn can_lose_its_answer(self) -> bool {
        matches!(self, Self::Init | Self::SendOffsets | Self::Commit | Self::CommitPositions | Self::Abort)
    }
}

/// One way for a call to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happened; the call may be made again.
    Retriable,
    /// Nothing happened, and the transaction must be aborted.
    MustAbort,
    /// The answer is lost. The caller sees `Retriable` where repeating is allowed, `Rebuild` otherwise.
    UnknownOutcome {
        /// Whether the call had taken effect all the same.
        took_effect: bool,
    },
    /// The process dies at this call.
    Crash {
        /// Whether the call had taken effect before.
        took_effect: bool,
    },
}

/// How often things go wrong, each a probability between 0 and 1 for one call.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FaultRates {
    /// [`Fault::Retriable`], of the calls that can be repeated.
    pub retriable: f64,
    /// [`Fault::MustAbort`], of `drain`, `send_offsets` and `commit`.
    pub must_abort: f64,
    /// [`Fault::UnknownOutcome`], with and without effect by turns of the dice.
    pub unknown_outcome: f64,
    /// [`Fault::Crash`], before or after the effect, of every call.
    pub crash: f64,
    /// A record that is sent and never arrives, of `send` and the publisher's `send`.
    pub delivery_failure: f64,
    /// A transaction marker that is written late, of each marker.
    pub marker_delay: f64,
    /// The longest such delay in milliseconds of the log's clock.
    pub longest_marker_delay_ms: i64,
    /// A poll that brings a single record however many wait.
    pub short_poll: f64,
}

/// One scripted failure.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ScriptedFault {
    process: Option<String>,
    call: Option<Call>,
    nth: u64,
    fault: Fault,
}

#[derive(Debug, Default)]
struct PlanState {
    random: u64,
    rates: FaultRates,
    script: Vec<ScriptedFault>,
    counted: BTreeMap<(String, Call), u64>,
    stopped: bool,
}

/// A plan of faults; clones share one state. Only clients made through a process consult it, so that a test's own
/// clients are never hit; marker delays concern every transaction.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan(Arc<Mutex<PlanState>>);

impl FaultPlan {
    /// Nothing goes wrong; calls are counted all the same.
    pub fn none() -> Self {
        Self::default()
    }

    /// Faults at these rates, drawn from `seed`.
    pub fn seeded(seed: u64, rates: FaultRates) -> Self {
        let plan = Self::default();
        plan.with(|state| {
            state.random = seed;
            state.rates = rates;
        });
        plan
    }

    /// Adds a fault at the `nth` call (from 1), whatever its name, of all processes together.
    #[must_use]
    pub fn at_call(self, nth: u64, fault: Fault) -> Self {
        self.scripted(ScriptedFault { process: None, call: None, nth, fault })
    }

    /// Adds a fault at the `nth` call (from 1) of this name, of all processes together.
    #[must_use]
    pub fn at(self, call: Call, nth: u64, fault: Fault) -> Self {
        self.scripted(ScriptedFault { process: None, call: Some(call), nth, fault })
    }

    /// Adds a fault at the `nth` call (from 1) of this name by the process of that name.
    #[must_use]
    pub fn at_of(self, process: &str, call: Call, nth: u64, fault: Fault) -> Self {
        self.scripted(ScriptedFault { process: Some(process.to_owned()), call: Some(call), nth, fault })
    }

    /// From now on nothing goes wrong any more.
    pub fn stop(&self) {
        self.with(|state| state.stopped = true);
    }

    /// How many calls processes have made, so that a test can walk through every one of them.
    pub fn calls(&self) -> u64 {
        self.with(|state| state.counted.values().sum())
    }

    /// How many calls of this name processes have made.
    pub fn calls_of(&self, call: Call) -> u64 {
        self.with(|state| state.count(None, Some(call)))
    }

    /// Counts a call and decides about it.
    pub(super) fn decide(&self, process: &str, call: Call) -> Option<Fault> {
        self.with(|state| {
            *state.counted.entry((process.to_owned(), call)).or_default() += 1;
            if state.stopped {
                return None;
            }
            state.scripted_fault(process, call).or_else(|| state.drawn_fault(call))
        })
    }

    /// Whether a record that is being sent gets lost on its way.
    pub(super) fn loses_delivery(&self) -> bool {
        self.with(|state| state.happens(state.rates.delivery_failure))
    }

    /// How many records a poll may bring.
    pub(super) fn poll_limit(&self, asked: usize) -> usize {
        self.with(|state| if state.happens(state.rates.short_poll) { asked.min(1) } else { asked })
    }

    /// After how many milliseconds a marker is written; 0 is at once.
    pub(super) fn marker_delay_ms(&self) -> i64 {
        self.with(|state| {
            if !state.happens(state.rates.marker_delay) {
                return 0;
            }
            let longest = state.rates.longest_marker_delay_ms.max(1).unsigned_abs();
            i64::try_from(1 + state.draw() % longest).unwrap_or(1)
        })
    }

    fn scripted(self, fault: ScriptedFault) -> Self {
        self.with(|state| state.script.push(fault));
        self
    }

    fn with<T>(&self, act: impl FnOnce(&mut PlanState) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PlanState {
    fn scripted_fault(&self, process: &str, call: Call) -> Option<Fault> {
        for scripted in &self.script {
            let concerned = scripted.process.as_deref().is_none_or(|name| name == process)
                && scripted.call.is_none_or(|name| name == call);
            if concerned && self.count(scripted.process.as_deref(), scripted.call) == scripted.nth {
                return Some(scripted.fault);
            }
        }
        None
    }

    fn drawn_fault(&mut self, call: Call) -> Option<Fault> {
        let rates = self.rates;
        if self.happens(rates.crash) {
            return Some(Fault::Crash { took_effect: self.draw() & 1 == 0 });
        }
        if call.can_be_retried() && self.happens(rates.retriable) {
            return Some(Fault::Retriable);
        }
        if call.can_require_abort() && self.happens(rates.must_abort) {
            return Some(Fault::MustAbort);
        }
        if call.can_lose_its_answer() && self.happens(rates.unknown_outcome) {
            return Some(Fault::UnknownOutcome { took_effect: self.draw() & 1 == 0 });
        }
        None
    }

    fn count(&self, process: Option<&str>, call: Option<Call>) -> u64 {
        let matching = self.counted.iter().filter(|((name, counted_call), _)| {
            process.is_none_or(|wanted| wanted == name) && call.is_none_or(|wanted| wanted == *counted_call)
        });
        matching.map(|(_, count)| count).sum()
    }

    /// A rate of zero draws nothing, so that adding a kind of fault leaves the stream of the others as it was.
    fn happens(&mut self, rate: f64) -> bool {
        if self.stopped || rate <= 0.0 {
            return false;
        }
        let unit = (self.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        unit < rate
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
