//! Encoding and decoding one record: Concord's codec beside `apache_avro::Value`.

use std::hint::black_box;

use apache_avro::types::Value;
use apache_avro::{Schema, from_avro_datum, to_avro_datum};
use concord_schemas::Schemas;
use concord_schemas::codec::{GP_RECORD, PDS_RECORD, TopicSchema};
use concord_schemas::list_reconciliation::{GpEvent, PdsRecord};
use criterion::{Criterion, criterion_group, criterion_main};
use serde::Serialize;

#[path = "../tests/samples/mod.rs"]
mod samples;

/// Bytes of the single-object header.
const HEADER: usize = 10;

fn encode<T: Serialize>(criterion: &mut Criterion, name: &str, topic: &'static TopicSchema, value: &T) -> Vec<u8> {
    let mut encoder = Schemas::bundled().encoder();
    let mut bytes = Vec::new();
    criterion.bench_function(&format!("encode {name}"), |bencher| {
        bencher.iter(|| {
            bytes.clear();
            encoder.encode(topic, black_box(value), &mut bytes)
        });
    });
    println!("{name}: {} bytes with header", bytes.len());
    bytes
}

fn independent(criterion: &mut Criterion, name: &str, topic: &TopicSchema, bytes: &[u8]) {
    let (Ok(schema), mut datum) = (Schema::parse_str(topic.avsc()), &bytes[HEADER..]) else {
        return;
    };
    let Ok(value) = from_avro_datum(&schema, &mut datum, None) else {
        return;
    };
    criterion.bench_function(&format!("encode {name}, apache_avro::Value"), |bencher| {
        bencher.iter_batched(
            || value.clone(),
            |value: Value| to_avro_datum(&schema, value),
            criterion::BatchSize::SmallInput,
        );
    });
    criterion.bench_function(&format!("decode {name}, apache_avro::Value"), |bencher| {
        bencher.iter(|| from_avro_datum(&schema, &mut black_box(&bytes[HEADER..]), None));
    });
}

fn codec(criterion: &mut Criterion) {
    let decoder = Schemas::bundled().decoder();

    let bytes = encode(criterion, "JobRecord", &GP_RECORD, &GpEvent::JobRecord(samples::job_record()));
    criterion.bench_function("decode JobRecord", |bencher| {
        bencher.iter(|| decoder.decode::<GpEvent>(&GP_RECORD, black_box(&bytes)).is_ok());
    });
    independent(criterion, "JobRecord", &GP_RECORD, &bytes);

    let bytes = encode(criterion, "PdsRecord", &PDS_RECORD, &samples::pds_record());
    criterion.bench_function("decode PdsRecord", |bencher| {
        bencher.iter(|| decoder.decode::<PdsRecord>(&PDS_RECORD, black_box(&bytes)).is_ok());
    });
    independent(criterion, "PdsRecord", &PDS_RECORD, &bytes);
}

criterion_group!(benches, codec);
criterion_main!(benches);
