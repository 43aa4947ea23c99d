//! Which rules hold for the records in hand.

use std::sync::Arc;

use jiff::Timestamp;

use crate::list_reconciliation::catalogue::{ActiveRules, RuleSettings, Situation};

/// Answers of the settings; the last one is kept, since all records of a job have the same.
pub(super) struct RulesInForce {
    pub settings: Arc<RuleSettings>,
    last: Option<Answer>,
}

struct Answer {
    practice: String,
    region: String,
    at_ms: i64,
    active: ActiveRules,
}

impl RulesInForce {
    pub fn new(settings: Arc<RuleSettings>) -> Self {
        Self { settings, last: None }
    }

    /// The rules that hold for a practice of a region at an instant.
    pub fn at(&mut self, practice: &str, region: &str, at_ms: i64) -> ActiveRules {
        if let Some(last) = &self.last
            && last.at_ms == at_ms
            && last.practice == practice
            && last.region == region
        {
            return last.active;
        }
        // A time outside the calendar is before or behind every day of a switch.
        let outside = if at_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let instant = Timestamp::from_millisecond(at_ms).unwrap_or(outside);
        let active = self.settings.active(&Situation::at(practice, region, instant));
        self.last = Some(Answer { practice: practice.to_owned(), region: region.to_owned(), at_ms, active });
        active
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::list_reconciliation::catalogue::RuleSwitch;

    #[test]
    fn an_answer_is_that_of_the_settings_whatever_was_asked_before() {
        let switch = RuleSwitch {
            rules: vec!["MN-BR-SN-01".to_string()],
            practices: vec!["A82023".to_string()],
            regions: vec!["LNA".to_string()],
            from: Some(jiff::civil::date(2021, 8, 10)),
            ..RuleSwitch::default()
        };
        let mut rules = RulesInForce::new(Arc::new(RuleSettings::default().with_switches(vec![switch]).unwrap()));
        let day = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let (before, on) = (day("2021-08-09T22:59:59Z"), day("2021-08-09T23:00:00Z"));
        let asked = [
            ("A82023", "LNA", on, false),
            ("A82023", "LNA", on, false),
            ("A82023", "LNA", before, true),
            ("A82023", "YW0", on, true),
            ("B85001", "LNA", on, true),
            ("A82023", "LNA", i64::MAX, false),
            ("A82023", "LNA", i64::MIN, true),
        ];
        for (practice, region, at_ms, is_on) in asked {
            assert_eq!(rules.at(practice, region, at_ms).has("MN-BR-SN-01"), is_on, "{practice} {region} {at_ms}");
        }
    }
}
