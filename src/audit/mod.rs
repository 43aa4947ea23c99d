//! `concord audit`: the topology of the sequence audit over files, on the embedded log.

mod baseline;
mod demo;
mod explained;
mod findings;
mod local_log;
mod questions;
mod report;
mod sources;
mod taking_over;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use concord_engine::TimerClock;
use concord_engine::clock::SystemClock;
use concord_engine::local::LocalRun;
use concord_engine::store_reads::KeyRange;
use concord_flows::sequence_audit::reports::history;
use concord_flows::sequence_audit::topology::{LINK_MESSAGES, LINKS, TRANSACTION_LINES};
use concord_flows::sequence_audit::values::{KeptLink, KeptTransactions, OpenMessage};
use concord_flows::sequence_audit::{
    AuditSettings, Circle, LineSettings, ReceiptSettings, Settings, from_stored, topology,
};
use concord_schemas::gp_links::StateDocument;
use concord_schemas::sequence_audit::AuditCommand;
use concord_state::MemoryDirectory;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use crate::cli::{AuditArgs, AuditFilesArgs, AuditQuestion};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::reconcile::{DeadLetters, read_letters};
pub use baseline::LastUsed;
use findings::{FindingLine, read_findings};
use local_log::LocalLog;
use sources::Source;
pub use taking_over::{baseline as produce_baseline, history as produce_history};

/// What is audited.
#[derive(Default)]
pub struct Request {
    /// The numbers used last before what follows.
    baseline: Vec<baseline::LastUsed>,
    /// What came before the sources.
    history: Vec<StateDocument>,
    /// Interchanges, by the time at which they came.
    sources: Vec<Source>,
    /// When it is audited, milliseconds since the epoch.
    at_ms: i64,
    /// How lines and receipts are judged.
    audit: AuditSettings,
}

/// What an audit found.
pub struct Outcome {
    /// By sender and recipient.
    links: Vec<KeptLink>,
    /// By sender.
    transactions: Vec<KeptTransactions>,
    /// By link, interchange and number.
    messages: Vec<OpenMessage>,
    /// By id.
    findings: Vec<FindingLine>,
    dead_letters: DeadLetters,
    audit: AuditSettings,
}

/// Runs `concord audit`.
///
/// # Errors
/// [`Failure::Findings`] when something is found; files that cannot be read or written.
pub fn audit(args: AuditArgs) -> Result<(), Failure> {
    match (args.question, args.files) {
        (Some(AuditQuestion::Demo(args)), _) => demo::demo(&args),
        (Some(AuditQuestion::Operations(args)), _) => questions::operations(&args),
        (Some(AuditQuestion::Explain(args)), _) => explained::explain(&args),
        (Some(AuditQuestion::MissingNumbers(args)), _) => questions::missing_numbers(&args),
        (Some(AuditQuestion::MissingReceipts(args)), _) => questions::missing_receipts(&args),
        (None, Some(args)) => audit_files(&args),
        (None, None) => Err(Failure::Usage("name files or folders of interchanges: see concord audit --help".into())),
    }
}

fn audit_files(args: &AuditFilesArgs) -> Result<(), Failure> {
    let at_ms = args.at.unwrap_or_else(Timestamp::now).as_millisecond();
    let mut request = Request { at_ms, audit: settings_of(args), ..Request::default() };
    if let Some(path) = &args.baseline {
        request.baseline = baseline::read(path)?;
    }
    for path in &args.history {
        request.history.extend(sources::documents(path)?);
    }
    for path in sources::files(&args.files)? {
        request.sources.push(Source::read(path)?);
    }
    if request.sources.is_empty() {
        eprintln!("no file is in what was named: nothing is audited");
    }
    let outcome = run(request)?;
    outcome.write(&args.out)?;
    if args.json {
        println!("{}", report::as_json(&outcome));
    } else {
        print!("{}", report::as_text(&outcome));
        println!("Findings: {}", args.out.join(FINDINGS).display());
    }
    crate::tell_dead_letters(&outcome.dead_letters);
    if outcome.findings.is_empty() && outcome.dead_letters.count == 0 { Ok(()) } else { Err(Failure::Findings) }
}

/// In the output folder: what is found, one JSON object a line.
const FINDINGS: &str = "findings.ndjson";
/// In the output folder: what a person reads.
const SUMMARY: &str = "summary.txt";

impl Outcome {
    fn write(&self, out: &Path) -> Result<(), Failure> {
        fs::create_dir_all(out).map_err(|e| Failure::Usage(format!("cannot create {}: {e}", out.display())))?;
        let write = |name: &str, text: String| {
            let path: PathBuf = out.join(name);
            fs::write(&path, text).map_err(|e| Failure::other(format!("writing {}", path.display()), e))
        };
        let lines: String = self.findings.iter().map(|finding| format!("{}\n", finding.as_json())).collect();
        write(FINDINGS, lines)?;
        write(SUMMARY, report::as_text(self))
    }
}

/// The settings of a run over files: a number and a receipt without its message may be late for as long.
fn settings(grace: SignedDuration) -> AuditSettings {
    let grace_ms = millis(grace);
    let line = |numbers| LineSettings { grace_ms, ..LineSettings::of(numbers) };
    AuditSettings {
        interchanges: line(Circle::REFERENCES),
        messages: line(Circle::REFERENCES),
        gp_transactions: line(Circle::GP_TRANSACTIONS),
        authority_transactions: Some(line(Circle::AUTHORITY_TRANSACTIONS)),
        receipts: ReceiptSettings { orphan_ms: grace_ms, ..ReceiptSettings::default() },
    }
}

/// The same, as they are asked for.
fn settings_of(args: &AuditFilesArgs) -> AuditSettings {
    let mut audit = settings(args.grace);
    audit.receipts.overdue_ms = millis(args.receipts_within);
    // A link is silent when no interchange comes; its messages and transactions come in these.
    audit.interchanges.silence_ms = args.silence.map(millis);
    if args.no_authority_transactions {
        audit.authority_transactions = None;
    }
    audit
}

/// At most a thousand years, so that no time goes beyond the calendar.
fn millis(duration: SignedDuration) -> i64 {
    const MOST_MS: i64 = 1_000 * 366 * 24 * 60 * 60 * 1_000;
    i64::try_from(duration.as_millis()).unwrap_or(MOST_MS).min(MOST_MS)
}

/// Runs an audit. Its time is that of its records: nothing is called missing before what came in time has been read.
fn run(mut request: Request) -> Result<Outcome, Failure> {
    let failed = |e| Failure::other("auditing", e);
    // One partition, so that everything is read in the order of its time.
    let flow = Settings { partitions: 1, audit: request.audit, clock: TimerClock::StreamTime, ..Settings::default() };
    let topology = Arc::new(topology(&flow).map_err(|e| Failure::other("building the topology", e))?);
    let mut progress = Progress::new();
    let directory = Arc::new(MemoryDirectory::new());
    let mut run = LocalRun::start(topology.clone(), directory, Arc::new(SystemClock)).map_err(failed)?;
    let mut log = LocalLog::open(run.log())?;

    let at_ms = request.at_ms;
    for source in &mut request.sources {
        source.received_at_ms = source.prepared_at_ms.map_or(at_ms, |prepared| prepared.min(at_ms));
    }
    request.sources.sort_by(|a, b| (a.received_at_ms, &a.name).cmp(&(b.received_at_ms, &b.name)));
    let begins_at_ms = request.sources.first().map_or(at_ms, |first| first.received_at_ms);

    for last_used in &request.baseline {
        log.command(&AuditCommand { at_ms: begins_at_ms, ..last_used.command() })?;
    }
    run.run_until_idle(&mut |done, waiting| progress.show("taking over", done, waiting)).map_err(failed)?;

    let mut before = history::interchanges(&request.history);
    before.sort_by_key(|seen| seen.prepared_at_ms);
    for seen in &before {
        log.interchange(seen, seen.prepared_at_ms.map_or(begins_at_ms, |prepared| prepared.min(at_ms)))?;
    }
    run.run_until_idle(&mut |done, waiting| progress.show("reading history", done, waiting)).map_err(failed)?;
    for receipt in history::receipts(&request.history) {
        let prepared = receipt.receipt.prepared_at_ms;
        log.receipt(&receipt, prepared.map_or(begins_at_ms, |prepared| prepared.min(at_ms)))?;
    }
    for source in &request.sources {
        log.source(source)?;
    }
    run.run_until_idle(&mut |done, waiting| progress.show("auditing", done, waiting)).map_err(failed)?;
    log.time_passes(at_ms)?;
    run.run_until_idle(&mut |done, waiting| progress.show("keeping deadlines", done, waiting)).map_err(failed)?;
    progress.end();

    let outcome = Outcome {
        links: stored(&run, LINKS)?,
        transactions: stored(&run, TRANSACTION_LINES)?,
        messages: stored(&run, LINK_MESSAGES)?,
        findings: read_findings(run.log())?,
        dead_letters: read_letters(&run, &topology)?,
        audit: request.audit,
    };
    run.stop().map_err(failed)?;
    Ok(outcome)
}

/// Everything in a store, in order of key.
fn stored<T: DeserializeOwned>(run: &LocalRun, store: &str) -> Result<Vec<T>, Failure> {
    let reading = |e: &dyn std::fmt::Display| Failure::other(format!("reading the store {store}"), e);
    let answer = run.stores().scan(store, &KeyRange::default(), usize::MAX - 1).map_err(|e| reading(&e))?;
    answer.entries.iter().map(|entry| from_stored(&entry.value).map_err(|e| reading(&e))).collect()
}
