//! A small PDS in place of the real one, which answers registered systems only: the people it is given, by number, and for all
//! others that it has no such resource.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Router, routing::get};

/// What it says of a number that it does not know.
const NOT_FOUND: &str =
    r#"{"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [{"code": "RESOURCE_NOT_FOUND"}]}}]}"#;

struct Shared {
    people: BTreeMap<String, String>,
    is_frozen: AtomicBool,
    found: AtomicU64,
    unknown: AtomicU64,
}

/// Ends when dropped.
pub struct Pds {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

impl Pds {
    /// `people`: resources by NHS number.
    pub fn start(people: BTreeMap<String, String>) -> Self {
        let (is_frozen, found, unknown) = Default::default();
        let shared = Arc::new(Shared { people, is_frozen, found, unknown });
        let router = Router::new()
            .route("/personal-demographics/FHIR/R4/Patient/{nhs_number}", get(patient))
            .with_state(shared.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, shared, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// It takes connections and answers nobody, until it is let go on.
    pub fn set_frozen(&self, is_frozen: bool) {
        self.shared.is_frozen.store(is_frozen, Ordering::SeqCst);
    }

    /// How often it knew whom it was asked for, and how often not.
    pub fn answered(&self) -> (u64, u64) {
        (self.shared.found.load(Ordering::SeqCst), self.shared.unknown.load(Ordering::SeqCst))
    }
}

async fn patient(State(shared): State<Arc<Shared>>, Path(nhs_number): Path<String>) -> (StatusCode, String) {
    while shared.is_frozen.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    match shared.people.get(&nhs_number) {
        Some(resource) => {
            shared.found.fetch_add(1, Ordering::SeqCst);
            (StatusCode::OK, resource.clone())
        }
        None => {
            shared.unknown.fetch_add(1, Ordering::SeqCst);
            (StatusCode::NOT_FOUND, NOT_FOUND.to_owned())
        }
    }
}
