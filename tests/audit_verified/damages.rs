//! Damages done by hand behind a verified run; `concord verify` must find each of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Guarantee, Header, Log, OutgoingRecord, ProducerSettings, Publisher};
use concord_flows::sequence_audit::topology::{FINDING, GP_LINKS_INTERCHANGE, LINK_MESSAGES};
use concord_flows::sequence_audit::{Settings, topology};
use concord_schemas::Schemas;
use concord_schemas::codec::AUDIT_FINDING;
use concord_schemas::sequence_audit::AuditFinding;
use concord_state::{RocksDirectory, RocksOptions, StateDirectory, TaskState};

use crate::application::{Application, NAME, PARTITIONS};
use crate::topics::Record;

const PATIENCE: Duration = Duration::from_secs(30);

/// Does one damage after the other, and looks for each.
pub fn are_found(application: &Application) {
    let log = KafkaLog::connect(KafkaSettings {
        bootstrap_servers: application.broker.bootstrap.clone(),
        client: BTreeMap::new(),
        protocol: GroupProtocol::Classic,
    })
    .unwrap();
    let mut hand = Hand(log.publisher().unwrap());

    for (kind, found) in [
        ("gap/sis/", "1 numbers are missing and no gap tells of them"),
        ("duplicate/sis/", "numbers came twice and no duplicate tells of it"),
        ("epoch-change/sis/", "1 lines go on far from where they were, and no change of epoch tells of it"),
        ("envelope-mismatch/TES5", "1 defects of envelopes are not told, 0 are told of none"),
        ("envelope-mismatch///", "1 defects of envelopes are not told, 0 are told of none"),
        ("negative-receipt/TES5", "1 of negative-receipt are not told, 0 are told and not so"),
        ("receipt-overdue/", "1 of receipt-overdue are not told, 0 are told and not so"),
        ("orphan-receipt/", "1 of orphan-receipt are not told, 0 are told and not so"),
    ] {
        let standing = application.findings();
        let id = standing.keys().find(|id| id.starts_with(kind)).unwrap_or_else(|| panic!("no finding {kind}"));
        let finding = application.last(FINDING, |record| record.text_key() == *id && record.value.is_some());
        hand.publish(FINDING, &finding, None);
        application.verify_finds(found);
        hand.publish(FINDING, &finding, finding.value.as_deref());
        application.is_verified();
    }

    // The finding of one number under the id of another.
    let gap =
        application.last(FINDING, |record| record.text_key().starts_with("gap/sis/TES5") && record.value.is_some());
    let elsewhere = Record { key: b"gap/sis/TES5/XX11/0/5".to_vec(), ..copy(&gap) };
    let value = with_numbers(gap.value.as_deref().unwrap(), 5);
    hand.publish(FINDING, &elsewhere, Some(&value));
    application.verify_finds("1 numbers came and a gap calls them missing");
    hand.publish(FINDING, &elsewhere, None);
    application.is_verified();

    let nobodys = Record { lineage: Vec::new(), ..copy(&gap) };
    hand.publish(FINDING, &nobodys, gap.value.as_deref());
    application.verify_finds("1 name no origin");
    hand.publish(FINDING, &gap, gap.value.as_deref());
    application.verify_finds("1 name no origin");

    damage_a_store(application);
    application.verify_finds("have another value");

    let events = format!("{NAME}.link-events.repartition");
    let event = application.last(&events, |record| record.lineage.starts_with(GP_LINKS_INTERCHANGE.as_bytes()));
    hand.publish(&events, &event, event.value.as_deref());
    application.verify_finds("it holds 1 interchanges, and 2 events of these were made");
    application.verify_finds("1 records are not processed");

    let open = open_a_transaction(application, &log);
    application.verify_finds("a transaction is open");
    drop(open);
}

/// Publishes with the lineage of what it copies.
struct Hand(Box<dyn Publisher>);

impl Hand {
    fn publish(&mut self, topic: &str, like: &Record, value: Option<&[u8]>) {
        // What says the same twice is a damage of its own.
        let lineage = match value {
            Some(_) if topic == FINDING && !like.lineage.is_empty() => [&like.lineage[..], b" "].concat(),
            _ => like.lineage.clone(),
        };
        let lineage = Header { name: Arc::from("concord-lineage"), value: Bytes::from(lineage) };
        let headers = if like.lineage.is_empty() { Vec::new() } else { vec![lineage] };
        let record = OutgoingRecord {
            topic: &Arc::from(topic),
            partition: like.partition,
            timestamp_ms: jiff::Timestamp::now().as_millisecond(),
            key: Some(&like.key),
            value,
            headers: &headers,
        };
        self.0.send(&record).unwrap();
        self.0.flush(PATIENCE).unwrap();
    }
}

fn copy(record: &Record) -> Record {
    Record {
        partition: record.partition,
        offset: record.offset,
        key: record.key.clone(),
        value: record.value.clone(),
        lineage: record.lineage.clone(),
        rejected_at: None,
    }
}

fn with_numbers(value: &[u8], number: i64) -> Vec<u8> {
    let schemas = Schemas::bundled();
    let decoder = schemas.decoder();
    let mut finding: AuditFinding<'_> = decoder.decode(&AUDIT_FINDING, value).unwrap();
    (finding.from, finding.to) = (Some(number), Some(number));
    let mut bytes = Vec::new();
    schemas.encoder().encode(&AUDIT_FINDING, &finding, &mut bytes).unwrap();
    bytes
}

/// One open message gets another value on the disk.
fn damage_a_store(application: &Application) {
    let settings = Settings { application: NAME.to_owned(), partitions: PARTITIONS, ..Settings::default() };
    let topology = topology(&settings).unwrap();
    let directory = RocksDirectory::open(application.state_dir(), RocksOptions::default()).unwrap();
    let sub = topology.sub_topologies.iter().find(|sub| sub.name == "links").unwrap();
    let store = sub.stores.iter().position(|store| store.name == LINK_MESSAGES).unwrap();
    for partition in 0..PARTITIONS {
        let backend = directory.open_task(sub.name, partition, &sub.stores).unwrap();
        let mut state = TaskState::new(backend, sub.stores.clone(), String::new()).unwrap();
        let mut key = Vec::new();
        let mut first = |k: &[u8], _: &[u8]| {
            key = k.to_vec();
            false
        };
        state.reader().scan(LINK_MESSAGES, &[], None, &mut first).unwrap();
        let Some(position) = state.changelog_position(store).filter(|_| !key.is_empty()) else { continue };
        state.apply_restored(store, [(&key[..], Some(&b"damaged"[..]))], position).unwrap();
        state.flush().unwrap();
        return;
    }
    panic!("no message is open");
}

/// Somebody writes to the topic of findings and never ends his transaction.
fn open_a_transaction(application: &Application, log: &KafkaLog) -> Box<dyn Send> {
    let record = application.last(FINDING, |_| true);
    let settings = ProducerSettings {
        guarantee: Guarantee::ExactlyOnce,
        transactional_id: "somebody-else".to_owned(),
        transaction_timeout: Duration::from_secs(300),
        expected_partitions: 1,
        max_record_bytes: 1 << 20,
        queue_bytes: 1 << 20,
    };
    let mut producer = log.transactional_producer(&settings).unwrap();
    let outgoing = OutgoingRecord {
        topic: &Arc::from(FINDING),
        partition: record.partition,
        timestamp_ms: 0,
        key: Some(&record.key),
        value: record.value.as_deref(),
        headers: &[],
    };
    let opened = producer.init(PATIENCE).and_then(|()| producer.begin()).and_then(|()| producer.send(&outgoing));
    opened.and_then(|()| producer.drain(PATIENCE)).unwrap();
    Box::new(producer)
}
