//! The calls of one mailbox.

use std::collections::HashSet;
use std::io::{Read, Write};

use jiff::Timestamp;
use reqwest::{Method, Url};
use serde::Deserialize;

use super::download::download;
use super::error::MeshError;
use super::exchange::{Exchange, Form};
use super::message::Received;
use super::sending::{Outgoing, Sending, Sent};
use super::settings::MeshSettings;
use super::tracking::{self, Tracking};

/// A blocking client of one mailbox. Not for threads of an asynchronous runtime.
pub struct MeshClient {
    exchange: Exchange,
    largest_message: u64,
    chunk_bytes: usize,
    page_size: u32,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<String>,
    #[serde(default)]
    links: Option<Links>,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    next: Option<String>,
}

impl MeshClient {
    /// A client of the mailbox. Reads the certificates; nothing is asked yet. The clock's minute stands in each request,
    /// and MESH refuses one that is far from its own.
    ///
    /// # Errors
    /// `MeshProblem::Settings`.
    pub fn new(settings: MeshSettings, clock: fn() -> Timestamp) -> Result<Self, MeshError> {
        let exchange = Exchange::new(&settings, clock)?;
        let MeshSettings { largest_message, chunk_bytes, page_size, .. } = settings;
        Ok(Self { exchange, largest_message, chunk_bytes, page_size })
    }

    /// Tells the service that this client is there, and finds out whether it is let in. Once at the start, and once a day,
    /// is what the service asks for.
    ///
    /// # Errors
    /// Failures of the way there, of the service, and `MeshProblem::NotAllowed`.
    pub fn handshake(&self) -> Result<(), MeshError> {
        let action = self.exchange.action("handshake");
        self.exchange.patiently(|| {
            let request = self
                .exchange
                .request(Method::POST, self.exchange.url(&[]), Form::Second)
                .header("Mex-ClientVersion", concat!("concord ", env!("CARGO_PKG_VERSION")))
                .header("Mex-OSName", std::env::consts::OS)
                .header("Mex-OSVersion", "not told")
                .header("Mex-OSArchitecture", std::env::consts::ARCH);
            self.exchange.call(&action, request).map(|_| ())
        })
    }

    /// Ids of all messages and reports that are in the inbox and not acknowledged, in the order of the service.
    ///
    /// # Errors
    /// Failures of the way there and of the service.
    pub fn inbox(&self) -> Result<Vec<String>, MeshError> {
        let action = self.exchange.action("list the inbox");
        let (mut ids, mut seen, mut from) = (Vec::new(), HashSet::new(), None);
        loop {
            let url = self.inbox_url(from.as_deref());
            let page: Page = self.exchange.patiently(|| {
                self.exchange.json(&action, self.exchange.request(Method::GET, url.clone(), Form::Second))
            })?;
            let before = ids.len();
            ids.extend(page.messages.into_iter().filter(|id| seen.insert(id.clone())));
            from = page.links.and_then(|links| links.next).and_then(|next| place_of(&next));
            // A page without anything new would be followed by others for ever.
            if from.is_none() || ids.len() == before {
                return Ok(ids);
            }
        }
    }

    /// Writes the content of a message into a sink, all chunks, unpacked. A message of the inbox can be downloaded as often
    /// as it takes. After an error the sink may hold a part of the content.
    ///
    /// # Errors
    /// Any `MeshProblem` but those of sending.
    pub fn download(&self, message_id: &str, into: &mut dyn Write) -> Result<Received, MeshError> {
        download(&self.exchange, self.largest_message, message_id, into)
    }

    /// Takes a message out of the inbox, for good. To be called when it is durably kept elsewhere; again does no harm.
    ///
    /// # Errors
    /// Failures of the way there and of the service, `MeshProblem::NotThere`.
    pub fn acknowledge(&self, message_id: &str) -> Result<(), MeshError> {
        let action = self.exchange.action(&format!("acknowledge message {message_id}"));
        let url = self.exchange.url(&["inbox", message_id, "status", "acknowledged"]);
        self.exchange.patiently(|| {
            let request = self.exchange.request(Method::PUT, url.clone(), Form::Second);
            self.exchange.call(&action, request).map(|_| ())
        })
    }

    /// Sends a message of `length` bytes, in chunks where it is long. First asks whether MESH has it already, by its local
    /// id, so that a repetition sends nothing twice, and one that was cut goes on where it can.
    ///
    /// # Errors
    /// `MeshProblem::CannotBeSent`, `MeshProblem::OutcomeUnknown`, `MeshProblem::SentTwice`,
    /// `MeshProblem::Refused` (an unknown recipient, for example), failures of the way there and of the service.
    pub fn send(&self, message: &Outgoing<'_>, content: &mut dyn Read, length: u64) -> Result<Sent, MeshError> {
        Sending { exchange: &self.exchange, chunk_bytes: self.chunk_bytes, message }.send(content, length)
    }

    /// How far a message that was sent from this mailbox has come.
    ///
    /// # Errors
    /// Failures of the way there and of the service, `MeshProblem::NotThere`.
    pub fn track(&self, message_id: &str) -> Result<Tracking, MeshError> {
        tracking::track(&self.exchange, message_id)
    }

    /// The message that was sent from this mailbox under a local id.
    ///
    /// # Errors
    /// Failures of the way there and of the service, `MeshProblem::SentTwice`.
    pub fn find_sent(&self, local_id: &str) -> Result<Option<Tracking>, MeshError> {
        tracking::find(&self.exchange, local_id)
    }

    fn inbox_url(&self, from: Option<&str>) -> Url {
        let mut url = self.exchange.url(&["inbox"]);
        url.query_pairs_mut().append_pair("max_results", &self.page_size.to_string());
        if let Some(from) = from {
            url.query_pairs_mut().append_pair("continue_from", from);
        }
        url
    }
}

/// Where the next page begins. Only that is taken from the link: a signed request goes nowhere but to the configured address.
fn place_of(next: &str) -> Option<String> {
    let (_, query) = next.split_once('?')?;
    let url = Url::parse(&format!("http://localhost/?{query}")).ok()?;
    url.query_pairs().find(|(name, _)| name == "continue_from").map(|(_, place)| place.into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn of_a_link_to_the_next_page_only_the_place_is_taken() {
        let place = |link| place_of(link);
        assert_eq!(place("/messageexchange/X/inbox?max_results=10&continue_from=a%3D%3D").unwrap(), "a==");
        assert_eq!(place("https://elsewhere.example/?continue_from=b").unwrap(), "b");
        assert_eq!(place("/messageexchange/X/inbox?max_results=10"), None);
        assert_eq!(place("/messageexchange/X/inbox"), None);
    }
}
