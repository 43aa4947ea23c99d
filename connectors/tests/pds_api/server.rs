//! A small PDS: answers about the people it is given, wants a token, writes down what it sees, and fails on demand.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use concord_connectors::pds::api::ApiTime;

use crate::people::outcome;
use crate::time::VirtualTime;

const PATIENT: &str = "/personal-demographics/FHIR/R4/Patient/";

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub at: Duration,
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// What goes wrong with a look-up.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This is answered instead; the last is `Retry-After`.
    Answer(u16, String, Option<u64>),
    /// The connection ends in the middle of the answer.
    Cut,
    /// The connection ends without an answer.
    HangUp,
    /// The client's time passes before the answer.
    Slow(Duration),
}

/// How the server stands.
pub struct State {
    pub answers: BTreeMap<String, (u16, String)>,
    pub time: Arc<VirtualTime>,
    /// For the look-ups to come, one each.
    pub faults: Mutex<VecDeque<Fault>>,
    /// For all look-ups, once the others are used up.
    pub lasting: Mutex<Option<Fault>>,
    /// For requests for tokens.
    pub token_faults: Mutex<VecDeque<Fault>>,
    /// Seconds that a token holds; 0: no token is wanted.
    pub token_seconds: u64,
    pub seen: Mutex<Vec<Seen>>,
    /// By token: until when it holds.
    tokens: Mutex<BTreeMap<String, Duration>>,
}

/// See the module. Ends when dropped.
pub struct PdsServer {
    pub state: Arc<State>,
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PdsServer {
    pub fn start(answers: BTreeMap<String, (u16, String)>, token_seconds: u64, time: Arc<VirtualTime>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            answers,
            time,
            faults: Mutex::default(),
            lasting: Mutex::default(),
            token_faults: Mutex::default(),
            token_seconds,
            seen: Mutex::default(),
            tokens: Mutex::default(),
        });
        let ended = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (state, ended) = (Arc::clone(&state), Arc::clone(&ended));
            move || {
                for connection in listener.incoming() {
                    if ended.load(Ordering::SeqCst) {
                        return;
                    }
                    let state = Arc::clone(&state);
                    thread::spawn(move || state.serve(connection.unwrap()));
                }
            }
        });
        Self { state, address, ended, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The look-ups so far.
    pub fn look_ups(&self) -> Vec<Seen> {
        self.seen(|seen| seen.path.starts_with(PATIENT))
    }

    /// The requests for tokens so far.
    pub fn token_requests(&self) -> Vec<Seen> {
        self.seen(|seen| seen.path == "/oauth2/token")
    }

    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.faults.lock().unwrap().extend(faults);
    }

    pub fn fail_on(&self, fault: Option<Fault>) {
        *self.state.lasting.lock().unwrap() = fault;
    }

    fn seen(&self, wanted: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        self.state.seen.lock().unwrap().iter().filter(|seen| wanted(seen)).cloned().collect()
    }
}

impl Drop for PdsServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl State {
    fn serve(&self, connection: TcpStream) {
        let Some(request) = self.read(&connection) else { return };
        self.seen.lock().unwrap().push(request.clone());
        let (status, body, retry_after) = if request.path == "/oauth2/token" {
            match self.token_faults.lock().unwrap().pop_front() {
                Some(Fault::Answer(status, body, retry_after)) => (status, body, retry_after),
                Some(Fault::Slow(time)) => {
                    self.time.advance(time);
                    self.token()
                }
                Some(_) => return,
                None => self.token(),
            }
        } else {
            let fault = self.faults.lock().unwrap().pop_front().or_else(|| self.lasting.lock().unwrap().clone());
            match fault {
                Some(Fault::Answer(status, body, retry_after)) => (status, body, retry_after),
                Some(Fault::HangUp) => return,
                Some(Fault::Cut) => {
                    let mut connection = &connection;
                    let _ = connection
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"resourceType\": \"Pat");
                    return;
                }
                Some(Fault::Slow(time)) => {
                    self.time.advance(time);
                    self.patient(&request)
                }
                None => self.patient(&request),
            }
        };
        let retry_after = retry_after.map_or_else(String::new, |seconds| format!("retry-after: {seconds}\r\n"));
        let head =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{retry_after}content-length: {}\r\n\r\n", body.len());
        let mut connection = &connection;
        let _ = connection.write_all(head.as_bytes());
        let _ = connection.write_all(body.as_bytes());
    }

    fn read(&self, connection: &TcpStream) -> Option<Seen> {
        let mut reader = BufReader::new(connection);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Seen { at: self.time.elapsed(), method, path, headers, body: String::from_utf8(body).unwrap() })
    }

    fn token(&self) -> (u16, String, Option<u64>) {
        let mut tokens = self.tokens.lock().unwrap();
        let token = format!("token-{}", tokens.len() + 1);
        tokens.insert(token.clone(), self.time.elapsed() + Duration::from_secs(self.token_seconds));
        // PDS writes the numbers as text.
        let body = format!(
            r#"{{"access_token": "{token}", "expires_in": "{}", "token_type": "Bearer", "issued_at": "1"}}"#,
            self.token_seconds
        );
        (200, body, None)
    }

    fn patient(&self, request: &Seen) -> (u16, String, Option<u64>) {
        if self.token_seconds > 0 && !self.is_let_in(request) {
            return (401, outcome("ACCESS_DENIED", "Access Token expired"), None);
        }
        if !request.headers.contains_key("x-request-id") {
            return (412, outcome("PRECONDITION_FAILED", "Required condition was not fulfilled"), None);
        }
        let number = request.path.strip_prefix(PATIENT).unwrap_or_default();
        let (status, body) = self
            .answers
            .get(number)
            .cloned()
            .unwrap_or_else(|| (404, outcome("RESOURCE_NOT_FOUND", "Resource not found")));
        (status, body, None)
    }

    fn is_let_in(&self, request: &Seen) -> bool {
        let token = request.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let tokens = self.tokens.lock().unwrap();
        token.and_then(|token| tokens.get(token)).is_some_and(|until| self.time.elapsed() < *until)
    }
}
