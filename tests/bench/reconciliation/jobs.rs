//! What became of the jobs.

use std::collections::HashMap;

use concord_engine::log::kafka::KafkaLog;
use concord_engine::log::read_whole_topic;
use concord_schemas::Schemas;
use concord_schemas::codec::JOB;
use concord_schemas::list_reconciliation::{Job, JobCounts};

use super::practices::add;
use crate::Result;

/// The jobs that are reconciled, by id. An error when one has come to another end.
pub fn reconciled(log: &KafkaLog) -> Result<HashMap<String, JobCounts>> {
    let decoder = Schemas::bundled().decoder();
    let mut jobs = HashMap::new();
    let mut failed: Option<String> = None;
    read_whole_topic(log, "list-reconciliation.job", &mut |_, record| {
        let Some(value) = &record.value else { return };
        match decoder.decode::<Job<'_>>(&JOB, value) {
            Ok(job) if job.status == "RECONCILED" => {
                jobs.insert(job.job_id.to_owned(), job.counts);
            }
            Ok(job) if job.status == "RECEIVED" || job.status == "VALIDATED" => {}
            Ok(job) => failed = Some(format!("a job ended {}: {:?}", job.status, job.reasons)),
            Err(error) => failed = Some(format!("a job cannot be read: {error}")),
        }
    })?;
    match failed {
        None => Ok(jobs),
        Some(what) => Err(what.into()),
    }
}

/// What they have counted together.
pub fn sum<'a>(jobs: impl IntoIterator<Item = &'a JobCounts>) -> JobCounts {
    let mut sum = JobCounts::default();
    for counts in jobs {
        add(&mut sum, counts, 1);
    }
    sum
}
