//! The flow on a real broker against a bare transactional pass-through of the same bytes, in one run.
//!
//! `KAFKA_BOOTSTRAP=host:port cargo bench --bench flow -- --records 1000000 --workers 2`
//!
//! Arms: P copies the PDS records and the GP records as the flow's own topics hold them, consume to produce, in
//! transactions every 100 ms, one thread, through the same client and settings. S is `concord run` itself: it loads the
//! PDS records and then reconciles an extract of as many patients. Time, CPU and peak memory are of its process alone.

use std::fs;
use std::io::{BufWriter, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{
    ConsumerEvent, GroupSettings, Guarantee, Log, OutgoingRecord, ProducerSettings, TopicPartition, TopicSpec,
    read_whole_topic,
};
use concord_schemas::Schemas;
use concord_schemas::codec::JOB;
use concord_schemas::list_reconciliation::Job;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const PARTITIONS: i32 = 4;
const DEADLINE: Duration = Duration::from_secs(1_800);

struct Arguments {
    records: u64,
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
    let mut arguments = Arguments { records: 100_000, workers: 2, memory_mib: 512 };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        if name == "--bench" {
            continue;
        }
        let value = given.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--records" => arguments.records = value.parse()?,
            "--workers" => arguments.workers = value.parse()?,
            "--memory-mib" => arguments.memory_mib = value.parse()?,
            _ => return Err(format!("{name} is not known: --records N --workers N --memory-mib N").into()),
        }
    }
    Ok(arguments)
}

fn measure(bootstrap: &str, arguments: &Arguments, folder: &Path) -> Outcome<()> {
    let now = jiff::Timestamp::now();
    let practice = SyntheticPractice::generate(SyntheticSettings {
        practice: "Y12345".to_string(),
        patients: arguments.records,
        seed: 1,
        first_person: 0,
        now,
    })?;
    let extract = folder.join(practice.extract_file_name());
    let pds = folder.join("pds.ndjson");
    write(&extract, practice.extract())?;
    write(&pds, practice.pds())?;
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
    concord(&config, &["produce", "pds", &pds.display().to_string()])?;

    let log = KafkaLog::connect(KafkaSettings {
        bootstrap_servers: bootstrap.to_string(),
        client: std::collections::BTreeMap::new(),
        protocol: GroupProtocol::Auto,
    })?;
    let pds_records = count(&log, "pds.record")?;

    // S: load, then reconcile.
    let port = port_of(&config)?;
    let began = Instant::now();
    let mut process = start(&config)?;
    wait(|| Ok(processed(port, "pds.record").unwrap_or(0) >= pds_records))?;
    let loaded = began.elapsed();
    concord(&config, &["produce", "extract", &extract.display().to_string()])?;
    let reconciling = Instant::now();
    wait(|| reconciled(&log))?;
    let reconciled = reconciling.elapsed();
    let (cpu_seconds, peak_mib) = usage(process.id())?;
    let shares = worker_time(port).unwrap_or_default();
    Command::new("kill").arg("-TERM").arg(process.id().to_string()).status()?;
    let left = process.wait()?;

    // P: the same bytes.
    let gp_topic = format!("bench-{}.gp-records.repartition", std::process::id());
    let gp_records = count(&log, &gp_topic)?;
    let passed_pds = pass_through(&log, "pds.record", pds_records)?;
    let passed_gp = pass_through(&log, &gp_topic, gp_records)?;

    let records = (pds_records + gp_records) as f64;
    let flow = loaded + reconciled;
    let bare = passed_pds + passed_gp;
    println!("records: {pds_records} PDS, {gp_records} GP; workers: {}; partitions: {PARTITIONS}", arguments.workers);
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

fn write(path: &PathBuf, pieces: impl Iterator<Item = String>) -> Outcome<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    for piece in pieces {
        file.write_all(piece.as_bytes())?;
    }
    Ok(file.flush()?)
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

fn reconciled(log: &KafkaLog) -> Outcome<bool> {
    let decoder = Schemas::bundled().decoder();
    let mut done = false;
    read_whole_topic(log, "list-reconciliation.job", &mut |_, record| {
        if let Some(value) = &record.value
            && let Ok(job) = decoder.decode::<Job<'_>>(&JOB, value)
        {
            done = job.status == "RECONCILED";
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

/// Copies a topic in transactions, one every 100 ms; answers how long it took from the first record.
fn pass_through(log: &KafkaLog, topic: &str, records: u64) -> Outcome<Duration> {
    let target: Arc<str> = Arc::from(format!("{topic}.copy-{}", std::process::id()));
    let source: Arc<str> = Arc::from(topic);
    log.create_topics(&[TopicSpec { name: target.clone(), partitions: PARTITIONS, replication: 1, settings: vec![] }])?;
    let name = format!("bench-pass-{}-{topic}", std::process::id());
    let mut producer = log.transactional_producer(&ProducerSettings {
        guarantee: Guarantee::ExactlyOnce,
        transactional_id: name.clone(),
        transaction_timeout: Duration::from_secs(15),
        expected_partitions: PARTITIONS as usize,
        max_record_bytes: 1 << 20,
        queue_bytes: 32 << 20,
    })?;
    producer.init(Duration::from_secs(15))?;
    let mut consumer = log.group_consumer(&GroupSettings {
        group: name.clone(),
        instance: name,
        topics: vec![source.clone()],
        session_timeout: Duration::from_secs(30),
        fetch_ahead_bytes: 16 << 20,
    })?;
    let mut positions = vec![0; PARTITIONS as usize];
    let mut copied = 0;
    let mut began = None;
    let mut last_commit = Instant::now();
    let mut open = false;
    while copied < records || open {
        for event in consumer.poll(2_000, Duration::from_millis(10))? {
            match event {
                ConsumerEvent::Assigned(partitions) => {
                    let from: Vec<(TopicPartition, i64)> = partitions.into_iter().map(|p| (p, 0)).collect();
                    consumer.fetch_from(&from)?;
                }
                ConsumerEvent::Revoked { partitions, .. } => consumer.release(&partitions)?,
                ConsumerEvent::OutOfRange(partition) => return Err(format!("{partition} is out of range").into()),
                ConsumerEvent::Records { from, records } => {
                    began.get_or_insert_with(Instant::now);
                    if !open {
                        producer.begin()?;
                        open = true;
                    }
                    for record in &records {
                        producer.send(&OutgoingRecord {
                            topic: &target,
                            partition: from.partition,
                            timestamp_ms: record.timestamp_ms,
                            key: record.key.as_deref(),
                            value: record.value.as_deref(),
                            headers: &[],
                        })?;
                        positions[from.partition as usize] = record.offset + 1;
                    }
                    copied += records.len() as u64;
                }
            }
        }
        if open && (last_commit.elapsed() > Duration::from_millis(100) || copied == records) {
            producer.drain(Duration::from_secs(10))?;
            let offsets: Vec<(TopicPartition, i64)> = positions
                .iter()
                .enumerate()
                .map(|(partition, offset)| (TopicPartition::new(source.clone(), partition as i32), *offset))
                .collect();
            producer.send_offsets(&offsets, &consumer.membership()?)?;
            producer.commit()?;
            open = false;
            last_commit = Instant::now();
        }
    }
    let took = began.map(|b| b.elapsed()).unwrap_or_default();
    consumer.close(false)?;
    Ok(took)
}
