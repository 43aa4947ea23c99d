//! "Which numbers are missing on this link": one range read, and what the earlier query did for it.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use concord_engine::store_reads::{KeyRange, StoreReads};
use concord_flows::sequence_audit::reports::truthful::{MissingNumbers, Window, missing_numbers};
use concord_flows::sequence_audit::topology::LINKS;
use concord_flows::sequence_audit::values::KeptLink;
use concord_flows::sequence_audit::{AuditSettings, from_stored, link_key};
use concord_state::RocksDirectory;
use serde_json::{Value, json};

use super::traffic::codes;
use crate::Result;

/// What the questions took.
pub struct Asked {
    questions: usize,
    links: usize,
    with_gaps: usize,
    p50_us: f64,
    p99_us: f64,
    documents: u64,
    /// Of a link that has its share of the documents, and of one that has all.
    earlier: [Earlier; 2],
}

/// What the earlier query did.
struct Earlier {
    numbers_of_link: u64,
    look_ups: u64,
    documents_read: u64,
}

/// Asks of every link from a practice, in the folder of the stopped program.
pub fn ask(state: &Path, pairs: u64, documents: u64) -> Result<Asked> {
    let directory = RocksDirectory::open_read_only(state)?;
    let reads = StoreReads::of_folder(&directory)?;
    let settings = AuditSettings::default().interchanges;
    let always = Window { from_ms: i64::MIN, to_ms: i64::MAX };
    let (mut took_us, mut with_gaps) = (Vec::new(), 0);
    for pair in 0..pairs {
        // Spread over the store.
        let (practice, authority, _) = codes(pair * 7 % pairs);
        let prefix = link_key(&practice, &authority).into_bytes();
        let began = Instant::now();
        let answer = reads.scan(LINKS, &KeyRange { prefix, ..KeyRange::default() }, 1)?;
        let [entry] = &answer.entries[..] else { return Err("a link is not in its store".into()) };
        let link: KeptLink = from_stored(&entry.value)?;
        let missing = missing_numbers(&link.state.interchanges, always, &settings);
        took_us.push(began.elapsed().as_secs_f64() * 1e6);
        with_gaps += usize::from(matches!(missing, MissingNumbers::Missing(_)));
    }
    took_us.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| took_us[((took_us.len() - 1) as f64 * share).round() as usize];
    let mut links = 0;
    for (sub_topology, partition) in directory.tasks()?.iter().filter(|(sub_topology, _)| sub_topology == "links") {
        directory.open_task(sub_topology, *partition)?.scan(LINKS, &[], None, &mut |_, _| {
            links += 1;
            true
        })?;
    }
    Ok(Asked {
        questions: took_us.len(),
        links,
        with_gaps,
        p50_us: at(0.5),
        p99_us: at(0.99),
        documents,
        earlier: [earlier(documents, 2 * pairs), earlier(documents, 1)],
    })
}

/// The query made a list of the numbers from the least to the last but one of the link, and looked each up among the
/// documents of all links. Each link counts from 1.
fn earlier(documents: u64, links: u64) -> Earlier {
    let numbers_of_link = documents / links;
    let mut by_number: HashMap<u64, u64> = HashMap::new();
    for _ in 0..links {
        for number in 1..=numbers_of_link {
            *by_number.entry(number).or_default() += 1;
        }
    }
    let (mut look_ups, mut documents_read) = (0, 0);
    for candidate in 1..numbers_of_link {
        look_ups += 1;
        documents_read += by_number.get(&candidate).copied().unwrap_or_default();
    }
    Earlier { numbers_of_link, look_ups, documents_read }
}

impl Asked {
    pub fn print(&self) {
        let Self { questions, links, with_gaps, p50_us, p99_us, documents, .. } = self;
        println!("which numbers are missing on a link: {questions} questions to {links} links, {with_gaps} with gaps");
        println!(
            "  one range read each      p50 {p50_us:.0} us   p99 {p99_us:.0} us, the reading of the state included"
        );
        for Earlier { numbers_of_link, look_ups, documents_read } in &self.earlier {
            println!(
                "  the earlier query, {documents} documents, {numbers_of_link} of the link: {look_ups} look-ups, which \
                 answer {documents_read} documents"
            );
        }
    }

    pub fn to_json(&self) -> Value {
        let earlier = self.earlier.iter().map(
            |of| json!({"numbers": of.numbers_of_link, "look_ups": of.look_ups, "documents_read": of.documents_read}),
        );
        json!({
            "questions": self.questions, "links": self.links, "with_gaps": self.with_gaps, "range_reads": 1,
            "p50_us": self.p50_us, "p99_us": self.p99_us, "documents": self.documents,
            "earlier": earlier.collect::<Vec<_>>(),
        })
    }
}
