//! Asks PDS about one person, as often as it takes.

use std::sync::Arc;

use concord_schemas::nhs_number;
use jiff::tz::TimeZone;
use reqwest::Url;
use reqwest::blocking::Client;
use reqwest::header::HeaderValue;
use uuid::Uuid;

use super::answers::{Meaning, meaning_of};
use super::error::{PdsError, PdsProblem};
use super::pace::Pace;
use super::request::{self, Answer};
use super::settings::PdsApiSettings;
use super::time::ApiTime;
use super::token::Tokens;
use crate::patience::Patience;
use crate::pds::fhir_entry::{entry_of, outcome_code};
use crate::pds::fhir_resource::Resource;
use crate::pds::{PdsChange, PdsRecordOwned, Selection};

/// A client of the API; threads share it, and its rate.
pub struct PdsClient {
    http: Client,
    base: Url,
    tokens: Option<Tokens>,
    pace: Pace,
    patience: Patience,
    selection: Selection,
    time: Arc<dyn ApiTime>,
}

impl PdsClient {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// [`PdsProblem::Settings`], naming the setting or the file.
    pub fn new(settings: PdsApiSettings, time: Arc<dyn ApiTime>) -> Result<Self, PdsError> {
        let base = request::base_url(&settings)?;
        let http = request::http_client(&settings)?;
        let tokens = match &settings.credentials {
            Some(credentials) => Some(Tokens::new(http.clone(), &base, credentials, Arc::clone(&time))?),
            None => None,
        };
        let pace = Pace::new(settings.rate_per_second, settings.burst, Arc::clone(&time)).ok_or_else(|| {
            PdsError::new(PdsProblem::Settings, "the rate is not a positive number of requests, or the burst is 0")
        })?;
        let PdsApiSettings { patience, selection, .. } = settings;
        Ok(Self { http, base, tokens, pace, patience, selection, time })
    }

    /// What PDS holds of a person. PDS is told `correlation`, such as the id of a job, with the question.
    ///
    /// A text that is no NHS number is never asked about: PDS can have no record of it.
    ///
    /// # Errors
    /// [`NextStep`](crate::next_step::NextStep) says who can do something about it. An outage is an error once patience is used up.
    pub fn look_up(&self, nhs_number: &str, correlation: &str) -> Result<PdsChange, PdsError> {
        if !nhs_number::is_valid(nhs_number) {
            return Ok(PdsChange::NotFound);
        }
        let mut attempt = 1;
        loop {
            let error = match self.ask_with_a_token(nhs_number, correlation) {
                Ok(change) => return Ok(change),
                Err(error) => error,
            };
            if !may_pass(error.problem) {
                return Err(error);
            }
            let Some(pause) = self.patience.next_pause(attempt, error.retry_after) else { return Err(error) };
            if error.problem == PdsProblem::Busy {
                // Busy for one is busy for all.
                self.pace.rest(pause);
            }
            if !self.time.wait(pause) {
                return Err(error);
            }
            attempt += 1;
        }
    }

    /// A refused token is replaced, once.
    fn ask_with_a_token(&self, nhs_number: &str, correlation: &str) -> Result<PdsChange, PdsError> {
        let Some(tokens) = &self.tokens else {
            let change = self.ask(nhs_number, correlation, None)?;
            return change.ok_or_else(|| not_allowed("it answers 401, and there are no credentials"));
        };
        let token = tokens.usable(&self.pace)?;
        if let Some(change) = self.ask(nhs_number, correlation, Some(&token))? {
            return Ok(change);
        }
        tokens.forget(&token);
        let token = tokens.usable(&self.pace)?;
        match self.ask(nhs_number, correlation, Some(&token))? {
            Some(change) => Ok(change),
            None => {
                tokens.forget(&token);
                Err(not_allowed("it answers 401, to a new token too"))
            }
        }
    }

    /// `None` when the token is refused.
    fn ask(&self, nhs_number: &str, correlation: &str, token: Option<&str>) -> Result<Option<PdsChange>, PdsError> {
        if !self.pace.take() {
            return Err(PdsError::new(PdsProblem::Unreachable, "the program stops"));
        }
        let url = request::below(&self.base, &["personal-demographics", "FHIR", "R4", "Patient", nhs_number]);
        let mut request = self.http.get(url).header("X-Request-ID", Uuid::new_v4().to_string());
        if let Ok(correlation) = HeaderValue::from_str(correlation) {
            request = request.header("X-Correlation-ID", correlation);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        self.understand(nhs_number, &request::send(request)?)
    }

    fn understand(&self, nhs_number: &str, answer: &Answer) -> Result<Option<PdsChange>, PdsError> {
        let body = Body::of(&answer.body);
        let code = body.code();
        let problem = match (meaning_of(answer.status, code.as_deref()), body) {
            (Meaning::Found, Body::Resource(resource)) => return self.record(nhs_number, *resource).map(Some),
            (Meaning::Found, Body::OtherJson) => PdsProblem::RecordUnusable,
            (Meaning::Found, Body::NotJson) => PdsProblem::NotUnderstood,
            (Meaning::NoRecord, _) => return Ok(Some(PdsChange::NotFound)),
            (Meaning::Invalidated, _) => {
                return Ok(Some(PdsChange::Upsert(Box::new(PdsRecordOwned::redacted(nhs_number)))));
            }
            (Meaning::TokenRefused, _) => return Ok(None),
            (Meaning::Failed(problem), _) => problem,
        };
        let detail = match code.as_deref() {
            Some(code) if is_code(code) => format!("it answers {} {code}", answer.status),
            Some(_) => format!("it answers {} without a code", answer.status),
            None => format!("it answers {} with something else than JSON", answer.status),
        };
        Err(PdsError { retry_after: answer.retry_after, ..PdsError::new(problem, detail) })
    }

    fn record(&self, nhs_number: &str, resource: Resource) -> Result<PdsChange, PdsError> {
        if resource.resource_type.as_deref() != Some("Patient") {
            let detail = "it answers that there is a record, and sends another resource than a Patient";
            return Err(PdsError::new(PdsProblem::NotUnderstood, detail));
        }
        let today = self.time.now().to_zoned(TimeZone::UTC).date().to_string();
        let entry = entry_of(Some(nhs_number.to_owned()), resource, self.selection, &today).map_err(|flaw| {
            let problem = if flaw.is_of_another { PdsProblem::Superseded } else { PdsProblem::RecordUnusable };
            PdsError::new(problem, format!("{} of the record: {}", flaw.field, flaw.problem))
        })?;
        Ok(entry.change)
    }
}

/// What the body of an answer is.
enum Body {
    Resource(Box<Resource>),
    /// JSON that no resource looks like.
    OtherJson,
    NotJson,
}

impl Body {
    fn of(text: &[u8]) -> Self {
        match serde_json::from_slice(text) {
            Ok(resource) => Self::Resource(Box::new(resource)),
            Err(error) if error.is_data() => Self::OtherJson,
            Err(_) => Self::NotJson,
        }
    }

    /// The code of an outcome; empty where JSON has none, `None` where it is no JSON.
    fn code(&self) -> Option<String> {
        match self {
            Self::Resource(resource) => Some(outcome_code(resource).unwrap_or_default().to_owned()),
            Self::OtherJson => Some(String::new()),
            Self::NotJson => None,
        }
    }
}

/// What may be otherwise at the next attempt.
fn may_pass(problem: PdsProblem) -> bool {
    matches!(
        problem,
        PdsProblem::Unreachable | PdsProblem::Busy | PdsProblem::NotUnderstood | PdsProblem::UnknownAnswer
    )
}

fn not_allowed(detail: &str) -> PdsError {
    PdsError::new(PdsProblem::NotAllowed, detail)
}

/// Codes are words in capitals; anything else might be a patient's name.
fn is_code(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}
