//! A way to a server that fails as it is told.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of one connection.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    Passes,
    /// It is cut when this many bytes have come from the server.
    CutBehindAnswered(u64),
    /// Once this many bytes have gone to the server, its next answer is lost, and the connection is cut.
    AnswerLostBehindSent(u64),
}

/// Listens, and passes connections on.
pub struct FailingWay {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl FailingWay {
    /// `fates` are those of the first connections, `others` that of all further ones. `url` is the server's.
    pub fn to(url: &str, fates: &[Fate], others: Fate) -> Self {
        let server = url.split_once("//").unwrap().1.trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let fates = Mutex::new(VecDeque::from(fates.to_vec()));
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let fate = fates.lock().unwrap().pop_front().unwrap_or(others);
                pass_on(client, TcpStream::connect(&server).unwrap(), fate);
            }
        });
        Self { port, connections }
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn pass_on(client: TcpStream, server: TcpStream, fate: Fate) {
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        copy(from_client, to_server, |bytes| {
            counted.fetch_add(bytes as u64, Ordering::SeqCst);
            bytes
        });
    });
    let mut answered = 0;
    thread::spawn(move || {
        copy(server, client, |bytes| match fate {
            Fate::Passes => bytes,
            Fate::CutBehindAnswered(limit) => {
                let allowed = bytes.min((limit - answered) as usize);
                answered += allowed as u64;
                allowed
            }
            Fate::AnswerLostBehindSent(limit) if sent.load(Ordering::SeqCst) >= limit => 0,
            Fate::AnswerLostBehindSent(_) => bytes,
        });
    });
}

/// Copies as many bytes of each piece as are allowed; fewer than all are the end of both directions.
fn copy(mut from: TcpStream, mut to: TcpStream, mut allowed: impl FnMut(usize) -> usize) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let passing = allowed(read);
        if to.write_all(&buffer[..passing]).is_err() || passing < read {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
