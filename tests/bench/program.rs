//! The program `concord`, with a configuration of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::read_whole_topic;
use concord_engine::metric_names;

use crate::Result;
use crate::metrics_page::MetricsPage;

pub const PDS_TOPIC: &str = "pds.record";

/// How it is set.
#[derive(Debug, Clone)]
pub struct ProgramSettings {
    pub bootstrap: String,
    /// Of which there is a section in the configuration.
    pub flow: &'static str,
    /// Lines of that section, beside the application.
    pub section: &'static str,
    pub application: String,
    pub workers: usize,
    /// Of every topic.
    pub partitions: i32,
    pub memory_mib: usize,
    /// `None` is the default of the program.
    pub commit_interval_ms: Option<u64>,
}

/// Its configuration file, state folder and port.
pub struct Program {
    settings: ProgramSettings,
    config: PathBuf,
    pub state: PathBuf,
    port: u16,
}

impl Program {
    /// In a folder that is there; the topics are made.
    pub fn new(settings: ProgramSettings, folder: &Path) -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let state = folder.join("state");
        let config = folder.join("concord.toml");
        let ProgramSettings { bootstrap, flow, section, application, workers, partitions, .. } = &settings;
        let memory_mib = settings.memory_mib;
        let processing = settings
            .commit_interval_ms
            .map_or(String::new(), |interval| format!("[processing]\ncommit_interval_ms = {interval}\n"));
        fs::write(
            &config,
            format!(
                "[instance]\nname = \"bench\"\nstate_dir = \"{}\"\nworkers = {workers}\nmemory_mib = {memory_mib}\n\
                 [kafka]\nbootstrap_servers = \"{bootstrap}\"\n[topics]\npartitions = {partitions}\nreplication = 1\n\
                 [http]\nlisten = \"127.0.0.1:{port}\"\n{processing}[flows.{flow}]\napplication = \"{application}\"\n{section}",
                state.display(),
            ),
        )?;
        let program = Self { settings, config, state, port };
        program.call(&["topics", "apply"])?;
        Ok(program)
    }

    /// Runs a command to its end.
    pub fn call(&self, arguments: &[&str]) -> Result<()> {
        let status = Command::new(env!("CARGO_BIN_EXE_concord"))
            .args(arguments)
            .arg("--config")
            .arg(&self.config)
            .stdout(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(format!("concord {} ended with {status}", arguments[..2].join(" ")).into());
        }
        Ok(())
    }

    /// Publishes files.
    pub fn produce(&self, what: &str, files: &[PathBuf]) -> Result<()> {
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        self.call(&[vec!["produce", what], files.iter().map(String::as_str).collect()].concat())
    }

    /// Starts `concord run`.
    pub fn start(&self) -> Result<Running> {
        let child = Command::new(env!("CARGO_BIN_EXE_concord")).arg("run").arg("--config").arg(&self.config).spawn()?;
        Ok(Running { child, port: self.port })
    }

    /// The broker as the engine sees it.
    pub fn log(&self) -> Result<KafkaLog> {
        Ok(KafkaLog::connect(KafkaSettings {
            bootstrap_servers: self.settings.bootstrap.clone(),
            client: std::collections::BTreeMap::new(),
            protocol: GroupProtocol::Auto,
        })?)
    }
}

/// `concord run`.
pub struct Running {
    child: Child,
    port: u16,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// None while it does not answer.
    pub fn metrics(&self) -> Option<MetricsPage> {
        MetricsPage::of_port(self.port)
    }

    /// Records of a topic that it has processed.
    pub fn processed(&self, topic: &str) -> u64 {
        let label = format!("topic=\"{topic}\"");
        let processed = self.metrics().and_then(|page| page.greatest(metric_names::RECORDS_PROCESSED, &label));
        processed.unwrap_or(0.0) as u64
    }

    /// Waits until `done`, looking every 100 ms; an error when the program ends by itself.
    pub fn wait(&mut self, longest: Duration, mut done: impl FnMut(&Self) -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        while !done(self)? {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("concord run ended by itself: {status}").into());
            }
            if began.elapsed() > longest {
                return Err(format!("the flow came to no end in {} s", longest.as_secs()).into());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Ends it as an operator would.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        let status = self.child.wait()?;
        if !status.success() {
            return Err(format!("concord run ended with {status}").into());
        }
        Ok(())
    }
}

impl Drop for Running {
    /// Nothing is left behind when the harness fails.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// How many committed records a topic has.
pub fn count(log: &KafkaLog, topic: &str) -> Result<u64> {
    let mut records = 0;
    read_whole_topic(log, topic, &mut |_, _| records += 1)?;
    Ok(records)
}
