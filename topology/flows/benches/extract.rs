//! How many records a second one core reads and judges, and whether that depends on the size of the file.

use std::fmt::Write;
use std::hint::black_box;

use concord_flows::list_reconciliation::extract::{ExtractReader, ReaderSettings};
use concord_flows::list_reconciliation::profile::Profile;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::civil::date;

/// As files arrive: in pieces that cut lines anywhere.
const CHUNK_BYTES: usize = 256 * 1024;

fn synthetic_extract(patients: u32) -> Vec<u8> {
    let mut text = String::from("503\\*\r\n");
    for patient in 1..=patients {
        let surname = ["ATKINS", "O'BRIEN", "ST JOHN-MILLS", "MÖLLER"][patient as usize % 4];
        let (nhs_number, number) = (9_000_000_000 + u64::from(patient), 1_500_000 + patient);
        let house = patient % 250 + 1;
        let _ = write!(
            text,
            "DOW~1~1111111,1234~LNA~20210809~1641~{number}~{nhs_number}~{surname}~MARY ANNE~FORMERLY~MRS~2~19630412\
             ~THE OLD MILL~{house} LONG STREET\r\n\
             DOW~2~RIVERSIDE~LEEDS~WEST YORKSHIRE~LS15 7YB~~3~~~\r\n"
        );
    }
    text.into_bytes()
}

fn read(extract: &[u8], profile: Profile) -> u64 {
    let mut reader = ExtractReader::new(ReaderSettings {
        profile,
        file_cipher: "LNA".to_owned(),
        now: date(2021, 8, 10).at(13, 40, 0, 0),
    });
    let mut valid = 0;
    let mut count = |read: concord_flows::list_reconciliation::extract::ReadRecord<'_>| {
        valid += u64::from(black_box(read.record).is_ok());
    };
    for chunk in extract.chunks(CHUNK_BYTES) {
        reader.push(chunk, &mut count);
    }
    reader.finish(&mut count);
    valid
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read and validate");
    group.sample_size(10);
    for patients in [10_000, 100_000, 1_000_000] {
        let extract = synthetic_extract(patients);
        group.throughput(Throughput::Elements(u64::from(patients)));
        for profile in [Profile::Fixed, Profile::Compatible] {
            assert_eq!(read(&extract, profile), u64::from(patients));
            group.bench_with_input(BenchmarkId::new(format!("{profile:?}"), patients), &extract, |bench, extract| {
                bench.iter(|| read(extract, profile));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
