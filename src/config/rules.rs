//! The rules' part of the configuration as the flow takes it.

use concord_flows::list_reconciliation::business::Reading;
use concord_flows::list_reconciliation::catalogue::{RuleSettings, RuleSwitch};
use jiff::civil::Date;

use super::{ReadingName, Rules, Switch};

impl Rules {
    /// Checks ids, codes and days.
    pub(super) fn settings(&self) -> Result<RuleSettings, String> {
        let in_rules = |problem| format!("flows.list_reconciliation.rules: {problem}");
        let mut settings = RuleSettings::new(self.business, self.reading.into());
        if let Some(practices) = &self.dispensing_practices {
            settings = settings.with_dispensing_practices(practices.clone()).map_err(in_rules)?;
        }
        let switches: Result<Vec<RuleSwitch>, String> = self.switches.iter().map(Switch::as_rule_switch).collect();
        settings.with_switches(switches.map_err(in_rules)?).map_err(in_rules)
    }
}

impl Switch {
    fn as_rule_switch(&self) -> Result<RuleSwitch, String> {
        Ok(RuleSwitch {
            rules: self.rules.clone(),
            enabled: self.enabled,
            practices: self.practices.clone(),
            regions: self.regions.clone(),
            from: self.from.as_deref().map(day).transpose()?,
            to: self.to.as_deref().map(day).transpose()?,
        })
    }
}

impl From<ReadingName> for Reading {
    fn from(name: ReadingName) -> Self {
        match name {
            ReadingName::Specification => Self::Specification,
            ReadingName::Prototype => Self::Prototype,
        }
    }
}

fn day(text: &str) -> Result<Date, String> {
    // A date with a time behind it would be taken for the day alone.
    match text.parse::<Date>() {
        Ok(date) if date.to_string() == text => Ok(date),
        _ => Err(format!("`{text}` is no day: write it as \"2021-09-01\"")),
    }
}
