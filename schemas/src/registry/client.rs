//! Registering and fetching schemas, patient with outages.

use std::error::Error;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use schema_registry_converter::blocking::schema_registry::{SrSettings, get_schema_by_id, post_schema};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{RawError, SchemaType, SuppliedSchema};
use serde_json::{Value, json};

use super::RegistryError;
use crate::patience::Patience;
use crate::sources::with_sources;

/// The registry's media type for requests and answers.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Five attempts within two seconds: a caller that must wait longer parks its batch and asks again.
const PATIENCE: Patience =
    Patience { attempts: 5, first_pause: Duration::from_millis(100), longest_pause: Duration::from_secs(2) };

/// "No such subject" and "no such version": nothing yet to be compatible with.
const NO_SUBJECT_OR_VERSION: [u64; 2] = [40401, 40402];
const NO_SCHEMA_WITH_THIS_ID: u32 = 40403;

/// A blocking client of one schema registry. Not for threads of an asynchronous runtime.
pub struct RegistryClient {
    /// Address without credentials, for messages.
    shown_url: String,
    base_url: String,
    fetcher: SrSettings,
    http: Client,
    patience: Patience,
}

impl RegistryClient {
    /// A client of the registry at `url`, such as `http://registry:8081`; the URL may have a path. Nothing is asked yet.
    ///
    /// # Errors
    /// [`RegistryError::InvalidUrl`].
    pub fn new(url: &str) -> Result<Self, RegistryError> {
        let invalid = |cause: String| RegistryError::InvalidUrl { cause };
        let mut shown = Url::parse(url).map_err(|error| invalid(error.to_string()))?;
        if !matches!(shown.scheme(), "http" | "https")
            || shown.set_username("").is_err()
            || shown.set_password(None).is_err()
        {
            return Err(invalid("it begins with neither http:// nor https://".to_owned()));
        }
        let base_url = url.trim_end_matches('/').to_owned();
        let http = Client::builder().timeout(CALL_TIMEOUT).build().map_err(|error| invalid(error.to_string()))?;
        let fetcher = SrSettings::new_builder(base_url.clone())
            .set_timeout(CALL_TIMEOUT)
            .build()
            .map_err(|error| invalid(error.to_string()))?;
        Ok(Self { shown_url: shown.to_string(), base_url, fetcher, http, patience: PATIENCE })
    }

    /// The same client with other patience.
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Registers a version of a subject and returns its id; the same id when it was registered before.
    ///
    /// # Errors
    /// [`RegistryError::Incompatible`] with the registry's reason, [`RegistryError::Refused`], [`RegistryError::Unavailable`].
    pub fn register(&self, subject: &str, avsc: &str) -> Result<u32, RegistryError> {
        self.patiently(|| {
            let schema = SuppliedSchema::new(None, SchemaType::Avro, avsc.to_owned());
            let registered = post_schema(&self.fetcher, subject.to_owned(), schema)
                .map_err(|error| self.failure_of_registering(subject, &error))?;
            Ok(registered.id)
        })
    }

    /// Fetches a schema as JSON text.
    ///
    /// # Errors
    /// [`RegistryError::UnknownSchemaId`], [`RegistryError::Refused`], [`RegistryError::Unavailable`].
    pub fn schema_by_id(&self, schema_id: u32) -> Result<String, RegistryError> {
        self.patiently(|| {
            let registered = get_schema_by_id(schema_id, &self.fetcher)
                .map_err(|error| self.failure_of_fetching(schema_id, &error))?;
            if registered.schema_type != SchemaType::Avro {
                return Err(Failure::Final(self.refused(
                    format!("give schema id {schema_id} as Avro"),
                    format!("it is of type {:?}", registered.schema_type),
                )));
            }
            Ok(registered.schema)
        })
    }

    /// Asks whether a version may be registered, without registering it. A subject without versions accepts any.
    ///
    /// # Errors
    /// [`RegistryError::Incompatible`] with the registry's reason (some registries give one only when registering),
    /// [`RegistryError::Refused`], [`RegistryError::Unavailable`].
    pub fn check_compatibility(&self, subject: &str, avsc: &str) -> Result<(), RegistryError> {
        let url = format!("{}/compatibility/subjects/{subject}/versions?verbose=true", self.base_url);
        let request = json!({ "schema": avsc, "schemaType": "AVRO" });
        let answer = self.patiently(|| self.ask(self.http.post(&url), &request, &format!("check {subject}")))?;
        if NO_SUBJECT_OR_VERSION.contains(&answer["error_code"].as_u64().unwrap_or_default())
            || answer["is_compatible"] == Value::Bool(true)
        {
            return Ok(());
        }
        let messages: Vec<&str> =
            answer["messages"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let reason = if messages.is_empty() { "it gives no reason".to_owned() } else { messages.join("; ") };
        Err(RegistryError::Incompatible { subject: subject.to_owned(), reason })
    }

    /// Makes the registry refuse versions of a subject that cannot read all earlier ones: compacted topics keep
    /// records of every version. Some registries know a subject only once it has a version.
    ///
    /// # Errors
    /// [`RegistryError::Refused`], [`RegistryError::Unavailable`].
    pub fn require_backward_compatibility(&self, subject: &str) -> Result<(), RegistryError> {
        let url = format!("{}/config/{subject}", self.base_url);
        let action = format!("set the compatibility of {subject}");
        let request = json!({ "compatibility": "BACKWARD_TRANSITIVE" });
        let mut attempt = 1;
        loop {
            let answer = self.patiently(|| self.ask(self.http.put(&url), &request, &action));
            let refusal = match answer.map(|answer| answer["message"].as_str().map(str::to_owned)) {
                Ok(None) => return Ok(()),
                Ok(Some(reason)) => self.refused(action.clone(), reason),
                Err(refusal @ RegistryError::Refused { .. }) => refusal,
                Err(error) => return Err(error),
            };
            // Of two programs that set it at the same time some registries refuse one, which may try again.
            if !self.patience.pause_after(attempt, None) {
                return Err(refusal);
            }
            attempt += 1;
        }
    }

    /// Tries until it succeeds, fails for good, or the attempts are used up.
    fn patiently<T>(&self, call: impl Fn() -> Result<T, Failure>) -> Result<T, RegistryError> {
        let mut attempt = 1;
        loop {
            let cause = match call() {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Outage(cause)) => cause,
            };
            if !self.patience.pause_after(attempt, None) {
                return Err(RegistryError::Unavailable { url: self.shown_url.clone(), attempts: attempt, cause });
            }
            attempt += 1;
        }
    }

    /// One call that the converter crate does not offer. The answer of a working registry, refusal with 404 included.
    fn ask(&self, request: RequestBuilder, body: &Value, action: &str) -> Result<Value, Failure> {
        let response = request
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header(ACCEPT, MEDIA_TYPE)
            .body(body.to_string())
            .send()
            .map_err(|error| Failure::Outage(with_sources(&error)))?;
        let status = response.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(Failure::Outage(format!("it answers {status}")));
        }
        let answer: Value = response.json().map_err(|error| Failure::Outage(with_sources(&error)))?;
        if status.is_success() || status.as_u16() == 404 {
            return Ok(answer);
        }
        let reason = answer["message"].as_str().map_or_else(|| status.to_string(), str::to_owned);
        Err(Failure::Final(self.refused(action.to_owned(), reason)))
    }

    fn failure_of_registering(&self, subject: &str, error: &SRCError) -> Failure {
        match refusal(error) {
            None => Failure::Outage(with_sources(error)),
            // 409 in Confluent's registry and its likes; later versions may append digits, as they do for other codes.
            Some(raw) if raw.error_code == 409 || raw.error_code / 100 == 409 => {
                Failure::Final(RegistryError::Incompatible { subject: subject.to_owned(), reason: raw.message.clone() })
            }
            Some(raw) => Failure::Final(self.refused(format!("register {subject}"), raw.to_string())),
        }
    }

    fn failure_of_fetching(&self, schema_id: u32, error: &SRCError) -> Failure {
        match refusal(error) {
            None => Failure::Outage(with_sources(error)),
            Some(raw) if raw.error_code == NO_SCHEMA_WITH_THIS_ID => {
                Failure::Final(RegistryError::UnknownSchemaId { url: self.shown_url.clone(), schema_id })
            }
            Some(raw) => Failure::Final(self.refused(format!("give schema id {schema_id}"), raw.to_string())),
        }
    }

    fn refused(&self, action: String, reason: String) -> RegistryError {
        RegistryError::Refused { url: self.shown_url.clone(), action, reason }
    }
}

enum Failure {
    /// Worth another attempt.
    Outage(String),
    Final(RegistryError),
}

/// The registry's own refusal; `None` when there is none to be had (no connection, a proxy's page) or it reports an outage.
fn refusal(error: &SRCError) -> Option<&RawError> {
    let raw = error.source()?.downcast_ref::<RawError>()?;
    let is_outage = error.retriable || raw.error_code == 0 || raw.error_code.to_string().starts_with('5');
    (!is_outage).then_some(raw)
}
