//! A message, chunk by chunk, into a sink.

use std::io::{self, Read, Write};

use reqwest::blocking::Response;
use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::checksum::Digests;
use super::error::{MeshError, MeshProblem};
use super::exchange::{Exchange, Form, cut};
use super::message::{self, Message, Received};
use super::unpacking::{UnpackError, Unpacker};

const BUFFER: usize = 64 * 1024;

pub(super) fn download(
    exchange: &Exchange,
    limit: u64,
    message_id: &str,
    into: &mut dyn Write,
) -> Result<Received, MeshError> {
    let action = exchange.action(&format!("download message {message_id}"));
    let first = exchange.patiently(|| open(exchange, &action, message_id, 1))?;
    if message::is_report(first.headers()) {
        return Ok(Received::Report(message::report(message_id, first.headers())));
    }
    let headers = message::message_headers(message_id, first.headers());
    let digests = Digests::new(&headers.checksum);
    let mut unpacker = Unpacker::new(into, message::packing(first.headers()), limit, digests);
    let (mut chunk, mut opened) = (1, Some(first));
    loop {
        let mut passed = Passed::default();
        let is_last = exchange.patiently(|| {
            let response = match opened.take() {
                Some(response) => response,
                None => open(exchange, &action, message_id, chunk)?,
            };
            let is_last = is_last(&action, &response, chunk)?;
            passed.go_on(&action, response, &mut unpacker)?;
            Ok(is_last)
        })?;
        if is_last {
            break;
        }
        chunk += 1;
    }
    let unpacked = unpacker.finish().map_err(|error| refused(&action, error))?;
    let (sha256, checksum) = unpacked.digests.finish();
    let Some(checksum) = checksum else {
        return Err(MeshError::new(MeshProblem::Damaged, &action, "the content differs from its sender's checksum"));
    };
    Ok(Received::Message(Message { headers, bytes: unpacked.bytes, sha256, checksum }))
}

fn open(exchange: &Exchange, action: &str, message_id: &str, chunk: u32) -> Result<Response, MeshError> {
    let number = chunk.to_string();
    let url = match chunk {
        1 => exchange.url(&["inbox", message_id]),
        _ => exchange.url(&["inbox", message_id, &number]),
    };
    let response = exchange.call(action, exchange.request(Method::GET, url, Form::First));
    response.map_err(|error| match error.problem {
        // The first chunk was there, so it is not the message that is missing.
        MeshProblem::NotThere if chunk > 1 => {
            MeshError::new(MeshProblem::Damaged, action, format!("chunk {chunk} is missing"))
        }
        _ => error,
    })
}

/// MESH answers 206 while there are more chunks, and 200 with the last.
fn is_last(action: &str, response: &Response, chunk: u32) -> Result<bool, MeshError> {
    let not_understood = |detail| Err(MeshError::new(MeshProblem::NotUnderstood, action, detail));
    let is_last = match response.status() {
        StatusCode::OK => true,
        StatusCode::PARTIAL_CONTENT => false,
        status => return not_understood(format!("chunk {chunk} comes with the status {status}")),
    };
    match message::chunk_range(response.headers()) {
        Some((this, all)) if this == chunk && (this == all) == is_last => Ok(is_last),
        Some((this, all)) => not_understood(format!("instead of chunk {chunk} comes {this} of {all}")),
        None => not_understood(format!("the range of chunk {chunk} is not two numbers")),
    }
}

/// What has passed of one chunk. After a cut the chunk is asked for again, and only what is new goes on: the sink never sees
/// a byte twice.
#[derive(Default)]
struct Passed {
    bytes: u64,
    sha256: Sha256,
}

impl Passed {
    fn go_on(&mut self, action: &str, mut response: Response, unpacker: &mut Unpacker<'_>) -> Result<(), MeshError> {
        let mut buffer = vec![0; BUFFER];
        self.skip(action, &mut response, &mut buffer)?;
        loop {
            let read = match response.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(cut(action, &error)),
            };
            unpacker.write(&buffer[..read]).map_err(|error| refused(action, error))?;
            self.bytes += read as u64;
            self.sha256.update(&buffer[..read]);
        }
    }

    /// Reads over what has passed, and makes sure that it is the same.
    fn skip(&self, action: &str, response: &mut Response, buffer: &mut [u8]) -> Result<(), MeshError> {
        let mut left = self.bytes;
        let mut sha256 = Sha256::new();
        while left > 0 {
            let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = match response.read(&mut buffer[..wanted]) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(cut(action, &error)),
            };
            sha256.update(&buffer[..read]);
            left -= read as u64;
        }
        if left == 0 && sha256.finalize() == self.sha256.clone().finalize() {
            return Ok(());
        }
        Err(MeshError::new(MeshProblem::BeginAgain, action, "after a cut the chunk is not the same"))
    }
}

fn refused(action: &str, error: UnpackError) -> MeshError {
    match error {
        UnpackError::TooLarge => MeshError::new(MeshProblem::TooLarge, action, "the message is larger than the limit"),
        UnpackError::NotGzip(cause) => {
            MeshError::new(MeshProblem::Damaged, action, format!("the content cannot be unpacked: {cause}"))
        }
        UnpackError::Sink(cause) => MeshError::new(MeshProblem::SinkFailed, action, cause.to_string()),
    }
}
