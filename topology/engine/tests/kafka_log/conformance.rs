//! The checks that every log must pass, on this one.

use std::time::Duration;

use concord_engine::log::Log;
use concord_engine::log::conformance::ConformanceHarness;
use concord_engine::log::kafka::GroupProtocol;

use crate::cluster::{Cluster, PATIENCE, SHORT, cluster_by, unique};

struct OnKafka(Cluster);

impl ConformanceHarness for OnKafka {
    fn log(&self) -> &dyn Log {
        &self.0.log
    }

    fn unique(&self, stem: &str) -> String {
        unique(stem).to_string()
    }

    fn pass_time(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn poll_wait(&self) -> Duration {
        SHORT
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }
}

mod classic {
    use super::*;

    concord_engine::log_conformance_tests!(cluster_by(GroupProtocol::Classic).map(OnKafka));
}

mod consumer {
    use super::*;

    concord_engine::log_conformance_tests!(cluster_by(GroupProtocol::Consumer).map(OnKafka));
}
