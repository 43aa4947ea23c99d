//! What became of the files and mails of a job once they had left, and whether that makes the job complete.

use std::collections::BTreeMap;

use bytes::Bytes;
use concord_engine::{Context, ProcessError, Rejection, TimerClock};
use concord_schemas::list_reconciliation::Delivery;

use super::progress::{Progress, SentFiles};
use super::writing::{VALIDATION, WORK_ITEMS};
use super::{Report, TELL, Telling, timer_key};
use crate::list_reconciliation::outputs::DPS_EXTRACT;
use crate::list_reconciliation::settings::Delivered;
use crate::list_reconciliation::{JobStatus, codes, ids};

/// Deliveries are counted as they come, and shown together after this long: a job can have thousands.
const TOLD_AFTER_MS: i64 = 5_000;

const SENT: &str = "SENT";
const DELIVERED: &str = "DELIVERED";
const REFUSED: &str = "REFUSED";
const UNDELIVERABLE: &str = "UNDELIVERABLE";

/// The ways that one file has gone, and how far it has come on each.
type Ways = BTreeMap<String, String>;

impl Telling {
    fn waits_for(&self, what: Delivered) -> bool {
        self.delivered.contains(&what)
    }

    fn expected_lists(&self, progress: &Progress) -> i64 {
        let lists = progress.files.iter().filter(|name| *name != VALIDATION).count();
        if self.waits_for(Delivered::Lists) { lists as i64 } else { 0 }
    }

    fn expected_work_items(&self, progress: &Progress) -> i64 {
        if self.waits_for(Delivered::WorkItems) { progress.counts.work_items } else { 0 }
    }

    /// Files that must be sent before the job is complete.
    pub(super) fn expected_files(&self, progress: &Progress) -> i64 {
        self.expected_lists(progress) + self.expected_work_items(progress)
    }

    fn every_file_is_sent(&self, progress: &Progress) -> bool {
        progress.sent.lists >= self.expected_lists(progress)
            && progress.sent.work_items >= self.expected_work_items(progress)
    }
}

impl Report {
    pub fn on_delivery(&mut self, ctx: &mut Context<'_>, delivery: Delivery<'_>) -> Result<(), ProcessError> {
        let job_id = delivery.job_id;
        if ctx.key()? != job_id {
            let message = "the delivery's job id is not its key: correct the connector that published it";
            return Err(Rejection::by_processor(codes::DELIVERY_KEY_DIFFERS, message).into());
        }
        let Some(mut progress) = self.known(ctx, job_id)? else {
            ctx.count_filtered("delivery of a job that is not known");
            return Ok(());
        };
        if !matches!(delivery.state, SENT | DELIVERED | REFUSED | UNDELIVERABLE) {
            ctx.count_filtered("delivery in a state that is not known");
            return Ok(());
        }
        let is_of_mail = progress.mails.iter().any(|mail| mail.mail_id == delivery.name);
        // A list is named when its first piece is written, so before any connector has it.
        let is_of_file = delivery.name.starts_with(WORK_ITEMS)
            || delivery.name.starts_with(DPS_EXTRACT)
            || progress.files.iter().any(|name| name == delivery.name);
        if !is_of_mail && !is_of_file {
            ctx.count_filtered("delivery of what the job has not");
            return Ok(());
        }
        let counted_before = progress.sent;
        let of_mail = progress.mails.iter_mut().find(|mail| mail.mail_id == delivery.name);
        let is_news = match of_mail {
            Some(mail) => moved_on(&mut mail.state, delivery.state),
            None => self.count_file(ctx, &delivery, &mut progress.sent)?,
        };
        if !is_news {
            ctx.count_filtered("delivery already known");
            return Ok(());
        }
        let is_bad = matches!(delivery.state, REFUSED | UNDELIVERABLE);
        // One is told by name; how many there are, the counts say.
        let is_first = progress.sent.refused <= 1;
        if is_bad && is_first {
            let what = shown_name(delivery.name);
            progress.note(ctx, format!("{what} {}: {}", delivery.state.to_lowercase(), delivery.detail));
        }
        let before = progress.history.len();
        self.complete(ctx, job_id, &mut progress)?;
        if progress.history.len() != before || (is_bad && is_first) {
            self.publish(ctx, job_id, &progress)?;
        } else if is_of_mail || progress.sent != counted_before {
            let due = ctx.wall_clock_ms() + TOLD_AFTER_MS;
            ctx.set_timer(TimerClock::WallClock, &timer_key(TELL, job_id), due, Bytes::new())?;
        }
        self.keep(ctx, job_id, &progress)
    }

    /// Counts what is new of a file; answers whether anything is.
    fn count_file(
        &self,
        ctx: &mut Context<'_>,
        delivery: &Delivery<'_>,
        sent: &mut SentFiles,
    ) -> Result<bool, ProcessError> {
        let key = format!("{}/{}", delivery.job_id, delivery.name);
        let mut ways: Ways = match ctx.get(self.handles.ways, key.as_bytes())? {
            Some(bytes) => ids::progress_from_bytes(&bytes)?,
            None => Ways::default(),
        };
        let before = counted(&ways);
        let state = ways.entry(delivery.route.to_string()).or_default();
        if !moved_on(state, delivery.state) {
            return Ok(false);
        }
        let now = counted(&ways);
        ctx.put_bytes(self.handles.ways, key.as_bytes(), ids::progress_to_bytes(&ways))?;
        let of_kind = if delivery.name.starts_with(WORK_ITEMS) {
            &mut sent.work_items
        } else if delivery.name == VALIDATION || delivery.name.starts_with(DPS_EXTRACT) {
            &mut sent.others
        } else {
            &mut sent.lists
        };
        *of_kind += i64::from(now.sent) - i64::from(before.sent);
        sent.delivered += i64::from(now.delivered) - i64::from(before.delivered);
        sent.refused += i64::from(now.refused) - i64::from(before.refused);
        Ok(true)
    }

    /// Tells of a reconciled job once its files are where they are to be, and then says that it is complete.
    ///
    /// The step and the mail that tells of it are in one transaction.
    pub(super) fn complete(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &mut Progress,
    ) -> Result<(), ProcessError> {
        if !progress.has_status(JobStatus::Reconciled) || !self.telling.every_file_is_sent(progress) {
            return Ok(());
        }
        if !progress.told {
            progress.told = true;
            self.tell_of_success(ctx, job_id, progress)?;
            if self.telling.expected_files(progress) > 0 {
                progress.note(ctx, "every file is sent");
            }
        }
        if self.telling.delivered.is_empty() {
            return Ok(());
        }
        let waits_for_mail = self.telling.waits_for(Delivered::Mails)
            && progress.mails.iter().any(|mail| mail.service == super::mails::SUCCESS && !is_sent(&mail.state));
        if !waits_for_mail {
            progress.step(ctx, JobStatus::Complete, "");
        }
        Ok(())
    }
}

/// The name of a file, as a job's history may show it: the name of a work item holds an NHS number.
fn shown_name(name: &str) -> &str {
    if name.starts_with(WORK_ITEMS) { "a work item" } else { name }
}

/// What a file counts as.
struct Counted {
    sent: bool,
    delivered: bool,
    refused: bool,
}

fn counted(ways: &Ways) -> Counted {
    Counted {
        sent: ways.values().any(|state| is_sent(state)),
        delivered: ways.values().any(|state| state == DELIVERED),
        refused: ways.values().any(|state| state == REFUSED || state == UNDELIVERABLE),
    }
}

fn is_sent(state: &str) -> bool {
    state == SENT || state == DELIVERED
}

/// Takes over a newer state; false when there is nothing new in it. A connector that repeats itself says again that it has
/// sent what its recipient has taken since.
fn moved_on(state: &mut String, newer: &str) -> bool {
    if state == newer || (state == DELIVERED && newer == SENT) {
        return false;
    }
    newer.clone_into(state);
    true
}
