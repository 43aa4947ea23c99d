//! How many matched pairs a second all seven rules compare on one core.

use std::hint::black_box;

use concord_flows::list_reconciliation::compare;
use concord_flows::list_reconciliation::profile::Profile;
use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn gp() -> GpRecord<'static> {
    GpRecord {
        nhs_number: Some("9990000018"),
        surname: Some("WETHERBY-HOLLOWAY"),
        forenames: Some("ANNA BEATRICE"),
        title: Some("DR"),
        sex: Some(2),
        date_of_birth: Some("19800229"),
        address_line_1: Some("THE OLD GRANARY"),
        address_line_2: Some("14 LITTLE ORCHARD LANE"),
        address_line_3: Some("UPPER ELMTON"),
        address_line_4: Some("ELMTON"),
        address_line_5: Some("WEST MARLSHIRE"),
        postcode: Some("AB12 3CD"),
        ..GpRecord::default()
    }
}

fn pds() -> PdsRecord<'static> {
    PdsRecord {
        nhs_number: "9990000018",
        surname: "Wetherby-Holloway",
        forenames: vec!["Anna", "Beatrice"],
        titles: vec!["Dr"],
        gender: "female",
        date_of_birth: "1980-02-29",
        address: vec!["The Old Granary, 14 Little Orchard Lane", "Upper Elmton", "Elmton", "West Marlshire"],
        postcode: "AB12 3CD",
        ..PdsRecord::default()
    }
}

fn pairs(criterion: &mut Criterion) {
    let equal = PdsRecord {
        address: vec!["The Old Granary", "14 Little Orchard Lane", "Upper Elmton Elmton", "West Marlshire"],
        ..pds()
    };
    let accented_gp = GpRecord { surname: Some("LEFÈVRE"), forenames: Some("RENÉE ÉLODIE"), ..gp() };
    let accented_pds = PdsRecord { surname: "Lefèvre", forenames: vec!["Renée", "Élodie"], ..equal.clone() };
    let cases = [
        ("without a difference", gp(), equal),
        ("without a difference, accented", accented_gp, accented_pds),
        ("with a different address", gp(), pds()),
    ];

    let mut group = criterion.benchmark_group("compare a pair");
    group.throughput(Throughput::Elements(1));
    for (name, gp, pds) in &cases {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| compare::differences(black_box(gp), black_box(pds), Profile::Fixed).count());
        });
    }
    group.finish();
}

criterion_group!(benches, pairs);
criterion_main!(benches);
