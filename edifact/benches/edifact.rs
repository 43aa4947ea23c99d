//! How many bytes a second one core reads of interchanges with registrations.

use std::hint::black_box;

use concord_edifact::{
    EnvelopeReader, Event, InterchangeHeader, InterchangeWriter, RegistrationText, Strictness, TransactionText,
    read_interchanges,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;

/// As interchanges arrive: in pieces that cut segments anywhere.
const PIECE_BYTES: usize = 256 * 1024;
const INTERCHANGES: u64 = 20_000;

/// Interchanges of one message with one acceptance of a patient each, with the segments that the specification asks for.
fn registrations() -> Vec<u8> {
    let mut all = String::new();
    for number in 1..=INTERCHANGES {
        let header = InterchangeHeader {
            sender: "TES5".to_owned(),
            recipient: "XX11".to_owned(),
            prepared_at: Some(Timestamp::UNIX_EPOCH),
            number: Some(number),
            application: None,
        };
        let person = format!("PNA+PAT+{number:010}:OPI+++SU:O?'BRIEN+FO:MARY+TI:MRS+MI:ANNE");
        let segments = vec![
            "NAD+GP+4826940,281:900",
            "HEA+ACD+A:ZZZ",
            "HEA+ATP+3:ZZZ",
            "DTM+956:19920115:102",
            "LOC+950+PETERBOROUGH",
            "S02+2",
            &person,
            "DTM+329:19460723:102",
            "PDI+2",
            "NAD+PAT++THE MANSION HOUSE:1 MANSION LANE:ST PAULS CRAY:ORPINGTON:KENT+++++BR12 7ET",
        ];
        let message = RegistrationText {
            authority_cipher: "XX1",
            prepared_at: Timestamp::UNIX_EPOCH,
            transaction_type: "G1",
            transactions: vec![TransactionText { number, segments }],
        };
        let mut writer = InterchangeWriter::begin(&header);
        writer.registration(number, &message);
        all.push_str(&writer.finish());
        all.push('\n');
    }
    all.into_bytes()
}

fn count_messages(source: &[u8]) -> u64 {
    let mut reader = EnvelopeReader::new();
    let mut messages = 0;
    let mut count = |event: Event| messages += u64::from(matches!(black_box(event), Event::Message(_)));
    for piece in source.chunks(PIECE_BYTES) {
        reader.push(piece, &mut count);
    }
    reader.finish(&mut count);
    messages
}

fn reading(criterion: &mut Criterion) {
    let source = registrations();
    assert_eq!(count_messages(&source), INTERCHANGES);
    assert!(read_interchanges(&source, Strictness::Strict).iter().all(Result::is_ok));
    let mut group = criterion.benchmark_group("read registrations");
    group.sample_size(10).throughput(Throughput::Bytes(source.len() as u64));
    group.bench_function("events", |bench| bench.iter(|| count_messages(&source)));
    group.bench_function("collected strictly", |bench| bench.iter(|| read_interchanges(&source, Strictness::Strict)));
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
