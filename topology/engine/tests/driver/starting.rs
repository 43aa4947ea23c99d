//! What a worker tells of its way from a start, or a rebalance, to processing.

use concord_engine::log::embedded::FaultPlan;
use concord_engine::metric_names::START_SECONDS;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::counting::driver;

/// Virtual time in which the group has long given every worker its tasks.
const REBALANCED_MS: i64 = 1_000;

/// Labels and seconds of a phase, of every worker that has told it.
fn told(metrics: &PrometheusHandle, phase: &str) -> Vec<(String, f64)> {
    let page = metrics.render();
    let lines = page.lines().filter_map(|line| line.strip_prefix(START_SECONDS)?.rsplit_once(' '));
    let of_phase = lines.filter(|(labels, _)| labels.contains(&format!("phase=\"{phase}\"")));
    of_phase.map(|(labels, seconds)| (labels.to_string(), seconds.parse().unwrap())).collect()
}

#[test]
fn a_start_is_told_by_phases_and_a_rebalance_has_no_joining() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        let mut driver = driver(2, FaultPlan::none());
        driver.stop(1).unwrap();
        driver.run_until_idle().unwrap();
        for phase in ["join", "open", "fence", "positions", "replay"] {
            assert_eq!(told(&metrics, phase).len(), 1, "{phase}");
        }
        let (first, joined_in) = told(&metrics, "join").remove(0);
        assert_ne!(joined_in, 0.0, "a start has a joining");

        driver.restart(1).unwrap();
        driver.run_for(REBALANCED_MS).unwrap();
        assert_eq!(told(&metrics, "join").len(), 2, "the second worker tells its start too");
        driver.stop(1).unwrap();
        driver.run_for(REBALANCED_MS).unwrap();
        let after = told(&metrics, "join").into_iter().find(|(labels, _)| *labels == first);
        assert_eq!(after, Some((first, 0.0)), "the first worker has got tasks back, without a start");
    });
}
