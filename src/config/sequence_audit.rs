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
        if self.largest_authority_transaction < 2 {
            return Err("flows.sequence_audit.largest_authority_transaction must be 2 or more".to_owned());
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
        let of_authorities =
            self.authority_transactions.then(|| line(Circle::up_to(self.largest_authority_transaction), None));
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn section_of(section: Value) -> SequenceAudit {
        serde_json::from_value(section).unwrap()
    }

    #[test]
    fn each_key_changes_what_the_flow_is_told() {
        let settings = |section| section_of(section).settings(4).audit;
        assert_eq!(settings(json!({})), settings(json!({ "grace_minutes": 60 })));
        assert_eq!(settings(json!({ "grace_minutes": 5 })).messages.grace_ms, 5 * MINUTE_MS);
        let silent = settings(json!({ "silence_minutes": 7 }));
        assert_eq!((silent.interchanges.silence_ms, silent.messages.silence_ms), (Some(7 * MINUTE_MS), None));
        assert_eq!(settings(json!({ "plausible": 9 })).gp_transactions.plausible, 9);
        assert_eq!(settings(json!({ "window": 64 })).interchanges.window, 64);
        assert_eq!(settings(json!({ "authority_transactions": false })).authority_transactions, None);
        let of_authorities =
            settings(json!({ "largest_authority_transaction": 999_999_999 })).authority_transactions.unwrap();
        assert_eq!(of_authorities.numbers, Circle::up_to(999_999_999));
        let receipts = settings(json!({ "receipt_overdue_minutes": 3, "orphan_minutes": 2 })).receipts;
        assert_eq!((receipts.overdue_ms, receipts.orphan_ms), (3 * MINUTE_MS, 2 * MINUTE_MS));
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_name() {
        for key in ["grace_minutes", "silence_minutes", "plausible", "largest_authority_transaction"] {
            assert!(section_of(json!({ key: 0 })).check().unwrap_err().contains(key), "{key}");
        }
    }
}
