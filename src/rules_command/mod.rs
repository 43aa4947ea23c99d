//! `concord rules`: the catalogue, and every rule on a pair of records.

mod pair;

use std::fs;

use concord_flows::list_reconciliation::Profile;
use concord_flows::list_reconciliation::business::Reading;
use concord_flows::list_reconciliation::catalogue::{
    self, CATALOGUE, CatalogueEntry, REGISTRATION_FINDINGS, RuleSettings, Trial, TrialRecords, Verdict,
};
use concord_flows::list_reconciliation::registration::{RegistrationStatus, is_sensitive};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::{RulesCommand, RulesTestArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;
use crate::reconcile::check_is_there;
use pair::Pair;

/// Runs one of the commands.
pub fn rules(command: RulesCommand) -> Result<(), Failure> {
    match command {
        RulesCommand::List { json } => list(json),
        RulesCommand::Explain { id, json } => explain(&id, json)?,
        RulesCommand::Test(args) => test(&args)?,
    }
    Ok(())
}

fn list(json: bool) {
    if json {
        let entries: Vec<Value> = CATALOGUE.iter().chain(&REGISTRATION_FINDINGS).map(as_json).collect();
        return output::line(format!("{:#}", json!({ "rules": entries })));
    }
    output::line(format!("{:<13}{:<13}{:<10}{:<27}guidance", "id", "set", "class", "fields"));
    for rule in CATALOGUE.iter().chain(&REGISTRATION_FINDINGS) {
        let (set, class) = (rule.set.as_str(), rule.class.as_str());
        output::line(format!("{:<13}{set:<13}{class:<10}{:<27}{}", rule.id, rule.fields, rule.guidance));
    }
}

fn explain(id: &str, json: bool) -> Result<(), Failure> {
    let Some(rule) = catalogue::entry(id) else {
        let similar = catalogue::similar_ids(id).join(", ");
        return Err(Failure::Usage(format!(
            "there is no rule `{id}`: write one of {similar} (`concord rules list` has all)"
        )));
    };
    if json {
        output::line(format!("{:#}", as_json(rule)));
        return Ok(());
    }
    output::line(rule.id);
    for (name, value) in [
        ("set", rule.set.as_str()),
        ("fields", rule.fields),
        ("fires when", rule.condition),
        ("class", rule.class.as_str()),
        ("guidance", rule.guidance),
        ("source", rule.source.as_str()),
    ] {
        output::line(format!("  {name:<12}{value}"));
    }
    Ok(())
}

fn as_json(rule: &CatalogueEntry) -> Value {
    json!({
        "id": rule.id,
        "set": rule.set.as_str(),
        "fields": rule.fields,
        "condition": rule.condition,
        "class": rule.class.as_str(),
        "guidance": rule.guidance,
        "source": rule.source.as_str(),
    })
}

fn test(args: &RulesTestArgs) -> Result<(), Failure> {
    check_is_there(&args.file)?;
    let name = args.file.display().to_string();
    let text = fs::read_to_string(&args.file).map_err(|e| Failure::other(format!("reading {name}"), e))?;
    let flow = args.config.as_deref().map(Config::read).transpose()?.map(|config| config.flow());
    let profile = args.profile.map(Profile::from).or(flow.as_ref().map(|flow| flow.profile)).unwrap_or_default();
    let mut settings = flow.map_or_else(|| RuleSettings::new(true, Reading::default()), |flow| flow.rules);
    if let Some(reading) = args.reading {
        settings.reading = Reading::from(reading);
    }
    let pair = Pair::read(&text, Timestamp::now(), profile).map_err(|e| Failure::Usage(format!("{name}: {e}")))?;
    let tried = pair.with_records(&settings, profile, |records| {
        let remark = remark(records);
        (remark, catalogue::trial(records, &settings))
    });
    print(&pair, tried.0, &tried.1, args.json);
    Ok(())
}

/// What keeps these records from being compared at all, though the rules were tried.
fn remark(records: &TrialRecords<'_>) -> Option<&'static str> {
    let pds = records.patient.pds;
    if is_sensitive(pds) {
        return Some("PDS marks this person as sensitive: the flow would not compare the records");
    }
    // Where the file says nothing of a practice, it asks for the rules alone.
    let is_known = !records.situation.practice.is_empty() && !pds.gp_practice.is_empty();
    if is_known && RegistrationStatus::of(records.situation.practice, Some(pds)) != RegistrationStatus::Matched {
        return Some("PDS has this person at another practice: the flow would not compare the records");
    }
    None
}

fn print(pair: &Pair, remark: Option<&str>, tried: &[Trial], json: bool) {
    if json {
        let rules: Vec<Value> = tried.iter().map(trial_as_json).collect();
        let printed = json!({
            "practice": pair.practice, "region": pair.region, "date": pair.date, "remark": remark, "rules": rules,
        });
        return output::line(format!("{printed:#}"));
    }
    let of = |text: &str| if text.is_empty() { "any".to_string() } else { text.to_string() };
    output::line(format!("practice {}, region {}, on {}", of(&pair.practice), of(&pair.region), pair.date));
    if let Some(remark) = remark {
        output::line(remark);
    }
    for trial in tried {
        let (fired, why) = in_words(trial);
        output::line(format!("\n{} {:<12}{why}", if fired { '*' } else { ' ' }, trial.rule.id));
        let shown = |value: &str| if value.is_empty() { "(nothing)".to_string() } else { value.to_string() };
        output::line(format!("    practice  {}", shown(&trial.gp)));
        output::line(format!("    PDS       {}", shown(&trial.pds)));
    }
    let fired: Vec<&str> = tried.iter().filter(|trial| in_words(trial).0).map(|trial| trial.rule.id).collect();
    let fired = if fired.is_empty() { "none".to_string() } else { fired.join(", ") };
    output::line(format!("\nfired (*): {fired}"));
}

/// Whether the rule fired, and why or why not.
fn in_words(trial: &Trial) -> (bool, String) {
    let condition = trial.rule.condition;
    match &trial.verdict {
        Verdict::Differs => (true, format!("{}: {condition}", trial.rule.guidance)),
        Verdict::Decides(decision, item) => (true, format!("{} ({}): {condition}", decision.as_str(), item.as_str())),
        Verdict::DoesNotFire(why) => (false, format!("does not fire: {why}")),
        Verdict::Off(why) => (false, format!("off: {why}")),
    }
}

fn trial_as_json(trial: &Trial) -> Value {
    let (decision, item) = match &trial.verdict {
        Verdict::Decides(decision, item) => (Some(decision.as_str()), Some(item.as_str())),
        _ => (None, None),
    };
    let (fired, why) = match &trial.verdict {
        Verdict::Differs | Verdict::Decides(..) => (true, trial.rule.condition),
        Verdict::DoesNotFire(why) | Verdict::Off(why) => (false, why.as_str()),
    };
    json!({
        "id": trial.rule.id,
        "gp": trial.gp,
        "pds": trial.pds,
        "fired": fired,
        "off": matches!(trial.verdict, Verdict::Off(_)),
        "why": why,
        "decision": decision,
        "item": item,
    })
}
