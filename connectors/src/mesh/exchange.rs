//! One request to MESH and its answer, with authorization, patience, and failures told apart.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use concord_schemas::sources::with_sources;
use jiff::Timestamp;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Identity, Method, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::authorization::Signer;
use super::error::{MeshError, MeshProblem};
use super::settings::{MeshSettings, TlsFiles};
use crate::patience::Patience;

const PATH: &str = "messageexchange";
/// Answers other than messages are ids and short texts.
const LONGEST_ANSWER: u64 = 8 << 20;
/// As much of an explanation of the service as goes into an error.
const LONGEST_EXPLANATION: usize = 200;

/// Which form of answers is asked for.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// The older one; messages then come as their sender packed them.
    First,
    Second,
}

/// A mailbox and the way to it.
pub(super) struct Exchange {
    http: Client,
    /// `https://host/messageexchange/MAILBOX`
    mailbox_url: Url,
    mailbox: String,
    signer: Signer,
    patience: Patience,
}

impl Exchange {
    pub(super) fn new(settings: &MeshSettings, clock: fn() -> Timestamp) -> Result<Self, MeshError> {
        let action = format!("mailbox {}", settings.mailbox);
        let invalid = |detail: String| MeshError::new(MeshProblem::Settings, &action, detail);
        if settings.mailbox.is_empty() || !settings.mailbox.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid("the mailbox id is not made of letters and digits".to_owned()));
        }
        if settings.chunk_bytes == 0 || !(10..=5000).contains(&settings.page_size) {
            return Err(invalid("chunk_bytes is 0, or page_size is outside 10 to 5000".to_owned()));
        }
        let mut mailbox_url = Url::parse(&settings.url).map_err(|error| invalid(format!("the URL: {error}")))?;
        if !matches!(mailbox_url.scheme(), "http" | "https") || !mailbox_url.has_host() {
            return Err(invalid("the URL does not begin with https:// (or http://) and a host".to_owned()));
        }
        if let Ok(mut path) = mailbox_url.path_segments_mut() {
            path.pop_if_empty().push(PATH).push(&settings.mailbox);
        }
        let mut http = Client::builder()
            .timeout(settings.timeout)
            .redirect(Policy::none())
            .no_gzip()
            .user_agent(concat!("concord/", env!("CARGO_PKG_VERSION")));
        if let Some(files) = &settings.tls {
            http = with_certificates(http, files).map_err(invalid)?;
        }
        let http = http.build().map_err(|error| invalid(with_sources(&error)))?;
        let signer =
            Signer::new(settings.mailbox.clone(), settings.password.clone(), settings.shared_key.clone(), clock);
        Ok(Self { http, mailbox_url, mailbox: settings.mailbox.clone(), signer, patience: settings.patience })
    }

    pub(super) fn mailbox(&self) -> &str {
        &self.mailbox
    }

    /// What is being done, as errors say it.
    pub(super) fn action(&self, action: &str) -> String {
        format!("mailbox {}, {action}", self.mailbox)
    }

    /// The address below the mailbox's.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.mailbox_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    /// A request that is not yet signed. Content comes as it is stored: it is unpacked here, within limits.
    pub(super) fn request(&self, method: Method, url: Url, form: Form) -> RequestBuilder {
        let accept = match form {
            Form::First => "application/vnd.mesh.v1+json",
            Form::Second => "application/vnd.mesh.v2+json",
        };
        self.http.request(method, url).header(ACCEPT, accept).header(ACCEPT_ENCODING, "gzip")
    }

    /// Signs and sends a request, once.
    pub(super) fn call(&self, action: &str, request: RequestBuilder) -> Result<Response, MeshError> {
        let response =
            request.header(AUTHORIZATION, self.signer.header()).send().map_err(|error| unanswered(action, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(action, response))
    }

    /// Signs and sends a request, once, and reads its JSON answer.
    pub(super) fn json<T: DeserializeOwned>(&self, action: &str, request: RequestBuilder) -> Result<T, MeshError> {
        let response = self.call(action, request)?;
        let mut text = Vec::new();
        response.take(LONGEST_ANSWER).read_to_end(&mut text).map_err(|error| cut(action, &error))?;
        serde_json::from_slice(&text).map_err(|error| {
            // The error of the parser names a place and a kind; what the answer says stays out.
            let detail =
                format!("the answer is not the JSON of MESH ({:?} at line {})", error.classify(), error.line());
            MeshError { perhaps_done: true, ..MeshError::new(MeshProblem::NotUnderstood, action, detail) }
        })
    }

    /// Tries until it succeeds, fails for another reason than an outage, or patience is used up.
    pub(super) fn patiently<T>(&self, mut call: impl FnMut() -> Result<T, MeshError>) -> Result<T, MeshError> {
        let mut attempt = 1;
        loop {
            let error = match call() {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !is_outage(&error) || !self.pause_after(attempt, &error) {
                return Err(error);
            }
            attempt += 1;
        }
    }

    /// False when there is no further attempt.
    pub(super) fn pause_after(&self, attempt: u32, error: &MeshError) -> bool {
        self.patience.pause_after(attempt, error.retry_after)
    }
}

pub(super) fn is_outage(error: &MeshError) -> bool {
    matches!(error.problem, MeshProblem::Unreachable | MeshProblem::Busy)
}

/// The connection ended in the middle of an answer.
pub(super) fn cut(action: &str, error: &dyn Error) -> MeshError {
    MeshError { perhaps_done: true, ..MeshError::new(MeshProblem::Unreachable, action, with_sources(error)) }
}

fn with_certificates(
    http: reqwest::blocking::ClientBuilder,
    files: &TlsFiles,
) -> Result<reqwest::blocking::ClientBuilder, String> {
    let ca = Certificate::from_pem_bundle(&read(&files.ca)?)
        .map_err(|error| format!("{}: {}", files.ca.display(), with_sources(&error)))?;
    if ca.is_empty() {
        return Err(format!("{}: it holds no certificate in PEM form", files.ca.display()));
    }
    let mut identity = read(&files.certificate)?;
    identity.push(b'\n');
    identity.extend(read(&files.key)?);
    let identity = Identity::from_pem(&identity).map_err(|error| {
        format!("{}, {}: {}", files.certificate.display(), files.key.display(), with_sources(&error))
    })?;
    Ok(http.tls_certs_only(ca).identity(identity).https_only(true))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn unanswered(action: &str, error: &reqwest::Error) -> MeshError {
    if error.is_builder() {
        return MeshError::new(MeshProblem::Settings, action, with_sources(error));
    }
    // Without a connection nothing has reached the service.
    let perhaps_done = !error.is_connect();
    MeshError { perhaps_done, ..MeshError::new(MeshProblem::Unreachable, action, with_sources(error)) }
}

fn refusal(action: &str, response: Response) -> MeshError {
    let status = response.status();
    let problem = problem_of(status);
    let retry_after = wish(response.headers());
    let mut text = Vec::new();
    // An explanation that does not arrive is missing, no more.
    let _ = response.take(LONGEST_ANSWER).read_to_end(&mut text);
    let detail = match explanation(&text) {
        Some(explanation) => format!("it answers {status}: {explanation}"),
        None => format!("it answers {status}"),
    };
    MeshError {
        retry_after,
        status: Some(status.as_u16()),
        // 503 and 429 say that the service has not begun.
        perhaps_done: status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE,
        ..MeshError::new(problem, action, detail)
    }
}

fn problem_of(status: StatusCode) -> MeshProblem {
    match status.as_u16() {
        401 | 403 => MeshProblem::NotAllowed,
        404 | 410 => MeshProblem::NotThere,
        408 | 425 | 429 | 500..=599 => MeshProblem::Busy,
        100..=399 => MeshProblem::NotUnderstood,
        _ => MeshProblem::Refused,
    }
}

/// `Retry-After` in seconds. Its other form, a date, is left to the usual pause.
fn wish(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Both forms in which MESH says why it refuses.
#[derive(Deserialize)]
struct Explanation {
    #[serde(rename = "errorCode", default)]
    code: String,
    #[serde(rename = "errorDescription", default)]
    description: String,
    #[serde(default)]
    detail: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    msg: String,
}

/// The service's own words; of an answer in another form nothing, for it may quote what was sent.
fn explanation(text: &[u8]) -> Option<String> {
    let Explanation { code, description, detail } = serde_json::from_slice(text).ok()?;
    let mut reasons = vec![Reason { code, msg: description }];
    reasons.extend(detail);
    let reasons: Vec<String> = reasons
        .iter()
        .filter(|reason| !reason.msg.is_empty())
        .map(|reason| format!("{} {}", reason.code, reason.msg).trim().to_owned())
        .collect();
    let all = reasons.join("; ");
    let shown: String = all.chars().filter(|character| !character.is_control()).take(LONGEST_EXPLANATION).collect();
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn explanations_of_both_forms_are_shown_and_other_texts_are_not() {
        let first = br#"{"errorEvent":"SEND","errorCode":"12","errorDescription":"Unregistered to address"}"#;
        assert_eq!(explanation(first).unwrap(), "12 Unregistered to address");
        let second = br#"{"message_id":"1","detail":[{"event":"SEND","code":"12","msg":"Unregistered\nto address"}]}"#;
        assert_eq!(explanation(second).unwrap(), "12 Unregisteredto address");
        assert_eq!(explanation(br#"{"detail":[{"loc":["body"]}],"body":"SMITH"}"#), None);
        assert_eq!(explanation(b"<html>SMITH</html>"), None);
    }

    #[test]
    fn statuses_are_told_apart_by_who_can_do_something_about_them() {
        let problem = |status| problem_of(StatusCode::from_u16(status).unwrap());
        assert_eq!(problem(403), MeshProblem::NotAllowed);
        assert_eq!(problem(410), MeshProblem::NotThere);
        assert_eq!([problem(429), problem(500), problem(503), problem(504)], [MeshProblem::Busy; 4]);
        assert_eq!([problem(400), problem(417)], [MeshProblem::Refused; 2]);
        assert_eq!(problem(302), MeshProblem::NotUnderstood);
    }
}
