//! Threads that perform calls, shared by all workers of a process.
//!
//! A thread that does not come back at its time limit cannot be ended. The call has failed all the same, and after a grace another
//! thread takes its place; so one document that a library hangs on costs one thread. There is a limit to that too:
//! [`MOST_STRAYED`] for each thread of the pool.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::{BegunCall, CallFailure, CallLine, CallService, FinishedCall, Perform, Until};
use crate::metric_names as names;
use crate::rejection::codes;

/// How long behind its time limit a thread may take to come back before another takes its place.
const GRACE: Duration = Duration::from_secs(2);
/// Threads that have not come back, for each thread of the pool.
const MOST_STRAYED: usize = 4;

/// Performs calls on threads of its own. Cheap to clone; the threads end when the last clone is dropped and their calls are done.
#[derive(Clone)]
pub struct CallPool {
    // Lines keep the queue, but not the pool: its threads end with this.
    shared: Arc<Closing>,
}

struct Closing(Arc<Pool>);

struct Pool {
    performers: HashMap<String, Arc<dyn Perform>>,
    threads: usize,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// Threads that take calls up; those that have strayed are not among them.
    serving: usize,
    strayed: usize,
    is_closed: bool,
}

struct Job {
    call: BegunCall,
    performer: Arc<dyn Perform>,
    ticket: Arc<Ticket>,
    answer: Sender<FinishedCall>,
}

/// What the line and the thread know of one call.
#[derive(Default)]
struct Ticket {
    /// Set when a thread takes the call up.
    until: OnceLock<Until>,
    is_called_off: AtomicBool,
    has_ended: AtomicBool,
    has_strayed: AtomicBool,
}

impl Ticket {
    fn call_off(&self) {
        self.is_called_off.store(true, Ordering::SeqCst);
        if let Some(until) = self.until.get() {
            until.call_off();
        }
    }
}

impl CallPool {
    /// A pool of `threads` threads (at least one) without performers.
    #[allow(clippy::new_ret_no_self, reason = "a pool is what one gets when it is said who performs what")]
    pub fn new(threads: usize) -> CallPoolBuilder {
        CallPoolBuilder { threads: threads.max(1), performers: HashMap::new() }
    }
}

/// Says who performs what, then starts the threads.
pub struct CallPoolBuilder {
    threads: usize,
    performers: HashMap<String, Arc<dyn Perform>>,
}

impl CallPoolBuilder {
    /// Calls of this name are performed so.
    #[must_use]
    pub fn perform(mut self, call: impl Into<String>, performer: impl Perform + 'static) -> Self {
        self.performers.insert(call.into(), Arc::new(performer));
        self
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn start(self) -> std::io::Result<CallPool> {
        let pool = Arc::new(Pool {
            performers: self.performers,
            threads: self.threads,
            queue: Mutex::default(),
            changed: Condvar::new(),
        });
        let shared = Arc::new(Closing(pool.clone()));
        for _ in 0..self.threads {
            pool.start_thread(&mut pool.queue())?;
        }
        Ok(CallPool { shared })
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.is_closed = true;
        queue.waiting.clear();
        self.0.changed.notify_all();
    }
}

impl Pool {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_thread(self: &Arc<Self>, queue: &mut Queue) -> std::io::Result<()> {
        let pool = self.clone();
        std::thread::Builder::new().name("calls".to_string()).spawn(move || pool.serve())?;
        queue.serving += 1;
        Ok(())
    }

    /// A thread's life.
    fn serve(&self) {
        while let Some(job) = self.next_job() {
            self.perform(&job);
            job.ticket.has_ended.store(true, Ordering::SeqCst);
            let mut queue = self.queue();
            if !job.ticket.has_strayed.load(Ordering::SeqCst) {
                continue;
            }
            queue.strayed -= 1;
            tell_strayed(&queue);
            if queue.serving >= self.threads {
                return;
            }
            queue.serving += 1;
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some(job) = queue.waiting.pop_front() {
                return Some(job);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn perform(&self, job: &Job) {
        let until = job.ticket.until.get_or_init(|| Until::after(job.call.time_limit));
        // In this order whoever calls it off at the same time is heard in one of the two places.
        if job.ticket.is_called_off.load(Ordering::SeqCst) {
            return;
        }
        let performed =
            catch_unwind(AssertUnwindSafe(|| job.performer.perform(&job.call.key, &job.call.request, until)));
        let outcome = performed.unwrap_or_else(|_| {
            tracing::error!(call = job.call.call, "A call's performer panicked: this is a fault of the program.");
            Err(CallFailure::for_now(codes::CALL_PANICKED, "whoever performs the call panicked"))
        });
        // Nobody listens when the worker is gone.
        let _ = job.answer.send(FinishedCall { number: job.call.number, outcome, took: until.since_begun() });
    }

    /// Gives the place of a thread that did not come back to another.
    fn replace_thread_of(self: &Arc<Self>, ticket: &Ticket) {
        let mut queue = self.queue();
        if ticket.has_ended.load(Ordering::SeqCst) {
            return;
        }
        if queue.strayed >= self.threads * MOST_STRAYED {
            tracing::error!(
                threads = queue.strayed,
                "Threads that perform calls do not come back, and no more are started in their place."
            );
            return;
        }
        // What strays is told under the lock, so that a thread that comes back now sees it.
        if let Err(error) = self.start_thread(&mut queue) {
            tracing::error!(%error, "A thread that performs calls did not come back, and there is none to take its place.");
            return;
        }
        ticket.has_strayed.store(true, Ordering::SeqCst);
        queue.serving -= 1;
        queue.strayed += 1;
        tell_strayed(&queue);
    }
}

fn tell_strayed(queue: &Queue) {
    metrics::gauge!(names::CALL_THREADS_STRAYED).set(queue.strayed as f64);
}

impl CallService for CallPool {
    fn performs(&self, call: &str) -> bool {
        self.shared.0.performers.contains_key(call)
    }

    fn line(&self) -> Box<dyn CallLine> {
        let (answer, answers) = channel();
        Box::new(PoolLine {
            pool: self.shared.0.clone(),
            answer,
            answers,
            begun: BTreeMap::new(),
            ready: VecDeque::new(),
            overdue: Vec::new(),
        })
    }
}

struct PoolLine {
    pool: Arc<Pool>,
    answer: Sender<FinishedCall>,
    answers: Receiver<FinishedCall>,
    /// What is wanted, by number.
    begun: BTreeMap<u64, Arc<Ticket>>,
    ready: VecDeque<FinishedCall>,
    /// What has not come back at its time limit, or behind its being called off, and until when it may.
    overdue: Vec<(Instant, Arc<Ticket>)>,
}

impl PoolLine {
    fn gather(&mut self) {
        while let Ok(finished) = self.answers.try_recv() {
            self.take(finished);
        }
        let over: Vec<u64> = self.begun.iter().filter(|(_, t)| has_run_out(t)).map(|(number, _)| *number).collect();
        for number in over {
            let took = self.give_up(number);
            let outcome = Err(CallFailure::time_limit());
            self.ready.push_back(FinishedCall { number, outcome, took });
        }
        let now = Instant::now();
        let pool = &self.pool;
        self.overdue.retain(|(patience, ticket)| {
            if ticket.has_ended.load(Ordering::SeqCst) {
                return false;
            }
            if *patience > now {
                return true;
            }
            pool.replace_thread_of(ticket);
            false
        });
    }

    fn take(&mut self, finished: FinishedCall) {
        if self.begun.remove(&finished.number).is_some() {
            self.ready.push_back(finished);
        }
    }

    /// Calls it off, and watches from now on whether its thread comes back; answers for how long it was performed.
    fn give_up(&mut self, number: u64) -> Duration {
        let Some(ticket) = self.begun.remove(&number) else { return Duration::ZERO };
        let took = ticket.until.get().map(Until::since_begun);
        ticket.call_off();
        if took.is_some() {
            self.overdue.push((Instant::now() + GRACE, ticket));
        }
        took.unwrap_or_default()
    }
}

fn has_run_out(ticket: &Ticket) -> bool {
    ticket.until.get().is_some_and(Until::is_over)
}

impl CallLine for PoolLine {
    fn begin(&mut self, call: BegunCall) {
        let Some(performer) = self.pool.performers.get(call.call).cloned() else {
            debug_assert!(false, "nobody performs the call `{}`: the worker asks when it starts", call.call);
            return;
        };
        let ticket = Arc::new(Ticket::default());
        self.begun.insert(call.number, ticket.clone());
        self.pool.queue().waiting.push_back(Job { call, performer, ticket, answer: self.answer.clone() });
        self.pool.changed.notify_one();
    }

    fn is_taken_up(&self, number: u64) -> bool {
        self.begun.get(&number).is_some_and(|ticket| ticket.until.get().is_some())
    }

    fn call_off(&mut self, number: u64) {
        self.ready.retain(|finished| finished.number != number);
        self.give_up(number);
    }

    fn finished(&mut self) -> Option<FinishedCall> {
        if self.ready.is_empty() {
            self.gather();
        }
        self.ready.pop_front()
    }

    fn wait(&mut self, longest: Duration) {
        if !self.ready.is_empty() {
            return;
        }
        match self.answers.recv_timeout(longest) {
            Ok(finished) => self.take(finished),
            // The line has a sender of its own, so it is never cut.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

impl Drop for PoolLine {
    fn drop(&mut self) {
        for ticket in self.begun.values() {
            ticket.call_off();
        }
    }
}
