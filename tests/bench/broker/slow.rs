//! A slow way to the broker: what goes through it, either way, comes late, and not faster than so many bytes a second.
//!
//! The broker has a listener whose advertised address is that of the proxy (`KAFKA_PROXIED=yes scripts/parts kafka start`), so that
//! clients stay on the slow way when they have learnt the broker's address.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

const PIECE_BYTES: usize = 16 << 10;
/// Pieces on their way in one direction of one connection.
const PIECES_UNDER_WAY: usize = 256;

/// How slow, each way.
#[derive(Debug, Clone, Copy)]
pub struct Slowness {
    pub delay: Duration,
    pub bytes_a_second: f64,
}

/// One direction of all connections together.
struct Lane {
    slowness: Slowness,
    free_at: Mutex<Instant>,
}

impl Lane {
    fn new(slowness: Slowness) -> Arc<Self> {
        Arc::new(Self { slowness, free_at: Mutex::new(Instant::now()) })
    }

    /// When a piece that is here now comes out at the other end.
    fn arrival(&self, bytes: usize) -> Instant {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = (*free_at).max(Instant::now());
        *free_at = begins + Duration::from_secs_f64(bytes as f64 / self.slowness.bytes_a_second);
        *free_at + self.slowness.delay
    }
}

/// Opens the slow way: of the listener that the broker was started with for it. Answers where clients find it. It stays
/// open as long as this process.
pub fn open(slowness: Slowness) -> Result<String> {
    let advertised = super::variable("KAFKA_PROXIED_BOOTSTRAP")?;
    let broker = super::variable("KAFKA_PROXIED_LISTENER")?;
    let listener = TcpListener::bind(&advertised)?;
    let (there, back) = (Lane::new(slowness), Lane::new(slowness));
    thread::spawn(move || {
        for client in listener.incoming().map_while(std::io::Result::ok) {
            // A broker that is away is seen by the client as a connection that closes.
            let Ok(server) = TcpStream::connect(&broker) else { continue };
            let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else { continue };
            carry(from_client, server, Arc::clone(&there));
            carry(from_server, client, Arc::clone(&back));
        }
    });
    Ok(advertised)
}

/// Two threads carry one direction: one takes pieces in, one hands them out when it is their time.
fn carry(mut from: TcpStream, mut to: TcpStream, lane: Arc<Lane>) {
    let (pieces, due): (SyncSender<(Instant, Vec<u8>)>, Receiver<_>) = sync_channel(PIECES_UNDER_WAY);
    thread::spawn(move || {
        let mut piece = vec![0; PIECE_BYTES];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if pieces.send((lane.arrival(length), piece[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (when, piece) in due {
            thread::sleep(when.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        // Both ends learn that the other has gone.
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
}
