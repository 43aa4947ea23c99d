//! Files of the system that Concord takes over from, with what that system made of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::command::{AT, Folder, Job};
use super::people::{ndjson, outcome};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/list-reconciliation");

/// The folder of real files; says loudly when a test is not run for want of it.
fn data(test: &str) -> Option<&'static Path> {
    if Path::new(DATA).is_dir() {
        return Some(Path::new(DATA));
    }
    eprintln!("SKIPPED: {test}: the real files are not in {DATA}");
    None
}

fn copied(folder: &Folder, from: PathBuf, name: &str) -> PathBuf {
    folder.write(name, fs::read(&from).unwrap_or_else(|error| panic!("{}: {error}", from.display())))
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Same bytes in all, same rows, in whatever order.
#[track_caller]
fn assert_same_rows(job: &Job, part: &str, expected: &str) {
    let found = job.file(part);
    let rows = |text: &str| -> BTreeSet<String> { text.lines().map(str::to_owned).collect() };
    assert_eq!(rows(found), rows(expected));
    assert_eq!(found.lines().next(), expected.lines().next(), "the header stands first");
    assert_eq!(found.len(), expected.len(), "bytes of {part}");
}

/// Without the ids, and with its differences in order.
fn comparable(mut work_item: Value) -> Value {
    for id in ["patientId", "jobId"] {
        assert!(work_item["system"][id].is_string(), "{id} of {work_item}");
        work_item["system"][id] = Value::Null;
    }
    let differences = work_item["differences"].as_array_mut().expect("a list of differences");
    differences.sort_by_key(ToString::to_string);
    work_item
}

struct PdsPerson<'a> {
    nhs_number: &'a str,
    version: &'a str,
    given: &'a [&'a str],
    family: &'a str,
    prefix: &'a str,
    born: &'a str,
    since: &'a str,
    address: &'a [&'a str],
    postcode: &'a str,
}

impl PdsPerson<'_> {
    fn at_practice(&self, practice: &str) -> Value {
        json!({
            "resourceType": "Patient",
            "id": self.nhs_number,
            "meta": {"versionId": self.version, "security": [{"code": "U"}]},
            "name": [{"use": "usual", "given": self.given, "family": self.family, "prefix": [self.prefix]}],
            "gender": "female",
            "birthDate": self.born,
            "address": [{"use": "home", "line": self.address, "postalCode": self.postcode}],
            "generalPractitioner": [{"identifier": {"value": practice, "period": {"start": self.since}}}],
        })
    }
}

fn pds_of_set_b() -> String {
    let people = [
        PdsPerson {
            nhs_number: "9449304424",
            version: "2",
            given: &["COMFORT", "ZULA"],
            family: "AINDOW",
            prefix: "MRS",
            born: "1943-05-18",
            since: "1976-08-12",
            address: &["41 THE KINGSWAY", "EPSOM", "SURREY"],
            postcode: "KT17 1NA",
        },
        PdsPerson {
            nhs_number: "9449305552",
            version: "9",
            given: &["OCTAVIA"],
            family: "CHISLETT",
            prefix: "MS",
            born: "2008-09-20",
            since: "2012-05-22",
            address: &["1 RAVENSFIELD GARDENS", "EPSOM", "SURREY"],
            postcode: "KT19 0ST",
        },
        PdsPerson {
            nhs_number: "9449306621",
            version: "6",
            given: &["BERYL"],
            family: "SHIPPERBOTTOM",
            prefix: "MS",
            born: "2011-05-09",
            since: "2012-05-22",
            address: &["BROGA", "FARM LANE", "ASHTEAD"],
            postcode: "KT21 1LJ",
        },
    ];
    let mut lines: Vec<Value> = people.iter().map(|person| person.at_practice("H81109")).collect();
    lines.push(outcome("9000000009", "RESOURCE_NOT_FOUND"));
    ndjson(&lines)
}

#[test]
fn set_b_comes_out_as_the_earlier_system_wrote_it() {
    let Some(data) = data("set_b_comes_out_as_the_earlier_system_wrote_it") else { return };
    let set = data.join("set-b");
    let folder = Folder::new();
    let extract = copied(&folder, set.join("H81109_GPR4LNA1.EIA"), "H81109_GPR4LNA1.H9A");
    let pds = folder.write("pds.ndjson", pds_of_set_b());

    // Ids derive from the input: the earlier behaviour and the corrected one agree on this set, whoever says who is registered.
    let runs = [
        folder.reconcile().extract(&extract).pds(&pds).registrations(set.join("dps_data.csv")),
        folder.reconcile().extract(&extract).pds(&pds),
        folder.reconcile().extract(&extract).pds(&pds).registrations(set.join("dps_data.csv")).compatible(),
    ];
    for run in runs {
        let job = run.run().reconciled();
        assert_eq!((job.text("practice"), job.text("file")), ("H81109", "H81109_GPR4LNA1.H9A"));
        job.expect_counts(&[
            ("records", 3),
            ("matched", 2),
            ("partnership_mismatch", 0),
            ("deducted", 0),
            ("unmatched", 1),
            ("sensitive", 0),
            ("only_on_gp", 1),
            ("only_on_pds", 1),
            ("differences", 12),
            ("patients_with_differences", 2),
            ("work_items", 2),
        ]);
        assert_same_rows(&job, "H81109-OnlyOnGP-20210810134000.csv", &read(set.join("expected_onlyongp.txt")));
        assert_same_rows(&job, "H81109-OnlyOnPDS-20210810134000.csv", &read(set.join("expected_onlyonPDS.txt")));
        assert_same_rows(&job, "H81109-CDD-20210810134000.csv", &read(set.join("expected_cdd_file.txt")));

        let work_items = job.work_items();
        assert_eq!(work_items.len(), 2);
        for nhs_number in ["9449305552", "9449306621"] {
            let name = format!("work-items/H81109-WIP-{}-{nhs_number}-20210810134000.json", job.text("job_id"));
            let expected: Value =
                serde_json::from_str(&read(set.join(format!("work-items/{nhs_number}.json")))).unwrap();
            let found = comparable(work_items[&name].clone());
            // As text, so that the order of keys counts.
            assert_eq!(found.to_string(), comparable(expected).to_string());
        }
    }
}

#[test]
fn set_c_has_nobody_only_on_gp_and_says_so_with_a_header_alone() {
    let Some(data) = data("set_c_has_nobody_only_on_gp_and_says_so_with_a_header_alone") else { return };
    let set = data.join("set-c");
    let folder = Folder::new();
    let extract = copied(&folder, set.join("Y12345_GPR4LNA1.EIA"), "Y12345_GPR4LNA1.H9A");
    let person = PdsPerson {
        nhs_number: "9000000017",
        version: "1",
        given: &["JANEEIE"],
        family: "SMITHY",
        prefix: "MISS",
        born: "2012-02-11",
        since: "2012-05-22",
        address: &["FLAT B", "THE STREET", "EAST"],
        postcode: "E1   1AA",
    };
    let pds = folder.write("pds.ndjson", ndjson(&[person.at_practice("Y12345")]));

    let job = folder.reconcile().extract(extract).pds(pds).registrations(set.join("dps_data.csv")).run().reconciled();

    job.expect_counts(&[("records", 1), ("matched", 1), ("only_on_gp", 0), ("only_on_pds", 0), ("differences", 0)]);
    assert_eq!(job.file("OnlyOnGP"), read(set.join("expected_empty_gponly_file.txt")));
}

#[test]
fn set_d_is_unknown_to_pds_and_its_file_of_differences_is_a_header_alone() {
    let Some(data) = data("set_d_is_unknown_to_pds_and_its_file_of_differences_is_a_header_alone") else { return };
    let set = data.join("set-d");
    let folder = Folder::new();
    // Its rows lie further apart than the 14 days within which all must be: all get the time of an hour ago.
    let mut extract = read(set.join("A82023_GPR4LNA1.EIA"));
    for written in ["20210623~1500", "20210623~0800", "20210527~0800"] {
        assert!(extract.contains(written), "{written}");
        extract = extract.replace(written, "20210810~1240");
    }
    let extract = folder.write("A82023_GPR4LNA1.HAA", extract);
    let pds = folder.write("pds.ndjson", "");

    let job = folder.reconcile().extract(extract).pds(pds).run().reconciled();

    job.expect_counts(&[("records", 3), ("unmatched", 3), ("only_on_gp", 3), ("only_on_pds", 0), ("work_items", 0)]);
    assert_eq!(job.file("CDD"), read(set.join("expected_empty_cdd_file.txt")));
    assert!(job.rows("OnlyOnGP").iter().all(|row| row.ends_with(",Unmatched,")));
}

#[test]
fn a_real_file_without_its_header_is_rejected() {
    let Some(data) = data("a_real_file_without_its_header_is_rejected") else { return };
    let folder = Folder::new();
    let pds = folder.write("pds.ndjson", "");
    let extract = data.join("A12023_GPR4LNA1.CSB");

    let run = folder.reconcile().extract(&extract).pds(pds).at("2020-04-06T13:40:00Z").run().expect_exit_code(3);

    let job = run.job();
    assert_eq!((job.status(), job.text("practice"), job.count("records")), ("REJECTED", "A12023", 0));
    assert_eq!(job.printed["files"], json!(["validation.json"]));
    let expected = json!({
        "file": "A12023_GPR4LNA1.CSB",
        "upload_date": "2020-04-06 13:40:00+00:00",
        "error_type": "INVALID_STRUCTURE",
        "message": ["Header must be 503\\*"],
    });
    assert_eq!(job.validation(), expected);
    assert!(
        run.stderr.contains("A12023_GPR4LNA1.CSB") && run.stderr.contains("Header must be 503\\*"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_real_file_within_14_days_of_its_name_is_accepted() {
    let Some(data) = data("a_real_file_within_14_days_of_its_name_is_accepted") else { return };
    let folder = Folder::new();
    let pds = folder.write("pds.ndjson", "");
    for profile in ["fixed", "compatible"] {
        let run = folder.reconcile().extract(data.join("A82023_GPR4LNA1.CSA")).pds(&pds).at("2020-04-06T13:40:00Z");
        let run = if profile == "compatible" { run.compatible() } else { run };
        let job = run.run().reconciled();
        job.expect_counts(&[("records", 2), ("unmatched", 2), ("only_on_gp", 2), ("invalid_records", 0)]);
    }
}

/// The pack's rows, as far as no quoted field is in the way.
fn is_open_and_at(row: &str, practice: &str) -> bool {
    row.contains(&format!(",U,{practice},"))
}

#[test]
fn the_pack_of_690_people_serves_as_pds() {
    let Some(data) = data("the_pack_of_690_people_serves_as_pds") else { return };
    let folder = Folder::new();
    let extract = copied(&folder, data.join("set-b/H81109_GPR4LNA1.EIA"), "H81109_GPR4LNA1.H9A");
    let pack = data.join("pds-test-pack.csv");
    let at_practice = read(pack.clone()).lines().filter(|row| is_open_and_at(row, "H81109")).count() as i64;
    assert_eq!(at_practice, 658, "people of the pack at the practice whom PDS shows");

    let run = folder.reconcile().extract(extract).pds(&pack).at(AT).run();

    assert!(!run.stderr.contains("rejected"), "{}", run.stderr);
    let job = run.reconciled();
    job.expect_counts(&[("records", 3), ("matched", 2), ("differences", 12), ("only_on_pds", at_practice - 2)]);
    assert_eq!(job.rows("OnlyOnPDS").len() as i64, at_practice - 2);
}
