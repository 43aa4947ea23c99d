//! One request to PDS and its answer, as it comes.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use concord_engine::metric_names as names;
use concord_schemas::sources::with_sources;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Url};

use super::error::{PdsError, PdsProblem};
use super::settings::PdsApiSettings;

/// A person's record has some kilobytes.
const LONGEST_ANSWER: u64 = 4 << 20;

/// An answer, whatever it says.
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// The base address, checked.
pub(super) fn base_url(settings: &PdsApiSettings) -> Result<Url, PdsError> {
    let invalid = |detail: String| PdsError::new(PdsProblem::Settings, detail);
    let url = Url::parse(&settings.url).map_err(|error| invalid(format!("the URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(invalid("the URL does not begin with https:// (or http://) and a host".to_owned()));
    }
    if settings.credentials.is_some() && url.scheme() == "http" && !is_loopback(&url) {
        return Err(invalid("tokens do not go over plain http://: write https://".to_owned()));
    }
    Ok(url)
}

/// The address of a resource below the base.
pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

pub(super) fn http_client(settings: &PdsApiSettings) -> Result<Client, PdsError> {
    let invalid = |detail: String| PdsError::new(PdsProblem::Settings, detail);
    let mut http = Client::builder()
        .timeout(settings.timeout)
        .redirect(Policy::none())
        .user_agent(concat!("concord/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = &settings.ca {
        http = http.tls_certs_only(certificates(path).map_err(invalid)?);
    }
    http.build().map_err(|error| invalid(with_sources(&error)))
}

/// Sends a request, once.
pub(super) fn send(request: RequestBuilder) -> Result<Answer, PdsError> {
    let began = Instant::now();
    let answer = exchange(request);
    let status = answer.as_ref().map_or_else(|_| "none".to_owned(), |answer| answer.status.to_string());
    metrics::counter!(names::PDS_REQUESTS, "status" => status).increment(1);
    metrics::histogram!(names::PDS_REQUEST_SECONDS).record(began.elapsed());
    answer
}

fn exchange(request: RequestBuilder) -> Result<Answer, PdsError> {
    // The address of a look-up holds an NHS number, which errors must not show.
    let response = request.send().map_err(|error| unanswered(error.without_url()))?;
    let status = response.status().as_u16();
    let retry_after = wish(response.headers());
    let mut body = Vec::new();
    match response.take(LONGEST_ANSWER).read_to_end(&mut body) {
        Ok(_) => Ok(Answer { status, body, retry_after }),
        Err(error) => Err(PdsError::new(PdsProblem::Unreachable, format!("the answer was cut ({})", error.kind()))),
    }
}

fn unanswered(error: reqwest::Error) -> PdsError {
    let problem = if error.is_builder() { PdsProblem::Settings } else { PdsProblem::Unreachable };
    PdsError::new(problem, with_sources(&error))
}

/// `Retry-After` in seconds. Its other form, a date, is left to the usual pause.
fn wish(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|error| format!("{}: {}", path.display(), with_sources(&error)))?;
    if certificates.is_empty() {
        return Err(format!("{}: it holds no certificate in PEM form", path.display()));
    }
    Ok(certificates)
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}
