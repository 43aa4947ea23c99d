//! A member of a consumer group.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::{
    ConsumerEvent, GroupConsumer, GroupSettings, Isolation, LogError, LogErrorKind, LogRecord, LogResult, Membership,
    MembershipToken, Offset, TopicPartition,
};
use super::broker::{Broker, Shared, Slot};
use super::faults::Call;
use super::groups::Standing;
use super::process::Process;

pub(super) struct EmbeddedConsumer {
    shared: Arc<Shared>,
    process: Process,
    reading: GroupReading,
}

/// The client's side of a membership: what it was given and where it reads.
struct GroupReading {
    settings: GroupSettings,
    standing: ClientStanding,
    given: BTreeMap<TopicPartition, Fetch>,
    /// Every poll starts with another partition, so that none starves behind a long one.
    polls: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ClientStanding {
    NotJoined,
    Joined { member: String, generation: i32, leaving: bool },
    Closed,
}

#[derive(Debug, Clone, Copy)]
struct Fetch {
    slot: Slot,
    /// `None` until asked to read, and once held, revoked or out of range.
    position: Option<Offset>,
}

impl EmbeddedConsumer {
    pub(super) fn new(shared: Arc<Shared>, process: Process, settings: GroupSettings) -> LogResult<Self> {
        if settings.instance.is_empty() || settings.group.is_empty() {
            let message = "a group consumer needs the name of a group and of an instance: set both";
            return Err(LogError::new(LogErrorKind::Fatal, message));
        }
        let reading = GroupReading { settings, standing: ClientStanding::NotJoined, given: BTreeMap::new(), polls: 0 };
        Ok(Self { shared, process, reading })
    }

    fn poll_now(&mut self, max_records: usize, timeout: Duration) -> LogResult<Vec<ConsumerEvent>> {
        let limit = self.process.poll_limit(max_records);
        self.reading.polls += 1;
        let (process, reading) = (&self.process, &mut self.reading);
        let outcome = self.shared.wait(timeout, false, |broker, now_ms| {
            if let Err(crashed) = process.check_alive() {
                return Some(Err(crashed));
            }
            match reading.poll(broker, limit, now_ms) {
                Ok(events) if events.is_empty() && reading.standing != ClientStanding::Closed => None,
                outcome => Some(outcome),
            }
        });
        self.shared.with(|broker, now_ms| self.reading.set_polling(broker, false, now_ms));
        outcome.unwrap_or_else(|| Ok(Vec::new()))
    }

    fn committed_now(&self, partitions: &[TopicPartition], timeout: Duration) -> LogResult<Vec<Option<Offset>>> {
        let stable = self.shared.wait(timeout, false, |broker, now_ms| {
            if let Err(crashed) = self.process.check_alive() {
                return Some(Err(crashed));
            }
            self.reading.show_life(broker, now_ms);
            let Some(group) = broker.groups.get(&self.reading.settings.group) else {
                return Some(Ok(vec![None; partitions.len()]));
            };
            if partitions.iter().any(|partition| group.is_unstable(partition)) {
                return None;
            }
            Some(Ok(partitions.iter().map(|partition| group.committed.get(partition).copied()).collect()))
        });
        stable.unwrap_or_else(|| {
            let group = &self.reading.settings.group;
            let message = format!("positions of group {group} are held by a transaction that is not finished: repeat");
            Err(LogError::new(LogErrorKind::Retriable, message))
        })
    }
}

impl GroupConsumer for EmbeddedConsumer {
    fn poll(&mut self, max_records: usize, timeout: Duration) -> LogResult<Vec<ConsumerEvent>> {
        let process = self.process.clone();
        process.call(Call::ConsumerPoll, || self.poll_now(max_records, timeout))
    }

    fn fetch_from(&mut self, positions: &[(TopicPartition, Offset)]) -> LogResult<()> {
        let reading = &mut self.reading;
        self.process.call(Call::FetchFrom, || reading.fetch_from(positions))
    }

    fn hold(&mut self, partitions: &[TopicPartition]) -> LogResult<()> {
        let reading = &mut self.reading;
        self.process.call(Call::Hold, || {
            reading.hold(partitions);
            Ok(())
        })
    }

    fn committed(&mut self, partitions: &[TopicPartition], timeout: Duration) -> LogResult<Vec<Option<Offset>>> {
        self.process.call(Call::Committed, || self.committed_now(partitions, timeout))
    }

    fn earliest(&mut self, partition: &TopicPartition, _timeout: Duration) -> LogResult<Offset> {
        self.process.call(Call::Earliest, || {
            self.shared.with(|broker, now_ms| {
                self.reading.show_life(broker, now_ms);
                let slot = broker.slot(&partition.topic, partition.partition)?;
                Ok(broker.partition(slot).log_start())
            })
        })
    }

    fn release(&mut self, partitions: &[TopicPartition]) -> LogResult<()> {
        let reading = &mut self.reading;
        self.process.call(Call::Release, || {
            self.shared.with(|broker, now_ms| reading.release(broker, partitions, now_ms));
            Ok(())
        })
    }

    fn membership(&mut self) -> LogResult<Membership> {
        self.process.call(Call::Membership, || self.reading.membership())
    }

    fn commit(&mut self, positions: &[(TopicPartition, Offset)]) -> LogResult<()> {
        self.process.call(Call::CommitPositions, || {
            let membership = self.reading.membership()?;
            self.shared.with(|broker, now_ms| {
                self.reading.show_life(broker, now_ms);
                broker.commit_positions(&membership, positions)
            })
        })
    }

    fn close(&mut self, keep_assignment: bool) -> LogResult<()> {
        let reading = &mut self.reading;
        self.process.call(Call::CloseConsumer, || {
            self.shared.with(|broker, now_ms| reading.close(broker, keep_assignment, now_ms));
            Ok(())
        })
    }
}

impl GroupReading {
    fn poll(&mut self, broker: &mut Broker, limit: usize, now_ms: i64) -> LogResult<Vec<ConsumerEvent>> {
        let (member, leaving) = match &self.standing {
            ClientStanding::Closed => return Ok(Vec::new()),
            ClientStanding::Joined { member, leaving, .. } => (member.clone(), *leaving),
            ClientStanding::NotJoined => (broker.join_group(&self.settings, now_ms), false),
        };
        let standing = broker.poll_group(&self.settings.group, &self.settings.instance, &member, now_ms);
        let (generation, news) = match standing {
            Standing::Member { generation, news } => (generation, news),
            Standing::Expired => return Ok(self.lose_everything(leaving)),
            Standing::Fenced => {
                let (instance, group) = (&self.settings.instance, &self.settings.group);
                let message = format!(
                    "another member has joined group {group} as {instance}: give every worker a name of its own"
                );
                return Err(LogError::new(LogErrorKind::Fatal, message));
            }
        };
        self.standing = ClientStanding::Joined { member, generation, leaving };
        self.take_in(broker, &news);
        let mut events = news;
        self.fetch(broker, limit, &mut events);
        self.set_polling(broker, events.is_empty(), now_ms);
        Ok(events)
    }

    /// The session ended while nobody polled. The next poll joins anew, unless this one was leaving anyway.
    fn lose_everything(&mut self, leaving: bool) -> Vec<ConsumerEvent> {
        self.standing = if leaving { ClientStanding::Closed } else { ClientStanding::NotJoined };
        let partitions: Vec<_> = std::mem::take(&mut self.given).into_keys().collect();
        if partitions.is_empty() {
            return Vec::new();
        }
        vec![ConsumerEvent::Revoked { partitions, lost: true }]
    }

    fn take_in(&mut self, broker: &Broker, news: &[ConsumerEvent]) {
        for event in news {
            match event {
                ConsumerEvent::Assigned(partitions) => {
                    for partition in partitions {
                        if let Ok(slot) = broker.slot(&partition.topic, partition.partition) {
                            self.given.insert(partition.clone(), Fetch { slot, position: None });
                        }
                    }
                }
                ConsumerEvent::Revoked { partitions, .. } => {
                    for partition in partitions {
                        if let Some(fetch) = self.given.get_mut(partition) {
                            fetch.position = None;
                        }
                    }
                }
                ConsumerEvent::Records { .. } | ConsumerEvent::OutOfRange(_) => {}
            }
        }
    }

    fn fetch(&mut self, broker: &Broker, limit: usize, events: &mut Vec<ConsumerEvent>) {
        let count = self.given.len();
        let first = if count == 0 { 0 } else { self.polls % count };
        let mut left = limit;
        let mut fetches: Vec<_> = self.given.iter_mut().collect();
        fetches.rotate_left(first);
        for (name, fetch) in fetches {
            if left == 0 {
                return;
            }
            let Some(position) = fetch.position else { continue };
            let mut records: Vec<LogRecord> = Vec::new();
            let partition = broker.partition(fetch.slot);
            let Ok(next) = partition.read(position, left, Isolation::ReadCommitted, &mut records) else {
                fetch.position = None;
                events.push(ConsumerEvent::OutOfRange(name.clone()));
                continue;
            };
            fetch.position = Some(next);
            if !records.is_empty() {
                left -= records.len();
                events.push(ConsumerEvent::Records { from: name.clone(), records });
            }
        }
    }

    fn fetch_from(&mut self, positions: &[(TopicPartition, Offset)]) -> LogResult<()> {
        for (partition, offset) in positions {
            let Some(fetch) = self.given.get_mut(partition) else {
                let message =
                    format!("{partition} is not assigned to this member: it cannot be read through the group");
                return Err(LogError::new(LogErrorKind::NotMember, message));
            };
            fetch.position = Some(*offset);
        }
        Ok(())
    }

    fn hold(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            if let Some(fetch) = self.given.get_mut(partition) {
                fetch.position = None;
            }
        }
    }

    fn release(&mut self, broker: &mut Broker, partitions: &[TopicPartition], now_ms: i64) {
        for partition in partitions {
            self.given.remove(partition);
        }
        self.show_life(broker, now_ms);
        if let ClientStanding::Joined { member, .. } = &self.standing {
            broker.release(member, partitions);
        }
        self.notice_departure(broker);
    }

    /// As of the last poll: a member that was silent too long learns of it when it uses this.
    fn membership(&self) -> LogResult<Membership> {
        let ClientStanding::Joined { member, generation, .. } = &self.standing else {
            let group = &self.settings.group;
            let message = format!("this consumer is not a member of group {group} now: poll until it is");
            return Err(LogError::new(LogErrorKind::NotMember, message));
        };
        Ok(Membership { generation: *generation, member: member.clone(), token: MembershipToken::Embedded })
    }

    fn close(&mut self, broker: &mut Broker, keep_assignment: bool, now_ms: i64) {
        let ClientStanding::Joined { member, generation, .. } = self.standing.clone() else {
            self.standing = ClientStanding::Closed;
            return;
        };
        broker.touch_member(&member, now_ms);
        if keep_assignment {
            self.standing = ClientStanding::Closed;
            self.given.clear();
            return;
        }
        broker.leave_group(&member);
        self.standing = ClientStanding::Joined { member, generation, leaving: true };
        self.notice_departure(broker);
    }

    fn notice_departure(&mut self, broker: &Broker) {
        if let ClientStanding::Joined { member, leaving: true, .. } = &self.standing
            && !broker.group_of_member.contains_key(member)
        {
            self.standing = ClientStanding::Closed;
        }
    }

    fn show_life(&self, broker: &mut Broker, now_ms: i64) {
        if let ClientStanding::Joined { member, .. } = &self.standing {
            broker.touch_member(member, now_ms);
        }
    }

    fn set_polling(&self, broker: &mut Broker, is_polling: bool, now_ms: i64) {
        if let ClientStanding::Joined { member, .. } = &self.standing {
            broker.set_polling(member, is_polling, now_ms);
        }
    }
}
