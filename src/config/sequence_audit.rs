//! The settings of the sequence audit, as the flow takes them.

use concord_engine::TimerClock;
use concord_flows::sequence_audit::{AuditSettings, Circle, LineSettings, ReceiptSettings, Settings};

use super::SequenceAudit;

const MINUTE_MS: i64 = 60_000;
/// Three years: no time in the configuration is longer, so that none goes beyond the calendar.
const MOST_MINUTES: i64 = 3 * 366 * 24 * 60;

impl SequenceAudit {
    /// What is wrong with the section, if anything.
    pub fn check(&self) -> Result<(), String> {
        let minutes = [
            ("grace_minutes", Some(self.grace_minutes)),
            ("receipt_overdue_minutes", Some(self.receipt_overdue_minutes)),
            ("orphan_minutes", Some(self.orphan_minutes)),
            ("silence_minutes", self.silence_minutes),
        ];
        for (key, minutes) in minutes {
            if minutes.is_some_and(|minutes| !(1..=MOST_MINUTES).contains(&minutes)) {
                return Err(format!("flows.sequence_audit.{key} must be between 1 and {MOST_MINUTES}"));
            }
        }
        if self.plausible == 0 {
            return Err("flows.sequence_audit.plausible must be 1 or more".to_owned());
        }
        Ok(())
    }

    /// The settings of the flow.
    pub fn settings(&self, partitions: i32) -> Settings {
        let line = |numbers, silence_ms| LineSettings {
            grace_ms: self.grace_minutes * MINUTE_MS,
            plausible: self.plausible,
            window: self.window,
            silence_ms,
            ..LineSettings::of(numbers)
        };
        // A link is silent when no interchange comes; its messages and transactions come in these.
        let silence_ms = self.silence_minutes.map(|minutes| minutes * MINUTE_MS);
        let of_authorities = self.authority_transactions.then(|| line(Circle::AUTHORITY_TRANSACTIONS, None));
        Settings {
            application: self.application.clone(),
            partitions,
            audit: AuditSettings {
                interchanges: line(Circle::REFERENCES, silence_ms),
                messages: line(Circle::REFERENCES, None),
                gp_transactions: line(Circle::GP_TRANSACTIONS, None),
                authority_transactions: of_authorities,
                receipts: ReceiptSettings {
                    overdue_ms: self.receipt_overdue_minutes * MINUTE_MS,
                    orphan_ms: self.orphan_minutes * MINUTE_MS,
                },
            },
            clock: TimerClock::WallClock,
        }
    }
}
