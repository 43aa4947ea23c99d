//! The token that PDS wants with each look-up: asked for with a signed JWT, kept until shortly before it ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Url;
use reqwest::blocking::Client;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{PdsError, PdsProblem};
use super::pace::Pace;
use super::request::{self, Answer};
use super::settings::Credentials;
use super::time::ApiTime;

/// How long a signed request for a token may be used.
const ASSERTION_SECONDS: i64 = 300;
/// A token that ends within this time is not used any more: a request takes its time.
const MARGIN: Duration = Duration::from_secs(30);
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Gets tokens, and keeps one.
pub(super) struct Tokens {
    http: Client,
    url: Url,
    signer: Signer,
    time: Arc<dyn ApiTime>,
    /// Held while a token is asked for: there is one refresh at a time, and the others wait for its result.
    kept: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    text: String,
    usable_until: Duration,
}

struct Signer {
    header: Header,
    app_key: String,
    key: EncodingKey,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    iss: &'a str,
    jti: String,
    aud: &'a str,
    exp: i64,
}

/// The answer of the token service.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Seconds,
}

/// PDS writes the number as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

impl Seconds {
    fn as_duration(&self) -> Option<Duration> {
        match self {
            Self::Number(seconds) => Some(Duration::from_secs(*seconds)),
            Self::Text(text) => text.parse().ok().map(Duration::from_secs),
        }
    }
}

impl Tokens {
    pub(super) fn new(
        http: Client,
        base: &Url,
        credentials: &Credentials,
        time: Arc<dyn ApiTime>,
    ) -> Result<Self, PdsError> {
        let path = &credentials.private_key_file;
        let invalid = |detail: String| PdsError::new(PdsProblem::Settings, format!("{}: {detail}", path.display()));
        let pem = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
        // The error's own words could quote the key.
        let not_a_key = |_| invalid("it is not an RSA private key in PEM form".to_owned());
        let key = EncodingKey::from_rsa_pem(&pem).map_err(not_a_key)?;
        let mut header = Header::new(Algorithm::RS512);
        header.kid = Some(credentials.key_id.clone());
        let signer = Signer { header, app_key: credentials.app_key.reveal().to_owned(), key };
        Ok(Self { http, url: request::below(base, &["oauth2", "token"]), signer, time, kept: Mutex::default() })
    }

    /// A token that holds for a while yet.
    pub(super) fn usable(&self, pace: &Pace) -> Result<String, PdsError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = kept.as_ref()
            && self.time.elapsed() < token.usable_until
        {
            return Ok(token.text.clone());
        }
        let token = self.ask(pace)?;
        *kept = Some(token.clone());
        Ok(token.text)
    }

    /// PDS has refused this token. One that another thread has got since then stays.
    pub(super) fn forget(&self, refused: &str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take_if(|token| token.text == refused);
    }

    fn ask(&self, pace: &Pace) -> Result<Token, PdsError> {
        let assertion = self.signed()?;
        if !pace.take() {
            return Err(PdsError::new(PdsProblem::Unreachable, "the program stops"));
        }
        // Counted from before the request, so that a slow answer shortens the time rather than lengthens it.
        let asked_at = self.time.elapsed();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        let answer = request::send(self.http.post(self.url.clone()).form(&form))?;
        let Granted { access_token, expires_in } = granted(&answer)?;
        let Some(lifetime) = expires_in.as_duration() else { return Err(not_understood(&answer)) };
        // Of a token that lives for less than that, half its time is used.
        let margin = MARGIN.min(lifetime / 2);
        Ok(Token { text: access_token, usable_until: asked_at + lifetime.saturating_sub(margin) })
    }

    fn signed(&self) -> Result<String, PdsError> {
        let claims = Claims {
            sub: &self.signer.app_key,
            iss: &self.signer.app_key,
            jti: Uuid::new_v4().to_string(),
            aud: self.url.as_str(),
            exp: self.time.now().as_second() + ASSERTION_SECONDS,
        };
        jsonwebtoken::encode(&self.signer.header, &claims, &self.signer.key).map_err(|_| {
            PdsError::new(PdsProblem::Settings, "the private key cannot sign: it must be RSA, 2048 bits or more")
        })
    }
}

fn granted(answer: &Answer) -> Result<Granted, PdsError> {
    match answer.status {
        200..=299 => serde_json::from_slice(&answer.body).map_err(|_| not_understood(answer)),
        408 | 425 | 429 | 500..=599 => {
            let detail = format!("the token service answers {}", answer.status);
            Err(PdsError { retry_after: answer.retry_after, ..PdsError::new(PdsProblem::Busy, detail) })
        }
        _ if serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok() => {
            // Its words could quote what was sent; the status says enough.
            let detail = format!("the token service gives no token and answers {}", answer.status);
            Err(PdsError::new(PdsProblem::NotAllowed, detail))
        }
        _ => Err(not_understood(answer)),
    }
}

fn not_understood(answer: &Answer) -> PdsError {
    let detail = format!("the answer of the token service, of status {}, is not one of OAuth2", answer.status);
    PdsError::new(PdsProblem::NotUnderstood, detail)
}
