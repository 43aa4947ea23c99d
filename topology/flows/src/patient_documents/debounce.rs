//! When a patient is consolidated: when the documents are quiet, and not much later than the first change even when they are not.

use serde::{Deserialize, Serialize};

/// How long a patient's documents must be quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debounce {
    /// So long nothing more must change, milliseconds; more than 0, so that documents that come together are taken together.
    pub quiet_ms: i64,
    /// So long after the first change a patient is consolidated in any case, milliseconds.
    pub longest_wait_ms: i64,
}

impl Default for Debounce {
    /// 5 seconds, and at most a minute.
    fn default() -> Self {
        Self { quiet_ms: 5_000, longest_wait_ms: 60_000 }
    }
}

/// A patient whose documents have changed since the last consolidation: `NeedsDocumentDataUpdate` of the source's model. Where there
/// is none, the patient is up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedsUpdate {
    /// When the patient is consolidated, unless more changes, milliseconds since the epoch.
    pub due_ms: i64,
    /// When the patient is consolidated in any case.
    pub latest_ms: i64,
    /// The time for which the timer is set.
    pub timer_ms: i64,
}

impl NeedsUpdate {
    /// Something of the patient has changed.
    #[must_use]
    pub fn changed(known: Option<Self>, now_ms: i64, debounce: &Debounce) -> Self {
        let latest_ms = known.map_or(now_ms.saturating_add(debounce.longest_wait_ms), |known| known.latest_ms);
        let due_ms = now_ms.saturating_add(debounce.quiet_ms).min(latest_ms);
        Self { due_ms, latest_ms, timer_ms: known.map_or(due_ms, |known| known.timer_ms) }
    }

    /// Somebody wants it done after `delay_ms`, or when it would be done after a change.
    #[must_use]
    pub fn asked(known: Option<Self>, now_ms: i64, delay_ms: Option<i64>, debounce: &Debounce) -> Self {
        let Some(delay_ms) = delay_ms else { return Self::changed(known, now_ms, debounce) };
        let wanted_ms = now_ms.saturating_add(delay_ms.max(0));
        match known {
            Some(known) => Self {
                due_ms: known.due_ms.min(wanted_ms),
                latest_ms: known.latest_ms.min(wanted_ms),
                timer_ms: known.timer_ms,
            },
            None => Self { due_ms: wanted_ms, latest_ms: wanted_ms, timer_ms: wanted_ms },
        }
    }

    /// Whether a timer must be set for it: the one there is comes too late, or has come and was refused. One that comes too
    /// early is set again when it fires, so that not every change writes a timer.
    #[must_use]
    pub fn wants_timer(&self, known: Option<&Self>, now_ms: i64) -> bool {
        known.is_none_or(|known| self.due_ms < known.timer_ms || known.timer_ms < now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBOUNCE: Debounce = Debounce { quiet_ms: 10, longest_wait_ms: 25 };

    #[test]
    fn each_change_puts_it_off_until_the_longest_wait_is_over() {
        let mut needs = None;
        for (now_ms, due_ms) in [(100, 110), (105, 115), (114, 124), (120, 125), (124, 125)] {
            needs = Some(NeedsUpdate::changed(needs, now_ms, &DEBOUNCE));
            assert_eq!(needs.unwrap_or_else(|| unreachable!()).due_ms, due_ms, "changed at {now_ms}");
        }
    }

    #[test]
    fn a_request_brings_it_forward_and_never_puts_it_off() {
        let changed = Some(NeedsUpdate::changed(None, 100, &DEBOUNCE));
        let asked = NeedsUpdate::asked(changed, 101, Some(2), &DEBOUNCE);
        assert_eq!(asked.due_ms, 103);
        assert_eq!(NeedsUpdate::asked(changed, 101, Some(60), &DEBOUNCE).due_ms, 110);
        assert_eq!(NeedsUpdate::changed(Some(asked), 102, &DEBOUNCE).due_ms, 103, "what was asked for stands");
        assert_eq!(NeedsUpdate::asked(None, 100, None, &DEBOUNCE).due_ms, 110);
        assert_eq!(NeedsUpdate::asked(None, 100, Some(-1), &DEBOUNCE).due_ms, 100);
    }

    #[test]
    fn a_timer_is_set_when_the_one_there_is_comes_too_late_or_is_over() {
        let first = NeedsUpdate::changed(None, 100, &DEBOUNCE);
        assert!(first.wants_timer(None, 100));
        let second = NeedsUpdate::changed(Some(first), 105, &DEBOUNCE);
        assert!(!second.wants_timer(Some(&first), 105));
        assert!(second.wants_timer(Some(&first), 111), "it has fired and was refused");
        let asked = NeedsUpdate::asked(Some(first), 105, Some(0), &DEBOUNCE);
        assert!(asked.wants_timer(Some(&first), 105));
    }
}
