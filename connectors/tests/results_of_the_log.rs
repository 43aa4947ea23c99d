//! Results on their way out, on a log in memory and with a destination that fails as it is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use concord_connectors::connect::{
    Arrival, ConnectProblem, Destination, Edge, FileKind, Handed, InputIds, LogWriter, Results, Route, Surroundings,
    Trouble, WholeFile,
};
use concord_engine::clock::SystemClock;
use concord_engine::log::embedded::{EmbeddedLog, EmbeddedSettings};
use concord_engine::log::{Isolation, Log, OutgoingRecord, TopicSpec};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::{Delivery, FileChunk};

const LETTERS: &str = "app.dead-letters";

/// What the destination of a test does, and what it was given.
#[derive(Clone, Default)]
struct Peer {
    is_away: Arc<AtomicBool>,
    has_collected: Arc<AtomicBool>,
    given: Arc<Mutex<Vec<(String, String)>>>,
}

impl Destination for Peer {
    fn hand_over(&mut self, file: &mut WholeFile) -> Result<Handed, Trouble> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(Trouble::new(ConnectProblem::Folder, "handing over", "nobody is there"));
        }
        let mut text = String::new();
        file.content().unwrap().read_to_string(&mut text).unwrap();
        self.given.lock().unwrap().push((file.name.clone(), text));
        Ok(Handed::Sent(format!("id of {}", file.name)))
    }

    fn arrival(&mut self, reference: &str) -> Result<Option<Arrival>, Trouble> {
        assert!(reference.starts_with("id of "));
        let collected = self.has_collected.load(Ordering::SeqCst);
        Ok(Some(if collected { Arrival::Taken } else { Arrival::OnItsWay }))
    }

    fn forget(&mut self) {}
}

struct Stage {
    log: EmbeddedLog,
    surroundings: Surroundings,
}

impl Stage {
    fn new() -> Self {
        let log = EmbeddedLog::new(EmbeddedSettings::new(Arc::new(SystemClock)));
        let spec = |name: &str| TopicSpec { name: Arc::from(name), partitions: 2, replication: 1, settings: vec![] };
        log.create_topics(&[spec(codec::FILE.name()), spec(codec::DELIVERY.name()), spec(LETTERS)]).unwrap();
        let surroundings = Surroundings {
            log: Arc::new(log.clone()),
            schemas: Arc::new(Schemas::bundled()),
            clock: Arc::new(SystemClock),
            input_ids: InputIds { extract: Some(|name, _| name.to_owned()), ..InputIds::default() },
            application: "app".to_owned(),
            instance: "one".to_owned(),
            spool_dir: std::env::temp_dir(),
            largest_input: 1 << 20,
            max_record_bytes: 1 << 20,
        };
        Self { log, surroundings }
    }

    fn results(&self, peer: &Peer) -> Results {
        let files = BTreeSet::from([FileKind::Cdd]);
        let route = Route { name: "pcse".to_owned(), files, ask_every: Duration::ZERO };
        Results::new("mesh", route, self.surroundings.clone(), Box::new(peer.clone()))
    }

    /// Pieces of several files, between each other.
    fn publish(&self, pieces: &[(&str, i32, bool, &str)]) {
        let mut writer = LogWriter::open(&self.log, &self.surroundings.schemas).unwrap();
        for (file_name, sequence, last, text) in pieces {
            let chunk = FileChunk { job_id: "j", file_name, sequence: *sequence, last: *last, text };
            writer.send(&codec::FILE, &format!("j/{file_name}"), Some(&chunk), 1).unwrap();
        }
        writer.flush().unwrap();
    }

    fn told(&self) -> Vec<(String, String)> {
        let decoder = self.surroundings.schemas.decoder();
        let mut told = Vec::new();
        for (_, record) in self.log.records(codec::DELIVERY.name(), Isolation::ReadCommitted).unwrap() {
            let value = record.value.unwrap();
            let delivery: Delivery<'_> = decoder.decode(&codec::DELIVERY, &value).unwrap();
            assert_eq!((delivery.job_id, delivery.route), ("j", "pcse"));
            told.push((delivery.name.to_owned(), delivery.state.to_owned()));
        }
        told.sort();
        told
    }

    fn is_done(&self) -> bool {
        self.log.lag("app.connect.pcse") == 0 && !self.log.group_positions("app.connect.pcse").is_empty()
    }
}

/// Turns until it is so; the last failure on the way.
fn turn_until(edge: &mut Results, what: &str, is_so: impl Fn() -> bool) -> Option<Trouble> {
    let mut last = None;
    for _ in 0..200 {
        if is_so() {
            return last;
        }
        if let Err(trouble) = edge.turn() {
            edge.forget();
            last = Some(trouble);
        }
    }
    panic!("{what}: {last:?}");
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

const PIECES: [(&str, i32, bool, &str); 5] = [
    ("Y-CDD-1.csv", 0, false, "one "),
    ("Y-CDD-2.csv", 0, true, "two"),
    ("validation.json", 0, true, "not for this route"),
    ("Y-CDD-1.csv", 1, false, "and "),
    ("Y-CDD-1.csv", 2, true, "more"),
];

#[test]
fn files_are_handed_over_whole_and_once_also_behind_an_outage_and_a_restart() {
    let (stage, peer) = (Stage::new(), Peer::default());
    stage.publish(&PIECES);
    peer.is_away.store(true, Ordering::SeqCst);
    let mut edge = stage.results(&peer);
    let mut failures = 0;
    for _ in 0..20 {
        if let Err(trouble) = edge.turn() {
            assert_eq!(trouble.code, "CONCORD-CN-0003");
            edge.forget();
            failures += 1;
        }
    }
    assert!(failures > 1, "it tries again and again");
    assert_eq!(stage.told(), []);

    peer.is_away.store(false, Ordering::SeqCst);
    turn_until(&mut edge, "all are handed over", || stage.is_done());
    let mut given = peer.given.lock().unwrap().clone();
    given.sort();
    assert_eq!(given, owned(&[("Y-CDD-1.csv", "one and more"), ("Y-CDD-2.csv", "two")]));
    let sent = owned(&[("Y-CDD-1.csv", "SENT"), ("Y-CDD-2.csv", "SENT")]);
    assert_eq!(stage.told(), sent);

    // Another life, and the same files in the log once more, as at-least-once repeats them.
    edge.forget();
    let mut edge = stage.results(&peer);
    stage.publish(&PIECES);
    turn_until(&mut edge, "it has read on", || stage.is_done());
    assert_eq!(peer.given.lock().unwrap().len(), 2);
    assert_eq!(stage.told(), sent);

    peer.has_collected.store(true, Ordering::SeqCst);
    turn_until(&mut edge, "the arrival is told", || stage.told().len() == 4);
    assert!(stage.told().contains(&("Y-CDD-1.csv".to_owned(), "DELIVERED".to_owned())));
}

#[test]
fn a_file_with_a_missing_piece_is_refused_and_a_record_that_is_none_becomes_a_dead_letter() {
    let (stage, peer) = (Stage::new(), Peer::default());
    stage.publish(&[("Y-CDD-1.csv", 0, false, "one "), ("Y-CDD-1.csv", 2, true, "more")]);
    let topic: Arc<str> = Arc::from(codec::FILE.name());
    let (key, value) = (Some(&b"key"[..]), Some(&b"no chunk"[..]));
    let record = OutgoingRecord { topic: &topic, partition: 1, timestamp_ms: 7, key, value, headers: &[] };
    let mut publisher = stage.log.publisher().unwrap();
    publisher.send(&record).unwrap();
    publisher.flush(Duration::from_secs(1)).unwrap();
    stage.publish(&[("Y-CDD-2.csv", 0, true, "two")]);

    let mut edge = stage.results(&peer);
    turn_until(&mut edge, "all is read", || stage.is_done());
    assert_eq!(stage.told(), owned(&[("Y-CDD-1.csv", "REFUSED"), ("Y-CDD-2.csv", "SENT")]));
    let letters = stage.log.records(LETTERS, Isolation::ReadCommitted).unwrap();
    assert_eq!(letters.len(), 1);
    let letter = &letters[0].1;
    assert_eq!(letter.value.as_deref(), value, "the payload is unchanged");
    let header = |name: &str| letter.headers.iter().find(|h| &*h.name == name).unwrap().value.clone();
    assert_eq!(header("concord-dead-letter-code"), "CONCORD-CN-0016");
    assert_eq!(header("concord-dead-letter-topic"), codec::FILE.name());
}
