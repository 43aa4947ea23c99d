//! The flow on a real broker against a bare transactional pass-through of the same bytes, in one run.
//!
//! `KAFKA_BOOTSTRAP=host:port cargo bench --bench flow -- --records 1000000 --workers 2`
//!
//! Arms: P copies the PDS records and the GP records as the flow's own topics hold them, consume to produce, in
//! transactions every 100 ms, one thread, through the same client and settings. S is `concord run` itself: it loads the
//! PDS records and then reconciles as many patients, in extracts of 10,000. Time, CPU and peak memory are of its process
//! alone.

mod pass_through;

use std::fs;
use std::io::{BufWriter, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Log, TopicSpec, read_whole_topic};
use concord_schemas::Schemas;
use concord_schemas::codec::JOB;
use concord_schemas::list_reconciliation::Job;

use pass_through::PassThrough;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const PARTITIONS: i32 = 4;
/// Passes before the first measured arm.
const WARM_UPS: usize = 2;
const DEADLINE: Duration = Duration::from_secs(1_800);

struct Arguments {
    /// GP records, and about as many PDS records.
    records: u64,
    /// Patients of a practice; the mean of England is near 10,000.
    patients: u64,
    workers: usize,
    memory_mib: usize,
}

fn main() -> Outcome<()> {
    let Ok(bootstrap) = std::env::var("KAFKA_BOOTSTRAP") else {
        println!("SKIPPED: the flow bench needs a broker: set KAFKA_BOOTSTRAP");
        return Ok(());
    };
    let arguments = arguments()?;
    let folder = std::env::temp_dir().join(format!("concord-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let outcome = measure(&bootstrap, &arguments, &folder);
    fs::remove_dir_all(&folder)?;
    outcome
}

fn arguments() -> Outcome<Arguments> {
    let mut arguments = Arguments { records: 100_000, patients: 10_000, workers: 2, memory_mib: 512 };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        if name == "--bench" {
            continue;
        }
        let value = given.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--records" => arguments.records = value.parse()?,
            "--patients" => arguments.patients = value.parse()?,
            "--workers" => arguments.workers = value.parse()?,
            "--memory-mib" => arguments.memory_mib = value.parse()?,
            _ => return Err(format!("{name} is not known: --records N --patients N --workers N --memory-mib N").into()),
        }
    }
    Ok(arguments)
}

fn measure(bootstrap: &str, arguments: &Arguments, folder: &Path) -> Outcome<()> {
    let pds = folder.join("pds.ndjson");
    let extracts = generate(arguments, folder, &pds)?;
    let config = folder.join("concord.toml");
    fs::write(
        &config,
        format!(
            "[instance]\nname = \"bench\"\nstate_dir = \"{}\"\nworkers = {}\nmemory_mib = {}\n\
             [kafka]\nbootstrap_servers = \"{bootstrap}\"\n[topics]\npartitions = {PARTITIONS}\nreplication = 1\n\
             [http]\nlisten = \"127.0.0.1:{}\"\n[flows.list_reconciliation]\napplication = \"bench-{}\"\n",
            folder.join("state").display(),
            arguments.workers,
            arguments.memory_mib,
            free_port()?,
            std::process::id()
        ),
    )?;
    concord(&config, &["topics", "apply"])?;

    let log = KafkaLog::connect(KafkaSettings {
        bootstrap_servers: bootstrap.to_string(),
        client: std::collections::BTreeMap::new(),
        protocol: GroupProtocol::Auto,
    })?;
    if count(&log, "pds.record")? > 0 {
        return Err("the topic pds.record is not empty: give the bench a broker of its own".into());
    }
    concord(&config, &["produce", "pds", &pds.display().to_string()])?;
    let pds_records = count(&log, "pds.record")?;
    // A broker that has just been started compiles itself first; neither arm should pay for that.
    for _ in 0..WARM_UPS {
        copy(&log, "pds.record", pds_records)?;
    }

    // S: load, then reconcile.
    let port = port_of(&config)?;
    let began = Instant::now();
    let mut process = start(&config)?;
    wait(|| Ok(processed(port, "pds.record").unwrap_or(0) >= pds_records))?;
    let loaded = began.elapsed();
    // From the first file published to the last file written.
    let reconciling = Instant::now();
    let files: Vec<String> = extracts.iter().map(|extract| extract.display().to_string()).collect();
    concord(&config, &[vec!["produce", "extract"], files.iter().map(String::as_str).collect()].concat())?;
    wait(|| Ok(reconciled(&log)? == extracts.len()))?;
    let reconciled = reconciling.elapsed();
    let (cpu_seconds, peak_mib) = usage(process.id())?;
    let shares = worker_time(port).unwrap_or_default();
    Command::new("kill").arg("-TERM").arg(process.id().to_string()).status()?;
    let left = process.wait()?;

    // P: the same bytes.
    let gp_topic = format!("bench-{}.gp-records.repartition", std::process::id());
    let gp_records = count(&log, &gp_topic)?;
    let passed_pds = copy(&log, "pds.record", pds_records)?;
    let passed_gp = copy(&log, &gp_topic, gp_records)?;

    let records = (pds_records + gp_records) as f64;
    let flow = loaded + reconciled;
    let bare = passed_pds + passed_gp;
    println!(
        "records: {pds_records} PDS, {gp_records} GP in {} extracts; workers: {}; partitions: {PARTITIONS}",
        extracts.len(),
        arguments.workers
    );
    println!("P pass-through      {:>9.0} records/s  ({:.1} s)", records / bare.as_secs_f64(), bare.as_secs_f64());
    println!("S concord run       {:>9.0} records/s  ({:.1} s)", records / flow.as_secs_f64(), flow.as_secs_f64());
    println!(
        "  loading PDS       {:>9.0} records/s  ({:.1} s, start included)",
        pds_records as f64 / loaded.as_secs_f64(),
        loaded.as_secs_f64()
    );
    println!(
        "  reconciling       {:>9.0} records/s  ({:.1} s, to the last file)",
        gp_records as f64 / reconciled.as_secs_f64(),
        reconciled.as_secs_f64()
    );
    println!("S/P                 {:>9.3}", bare.as_secs_f64() / flow.as_secs_f64());
    println!("CPU of S            {:>9.2} microseconds a record", cpu_seconds * 1e6 / records);
    println!("peak memory of S    {peak_mib:>9.0} MiB resident, budget {} MiB", arguments.memory_mib);
    println!("time of the workers, seconds (timers and records include commits that could not wait):");
    for (part, seconds) in shares {
        println!("  {part:<20} {seconds:>6.2}");
    }
    println!("left cleanly        {:>9}", left.success());
    Ok(())
}

/// Writes the extracts of as many practices as it takes, and one PDS feed for all; answers the extracts.
fn generate(arguments: &Arguments, folder: &Path, pds: &Path) -> Outcome<Vec<PathBuf>> {
    let now = jiff::Timestamp::now();
    let mut feed = BufWriter::new(fs::File::create(pds)?);
    let mut extracts = Vec::new();
    let mut first_person = 0;
    let mut left = arguments.records;
    while left > 0 {
        let practice = SyntheticPractice::generate(SyntheticSettings {
            practice: format!("Y{:05}", extracts.len() + 1),
            patients: arguments.patients.min(left),
            seed: 1,
            first_person,
            now,
        })?;
        left -= arguments.patients.min(left);
        first_person += practice.people();
        let extract = folder.join(practice.extract_file_name());
        let mut file = BufWriter::new(fs::File::create(&extract)?);
        for piece in practice.extract() {
            file.write_all(piece.as_bytes())?;
        }
        file.flush()?;
        for piece in practice.pds() {
            feed.write_all(piece.as_bytes())?;
        }
        extracts.push(extract);
    }
    feed.flush()?;
    Ok(extracts)
}

fn concord(config: &Path, arguments: &[&str]) -> Outcome<()> {
    let status = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(arguments)
        .arg("--config")
        .arg(config)
        .stdout(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("concord {arguments:?} ended with {status}").into()) }
}

fn start(config: &Path) -> Outcome<Child> {
    Ok(Command::new(env!("CARGO_BIN_EXE_concord")).arg("run").arg("--config").arg(config).spawn()?)
}

fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn port_of(config: &Path) -> Outcome<u16> {
    let text = fs::read_to_string(config)?;
    let port = text.split("listen = \"127.0.0.1:").nth(1).and_then(|rest| rest.split('"').next());
    Ok(port.ok_or("the configuration names no port")?.parse()?)
}

fn wait(mut done: impl FnMut() -> Outcome<bool>) -> Outcome<()> {
    let began = Instant::now();
    while !done()? {
        if began.elapsed() > DEADLINE {
            return Err("the flow came to no end in time".into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Records of a topic that the process has handled, by its metrics; none while it does not answer.
fn processed(port: u16, topic: &str) -> Option<u64> {
    let page = metrics_page(port)?;
    let line = page.lines().find(|l| l.starts_with("concord_records_processed_total") && l.contains(topic))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// What the time of the workers went into, in seconds.
fn worker_time(port: u16) -> Option<Vec<(String, f64)>> {
    let mut shares = Vec::new();
    for line in metrics_page(port)?.lines().filter(|l| l.starts_with("concord_worker_microseconds_total")) {
        let part = line.split('"').nth(1)?.to_string();
        shares.push((part, line.rsplit(' ').next()?.parse::<f64>().ok()? / 1e6));
    }
    shares.sort_by(|a, b| a.0.cmp(&b.0));
    Some(shares)
}

fn metrics_page(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut page = String::new();
    stream.read_to_string(&mut page).ok()?;
    Some(page)
}

/// How many jobs are done.
fn reconciled(log: &KafkaLog) -> Outcome<usize> {
    let decoder = Schemas::bundled().decoder();
    let mut done = 0;
    read_whole_topic(log, "list-reconciliation.job", &mut |_, record| {
        if let Some(value) = &record.value
            && let Ok(job) = decoder.decode::<Job<'_>>(&JOB, value)
        {
            done += usize::from(job.status == "RECONCILED");
        }
    })?;
    Ok(done)
}

fn count(log: &KafkaLog, topic: &str) -> Outcome<u64> {
    let mut records = 0;
    read_whole_topic(log, topic, &mut |_, _| records += 1)?;
    Ok(records)
}

/// User and system seconds, and the peak of resident memory in MiB, of a running process.
fn usage(pid: u32) -> Outcome<(f64, f64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    const TICKS_A_SECOND: f64 = 100.0;
    let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).and_then(|l| l.split_whitespace().nth(1));
    Ok((ticks / TICKS_A_SECOND, peak.ok_or("no VmHWM")?.parse::<f64>()? / 1024.0))
}

fn pass_number() -> usize {
    static PASSES: AtomicUsize = AtomicUsize::new(0);
    PASSES.fetch_add(1, Ordering::Relaxed)
}

/// Copies a topic; answers how long it took from the first record.
fn copy(log: &KafkaLog, topic: &str, records: u64) -> Outcome<Duration> {
    let name = format!("{topic}.copy-{}", pass_number());
    let target: Arc<str> = Arc::from(name.as_str());
    log.create_topics(&[TopicSpec { name: target.clone(), partitions: PARTITIONS, replication: 1, settings: vec![] }])?;
    let copier = PassThrough {
        group: name.clone(),
        instance: name,
        topics: vec![Arc::from(topic)],
        target,
        expected_partitions: PARTITIONS as usize,
    };
    copier.copy(log, |copied| copied >= records)
}
