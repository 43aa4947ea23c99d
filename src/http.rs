//! The HTTP service: health, metrics and committed state.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use concord_engine::metric_names;
use concord_engine::queries::CommittedViews;
use concord_engine::readable::key_from_text;
use concord_engine::store_reads::{KeyRange, StoreReads};
use concord_engine::topology::Topology;
use concord_state::StateError;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::health::Health;
use crate::run::now_ms;
use crate::stores::{self, MOST_ENTRIES, Question};

/// What the service shows.
#[derive(Clone)]
pub struct Service {
    /// Liveness and readiness.
    pub health: Health,
    /// Where tasks run: what they run, and what they have committed.
    pub stores: Option<Stores>,
}

/// Of a process that runs tasks.
#[derive(Clone)]
pub struct Stores {
    /// Committed state of the tasks here.
    pub views: CommittedViews,
    /// What runs, at least one.
    pub topologies: Vec<Arc<Topology>>,
}

#[derive(Clone)]
struct Shared {
    health: Health,
    metrics: PrometheusHandle,
}

/// The running service.
pub struct Running {
    thread: JoinHandle<()>,
    address: SocketAddr,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has ended.
    pub fn join(self) {
        // A panic in the service has nothing to say at the end of the process.
        let _ = self.thread.join();
    }
}

/// Starts the service on a thread of its own; SIGTERM and SIGINT set `stop`, and `stop` ends the service.
///
/// # Errors
/// The address cannot be listened on.
pub fn start(listen: &str, service: Service, stop: Arc<AtomicBool>) -> Result<Running, Failure> {
    let metrics = PrometheusBuilder::new()
        .install_recorder()
        .map_err(|e| Failure::other("installing the metrics recorder", e))?;
    for (name, meaning) in metric_names::ALL {
        metrics::describe_counter!(*name, *meaning);
    }
    let listener = std::net::TcpListener::bind(listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|e| Failure::Usage(format!("http.listen: cannot listen on {listen}: {e}")))?;
    let address = listener.local_addr().map_err(|e| Failure::other("listening", e))?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "The HTTP service shows stored records and has no access control: let nobody reach it who may not see them.");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| Failure::other("starting the HTTP runtime", e))?;
    let thread = thread::Builder::new()
        .name("http".to_string())
        .spawn(move || {
            runtime.block_on(async move {
                let served = async {
                    match tokio::net::TcpListener::from_std(listener) {
                        Ok(listener) => axum::serve(listener, router(service, metrics)).await,
                        Err(error) => Err(error),
                    }
                };
                tokio::select! {
                    served = served => if let Err(error) = served {
                        tracing::error!(%error, "The HTTP service has ended.");
                    },
                    () = stopped(stop.clone()) => {}
                }
                stop.store(true, Ordering::SeqCst);
            });
        })
        .map_err(|e| Failure::other("starting the HTTP service", e))?;
    Ok(Running { thread, address })
}

/// Resolves on SIGTERM, on SIGINT, or when the workers have stopped.
async fn stopped(stop: Arc<AtomicBool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("Signals cannot be watched: stop this process with SIGKILL, which loses nothing.");
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            _ = terminate.recv() => stop.store(true, Ordering::SeqCst),
            _ = interrupt.recv() => stop.store(true, Ordering::SeqCst),
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn router(service: Service, metrics: PrometheusHandle) -> Router {
    let always = Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics_page))
        .with_state(Shared { health: service.health, metrics });
    let Some(stores) = service.stores else { return always };
    let of_stores = Router::new()
        .route("/topology", get(topology))
        .route("/stores", get(list_stores))
        .route("/stores/{store}", get(scan_store))
        .route("/stores/{store}/{*key}", get(get_from_store))
        .with_state(stores);
    always.merge(of_stores)
}

async fn live(State(shared): State<Shared>) -> (StatusCode, &'static str) {
    if shared.health.is_live(now_ms()) {
        return (StatusCode::OK, "live");
    }
    (StatusCode::SERVICE_UNAVAILABLE, "a worker has not moved for half a minute, or an edge has ended")
}

async fn ready(State(shared): State<Shared>) -> (StatusCode, String) {
    match shared.health.readiness() {
        Ok(text) => (StatusCode::OK, text),
        Err(text) => (StatusCode::SERVICE_UNAVAILABLE, text),
    }
}

async fn metrics_page(State(shared): State<Shared>) -> String {
    shared.metrics.render()
}

async fn topology(State(stores): State<Stores>) -> Json<Value> {
    let mut described: Vec<Value> = stores.topologies.iter().map(|topology| topology.describe_as_json()).collect();
    let mut described = match described.len() {
        1 => described.remove(0),
        _ => json!({ "flows": described }),
    };
    let tasks: Vec<Value> = stores
        .views
        .tasks()
        .iter()
        .map(|((sub_topology, partition), view)| {
            json!({ "sub_topology": sub_topology, "partition": partition, "committed_at_ms": view.committed_at_ms })
        })
        .collect();
    described["tasks_here"] = Value::Array(tasks);
    Json(described)
}

async fn list_stores(State(stores): State<Stores>) -> Response {
    answer(stores, Question::List).await
}

/// Which entries of a store are shown: `?prefix=A82023/&from=...&to=...&limit=100`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScanQuery {
    #[serde(default)]
    prefix: String,
    from: Option<String>,
    to: Option<String>,
    #[serde(default = "default_limit")]
    limit: usize,
}

fn default_limit() -> usize {
    100
}

async fn scan_store(
    State(stores): State<Stores>,
    Path(store): Path<String>,
    Query(query): Query<ScanQuery>,
) -> Response {
    if query.limit > MOST_ENTRIES {
        let message = format!("limit must be at most {MOST_ENTRIES}: go on with `from` and the last key");
        return failed(StatusCode::BAD_REQUEST, message);
    }
    let key = |text: Option<String>| match text {
        None => Some(None),
        Some(text) => key_from_text(&text).map(Some),
    };
    let (Some(Some(prefix)), Some(from), Some(to)) = (key(Some(query.prefix)), key(query.from), key(query.to)) else {
        return failed(StatusCode::BAD_REQUEST, HEXADECIMAL.to_string());
    };
    let range = KeyRange { prefix, from, to };
    answer(stores, Question::Scan { store, range, limit: query.limit }).await
}

const HEXADECIMAL: &str = "a key that begins with 0x must be pairs of hexadecimal digits";

async fn get_from_store(State(stores): State<Stores>, Path((store, key)): Path<(String, String)>) -> Response {
    let Some(key) = key_from_text(&key) else { return failed(StatusCode::BAD_REQUEST, HEXADECIMAL.to_string()) };
    answer(stores, Question::Get { store, key }).await
}

/// Reads off the service's own thread: a read of the disk may wait.
async fn answer(stores: Stores, question: Question) -> Response {
    let asked_for_key = matches!(question, Question::Get { .. });
    let views = stores.views;
    let read = tokio::task::spawn_blocking(move || stores::answer(&StoreReads::of_process(&views), &question)).await;
    match read {
        Ok(Ok(found)) => {
            let is_empty = found["entries"].as_array().is_some_and(Vec::is_empty);
            let status = if asked_for_key && is_empty { StatusCode::NOT_FOUND } else { StatusCode::OK };
            (status, NOT_KEPT, Json(found)).into_response()
        }
        Ok(Err(error @ StateError::UnknownStore { .. })) => failed(StatusCode::NOT_FOUND, error.to_string()),
        Ok(Err(error)) => failed(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        Err(_) => failed(StatusCode::INTERNAL_SERVER_ERROR, "reading the state was cut short".to_string()),
    }
}

/// Records of patients are not for caches on the way.
const NOT_KEPT: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

fn failed(status: StatusCode, message: String) -> Response {
    (status, NOT_KEPT, Json(json!({ "error": message }))).into_response()
}
