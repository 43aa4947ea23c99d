//! Damages done by hand behind a verified run; `concord verify` must find each of them, and say where.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Guarantee, Log, OutgoingRecord, ProducerSettings};
use concord_flows::list_reconciliation::topology::{DIFFERENCE, FILE, JOB, OUTCOME, PDS_RECORD};
use concord_flows::list_reconciliation::{Settings, topology};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::Job;
use concord_state::{RocksDirectory, RocksOptions, StateDirectory, TaskState};

use crate::instance::APPLICATION;
use crate::stage::Stage;
use crate::topics::Record;
use crate::{Outcome, PARTITIONS};

const PATIENCE: Duration = Duration::from_secs(30);

/// Does one damage after the other, and looks for each.
pub fn are_found(stage: &Stage) -> Outcome<()> {
    let log = KafkaLog::connect(KafkaSettings {
        bootstrap_servers: stage.broker.bootstrap.clone(),
        client: BTreeMap::new(),
        protocol: GroupProtocol::Classic,
    })
    .map_err(|e| e.to_string())?;
    for (topic, found) in [
        (OUTCOME, "records have more than one outcome"),
        (DIFFERENCE, "1 repeated"),
        (FILE, "1 files have pieces missing, repeated or out of place"),
    ] {
        let record = last_of(stage, topic)?;
        publish(&log, topic, &record, record.value.as_deref())?;
        expect(stage, topic, found)?;
    }
    damage_a_store(stage)?;
    expect(stage, "store pds of task", "have another value")?;
    count_one_more(stage, &log)?;
    expect(stage, OUTCOME, "have an outcome")?;
    expect(stage, "job ", "it ended 2 times as RECONCILED")?;
    let unread = last_of(stage, PDS_RECORD)?;
    publish(&log, PDS_RECORD, &unread, unread.value.as_deref())?;
    expect(stage, PDS_RECORD, "1 records are not processed")?;
    let open = open_a_transaction(stage, &log)?;
    expect(stage, OUTCOME, "a transaction is open")?;
    drop(open);
    Ok(())
}

fn expect(stage: &Stage, place: &str, what: &str) -> Outcome<()> {
    let (is_well, findings) = stage.verify(0)?;
    if !is_well && findings.iter().any(|finding| finding.contains(place) && finding.contains(what)) {
        return Ok(());
    }
    Err(format!("`concord verify` did not find \"{what}\" at {place}, but {findings:?}"))
}

fn last_of(stage: &Stage, topic: &str) -> Outcome<Record> {
    stage.topics.read(topic)?.pop().ok_or_else(|| format!("{topic} is empty"))
}

fn publish(log: &KafkaLog, topic: &str, like: &Record, value: Option<&[u8]>) -> Outcome<()> {
    let mut publisher = log.publisher().map_err(|e| e.to_string())?;
    let record = OutgoingRecord {
        topic: &Arc::from(topic),
        partition: like.partition,
        timestamp_ms: jiff::Timestamp::now().as_millisecond(),
        key: Some(&like.key),
        value,
        headers: &[],
    };
    publisher.send(&record).and_then(|()| publisher.flush(PATIENCE)).map_err(|e| e.to_string())
}

/// One entry of a PDS store gets another value, on the disk of the first instance.
fn damage_a_store(stage: &Stage) -> Outcome<()> {
    let settings = Settings { application: APPLICATION.to_owned(), partitions: PARTITIONS, ..Settings::default() };
    let topology = topology(&settings).map_err(|e| e.to_string())?;
    let failed = |e: concord_state::StateError| e.to_string();
    let directory = RocksDirectory::open(&stage.instances[0].state, RocksOptions::default()).map_err(failed)?;
    for sub in &topology.sub_topologies {
        let Some(store) = sub.stores.iter().position(|store| store.name == "pds") else { continue };
        for partition in 0..PARTITIONS {
            let backend = directory.open_task(sub.name, partition, &sub.stores).map_err(failed)?;
            let mut state = TaskState::new(backend, sub.stores.clone(), String::new()).map_err(failed)?;
            let mut key = Vec::new();
            let mut first = |k: &[u8], _: &[u8]| {
                key = k.to_vec();
                false
            };
            state.reader().scan("pds", &[], None, &mut first).map_err(failed)?;
            let Some(position) = state.changelog_position(store).filter(|_| !key.is_empty()) else { continue };
            state.apply_restored(store, [(&key[..], Some(&b"damaged"[..]))], position).map_err(failed)?;
            return state.flush().map_err(failed);
        }
    }
    Err("the first instance has no PDS record on disk".to_owned())
}

/// A job ends once more, with a record that nobody has seen.
fn count_one_more(stage: &Stage, log: &KafkaLog) -> Outcome<()> {
    let record = last_of(stage, JOB)?;
    let schemas = Schemas::bundled();
    let decoder = schemas.decoder();
    let mut job: Job<'_> =
        decoder.decode(&codec::JOB, record.value.as_deref().unwrap_or_default()).map_err(|e| e.to_string())?;
    job.counts.records += 1;
    let mut value = Vec::new();
    schemas.encoder().encode(&codec::JOB, &job, &mut value).map_err(|e| e.to_string())?;
    publish(log, JOB, &record, Some(&value))
}

/// Somebody writes to the topic of outcomes and never ends his transaction.
fn open_a_transaction(stage: &Stage, log: &KafkaLog) -> Outcome<Box<dyn Send>> {
    let record = last_of(stage, OUTCOME)?;
    let settings = ProducerSettings {
        guarantee: Guarantee::ExactlyOnce,
        transactional_id: "somebody-else".to_owned(),
        transaction_timeout: Duration::from_secs(300),
        expected_partitions: 1,
        max_record_bytes: 1 << 20,
        queue_bytes: 1 << 20,
    };
    let mut producer = log.transactional_producer(&settings).map_err(|e| e.to_string())?;
    let outgoing = OutgoingRecord {
        topic: &Arc::from(OUTCOME),
        partition: record.partition,
        timestamp_ms: 0,
        key: Some(&record.key),
        value: record.value.as_deref(),
        headers: &[],
    };
    let opened = producer
        .init(PATIENCE)
        .and_then(|()| producer.begin())
        .and_then(|()| producer.send(&outgoing))
        .and_then(|()| producer.drain(PATIENCE));
    opened.map_err(|e| e.to_string())?;
    Ok(Box::new(producer))
}
