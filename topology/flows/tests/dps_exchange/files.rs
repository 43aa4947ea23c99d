//! Output files, made in two ways: by the flow, which compares, and from the answer of DPS.

use std::collections::BTreeMap;

use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_flows::list_reconciliation::dps_exchange::{
    AnswerEnd, AnswerLine, AnswerReader, row_of_invalid_record, row_of_person_only_on_pds, rows_of_patient,
};
use concord_flows::list_reconciliation::outputs::{
    DIFFERENCES_HEADER, LINE_END, ONLY_ON_GP_HEADER, ONLY_ON_PDS_HEADER,
};
use concord_flows::list_reconciliation::topology::{FILE, GP_EXTRACT, JOB, PDS_RECORD};
use concord_flows::list_reconciliation::values::{ExtractEvents, Files, Jobs, PdsRecords, Row};
use concord_flows::list_reconciliation::{Profile, Settings, ids, topology};
use concord_schemas::list_reconciliation::{
    ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened, JobCounts, ReportFile,
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::answering::{AT, Pds};

/// A job and its files, those of work items by their names.
#[derive(Debug, PartialEq, Eq)]
pub struct Made {
    pub counts: JobCounts,
    pub files: BTreeMap<String, String>,
}

pub fn job_id(file_name: &str, extract: &str) -> String {
    ids::job_id(file_name, &Sha256::digest(extract.as_bytes()).into())
}

/// What the flow makes of an extract.
pub fn made_by_comparing(file_name: &str, extract: &str, pds: &Pds, profile: Profile) -> Made {
    let settings = Settings { partitions: 2, profile, ..Settings::default() };
    let mut driver = TopologyTestDriver::start(topology(&settings).unwrap(), DriverSettings::with_workers(1)).unwrap();
    for (number, record) in pds {
        driver.pipe::<PdsRecords>(PDS_RECORD, number, &record.as_record()).unwrap();
    }
    driver.run_until_idle().unwrap();
    let job_id = job_id(file_name, extract);
    let sha256: String = Sha256::digest(extract.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let events = [
        ExtractEvent::ExtractOpened(ExtractOpened {
            job_id: &job_id,
            file_name,
            received_at_ms: AT.parse::<Timestamp>().unwrap().as_millisecond(),
            bytes: extract.len() as i64,
            source: "",
        }),
        ExtractEvent::ExtractChunk(ExtractChunk { job_id: &job_id, sequence: 0, content: extract.as_bytes() }),
        ExtractEvent::ExtractClosed(ExtractClosed { job_id: &job_id, chunks: 1, sha256: &sha256 }),
    ];
    for event in &events {
        driver.pipe::<ExtractEvents>(GP_EXTRACT, &job_id, event).unwrap();
    }
    driver.run_until_idle().unwrap();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for output in driver.outputs::<Files>(FILE).unwrap() {
        let piece = output.value().unwrap().unwrap();
        files.entry(piece.file_name.to_owned()).or_default().push_str(piece.text);
    }
    let jobs = driver.outputs::<Jobs>(JOB).unwrap();
    let counts = jobs.last().unwrap().value().unwrap().unwrap().counts;
    Made { counts, files }
}

/// Reads an answer in pieces of this many bytes.
pub fn read(answer: &str, profile: Profile, piece: usize, on_line: &mut dyn FnMut(&AnswerLine<'_>)) -> AnswerEnd {
    let mut reader = AnswerReader::new(profile);
    for piece in answer.as_bytes().chunks(piece) {
        reader.push(piece, on_line);
    }
    reader.finish(on_line)
}

/// What is made of an answer that is good.
pub fn made_of_the_answer(answer: &str, profile: Profile) -> Made {
    // Read twice, as a processor does: once for the verdict, once for the rows.
    let end = read(answer, profile, 1000, &mut |_| {});
    assert_eq!(end.refusal, None, "{:?}", end.flaws);
    let header = end.header.unwrap();
    let mut rows: BTreeMap<(ReportFile, String), String> = BTreeMap::new();
    read(answer, profile, 77, &mut |line| {
        let mut keep = |row: Row| {
            rows.insert((row.file, row.sort_key), row.text);
        };
        match line {
            AnswerLine::Patient(patient) => rows_of_patient(&header, patient, profile, &mut keep).unwrap(),
            AnswerLine::OnlyOnPds(person) => keep(row_of_person_only_on_pds(person)),
            AnswerLine::InvalidRecord(invalid) => keep(row_of_invalid_record(invalid)),
            AnswerLine::Header(_) | AnswerLine::Trailer(_) => {}
        }
    });
    let named = |kind: &str| format!("{}-{kind}-20210810134000.csv", header.practice);
    let mut files = BTreeMap::from([
        (named("CDD"), format!("{DIFFERENCES_HEADER}{LINE_END}")),
        (named("OnlyOnGP"), format!("{ONLY_ON_GP_HEADER}{LINE_END}")),
        (named("OnlyOnPDS"), format!("{ONLY_ON_PDS_HEADER}{LINE_END}")),
    ]);
    for ((file, sort_key), text) in rows {
        let (name, text) = match file {
            ReportFile::Cdd => (named("CDD"), text + LINE_END),
            ReportFile::OnlyOnGp => (named("OnlyOnGP"), text + LINE_END),
            ReportFile::OnlyOnPds => (named("OnlyOnPDS"), text + LINE_END),
            ReportFile::WorkItem => (format!("work-items/{sort_key}"), text),
            ReportFile::Validation | ReportFile::DpsAnswer => panic!("no record is invalid, and nobody answers"),
        };
        files.entry(name).or_default().push_str(&text);
    }
    Made { counts: end.counts, files }
}
