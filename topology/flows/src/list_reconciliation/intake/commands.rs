//! What operators want done.

use concord_engine::{Context, ProcessError, Rejection};
use concord_schemas::list_reconciliation::{Command, CommandAction, JobEvent, JobNote, JobNoted};

use super::Intake;
use super::progress::Stage;
use crate::list_reconciliation::codes;

impl Intake {
    pub fn on_command(&mut self, ctx: &mut Context<'_>, command: Command<'_>) -> Result<(), ProcessError> {
        if ctx.key()? != command.subject {
            let message = "the command's key is not its subject: give it with `concord jobs` or `concord post-office`";
            return Err(Rejection::by_processor(codes::COMMAND_KEY_DIFFERS, message).into());
        }
        if command.by.trim().is_empty() {
            let message = "the command does not say who gives it: give it again with `--by NAME`";
            return Err(Rejection::by_processor(codes::COMMAND_BY_NOBODY, message).into());
        }
        match command.action {
            CommandAction::CleanUpJob => self.clean_up(ctx, &command),
            CommandAction::OpenRoute => self.switch(ctx, &command, Some(true)),
            CommandAction::CloseRoute => self.switch(ctx, &command, Some(false)),
            CommandAction::ScheduleRoute => self.switch(ctx, &command, None),
        }
    }

    fn switch(
        &mut self,
        ctx: &mut Context<'_>,
        command: &Command<'_>,
        switched: Option<bool>,
    ) -> Result<(), ProcessError> {
        let route = command.subject;
        let is_known =
            self.post_office.route(route).is_some() || ctx.get(self.handles.routes, route.as_bytes())?.is_some();
        if !is_known {
            let message = "there is no such route: `concord post-office status` lists those there are";
            return Err(Rejection::by_processor(codes::ROUTE_UNKNOWN, message).into());
        }
        let mut state = self.route_state(ctx, route)?;
        state.switched = switched;
        state.by = command.by.to_string();
        state.reason = command.reason.to_string();
        self.settle(ctx, route, state)
    }

    /// Ends a job at whatever stage it is, and drops what is kept of it here; the report drops the rest.
    fn clean_up(&mut self, ctx: &mut Context<'_>, command: &Command<'_>) -> Result<(), ProcessError> {
        let job_id = command.subject;
        let Some(progress) = self.progress(ctx, job_id)? else {
            ctx.count_filtered("command for a job that is not known");
            return Ok(());
        };
        if progress.stage == Stage::CleanedUp {
            ctx.count_filtered("job is cleaned up already");
            return Ok(());
        }
        if progress.stage == Stage::Waiting {
            self.leave_line(ctx, &progress)?;
        }
        self.abandon(ctx, job_id, &progress)?;
        let noted = JobNoted { job_id, note: JobNote::CleanedUp, subject: command.by, detail: command.reason };
        let noted = JobEvent::JobNoted(noted);
        ctx.send(self.handles.job_events, job_id, &noted)?;
        self.tell_dps_exchange(ctx, job_id, &noted)?;
        self.finish(ctx, job_id, progress, Stage::CleanedUp)
    }
}
