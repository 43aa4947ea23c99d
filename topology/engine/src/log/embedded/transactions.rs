//! The transaction coordinator: epochs, open transactions, decisions, and the markers that carry them out.
//!
//! A decision holds from the moment it is made, but each partition, and each group's offsets, shows it only when its own
//! marker is written. Markers may come late, one by one and in any order; until the last is written the transactional id
//! cannot go on to its next transaction.

use super::super::{LogError, LogErrorKind, LogRecord, LogResult, Membership, Offset, TopicPartition};
use super::broker::{Broker, NEVER, Slot};
use super::partition::TransactionNumber;

/// What the coordinator knows of one transactional id.
#[derive(Debug)]
pub(super) struct TransactionalId {
    pub(super) name: String,
    epoch: u32,
    timeout_ms: i64,
    state: TransactionState,
}

#[derive(Debug)]
enum TransactionState {
    Idle,
    Open(OpenTransaction),
    /// Decided; so many markers are still to be written.
    Completing {
        number: TransactionNumber,
        since_ms: i64,
        markers_left: usize,
    },
}

#[derive(Debug)]
struct OpenTransaction {
    number: TransactionNumber,
    since_ms: i64,
    partitions: Vec<Slot>,
    groups: Vec<String>,
}

/// A producer's proof of which life of its transactional id it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProducerSession {
    place: usize,
    epoch: u32,
}

/// Where a marker goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkerDestination {
    /// A partition that the transaction wrote to.
    Partition(TopicPartition),
    /// The committed positions of a group.
    Offsets {
        /// The group.
        group: String,
    },
}

/// A marker that is decided and not yet written.
#[derive(Debug)]
pub(super) struct PendingMarker {
    pub(super) due_ms: i64,
    place: usize,
    number: TransactionNumber,
    commit: bool,
    pub(super) destination: MarkerDestination,
}

/// A transaction without its last marker, as an inspection shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedTransaction {
    /// Its producer's transactional id.
    pub transactional_id: String,
    /// When it began, in milliseconds of the log's clock.
    pub since_ms: i64,
    /// Whether commit or abort is decided and only markers are missing.
    pub decided: bool,
}

/// The coordinator still carries out the decision before: try again later.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StillCompleting;

impl Broker {
    /// Fences earlier producers of the id and ends what they left. Ready only once every marker of that is written.
    pub(super) fn init_producer(
        &mut self,
        name: &str,
        timeout_ms: i64,
        now_ms: i64,
    ) -> Result<ProducerSession, StillCompleting> {
        let known = self.transactional_ids.iter().position(|id| id.name == name);
        let place = known.unwrap_or_else(|| {
            let name = name.to_owned();
            self.transactional_ids.push(TransactionalId { name, epoch: 0, timeout_ms, state: TransactionState::Idle });
            self.transactional_ids.len() - 1
        });
        self.transactional_ids[place].epoch += 1;
        if matches!(self.transactional_ids[place].state, TransactionState::Open(_)) {
            self.decide(place, false, now_ms);
        }
        let id = &mut self.transactional_ids[place];
        if matches!(id.state, TransactionState::Completing { .. }) {
            return Err(StillCompleting);
        }
        id.timeout_ms = timeout_ms;
        Ok(ProducerSession { place, epoch: id.epoch })
    }

    /// Appends a record to the open transaction, opening one if there is none.
    pub(super) fn append_in_transaction(
        &mut self,
        session: ProducerSession,
        slot: Slot,
        record: LogRecord,
        now_ms: i64,
    ) -> LogResult<Offset> {
        let number = self.open_transaction(session, now_ms)?.number;
        let (offset, is_first) = self.partition_mut(slot).append(record, Some(number));
        if is_first {
            self.open_transaction(session, now_ms)?.partitions.push(slot);
        }
        self.wake_uncommitted();
        Ok(offset)
    }

    /// Whether the decision of the transaction before is still being carried out.
    pub(super) fn is_completing(&self, session: ProducerSession) -> LogResult<bool> {
        self.check_epoch(session)?;
        Ok(matches!(self.transactional_ids[session.place].state, TransactionState::Completing { .. }))
    }

    /// Adds a group's positions to the open transaction; refused when the membership is not the member's present one.
    pub(super) fn add_offsets(
        &mut self,
        session: ProducerSession,
        offsets: &[(TopicPartition, Offset)],
        membership: &Membership,
        now_ms: i64,
    ) -> LogResult<()> {
        let transaction = self.open_transaction(session, now_ms)?;
        let number = transaction.number;
        let group_name = self.check_membership(membership)?;
        let transaction = self.open_transaction(session, now_ms)?;
        if !transaction.groups.contains(&group_name) {
            transaction.groups.push(group_name.clone());
        }
        let group = self.groups.entry(group_name).or_default();
        group.pending_offsets.entry(number).or_default().extend(offsets.iter().cloned());
        Ok(())
    }

    /// Decides the open transaction; without one there is nothing to decide.
    pub(super) fn end_transaction(&mut self, session: ProducerSession, commit: bool, now_ms: i64) -> LogResult<()> {
        self.check_epoch(session)?;
        self.decide(session.place, commit, now_ms);
        Ok(())
    }

    /// Aborts what is open for too long, and fences its producer.
    pub(super) fn abort_expired_transactions(&mut self, now_ms: i64) {
        for place in 0..self.transactional_ids.len() {
            if self.transactional_ids[place].deadline_ms() <= now_ms {
                self.transactional_ids[place].epoch += 1;
                self.decide(place, false, now_ms);
            }
        }
    }

    /// Writes the markers whose delay is over, earliest first.
    pub(super) fn write_due_markers(&mut self, now_ms: i64) {
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.pending_markers).into_iter().partition(|marker| marker.due_ms <= now_ms);
        self.pending_markers = later;
        due.sort_by_key(|marker| marker.due_ms);
        for marker in &due {
            self.write_marker(marker);
        }
    }

    /// Writes the first held marker for that destination. False when none is pending.
    pub(super) fn write_pending_marker(&mut self, destination: &MarkerDestination) -> bool {
        let Some(place) = self.pending_markers.iter().position(|marker| marker.destination == *destination) else {
            return false;
        };
        let marker = self.pending_markers.remove(place);
        self.write_marker(&marker);
        true
    }

    /// When the coordinator has something to do next.
    pub(super) fn next_deadline_of_transactions(&self) -> i64 {
        let expiry = self.transactional_ids.iter().map(TransactionalId::deadline_ms).min().unwrap_or(NEVER);
        let marker = self.pending_markers.iter().map(|marker| marker.due_ms).min().unwrap_or(NEVER);
        expiry.min(marker)
    }

    /// Transactions that are open, or decided with markers missing.
    pub(super) fn unfinished_transactions(&self) -> Vec<UnfinishedTransaction> {
        let mut unfinished = Vec::new();
        for id in &self.transactional_ids {
            let (since_ms, decided) = match &id.state {
                TransactionState::Idle => continue,
                TransactionState::Open(transaction) => (transaction.since_ms, false),
                TransactionState::Completing { since_ms, .. } => (*since_ms, true),
            };
            unfinished.push(UnfinishedTransaction { transactional_id: id.name.clone(), since_ms, decided });
        }
        unfinished
    }

    fn check_epoch(&self, session: ProducerSession) -> LogResult<()> {
        let id = &self.transactional_ids[session.place];
        if id.epoch == session.epoch {
            return Ok(());
        }
        let name = &id.name;
        let message = format!(
            "the producer of transactional id {name} is fenced by a newer one or by the transaction's time-out: build a new producer"
        );
        Err(LogError::new(LogErrorKind::Rebuild, message))
    }

    /// The open transaction, a new one when idle. Retriable while the one before is still being completed.
    fn open_transaction(&mut self, session: ProducerSession, now_ms: i64) -> LogResult<&mut OpenTransaction> {
        self.check_epoch(session)?;
        let id = &mut self.transactional_ids[session.place];
        if matches!(id.state, TransactionState::Idle) {
            self.transactions_made += 1;
            let number = self.transactions_made;
            let opened = OpenTransaction { number, since_ms: now_ms, partitions: Vec::new(), groups: Vec::new() };
            id.state = TransactionState::Open(opened);
            let due_ms = id.deadline_ms();
            self.falls_due(due_ms);
        }
        let id = &mut self.transactional_ids[session.place];
        match &mut id.state {
            TransactionState::Open(transaction) => Ok(transaction),
            TransactionState::Idle | TransactionState::Completing { .. } => {
                let message = format!("transactional id {} still completes its transaction before: repeat", id.name);
                Err(LogError::new(LogErrorKind::Retriable, message))
            }
        }
    }

    fn decide(&mut self, place: usize, commit: bool, now_ms: i64) {
        let id = &mut self.transactional_ids[place];
        let transaction = match std::mem::replace(&mut id.state, TransactionState::Idle) {
            TransactionState::Open(transaction) => transaction,
            undecidable => {
                id.state = undecidable;
                return;
            }
        };
        let number = transaction.number;
        let mut markers = Vec::new();
        for &slot in &transaction.partitions {
            markers.push(MarkerDestination::Partition(self.name_of(slot)));
        }
        for group in transaction.groups {
            markers.push(MarkerDestination::Offsets { group });
        }
        if markers.is_empty() {
            return;
        }
        let since_ms = transaction.since_ms;
        self.transactional_ids[place].state =
            TransactionState::Completing { number, since_ms, markers_left: markers.len() };
        for destination in markers {
            let delay_ms = if self.markers_held { NEVER } else { self.faults.marker_delay_ms() };
            let marker = PendingMarker { due_ms: now_ms.saturating_add(delay_ms), place, number, commit, destination };
            if delay_ms == 0 {
                self.write_marker(&marker);
            } else {
                self.falls_due(marker.due_ms);
                self.pending_markers.push(marker);
            }
        }
    }

    fn write_marker(&mut self, marker: &PendingMarker) {
        match &marker.destination {
            MarkerDestination::Partition(partition) => {
                if let Ok(slot) = self.slot(&partition.topic, partition.partition) {
                    self.partition_mut(slot).write_marker(marker.number, marker.commit);
                }
            }
            MarkerDestination::Offsets { group } => {
                if let Some(group) = self.groups.get_mut(group) {
                    group.end_pending_offsets(marker.number, marker.commit);
                }
            }
        }
        let id = &mut self.transactional_ids[marker.place];
        if let TransactionState::Completing { number, markers_left, .. } = &mut id.state
            && *number == marker.number
        {
            *markers_left -= 1;
            if *markers_left == 0 {
                id.state = TransactionState::Idle;
            }
        }
        self.wake_all();
    }
}

impl TransactionalId {
    fn deadline_ms(&self) -> i64 {
        match &self.state {
            TransactionState::Open(transaction) => transaction.since_ms.saturating_add(self.timeout_ms),
            TransactionState::Idle | TransactionState::Completing { .. } => NEVER,
        }
    }
}
