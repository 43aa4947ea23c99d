//! A member of a consumer group.
//!
//! The client tells of a change of assignment while it is polled, and then waits for our answer. The callback only writes
//! the event down; the answer is given outside: for partitions that come, at once (they are taken, but held), for
//! partitions that go, when the worker has committed and calls `release`.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset as ClientOffset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::super::{
    ConsumerEvent, GroupConsumer, GroupSettings, LogError, LogErrorKind, LogResult, Membership, MembershipToken,
    Offset, TopicPartition,
};
use super::errors::{client_error, error_of, kind_of, passes_by_itself};
use super::fetching::{Fetching, Taken, offsets_list, partitions_of, serve};
use super::raw::{self, GroupMetadata};
use super::{Cluster, client_log, let_go};

/// Between two looks at the group while waiting for records.
const GROUP_LOOK: Duration = Duration::from_millis(20);
/// Between two attempts to join under an instance name that the group still counts as present.
const REJOIN_PAUSE: Duration = Duration::from_secs(1);
/// Between two attempts of a question that the cluster could not answer.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// How long a commit of positions may take before its outcome counts as unknown.
const COMMIT_PATIENCE: Duration = Duration::from_secs(30);
/// How long dropping a member may hold up its worker.
const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// For so many sessions a question about positions may have no answer. A transaction that keeps it back is decided within one of
/// them; what is silent for longer is the client, which has lost the group and does not notice.
const SILENT_SESSIONS: u32 = 2;
/// For so many sessions a client may be in no group. Others hold a joining member up for one at most, when they are dead or do not answer.
const OUTSIDE_SESSIONS: u32 = 3;
/// How often that is looked at.
const MEMBERSHIP_LOOK: Duration = Duration::from_secs(1);

/// A change of the assignment, as the client announced it.
enum Rebalance {
    Assigned(TopicPartitionList),
    Revoked(TopicPartitionList),
}

/// Writes the client's announcements down.
#[derive(Default)]
struct Announcements {
    rebalances: Mutex<VecDeque<Rebalance>>,
    /// The client's own words for its last error; they name the topic, where the code does not.
    last_error: Mutex<String>,
    /// From now on nobody answers but the callback itself.
    closing: AtomicBool,
}

impl ClientContext for Announcements {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "The Kafka client of a group member reports.");
        reason.clone_into(&mut self.last_error.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ConsumerContext for Announcements {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        if self.closing.load(Ordering::Acquire) {
            let answer = match consumer.rebalance_protocol() {
                RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
                _ => consumer.unassign(),
            };
            if let Err(error) = answer {
                tracing::debug!(%error, "The assignment was gone before it could be let go.");
            }
            return;
        }
        let rebalance = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assigned(partitions.clone()),
            _ => Rebalance::Revoked(partitions.clone()),
        };
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push_back(rebalance);
    }
}

/// Partitions that were announced as going, until all are released.
struct Revocation {
    all: Vec<TopicPartition>,
    open: HashSet<TopicPartition>,
}

/// Questions about positions that had no answer, one behind the other.
#[derive(Clone, Copy)]
struct Silence {
    since: Instant,
    until: Instant,
}

/// See the module.
pub(super) struct KafkaGroupConsumer {
    cluster: Arc<Cluster>,
    group: GroupSettings,
    /// Whether this membership uses the protocol of new brokers.
    consumer_protocol: bool,
    /// `None` once closed.
    fetching: Option<Fetching<Announcements>>,
    revocation: Option<Revocation>,
    rejoin_at: Option<Instant>,
    silence: Option<Silence>,
    /// Since when the client is in no group, as far as it was looked at; and when that is next.
    outside_since: Option<Instant>,
    next_look: Instant,
    /// What this member had when it left a silent group, until its worker hears of it.
    lost: Vec<TopicPartition>,
    /// Why this member can do nothing any more.
    fatal: Option<LogError>,
}

impl KafkaGroupConsumer {
    pub(super) fn join(cluster: Arc<Cluster>, group: GroupSettings) -> LogResult<Self> {
        let mut member = Self {
            cluster,
            group,
            consumer_protocol: false,
            fetching: None,
            revocation: None,
            rejoin_at: None,
            silence: None,
            outside_since: None,
            next_look: Instant::now(),
            lost: Vec::new(),
            fatal: None,
        };
        member.join_anew()?;
        Ok(member)
    }

    fn join_anew(&mut self) -> LogResult<()> {
        self.go();
        self.rejoin_at = None;
        self.consumer_protocol = self.cluster.consumer_protocol();
        let config = self.cluster.settings.group_consumer(&self.group, self.consumer_protocol);
        let fetching = Fetching::open(&config, Announcements::default())?;
        let topics: Vec<&str> = self.group.topics.iter().map(|t| &**t).collect();
        let attempt = format!("subscribe to {}", topics.join(", "));
        fetching.consumer().subscribe(&topics).map_err(|e| client_error(&attempt, &e))?;
        self.fetching = Some(fetching);
        Ok(())
    }

    /// A question that began then has no answer. When that goes on for too long, this member gives up what it has and joins again
    /// with a new client.
    fn is_not_answered(&mut self, began: Instant) -> LogResult<()> {
        let (now, session) = (Instant::now(), self.group.session_timeout);
        let before = self.silence.filter(|silence| began.saturating_duration_since(silence.until) < session);
        let since = before.map_or(began, |silence| silence.since);
        self.silence = Some(Silence { since, until: now });
        if now.saturating_duration_since(since) < SILENT_SESSIONS * session {
            return Ok(());
        }
        self.silence = None;
        self.give_up("The group does not answer this member, which gives up its partitions and joins again.")
    }

    /// Behind a broker that was killed and started again a client was seen that had lost its session and asked no broker for another one,
    /// for minutes: such a one is replaced.
    fn look_whether_it_is_in_the_group(&mut self) -> LogResult<()> {
        let now = Instant::now();
        if now < self.next_look {
            return Ok(());
        }
        self.next_look = now + MEMBERSHIP_LOOK;
        let metadata = GroupMetadata::of(self.fetching()?.consumer().client());
        if self.rejoin_at.is_some() || metadata.is_some_and(|of| of.generation() >= 1 && !of.member().is_empty()) {
            self.outside_since = None;
            return Ok(());
        }
        let since = *self.outside_since.get_or_insert(now);
        if now.saturating_duration_since(since) < OUTSIDE_SESSIONS * self.group.session_timeout {
            return Ok(());
        }
        self.give_up("The client of this member does not come into its group, and is replaced.")
    }

    /// Joins again with a new client. The worker hears of what is lost when it next polls.
    fn give_up(&mut self, why: &'static str) -> LogResult<()> {
        let GroupSettings { group, instance, .. } = &self.group;
        tracing::warn!(%group, %instance, "{why}");
        self.outside_since = None;
        let mut lost = self.fetching()?.taken();
        lost.extend(self.revocation.iter().flat_map(|revocation| revocation.all.iter().cloned()));
        self.lost = lost;
        self.join_anew()
    }

    fn fetching(&mut self) -> LogResult<&mut Fetching<Announcements>> {
        let closed = || LogError::new(LogErrorKind::NotMember, "this member of the group is closed");
        self.fetching.as_mut().ok_or_else(closed)
    }

    /// Whether a partition is given up, though the worker may not have let it go yet.
    fn is_going(&self, partition: &TopicPartition) -> bool {
        self.lost.contains(partition) || self.revocation.as_ref().is_some_and(|r| r.open.contains(partition))
    }

    /// Serves the group: errors, then what comes and goes.
    fn serve_group(&mut self, events: &mut Vec<ConsumerEvent>) -> LogResult<()> {
        for error in serve(self.fetching()?.consumer()) {
            self.judge(&error)?;
        }
        loop {
            let consumer = self.fetching()?.consumer();
            let next = consumer.context().rebalances.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match next {
                None => return Ok(()),
                Some(Rebalance::Assigned(list)) => {
                    let partitions = partitions_of(&list);
                    self.fetching()?.take_held(&partitions)?;
                    if !partitions.is_empty() {
                        events.push(ConsumerEvent::Assigned(partitions));
                    }
                }
                Some(Rebalance::Revoked(list)) => {
                    let lost = consumer.assignment_lost();
                    let partitions = partitions_of(&list);
                    if lost || partitions.is_empty() {
                        // There is nothing left to hand over, and the client joins again only after the answer.
                        self.fetching()?.let_go(&partitions)?;
                    } else {
                        self.fetching()?.mute(&partitions);
                        let open = partitions.iter().cloned().collect();
                        self.revocation = Some(Revocation { all: partitions.clone(), open });
                    }
                    if partitions.is_empty() {
                        continue;
                    }
                    events.push(ConsumerEvent::Revoked { partitions, lost });
                }
            }
        }
    }

    /// Decides what an error of the client means for this member.
    fn judge(&mut self, error: &KafkaError) -> LogResult<()> {
        let fetching = self.fetching()?;
        if let Some((code, text)) = fetching.consumer().client().fatal_error() {
            return self.judge_fatal(code, &text);
        }
        let Some(code) = error.rdkafka_error_code() else { return Ok(()) };
        if passes_by_itself(code) || kind_of(code) == LogErrorKind::NotMember {
            // The client joins again, or reaches the cluster again, by itself; what it lost it revokes.
            return Ok(());
        }
        let last_error =
            fetching.consumer().context().last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut error = error_of(&format!("read as a member of group {}", self.group.group), code);
        if !last_error.is_empty() {
            error.message = format!("{} ({last_error})", error.message);
        }
        Err(error)
    }

    fn judge_fatal(&mut self, code: RDKafkaErrorCode, text: &str) -> LogResult<()> {
        let group = &self.group.group;
        match code {
            // A member of this name was killed and its session has not run out, or it still lives.
            RDKafkaErrorCode::UnreleasedInstanceId => {
                if self.rejoin_at.is_none() {
                    let instance = &self.group.instance;
                    tracing::warn!(
                        group,
                        instance,
                        "The group still counts a member of this name; joining again soon."
                    );
                    self.rejoin_at = Some(Instant::now() + REJOIN_PAUSE);
                }
                Ok(())
            }
            RDKafkaErrorCode::UnsupportedVersion | RDKafkaErrorCode::UnsupportedFeature
                if self.consumer_protocol && self.cluster.fall_back_to_classic() =>
            {
                tracing::warn!(group, "The brokers do not know the new group protocol; joining by the classic one.");
                self.join_anew()
            }
            _ => {
                let mut error = error_of(&format!("take part in group {group}"), code);
                error.kind = LogErrorKind::Fatal;
                error.message = format!("{} ({text})", error.message);
                self.fatal = Some(error.clone());
                Err(error)
            }
        }
    }
}

impl GroupConsumer for KafkaGroupConsumer {
    fn poll(&mut self, max_records: usize, timeout: Duration) -> LogResult<Vec<ConsumerEvent>> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(fatal) = &self.fatal {
                return Err(fatal.clone());
            }
            if !self.lost.is_empty() {
                let partitions = std::mem::take(&mut self.lost);
                return Ok(vec![ConsumerEvent::Revoked { partitions, lost: true }]);
            }
            if self.rejoin_at.is_some_and(|at| Instant::now() >= at) {
                self.join_anew()?;
            }
            self.look_whether_it_is_in_the_group()?;
            if !self.lost.is_empty() {
                continue;
            }
            let mut events = Vec::new();
            self.serve_group(&mut events)?;
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = if events.is_empty() { left.min(GROUP_LOOK) } else { Duration::ZERO };
            for taken in self.fetching()?.take(max_records, wait)? {
                match taken {
                    Taken::Records { from, records } => events.push(ConsumerEvent::Records { from, records }),
                    Taken::GivenUp { from, at } => {
                        let cluster = Arc::clone(&self.cluster);
                        if cluster.is_out_of_range(self.fetching()?, &from, at)? {
                            events.push(ConsumerEvent::OutOfRange(from));
                        }
                    }
                    Taken::End { .. } => {}
                }
            }
            if !events.is_empty() || left.is_zero() {
                return Ok(events);
            }
        }
    }

    fn fetch_from(&mut self, positions: &[(TopicPartition, Offset)]) -> LogResult<()> {
        let staying: Vec<_> = positions.iter().filter(|(partition, _)| !self.is_going(partition)).cloned().collect();
        self.fetching()?.move_to(&staying)
    }

    fn hold(&mut self, partitions: &[TopicPartition]) -> LogResult<()> {
        let staying: Vec<_> = partitions.iter().filter(|partition| !self.is_going(partition)).cloned().collect();
        self.fetching()?.hold(&staying)
    }

    fn committed(&mut self, partitions: &[TopicPartition], timeout: Duration) -> LogResult<Vec<Option<Offset>>> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let attempt = format!("read the committed offsets of group {}", self.group.group);
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(&partition.topic, partition.partition);
        }
        let began = Instant::now();
        let deadline = began + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(ASK_AGAIN);
            // Read committed: the broker answers for decided transactions only, and the client asks until it can.
            let answer = self.fetching()?.consumer().committed_offsets(list.clone(), left);
            let failed = match answer.and_then(|list| list.elements().iter().try_for_each(|e| e.error()).map(|()| list))
            {
                Ok(list) => {
                    self.silence = None;
                    return Ok(partitions.iter().map(|p| committed_in(&list, p)).collect());
                }
                Err(error) => error,
            };
            let passes = failed
                .rdkafka_error_code()
                .is_some_and(|code| passes_by_itself(code) || code == RDKafkaErrorCode::StaleMemberEpoch);
            if !passes || Instant::now() + ASK_AGAIN >= deadline {
                let error = client_error(&attempt, &failed);
                if matches!(error.kind, LogErrorKind::Retriable | LogErrorKind::Unavailable) {
                    self.is_not_answered(began)?;
                }
                return Err(error);
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }

    fn earliest(&mut self, partition: &TopicPartition, timeout: Duration) -> LogResult<Offset> {
        self.cluster.watermarks(partition, timeout).map(|(low, _)| low)
    }

    fn release(&mut self, partitions: &[TopicPartition]) -> LogResult<()> {
        // Of lost partitions none is left to release.
        let Some(revocation) = &mut self.revocation else { return Ok(()) };
        for partition in partitions {
            revocation.open.remove(partition);
        }
        if !revocation.open.is_empty() {
            return Ok(());
        }
        // The client takes one answer for all.
        let all = std::mem::take(&mut revocation.all);
        self.revocation = None;
        self.fetching()?.let_go(&all)
    }

    fn membership(&mut self) -> LogResult<Membership> {
        let refused = |why: &str| LogError::new(LogErrorKind::NotMember, format!("no proof of membership: {why}"));
        if self.rejoin_at.is_some() || self.fatal.is_some() {
            return Err(refused("this member is not in the group"));
        }
        // The group may have let it in anew already; but what its worker would commit is of the membership before.
        if !self.lost.is_empty() {
            return Err(refused("this member has given its partitions up"));
        }
        let metadata = GroupMetadata::of(self.fetching()?.consumer().client()).ok_or_else(|| refused("no group"))?;
        let (generation, member) = (metadata.generation(), metadata.member());
        // The broker would take offsets with an empty member or a negative generation without fencing them. Real
        // generations start at 1.
        if generation < 1 || member.is_empty() {
            return Err(refused("the group has not let this member in, or no longer counts it"));
        }
        Ok(Membership { generation, member, token: MembershipToken::Kafka(metadata) })
    }

    fn commit(&mut self, positions: &[(TopicPartition, Offset)]) -> LogResult<()> {
        let attempt = format!("commit positions of group {}", self.group.group);
        if positions.is_empty() {
            return Err(LogError::new(LogErrorKind::Fatal, format!("{attempt}: there are none")));
        }
        // Without membership the broker would take them unfenced whenever the group is empty.
        self.membership()?;
        let list = offsets_list(positions)?;
        raw::commit_positions(self.fetching()?.consumer().client(), &list, COMMIT_PATIENCE)
            .map_err(|code| commit_error(&attempt, code))
    }

    fn close(&mut self, keep_assignment: bool) -> LogResult<()> {
        if !keep_assignment {
            self.fetching()?.consumer().unsubscribe();
            return Ok(());
        }
        self.go();
        Ok(())
    }
}

impl KafkaGroupConsumer {
    /// Closes the client. A static member's place is kept for its session.
    fn go(&mut self) {
        let Some(mut fetching) = self.fetching.take() else { return };
        let announcements = fetching.consumer().context();
        announcements.closing.store(true, Ordering::Release);
        // The client waits for the answers it has not had.
        let mut unanswered: Vec<Vec<TopicPartition>> = self.revocation.take().map(|r| r.all).into_iter().collect();
        for rebalance in announcements.rebalances.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            match rebalance {
                Rebalance::Assigned(_) => unanswered.push(Vec::new()),
                Rebalance::Revoked(list) => unanswered.push(partitions_of(&list)),
            }
        }
        for partitions in unanswered {
            if let Err(error) = fetching.let_go(&partitions) {
                tracing::debug!(%error, "The assignment was gone before it could be let go.");
            }
        }
        let_go("group-member", fetching, LEAVE_PATIENCE);
    }
}

impl Drop for KafkaGroupConsumer {
    fn drop(&mut self) {
        self.go();
    }
}

fn committed_in(list: &TopicPartitionList, partition: &TopicPartition) -> Option<Offset> {
    match list.find_partition(&partition.topic, partition.partition)?.offset() {
        ClientOffset::Offset(offset) => Some(offset),
        _ => None,
    }
}

/// The meaning of a failed commit of positions: a member that the group has left behind must go back to what is committed.
fn commit_error(attempt: &str, code: RDKafkaErrorCode) -> LogError {
    let mut error = error_of(attempt, code);
    if error.kind == LogErrorKind::NotMember || code == RDKafkaErrorCode::RebalanceInProgress {
        error.kind = LogErrorKind::MustAbort;
    }
    error
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::RDKafkaApiKey as ApiKey;

    use super::super::{GroupProtocol, KafkaLog, KafkaSettings};
    use super::*;

    /// Longer than the three seconds for which that broker's groups wait for more members.
    const SESSION: Duration = Duration::from_secs(4);
    const PATIENCE: Duration = Duration::from_secs(30);

    impl KafkaGroupConsumer {
        fn client(&self) -> Arc<Announcements> {
            let fetching = self.fetching.as_ref().expect("the member has a client");
            Arc::clone(fetching.consumer().context())
        }

        /// Polls until `is_so` of what comes and of the client.
        fn polled_until(&mut self, is_so: impl Fn(&[ConsumerEvent], &Arc<Announcements>) -> bool) -> bool {
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline {
                let events = self.poll(1, Duration::from_millis(50)).expect("the member polls");
                if is_so(&events, &self.client()) {
                    return true;
                }
            }
            false
        }
    }

    fn has_partitions(events: &[ConsumerEvent]) -> bool {
        events.iter().any(|event| matches!(event, ConsumerEvent::Assigned(_)))
    }

    /// A real broker cannot be told to turn one client away again and again; the client library's own one can.
    #[test]
    fn a_client_that_stays_out_of_its_group_is_replaced() {
        let broker = MockCluster::new(1).expect("a broker is made");
        broker.create_topic("letters", 1, 1).expect("a topic is made");
        let log = KafkaLog::connect(KafkaSettings {
            bootstrap_servers: broker.bootstrap_servers(),
            client: [].into(),
            protocol: GroupProtocol::Classic,
        })
        .expect("the broker is reached");
        let settings = GroupSettings {
            group: "post".to_owned(),
            instance: "post-a-0".to_owned(),
            topics: vec!["letters".into()],
            session_timeout: SESSION,
            fetch_ahead_bytes: 1 << 20,
        };
        let mut member = KafkaGroupConsumer::join(log.cluster, settings).expect("the member joins");
        assert!(member.polled_until(|events, _| has_partitions(events)), "no partition came");

        let first = member.client();
        broker.request_errors(ApiKey::JoinGroup, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE; 1_000]);
        broker.request_errors(ApiKey::Heartbeat, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID]);
        assert!(member.polled_until(|_, now| !Arc::ptr_eq(&first, now)), "the client was kept");

        broker.clear_request_errors(ApiKey::JoinGroup);
        assert!(member.polled_until(|events, _| has_partitions(events)), "the new client did not come into the group");
    }
}
