//! The flow as a topology: intake by file, comparison by NHS number, report by job.

use std::collections::HashMap;

use concord_engine::topology::{Cleanup, ProcessorBuilder, Topology, TopologyBuilder, TopologyError};

use super::comparison::{self, Comparison};
use super::intake::{self, Intake};
use super::report::{self, Report};
use super::settings::{RegistrationSource, Settings};
use super::values::{
    Differences, ExtractEvents, Files, GpEvents, JobEvents, Jobs, Outcomes, PdsRecords, Registrations,
};

/// Topic of extracts as producers publish them.
pub const GP_EXTRACT: &str = "gp.extract";
/// Topic of what PDS holds.
pub const PDS_RECORD: &str = "pds.record";
/// Topic of who is registered where.
pub const PDS_REGISTRATION: &str = "pds.registration";
/// Topic of jobs.
pub const JOB: &str = "list-reconciliation.job";
/// Topic of what happened to each record.
pub const OUTCOME: &str = "list-reconciliation.outcome";
/// Topic of differences.
pub const DIFFERENCE: &str = "list-reconciliation.difference";
/// Topic of output files.
pub const FILE: &str = "list-reconciliation.file";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Declares the flow.
///
/// # Errors
/// Only when the settings make it impossible, such as an unusable application id or no partitions.
///
/// ```
/// use concord_flows::list_reconciliation::{Settings, topology};
///
/// let topology = topology(&Settings::default())?;
/// assert!(topology.describe_as_text().contains("sub-topology comparison"));
/// # Ok::<(), concord_engine::topology::TopologyError>(())
/// ```
pub fn topology(settings: &Settings) -> Result<Topology, TopologyError> {
    let partitions = settings.partitions;
    let for_a_month = Cleanup::DeleteAfter { retention_ms: 30 * DAY_MS };
    let mut t = TopologyBuilder::new(&settings.application);

    let extracts = t.input::<ExtractEvents>(GP_EXTRACT, "job id", partitions, for_a_month);
    let pds_records = t.input::<PdsRecords>(PDS_RECORD, "NHS number", partitions, Cleanup::Compact);
    let registrations = t.input::<Registrations>(PDS_REGISTRATION, "NHS number", partitions, Cleanup::Compact);
    let gp_events = t.repartition::<GpEvents>("gp-records", "NHS number, or job id/record number", partitions);
    let job_events = t.repartition::<JobEvents>("job-events", "job id", partitions);
    let jobs = t.output::<Jobs>(JOB, "job id", partitions, Cleanup::Compact);
    let outcomes = t.output::<Outcomes>(OUTCOME, "job id/record number", partitions, for_a_month);
    let differences = t.output::<Differences>(DIFFERENCE, "practice/NHS number/rule id", partitions, Cleanup::Compact);
    let files = t.output::<Files>(FILE, "job id/file name", partitions, for_a_month);

    let Settings { profile, on_invalid, upload_timeout_ms, registrations: registration_source, .. } = *settings;

    t.sub_topology("intake", |sub| {
        let source = sub.source(extracts);
        let job_store = sub.key_value_store("intake-jobs");
        let pieces = sub.key_value_store("intake-pieces");
        sub.processor("intake", |p: &mut ProcessorBuilder<'_, Intake>| {
            p.on(source, Intake::on_event);
            p.on_timer(Intake::on_timer);
            let handles = intake::Handles {
                jobs: p.store(job_store),
                pieces: p.store(pieces),
                gp_events: p.sink(gp_events),
                job_events: p.sink(job_events),
            };
            move || Intake { handles, profile, on_invalid, upload_timeout_ms, validating: None, releasing: Vec::new() }
        });
    });

    t.sub_topology("comparison", |sub| {
        let records = sub.source(gp_events);
        let pds = sub.source(pds_records);
        let registered = sub.source(registrations);
        let pds_store = sub.key_value_store::<PdsRecords>("pds");
        let registered_at = sub.key_value_store::<Registrations>("registered-at");
        let practice_lists = match registration_source {
            RegistrationSource::PdsRecords => sub.derived_store("practice-lists", pds_store, |nhs, pds, emit| {
                comparison::member_of_list(pds.gp_practice, nhs, emit);
            }),
            RegistrationSource::RegistrationList => {
                sub.derived_store("practice-lists", registered_at, |nhs, registration, emit| {
                    comparison::member_of_list(registration.gp_practice, nhs, emit);
                })
            }
        };
        let named = sub.ordered_store("job-patients");
        let counts = sub.key_value_store("job-counts");
        sub.processor("comparison", |p: &mut ProcessorBuilder<'_, Comparison>| {
            p.on(records, Comparison::on_gp_event);
            p.on_change(pds, Comparison::on_pds_record);
            p.on_change(registered, Comparison::on_registration);
            p.on_timer(Comparison::on_timer);
            let handles = comparison::Handles {
                pds: p.store(pds_store),
                registered_at: p.store(registered_at),
                practice_lists: p.store(practice_lists),
                named: p.store(named),
                counts: p.store(counts),
                outcomes: p.sink(outcomes),
                differences: p.sink(differences),
                job_events: p.sink(job_events),
            };
            move || Comparison {
                handles,
                profile,
                registrations: registration_source,
                named: HashMap::new(),
                text: String::new(),
                rules: Vec::new(),
            }
        });
    });

    t.sub_topology("report", |sub| {
        let source = sub.source(job_events);
        let job_store = sub.key_value_store("report-jobs");
        let found = sub.ordered_store::<JobEvents>("report-found");
        let rows = sub.derived_store("report-rows", found, |_, event, emit| report::rows_of(&event, emit));
        sub.processor("report", |p: &mut ProcessorBuilder<'_, Report>| {
            p.on(source, Report::on_event);
            p.on_timer(Report::on_timer);
            let handles = report::Handles {
                jobs: p.store(job_store),
                found: p.store(found),
                rows: p.store(rows),
                job_topic: p.sink(jobs),
                files: p.sink(files),
            };
            move || Report { handles, profile }
        });
    });
    t.build()
}
