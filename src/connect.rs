//! `concord connect`: the ways between the log and what is beside it, until the process is told to stop.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use concord_connectors::connect::{
    self, BACK_OFF, BucketIntake, BucketPlace, DocumentIds, Edge, FolderIntake, FolderPlace, IdOf, InputIds, Mailbox,
    MeshAccess, MeshDestination, Outbox, Place, PlaceDestination, Results, RetainedInputs, Retention, Route, Standing,
    Surroundings, Trouble,
};
use concord_connectors::mail::{Account, MailError, MailProblem, MailSettings, MailTls};
use concord_connectors::mesh::TlsFiles;
use concord_connectors::patience::Patience;
use concord_connectors::secret::Secret;
use concord_engine::clock::SystemClock;
use concord_flows::list_reconciliation::ids;
use concord_flows::patient_documents::{document_id, version_id};
use concord_flows::sequence_audit::file_id;

use crate::cluster;
use crate::config::Config;
use crate::config::connectors::{Mail, MailTlsName, Mesh, S3, kinds, seconds};
use crate::failure::Failure;
use crate::health::Health;
use crate::http::{self, Service};

/// One call waits only shortly for a peer that is away: the edge itself waits without end, and says so.
const CALL_PATIENCE: Patience =
    Patience { attempts: 3, first_pause: Duration::from_millis(500), longest_pause: Duration::from_secs(5) };
/// Between two looks whether a place that tells nothing more has arrived.
const NEVER_ASKED: Duration = Duration::from_secs(3600);

/// Which connector.
#[derive(Clone, Copy)]
pub enum Connector {
    /// Mailboxes of MESH.
    Mesh,
    /// Folders and buckets.
    Files,
    /// The mail server.
    Mail,
}

/// Runs a connector until SIGTERM or SIGINT.
///
/// # Errors
/// Configuration, or a service that cannot be started. Outages are waited for.
pub fn connect(connector: Connector, config_file: &Path) -> Result<(), Failure> {
    let config = Config::read(config_file)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (health, standing) = (Health::of_edges(), Standing::default());
    let service = Service { health: health.clone(), stores: None };
    let http = http::start(&config.http.listen, service, stop.clone())?;

    let log = cluster::wait_for_cluster(&config, &health)?;
    let schemas = Arc::new(cluster::wait_for_schemas(&config, &health)?);
    let surroundings = Surroundings {
        log,
        schemas,
        clock: Arc::new(SystemClock),
        input_ids: InputIds {
            extract: config.flows.list_reconciliation.as_ref().map(|_| ids::job_id as IdOf),
            interchanges: config.flows.sequence_audit.as_ref().map(|_| file_id as IdOf),
            documents: config
                .flows
                .patient_documents
                .as_ref()
                .map(|_| DocumentIds { document: document_id, version: version_id }),
        },
        application: config.list_reconciliation().application,
        instance: config.instance.name.clone(),
        spool_dir: config.connect.spool_dir.clone().unwrap_or_else(env::temp_dir),
        largest_input: config.connect.largest_input_mib << 20,
        max_record_bytes: config.processing.max_record_bytes,
    };
    let edges = match connector {
        Connector::Mesh => of_mesh(&config, &surroundings, &standing)?,
        Connector::Files => of_files(&config, &surroundings, &standing)?,
        Connector::Mail => vec![of_mail(&config, &surroundings)?],
    };
    health.follows(standing.clone());
    let mut threads = Vec::new();
    for mut edge in edges {
        let (standing, stop) = (standing.clone(), stop.clone());
        let thread = thread::Builder::new()
            .name(edge.name().to_string())
            .spawn(move || {
                let _guard = StopsOnPanic(stop.clone());
                connect::run(edge.as_mut(), BACK_OFF, &standing, &stop);
            })
            .map_err(|e| Failure::other("starting an edge", e))?;
        threads.push(thread);
    }
    tracing::info!(edges = threads.len(), http = %http.address(), "Concord connects.");
    let mut failure = None;
    for thread in threads {
        if thread.join().is_err() {
            failure = Some(Failure::Other("an edge panicked: this is a fault of the program".to_string()));
        }
    }
    http.join();
    failure.map_or(Ok(()), Err)
}

/// An edge that panics ends the process: the others leave cleanly, and a supervisor starts all anew.
struct StopsOnPanic(Arc<AtomicBool>);

impl Drop for StopsOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}

fn of_mesh(config: &Config, surroundings: &Surroundings, standing: &Standing) -> Result<Vec<Box<dyn Edge>>, Failure> {
    let Some(mesh) = &config.mesh else {
        return Err(Failure::Usage("`concord connect mesh` wants a section [mesh] in the configuration".to_string()));
    };
    let mut edges: Vec<Box<dyn Edge>> = Vec::new();
    for mailbox in mesh.mailboxes.iter().filter(|mailbox| mailbox.intake) {
        let edge = Mailbox::new(
            mesh_access(mesh, &mailbox.id, &mailbox.password_file, surroundings.largest_input),
            mailbox.workflow_ids.clone(),
            seconds(mailbox.poll_seconds),
            surroundings.clone(),
            standing.clone(),
        );
        edges.push(Box::new(edge.holding(mailbox.holds.kind(None))));
    }
    for results in &mesh.results {
        let from = mesh.mailboxes.iter().find(|mailbox| mailbox.id == results.from);
        let Some(from) = from else { continue };
        let access = mesh_access(mesh, &from.id, &from.password_file, surroundings.largest_input);
        let destination = MeshDestination::new(access, results.to.clone(), results.workflow_id.clone());
        let route = route(&results.name, &results.files, seconds(results.track_seconds))?;
        edges.push(Box::new(Results::new("mesh", route, surroundings.clone(), Box::new(destination))));
    }
    Ok(edges)
}

fn mesh_access(mesh: &Mesh, mailbox: &str, password_file: &Path, largest_message: u64) -> MeshAccess {
    let tls = match (&mesh.ca, &mesh.certificate, &mesh.key) {
        (Some(ca), Some(certificate), Some(key)) => {
            Some(TlsFiles { ca: ca.clone(), certificate: certificate.clone(), key: key.clone() })
        }
        _ => None,
    };
    MeshAccess {
        url: mesh.url.clone(),
        tls,
        shared_key_file: mesh.shared_key_file.clone(),
        mailbox: mailbox.to_string(),
        password_file: password_file.to_path_buf(),
        largest_message,
        patience: CALL_PATIENCE,
    }
}

fn of_files(config: &Config, surroundings: &Surroundings, standing: &Standing) -> Result<Vec<Box<dyn Edge>>, Failure> {
    let mut edges = of_folders(config, surroundings, standing)?;
    if let Some(s3) = &config.s3 {
        edges.extend(of_buckets(s3, surroundings, standing)?);
    }
    if edges.is_empty() {
        let wanted = "`concord connect files` wants something in [folders] or [s3] of the configuration";
        return Err(Failure::Usage(wanted.to_string()));
    }
    Ok(edges)
}

fn of_folders(
    config: &Config,
    surroundings: &Surroundings,
    standing: &Standing,
) -> Result<Vec<Box<dyn Edge>>, Failure> {
    let place = |path: &PathBuf| -> Box<dyn Place> { Box::new(FolderPlace::new(path.clone())) };
    let mut edges: Vec<Box<dyn Edge>> = Vec::new();
    for intake in &config.folders.intake {
        let (path, taken, poll) = (intake.path.clone(), intake.taken.clone(), seconds(intake.poll_seconds));
        let kind = intake.holds.kind(intake.workflow_id.as_ref());
        edges.push(Box::new(FolderIntake::new(path, taken, poll, kind, surroundings.clone(), standing.clone())));
        if let Some(taken) = &intake.taken {
            let of = format!("taken {}", taken.display());
            edges.extend(retention(&of, place(taken), intake.taken_days, surroundings));
        }
    }
    for results in &config.folders.results {
        let destination = Box::new(PlaceDestination(place(&results.path)));
        let route = route(&results.name, &results.files, NEVER_ASKED)?;
        edges.push(Box::new(Results::new("folder", route, surroundings.clone(), destination)));
        edges.extend(retention(&results.name, place(&results.path), results.retention_days, surroundings));
    }
    for inputs in &config.folders.inputs {
        edges.push(Box::new(RetainedInputs::new(&inputs.name, surroundings.clone(), place(&inputs.path))));
        edges.extend(retention(&inputs.name, place(&inputs.path), inputs.retention_days, surroundings));
    }
    Ok(edges)
}

fn of_buckets(s3: &S3, surroundings: &Surroundings, standing: &Standing) -> Result<Vec<Box<dyn Edge>>, Failure> {
    let place =
        |bucket: &str, prefix: &str| -> Box<dyn Place> { Box::new(BucketPlace::new(s3.access(bucket), prefix)) };
    let mut edges: Vec<Box<dyn Edge>> = Vec::new();
    for intake in &s3.intake {
        edges.push(Box::new(BucketIntake::new(
            s3.access(&intake.bucket),
            intake.prefix.clone(),
            intake.taken_prefix.as_deref(),
            seconds(intake.poll_seconds),
            intake.holds.kind(intake.workflow_id.as_ref()),
            surroundings.clone(),
            standing.clone(),
        )));
        if let Some(taken) = &intake.taken_prefix {
            let of = format!("taken {}/{taken}", intake.bucket);
            edges.extend(retention(&of, place(&intake.bucket, taken), intake.taken_days, surroundings));
        }
    }
    for results in &s3.results {
        let destination = Box::new(PlaceDestination(place(&results.bucket, &results.prefix)));
        let route = route(&results.name, &results.files, NEVER_ASKED)?;
        edges.push(Box::new(Results::new("s3", route, surroundings.clone(), destination)));
        let kept = place(&results.bucket, &results.prefix);
        edges.extend(retention(&results.name, kept, results.retention_days, surroundings));
    }
    for inputs in &s3.inputs {
        let kept = place(&inputs.bucket, &inputs.prefix);
        edges.push(Box::new(RetainedInputs::new(&inputs.name, surroundings.clone(), kept)));
        let kept = place(&inputs.bucket, &inputs.prefix);
        edges.extend(retention(&inputs.name, kept, inputs.retention_days, surroundings));
    }
    Ok(edges)
}

fn retention(of: &str, place: Box<dyn Place>, days: Option<u32>, surroundings: &Surroundings) -> Option<Box<dyn Edge>> {
    let edge = Retention::new(of, place, days?, surroundings.clock.clone());
    Some(Box::new(edge))
}

fn route(name: &str, files: &[String], ask_every: Duration) -> Result<Route, Failure> {
    Ok(Route { name: name.to_string(), files: kinds(files).map_err(Failure::Usage)?, ask_every })
}

fn of_mail(config: &Config, surroundings: &Surroundings) -> Result<Box<dyn Edge>, Failure> {
    let Some(mail) = config.mail.clone() else {
        return Err(Failure::Usage("`concord connect mail` wants a section [mail] in the configuration".to_string()));
    };
    Ok(Box::new(Outbox::new(Box::new(move || mail_settings(&mail)), surroundings.clone())))
}

fn mail_settings(mail: &Mail) -> Result<MailSettings, Trouble> {
    let tls = match mail.tls {
        MailTlsName::Tls => MailTls::Tls,
        MailTlsName::StartTls => MailTls::StartTls,
        MailTlsName::None => MailTls::None,
    };
    let mut settings = MailSettings::new(&mail.host, mail.port, tls, &mail.sender);
    settings.ca = mail.ca.clone();
    settings.patience = CALL_PATIENCE;
    if let Some(hello) = &mail.hello {
        settings.hello = hello.clone();
    }
    if let (Some(user), Some(file)) = (&mail.user, &mail.password_file) {
        let password = Secret::from_file(file).map_err(|error| MailError {
            problem: MailProblem::Settings,
            action: "settings".to_string(),
            detail: format!("{}: {error}", file.display()),
        })?;
        settings.account = Some(Account { user: user.clone(), password });
    }
    Ok(settings)
}
