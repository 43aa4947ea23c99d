//! Differences and decisions on their topics: what was found is published, what is not found any more is taken back.

use concord_engine::lineage::Because;
use concord_engine::{Context, ProcessError};
use concord_schemas::list_reconciliation::{Decision, Difference, JobRecord, PdsRecord, StandingFinding};

use super::Comparison;
use super::cause::Cause;
use super::evaluation::Evaluation;
use crate::list_reconciliation::business::Decided;
use crate::list_reconciliation::catalogue::{RuleSet, entry};
use crate::list_reconciliation::compare::GUIDANCE;
use crate::list_reconciliation::ids;

/// Whom a finding is about, and why it is published now.
pub(super) struct Subject<'a> {
    pub practice: &'a str,
    pub nhs_number: &'a str,
    /// The job whose list it stands on.
    pub job_id: &'a str,
    /// Of the PDS record; empty without one.
    pub pds_version: &'a str,
    pub cause: Cause,
    /// When the cause came.
    pub at_ms: i64,
}

impl Comparison {
    /// Publishes what was found of a person, takes back what else had stood, and answers what stands now.
    pub(super) fn publish(
        &self,
        ctx: &mut Context<'_>,
        subject: &Subject<'_>,
        found: &Evaluation,
        former: &[StandingFinding<'_>],
    ) -> Result<Vec<StandingFinding<'static>>, ProcessError> {
        // Without standing lists nothing would ever take a registration difference back.
        let apart = found.apart.filter(|_| self.handles.standing.is_some());
        let differences = found.differences.iter().map(|rule| rule.id);
        let mut stands = Vec::with_capacity(apart.iter().len() + found.differences.len() + found.decided.len());
        for rule_id in apart.into_iter().chain(differences) {
            let finding = dated(rule_id, subject.at_ms, former);
            self.send_difference(ctx, subject, found, &finding)?;
            stands.push(finding);
        }
        for decided in &found.decided {
            let finding = dated(decided.rule_id, subject.at_ms, former);
            self.send_decision(ctx, subject, decided, &finding)?;
            stands.push(finding);
        }
        for gone in former.iter().filter(|former| !stands.iter().any(|finding| finding.rule_id == former.rule_id)) {
            self.take_back(ctx, subject, gone.rule_id)?;
        }
        Ok(stands)
    }

    fn send_difference(
        &self,
        ctx: &mut Context<'_>,
        subject: &Subject<'_>,
        found: &Evaluation,
        finding: &StandingFinding<'_>,
    ) -> Result<(), ProcessError> {
        let difference = Difference {
            practice: subject.practice,
            nhs_number: subject.nhs_number,
            rule_id: finding.rule_id,
            guidance: GUIDANCE,
            job_id: subject.job_id,
            pds_version: subject.pds_version,
            status: found.status.as_str(),
            first_seen_ms: finding.first_seen_ms,
            last_confirmed_ms: finding.last_confirmed_ms,
            cause: subject.cause.as_str(),
        };
        let key = ids::difference_key(subject.practice, subject.nhs_number, finding.rule_id);
        ctx.send_because(self.handles.differences, &key, &difference, &subject.because(finding.rule_id))
    }

    fn send_decision(
        &self,
        ctx: &mut Context<'_>,
        subject: &Subject<'_>,
        decided: &Decided,
        finding: &StandingFinding<'_>,
    ) -> Result<(), ProcessError> {
        let decision = Decision {
            practice: subject.practice,
            nhs_number: subject.nhs_number,
            rule_id: decided.rule_id,
            decision: decided.decision.as_str(),
            item: decided.item.as_str(),
            guidance: entry(decided.rule_id).map_or("", |entry| entry.guidance),
            job_id: subject.job_id,
            pds_version: subject.pds_version,
            first_seen_ms: finding.first_seen_ms,
            last_confirmed_ms: finding.last_confirmed_ms,
            cause: subject.cause.as_str(),
        };
        let key = ids::difference_key(subject.practice, subject.nhs_number, decided.rule_id);
        ctx.send_because(self.handles.decisions, &key, &decision, &subject.because(decided.rule_id))
    }

    fn take_back(&self, ctx: &mut Context<'_>, subject: &Subject<'_>, rule_id: &str) -> Result<(), ProcessError> {
        let key = ids::difference_key(subject.practice, subject.nhs_number, rule_id);
        let because = subject.because(rule_id);
        if entry(rule_id).is_some_and(|entry| entry.set == RuleSet::Business) {
            return ctx.send_tombstone_because(self.handles.decisions, &key, &because);
        }
        ctx.send_tombstone_because(self.handles.differences, &key, &because)
    }
}

impl<'a> Subject<'a> {
    /// The person of a record of a list.
    pub fn of_record(job: &JobRecord<'a>, nhs_number: &'a str, pds: Option<&PdsRecord<'a>>) -> Self {
        Self {
            practice: job.practice,
            nhs_number,
            job_id: job.job_id,
            pds_version: pds.map_or("", |pds| pds.version),
            cause: Cause::List,
            at_ms: job.at_ms,
        }
    }

    fn because<'r>(&self, rule_id: &'r str) -> Because<'r> {
        Because { rule: Some(rule_id), cause: Some(self.cause.as_str()) }
    }
}

/// A finding that had stood before keeps the day on which it was first seen. The clocks of lists and of PDS may differ, so a
/// later cause may carry an earlier time; a finding does not grow younger by that.
fn dated(rule_id: &'static str, at_ms: i64, former: &[StandingFinding<'_>]) -> StandingFinding<'static> {
    match former.iter().find(|former| former.rule_id == rule_id) {
        Some(former) => StandingFinding {
            rule_id,
            first_seen_ms: former.first_seen_ms,
            last_confirmed_ms: former.last_confirmed_ms.max(at_ms),
        },
        None => StandingFinding { rule_id, first_seen_ms: at_ms, last_confirmed_ms: at_ms },
    }
}
