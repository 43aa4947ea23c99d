//! Every job that was sent has one result, and every record, difference and file of it is there once.

use std::collections::{BTreeMap, BTreeSet};

use concord_flows::list_reconciliation::topology::{DIFFERENCE, FILE, GP_EXTRACT, JOB, OUTCOME};
use concord_schemas::codec::{self, Decoder, TopicSchema};
use concord_schemas::list_reconciliation::{
    Difference, ExtractEvent, FileChunk, Job, JobCounts, JobDeliveries, Outcome as OfRecord,
};
use serde::Deserialize;

use super::Outcome;
use super::answers::Answers;
use super::report::Report;
use super::topics::{Record, Topics};

/// Statuses of a job that goes no further by itself.
const ENDINGS: [&str; 6] = ["RECONCILED", "COMPLETE", "REJECTED", "INCONSISTENT", "TIMED_OUT", "CLEANED_UP"];
const WAITING: &str = "WAITING";
/// The step with which a job begins, or starts over.
const RECEIVED: &str = "RECEIVED";
/// Begins the name of an extract that was sent to DPS.
const TO_DPS: &str = "dps-extract/";
const SEND_AGAIN: &str =
    "keep the topics as they are and report it; `concord explain` shows what the records were made of";

/// What the topics say of one job.
#[derive(Default)]
struct Found {
    /// Its end marker was sent.
    is_whole: bool,
    /// Its file waits for the post office.
    waits: bool,
    /// How often it came to each ending since it began.
    endings: BTreeMap<String, u64>,
    /// What its last record says of its life. Each further record says something new.
    life: Option<Life>,
    /// The last ending, with what it counted and the files that it names.
    last: Option<(String, JobCounts, BTreeSet<String>)>,
    /// What its outcomes add up to.
    counted: JobCounts,
    /// Outcomes by number of the record.
    outcomes: BTreeMap<i64, u64>,
    /// Differences that outcomes speak of, as keys of the topic of differences.
    expected_differences: BTreeSet<String>,
    differences: BTreeMap<String, u64>,
    files: BTreeMap<String, Vec<(i32, bool)>>,
}

/// Steps, copies, mails and deliveries.
#[derive(PartialEq, Eq)]
struct Life {
    steps: Vec<(String, i64, String)>,
    copies: i64,
    mails: Vec<String>,
    deliveries: JobDeliveries,
}

impl Life {
    fn of(job: &Job<'_>) -> Self {
        Self {
            steps: job.history.iter().map(|s| (s.status.to_owned(), s.at_ms, s.detail.to_owned())).collect(),
            copies: job.copies,
            mails: job.mails.iter().map(|mail| format!("{} {}", mail.mail_id, mail.state)).collect(),
            deliveries: job.deliveries,
        }
    }

    /// How often a job that began with the last `RECEIVED` took on a status; notes under the same status are no new step.
    fn times(&self, status: &str) -> u64 {
        let began = self.steps.iter().rposition(|(status, ..)| status == RECEIVED).unwrap_or(0);
        let statuses = self.steps[began..].iter().map(|(status, ..)| status.as_str());
        let mut last = "";
        let mut times = 0;
        for step in statuses {
            times += u64::from(step == status && last != status);
            last = step;
        }
        times
    }
}

impl Found {
    /// DPS compares it: records have no outcomes here, and it may wait for the answer.
    fn is_with_dps(&self) -> bool {
        self.files.keys().any(|name| name.starts_with(TO_DPS))
    }
}

/// Reads everything and holds it against each other. `at_rest`: nothing waits to be processed, so whole jobs must have ended.
/// Where lists stand, a difference is no matter of one job, and held against what stands instead.
pub(super) fn are_accounted_for(
    topics: &Topics,
    decoder: &Decoder,
    at_rest: bool,
    lists_stand: bool,
    answers: Option<&Answers>,
    report: &mut Report,
) -> Outcome<()> {
    let mut jobs: BTreeMap<String, Found> = BTreeMap::new();
    read_jobs(topics, decoder, &mut jobs)?;
    read_outcomes(topics, decoder, &mut jobs)?;
    let every_difference = if lists_stand { None } else { Some(read_differences(topics, decoder, &mut jobs)?) };
    topics.each(FILE, &mut |record| {
        let Some(piece) = decode::<FileChunk<'_>>(decoder, FILE, &codec::FILE, &record)? else { return Ok(()) };
        let found = jobs.entry(piece.job_id.to_owned()).or_default();
        found.files.entry(piece.file_name.to_owned()).or_default().push((piece.sequence, piece.last));
        Ok(())
    })?;
    if let Some(answers) = answers.filter(|_| at_rest) {
        let ended = jobs.iter().filter(|(_, job)| job.last.is_some()).map(|(id, _)| id.as_str()).collect();
        answers.came_to_something(&ended, report);
    }
    for (id, job) in &jobs {
        check(id, job, every_difference.as_ref(), at_rest, report);
    }
    Ok(())
}

fn read_jobs(topics: &Topics, decoder: &Decoder, jobs: &mut BTreeMap<String, Found>) -> Outcome<()> {
    topics.each(GP_EXTRACT, &mut |record| {
        // What cannot be read is a dead letter, and counted there.
        let value = record.value.as_deref().unwrap_or_default();
        if let Ok(ExtractEvent::ExtractClosed(closed)) = decoder.decode(&codec::GP_EXTRACT, value) {
            jobs.entry(closed.job_id.to_owned()).or_default().is_whole = true;
        }
        Ok(())
    })?;
    topics.each(JOB, &mut |record| {
        let Some(job) = decode::<Job<'_>>(decoder, JOB, &codec::JOB, &record)? else { return Ok(()) };
        let found = jobs.entry(job.job_id.to_owned()).or_default();
        found.waits = job.status == WAITING;
        let life = Life::of(&job);
        let says_nothing_new = found.life.as_ref() == Some(&life);
        if ENDINGS.contains(&job.status) {
            let times = found.endings.entry(job.status.to_owned()).or_default();
            *times = if says_nothing_new { *times + 1 } else { life.times(job.status).max(1) };
            let files = job.files.iter().map(ToString::to_string).collect();
            found.last = Some((job.status.to_owned(), job.counts, files));
        } else {
            // Sent again behind a time-out.
            found.last = None;
        }
        found.life = Some(life);
        Ok(())
    })
}

fn read_outcomes(topics: &Topics, decoder: &Decoder, jobs: &mut BTreeMap<String, Found>) -> Outcome<()> {
    topics.each(OUTCOME, &mut |record| {
        let Some(of) = decode::<OfRecord<'_>>(decoder, OUTCOME, &codec::OUTCOME, &record)? else { return Ok(()) };
        let found = jobs.entry(of.job_id.to_owned()).or_default();
        *found.outcomes.entry(of.number).or_default() += 1;
        let counts = &mut found.counted;
        counts.records += 1;
        match of.status {
            "Matched" => counts.matched += 1,
            "Partnership Mismatch" => counts.partnership_mismatch += 1,
            "Deducted Patient Match" => counts.deducted += 1,
            "Lookup Failed" => counts.lookup_failed += 1,
            _ => counts.unmatched += 1,
        }
        counts.sensitive += i64::from(of.sensitive);
        counts.differences += of.rules.len() as i64;
        counts.patients_with_differences += i64::from(!of.rules.is_empty());
        let nhs = of.nhs_number.unwrap_or_default();
        found.expected_differences.extend(of.rules.iter().map(|rule| format!("{}/{nhs}/{rule}", of.practice)));
        Ok(())
    })
}

/// Answers the keys of all differences: compaction keeps those of the job that found them last.
fn read_differences(
    topics: &Topics,
    decoder: &Decoder,
    jobs: &mut BTreeMap<String, Found>,
) -> Outcome<BTreeSet<String>> {
    let mut every = BTreeSet::new();
    topics.each(DIFFERENCE, &mut |record| {
        every.insert(record.text_key());
        let read = decode::<Difference<'_>>(decoder, DIFFERENCE, &codec::DIFFERENCE, &record)?;
        let Some(difference) = read else { return Ok(()) };
        let found = jobs.entry(difference.job_id.to_owned()).or_default();
        *found.differences.entry(record.text_key()).or_default() += 1;
        Ok(())
    })?;
    Ok(every)
}

/// `None` of a tombstone.
fn decode<'a, T: Deserialize<'a>>(
    decoder: &Decoder,
    topic: &str,
    schema: &'static TopicSchema,
    record: &'a Record,
) -> Outcome<Option<T>> {
    let Some(value) = &record.value else { return Ok(None) };
    let read = decoder.decode(schema, value);
    read.map(Some).map_err(|e| format!("{topic}[{}] offset {} does not decode: {e}", record.partition, record.offset))
}

fn check(id: &str, job: &Found, every_difference: Option<&BTreeSet<String>>, at_rest: bool, report: &mut Report) {
    let place = format!("job {id}");
    let Some((status, counts, files)) = &job.last else {
        if job.waits {
            report.checked("jobs that wait at the post office", 1);
        } else if job.is_with_dps() {
            report.checked("jobs that wait for DPS", 1);
        } else if job.is_whole && at_rest {
            let remedy = "is the application running? A job ends in slices: verify again in a minute";
            report.find(&*place, "its file is there whole, and it has not ended", remedy);
        } else {
            report.checked("jobs under way", 1);
        }
        return;
    };
    report.checked("jobs that have ended", 1);
    for (ending, times) in job.endings.iter().filter(|(_, times)| **times > 1) {
        report.find(&*place, format!("it ended {times} times as {ending}"), SEND_AGAIN);
    }
    if status == "INCONSISTENT" {
        report.find(&*place, "its counts did not add up", SEND_AGAIN);
    }
    if status != "RECONCILED" && status != "COMPLETE" {
        return;
    }
    if job.is_with_dps() {
        report.checked("jobs that DPS has compared: their records have no outcomes here", 1);
        return check_files(&place, job, files, counts.work_items, report);
    }
    report.checked("outcomes of records", job.outcomes.values().sum());
    let repeated = job.outcomes.values().filter(|times| **times > 1).count();
    if repeated > 0 {
        report.find(
            format!("{OUTCOME}, {place}"),
            format!("{repeated} records have more than one outcome"),
            SEND_AGAIN,
        );
    }
    let missing = counts.records - job.outcomes.len() as i64;
    if missing != 0 {
        let what = format!("{} records were counted, {} have an outcome", counts.records, job.outcomes.len());
        report.find(format!("{OUTCOME}, {place}"), what, SEND_AGAIN);
    }
    // What outcomes do not tell is taken from the job.
    let told = JobCounts {
        only_on_gp: counts.only_on_gp,
        only_on_pds: counts.only_on_pds,
        work_items: counts.work_items,
        duplicates: counts.duplicates,
        pds_updates: counts.pds_updates,
        gp_updates: counts.gp_updates,
        validations: counts.validations,
        ..job.counted
    };
    if missing == 0 && repeated == 0 && told != *counts {
        report.find(format!("{JOB}, {place}"), "its counts are not those of its outcomes", SEND_AGAIN);
    }
    if let Some(every_difference) = every_difference {
        check_differences(&place, job, every_difference, report);
    }
    check_files(&place, job, files, counts.work_items, report);
}

fn check_differences(place: &str, job: &Found, every_difference: &BTreeSet<String>, report: &mut Report) {
    report.checked("differences", job.differences.values().sum());
    let lost = job.expected_differences.iter().filter(|key| !every_difference.contains(*key)).count();
    let unexplained = job.differences.keys().filter(|key| !job.expected_differences.contains(*key)).count();
    let repeated = job.differences.values().filter(|times| **times > 1).count();
    // One patient twice in a file has the same difference twice.
    let repeats_are_explained = job.last.as_ref().is_some_and(|(_, counts, _)| counts.duplicates > 0);
    if lost > 0 || unexplained > 0 || (repeated > 0 && !repeats_are_explained) {
        let what = format!("{lost} differences are missing, {repeated} repeated, {unexplained} without an outcome");
        report.find(format!("{DIFFERENCE}, {place}"), what, SEND_AGAIN);
    }
}

fn check_files(place: &str, job: &Found, named: &BTreeSet<String>, work_items: i64, report: &mut Report) {
    report.checked("files", job.files.len() as u64);
    let is_whole = |pieces: &Vec<(i32, bool)>| {
        let last = pieces.len() - 1;
        pieces.iter().enumerate().all(|(place, piece)| *piece == (place as i32, place == last))
    };
    let torn = job.files.values().filter(|pieces| !is_whole(pieces)).count();
    if torn > 0 {
        let what = format!("{torn} files have pieces missing, repeated or out of place");
        report.find(format!("{FILE}, {place}"), what, SEND_AGAIN);
    }
    let lost = named.iter().filter(|name| !job.files.contains_key(*name)).count();
    // Work items are counted, and not named; what was sent to DPS is no result.
    let results = job.files.keys().filter(|name| !name.starts_with(TO_DPS));
    let (items, lists): (Vec<_>, Vec<_>) = results.partition(|name| name.starts_with("work-items/"));
    let unnamed = lists.iter().filter(|name| !named.contains(**name)).count();
    if lost + unnamed > 0 {
        let what = format!("{lost} files of its list are missing, {unnamed} are there and not on it");
        report.find(format!("{FILE}, {place}"), what, SEND_AGAIN);
    }
    if items.len() as i64 != work_items {
        let what = format!("{work_items} work items were counted, {} are there", items.len());
        report.find(format!("{FILE}, {place}"), what, SEND_AGAIN);
    }
}
