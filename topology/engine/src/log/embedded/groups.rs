//! Consumer groups: static members, sessions, generations, the range assignor, and partitions that change hands in two
//! steps, released by the old owner before the new one is given them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;

use super::super::{
    ConsumerEvent, GroupSettings, LogError, LogErrorKind, LogResult, Membership, Offset, TopicPartition,
};
use super::broker::{Broker, NEVER};
use super::partition::TransactionNumber;

/// A group with its members and committed positions.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Rises with every change of members or topics.
    generation: i32,
    /// By instance name, which is also the order of the assignor.
    members: BTreeMap<String, Member>,
    /// Who holds a partition now, by instance. Target and owner differ while a partition changes hands.
    owners: BTreeMap<TopicPartition, String>,
    /// Everything the group has ever subscribed to.
    pub(super) topics: BTreeSet<Arc<str>>,
    pub(super) committed: BTreeMap<TopicPartition, Offset>,
    /// Positions of transactions whose offsets marker is not yet written.
    pub(super) pending_offsets: BTreeMap<TransactionNumber, BTreeMap<TopicPartition, Offset>>,
}

#[derive(Debug)]
struct Member {
    id: String,
    topics: Vec<Arc<str>>,
    session_timeout_ms: i64,
    last_seen_ms: i64,
    /// Inside a poll, which is a sign of life for as long as it lasts.
    is_polling: bool,
    /// The generation it works in: that of its last poll without an unanswered revocation.
    generation: i32,
    target: BTreeSet<TopicPartition>,
    /// What it was told to have.
    given: BTreeSet<TopicPartition>,
    /// Of those, what it was told to give back and has not yet.
    revoking: BTreeSet<TopicPartition>,
    is_leaving: bool,
}

/// What a member's poll meets.
#[derive(Debug)]
pub(super) enum Standing {
    /// A member in this generation, with these news.
    Member { generation: i32, news: Vec<ConsumerEvent> },
    /// Its session ended and its partitions are free or another's.
    Expired,
    /// Another member has come with the same instance name.
    Fenced,
}

impl Broker {
    /// Joins a group; answers the new member's id. A member of the same instance name is fenced, and what it held stays
    /// reserved for the new one.
    pub(super) fn join_group(&mut self, settings: &GroupSettings, now_ms: i64) -> String {
        self.members_made += 1;
        let id = format!("{}-{}", settings.instance, self.members_made);
        let session_timeout_ms = i64::try_from(settings.session_timeout.as_millis()).unwrap_or(NEVER);
        self.group_of_member.insert(id.clone(), settings.group.clone());
        let group = self.groups.entry(settings.group.clone()).or_default();
        group.topics.extend(settings.topics.iter().cloned());
        let mut member = Member {
            id: id.clone(),
            topics: settings.topics.clone(),
            session_timeout_ms,
            last_seen_ms: now_ms,
            is_polling: false,
            generation: group.generation,
            target: BTreeSet::new(),
            given: BTreeSet::new(),
            revoking: BTreeSet::new(),
            is_leaving: false,
        };
        let older = group.members.remove(&settings.instance);
        let is_restart = older.as_ref().is_some_and(|older| older.topics == settings.topics && !older.is_leaving);
        if let Some(older) = older {
            self.group_of_member.remove(&older.id);
            if is_restart {
                group.owners.retain(|partition, owner| *owner != settings.instance || older.target.contains(partition));
                member.target = older.target;
            } else {
                group.owners.retain(|_, owner| *owner != settings.instance);
            }
        }
        group.members.insert(settings.instance.clone(), member);
        self.falls_due(now_ms.saturating_add(session_timeout_ms));
        if !is_restart {
            self.rebalance(&settings.group);
        }
        self.wake_all();
        id
    }

    /// A member's sign of life: what it must give back, and what it is given.
    pub(super) fn poll_group(&mut self, group_name: &str, instance: &str, member_id: &str, now_ms: i64) -> Standing {
        let Some(group) = self.groups.get_mut(group_name) else { return Standing::Expired };
        let Some(member) = group.members.get_mut(instance) else { return Standing::Expired };
        if member.id != member_id {
            return Standing::Fenced;
        }
        member.last_seen_ms = now_ms;
        let mut news = Vec::new();
        let revoked = member.given.iter().filter(|given| !member.target.contains(*given));
        let newly_revoked: Vec<_> = revoked.filter(|revoked| !member.revoking.contains(*revoked)).cloned().collect();
        if !newly_revoked.is_empty() {
            member.revoking.extend(newly_revoked.iter().cloned());
            news.push(ConsumerEvent::Revoked { partitions: newly_revoked, lost: false });
        }
        let mut newly_given = Vec::new();
        for partition in &member.target {
            let is_free = group.owners.get(partition).is_none_or(|owner| owner == instance);
            if is_free && !member.given.contains(partition) {
                newly_given.push(partition.clone());
            }
        }
        if !newly_given.is_empty() {
            for partition in &newly_given {
                group.owners.insert(partition.clone(), instance.to_owned());
            }
            member.given.extend(newly_given.iter().cloned());
            news.push(ConsumerEvent::Assigned(newly_given));
        }
        if member.revoking.is_empty() {
            member.generation = group.generation;
        }
        Standing::Member { generation: member.generation, news }
    }

    /// A member inside a poll does not expire however long it waits there.
    pub(super) fn set_polling(&mut self, member_id: &str, is_polling: bool, now_ms: i64) {
        let Some(member) = self.member_mut(member_id) else { return };
        member.is_polling = is_polling;
        member.last_seen_ms = now_ms;
        let due_ms = member.deadline_ms();
        self.falls_due(due_ms);
    }

    /// A sign of life outside a poll.
    pub(super) fn touch_member(&mut self, member_id: &str, now_ms: i64) {
        if let Some(member) = self.member_mut(member_id) {
            member.last_seen_ms = now_ms;
        }
    }

    /// Gives partitions back; a leaving member that holds nothing more is gone.
    pub(super) fn release(&mut self, member_id: &str, partitions: &[TopicPartition]) {
        let Some(group_name) = self.group_of_member.get(member_id).cloned() else { return };
        let Some(group) = self.groups.get_mut(&group_name) else { return };
        for (instance, member) in &mut group.members {
            if member.id != member_id {
                continue;
            }
            for partition in partitions {
                member.revoking.remove(partition);
                if member.given.remove(partition) && group.owners.get(partition) == Some(instance) {
                    group.owners.remove(partition);
                }
            }
        }
        self.remove_if_gone(&group_name, member_id);
        self.wake_all();
    }

    /// Starts leaving: the member's target is empty from now on.
    pub(super) fn leave_group(&mut self, member_id: &str) {
        let Some(group_name) = self.group_of_member.get(member_id).cloned() else { return };
        let Some(member) = self.member_mut(member_id) else { return };
        member.is_leaving = true;
        self.rebalance(&group_name);
        self.remove_if_gone(&group_name, member_id);
    }

    /// Commits a member's positions outside transactions; refused when the membership is not the member's present one.
    pub(super) fn commit_positions(
        &mut self,
        membership: &Membership,
        positions: &[(TopicPartition, Offset)],
    ) -> LogResult<()> {
        if positions.is_empty() {
            let message = "commit was given no positions, which says nothing: commit every task's position";
            return Err(LogError::new(LogErrorKind::Fatal, message));
        }
        let group_name = self.check_membership(membership)?;
        self.groups.entry(group_name).or_default().committed.extend(positions.iter().cloned());
        Ok(())
    }

    /// The group of a member whose membership is as it says; an error that asks for an abort otherwise.
    pub(super) fn check_membership(&self, membership: &Membership) -> LogResult<String> {
        let stale = |what: String| Err(LogError::new(LogErrorKind::MustAbort, what));
        let known = self.group_of_member.get(&membership.member).and_then(|name| Some((name, self.groups.get(name)?)));
        let Some((group_name, group)) = known else {
            return stale("the group does not know this member any more: abort, then poll to join again".to_owned());
        };
        let member = group.members.values().find(|member| member.id == membership.member);
        match member {
            Some(member) if member.generation == membership.generation => Ok(group_name.clone()),
            Some(member) => stale(format!(
                "group {group_name} is at generation {} for this member, the offsets were sent with {}: abort",
                member.generation, membership.generation
            )),
            None => stale(format!("group {group_name} does not know this member any more: abort, then poll")),
        }
    }

    /// Removes silent members.
    pub(super) fn end_expired_sessions(&mut self, now_ms: i64) {
        let mut shrunk = Vec::new();
        for (name, group) in &mut self.groups {
            let Group { members, owners, .. } = group;
            let before = members.len();
            members.retain(|instance, member| {
                let alive = member.deadline_ms() > now_ms;
                if !alive {
                    owners.retain(|_, owner| owner != instance);
                    self.group_of_member.remove(&member.id);
                }
                alive
            });
            if members.len() < before {
                shrunk.push(name.clone());
            }
        }
        for name in shrunk {
            self.rebalance(&name);
        }
    }

    /// When the next session ends if its member stays silent.
    pub(super) fn next_deadline_of_sessions(&self) -> i64 {
        let members = self.groups.values().flat_map(|group| group.members.values());
        members.map(Member::deadline_ms).min().unwrap_or(NEVER)
    }

    /// A topic has appeared.
    pub(super) fn rebalance_subscribers_of(&mut self, topic: &Arc<str>) {
        let concerned = self.groups.iter().filter(|(_, group)| group.topics.contains(topic));
        let names: Vec<String> = concerned.map(|(name, _)| name.clone()).collect();
        for name in names {
            self.rebalance(&name);
        }
    }

    fn remove_if_gone(&mut self, group_name: &str, member_id: &str) {
        let Some(group) = self.groups.get_mut(group_name) else { return };
        let gone = |member: &Member| member.id == member_id && member.is_leaving && member.given.is_empty();
        let before = group.members.len();
        group.members.retain(|instance, member| {
            let is_gone = gone(member);
            if is_gone {
                // A restarted member may leave before it was told of what is reserved for it.
                group.owners.retain(|_, owner| owner != instance);
            }
            !is_gone
        });
        if group.members.len() < before {
            self.group_of_member.remove(member_id);
            self.wake_all();
        }
    }

    fn member_mut(&mut self, member_id: &str) -> Option<&mut Member> {
        let group = self.groups.get_mut(self.group_of_member.get(member_id)?)?;
        group.members.values_mut().find(|member| member.id == member_id)
    }

    /// A new generation with new targets. Nothing changes hands before the members poll.
    fn rebalance(&mut self, group_name: &str) {
        let Some(group) = self.groups.get(group_name) else { return };
        let mut targets: HashMap<String, BTreeSet<TopicPartition>> = HashMap::new();
        for topic in &group.topics {
            let subscribes = |member: &Member| !member.is_leaving && member.topics.contains(topic);
            let subscribers = group.members.iter().filter(|(_, member)| subscribes(member));
            let instances: Vec<&String> = subscribers.map(|(instance, _)| instance).collect();
            for (instance, partitions) in range_assignment(&instances, self.partition_count(topic)) {
                let named = partitions.map(|partition| TopicPartition::new(Arc::clone(topic), partition));
                targets.entry(instance.clone()).or_default().extend(named);
            }
        }
        if let Some(group) = self.groups.get_mut(group_name) {
            group.generation += 1;
            for (instance, member) in &mut group.members {
                member.target = targets.remove(instance).unwrap_or_default();
            }
        }
        self.wake_all();
    }
}

impl Group {
    /// The offsets marker of a transaction.
    pub(super) fn end_pending_offsets(&mut self, number: TransactionNumber, commit: bool) {
        let offsets = self.pending_offsets.remove(&number).unwrap_or_default();
        if commit {
            self.committed.extend(offsets);
        }
    }

    /// Whether a transaction without its offsets marker holds a new position of this partition.
    pub(super) fn is_unstable(&self, partition: &TopicPartition) -> bool {
        self.pending_offsets.values().any(|offsets| offsets.contains_key(partition))
    }
}

impl Member {
    fn deadline_ms(&self) -> i64 {
        if self.is_polling { NEVER } else { self.last_seen_ms.saturating_add(self.session_timeout_ms) }
    }
}

/// Neighbouring partitions to each member in the order of names, one more to the first ones when they do not divide:
/// topics with the same number of partitions fall out alike, which is what keeps co-partitioned topics together.
fn range_assignment<'a>(instances: &[&'a String], partitions: i32) -> Vec<(&'a String, std::ops::Range<i32>)> {
    let count = i32::try_from(instances.len()).unwrap_or(i32::MAX);
    if count == 0 {
        return Vec::new();
    }
    let (each, one_more) = (partitions / count, partitions % count);
    let mut assignment = Vec::new();
    let mut next = 0;
    for (place, instance) in (0..count).zip(instances) {
        let size = each + i32::from(place < one_more);
        assignment.push((*instance, next..next + size));
        next += size;
    }
    assignment
}
