//! The service: one step after another, each bounded.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use concord_engine::log::{
    ConsumerEvent, GroupConsumer, GroupSettings, Log, LogError, LogErrorKind, LogRecord, LogResult, Offset, Publisher,
    TopicPartition,
};
use concord_engine::metric_names as names;
use concord_schemas::Schemas;
use concord_schemas::codec::{self, CodecError, Decoder, Encoder};
use concord_schemas::registry::RegistryError;

use super::asking::{AskPds, ask_all};
use super::publishing::{Reply, outcome_of, publish};
use super::question::{Question, Read, read};
use super::recent::RecentAnswers;
use super::settings::LookupSettings;
use super::{PDS_ANSWER, PDS_LOOKUP};
use crate::next_step::{NextStep, Problem};
use crate::pds::api::{ApiTime, PdsError, PdsProblem};

/// How long a call to the log may take.
const LOG_PATIENCE: Duration = Duration::from_secs(60);
/// Between two steps of a service that waits for PDS.
const WAITING_STEP: Duration = Duration::from_secs(1);
/// So often PDS may fail for a number, answering for others at the same time, before it counts as the number's own fault.
const MOST_FAILURES_BESIDE_OTHERS: u32 = 3;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Step {
    /// Answers published.
    pub answered: usize,
    /// Questions that wait.
    pub waiting: usize,
}

/// How the service stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The group has given it no partition yet.
    NoPartitions,
    /// It answers, from so many partitions.
    Working(usize),
    /// PDS is away, or does not let this program in.
    Waiting {
        /// The code of what keeps it.
        code: &'static str,
        /// What happened, and what to do about it.
        why: String,
    },
}

/// PDS is away.
struct Outage {
    error: PdsError,
    attempts: u32,
    next_attempt: Duration,
}

/// How far a partition is.
struct Progress {
    /// Behind the last record read.
    next: Offset,
    committed: Offset,
}

/// See [`lookups`](super).
pub struct Lookups {
    settings: LookupSettings,
    consumer: Box<dyn GroupConsumer>,
    publisher: Box<dyn Publisher>,
    schemas: Arc<Schemas>,
    encoder: Encoder,
    decoder: Decoder,
    pds: Arc<dyn AskPds>,
    time: Arc<dyn ApiTime>,
    answers: Arc<str>,
    answer_partitions: i32,
    progress: BTreeMap<TopicPartition, Progress>,
    pending: Vec<Question>,
    recent: RecentAnswers,
    outage: Option<Outage>,
    /// Events of the group that came while PDS was asked.
    later: Vec<ConsumerEvent>,
}

impl Lookups {
    /// Joins the group; reads nothing yet.
    ///
    /// # Errors
    /// The log cannot be reached, or a topic does not exist.
    pub fn join(
        log: &dyn Log,
        schemas: Arc<Schemas>,
        pds: Arc<dyn AskPds>,
        time: Arc<dyn ApiTime>,
        settings: LookupSettings,
    ) -> LogResult<Self> {
        let topics = log.topics()?;
        let found = |name: &str| {
            let topic = topics.iter().find(|topic| *topic.name == *name);
            let missing = || LogError::new(LogErrorKind::UnknownTopic, format!("the topic {name} does not exist"));
            topic.map(|topic| (topic.name.clone(), topic.partitions)).ok_or_else(missing)
        };
        let (lookups, _) = found(PDS_LOOKUP)?;
        let (answers, answer_partitions) = found(PDS_ANSWER)?;
        let consumer = log.group_consumer(&GroupSettings {
            group: settings.group.clone(),
            instance: settings.instance.clone(),
            topics: vec![lookups],
            session_timeout: settings.session_timeout,
            fetch_ahead_bytes: 1 << 20,
        })?;
        Ok(Self {
            recent: RecentAnswers::new(settings.most_kept, settings.kept_for),
            settings,
            consumer,
            publisher: log.publisher()?,
            encoder: schemas.encoder(),
            decoder: schemas.decoder(),
            schemas,
            pds,
            time,
            answers,
            answer_partitions,
            progress: BTreeMap::new(),
            pending: Vec::new(),
            outage: None,
            later: Vec::new(),
        })
    }

    /// Takes what has come, asks, publishes, commits. Waits up to `wait` when there is nothing to do.
    ///
    /// # Errors
    /// The log failed. Unless the error is fatal: join anew; whatever was not committed is read again.
    pub fn step(&mut self, wait: Duration) -> LogResult<Step> {
        let room = self.settings.batch.saturating_sub(self.pending.len());
        let wait = if self.pending.is_empty() { wait } else { Duration::ZERO };
        let mut events = std::mem::take(&mut self.later);
        events.extend(self.consumer.poll(room, wait)?);
        for event in events {
            self.take(event)?;
        }
        let mut answered = 0;
        if !self.pending.is_empty() {
            answered = self.answer_from_memory()?;
            if self.is_time_to_ask() {
                answered += self.ask()?;
            } else if answered == 0 {
                self.time.wait(WAITING_STEP);
            }
        }
        self.commit()?;
        Ok(Step { answered, waiting: self.pending.len() })
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if let Some(Outage { error, .. }) = &self.outage {
            return Standing::Waiting { code: error.code(), why: error.to_string() };
        }
        match self.progress.len() {
            0 => Standing::NoPartitions,
            partitions => Standing::Working(partitions),
        }
    }

    /// Leaves. With `keep_assignment` the group keeps its place until the session ends.
    ///
    /// # Errors
    /// The log failed; nothing is lost by that.
    pub fn close(mut self, keep_assignment: bool) -> LogResult<()> {
        self.consumer.close(keep_assignment)
    }

    fn take(&mut self, event: ConsumerEvent) -> LogResult<()> {
        match event {
            ConsumerEvent::Assigned(partitions) => self.begin(&partitions),
            ConsumerEvent::Revoked { partitions, lost } => {
                if !lost {
                    self.commit()?;
                }
                self.pending.retain(|question| !partitions.contains(&question.from));
                self.progress.retain(|partition, _| !partitions.contains(partition));
                self.consumer.release(&partitions)
            }
            ConsumerEvent::Records { from, records } => {
                for record in &records {
                    self.take_record(&from, record)?;
                }
                Ok(())
            }
            ConsumerEvent::OutOfRange(partition) => {
                tracing::warn!(%partition, "Questions to PDS were deleted before they were read.");
                metrics::counter!(names::INPUT_GAPS).increment(1);
                let first = self.consumer.earliest(&partition, LOG_PATIENCE)?;
                self.progress.insert(partition.clone(), Progress { next: first, committed: first });
                self.consumer.fetch_from(&[(partition, first)])
            }
        }
    }

    /// Reads on where the group stands.
    fn begin(&mut self, partitions: &[TopicPartition]) -> LogResult<()> {
        let committed = self.consumer.committed(partitions, LOG_PATIENCE)?;
        let mut positions = Vec::with_capacity(partitions.len());
        for (partition, committed) in partitions.iter().zip(committed) {
            let position = match committed {
                Some(position) => position,
                None => self.consumer.earliest(partition, LOG_PATIENCE)?,
            };
            self.progress.insert(partition.clone(), Progress { next: position, committed: position });
            positions.push((partition.clone(), position));
        }
        self.consumer.fetch_from(&positions)
    }

    fn take_record(&mut self, from: &TopicPartition, record: &LogRecord) -> LogResult<()> {
        // Records of a partition that is gone again can still be among the events.
        let Some(progress) = self.progress.get_mut(from) else { return Ok(()) };
        if record.offset < progress.next {
            return Ok(());
        }
        let read = match read(&self.decoder, from, record) {
            Read::UnknownSchema(error) => {
                if self.learn(&error)? {
                    read(&self.decoder, from, record)
                } else {
                    Read::Nothing("a question written with a schema that nobody knows")
                }
            }
            read => read,
        };
        if let Some(progress) = self.progress.get_mut(from) {
            progress.next = record.offset + 1;
        }
        match read {
            Read::Question(question) => self.pending.push(question),
            Read::Nothing(why) => self.count_nothing(from, record.offset, why),
            Read::UnknownSchema(_) => self.count_nothing(from, record.offset, "a question that cannot be read"),
        }
        Ok(())
    }

    fn count_nothing(&self, from: &TopicPartition, offset: Offset, why: &'static str) {
        let code = PdsProblem::QuestionUnreadable.code();
        tracing::error!(code, partition = %from, offset, why, "A record is no question that could be answered.");
        metrics::counter!(names::PDS_LOOKUPS, "outcome" => "unreadable").increment(1);
    }

    /// Fetches the schema of another writer; false when there is none.
    fn learn(&mut self, error: &CodecError) -> LogResult<bool> {
        let CodecError::UnknownWriterSchema { id, .. } = error else { return Ok(false) };
        match self.schemas.writer_schema(&codec::PDS_LOOKUP, *id) {
            Ok(writer) => {
                self.decoder.learn(*id, writer);
                Ok(true)
            }
            Err(error @ RegistryError::Unavailable { .. }) => {
                Err(LogError::new(LogErrorKind::Unavailable, format!("reading a question to PDS: {error}")))
            }
            Err(_) => Ok(false),
        }
    }

    fn is_time_to_ask(&self) -> bool {
        !self.pending.is_empty() && self.outage.as_ref().is_none_or(|outage| self.time.elapsed() >= outage.next_attempt)
    }

    /// Answers what needs no asking: what was answered of late, and questions that cannot be read.
    fn answer_from_memory(&mut self) -> LogResult<usize> {
        let now = self.time.elapsed();
        let mut replies = Vec::new();
        for (place, question) in self.pending.iter().enumerate() {
            if question.job_id.is_none() {
                metrics::counter!(names::PDS_LOOKUPS, "outcome" => "unreadable").increment(1);
                replies.push((place, Reply::Failed(PdsProblem::QuestionUnreadable.code())));
            } else if let Some(change) = self.recent.get(&question.nhs_number, now) {
                metrics::counter!(names::PDS_LOOKUPS, "outcome" => "remembered").increment(1);
                replies.push((place, Reply::Found(change)));
            }
        }
        let at_ms = self.time.now().as_millisecond();
        let published = publish(
            self.publisher.as_mut(),
            &mut self.encoder,
            (&self.answers, self.answer_partitions),
            &self.pending,
            &replies,
            at_ms,
        );
        let places: Vec<usize> = replies.iter().map(|(place, _)| *place).collect();
        published?;
        self.drop_answered(&places);
        Ok(places.len())
    }

    /// Asks PDS about every number that waits, each once.
    fn ask(&mut self) -> LogResult<usize> {
        let mut asked: HashMap<&str, usize> = HashMap::new();
        let mut numbers: Vec<(&str, &str)> = Vec::new();
        // A number that was asked about in vain comes behind the others, with all its questions: otherwise a new question about it
        // would stand before theirs, fail first, and keep them from being asked about.
        let mut in_vain: HashMap<&str, u32> = HashMap::new();
        for question in &self.pending {
            let failures = in_vain.entry(question.nhs_number.as_str()).or_default();
            *failures = question.failures.max(*failures);
        }
        let mut in_order: Vec<&Question> = self.pending.iter().collect();
        in_order.sort_by_key(|question| in_vain[question.nhs_number.as_str()]);
        for question in in_order {
            asked.entry(question.nhs_number.as_str()).or_insert_with(|| {
                numbers.push((question.nhs_number.as_str(), question.job_id.as_deref().unwrap_or_default()));
                numbers.len() - 1
            });
        }
        let (consumer, later) = (&mut self.consumer, &mut self.later);
        let mut lost_touch = None;
        let outcomes = ask_all(self.pds.as_ref(), &numbers, self.settings.in_flight, &mut || {
            // No records: the service takes no more than it asks about.
            match consumer.poll(0, Duration::ZERO) {
                Ok(events) => later.extend(events),
                Err(error) => lost_touch = Some(error),
            }
        });
        if let Some(error) = lost_touch {
            return Err(error);
        }
        let pds_answered = outcomes
            .iter()
            .flatten()
            .any(|o| o.as_ref().map_or_else(|e| e.next_step() == NextStep::SetAside, |_| true));
        let mut replies = Vec::new();
        let mut failed = Vec::new();
        let mut outage = None;
        for (place, question) in self.pending.iter().enumerate() {
            let outcome = asked.get(question.nhs_number.as_str()).and_then(|&number| outcomes[number].as_ref());
            match outcome {
                None => {}
                Some(Ok(change)) => {
                    metrics::counter!(names::PDS_LOOKUPS, "outcome" => outcome_of(change)).increment(1);
                    replies.push((place, Reply::Found(change)));
                }
                Some(Err(error)) if error.next_step() == NextStep::SetAside => {
                    tracing::warn!(partition = %question.from, offset = question.offset, %error, "PDS cannot be asked about one number.");
                    metrics::counter!(names::PDS_LOOKUPS, "outcome" => "failed").increment(1);
                    replies.push((place, Reply::Failed(error.code())));
                }
                Some(Err(error)) if pds_answered && error.next_step() == NextStep::TryAgain => {
                    if question.failed_beside_others + 1 < MOST_FAILURES_BESIDE_OTHERS {
                        failed.push(place);
                        continue;
                    }
                    tracing::warn!(partition = %question.from, offset = question.offset, %error, "PDS fails for one number, and answers for others.");
                    metrics::counter!(names::PDS_LOOKUPS, "outcome" => "failed").increment(1);
                    replies.push((place, Reply::Failed(PdsProblem::FailsForThisNumber.code())));
                }
                Some(Err(error)) => {
                    failed.push(place);
                    outage = Some(error.clone());
                }
            }
        }
        let at_ms = self.time.now().as_millisecond();
        publish(
            self.publisher.as_mut(),
            &mut self.encoder,
            (&self.answers, self.answer_partitions),
            &self.pending,
            &replies,
            at_ms,
        )?;
        let places: Vec<usize> = replies.iter().map(|(place, _)| *place).collect();
        let now = self.time.elapsed();
        for (number, outcome) in numbers.iter().zip(&outcomes) {
            if let Some(Ok(change)) = outcome {
                self.recent.keep(number.0, change.clone(), now);
            }
        }
        for place in failed {
            let question = &mut self.pending[place];
            question.failures += 1;
            question.failed_beside_others += u32::from(pds_answered);
        }
        self.note_outage(outage);
        self.drop_answered(&places);
        Ok(places.len())
    }

    fn note_outage(&mut self, error: Option<PdsError>) {
        let Some(error) = error else {
            if self.outage.take().is_some() {
                tracing::info!("PDS answers again.");
            }
            metrics::gauge!(names::PDS_WAITING).set(0.0);
            return;
        };
        let attempts = self.outage.as_ref().map_or(1, |outage| outage.attempts.saturating_add(1));
        let pause = self.settings.outage.next_pause(attempts, None).unwrap_or(self.settings.outage.longest_pause);
        let pause = pause.max(error.retry_after.unwrap_or_default());
        tracing::warn!(%error, seconds = pause.as_secs(), "Questions to PDS wait.");
        metrics::gauge!(names::PDS_WAITING).set(1.0);
        self.outage = Some(Outage { error, attempts, next_attempt: self.time.elapsed() + pause });
    }

    fn drop_answered(&mut self, places: &[usize]) {
        let mut place = 0;
        self.pending.retain(|_| {
            place += 1;
            !places.contains(&(place - 1))
        });
    }

    /// Commits, for each partition, up to the first question that waits.
    fn commit(&mut self) -> LogResult<()> {
        let mut positions = Vec::new();
        for (partition, progress) in &self.progress {
            let waiting = self.pending.iter().filter(|question| question.from == *partition);
            let position = waiting.map(|question| question.offset).min().unwrap_or(progress.next);
            if position > progress.committed {
                positions.push((partition.clone(), position));
            }
        }
        if positions.is_empty() {
            return Ok(());
        }
        match self.consumer.commit(&positions) {
            Ok(()) => {
                for (partition, position) in positions {
                    if let Some(progress) = self.progress.get_mut(&partition) {
                        progress.committed = position;
                    }
                }
                Ok(())
            }
            // The group has moved on: whoever has the partitions now answers again, which changes nothing.
            Err(error) if matches!(error.kind, LogErrorKind::NotMember | LogErrorKind::MustAbort) => {
                tracing::info!(%error, "Positions are not committed; their new owner answers again.");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
