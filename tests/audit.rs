//! `concord audit` on files: what it finds, how it says so, and its exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use concord_edifact::{
    InterchangeCode, InterchangeHeader, InterchangeWriter, MessageCode, MessageReceipt, Receipt, RegistrationText,
    TransactionText,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The time of every audit.
const AT: &str = "2020-06-20T12:00:00Z";

/// A folder for one test.
struct Folder(TempDir);

struct Run {
    exit_code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", self.stdout, self.stderr))
    }

    /// `kind state counter from-to` of each finding, in order.
    fn told(&self) -> Vec<String> {
        let all = self.json();
        let findings = all["findings"].as_array().expect("findings").clone();
        let mut told: Vec<String> = findings
            .iter()
            .map(|finding| {
                let text = |name: &str| finding[name].as_str().expect("text").to_owned();
                let range = if finding["from"].is_null() {
                    String::new()
                } else {
                    format!(" {}-{}", finding["from"], finding["to"])
                };
                format!("{} {} {}{range}", text("kind"), text("state"), text("counter"))
            })
            .collect();
        told.sort();
        told
    }
}

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// `concord audit` with these arguments; `in/` stands for the folder of inputs.
    fn concord(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        let output = command.arg("audit").args(arguments).current_dir(self.0.path()).output().expect("it starts");
        Run {
            exit_code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The whole audit of `in/`, as JSON.
    fn audit(&self, more: &[&str]) -> Run {
        self.concord(&[&["in", "--out", "out", "--json", "--at", AT][..], more].concat())
    }
}

fn hours_before(hours: i64) -> Timestamp {
    AT.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(hours)
}

/// An interchange of TES5 to XX11 with one message of one acceptance, all of the same number.
fn registration(number: u64, prepared_at: Timestamp) -> String {
    registration_of("TES5", "XX11", "G1", number, prepared_at)
}

fn registration_of(
    sender: &str,
    recipient: &str,
    transaction_type: &str,
    number: u64,
    prepared_at: Timestamp,
) -> String {
    let mut writer = InterchangeWriter::begin(&InterchangeHeader {
        sender: sender.to_owned(),
        recipient: recipient.to_owned(),
        prepared_at: Some(prepared_at),
        number: Some(number),
        application: None,
    });
    let transactions = vec![TransactionText { number, segments: vec!["HEA+ACD+A:ZZZ"] }];
    let message = RegistrationText { authority_cipher: "XX1", prepared_at, transaction_type, transactions };
    writer.registration(number, &message);
    writer.finish()
}

fn receipt(number: u64, of: u64, prepared_at: Timestamp) -> String {
    let mut writer = InterchangeWriter::begin(&InterchangeHeader {
        sender: "XX11".to_owned(),
        recipient: "TES5".to_owned(),
        prepared_at: Some(prepared_at),
        number: Some(number),
        application: Some("RECEP".to_owned()),
    });
    let receipt = Receipt {
        interchange: of,
        code: Some(InterchangeCode::Received),
        stated_messages: Some(1),
        messages: vec![MessageReceipt { message: of, code: Some(MessageCode::Success) }],
    };
    writer.recep(number, "XX1", "4826940,281", prepared_at, &[receipt]);
    writer.finish()
}

#[test]
fn a_whole_link_with_its_receipts_has_no_finding() {
    let folder = Folder::new();
    for number in 1..=3 {
        folder.write(&format!("in/r{number}.dat"), registration(number, hours_before(60)));
        folder.write(&format!("in/below/a{number}.dat"), receipt(number + 63, number, hours_before(59)));
    }
    let run = folder.audit(&[]);
    assert_eq!(run.exit_code, 0, "{}", run.stderr);
    let counter = |first, last| json!({ "first": first, "last": last, "missing": [], "duplicates": 0 });
    let none = json!({ "first": null, "last": null, "missing": [], "duplicates": 0 });
    let expected = json!({
        "links": [
            {
                "sender": "TES5", "recipient": "XX11", "direction": "outbound",
                "counters": { "sis": counter(1, 3), "sms": counter(1, 3), "tn": counter(1, 3) },
                "receipts": { "expected": 3, "received": 3, "negative": 0, "outstanding": [] },
            },
            {
                "sender": "XX11", "recipient": "TES5", "direction": "inbound",
                "counters": { "sis": counter(64, 66), "sms": counter(64, 66), "tn": none },
                "receipts": { "expected": 0, "received": 0, "negative": 0, "outstanding": [] },
            },
        ],
        "findings": [],
    });
    assert_eq!(run.json(), expected);
    assert_eq!(fs::read_to_string(folder.path("out/findings.ndjson")).unwrap(), "");
}

#[test]
fn what_is_missing_is_told_as_ranges_and_kept_as_lines() {
    let folder = Folder::new();
    for number in [99_999_998, 2] {
        folder.write(
            &format!("in/{number}.dat"),
            registration(number, hours_before(60)).replace("RFF+TN:99999998", "RFF+TN:9999998"),
        );
    }
    let run = folder.audit(&[]);
    assert_eq!(run.exit_code, 4, "{}", run.stderr);
    let link = &run.json()["links"][0];
    assert_eq!(
        link["counters"]["sis"],
        json!({ "first": 99_999_998, "last": 2, "missing": [[99_999_999, 1]], "duplicates": 0 })
    );
    assert_eq!(link["counters"]["tn"]["missing"], json!([[9_999_999, 1]]));
    assert_eq!(
        link["receipts"]["outstanding"],
        json!([{ "sis": 2, "sms": 2 }, { "sis": 99_999_998, "sms": 99_999_998 }])
    );
    assert_eq!(
        run.told(),
        [
            "gap confirmed sis 99999999-1",
            "gap confirmed sms 99999999-1",
            "gap confirmed tn 9999999-1",
            "receipt-overdue confirmed sms 2-2",
            "receipt-overdue confirmed sms 99999998-99999998",
        ]
    );
    let lines = fs::read_to_string(folder.path("out/findings.ndjson")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json!(lines), run.json()["findings"]);
    let summary = fs::read_to_string(folder.path("out/summary.txt")).unwrap();
    assert!(summary.contains("interchanges: 99999998 to 2; missing 99999999-1"), "{summary}");
}

#[test]
fn within_the_grace_period_a_gap_is_suspected_only() {
    let folder = Folder::new();
    folder.write("in/1.dat", registration(1, hours_before(1)));
    folder.write("in/3.dat", registration(3, hours_before(1)));
    let kinds = |grace| folder.audit(&["--grace", grace]).told();
    assert_eq!(kinds("2h"), ["gap suspected sis 2-2", "gap suspected sms 2-2", "gap suspected tn 2-2"]);
    assert_eq!(kinds("30m"), ["gap confirmed sis 2-2", "gap confirmed sms 2-2", "gap confirmed tn 2-2"]);
}

#[test]
fn how_long_receipts_and_links_may_be_waited_for_is_asked_for() {
    let folder = Folder::new();
    folder.write("in/1.dat", registration(1, hours_before(5)));
    assert_eq!(folder.audit(&[]).told(), Vec::<String>::new());
    assert_eq!(folder.audit(&["--receipts-within", "6h", "--silence", "6h"]).told(), Vec::<String>::new());
    assert_eq!(folder.audit(&["--receipts-within", "4h"]).told(), ["receipt-overdue confirmed sms 1-1"]);
    assert_eq!(folder.audit(&["--silence", "4h"]).told(), ["link-silent confirmed sis"]);
    let run = folder.audit(&["--silence", "soon"]);
    assert_eq!(run.exit_code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("such as 1h or 30m"), "{}", run.stderr);
}

#[test]
fn transactions_of_health_authorities_are_left_out_when_asked_for() {
    let folder = Folder::new();
    for number in [1, 3] {
        folder.write(&format!("in/{number}.dat"), registration_of("XX11", "TES5", "F1", number, hours_before(5)));
    }
    let links = ["gap confirmed sis 2-2", "gap confirmed sms 2-2"];
    assert_eq!(folder.audit(&[]).told(), [&links[..], &["gap confirmed tn 2-2"]].concat());
    assert_eq!(folder.audit(&["--no-authority-transactions"]).told(), links);
}

#[test]
fn an_interchange_in_two_files_was_sent_again_and_a_file_named_twice_was_not() {
    let folder = Folder::new();
    folder.write("in/1.dat", registration(1, hours_before(1)));
    let run = folder.concord(&["in", "in/1.dat", "--out", "out", "--json", "--at", AT]);
    assert_eq!((run.exit_code, run.told().len()), (0, 0));
    folder.write("in/1-again.dat", registration(1, hours_before(1)));
    let run = folder.audit(&[]);
    assert_eq!((run.exit_code, run.told()), (4, vec!["duplicate confirmed sis 1-1".to_owned()]));
    assert_eq!(run.json()["links"][0]["counters"]["sis"]["duplicates"], 1);
}

#[test]
fn what_is_no_interchange_is_a_finding_and_the_others_are_read() {
    let folder = Folder::new();
    folder.write("in/notes.txt", "nothing to see");
    folder.write("in/1.dat", registration(1, hours_before(1)));
    let run = folder.audit(&[]);
    assert_eq!((run.exit_code, run.told()), (4, vec!["envelope-mismatch confirmed sis".to_owned()]));
    let note = run.json()["findings"][0]["note"].as_str().unwrap().to_owned();
    assert!(note.contains("notes.txt") && note.contains("CONCORD-EF-0004"), "{note}");
    assert_eq!(run.json()["links"].as_array().unwrap().len(), 1);
}

#[test]
fn a_baseline_says_which_number_is_the_first() {
    let folder = Folder::new();
    folder.write("in/5.dat", registration(5, hours_before(3)));
    let counters = "{\"_id\":\"SIS-TES5-XX11\",\"sequenceNumber\":{\"$numberLong\":\"100000002\"}}\n\
                    {\"_id\":\"TN-TES5\",\"sequenceNumber\":4}\n";
    folder.write("counters.json", counters);
    let run = folder.audit(&["--baseline", "counters.json"]);
    assert_eq!(run.told(), ["gap confirmed sis 3-4"]);
    let expected = json!({ "first": 5, "last": 5, "missing": [[3, 4]], "duplicates": 0 });
    assert_eq!(run.json()["links"][0]["counters"]["sis"], expected, "first is what was seen");
    folder.write("counters.json", "{\"_id\":\"ABC\"}");
    let run = folder.audit(&["--baseline", "counters.json"]);
    assert_eq!(run.exit_code, 2);
    assert!(run.stderr.contains("counters.json, line 1"), "{}", run.stderr);
}

/// Documents of outboundState, with `recepCode` where there is a receipt.
fn documents(numbers: &[(u64, bool)], at: &str) -> String {
    let mut lines = String::new();
    for (number, has_receipt) in numbers {
        let mut document = json!({
            "workflowId": "REGISTRATION", "sndr": "TES5", "recip": "XX11", "intSeq": number, "msgSeq": number, "tn": number,
            "transactionType": "ACG", "operationId": format!("op-{number}"), "translationTimestamp": { "$date": at },
        });
        if *has_receipt {
            document["recepCode"] = json!("CP");
            document["recepDateTime"] = json!({ "$date": at });
        }
        lines.push_str(&format!("{document}\n"));
    }
    lines
}

#[test]
fn history_is_what_came_before_the_files() {
    let folder = Folder::new();
    folder.write("history.json", documents(&[(1, true), (2, true)], "2020-06-17T12:00:00Z"));
    folder.write("in/4.dat", registration(4, hours_before(10)));
    let run = folder.audit(&["--history", "history.json"]);
    assert_eq!(run.told(), ["gap confirmed sis 3-3", "gap confirmed sms 3-3", "gap confirmed tn 3-3"]);
    assert_eq!(run.json()["links"][0]["receipts"]["received"], 2);
}

#[test]
fn what_an_authority_sent_before_waits_for_no_receipt() {
    let folder = Folder::new();
    let inbound = documents(&[(1, false), (2, false)], "2020-06-10T12:00:00Z")
        .replace("TES5", "GP")
        .replace("XX11", "TES5")
        .replace("GP", "XX11")
        .replace("ACG", "AMF");
    folder.write("inboundState.json", &inbound);
    folder.write("in/1.dat", registration(1, hours_before(10)));
    let run = folder.audit(&["--history", "inboundState.json"]);
    assert_eq!(run.told(), Vec::<String>::new(), "{}", run.stdout);
    let window = ["--from", "2020-06-01T00:00:00Z", "--to", "2020-07-01T00:00:00Z"];
    let run = folder.concord(&[&["missing-receipts", "inboundState.json"][..], &window].concat());
    let none = "no data: no message of that time was seen that a receipt is due for\n";
    assert_eq!((run.exit_code, run.stdout.as_str()), (0, none));
}

/// The message numbers of the second example of the document that describes the reports.
#[test]
fn message_numbers_are_asked_for_by_their_field() {
    let folder = Folder::new();
    let numbers: Vec<(u64, bool)> = (99..=135).filter(|n| ![100, 134].contains(n)).map(|n| (n, true)).collect();
    folder.write("state.json", documents(&numbers, "2020-01-10T12:00:00Z"));
    for field in ["msgSeq", "tn"] {
        let pair = ["--sender", "TES5", "--recipient", "XX11", "--field", field];
        let ask =
            |more: &[&str]| folder.concord(&[&["missing-numbers", "state.json"][..], &WINDOW, &pair, more].concat());
        assert_eq!(ask(&["--compatible"]).json()["missingNumbers"], json!([100, 134]), "{field}");
        assert_eq!(ask(&[]).stdout, "missing: 100, 134\n", "{field}");
    }
}

/// A folder with the exports of both collections.
#[test]
fn the_query_is_of_the_collection_that_is_named() {
    let folder = Folder::new();
    let at = "2020-01-10T12:00:00Z";
    folder.write("all/outboundState.json", documents(&[(1, true), (4, false)], at));
    folder.write("all/inboundState.json", documents(&[(2, false), (3, false)], at));
    let ask = |question: &str, side: &[&str], more: &[&str]| {
        folder.concord(&[&[question, "all", "--compatible"][..], &WINDOW, side, more].concat())
    };
    let outbound = ["--side", "outbound"];
    assert_eq!(ask("missing-numbers", &outbound, &PAIR).json()["missingNumbers"], json!([2, 3]));
    assert_eq!(ask("missing-numbers", &[], &PAIR).exit_code, 0, "without a side the one hides the gaps of the other");
    assert_eq!(ask("missing-receipts", &outbound, &[]).json()["intSeq"], 4);
    folder.write("all/state.json", documents(&[(1, true)], at));
    let run = ask("missing-receipts", &outbound, &[]);
    assert_eq!(run.exit_code, 2);
    assert!(run.stderr.contains("state.json"), "{}", run.stderr);
}

#[test]
fn messages_of_one_file_are_of_the_time_of_their_own_interchange() {
    let folder = Folder::new();
    folder.write("in/year.dat", registration(1, hours_before(24 * 60)) + &registration(2, hours_before(24 * 3)));
    let ask = |from: i64, to: i64| {
        let (from, to) = (hours_before(from).to_string(), hours_before(to).to_string());
        folder.concord(&["missing-receipts", "in", "--from", &from, "--to", &to]).stdout
    };
    assert_eq!(ask(24 * 61, 24 * 59), "TES5 to XX11: interchange 1, message 1\n");
    assert_eq!(ask(24 * 4, 24 * 2), "TES5 to XX11: interchange 2, message 2\n");
}

#[test]
fn a_message_of_another_standard_is_told_with_its_place() {
    let folder = Folder::new();
    let order = registration(1, hours_before(3)).replace("FHSREG:0:1:FH:FHS001", "ORDERS:D:96A:UN");
    assert!(order.contains("ORDERS"), "{order}");
    folder.write("in/1.dat", order);
    folder.write("in/2.dat", registration(2, hours_before(2)));
    let run = folder.audit(&[]);
    assert_eq!(run.told(), ["envelope-mismatch confirmed sis 1-1"], "and its number is seen");
    let note = run.json()["findings"][0]["note"].as_str().expect("a note").to_owned();
    assert!(note.contains("CONCORD-EF-0015 segment 2"), "{note}");
}

#[test]
fn the_summary_names_each_epoch_what_came_again_and_the_receipts() {
    let folder = Folder::new();
    for (number, hours) in [(50_000_000, 40), (50_000_001, 39), (1, 20), (2, 19)] {
        folder.write(&format!("in/{number}.dat"), registration(number, hours_before(hours)));
    }
    folder.write("in/again.dat", registration(2, hours_before(19)));
    folder.write("in/a.dat", receipt(64, 1, hours_before(18)));
    let run = folder.concord(&["in", "--out", "out", "--at", AT]);
    let summary = fs::read_to_string(folder.path("out/summary.txt")).unwrap();
    assert!(run.stdout.starts_with(&summary), "{}", run.stdout);
    for words in [
        "  interchanges: 50000000 to 50000001, then 1 to 2; 1 came again\n",
        "  receipts: 4 expected, 1 came, 0 negative; none for interchange/message 2/2, 50000000/50000000, 50000001/50000001\n",
    ] {
        assert!(summary.contains(words), "{words}{summary}");
    }
}

const WINDOW: [&str; 4] = ["--from", "2020-01-01T00:00:00Z", "--to", "2020-02-01T00:00:00Z"];
const PAIR: [&str; 6] = ["--sender", "TES5", "--recipient", "XX11", "--field", "intSeq"];

#[test]
fn missing_numbers_are_answered_as_the_earlier_query_did_and_truly() {
    let folder = Folder::new();
    let seen = [(1, true), (3, true), (7, true), (9, true)];
    let other = documents(&[(2, true), (5, true)], "2020-01-10T12:00:00Z").replace("TES5", "ABC5");
    folder.write("one.json", documents(&seen, "2020-01-10T12:00:00Z"));
    folder.write("two.json", documents(&seen, "2020-01-10T12:00:00Z") + &other);
    let ask =
        |file: &str, more: &[&str]| folder.concord(&[&["missing-numbers", file][..], &WINDOW, &PAIR, more].concat());
    let run = ask("one.json", &["--compatible"]);
    assert_eq!((run.exit_code, run.json()), (4, json!({ "_id": null, "missingNumbers": [2, 4, 5, 6, 8] })));
    let run = ask("two.json", &["--compatible"]);
    assert_eq!(run.json()["missingNumbers"], json!([4, 6, 8]), "another pair hides 2 and 5");
    let run = ask("two.json", &["--json"]);
    assert_eq!((run.exit_code, &run.json()["answer"]), (4, &json!("missing")));
    assert_eq!(run.json()["missing"][1], json!({ "numbers": [4, 6], "state": "confirmed" }));
    assert_eq!(ask("two.json", &[]).stdout, "missing: 2, 4-6, 8\n");
}

#[test]
fn no_gap_and_no_data_are_told_apart() {
    let folder = Folder::new();
    folder.write("state.json", documents(&[(1, true), (2, true)], "2020-01-10T12:00:00Z"));
    let ask = |from: &str, to: &str| {
        let window = ["--from", from, "--to", to, "--json"];
        folder.concord(&[&["missing-numbers", "state.json"][..], &PAIR, &window].concat())
    };
    let run = ask("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z");
    assert_eq!((run.exit_code, run.json()), (0, json!({ "answer": "no-gap", "missing": [] })));
    let run = ask("2020-03-01T00:00:00Z", "2020-04-01T00:00:00Z");
    assert_eq!((run.exit_code, run.json()), (0, json!({ "answer": "no-data", "missing": [] })));
    assert_eq!(ask("2020-04-01T00:00:00Z", "2020-03-01T00:00:00Z").exit_code, 2);
}

#[test]
fn an_export_is_known_by_what_it_holds() {
    let folder = Folder::new();
    let exported = documents(&[(1, true), (3, true)], "2020-01-10T12:00:00Z");
    let ask = |content: String| {
        folder.write("state.json", content);
        folder.concord(&[&["missing-numbers", "state.json"][..], &PAIR, &WINDOW].concat())
    };
    assert_eq!(ask(exported.clone()).stdout, "missing: 2\n");
    assert_eq!(ask(format!("\u{feff}{exported}")).stdout, "missing: 2\n", "with a byte order mark");
    let run = ask(format!("[{}]", exported.trim_end().replace('\n', ",")));
    assert_eq!(run.exit_code, 2);
    assert!(run.stderr.contains("export it without --jsonArray"), "{}", run.stderr);
}

/// The document that describes the reports allows it, and the query failed.
#[test]
fn the_time_is_no_number() {
    let folder = Folder::new();
    folder.write("state.json", documents(&[(1, true), (3, true)], "2020-01-10T12:00:00Z"));
    let of_time = ["--sender", "TES5", "--recipient", "XX11", "--field", "translationTimestamp"];
    let ask =
        |more: &[&str]| folder.concord(&[&["missing-numbers", "state.json"][..], &WINDOW, &of_time, more].concat());
    let run = ask(&["--compatible"]);
    assert_eq!(run.exit_code, 1);
    assert!(run.stderr.contains("34443"), "{}", run.stderr);
    let run = ask(&[]);
    assert_eq!(run.exit_code, 2);
    assert!(run.stderr.contains("ask for intSeq, msgSeq or tn"), "{}", run.stderr);
}

#[test]
fn missing_receipts_are_answered_from_documents_and_from_interchanges() {
    let folder = Folder::new();
    folder.write("state.json", documents(&[(1, true), (2, false)], "2020-01-10T12:00:00Z"));
    let run = folder.concord(&[&["missing-receipts", "state.json", "--compatible"][..], &WINDOW].concat());
    let exported = documents(&[(2, false)], "2020-01-10T12:00:00Z");
    assert_eq!((run.exit_code, run.stdout), (4, exported), "the whole document, as it was exported");
    let run = folder.concord(&[&["missing-receipts", "state.json"][..], &WINDOW].concat());
    assert_eq!((run.exit_code, run.stdout.as_str()), (4, "TES5 to XX11: interchange 2, message 2\n"));

    for number in 1..=2 {
        folder.write(&format!("in/r{number}.dat"), registration(number, hours_before(60)));
    }
    folder.write("in/a1.dat", receipt(64, 1, hours_before(59)));
    let window = ["--from", "2020-06-01T00:00:00Z", "--to", "2020-07-01T00:00:00Z", "--json"];
    let run = folder.concord(&[&["missing-receipts", "in"][..], &window].concat());
    let missing = json!([{ "sender": "TES5", "recipient": "XX11", "interchange": 2, "message": 2 }]);
    assert_eq!((run.exit_code, run.json()), (4, json!({ "answer": "missing", "missing": missing })));
    let later = ["--from", "2030-06-01T00:00:00Z", "--to", "2030-07-01T00:00:00Z", "--json"];
    let run = folder.concord(&[&["missing-receipts", "in"][..], &later].concat());
    assert_eq!((run.exit_code, &run.json()["answer"]), (0, &json!("no-data")), "nothing is of that time");
    let run = folder.concord(&[&["missing-receipts", "in", "--sender", "NOB5"][..], &window].concat());
    assert_eq!((run.exit_code, &run.json()["answer"]), (0, &json!("no-data")));
    let run = folder.concord(&[&["missing-receipts", "in", "--compatible"][..], &window].concat());
    assert_eq!(run.exit_code, 2, "the compatible form is of documents");
}

#[test]
fn what_must_be_entered_again_goes_over_the_end_of_the_numbers() {
    let folder = Folder::new();
    let seen = [(99_999_999, true), (1, true), (2, true), (3, true)];
    folder.write("state.json", documents(&seen, "2020-01-10T12:00:00Z"));
    let ask = |more: &[&str]| {
        let pair = ["operations", "state.json", "--sender", "TES5", "--recipient", "XX11"];
        folder.concord(&[&pair[..], more].concat()).stdout
    };
    let truly = "{\"intSeq\":99999999,\"operationId\":\"op-99999999\"}\n{\"intSeq\":1,\"operationId\":\"op-1\"}\n";
    assert_eq!(ask(&["--from", "99999999", "--to", "1"]), truly);
    assert_eq!(ask(&["--from", "99999999", "--to", "1", "--compatible"]), "");
    assert_eq!(ask(&["--from", "2", "--to", "2", "--compatible"]), "{\"intSeq\":2,\"operationId\":\"op-2\"}\n");
}

/// A configuration without its flows; nobody listens at that address.
const BASE: &str = "[instance]\nname = \"one\"\nstate_dir = \"state\"\n[kafka]\nbootstrap_servers = \"127.0.0.1:1\"\n";

/// `concord topics list` with these flows in the configuration: exit code, and the topics or the reason.
fn topics(folder: &Folder, flows: &str) -> (i32, String) {
    folder.write("concord.toml", format!("{BASE}{flows}"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    let arguments = ["topics", "list", "--config", "concord.toml"];
    let output = command.args(arguments).current_dir(folder.0.path()).output().expect("it starts");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("an exit code"), String::from_utf8(text).unwrap())
}

#[test]
fn a_configuration_has_either_flow_or_both() {
    let folder = Folder::new();
    let has = |flows: &str| {
        let (code, text) = topics(&folder, flows);
        assert_eq!(code, 0, "{text}");
        (text.contains("list-reconciliation.job "), text.contains("sequence-audit.finding "))
    };
    assert_eq!(has("[flows.list_reconciliation]\n"), (true, false));
    assert_eq!(has("[flows.sequence_audit]\ngrace_minutes = 5\n"), (false, true));
    assert_eq!(has("[flows.list_reconciliation]\n[flows.sequence_audit]\n"), (true, true));
    let wrong = |flows: &str, reason: &str| {
        let (code, text) = topics(&folder, flows);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(reason), "{text}");
    };
    wrong("[flows]\n", "flows is empty");
    wrong("[flows.sequence_audit]\ngrace_minutes = 0\n", "flows.sequence_audit.grace_minutes");
    wrong("[flows.sequence_audit]\ngrace = 1\n", "grace");

    folder.write("concord.toml", format!("{BASE}[flows.sequence_audit]\n"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    let arguments = ["jobs", "list", "--config", "concord.toml"];
    let output = command.args(arguments).current_dir(folder.0.path()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2), "there are no jobs without list reconciliation");
}

#[test]
fn what_is_explained_must_be_on_a_line() {
    let folder = Folder::new();
    folder.write("concord.toml", format!("{BASE}[flows.sequence_audit]\n"));
    let said = ["--from", "1", "--by", "an operator", "--reason", "burnt", "--config", "concord.toml"];
    for line in [
        &["--sender", "TES5", "--field", "intSeq"][..],
        &["--sender", "TES5", "--recipient", "XX11", "--field", "tn"],
        &["--sender", "TES5", "--recipient", "XX11", "--field", "intSeq", "--receipt", "1"],
        &["--sender", "TES5", "--recipient", "XX11", "--field", "msgSeq", "--receipt"],
        &["--sender", "TES5", "--recipient", "XX11", "--field", "msgSeq", "--receipt", "1", "--to", "20000"],
        &["--sender", "TES5", "--recipient", "XX11", "--field", "intSeq", "--to", "100000000"],
        &["--sender", "TES5", "--field", "tn", "--receipt", "1"],
    ] {
        let run = folder.concord(&[&["explain"], line, &said].concat());
        assert_eq!(run.exit_code, 2, "{line:?}: {}", run.stderr);
    }
}

#[test]
fn an_empty_folder_has_no_data_and_wrong_usage_is_told() {
    let folder = Folder::new();
    fs::create_dir(folder.path("in")).unwrap();
    let run = folder.audit(&[]);
    assert_eq!((run.exit_code, run.json()), (0, json!({ "links": [], "findings": [] })));
    assert!(run.stderr.contains("nothing is audited"), "{}", run.stderr);
    assert_eq!(folder.concord(&["nowhere", "--out", "out"]).exit_code, 2);
    assert_eq!(folder.concord(&["in"]).exit_code, 2, "--out is missing");
    assert_eq!(folder.concord(&["in", "--out", "out", "--grace", "soon"]).exit_code, 2);
    assert_eq!(folder.concord(&[]).exit_code, 2);
}

#[test]
fn the_demonstration_finds_what_it_planted() {
    let folder = Folder::new();
    let run = folder.concord(&["demo", "--links", "12", "--seed", "3", "--out", "demo"]);
    assert_eq!(run.exit_code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("What is found is what was planted, number by number."), "{}", run.stdout);
}
