//! The flow as a topology: intake by file, comparison by NHS number, report by job.

use std::sync::Arc;

use concord_engine::topology::{Cleanup, ProcessorBuilder, Topology, TopologyBuilder, TopologyError};

use super::asking_dps::{self, AskingDps};
use super::comparison::{self, Asking, Comparison, StandingStores};
use super::intake::{self, Intake, ToDps};
use super::report::{self, Report, Telling};
use super::settings::{DpsExchange, Lookups, RegistrationSource, Settings};
use super::values::{
    Commands, Decisions, Deliveries, Differences, DpsAnswers, ExtractEvents, Files, GpEvents, JobEvents, Jobs, Mails,
    Outcomes, PdsAnswers, PdsLookups, PdsRecords, RefusedInputs, Registrations, RouteStatuses, StandingLists,
    StandingPeople,
};

pub use concord_schemas::dps::DPS_ANSWER;
pub use concord_schemas::pds::{PDS_ANSWER, PDS_LOOKUP};

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
/// Topic of what business rules decided.
pub const DECISION: &str = "list-reconciliation.decision";
/// Topic of output files.
pub const FILE: &str = "list-reconciliation.file";
/// Topic of mails that wait to be sent.
pub const MAIL: &str = "list-reconciliation.mail";
/// Topic of what became of files and mails.
pub const DELIVERY: &str = "list-reconciliation.delivery";
/// Topic of what operators want done, and the record of it.
pub const COMMAND: &str = "list-reconciliation.command";
/// Topic of the routes as they are.
pub const POST_OFFICE: &str = "list-reconciliation.post-office";
/// Topic of what arrived and was not taken in.
pub const INTAKE_REFUSED: &str = "intake.refused";

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
    let decisions = t.output::<Decisions>(DECISION, "practice/NHS number/rule id", partitions, Cleanup::Compact);
    let files = t.output::<Files>(FILE, "job id/file name", partitions, for_a_month);
    // Written by connectors; and by a processor where answers of DPS are refused.
    let refused_inputs = t.output::<RefusedInputs>(INTAKE_REFUSED, "source", partitions, for_a_month);

    let for_a_year = Cleanup::DeleteAfter { retention_ms: 366 * DAY_MS };
    let commands = t.input::<Commands>(COMMAND, "job id, or route", partitions, for_a_year);
    let deliveries = t.input::<Deliveries>(DELIVERY, "job id", partitions, for_a_month);
    let for_a_week = Cleanup::DeleteAfter { retention_ms: 7 * DAY_MS };
    let exchange_with_pds = (settings.lookups != Lookups::Never).then(|| {
        let questions = t.output::<PdsLookups>(PDS_LOOKUP, "NHS number", partitions, for_a_week);
        let answers = t.input::<PdsAnswers>(PDS_ANSWER, "NHS number", partitions, for_a_week);
        (questions, answers, settings.lookups)
    });
    let exchange_with_dps = (settings.dps == DpsExchange::Asks).then(|| {
        let sent = t.repartition::<JobEvents>("dps-jobs", "job id", partitions);
        let answers = t.input::<DpsAnswers>(DPS_ANSWER, "job id", partitions, for_a_month);
        (sent, answers)
    });
    let plays_dps = settings.dps == DpsExchange::Answers;
    let mails = t.output::<Mails>(MAIL, "mail id", partitions, for_a_month);
    let route_statuses = t.output::<RouteStatuses>(POST_OFFICE, "route/partition", partitions, Cleanup::Compact);

    let post_office = Arc::new(settings.post_office.clone());
    let telling = Telling { mails: settings.mails.clone(), delivered: settings.delivered.clone() };
    let job_timeout_ms = settings.job_timeout_ms;
    let rules = Arc::new(settings.rules.clone());
    let Settings { profile, on_invalid, upload_timeout_ms, registrations: registration_source, standing, .. } =
        *settings;

    t.sub_topology("intake", |sub| {
        let source = sub.source(extracts);
        let wanted = sub.source(commands);
        let job_store = sub.key_value_store("intake-jobs");
        let pieces = sub.key_value_store("intake-pieces");
        let routes = sub.key_value_store("intake-routes");
        let waiting = sub.ordered_store("intake-waiting");
        sub.processor("intake", |p: &mut ProcessorBuilder<'_, Intake>| {
            p.on(source, Intake::on_event);
            p.on(wanted, Intake::on_command);
            p.on_timer(Intake::on_timer);
            let handles = intake::Handles {
                jobs: p.store(job_store),
                pieces: p.store(pieces),
                routes: p.store(routes),
                waiting: p.store(waiting),
                gp_events: p.sink(gp_events),
                job_events: p.sink(job_events),
                post_office: p.sink(route_statuses),
                to_dps: exchange_with_dps.map(|(sent, _)| ToDps { files: p.sink(files), jobs: p.sink(sent) }),
            };
            move || Intake {
                handles,
                profile,
                plays_dps,
                on_invalid,
                upload_timeout_ms,
                job_timeout_ms,
                post_office: post_office.clone(),
                validating: None,
                releasing: Vec::new(),
            }
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
        let standing = standing.then(|| {
            let people = sub.key_value_store::<StandingPeople>("standing");
            let by_practice = sub.derived_store("standing-by-practice", people, |nhs, person, emit| {
                comparison::practices_of(nhs, &person, emit);
            });
            (people, by_practice, sub.ordered_store::<StandingLists>("standing-lists"))
        });
        let exchange_with_pds = exchange_with_pds.map(|(questions, answers, about)| {
            let waiting = sub.ordered_store::<GpEvents>("lookups-waiting");
            let waiting_of_job = sub.derived_store("lookups-waiting-by-job", waiting, |_, event, emit| {
                comparison::waiting_of_job(&event, emit);
            });
            let ends = sub.key_value_store::<GpEvents>("lookups-ends");
            (about, questions, sub.source(answers), waiting, waiting_of_job, ends)
        });
        sub.processor("comparison", |p: &mut ProcessorBuilder<'_, Comparison>| {
            p.on(records, Comparison::on_gp_event);
            p.on_change(pds, Comparison::on_pds_record);
            p.on_change(registered, Comparison::on_registration);
            p.on_timer(Comparison::on_timer);
            let asking = exchange_with_pds.map(|(about, questions, answers, waiting, waiting_of_job, ends)| {
                p.on(answers, Comparison::on_pds_answer);
                Asking {
                    about,
                    waiting: p.store(waiting),
                    waiting_of_job: p.store(waiting_of_job),
                    ends: p.store(ends),
                    questions: p.sink(questions),
                }
            });
            let handles = comparison::Handles {
                pds: p.store(pds_store),
                registered_at: p.store(registered_at),
                practice_lists: p.store(practice_lists),
                named: p.store(named),
                counts: p.store(counts),
                standing: standing.map(|(people, by_practice, lists)| StandingStores {
                    people: p.store(people),
                    by_practice: p.store(by_practice),
                    lists: p.store(lists),
                }),
                asking,
                outcomes: p.sink(outcomes),
                differences: p.sink(differences),
                decisions: p.sink(decisions),
                job_events: p.sink(job_events),
            };
            move || Comparison::new(handles, profile, registration_source, plays_dps, rules.clone())
        });
    });

    if let Some((sent, answers)) = exchange_with_dps {
        t.sub_topology("dps", |sub| {
            let sent = sub.source(sent);
            let answered = sub.source(answers);
            let exchanges = sub.key_value_store("dps-exchanges");
            // As long as their topic is.
            let answers = sub.key_value_store_with_time_to_live("dps-answers", 30 * DAY_MS);
            let pieces = sub.key_value_store("dps-pieces");
            sub.processor("dps", |p: &mut ProcessorBuilder<'_, AskingDps>| {
                p.on(sent, AskingDps::on_job);
                p.on(answered, AskingDps::on_answer);
                p.on_timer(AskingDps::on_timer);
                let handles = asking_dps::Handles {
                    exchanges: p.store(exchanges),
                    answers: p.store(answers),
                    pieces: p.store(pieces),
                    job_events: p.sink(job_events),
                    refused: p.sink(refused_inputs),
                };
                move || AskingDps {
                    handles,
                    profile,
                    upload_timeout_ms,
                    job_timeout_ms,
                    judging: None,
                    passing_on: None,
                }
            });
        });
    }

    let asks_pds = settings.lookups != Lookups::Never;
    t.sub_topology("report", |sub| {
        let source = sub.source(job_events);
        let delivered = sub.source(deliveries);
        let job_store = sub.key_value_store("report-jobs");
        let found = sub.ordered_store::<JobEvents>("report-found");
        let rows = sub.derived_store("report-rows", found, |_, event, emit| report::rows_of(&event, emit));
        // As long as the files themselves are kept.
        let ways = sub.key_value_store_with_time_to_live("report-deliveries", 30 * DAY_MS);
        sub.processor("report", |p: &mut ProcessorBuilder<'_, Report>| {
            p.on(source, Report::on_event);
            p.on(delivered, Report::on_delivery);
            p.on_timer(Report::on_timer);
            let handles = report::Handles {
                jobs: p.store(job_store),
                found: p.store(found),
                rows: p.store(rows),
                ways: p.store(ways),
                job_topic: p.sink(jobs),
                files: p.sink(files),
                mails: p.sink(mails),
                gp_events: asks_pds.then(|| p.sink(gp_events)),
            };
            move || Report { handles, profile, plays_dps, job_timeout_ms, telling: telling.clone() }
        });
    });
    t.build()
}
