//! A bounded run with real threads and the machine's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use concord_engine::calls::{CallFailure, CallLimits, CallPool, Until};
use concord_engine::clock::SystemClock;
use concord_engine::local::LocalRun;
use concord_engine::log::{Isolation, Log, OutgoingRecord};
use concord_engine::partitioner::partition_of;
use concord_schemas::Schemas;
use concord_schemas::codec::PDS_REGISTRATION;
use concord_schemas::list_reconciliation::Registration;
use concord_state::{RocksDirectory, RocksOptions};

use super::reading::{LIMITS, READ, topology};
use crate::counting::{INPUT, OUTPUT};

const PATIENTS: usize = 100;
const ROUNDS: usize = 10;

#[test]
fn a_local_run_ends_when_every_call_has_its_result() {
    let performed = Arc::new(AtomicUsize::new(0));
    let counts = performed.clone();
    let answers = move |_: &[u8], request: &[u8], _: &Until| {
        // Every tenth attempt fails.
        match counts.fetch_add(1, Ordering::SeqCst) % 10 {
            9 => Err(CallFailure::for_now("TEST-0001", "it fails now and then")),
            _ => Ok(Bytes::from([b"read ", request].concat())),
        }
    };
    let pool = CallPool::new(2).perform(READ, answers).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let disk = RocksDirectory::open(folder.path(), RocksOptions::default()).unwrap();
    let limits = CallLimits { first_pause: Duration::from_millis(5), in_flight: 64, most_pending: 200, ..LIMITS };
    let topology = Arc::new(topology(limits));
    let mut run = LocalRun::start_with_calls(topology, Arc::new(disk), Arc::new(SystemClock), Arc::new(pool)).unwrap();
    let (mut encoder, mut publisher) = (Schemas::bundled().encoder(), run.log().publisher().unwrap());
    let topic: Arc<str> = Arc::from(INPUT);
    for round in 0..ROUNDS {
        for patient in 0..PATIENTS {
            let (key, asked) = (patient.to_string(), round.to_string());
            let registration = Registration { nhs_number: &key, gp_practice: &asked, dispensing_flag: "" };
            let mut value = Vec::new();
            encoder.encode(&PDS_REGISTRATION, &registration, &mut value).unwrap();
            let record = OutgoingRecord {
                topic: &topic,
                partition: partition_of(key.as_bytes(), 2),
                timestamp_ms: 1,
                key: Some(key.as_bytes()),
                value: Some(&value),
                headers: &[],
            };
            publisher.send(&record).unwrap();
        }
    }
    run.run_until_idle(&mut |_, _| {}).unwrap();
    let results = run.log().records(OUTPUT, Isolation::ReadCommitted).unwrap();
    assert_eq!(results.len(), PATIENTS * ROUNDS);
    assert!(performed.load(Ordering::SeqCst) > PATIENTS * ROUNDS);
    run.stop().unwrap();
}
