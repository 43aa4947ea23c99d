//! The waiting line of a route: files that came while it was closed go on in order of arrival, the practices in turns.
//!
//! A file's place is `turn/arrival/job id`. A practice's files have turns one after the other, so that a practice with many
//! files is not ahead of one with a single file; and no turn is before that of the first in the line, so that those who wait
//! are not overtaken for ever.

use bytes::Bytes;
use concord_engine::{Context, ProcessError, TimerClock};
use concord_schemas::list_reconciliation::{JobEvent, JobNote, JobNoted, RouteStatus};

use super::Intake;
use super::progress::{HOURS, JUDGE, NEXT, Progress, Stage, TIMEOUT, timer_key};
use super::releasing::{RELEASED_TOGETHER, WAIT_FOR_OTHERS_MS};
use crate::list_reconciliation::ids;
use crate::list_reconciliation::post_office::{Opening, opening};

/// What is stored of a route.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct RouteState {
    /// What an operator has switched it to.
    pub switched: Option<bool>,
    pub by: String,
    pub reason: String,
    /// What was last said of it.
    open: Option<bool>,
    since_ms: i64,
    waiting: i64,
}

/// What is stored of a practice while files of it wait.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Turns {
    next: u64,
    waiting: i64,
}

impl Intake {
    /// Puts a whole file into the line of its route, if it must wait; answers whether it must.
    pub(super) fn waits(
        &mut self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &mut Progress,
    ) -> Result<bool, ProcessError> {
        let route = self.post_office.route_of(&progress.source).to_string();
        let mut state = self.route_state(ctx, &route)?;
        if self.opening_of(ctx, &route, &state).is_open && state.waiting == 0 {
            let has_hours = self.post_office.route(&route).is_some_and(|route| !route.hours.is_empty());
            if has_hours && state.open != Some(true) {
                self.settle(ctx, &route, state)?;
            }
            return Ok(false);
        }
        let turns_key = turns_key(&route, &progress.practice);
        let mut turns: Turns = match ctx.get(self.handles.routes, turns_key.as_bytes())? {
            Some(bytes) => ids::progress_from_bytes(&bytes)?,
            None => Turns::default(),
        };
        let first_turn = self.first_in_line(ctx, &route)?.and_then(|(place, _)| place.split('/').next()?.parse().ok());
        let turn = turns.next.max(first_turn.unwrap_or(0));
        let place = format!("{turn:010}/{:015}/{job_id}", ctx.wall_clock_ms());
        let who = Bytes::from(format!("{job_id}/{}", progress.practice));
        ctx.put_bytes(self.handles.waiting, line_key(&route, &place).as_bytes(), who)?;
        turns.next = turn + 1;
        turns.waiting += 1;
        ctx.put_bytes(self.handles.routes, turns_key.as_bytes(), ids::progress_to_bytes(&turns))?;

        progress.stage = Stage::Waiting;
        progress.place = place;
        progress.route.clone_from(&route);
        let noted = JobNoted { job_id, note: JobNote::Waiting, subject: &route, detail: "" };
        ctx.send(self.handles.job_events, job_id, &JobEvent::JobNoted(noted))?;
        state.waiting += 1;
        self.settle(ctx, &route, state)?;
        Ok(true)
    }

    /// Takes a file out of the line, when it still stands there.
    pub(super) fn leave_line(&self, ctx: &mut Context<'_>, progress: &Progress) -> Result<(), ProcessError> {
        let stands = ctx.get(self.handles.waiting, line_key(&progress.route, &progress.place).as_bytes())?.is_some();
        if stands { self.take_out(ctx, &progress.route, &progress.place, &progress.practice) } else { Ok(()) }
    }

    fn take_out(&self, ctx: &mut Context<'_>, route: &str, place: &str, practice: &str) -> Result<(), ProcessError> {
        ctx.delete(self.handles.waiting, line_key(route, place).as_bytes())?;
        let turns_key = turns_key(route, practice);
        if let Some(bytes) = ctx.get(self.handles.routes, turns_key.as_bytes())? {
            let mut turns: Turns = ids::progress_from_bytes(&bytes)?;
            turns.waiting -= 1;
            if turns.waiting > 0 {
                ctx.put_bytes(self.handles.routes, turns_key.as_bytes(), ids::progress_to_bytes(&turns))?;
            } else {
                ctx.delete(self.handles.routes, turns_key.as_bytes())?;
            }
        }
        let mut state = self.route_state(ctx, route)?;
        state.waiting -= 1;
        self.settle(ctx, route, state)
    }

    /// Lets the next file of a route go on, while the route is open and not too many are on their way. Its verdict is another
    /// timer's: whatever happens there, the line moves on.
    pub(super) fn next_in_line(&self, ctx: &mut Context<'_>, route: &str) -> Result<(), ProcessError> {
        let state = self.route_state(ctx, route)?;
        if !self.opening_of(ctx, route, &state).is_open {
            return Ok(());
        }
        let now = ctx.wall_clock_ms();
        if self.releasing.len() >= RELEASED_TOGETHER {
            let later = now + WAIT_FOR_OTHERS_MS;
            return ctx.set_timer(TimerClock::WallClock, &timer_key(NEXT, route), later, Bytes::new());
        }
        let Some((place, who)) = self.first_in_line(ctx, route)? else { return Ok(()) };
        let (job_id, practice) = who.rsplit_once('/').unwrap_or((who.as_str(), ""));
        self.take_out(ctx, route, &place, practice)?;
        ctx.set_timer(TimerClock::WallClock, &timer_key(TIMEOUT, job_id), now + self.job_timeout_ms, Bytes::new())?;
        ctx.set_timer(TimerClock::WallClock, &timer_key(JUDGE, job_id), now, Bytes::new())
    }

    /// The first place of a line, and `job id/practice` of the file that stands there.
    fn first_in_line(&self, ctx: &Context<'_>, route: &str) -> Result<Option<(String, String)>, ProcessError> {
        let prefix = line_key(route, "");
        let mut first = None;
        ctx.scan_prefix(self.handles.waiting, prefix.as_bytes(), &mut |key, who| {
            let place = key.get(prefix.len()..).unwrap_or_default();
            first = Some((String::from_utf8_lossy(place).into_owned(), String::from_utf8_lossy(who).into_owned()));
            false
        })?;
        Ok(first)
    }

    /// The hours of a route have come to a change.
    pub(super) fn hours_change(&self, ctx: &mut Context<'_>, route: &str) -> Result<(), ProcessError> {
        let state = self.route_state(ctx, route)?;
        self.settle(ctx, route, state)
    }

    /// Stores what is known of a route, says so, and sets the timers that follow from it.
    pub(super) fn settle(&self, ctx: &mut Context<'_>, route: &str, mut state: RouteState) -> Result<(), ProcessError> {
        let now = ctx.wall_clock_ms();
        let Opening { is_open, until_ms } = self.opening_of(ctx, route, &state);
        if state.open != Some(is_open) {
            state.open = Some(is_open);
            state.since_ms = now;
        }
        match until_ms {
            Some(until) => ctx.set_timer(TimerClock::WallClock, &timer_key(HOURS, route), until, Bytes::new())?,
            None => ctx.cancel_timer(TimerClock::WallClock, &timer_key(HOURS, route))?,
        }
        if is_open && state.waiting > 0 {
            ctx.set_timer(TimerClock::WallClock, &timer_key(NEXT, route), now, Bytes::new())?;
        }
        ctx.put_bytes(self.handles.routes, route.as_bytes(), ids::progress_to_bytes(&state))?;
        let partition = ctx.partition();
        let status = RouteStatus {
            route,
            partition,
            open: is_open,
            switched: match state.switched {
                Some(true) => "OPEN",
                Some(false) => "CLOSED",
                None => "",
            },
            by: &state.by,
            reason: &state.reason,
            since_ms: state.since_ms,
            until_ms: until_ms.unwrap_or(0),
            waiting: state.waiting,
        };
        ctx.send(self.handles.post_office, &format!("{route}/{partition}"), &status)
    }

    pub(super) fn route_state(&self, ctx: &Context<'_>, route: &str) -> Result<RouteState, ProcessError> {
        match ctx.get(self.handles.routes, route.as_bytes())? {
            Some(bytes) => Ok(ids::progress_from_bytes(&bytes)?),
            None => Ok(RouteState::default()),
        }
    }

    /// The operator's switch decides, and without it the hours. A route that is not configured any more is open.
    fn opening_of(&self, ctx: &Context<'_>, route: &str, state: &RouteState) -> Opening {
        match (state.switched, self.post_office.route(route)) {
            (Some(is_open), _) => Opening { is_open, until_ms: None },
            (None, Some(route)) => opening(&route.hours, ctx.wall_clock_ms()),
            (None, None) => Opening { is_open: true, until_ms: None },
        }
    }
}

/// `route/place`: no route's name has a slash in it.
fn line_key(route: &str, place: &str) -> String {
    format!("{route}/{place}")
}

fn turns_key(route: &str, practice: &str) -> String {
    format!("{route}/{practice}")
}
