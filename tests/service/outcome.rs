//! What has come out at the end: in the recipient's mailbox, in the mail server, of the jobs, and what was refused. Times are
//! left out, which differ from run to run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use concord_connectors::mesh::Received;
use quoted_printable::ParseMode;

use crate::Stage;
use crate::processes::APPLICATION;
use crate::servers::{RECIPIENT, Servers};
use crate::topics::Topics;

/// A file in the recipient's mailbox.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResultFile {
    pub name: String,
    pub text: String,
}

#[derive(Debug, PartialEq, Eq)]
pub struct JobOutcome {
    pub status: String,
    pub copies: i64,
    pub counts: BTreeMap<String, i64>,
}

pub struct CameOut {
    /// In order of their names; one that was sent twice stands here twice.
    pub results: Vec<ResultFile>,
    /// Subject and text. The same mail twice, under one id, counts once: a crash between the mail server's yes and the commit
    /// repeats it.
    pub mails: Vec<String>,
    pub jobs: BTreeMap<String, JobOutcome>,
    /// Codes.
    pub refused: Vec<String>,
}

impl CameOut {
    /// The one mail whose subject has both words.
    pub fn mail_about(&self, file: &str, about: &str) -> &str {
        let found: Vec<&String> = self
            .mails
            .iter()
            .filter(|mail| mail.lines().next().is_some_and(|subject| subject.contains(file) && subject.contains(about)))
            .collect();
        assert_eq!(found.len(), 1, "mails about {file} ({about}): {:#?}", self.mails);
        found[0]
    }
}

pub fn topics(servers: &Servers) -> Topics {
    Topics::of(servers.variable("KAFKA_BOOTSTRAP"), &BTreeMap::new()).unwrap()
}

pub fn read(stage: &Stage) -> CameOut {
    let mut results = results(&stage.servers);
    results.sort();
    let jobs = stage.processes.jobs().into_iter().map(|job| {
        let outcome = JobOutcome {
            status: job["status"].as_str().unwrap().to_owned(),
            copies: job["copies"].as_i64().unwrap(),
            counts: serde_json::from_value(job["counts"].clone()).unwrap(),
        };
        (job["job_id"].as_str().unwrap().to_owned(), outcome)
    });
    let jobs = jobs.collect();
    // It fails when it finds something.
    stage.processes.succeeds(&["verify"]);
    CameOut { results, mails: mails(Path::new(stage.servers.variable("SMTP_MAILS"))), jobs, refused: refused(stage) }
}

fn results(servers: &Servers) -> Vec<ResultFile> {
    let mailbox = servers.mailbox(RECIPIENT);
    let ids = mailbox.inbox().unwrap();
    let message = |id: &String| {
        let mut content = Vec::new();
        let Received::Message(message) = mailbox.download(id, &mut content).unwrap() else {
            panic!("a report in the recipient's mailbox")
        };
        let name = without_times(&message.headers.file_name);
        ResultFile { name, text: String::from_utf8(content).unwrap() }
    };
    ids.iter().map(message).collect()
}

fn mails(folder: &Path) -> Vec<String> {
    let mut by_id: BTreeMap<String, String> = BTreeMap::new();
    for entry in fs::read_dir(folder.join("new")).unwrap() {
        let raw = fs::read_to_string(entry.unwrap().path()).unwrap().replace("\r\n", "\n");
        let (head, body) = raw.split_once("\n\n").unwrap();
        // A header goes on where the next line begins with a space.
        let head = head.replace("\n ", " ");
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let body = match header("Content-Transfer-Encoding:") {
            "quoted-printable" => {
                let decoded = quoted_printable::decode(body.replace('\n', "\r\n"), ParseMode::Strict).unwrap();
                String::from_utf8(decoded).unwrap().replace("\r\n", "\n")
            }
            _ => body.to_owned(),
        };
        let mail = without_times(&format!("{}\n{body}", header("Subject:")));
        let before = by_id.insert(header("Message-ID:").to_owned(), mail.clone());
        assert!(before.is_none_or(|before| before == mail), "one id, and two texts");
    }
    by_id.into_values().collect()
}

/// What the topic of refused inputs says, once for each input: a process that starts again says it again.
fn refused(stage: &Stage) -> Vec<String> {
    let read = stage.processes.succeeds(&["dead-letters", "list"]);
    assert!(!read.contains("CONCORD-"), "dead letters of {APPLICATION}: {read}");
    let mut codes = BTreeMap::new();
    for record in topics(&stage.servers).read("intake.refused").unwrap() {
        let text = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
        let code = text.find("CONCORD-").map(|at| text[at..at + 15].to_owned());
        codes.insert(record.text_key(), code.unwrap());
    }
    codes.into_values().collect()
}

/// With `T` in place of a time of fourteen digits, or of one with colons.
pub fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(rest.len());
        let run = &rest[..length];
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        let is_clock = run.len() == 8 && digits == 6 && run.split(':').all(|part| part.len() == 2);
        if run.len() == 14 && digits == 14 || is_clock {
            out.push('T');
            rest = &rest[length..];
        } else if length > 0 {
            out.push_str(run);
            rest = &rest[length..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}
