//! A schema registry that gives every subject an id, and of one further schema knows what the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use concord_schemas::Schemas;
use concord_schemas::codec::{PDS_REGISTRATION, TopicSchema};
use concord_schemas::list_reconciliation::Registration;
use concord_schemas::patience::Patience;
use concord_schemas::registry::RegistryClient;

/// The id of the further schema.
const ID: u32 = 99;

/// What it says of the further schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It has an outage.
    Outage,
    /// It takes the question and says nothing.
    Silence,
    /// There is no such id.
    Unknown,
    /// Here it is.
    Schema,
}

/// See the module.
pub struct Registry {
    address: String,
    answer: Arc<Mutex<Answer>>,
}

impl Registry {
    pub fn answering(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new(answer));
        let shared = answer.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let answer = shared.clone();
                thread::spawn(move || serve(connection.unwrap(), &answer));
            }
        });
        Self { address, answer }
    }

    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Codecs with ids of this registry.
    pub fn schemas(&self) -> Arc<Schemas> {
        let once = Patience { attempts: 1, first_pause: Duration::ZERO, longest_pause: Duration::ZERO };
        Arc::new(Schemas::with_registry(RegistryClient::new(&self.address).unwrap().with_patience(once)).unwrap())
    }
}

/// A registration as a program writes it that has the further schema.
pub fn written_with_the_further_schema(registration: &Registration<'_>) -> Vec<u8> {
    const FRAME: usize = 10;
    let mut bundled = Vec::new();
    Schemas::bundled().encoder().encode(&PDS_REGISTRATION, registration, &mut bundled).unwrap();
    let mut bytes = vec![0];
    bytes.extend(ID.to_be_bytes());
    // The field that it has and we have not: the number 4.
    bytes.push(8);
    bytes.extend_from_slice(&bundled[FRAME..]);
    bytes
}

fn further(schema: &TopicSchema) -> String {
    let field = r#""fields": [{"name": "further", "type": "int", "default": 0},"#;
    schema.avsc().replacen("\"fields\": [", field, 1)
}

fn serve(connection: TcpStream, answer: &Mutex<Answer>) {
    let mut reader = BufReader::new(connection);
    let mut request = String::new();
    reader.read_line(&mut request).unwrap();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if header.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let answer = *answer.lock().unwrap();
    let (status, body) = match answer {
        _ if request.starts_with("POST") => (200, serde_json::json!({ "id": 1 })),
        Answer::Outage => (503, serde_json::json!({})),
        Answer::Unknown => (404, serde_json::json!({ "error_code": 40403, "message": "Schema not found" })),
        Answer::Schema => (200, serde_json::json!({ "schema": further(&PDS_REGISTRATION) })),
        Answer::Silence => {
            // Until the one who asks gives up.
            let _ = reader.read(&mut [0]);
            return;
        }
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // Whoever asked may have gone.
    let _ = reader.into_inner().write_all((head + &body).as_bytes());
}
