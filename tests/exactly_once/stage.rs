//! What a scenario plays on: a broker, two instances, and the files to be sent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use concord_flows::list_reconciliation::topology::{JOB, PDS_RECORD};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::Job;

use crate::audit::Audited;
use crate::broker::Broker;
use crate::documents::Planned;
use crate::flow::Flow;
use crate::instance::{APPLICATION, Instance, concord};
use crate::practices::{self, Practice};
use crate::topics::Topics;
use crate::{Dice, Outcome, poll_until};

/// How often a command is tried while the broker is away.
const ATTEMPTS: u32 = 5;

/// See the module.
pub struct Stage {
    pub flow: &'static Flow,
    // Before the broker, so that they are ended first.
    pub instances: [Instance; 2],
    /// One that comes and goes, so that partitions move.
    pub guest: Instance,
    pub broker: Broker,
    pub topics: Topics,
    pub dice: Dice,
    pub practices: Vec<Practice>,
    /// Job ids of the practices whose extracts were sent, in order.
    pub jobs: Vec<String>,
    pub audited: Audited,
    pub documents: Planned,
    /// How often an instance or the broker was killed.
    pub kills: u64,
    /// How often an instance has died at a failpoint.
    pub deaths: u64,
    pds: PathBuf,
    folder: PathBuf,
    pub seed: u64,
    /// When the scenario began.
    pub now: jiff::Timestamp,
}

impl Stage {
    /// Starts the broker and creates the topics; the instances do not run yet.
    pub fn set(folder: &Path, flow: &'static Flow, protocol: &str, seed: u64) -> Outcome<Self> {
        let run = folder.join("broker");
        std::fs::create_dir(&run).map_err(|e| format!("making {}: {e}", run.display()))?;
        let broker = Broker::start(&run)?;
        let instances = [
            Instance::prepare(folder, "a", &broker.bootstrap, protocol, flow.section)?,
            Instance::prepare(folder, "b", &broker.bootstrap, protocol, flow.section)?,
        ];
        let guest = Instance::prepare(folder, "guest", &broker.bootstrap, protocol, flow.section)?;
        let stage = Self {
            flow,
            guest,
            topics: Topics::of(&broker.bootstrap, &BTreeMap::new())?,
            instances,
            broker,
            dice: Dice(seed),
            practices: Vec::new(),
            jobs: Vec::new(),
            audited: Audited::default(),
            documents: Planned::default(),
            kills: 0,
            deaths: 0,
            pds: PathBuf::new(),
            folder: folder.to_path_buf(),
            seed,
            // The time of now: the broker deletes records that are older than a topic's retention.
            now: jiff::Timestamp::now(),
        };
        stage.run(&["topics", "apply"], None)?;
        Ok(stage)
    }

    /// Where everything of the scenario lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the files to be sent.
    pub fn generate(&mut self, extracts: u64, records: u64) -> Outcome<()> {
        (self.practices, self.pds) = practices::generate(&self.folder, extracts, records, self.seed, self.now)?;
        Ok(())
    }

    pub fn start_both(&mut self) -> Outcome<()> {
        self.instances.iter_mut().try_for_each(Instance::start)
    }

    /// Sends what PDS holds and waits until it is processed: only then is it certain what an extract meets.
    pub fn send_pds(&mut self, meanwhile: impl FnOnce(&mut Self) -> Outcome<()>) -> Outcome<()> {
        self.run(&["produce", "pds"], Some(&self.pds))?;
        meanwhile(self)?;
        poll_until(Duration::from_secs(120), Duration::from_millis(100), || {
            Ok(self.topics.lag(APPLICATION, PDS_RECORD)? == 0)
        })
        .map_err(|e| format!("the PDS records were not processed: {e}"))
    }

    /// Sends the extract of the next practice, if there is one left.
    pub fn send_next_extract(&mut self) -> Outcome<()> {
        let Some(practice) = self.practices.get(self.jobs.len()) else { return Ok(()) };
        let answer = self.run(&["produce", "extract"], Some(&practice.file))?;
        let job = answer.trim().strip_prefix("job ").ok_or_else(|| format!("`produce extract` answered: {answer}"))?;
        self.jobs.push(job.to_owned());
        Ok(())
    }

    pub fn send_all_extracts(&mut self) -> Outcome<()> {
        while self.jobs.len() < self.practices.len() {
            self.send_next_extract()?;
        }
        Ok(())
    }

    pub fn send_first_extract_again(&self) -> Outcome<()> {
        match self.practices.first() {
            Some(practice) => self.run(&["produce", "extract"], Some(&practice.file)).map(drop),
            None => Ok(()),
        }
    }

    /// Waits until every extract sent is a reconciled job.
    pub fn await_jobs(&mut self, patience: Duration) -> Outcome<()> {
        let decoder = Schemas::bundled().decoder();
        let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
        let waited = poll_until(patience, Duration::from_millis(250), || {
            self.instances.iter_mut().try_for_each(Instance::check_alive)?;
            let mut last: BTreeMap<String, String> = BTreeMap::new();
            for record in self.topics.read(JOB)? {
                let value = record.value.as_deref().unwrap_or_default();
                let job: Job<'_> = decoder.decode(&codec::JOB, value).map_err(|e| e.to_string())?;
                last.insert(record.text_key(), job.status.to_owned());
            }
            statuses.clear();
            for job in &self.jobs {
                *statuses.entry(last.remove(job).unwrap_or_else(|| "not seen".to_owned())).or_default() += 1;
            }
            Ok(statuses.get("RECONCILED") == Some(&self.jobs.len()))
        });
        waited.map_err(|e| format!("the jobs are not all reconciled: {statuses:?}; {e}"))
    }

    /// An instance has work until it ends, as it must when `cause` is made before each piece of work; its last words say `words`.
    pub fn ends_with(&mut self, instance: usize, words: &[&str], cause: impl Fn() -> Outcome<()>) -> Outcome<()> {
        let mut status = None;
        for _ in 0..10 {
            cause()?;
            self.send_next_extract()?;
            let ended = poll_until(Duration::from_secs(5), Duration::from_millis(50), || {
                status = self.instances[instance].ended()?;
                Ok(status.is_some())
            });
            if ended.is_ok() {
                break;
            }
        }
        let status = status.ok_or_else(|| format!("the instance goes on, and should end and say {words:?}"))?;
        let told = self.instances[instance].told()?;
        let last = told.lines().last().unwrap_or_default();
        if status.code() != Some(1) || !words.iter().all(|word| last.contains(word)) {
            return Err(format!("the end was {status}, with the words: {last}; expected were {words:?}"));
        }
        Ok(())
    }

    /// Both instances leave, cleanly.
    pub fn stop(&mut self) -> Outcome<()> {
        // What the last job left to forget is still being committed: positions move on for a moment.
        poll_until(Duration::from_secs(30), Duration::from_millis(200), || self.is_idle())
            .map_err(|e| format!("the instances do not come to rest: {e}"))?;
        self.instances.iter_mut().try_for_each(Instance::stop)
    }

    /// Nothing is committed for half a second.
    pub fn is_idle(&self) -> Outcome<bool> {
        let before: Vec<u64> = self.instances.iter().map(Instance::commits).collect();
        std::thread::sleep(Duration::from_millis(500));
        Ok(self.instances.iter().map(Instance::commits).eq(before))
    }

    /// `concord verify` on the configuration of an instance: how it ended, and the places and words of its findings.
    pub fn verify(&self, instance: usize) -> Outcome<(bool, Vec<String>)> {
        let mut command = concord(&["verify", "--json", "--config"]);
        let output = command
            .arg(&self.instances[instance].config)
            .output()
            .map_err(|e| format!("running `concord verify`: {e}"))?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .map_err(|e| format!("`concord verify` printed no report: {e}; {told}"))?;
        if told.contains("ERROR") {
            return Err(format!("`concord verify` printed a report, and errors beside it: {told}"));
        }
        let findings = report["findings"].as_array().ok_or("a report without findings")?;
        let text = |finding: &serde_json::Value| {
            let of = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", of("place"), of("what"))
        };
        Ok((output.status.success(), findings.iter().map(text).collect()))
    }

    /// What the test has seen, an operator sees as well.
    pub fn verify_finds_nothing(&self) -> Outcome<()> {
        for instance in 0..self.instances.len() {
            let (is_well, findings) = self.verify(instance)?;
            if !is_well || !findings.is_empty() {
                return Err(format!("`concord verify` found what the verifier did not: {findings:?}"));
            }
        }
        Ok(())
    }

    /// Runs a command of the program; again for a while, since the broker may be away.
    fn run(&self, arguments: &[&str], file: Option<&Path>) -> Outcome<String> {
        let mut told = String::new();
        for _ in 0..ATTEMPTS {
            let mut command = concord(arguments);
            command.arg("--config").arg(&self.instances[0].config).args(file);
            if file.is_some() {
                command.args(["--at", &self.now.to_string()]);
            }
            let output = command.output().map_err(|e| format!("running {arguments:?}: {e}"))?;
            if output.status.success() {
                return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
            }
            told = String::from_utf8_lossy(&output.stderr).into_owned();
        }
        Err(format!("concord {arguments:?} failed {ATTEMPTS} times: {told}"))
    }
}
