//! A client that fetches partitions into one queue, and knows for each where it stands.
//!
//! Three things the client library does not promise are kept here: nothing is read from a partition that is held, a
//! record is not read twice though the client may fetch it twice, and a partition that the client gave up can be started
//! again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset as ClientOffset, TopicPartitionList};

use super::super::{LogError, LogErrorKind, LogRecord, LogResult, Offset, TopicPartition};
use super::errors::{client_error, error_of, passes_by_itself};
use super::raw::{Fetched, MessageQueue};

/// How long a move may take: the client answers it without asking the cluster.
const MOVE_PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before asking again, for a move that met a partition still starting.
const MOVE_RETRY: Duration = Duration::from_millis(2);

/// Where a partition stands.
#[derive(Debug, Clone, Copy)]
struct Position {
    /// The lowest offset not yet handed out.
    next: Offset,
    /// Whether it waits for [`Fetching::move_to`].
    held: bool,
    /// Whether the client gave it up.
    stopped: bool,
}

/// What a fetch brought.
pub(super) enum Taken {
    Records {
        from: TopicPartition,
        records: Vec<LogRecord>,
    },
    End {
        from: TopicPartition,
        offset: Offset,
    },
    /// The client gave a partition up at this position, which may exist all the same.
    GivenUp {
        from: TopicPartition,
        at: Offset,
    },
}

/// A consumer with the queue that its partitions are forwarded to.
pub(super) struct Fetching<C: ConsumerContext> {
    // Before the consumer, so that it is dropped first.
    messages: MessageQueue,
    consumer: BaseConsumer<C>,
    positions: HashMap<TopicPartition, Position>,
    failure: Option<LogError>,
}

impl<C: ConsumerContext> Fetching<C> {
    pub(super) fn open(config: &ClientConfig, context: C) -> LogResult<Self> {
        let attempt = "create a consumer";
        let consumer: BaseConsumer<C> = config.create_with_context(context).map_err(|e| client_error(attempt, &e))?;
        let messages = MessageQueue::new(consumer.client())
            .ok_or_else(|| LogError::new(LogErrorKind::Fatal, format!("{attempt}: the client made no queue")))?;
        Ok(Self { messages, consumer, positions: HashMap::new(), failure: None })
    }

    pub(super) fn consumer(&self) -> &BaseConsumer<C> {
        &self.consumer
    }

    /// Has the client find the leaders of these topics before anything is read from them.
    pub(super) fn expect(&mut self, topics: &[Arc<str>]) -> LogResult<()> {
        for topic in topics {
            if !self.messages.expect(self.consumer.client(), topic) {
                return Err(LogError::new(LogErrorKind::Fatal, format!("read {topic}: not a topic's name")));
            }
        }
        Ok(())
    }

    pub(super) fn knows(&self, partition: &TopicPartition) -> bool {
        self.positions.contains_key(partition)
    }

    /// The partitions that are taken and not muted.
    pub(super) fn taken(&self) -> Vec<TopicPartition> {
        self.positions.keys().cloned().collect()
    }

    /// Takes partitions without reading from them until [`Self::move_to`]. With no partitions it only tells the client
    /// that an empty assignment is taken.
    pub(super) fn take_held(&mut self, partitions: &[TopicPartition]) -> LogResult<()> {
        for partition in partitions {
            self.positions.insert(partition.clone(), Position { next: 0, held: true, stopped: false });
        }
        self.start(partitions)
    }

    /// Reads partitions from these offsets: takes those that are not yet taken, moves the others.
    pub(super) fn take_from(&mut self, partition: &TopicPartition, from: Offset) -> LogResult<()> {
        if self.knows(partition) {
            return self.move_to(&[(partition.clone(), from)]);
        }
        self.positions.insert(partition.clone(), Position { next: from, held: false, stopped: false });
        self.start(std::slice::from_ref(partition))
    }

    /// Lets partitions go.
    pub(super) fn let_go(&mut self, partitions: &[TopicPartition]) -> LogResult<()> {
        for partition in partitions {
            self.positions.remove(partition);
        }
        self.stop(partitions)
    }

    /// Forgets where partitions stand, so that nothing more is handed out from them; the client still has them.
    pub(super) fn mute(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.positions.remove(partition);
        }
    }

    /// Reads no more from taken partitions until [`Self::move_to`].
    pub(super) fn hold(&mut self, partitions: &[TopicPartition]) -> LogResult<()> {
        let mut held = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            let Some(position) = self.positions.get_mut(partition).filter(|position| !position.held) else { continue };
            position.held = true;
            // One that the client gave up is paused when it is started again.
            if !position.stopped {
                held.add_partition(&partition.topic, partition.partition);
            }
        }
        if held.count() == 0 {
            return Ok(());
        }
        self.consumer.pause(&held).map_err(|e| client_error("hold partitions", &e))
    }

    /// Reads taken partitions from these offsets on. What was fetched before is dropped.
    pub(super) fn move_to(&mut self, positions: &[(TopicPartition, Offset)]) -> LogResult<()> {
        let mut moves = TopicPartitionList::with_capacity(positions.len());
        let mut held = TopicPartitionList::new();
        let mut stopped = Vec::new();
        for (partition, offset) in positions {
            let Some(position) = self.positions.get_mut(partition) else {
                return Err(LogError::new(LogErrorKind::Fatal, format!("read {partition}: it is not assigned here")));
            };
            position.next = *offset;
            if position.stopped {
                stopped.push(partition.clone());
            } else {
                add(&mut moves, partition, *offset)?;
            }
            if position.held && !position.stopped {
                held.add_partition(&partition.topic, partition.partition);
            }
        }
        if moves.count() > 0 {
            self.seek(moves)?;
        }
        if held.count() > 0 {
            // Only those that are paused: resuming another makes the client fetch it from its last move again.
            self.consumer.resume(&held).map_err(|e| client_error("resume partitions", &e))?;
        }
        for (partition, _) in positions {
            if let Some(position) = self.positions.get_mut(partition) {
                position.held = false;
            }
        }
        if stopped.is_empty() { Ok(()) } else { self.restart(&stopped) }
    }

    fn seek(&self, mut moves: TopicPartitionList) -> LogResult<()> {
        let deadline = Instant::now() + MOVE_PATIENCE;
        loop {
            let patience = deadline.saturating_duration_since(Instant::now()).max(MOVE_RETRY);
            let answer =
                self.consumer.seek_partitions(moves, patience).map_err(|e| client_error("move a position", &e))?;
            let mut again = TopicPartitionList::new();
            for element in answer.elements() {
                let error = element.error();
                let code = error.as_ref().err().and_then(KafkaError::rdkafka_error_code);
                let attempt = || format!("move the position of {}[{}]", element.topic(), element.partition());
                match (code, error) {
                    (_, Ok(())) => {}
                    // Assigned, but the client has not started it yet.
                    (
                        Some(
                            RDKafkaErrorCode::State
                            | RDKafkaErrorCode::PreviousInProgress
                            | RDKafkaErrorCode::UnknownPartition,
                        ),
                        _,
                    ) if Instant::now() < deadline => again
                        .add_partition_offset(element.topic(), element.partition(), element.offset())
                        .map_err(|e| client_error(&attempt(), &e))?,
                    (_, Err(error)) => return Err(client_error(&attempt(), &error)),
                }
            }
            if again.count() == 0 {
                return Ok(());
            }
            moves = again;
            std::thread::sleep(MOVE_RETRY);
        }
    }

    /// Starts partitions that the client gave up. Where the whole assignment can only be given at once, the others are
    /// started again too, from where they stand.
    fn restart(&mut self, stopped: &[TopicPartition]) -> LogResult<()> {
        let again: Vec<TopicPartition> =
            if self.eager() { self.positions.keys().cloned().collect() } else { stopped.to_vec() };
        self.stop(&again)?;
        for partition in &again {
            if let Some(position) = self.positions.get_mut(partition) {
                position.stopped = false;
            }
        }
        self.start(&again)
    }

    fn eager(&self) -> bool {
        matches!(self.consumer.rebalance_protocol(), RebalanceProtocol::Eager)
    }

    fn start(&self, partitions: &[TopicPartition]) -> LogResult<()> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        let mut held = TopicPartitionList::new();
        for partition in partitions {
            if !self.messages.forward(self.consumer.client(), &partition.topic, partition.partition) {
                return Err(LogError::new(LogErrorKind::Fatal, format!("read {partition}: not a topic's name")));
            }
            let position = self.positions.get(partition);
            // The offset of a held partition is never asked for: it is paused before it starts.
            add(&mut list, partition, position.map_or(0, |p| p.next))?;
            if position.is_some_and(|p| p.held) {
                held.add_partition(&partition.topic, partition.partition);
            }
        }
        if held.count() > 0 {
            self.consumer.pause(&held).map_err(|e| client_error("hold partitions", &e))?;
        }
        let answer = if self.eager() { self.consumer.assign(&list) } else { self.consumer.incremental_assign(&list) };
        answer.map_err(|e| client_error("take an assignment", &e))
    }

    fn stop(&self, partitions: &[TopicPartition]) -> LogResult<()> {
        let attempt = "let an assignment go";
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(&partition.topic, partition.partition);
        }
        let answer = if self.eager() { self.consumer.unassign() } else { self.consumer.incremental_unassign(&list) };
        answer.map_err(|e| client_error(attempt, &e))?;
        // Stopping undoes the forwarding, on the client's own thread. That thread answers in order, so after this
        // question it is done, and a later start can forward again.
        self.consumer.assignment().map_err(|e| client_error(attempt, &e))?;
        Ok(())
    }

    /// What has been fetched, up to about `max` records; waits up to `timeout` while there is nothing.
    pub(super) fn take(&mut self, max: usize, timeout: Duration) -> LogResult<Vec<Taken>> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut taken = Vec::new();
        for fetched in self.messages.take(max, timeout) {
            match fetched {
                Fetched::Records { topic, partition, records } => {
                    let from = TopicPartition { topic, partition };
                    let records = self.unread(&from, records);
                    if !records.is_empty() {
                        taken.push(Taken::Records { from, records });
                    }
                }
                Fetched::Note { topic, partition, offset, code } => {
                    self.note(TopicPartition { topic, partition }, offset, code, &mut taken);
                }
            }
        }
        match self.failure.take() {
            Some(failure) if taken.is_empty() => Err(failure),
            // Records first: they are read, and would be lost with an error in their place.
            failure => {
                self.failure = failure;
                Ok(taken)
            }
        }
    }

    /// Drops what is held or was handed out before: after an interruption the client may fetch records again.
    fn unread(&mut self, from: &TopicPartition, mut records: Vec<LogRecord>) -> Vec<LogRecord> {
        let Some(position) = self.positions.get_mut(from).filter(|p| !p.held) else { return Vec::new() };
        if records.first().is_some_and(|r| r.offset < position.next) {
            records.retain(|r| r.offset >= position.next);
        }
        if let Some(last) = records.last() {
            position.next = last.offset + 1;
        }
        records
    }

    fn note(&mut self, from: TopicPartition, offset: Offset, code: RDKafkaErrorCode, taken: &mut Vec<Taken>) {
        let Some(position) = self.positions.get_mut(&from).filter(|p| !p.held) else { return };
        match code {
            RDKafkaErrorCode::PartitionEOF => {
                position.next = position.next.max(offset);
                taken.push(Taken::End { from, offset });
            }
            RDKafkaErrorCode::AutoOffsetReset => {
                position.stopped = true;
                taken.push(Taken::GivenUp { at: position.next, from });
            }
            code if passes_by_itself(code) => {
                tracing::warn!(partition = %from, ?code, "Kafka could not serve a partition; the client tries again.");
            }
            code => self.failure = Some(error_of(&format!("read {from}"), code)),
        }
    }
}

/// A list with the positions of partitions.
pub(super) fn offsets_list(positions: &[(TopicPartition, Offset)]) -> LogResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for (partition, offset) in positions {
        add(&mut list, partition, *offset)?;
    }
    Ok(list)
}

/// The partitions a list names.
pub(super) fn partitions_of(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements().iter().map(|e| TopicPartition::new(Arc::from(e.topic()), e.partition())).collect()
}

fn add(list: &mut TopicPartitionList, partition: &TopicPartition, offset: Offset) -> LogResult<()> {
    list.add_partition_offset(&partition.topic, partition.partition, ClientOffset::Offset(offset))
        .map_err(|e| client_error(&format!("name offset {offset} of {partition}"), &e))
}

/// Polls a consumer's own queue, where assignments, errors and log lines arrive, until it is most likely empty.
pub(super) fn serve<C: ConsumerContext + ClientContext>(consumer: &BaseConsumer<C>) -> Vec<KafkaError> {
    // One call serves one event and does not tell "served a log line" from "empty".
    const EVENTS_A_CALL: usize = 16;
    let mut errors = Vec::new();
    for _ in 0..EVENTS_A_CALL {
        if let Some(Err(error)) = consumer.poll(Duration::ZERO) {
            errors.push(error);
        }
    }
    errors
}
