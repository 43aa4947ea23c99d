//! The files made from an answer are, byte for byte, those made by comparing; and so are the mails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsRecordOwned, Selection, TestPackReader};
use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_flows::list_reconciliation::Profile;
use concord_flows::list_reconciliation::dps_exchange::{AnswerLine, Verdict};
use concord_flows::list_reconciliation::outputs::mail::{
    FailureMail, FailureReasons, InvalidRecordReasons, SuccessMail, failure_mail, success_mail,
};

use crate::answering::{AT, Pds, answer};
use crate::files::{job_id, made_by_comparing, made_of_the_answer, read};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/list-reconciliation");

/// Name, extract, PDS.
pub fn synthetic(patients: u64, seed: u64) -> (String, String, Pds) {
    let now = AT.parse().unwrap();
    let settings = SyntheticSettings { practice: "Y12345".to_owned(), patients, seed, first_person: 0, now };
    let practice = SyntheticPractice::generate(settings).unwrap();
    let lines: String = practice.pds().collect();
    let settings = FhirSettings { selection: Selection::OneElement, today: jiff::civil::date(2021, 8, 10) };
    let mut pds = Pds::new();
    for entry in FhirReader::open("pds.ndjson", lines.as_bytes(), settings).unwrap() {
        let entry = entry.unwrap();
        if let PdsChange::Upsert(record) = entry.change {
            pds.insert(entry.nhs_number, *record);
        }
    }
    (practice.extract_file_name(), practice.extract().collect(), pds)
}

#[track_caller]
fn assert_both_ways_are_one(file_name: &str, extract: &str, pds: &Pds, profile: Profile) -> String {
    let job_id = job_id(file_name, extract);
    let compared = made_by_comparing(file_name, extract, pds, profile);
    let answer = answer(&job_id, file_name, extract, pds, profile);
    let from_answer = made_of_the_answer(&answer, profile);
    assert_eq!(from_answer.counts, compared.counts);
    assert_eq!(from_answer.files.keys().collect::<Vec<_>>(), compared.files.keys().collect::<Vec<_>>());
    for (name, text) in &compared.files {
        assert_eq!(from_answer.files[name], *text, "{name}");
    }
    answer
}

#[test]
fn files_made_from_an_answer_are_those_made_by_comparing() {
    for seed in [1, 2, 3] {
        let (name, extract, pds) = synthetic(700, seed);
        for profile in [Profile::Fixed, Profile::Compatible] {
            let answer = assert_both_ways_are_one(&name, &extract, &pds, profile);
            let lines = answer.lines().count();
            assert!(lines > 50 && lines < 700, "only those of whom there is something to report have a line: {lines}");
        }
    }
}

#[test]
fn patients_who_stand_in_an_extract_twice_keep_both_their_work_items() {
    let (name, extract, pds) = synthetic(120, 5);
    let mut lines: Vec<String> = extract.lines().map(str::to_owned).collect();
    // Every patient again, under transaction numbers of their own; of the first ones the surname differs only the second time.
    let again: Vec<String> = lines[1..]
        .iter()
        .enumerate()
        .map(|(place, line)| {
            let mut fields: Vec<String> = line.split('~').map(str::to_owned).collect();
            if place % 2 == 0 {
                fields[6] = format!("77000{}", fields[6]);
                if place < 60 {
                    fields[8] = "ANOTHER".to_owned();
                }
            }
            fields.join("~")
        })
        .collect();
    lines.extend(again);
    let extract = lines.join("\n") + "\n";
    for profile in [Profile::Fixed, Profile::Compatible] {
        let answer = assert_both_ways_are_one(&name, &extract, &pds, profile);
        assert!(answer.contains(r#""earlier":1"#));
    }
}

#[test]
fn the_real_list_of_set_b_comes_out_of_an_answer_as_the_earlier_system_wrote_it() {
    let test = "the_real_list_of_set_b_comes_out_of_an_answer_as_the_earlier_system_wrote_it";
    let set = Path::new(DATA).join("set-b");
    let Ok(extract) = fs::read_to_string(set.join("H81109_GPR4LNA1.EIA")) else {
        eprintln!("SKIPPED: {test}: the real files are not in {DATA}");
        return;
    };
    let person = |number: &str,
                  scn: &str,
                  names: (&[&str], &str, &str),
                  born: &str,
                  since: &str,
                  address: &[&str],
                  postcode: &str| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        PdsRecordOwned {
            nhs_number: number.to_owned(),
            version: scn.to_owned(),
            sensitivity: "U".to_owned(),
            surname: names.1.to_owned(),
            forenames: texts(names.0),
            titles: vec![names.2.to_owned()],
            gender: "female".to_owned(),
            date_of_birth: born.to_owned(),
            address: texts(address),
            postcode: postcode.to_owned(),
            gp_practice: "H81109".to_owned(),
            gp_registered_date: since.to_owned(),
            date_of_death: String::new(),
        }
    };
    let people = [
        person(
            "9449304424",
            "2",
            (&["COMFORT", "ZULA"], "AINDOW", "MRS"),
            "1943-05-18",
            "1976-08-12",
            &["41 THE KINGSWAY", "EPSOM", "SURREY"],
            "KT17 1NA",
        ),
        person(
            "9449305552",
            "9",
            (&["OCTAVIA"], "CHISLETT", "MS"),
            "2008-09-20",
            "2012-05-22",
            &["1 RAVENSFIELD GARDENS", "EPSOM", "SURREY"],
            "KT19 0ST",
        ),
        person(
            "9449306621",
            "6",
            (&["BERYL"], "SHIPPERBOTTOM", "MS"),
            "2011-05-09",
            "2012-05-22",
            &["BROGA", "FARM LANE", "ASHTEAD"],
            "KT21 1LJ",
        ),
    ];
    let pds: Pds = people.into_iter().map(|record| (record.nhs_number.clone(), record)).collect();
    let name = "H81109_GPR4LNA1.H9A";
    let answer = assert_both_ways_are_one(name, &extract, &pds, Profile::Fixed);
    let made = made_of_the_answer(&answer, Profile::Fixed);
    for (kind, expected) in [
        ("CDD", "expected_cdd_file.txt"),
        ("OnlyOnGP", "expected_onlyongp.txt"),
        ("OnlyOnPDS", "expected_onlyonPDS.txt"),
    ] {
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines[1..].sort();
            lines
        };
        let expected = fs::read_to_string(set.join(expected)).unwrap();
        let found = &made.files[&format!("H81109-{kind}-20210810134000.csv")];
        assert_eq!((sorted(found), found.len()), (sorted(&expected), expected.len()), "{kind}");
    }
}

#[test]
fn the_people_of_the_test_pack_are_reported_the_same_both_ways() {
    let test = "the_people_of_the_test_pack_are_reported_the_same_both_ways";
    let Ok(content) = fs::read(Path::new(DATA).join("pds-test-pack.csv")) else {
        eprintln!("SKIPPED: {test}: the test pack is not in {DATA}");
        return;
    };
    let mut pds = Pds::new();
    for entry in TestPackReader::open("pds-test-pack.csv", content.as_slice()).unwrap() {
        let entry = entry.unwrap();
        if let PdsChange::Upsert(record) = entry.change {
            pds.insert(entry.nhs_number, *record);
        }
    }
    // A list of the practice that has most of them: every second of them is in it, sensitive ones among them.
    let mut extract = "503\\*\n".to_owned();
    for (place, number) in pds.keys().step_by(2).enumerate() {
        let transaction = place + 1;
        extract.push_str(&format!(
            "DOW~1~1111111,1234~LNA~20210809~1641~{transaction}~{number}~SMITH~ANNA~~MISS~2~19800228~~1 OAK LANE\n\
             DOW~2~~ELMTON~~E1   1AA~~~~~\n"
        ));
    }
    let answer = assert_both_ways_are_one("H81109_GPR4LNA1.H9A", &extract, &pds, Profile::Fixed);
    assert!(answer.contains(r#""security":"REDACTED""#) && answer.contains(r#""type":"only_on_pds""#));
}

#[test]
fn the_mail_about_a_compared_file_is_the_same_both_ways() {
    let (name, extract, pds) = synthetic(300, 9);
    let job_id = job_id(&name, &extract);
    let mail = |counts, files: &[&str]| {
        let at_ms = AT.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let (job_id, practice, file) = (&job_id, "Y12345", name.as_str());
        success_mail(&SuccessMail { job_id, practice, file, at_ms, counts, files }).unwrap()
    };
    let compared = made_by_comparing(&name, &extract, &pds, Profile::Fixed);
    let answered = made_of_the_answer(&answer(&job_id, &name, &extract, &pds, Profile::Fixed), Profile::Fixed);
    let files: Vec<&str> = answered.files.keys().map(String::as_str).filter(|name| name.ends_with(".csv")).collect();
    let expected = mail(&compared.counts, &files);
    assert_eq!(mail(&answered.counts, &files), expected);
    assert!(expected.body.contains("discrepancies that have generated"));
}

#[test]
fn the_mail_about_invalid_records_is_made_of_the_answer() {
    let (name, extract, pds) = synthetic(20, 11);
    let extract = extract.replacen("~2~19", "~3~19", 1).replacen("~1~19", "~7~19", 2);
    let answer = answer(&job_id(&name, &extract), &name, &extract, &pds, Profile::Fixed);
    let mut invalid: Vec<(String, Vec<String>)> = Vec::new();
    let end = read(&answer, Profile::Fixed, 100, &mut |line| {
        if let AnswerLine::InvalidRecord(record) = line {
            let [first, last] = record.lines;
            let messages = record.messages.iter().map(|broken| broken.message.to_string()).collect();
            invalid.push((format!("{first}-{last}"), messages));
        }
    });
    assert_eq!((end.refusal, end.header.unwrap().verdict), (None, Verdict::InvalidRecords));
    assert_eq!((end.totals.records, end.totals.invalid_records, end.counts.matched), (20, 3, 0));
    let messages: Vec<Vec<&str>> = invalid.iter().map(|(_, list)| list.iter().map(String::as_str).collect()).collect();
    let reasons: Vec<InvalidRecordReasons<'_>> =
        invalid.iter().zip(&messages).map(|((lines, _), reasons)| InvalidRecordReasons { lines, reasons }).collect();
    let reasons = FailureReasons::Records {
        records: end.totals.records,
        invalid_records: end.totals.invalid_records,
        invalid: &reasons,
    };
    let mail = failure_mail(&FailureMail { file: &name, at_ms: 1_628_602_800_000, reasons }).unwrap();
    let sex =
        "   \u{2022} Sex - Must be 1 for Male, 2 for Female, 0 for Indeterminate/Not Known or 9 for Not Specified.\n";
    assert_eq!(mail.body.matches(sex).count(), 3, "{}", mail.body);
    assert!(mail.body.contains("Total records: 20\nTotal invalid records: 3\n"), "{}", mail.body);
    // Nothing of a patient is in the answer.
    let surname = extract.lines().nth(1).unwrap().split('~').nth(8).unwrap().to_owned();
    assert!(!answer.contains(&surname));
}

#[test]
fn an_extract_that_is_none_is_refused_with_its_reason() {
    let (name, extract, pds) = synthetic(5, 1);
    let extract = extract.replacen("503\\*", "502\\*", 1);
    let answer = answer(&job_id(&name, &extract), &name, &extract, &pds, Profile::Fixed);
    let end = read(&answer, Profile::Fixed, 7, &mut |_| {});
    let header = end.header.unwrap();
    assert_eq!((end.refusal, header.verdict.refused()), (None, "INVALID_STRUCTURE"));
    assert_eq!(header.reasons, ["Header must be 503\\*"]);
    assert_eq!(answer.lines().count(), 2);
}

#[test]
fn the_same_answer_comes_out_wherever_its_pieces_end() {
    let (name, extract, pds) = synthetic(60, 13);
    let answer = answer(&job_id(&name, &extract), &name, &extract, &pds, Profile::Fixed);
    let whole = |piece| {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let end = read(&answer, Profile::Fixed, piece, &mut |line| {
            let kind = match line {
                AnswerLine::Header(_) => "header",
                AnswerLine::InvalidRecord(_) => "invalid record",
                AnswerLine::Patient(_) => "patient",
                AnswerLine::OnlyOnPds(_) => "only on PDS",
                AnswerLine::Trailer(_) => "trailer",
            };
            *kinds.entry(kind).or_default() += 1;
        });
        (end, kinds)
    };
    let expected = whole(answer.len());
    assert_eq!(expected.1.values().sum::<usize>(), answer.lines().count());
    for piece in [1, 2, 3, 64, 1023] {
        assert_eq!(whole(piece), expected, "pieces of {piece} bytes");
    }
}
