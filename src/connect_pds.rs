//! `concord connect pds`: answers the questions of `pds.lookup` with what PDS holds, until it is told to stop.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use concord_connectors::pds::api::{ApiTime, MachineTime, PdsClient};
use concord_connectors::pds::lookups::{Lookups, Standing};
use concord_engine::log::{Log, LogErrorKind, LogResult};
use concord_schemas::Schemas;

use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;
use crate::health::Health;
use crate::http::{self, Service};

/// How long a step may wait for questions: how soon a stop is noticed.
const STEP: Duration = Duration::from_millis(200);
/// Before the group is joined anew after a failure of the log.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// Configuration, files that it names, topics that do not exist.
pub fn run(config_file: &Path) -> Result<(), Failure> {
    let config = Config::read(config_file)?;
    let Some(pds) = &config.pds else {
        return Err(Failure::Usage(format!("{}: the section [pds] is missing", config_file.display())));
    };
    let stop = Arc::new(AtomicBool::new(false));
    let time: Arc<dyn ApiTime> = Arc::new(MachineTime::until(stop.clone()));
    let settings = pds.api(crate::publish::selection(config.flow().profile))?;
    let client = PdsClient::new(settings, time.clone()).map_err(|e| Failure::Usage(e.to_string()))?;

    let health = Health::default();
    let service = Service { health: health.clone(), stores: None };
    let http = http::start(&config.http.listen, service, stop.clone())?;
    let log = cluster::wait_for_cluster(&config, &health)?;
    let schemas = Arc::new(cluster::wait_for_schemas(&config, &health)?);
    tracing::info!(http = %http.address(), "Questions to PDS are answered.");
    let connector = Connector { config: &config, log, schemas, client: Arc::new(client), time, health, stop: &stop };
    let outcome = connector.work();
    stop.store(true, Ordering::SeqCst);
    http.join();
    outcome
}

/// What the service is made of, each time it begins anew.
struct Connector<'c> {
    config: &'c Config,
    log: Arc<dyn Log>,
    schemas: Arc<Schemas>,
    client: Arc<PdsClient>,
    time: Arc<dyn ApiTime>,
    health: Health,
    stop: &'c AtomicBool,
}

impl Connector<'_> {
    fn work(&self) -> Result<(), Failure> {
        while !self.stop.load(Ordering::SeqCst) {
            let Err(error) = self.work_as_a_member() else { return Ok(()) };
            match error.kind {
                LogErrorKind::UnknownTopic => {
                    let advice = "run `concord topics apply --config FILE` first";
                    return Err(Failure::Usage(format!("{error}: {advice}")));
                }
                LogErrorKind::Fatal => return Err(Failure::other("answering questions to PDS", error)),
                _ => {}
            }
            tracing::warn!(%error, "The log failed; what was not committed is read again.");
            self.health.waits_for("the Kafka cluster");
            self.time.wait(PAUSE);
        }
        Ok(())
    }

    fn work_as_a_member(&self) -> LogResult<()> {
        let settings = self.config.lookups();
        let mut lookups =
            Lookups::join(self.log.as_ref(), self.schemas.clone(), self.client.clone(), self.time.clone(), settings)?;
        while !self.stop.load(Ordering::SeqCst) {
            lookups.step(STEP)?;
            self.health.connector_stands(match lookups.standing() {
                Standing::NoPartitions => Err("waiting for the group to give partitions to this process".to_string()),
                Standing::Working(partitions) => Ok(format!("questions of {partitions} partitions are answered")),
                Standing::Waiting { why, .. } => Err(format!("waiting for PDS: {why}")),
            });
        }
        lookups.close(true)
    }
}
