//! Holds topics and disks against the expectation: everything exactly once, nothing undecided, nothing unread.

pub mod disks;
mod files;

use std::collections::BTreeMap;

use concord_engine::topology::Topology;
use concord_flows::list_reconciliation::topology::{DIFFERENCE, FILE, JOB, OUTCOME, PDS_RECORD};
use concord_schemas::Schemas;
use concord_schemas::codec::{self, Decoder, TopicSchema};
use concord_schemas::list_reconciliation::{
    Difference, GpEvent, Job, JobCounts, JobEvent, Outcome as RecordOutcome, PdsRecord,
};
use serde::Deserialize;

use crate::expected::{self, ExpectedJob};
use crate::findings::Findings;
use crate::instance::APPLICATION;
use crate::stage::Stage;
use crate::topics::{Record, Topics};
use crate::{Outcome, PARTITIONS};

/// Verifies what a scenario left. Both instances must be stopped.
pub fn verify(stage: &Stage) -> Outcome<Findings> {
    let mut findings = Findings::default();
    let jobs = expected::jobs(&stage.topics)?;
    expectation_is_the_truth(stage, &jobs, &mut findings);
    let outputs = Outputs { topics: &stage.topics, decoder: Schemas::bundled().decoder(), jobs: &jobs };
    outputs.every_person_is_what_pds_said_last(&mut findings)?;
    outputs.every_record_has_one_outcome(&mut findings)?;
    outputs.every_difference_is_written_once(&mut findings)?;
    outputs.every_job_goes_through_its_stages_once(&mut findings)?;
    outputs.every_event_passes_between_the_parts_once(&mut findings)?;
    files::every_file_is_whole(&outputs, &mut findings)?;
    let topology = (stage.flow.topology)()?;
    nothing_is_undecided_or_unread(&stage.topics, &topology, 0, &mut findings)?;
    disks::state_is_what_the_changelogs_say(stage, &topology, &mut findings)?;
    Ok(findings)
}

/// Two ways to the same numbers: how the people were made, and comparing what was sent.
fn expectation_is_the_truth(stage: &Stage, jobs: &[ExpectedJob], findings: &mut Findings) {
    findings.each_once("jobs sent", stage.jobs.iter().cloned(), jobs.iter().map(|job| job.id.clone()));
    for (practice, id) in stage.practices.iter().zip(&stage.jobs) {
        let counts = jobs.iter().find(|job| job.id == *id).map(ExpectedJob::counts);
        findings.same(&format!("truth of {}", practice.code), Some(practice.truth), counts);
        findings.records += practice.truth.records.unsigned_abs();
    }
}

/// The topics that came out, beside what must be on them.
struct Outputs<'s> {
    topics: &'s Topics,
    decoder: Decoder,
    jobs: &'s [ExpectedJob],
}

impl Outputs<'_> {
    fn decode<'a, T: Deserialize<'a>>(&self, schema: &'static TopicSchema, record: &'a Record) -> Outcome<T> {
        let value = record.value.as_deref().unwrap_or_default();
        self.decoder
            .decode(schema, value)
            .map_err(|e| format!("partition {} offset {} does not decode: {e}", record.partition, record.offset))
    }

    /// Also of those whom no list names. The disks are held against the changelog apart from this.
    fn every_person_is_what_pds_said_last(&self, findings: &mut Findings) -> Outcome<()> {
        let last_of = |topic: &str| -> Outcome<BTreeMap<String, String>> {
            let mut people = BTreeMap::new();
            for record in &self.topics.read(topic)? {
                if record.value.is_none() {
                    people.remove(&record.text_key());
                    continue;
                }
                let person: PdsRecord<'_> = self.decode(&codec::PDS_RECORD, record)?;
                people.insert(record.text_key(), format!("{person:?}"));
            }
            Ok(people)
        };
        let (published, stored) = (last_of(PDS_RECORD)?, last_of(&format!("{APPLICATION}.pds.changelog"))?);
        if published.is_empty() {
            findings.complain("no person was published");
        }
        findings.each_once("people of PDS", published, stored);
        Ok(())
    }

    fn every_record_has_one_outcome(&self, findings: &mut Findings) -> Outcome<()> {
        let mut found = Vec::new();
        for record in &self.topics.read(OUTCOME)? {
            let outcome: RecordOutcome<'_> = self.decode(&codec::OUTCOME, record)?;
            let rules = outcome.rules.iter().map(ToString::to_string).collect::<std::collections::BTreeSet<_>>();
            found.push((
                record.text_key(),
                outcome.nhs_number.unwrap_or_default().to_owned(),
                outcome.status.to_owned(),
                outcome.sensitive,
                rules,
            ));
        }
        let expected = self.jobs.iter().flat_map(|job| {
            job.patients.iter().map(|p| {
                let rules = p.rules.iter().map(ToString::to_string).collect();
                (format!("{}/{}", job.id, p.number), p.nhs.clone(), p.status.to_owned(), p.sensitive, rules)
            })
        });
        findings.each_once(OUTCOME, expected, found);
        Ok(())
    }

    /// By its list, once; and whatever PDS records came later, it stands.
    fn every_difference_is_written_once(&self, findings: &mut Findings) -> Outcome<()> {
        let records = self.topics.read(DIFFERENCE)?;
        let (mut of_lists, mut standing) = (Vec::new(), BTreeMap::new());
        for record in &records {
            if record.value.is_none() {
                standing.remove(&record.text_key());
                continue;
            }
            let difference: Difference<'_> = self.decode(&codec::DIFFERENCE, record)?;
            if difference.cause == "LIST" {
                of_lists.push((difference.job_id.to_owned(), record.text_key()));
            }
            standing.insert(record.text_key(), difference.job_id.to_owned());
        }
        let expected =
            || self.jobs.iter().flat_map(|job| job.standing().into_iter().map(move |key| (job.id.clone(), key)));
        findings.each_once(DIFFERENCE, expected(), of_lists);
        findings.each_once("differences that stand", expected(), standing.into_iter().map(|(key, job)| (job, key)));
        Ok(())
    }

    fn every_job_goes_through_its_stages_once(&self, findings: &mut Findings) -> Outcome<()> {
        let records = self.topics.read(JOB)?;
        let mut found: BTreeMap<String, Vec<Job<'_>>> = BTreeMap::new();
        for record in &records {
            found.entry(record.text_key()).or_default().push(self.decode(&codec::JOB, record)?);
        }
        findings.each_once("jobs", self.jobs.iter().map(|j| j.id.clone()), found.keys().cloned());
        for job in self.jobs {
            let Some(stages) = found.get(&job.id) else { continue };
            let statuses: Vec<&str> = stages.iter().map(|stage| stage.status).collect();
            findings.same(
                &format!("stages of {}", job.practice),
                vec!["RECEIVED", "VALIDATED", "RECONCILED"],
                statuses,
            );
            let counts = stages.last().map(|stage| stage.counts);
            findings.same(&format!("counts of {}", job.practice), Some(job.counts()), counts);
            let reasons: usize = stages.iter().map(|stage| stage.reasons.len()).sum();
            findings.same(&format!("reasons of {}", job.practice), 0, reasons);
        }
        Ok(())
    }

    /// The repartition topics: what would be lost or repeated here might cancel out behind.
    fn every_event_passes_between_the_parts_once(&self, findings: &mut Findings) -> Outcome<()> {
        let topic = format!("{APPLICATION}.gp-records.repartition");
        let (mut records, mut ends) = (Vec::new(), Vec::new());
        for record in &self.topics.read(&topic)? {
            match self.decode(&codec::GP_RECORD, record)? {
                GpEvent::JobRecord(of) => records.push((of.job_id.to_owned(), of.number)),
                GpEvent::EndOfFile(end) => ends.push((end.job_id.to_owned(), record.partition)),
                GpEvent::JobGivenUp(_) => return Err("a job was given up, and PDS is not asked".to_string()),
            }
        }
        let numbers = self.jobs.iter().flat_map(|job| job.patients.iter().map(|p| (job.id.clone(), p.number)));
        findings.each_once(&format!("records on {topic}"), numbers, records);
        findings.each_once(&format!("ends on {topic}"), self.by_partition(), ends);

        let topic = format!("{APPLICATION}.job-events.repartition");
        let (mut received, mut validated, mut rows, mut answers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut notes = Vec::new();
        let mut counts: BTreeMap<String, Vec<JobCounts>> = BTreeMap::new();
        for record in &self.topics.read(&topic)? {
            match self.decode(&codec::JOB_EVENT, record)? {
                JobEvent::JobReceived(of) => received.push(of.job_id.to_owned()),
                JobEvent::JobValidated(of) => validated.push(of.job_id.to_owned()),
                JobEvent::ReportRows(of) => {
                    let job_id = of.job_id;
                    rows.extend(
                        of.rows
                            .iter()
                            .map(|row| (job_id.to_owned(), format!("{:?}", row.file), nhs_of_row(row.sort_key))),
                    );
                }
                JobEvent::PartitionCompleted(of) => {
                    answers.push((of.job_id.to_owned(), of.partition));
                    counts.entry(of.job_id.to_owned()).or_default().push(of.counts);
                }
                JobEvent::JobNoted(of) => notes.push((of.job_id.to_owned(), format!("{:?}", of.note))),
            }
        }
        let ids = || self.jobs.iter().map(|job| job.id.clone());
        findings.each_once(&format!("received on {topic}"), ids(), received);
        findings.each_once(&format!("validated on {topic}"), ids(), validated);
        // Nobody closes the post office here, nobody cleans up, and no file comes from a second source.
        findings.same(&format!("notes on {topic}"), Vec::new(), notes);
        findings.each_once(&format!("rows on {topic}"), self.rows(), rows);
        findings.each_once(&format!("answers on {topic}"), self.by_partition(), answers);
        for job in self.jobs {
            let records = counts.get(&job.id).map_or(0, |counts| counts.iter().map(|c| c.records).sum());
            findings.same(
                &format!("records counted by the partitions for {}", job.practice),
                job.counts().records,
                records,
            );
        }
        Ok(())
    }

    fn by_partition(&self) -> impl Iterator<Item = (String, i32)> {
        self.jobs.iter().flat_map(|job| (0..PARTITIONS).map(|partition| (job.id.clone(), partition)))
    }

    /// Job, kind of file and NHS number of each row; a patient with two differences has two.
    fn rows(&self) -> Vec<(String, String, String)> {
        let mut rows = Vec::new();
        for job in self.jobs {
            let mut row = |file: &str, nhs: &str| rows.push((job.id.clone(), file.to_owned(), nhs.to_owned()));
            for patient in &job.patients {
                if patient.sensitive {
                    row("Cdd", &patient.nhs);
                }
                patient.rules.iter().for_each(|_| row("Cdd", &patient.nhs));
                if patient.is_only_on_gp() {
                    row("OnlyOnGp", &patient.nhs);
                }
                if patient.has_work_item() {
                    row("WorkItem", &patient.nhs);
                }
            }
            job.only_on_pds.iter().for_each(|nhs| row("OnlyOnPds", nhs));
        }
        rows
    }
}

/// The NHS number in a row's sort key (`number/rule/place`) or in a work item's name (`...-number-time.json`).
fn nhs_of_row(sort_key: &str) -> String {
    match sort_key.strip_suffix(".json") {
        Some(name) => name.rsplit('-').nth(1).unwrap_or_default().to_owned(),
        None => sort_key.split('/').next().unwrap_or_default().to_owned(),
    }
}

/// Of all topics of a flow: everything is processed, decided, and so much of it rejected.
pub fn nothing_is_undecided_or_unread(
    topics: &Topics,
    topology: &Topology,
    rejected: usize,
    findings: &mut Findings,
) -> Outcome<()> {
    for source in topology.source_topics() {
        findings.same(&format!("records of {source} not processed"), 0, topics.lag(APPLICATION, &source)?);
    }
    for topic in &topology.topics {
        let open = topics.undecided(&topic.name)?;
        findings.same(&format!("partitions of {} with an open transaction", topic.name), Vec::new(), open);
    }
    let letters = topics.read(&topology.topics[topology.dead_letters].name)?.len();
    findings.same("dead letters", rejected, letters);
    Ok(())
}
