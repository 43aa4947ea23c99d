//! What is published in one run: practices, what PDS knows of their patients, and files good and bad.

use std::collections::BTreeMap;
use std::sync::Arc;

use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsEntry, Selection};
use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_engine::driver::TopologyTestDriver;
use concord_engine::log::{Log, OutgoingRecord};
use concord_flows::list_reconciliation::ids;
use concord_flows::list_reconciliation::post_office::DEFAULT_ROUTE;
use concord_flows::list_reconciliation::topology::{COMMAND, GP_EXTRACT, PDS_RECORD};
use concord_flows::list_reconciliation::values::{ExtractEvents, PdsRecords};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::{
    Command, CommandAction, ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened, JobCounts,
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::random::Random;

/// Processing time of all files.
pub const RECEIVED_AT: &str = "2021-08-10T13:40:00Z";

/// How a job must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub status: &'static str,
    pub counts: JobCounts,
    pub invalid_records: i64,
}

/// One event of a file.
#[derive(Debug, Clone)]
enum Piece {
    Opened,
    Chunk { sequence: i32, content: Vec<u8> },
    Closed { chunks: i32, sha256: String },
}

/// A file on its way: its events in order.
#[derive(Debug, Clone)]
struct Upload {
    job_id: String,
    file_name: String,
    bytes: i64,
    pieces: Vec<Piece>,
}

/// See the module.
pub struct Scenario {
    pub partitions: i32,
    pds: Vec<PdsEntry>,
    /// Bytes on the PDS topic that no reader understands.
    pub garbage: u64,
    /// Every event of every file, in the order of publishing.
    events: Vec<(usize, usize)>,
    uploads: Vec<Upload>,
    /// Files that were cut, sent whole once they have timed out.
    late: Vec<Upload>,
    /// Operators close the post office before the files come, and open it behind them.
    pub is_closed_at_first: bool,
    pub endings: BTreeMap<String, Ending>,
    /// How many differences stand in the end: every practice sends the same people however often.
    pub standing: i64,
}

impl Scenario {
    /// Draws a scenario.
    pub fn draw(random: &mut Random) -> Self {
        let mut scenario = Self {
            partitions: 1 + random.below(3) as i32,
            pds: Vec::new(),
            garbage: if random.percent(30) { 1 + random.below(2) } else { 0 },
            events: Vec::new(),
            uploads: Vec::new(),
            late: Vec::new(),
            is_closed_at_first: random.percent(40),
            endings: BTreeMap::new(),
            standing: 0,
        };
        let practices = if random.percent(35) { 2 } else { 1 };
        for number in 0..practices {
            scenario.add_practice(number, random);
        }
        scenario.interleave(random);
        scenario
    }

    fn add_practice(&mut self, number: u64, random: &mut Random) {
        let code = format!("Y1234{number}");
        let seed = random.below(1 << 32);
        let of = |patients, first_person| {
            let now = RECEIVED_AT.parse().unwrap();
            let settings = SyntheticSettings { practice: code.clone(), patients, seed, first_person, now };
            SyntheticPractice::generate(settings).unwrap()
        };
        let practice = of(30 + random.below(31), number * 10_000);
        // People whom PDS has at the practice and the file does not name: a few hundred patients would bring a few by themselves.
        let unnamed = of(3 + random.below(5), number * 10_000 + 5_000);
        self.pds.extend(pds_entries(&practice));
        self.pds.extend(pds_entries(&unnamed));
        let mut counts = practice.truth().counts;
        counts.only_on_pds += unnamed.truth().counts.matched + unnamed.truth().counts.only_on_pds;

        self.standing += counts.differences + counts.sensitive + counts.only_on_gp + counts.only_on_pds;

        let name = practice.extract_file_name();
        let content: String = practice.extract().collect();
        let whole = upload(&name, content.as_bytes(), random);
        let ending = Ending { status: "COMPLETE", counts, invalid_records: 0 };
        self.endings.insert(whole.job_id.clone(), ending);
        if random.percent(25) {
            // Sent twice, cut into other pieces the second time.
            self.uploads.push(whole);
            self.uploads.push(upload(&name, content.as_bytes(), random));
        } else {
            self.uploads.push(whole);
        }
        if random.percent(30) {
            self.add_refused(&name, &content, random);
        }
        if random.percent(25) {
            let other = format!("{content}\n");
            let mut cut = upload(&name, other.as_bytes(), random);
            cut.pieces.truncate(1 + random.below(cut.pieces.len() as u64 - 1) as usize);
            if random.percent(50) {
                let ending = Ending { status: "COMPLETE", counts, invalid_records: 0 };
                self.endings.insert(cut.job_id.clone(), ending);
                self.late.push(upload(&name, other.as_bytes(), random));
            } else {
                self.end(&cut.job_id, "TIMED_OUT", 0);
            }
            self.uploads.push(cut);
        }
    }

    fn add_refused(&mut self, name: &str, content: &str, random: &mut Random) {
        let (name, content, invalid_records) = match random.below(3) {
            0 => ("rubbish.txt", content.to_owned(), 0),
            1 => (name, content.split_once('\n').unwrap().1.to_owned(), 0),
            _ => (name, with_an_impossible_birthday(content), 1),
        };
        let refused = upload(name, content.as_bytes(), random);
        self.end(&refused.job_id, "REJECTED", invalid_records);
        self.uploads.push(refused);
    }

    fn end(&mut self, job_id: &str, status: &'static str, invalid_records: i64) {
        let ending = Ending { status, counts: JobCounts::default(), invalid_records };
        self.endings.insert(job_id.to_owned(), ending);
    }

    /// Mixes the uploads. One of a job that has been sent before comes behind the whole of the earlier one: a sender sends again
    /// what he has sent, not what he is sending.
    fn interleave(&mut self, random: &mut Random) {
        let mut next = vec![0; self.uploads.len()];
        loop {
            let ready: Vec<usize> = (0..self.uploads.len()).filter(|place| self.may_go_on(*place, &next)).collect();
            if ready.is_empty() {
                return;
            }
            let place = ready[random.below(ready.len() as u64) as usize];
            self.events.push((place, next[place]));
            next[place] += 1;
        }
    }

    fn may_go_on(&self, place: usize, next: &[usize]) -> bool {
        let earlier_is_whole = (0..place).all(|earlier| {
            self.uploads[earlier].job_id != self.uploads[place].job_id
                || next[earlier] == self.uploads[earlier].pieces.len()
        });
        next[place] < self.uploads[place].pieces.len() && earlier_is_whole
    }

    /// Publishes what PDS holds. The files must come behind its processing, as the producers of the flow see to.
    pub fn publish_pds(&self, driver: &mut TopologyTestDriver) {
        for entry in &self.pds {
            match &entry.change {
                PdsChange::Upsert(record) => {
                    driver.pipe::<PdsRecords>(PDS_RECORD, &entry.nhs_number, &record.as_record()).unwrap();
                }
                PdsChange::NotFound => driver.pipe_bytes(PDS_RECORD, Some(entry.nhs_number.as_bytes()), None).unwrap(),
            }
        }
        for number in 0..self.garbage {
            let key = format!("garbage-{number}");
            driver.pipe_bytes(PDS_RECORD, Some(key.as_bytes()), Some(b"no value of any schema")).unwrap();
        }
    }

    /// An operator switches the only route, which every partition is told.
    pub fn switch_route(&self, driver: &mut TopologyTestDriver, action: CommandAction) {
        let at_ms = driver.now_ms();
        let command = Command { action, subject: DEFAULT_ROUTE, by: "an operator", reason: "", at_ms };
        let mut value = Vec::new();
        Schemas::bundled().encoder().encode(&codec::COMMAND, &command, &mut value).unwrap();
        let mut publisher = driver.log().publisher().unwrap();
        for partition in 0..self.partitions {
            let record = OutgoingRecord {
                topic: &Arc::from(COMMAND),
                partition,
                timestamp_ms: at_ms,
                key: Some(DEFAULT_ROUTE.as_bytes()),
                value: Some(&value),
                headers: &[],
            };
            publisher.send(&record).unwrap();
        }
    }

    /// How many events the files have together.
    pub fn events(&self) -> usize {
        self.events.len()
    }

    /// Publishes one of them.
    pub fn publish_event(&self, driver: &mut TopologyTestDriver, number: usize) {
        let (upload, piece) = self.events[number];
        publish(driver, &self.uploads[upload], piece);
    }

    /// Publishes what comes behind the time-outs.
    pub fn publish_late(&self, driver: &mut TopologyTestDriver) {
        for upload in &self.late {
            for piece in 0..upload.pieces.len() {
                publish(driver, upload, piece);
            }
        }
    }
}

fn publish(driver: &mut TopologyTestDriver, upload: &Upload, piece: usize) {
    let job_id = upload.job_id.as_str();
    let event = match &upload.pieces[piece] {
        Piece::Opened => ExtractEvent::ExtractOpened(ExtractOpened {
            job_id,
            file_name: &upload.file_name,
            received_at_ms: RECEIVED_AT.parse::<Timestamp>().unwrap().as_millisecond(),
            bytes: upload.bytes,
            source: "",
        }),
        Piece::Chunk { sequence, content } => {
            ExtractEvent::ExtractChunk(ExtractChunk { job_id, sequence: *sequence, content })
        }
        Piece::Closed { chunks, sha256 } => {
            ExtractEvent::ExtractClosed(ExtractClosed { job_id, chunks: *chunks, sha256 })
        }
    };
    driver.pipe::<ExtractEvents>(GP_EXTRACT, job_id, &event).unwrap();
}

fn pds_entries(practice: &SyntheticPractice) -> Vec<PdsEntry> {
    let lines: String = practice.pds().collect();
    let settings = FhirSettings { selection: Selection::OneElement, today: jiff::civil::date(2021, 8, 10) };
    FhirReader::open("pds.ndjson", lines.as_bytes(), settings).unwrap().map(|entry| entry.unwrap()).collect()
}

fn upload(file_name: &str, content: &[u8], random: &mut Random) -> Upload {
    let digest: [u8; 32] = Sha256::digest(content).into();
    let piece_bytes = 400 + random.below(1_500) as usize;
    let mut pieces = vec![Piece::Opened];
    for (sequence, content) in content.chunks(piece_bytes).enumerate() {
        pieces.push(Piece::Chunk { sequence: sequence as i32, content: content.to_vec() });
    }
    let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    pieces.push(Piece::Closed { chunks: pieces.len() as i32 - 1, sha256 });
    Upload {
        job_id: ids::job_id(file_name, &digest),
        file_name: file_name.to_owned(),
        bytes: content.len() as i64,
        pieces,
    }
}

/// The same file with a first patient who was born on no day.
fn with_an_impossible_birthday(content: &str) -> String {
    const BORN: usize = 13;
    let mut lines: Vec<String> = content.lines().map(str::to_owned).collect();
    let mut fields: Vec<&str> = lines[1].split('~').collect();
    fields[BORN] = "19999999";
    lines[1] = fields.join("~");
    lines.join("\n") + "\n"
}
