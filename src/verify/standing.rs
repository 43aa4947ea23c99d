//! What is published of standing lists is what the store of them says: two ways to the same differences and decisions.

use std::collections::BTreeMap;

use concord_engine::topology::Topology;
use concord_flows::list_reconciliation::catalogue::{RuleSet, entry};
use concord_flows::list_reconciliation::topology::{DECISION, DIFFERENCE};
use concord_schemas::codec::{self, Decoder};
use concord_schemas::list_reconciliation::{Decision, Difference, StandingPerson};

use super::Outcome;
use super::report::Report;
use super::topics::{Record, Topics};

const STORE: &str = "standing";
const REMEDY: &str =
    "keep the topics as they are and report it; the next list of the practice, or PDS records published again, mend it";
const OF_EARLIER_VERSIONS: &str =
    "earlier versions took nothing back: see \"Before standing lists\" in OPERATIONS.md for how to begin anew";

/// The list that a finding stands on, since when, and when it was last found.
type Standing = (String, i64, i64);
/// By `practice/NHS number/rule id`.
type Findings = BTreeMap<String, Standing>;

/// Holds both topics against the store. `at_rest`: nothing waits to be processed; otherwise they are read at different moments.
pub(super) fn is_what_is_published(
    topology: &Topology,
    topics: &Topics,
    decoder: &Decoder,
    at_rest: bool,
    report: &mut Report,
) -> Outcome<()> {
    let differences = published(topics, DIFFERENCE, report, &mut |value| {
        let read = decoder.decode::<Difference<'_>>(&codec::DIFFERENCE, value)?;
        Ok((read.job_id.to_owned(), read.first_seen_ms, read.last_confirmed_ms))
    })?;
    let decisions = published(topics, DECISION, report, &mut |value| {
        let read = decoder.decode::<Decision<'_>>(&codec::DECISION, value)?;
        Ok((read.job_id.to_owned(), read.first_seen_ms, read.last_confirmed_ms))
    })?;
    report.checked("differences that stand", differences.len() as u64);
    report.checked("decisions that stand", decisions.len() as u64);
    if !at_rest {
        return Ok(());
    }
    let (expected_differences, expected_decisions) = expected(topology, topics, decoder)?;
    compare(DIFFERENCE, &expected_differences, differences, report);
    compare(DECISION, &expected_decisions, decisions, report);
    Ok(())
}

/// The last value of each key of a topic; a record that stands there twice is found on the way.
fn published(
    topics: &Topics,
    topic: &'static str,
    report: &mut Report,
    read: &mut dyn FnMut(&[u8]) -> Result<Standing, codec::CodecError>,
) -> Outcome<Findings> {
    let mut last: BTreeMap<Vec<u8>, Record> = BTreeMap::new();
    let mut repeated = 0_u64;
    topics.each(topic, &mut |record| {
        if let Some(former) = last.get(&record.key) {
            // Nothing that is read says the same twice; what has no lineage was written by nobody of this application.
            let is_again = former.lineage == record.lineage || record.lineage.is_empty();
            repeated += u64::from(is_again && former.value == record.value);
        }
        last.insert(record.key.clone(), record);
        Ok(())
    })?;
    if repeated > 0 {
        report.find(topic, format!("{repeated} repeated: the same again from the same input"), REMEDY);
    }
    let mut findings = Findings::new();
    for record in last.into_values() {
        let Some(value) = &record.value else { continue };
        let standing = read(value)
            .map_err(|e| format!("{topic}[{}] offset {} does not decode: {e}", record.partition, record.offset))?;
        findings.insert(record.text_key(), standing);
    }
    Ok(findings)
}

/// What the store says must stand on the topics of differences and of decisions.
fn expected(topology: &Topology, topics: &Topics, decoder: &Decoder) -> Outcome<(Findings, Findings)> {
    let (mut differences, mut decisions) = (Findings::new(), Findings::new());
    let changelog = format!("{}.{STORE}.changelog", topology.application);
    let mut people: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    topics.each(&changelog, &mut |record| {
        match record.value {
            Some(value) => people.insert(record.key, value),
            None => people.remove(&record.key),
        };
        Ok(())
    })?;
    for (nhs, value) in people {
        let person: StandingPerson<'_> =
            decoder.decode(&codec::STANDING_PERSON, &value).map_err(|e| format!("{changelog} does not decode: {e}"))?;
        let nhs = String::from_utf8_lossy(&nhs);
        for list in person.lists {
            for finding in list.findings {
                let is_decision = entry(finding.rule_id).is_some_and(|entry| entry.set == RuleSet::Business);
                let of_topic = if is_decision { &mut decisions } else { &mut differences };
                let key = format!("{}/{nhs}/{}", list.practice, finding.rule_id);
                let standing = (list.job_id.to_owned(), finding.first_seen_ms, finding.last_confirmed_ms);
                of_topic.insert(key, standing);
            }
        }
    }
    Ok((differences, decisions))
}

fn compare(topic: &'static str, expected: &Findings, mut found: Findings, report: &mut Report) {
    let before = found.len();
    found.retain(|key, (_, first_seen_ms, _)| *first_seen_ms != 0 || expected.contains_key(key));
    let of_earlier_versions = before - found.len();
    if of_earlier_versions > 0 {
        report.find(topic, format!("{of_earlier_versions} were written before lists stood"), OF_EARLIER_VERSIONS);
    }
    let missing = expected.keys().filter(|key| !found.contains_key(*key)).count();
    let surplus = found.keys().filter(|key| !expected.contains_key(*key)).count();
    let other = expected.iter().filter(|(key, value)| found.get(*key).is_some_and(|found| found != *value)).count();
    if missing + surplus + other > 0 {
        let what = format!(
            "{missing} that stand are missing, {surplus} are there and do not stand, {other} have another list or age"
        );
        report.find(topic, what, REMEDY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(of: &[(&str, i64)]) -> Findings {
        of.iter().map(|(key, first_seen)| ((*key).to_owned(), ("j".to_owned(), *first_seen, 9))).collect()
    }

    fn found(expected: &[(&str, i64)], published: &[(&str, i64)]) -> String {
        let mut report = Report::default();
        compare(DIFFERENCE, &findings(expected), findings(published), &mut report);
        report.as_text()
    }

    #[test]
    fn what_stands_and_what_is_published_must_be_the_same_in_both_directions_and_in_age() {
        let same = [("Y12345/9990000018/MN-BR-SN-01", 1), ("Y12345/9990000018/MN-BR-FN-01", 2)];
        assert!(found(&same, &same).contains("0 findings"));
        assert!(found(&same, &same[..1]).contains("1 that stand are missing, 0 are there and do not stand, 0 have"));
        assert!(found(&same[..1], &same).contains("0 that stand are missing, 1 are there and do not stand, 0 have"));
        let younger = [same[0], (same[1].0, 3)];
        assert!(found(&same, &younger).contains("0 are there and do not stand, 1 have another list or age"));
    }

    #[test]
    fn what_an_earlier_version_left_is_told_apart_with_what_to_do() {
        let text = found(&[], &[("Y12345/9990000018/MN-BR-SN-01", 0)]);
        assert!(text.contains("1 were written before lists stood") && text.contains("Before standing lists"), "{text}");
        assert!(!text.contains("do not stand"), "{text}");
    }
}
