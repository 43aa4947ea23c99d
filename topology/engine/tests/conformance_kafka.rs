//! A real cluster behaves as the seam demands: set `KAFKA_BOOTSTRAP` to its address, else the tests are skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use concord_engine::log::Log;
use concord_engine::log::conformance::ConformanceHarness;
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};

static NAMED: AtomicU64 = AtomicU64::new(0);

struct Cluster(KafkaLog);

impl ConformanceHarness for Cluster {
    fn log(&self) -> &dyn Log {
        &self.0
    }

    fn unique(&self, stem: &str) -> String {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        format!("conformance.{nanos:x}.{}.{stem}", NAMED.fetch_add(1, Ordering::Relaxed))
    }

    /// The interval of a poll with a deadline: a cluster's time passes by itself.
    fn pass_time(&self, duration: Duration) {
        std::thread::park_timeout(duration);
    }

    fn poll_wait(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

fn cluster(protocol: GroupProtocol) -> Option<Cluster> {
    let bootstrap_servers = std::env::var("KAFKA_BOOTSTRAP").ok()?;
    let settings = KafkaSettings { bootstrap_servers, client: BTreeMap::new(), protocol };
    Some(Cluster(KafkaLog::connect(settings).unwrap()))
}

mod by_the_consumer_protocol {
    use super::*;

    concord_engine::log_conformance_tests!(cluster(GroupProtocol::Consumer));
}

mod by_the_classic_protocol {
    use super::*;

    concord_engine::log_conformance_tests!(cluster(GroupProtocol::Classic));
}
