//! A worker: one thread with one consumer, one transactional producer, one restore reader, and the tasks it was given.
//!
//! [`Worker::step`] is the whole loop body, so that a simulation can drive several workers on one thread. The order of
//! a step: events of the group, replay of stores, timers, results of calls, commit, calls that begin.

mod begun_calls;
mod calls;
mod commit;
mod dead_letters;
mod generations;
mod holding;
mod processing;
mod rebalance;
mod recover;
mod restore;
mod restore_progress;
mod sending;
mod start_phases;
mod stopwatch;
mod timers;
mod whereabouts;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use concord_schemas::Schemas;
use concord_state::{StateDirectory, StateError, Timer};

use crate::calls::CallService;
use crate::clock::Clock;
use crate::codec::Codec;
use crate::context::Outbox;
use crate::log::{
    ConsumerEvent, GroupConsumer, GroupSettings, Guarantee, Isolation, Log, LogError, LogErrorKind, Offset,
    PartitionReader, ProducerSettings, TopicPartition, TransactionalProducer,
};
use crate::metric_names as names;
use crate::planted::{self, PlantedBug};
use crate::queries::CommittedViews;
use crate::rejection::{Rejection, Stage, codes};
use crate::task::{Phase, Task};
use crate::topology::Topology;

use calls::CallsInFlight;
use restore_progress::RestoreProgress;
use start_phases::StartPhases;
use stopwatch::Stopwatch;

pub use dead_letters::{
    DEAD_LETTER_CALL, DEAD_LETTER_CODE, DEAD_LETTER_MESSAGE, DEAD_LETTER_OFFSET, DEAD_LETTER_PARTITION,
    DEAD_LETTER_STAGE, DEAD_LETTER_TIMESTAMP, DEAD_LETTER_TOPIC, DEAD_LETTER_TRUNCATED,
};
pub use generations::GENERATION;
pub(crate) use generations::NO_GENERATION;
pub use whereabouts::{Doing, Whereabouts};

/// How a worker behaves.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Name of this worker in the group, `<application>-<instance>-<worker>`: static membership and transactional id.
    pub name: String,
    /// What is promised when something fails. All workers of an application stop before it is changed.
    pub guarantee: Guarantee,
    /// Time between commits; behind a backlog it grows, up to five times, while commits take more than a quarter of it.
    pub commit_interval: Duration,
    /// Commit earlier when this many bytes of state are uncommitted.
    pub uncommitted_bytes: usize,
    /// Records of one poll.
    pub poll_records: usize,
    /// How long a silent worker keeps its tasks.
    pub session_timeout: Duration,
    /// After this long the log aborts a transaction of this worker.
    pub transaction_timeout: Duration,
    /// Largest record in bytes.
    pub max_record_bytes: usize,
    /// Bytes fetched ahead.
    pub fetch_ahead_bytes: usize,
    /// Bytes waiting to be sent.
    pub producer_queue_bytes: usize,
    /// The worker stops when more than this share of a window of records is rejected.
    pub rejected_share: f64,
    /// Records in that window.
    pub rejected_window: u64,
}

impl WorkerSettings {
    /// Defaults measured on a real broker; `name` is unique in the group.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            guarantee: Guarantee::default(),
            commit_interval: Duration::from_millis(100),
            uncommitted_bytes: 32 << 20,
            poll_records: 2_000,
            session_timeout: Duration::from_secs(30),
            transaction_timeout: Duration::from_secs(15),
            max_record_bytes: 1 << 20,
            fetch_ahead_bytes: 16 << 20,
            producer_queue_bytes: 32 << 20,
            rejected_share: 0.5,
            rejected_window: 1_000,
        }
    }
}

/// Why a worker stops.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The log refuses for good.
    #[error("the log refuses: {0}")]
    Log(#[from] LogError),
    /// The state on disk cannot be used.
    #[error("the state cannot be used: {0}")]
    State(#[from] StateError),
    /// Too many records are bad: rather a wrong schema or a wrong topic than bad records.
    #[error(
        "{rejected} of the last {records} records were rejected, more than the permitted share; the last cause was \
         {code}: {message}. Nothing of them is committed. Mend the cause, or raise `dead_letters.max_share`"
    )]
    TooManyRejections {
        /// Rejected records in the window.
        rejected: u64,
        /// Records in the window.
        records: u64,
        /// Code of the last rejection.
        code: &'static str,
        /// Its message.
        message: String,
    },
    /// A programmer's error.
    #[error("stopped on a programmer's error: {0}")]
    Programming(String),
}

impl WorkerError {
    /// Whether the simulated process died (and not the worker's logic).
    pub fn is_crash(&self) -> bool {
        matches!(self, Self::Log(error) if error.kind == LogErrorKind::Crashed)
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepReport {
    /// Records processed.
    pub records: usize,
    /// Timers fired.
    pub timers: usize,
    /// Calls that ended.
    pub results: usize,
    /// A transaction was committed.
    pub committed: bool,
    /// Tasks that are not yet processing.
    pub tasks_restoring: usize,
    /// Tasks that process.
    pub tasks_running: usize,
}

impl StepReport {
    /// Nothing happened and nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.records == 0 && self.timers == 0 && self.results == 0 && !self.committed && self.tasks_restoring == 0
    }
}

/// What all workers of a process share.
#[derive(Clone)]
pub struct WorkerParts {
    /// What to run.
    pub topology: Arc<Topology>,
    /// Codecs.
    pub schemas: Arc<Schemas>,
    /// The log.
    pub log: Arc<dyn Log>,
    /// Where tasks keep their state.
    pub directory: Arc<dyn StateDirectory>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Committed state for queries.
    pub views: CommittedViews,
    /// Who performs calls.
    pub calls: Arc<dyn CallService>,
    /// Fingerprint written with the state.
    pub fingerprint: String,
}

pub(crate) type TaskId = (usize, i32);

/// See the module.
pub struct Worker {
    whereabouts: Whereabouts,
    parts: WorkerParts,
    settings: WorkerSettings,
    consumer: Box<dyn GroupConsumer>,
    producer: Box<dyn TransactionalProducer>,
    /// Whether the producer has fenced its predecessors; before that no task learns where it stands.
    producer_ready: bool,
    reader: Box<dyn PartitionReader>,
    /// Which task and source a partition belongs to, by topic.
    routes: BTreeMap<Arc<str>, (usize, usize)>,
    tasks: BTreeMap<TaskId, Task>,
    /// Partitions given to us whose siblings have not come yet.
    owned: HashSet<TopicPartition>,
    /// Tasks that are ours and still open in another worker of this process.
    awaited: BTreeSet<TaskId>,
    has_told_of_awaited: bool,
    transaction_open: bool,
    transaction_began_ms: i64,
    last_commit_ms: i64,
    last_commit_took_ms: i64,
    /// Polls since the last commit.
    polls: Polls,
    codec: Codec,
    outbox: Outbox,
    filtered: Vec<&'static str>,
    rejections: RejectionWindow,
    /// Records whose outputs the log refused as too large: next time they go to the dead letters.
    refused: HashMap<(TopicPartition, Offset), Rejection>,
    /// The same of timers.
    refused_timers: Vec<(TaskId, Timer, Rejection)>,
    calls: CallsInFlight,
    restore_progress: RestoreProgress,
    start_phases: StartPhases,
    /// Events polled and not yet handled: a failure in the middle must not lose those behind it.
    pending: VecDeque<ConsumerEvent>,
}

/// What is read late counts as a backlog when it is older than this. Less is what a commit held up, or an operator before this one.
const OF_LATE_MS: i64 = 1000;

/// What the polls since the last commit gave.
#[derive(Default)]
struct Polls {
    /// As much as was asked for, all of it older than [`OF_LATE_MS`].
    full: u32,
    /// Less, or something of late.
    others: u32,
}

impl Polls {
    fn note(&mut self, events: &[ConsumerEvent], wanted: usize, now_ms: i64) {
        let mut count = 0;
        let mut newest_ms = i64::MIN;
        for event in events {
            if let ConsumerEvent::Records { records, .. } = event {
                count += records.len();
                newest_ms = newest_ms.max(records.last().map_or(i64::MIN, |last| last.timestamp_ms));
            }
        }
        let is_of_late = now_ms.saturating_sub(newest_ms) <= OF_LATE_MS;
        if count >= wanted && !is_of_late { self.full += 1 } else { self.others += 1 }
    }

    /// Input that comes at the pace at which it is read fills few polls: the first one behind a commit perhaps, or, where much comes,
    /// several, but with records of late. Behind a backlog a short one is the end of what was fetched, and more is on its way.
    fn caught_up(&self) -> bool {
        self.others >= self.full
    }
}

#[derive(Default)]
struct RejectionWindow {
    records: u64,
    rejected: u64,
}

/// How a transaction under way has come to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Abort, go back to the last commit, go on.
    Abort(LogError),
    /// The outcome is unknown or the producer is fenced: read the truth again.
    Rebuild(LogError),
    /// Stop.
    Stop(WorkerError),
}

impl Failure {
    /// What becomes of whatever sent an output that the log refuses as too large: with the next attempt it is rejected.
    fn as_rejection(&self) -> Option<Rejection> {
        let Self::Abort(error) = self else { return None };
        (error.kind == LogErrorKind::TooLarge).then(|| Rejection {
            stage: Stage::TooLarge,
            code: codes::OUTPUT_TOO_LARGE,
            message: error.message.clone().into(),
        })
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        match error.kind {
            LogErrorKind::MustAbort | LogErrorKind::NotMember | LogErrorKind::Retriable | LogErrorKind::TooLarge => {
                Self::Abort(error)
            }
            LogErrorKind::Rebuild | LogErrorKind::Unavailable => Self::Rebuild(error),
            LogErrorKind::Fatal | LogErrorKind::UnknownTopic | LogErrorKind::Crashed => Self::Stop(error.into()),
        }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::Stop(error.into())
    }
}

impl From<WorkerError> for Failure {
    fn from(error: WorkerError) -> Self {
        Self::Stop(error)
    }
}

impl Worker {
    /// Joins the group. Tasks come with the first steps.
    ///
    /// # Errors
    /// The log cannot be reached or refuses; or nobody performs a call that the topology declares.
    pub fn start(parts: WorkerParts, settings: WorkerSettings) -> Result<Self, WorkerError> {
        calls::check_performers(&parts.topology, parts.calls.as_ref())?;
        let start_phases = StartPhases::begin();
        let producer = parts.log.transactional_producer(&producer_settings(&parts, &settings))?;
        let consumer = parts.log.group_consumer(&GroupSettings {
            group: parts.topology.application.clone(),
            instance: settings.name.clone(),
            topics: parts.topology.source_topics(),
            session_timeout: settings.session_timeout,
            fetch_ahead_bytes: settings.fetch_ahead_bytes,
        })?;
        let mut reader = parts.log.reader(match planted::is(PlantedBug::RestoreUncommitted) {
            false => Isolation::ReadCommitted,
            true => Isolation::ReadUncommitted,
        })?;
        // While the client joins the group, so that a restore begins with reading.
        reader.expect(&parts.topology.changelog_topics())?;
        let now = parts.clock.now_ms();
        Ok(Self {
            routes: parts.topology.routes(),
            settings,
            consumer,
            producer,
            producer_ready: false,
            reader,
            tasks: BTreeMap::new(),
            owned: HashSet::new(),
            awaited: BTreeSet::new(),
            has_told_of_awaited: false,
            transaction_open: false,
            transaction_began_ms: now,
            last_commit_ms: now,
            last_commit_took_ms: 0,
            polls: Polls::default(),
            codec: Codec::new(parts.schemas.clone()),
            outbox: Outbox::default(),
            filtered: Vec::new(),
            rejections: RejectionWindow::default(),
            refused: HashMap::new(),
            refused_timers: Vec::new(),
            calls: CallsInFlight::on(parts.calls.as_ref()),
            restore_progress: RestoreProgress::default(),
            start_phases,
            pending: VecDeque::new(),
            whereabouts: Whereabouts::default(),
            parts,
        })
    }

    /// One turn of the loop; waits up to `wait` for something to do.
    ///
    /// # Errors
    /// The worker must not go on: see [`WorkerError`].
    pub fn step(&mut self, wait: Duration) -> Result<StepReport, WorkerError> {
        let mut report = StepReport::default();
        self.whereabouts.steps_on();
        let outcome = self.turn(wait, &mut report);
        match outcome {
            Ok(()) => {}
            Err(Failure::Abort(error)) => self.abort(&error)?,
            Err(Failure::Rebuild(error)) => self.recover(&error)?,
            Err(Failure::Stop(error)) => {
                return Err(error);
            }
        }
        report.tasks_running = self.tasks.values().filter(|t| matches!(t.phase, Phase::Running)).count();
        report.tasks_restoring = self.tasks.len() + self.awaited.len() - report.tasks_running;
        Ok(report)
    }

    fn turn(&mut self, wait: Duration, report: &mut StepReport) -> Result<(), Failure> {
        if self.tasks.is_empty() && !planted::is(PlantedBug::PositionsBeforeFencing) {
            // Before there are tasks to wait for it: the client joins the group meanwhile.
            self.producer_is_ready()?;
        }
        let wait = self.wait_for(wait)?;
        let mut stopwatch = Stopwatch::start();
        // With calls in flight a worker that has nothing to read waits for the first of them instead.
        let poll_wait = if self.calls.is_empty() { wait } else { Duration::ZERO };
        match self.consumer.poll(self.settings.poll_records, poll_wait) {
            Ok(events) => {
                if events.is_empty() && !self.calls.is_empty() {
                    self.calls.wait(wait);
                }
                self.polls.note(&events, self.settings.poll_records, self.parts.clock.now_ms());
                self.pending.extend(events);
            }
            Err(error) if matches!(error.kind, LogErrorKind::Retriable | LogErrorKind::Unavailable) => {
                tracing::warn!(%error, "The log did not answer a poll; trying again.");
            }
            Err(error) => return Err(error.into()),
        }
        stopwatch.lap("poll");
        self.whereabouts.is(Doing::Processing);
        while let Some(event) = self.pending.pop_front() {
            match event {
                ConsumerEvent::Assigned(partitions) => self.assigned(&partitions)?,
                ConsumerEvent::Revoked { partitions, lost } => self.revoked(&partitions, lost)?,
                ConsumerEvent::Records { from, records } => {
                    let processed = self.records(&from, &records)?;
                    metrics::counter!(names::RECORDS_PROCESSED, "topic" => from.topic.to_string())
                        .increment(processed as u64);
                    report.records += processed;
                }
                ConsumerEvent::OutOfRange(partition) => self.out_of_range(&partition)?,
            }
        }
        stopwatch.lap("records");
        self.whereabouts.is(Doing::Restoring);
        self.open_awaited_tasks()?;
        self.unpark()?;
        self.restore()?;
        stopwatch.lap("restore");
        self.whereabouts.is(Doing::FiringTimers);
        report.timers += self.fire_timers()?;
        stopwatch.lap("timers");
        self.whereabouts.is(Doing::TakingResults);
        report.results += self.take_results()?;
        self.tell_of_begun_calls()?;
        self.read_held_inputs_on()?;
        stopwatch.lap("calls");
        self.renew_old_commits();
        if self.commit_is_due() {
            report.committed = self.commit()?;
        }
        self.begin_calls()
    }

    /// Where it is in its loop, to be watched from elsewhere.
    #[must_use]
    pub fn whereabouts(&self) -> Whereabouts {
        self.whereabouts.clone()
    }

    /// How long a poll may wait, so that replay, timers and commits are not late.
    fn wait_for(&mut self, wait: Duration) -> Result<Duration, Failure> {
        if self.tasks.values().any(|t| !matches!(t.phase, Phase::Running)) {
            return Ok(wait.min(Duration::from_millis(1)));
        }
        if !self.awaited.is_empty() {
            return Ok(wait.min(Duration::from_millis(50)));
        }
        let now = self.parts.clock.now_ms();
        let mut latest = now + wait.as_millis() as i64;
        if self.transaction_open || self.tasks.values().any(|t| t.dirty) {
            latest = latest.min(self.last_commit_ms + self.commit_interval_ms());
        }
        for task in self.tasks.values_mut() {
            let store = self.parts.topology.sub_topologies[task.sub].timer_store();
            if let Some(due) = task.next_look_at_timers(store)? {
                latest = latest.min(due);
            }
            if let Some(look_ms) = task.calls.next_look_ms() {
                latest = latest.min(look_ms);
            }
        }
        Ok(Duration::from_millis((latest - now).max(0) as u64))
    }

    /// Whether something was processed or written since the last commit.
    pub fn has_uncommitted(&self) -> bool {
        self.transaction_open || self.tasks.values().any(|t| t.dirty)
    }

    /// Tasks that process, and all tasks.
    pub fn readiness(&self) -> (usize, usize) {
        let running = self.tasks.values().filter(|t| matches!(t.phase, Phase::Running)).count();
        (running, self.tasks.len() + self.awaited.len())
    }

    /// Commits what is done and leaves. `keep_assignment`: a restart is at hand, so partitions stay ours.
    ///
    /// # Errors
    /// The last commit failed for good; what it held will be processed again by the next owner.
    pub fn stop(mut self, keep_assignment: bool) -> Result<(), WorkerError> {
        match self.commit() {
            Ok(_) => {}
            Err(Failure::Abort(error) | Failure::Rebuild(error)) => {
                tracing::warn!(%error, "The last commit did not succeed; its records will be processed again.");
                // Otherwise readers and the next owner would wait for the transaction's time-out.
                if let Err(error) = self.producer.abort() {
                    tracing::warn!(%error, "The last transaction is left to its time-out.");
                }
            }
            Err(Failure::Stop(error)) => return Err(error),
        }
        for (_, mut task) in std::mem::take(&mut self.tasks) {
            task.state.flush()?;
            self.parts.views.remove(&self.parts.topology, task.sub, task.partition);
        }
        self.consumer.close(keep_assignment)?;
        if !keep_assignment {
            self.give_partitions_back()?;
        }
        Ok(())
    }

    /// A leaving member learns through polls what to give back. Without that the others would wait for its session to end.
    fn give_partitions_back(&mut self) -> Result<(), WorkerError> {
        const POLLS: u32 = 50;
        for _ in 0..POLLS {
            if self.owned.is_empty() {
                break;
            }
            for event in self.consumer.poll(1, Duration::from_millis(100))? {
                if let ConsumerEvent::Revoked { partitions, .. } = event {
                    self.consumer.release(&partitions)?;
                    self.owned.retain(|owned| !partitions.contains(owned));
                }
            }
        }
        Ok(())
    }
}

fn producer_settings(parts: &WorkerParts, settings: &WorkerSettings) -> ProducerSettings {
    let partitions: i32 = parts.topology.topics.iter().map(|t| t.partitions).sum();
    ProducerSettings {
        guarantee: settings.guarantee,
        transactional_id: settings.name.clone(),
        transaction_timeout: settings.transaction_timeout,
        expected_partitions: partitions as usize,
        max_record_bytes: dead_letters::largest_letter(settings.max_record_bytes),
        queue_bytes: settings.producer_queue_bytes,
    }
}
