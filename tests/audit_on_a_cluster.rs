//! Both flows in one process on a real cluster: a gap in the numbers of a link shows, is explained back to its interchange, and is
//! taken back when the late interchange comes; a number that will never come is explained by an operator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod on_a_cluster;

use std::fs;
use std::time::{Duration, Instant};

use concord_edifact::{
    InterchangeCode, InterchangeHeader, InterchangeWriter, Receipt, RegistrationText, TransactionText,
};
use concord_engine::log::read_whole_topic;
use concord_schemas::Schemas;
use concord_schemas::codec::AUDIT_FINDING;
use concord_schemas::sequence_audit::AuditFinding;
use jiff::Timestamp;

use on_a_cluster::{Program, unique};

const PATIENCE: Duration = Duration::from_secs(90);

struct Application {
    program: Program,
    /// A link code that no other run on the cluster has.
    sender: String,
}

impl Application {
    fn new(bootstrap: &str) -> Self {
        let unique = unique();
        let flows = format!(
            "[flows.list_reconciliation]\napplication = \"beside-audit-{unique:x}\"\n\
             [flows.sequence_audit]\napplication = \"audit-{unique:x}\"\n"
        );
        let program = Program::configured(bootstrap, "audit", "pds.record", &flows);
        Self { program, sender: format!("T{:03}", unique / 1_000 % 1_000) }
    }

    /// Publishes an interchange with one message of one acceptance, all of the same number.
    fn publish(&self, number: u64) {
        let prepared_at = Timestamp::now();
        let mut writer = InterchangeWriter::begin(&InterchangeHeader {
            sender: self.sender.clone(),
            recipient: "XX11".to_owned(),
            prepared_at: Some(prepared_at),
            number: Some(number),
            application: None,
        });
        let transactions = vec![TransactionText { number, segments: vec!["HEA+ACD+A:ZZZ"] }];
        let message = RegistrationText { authority_cipher: "XX1", prepared_at, transaction_type: "G1", transactions };
        writer.registration(number, &message);
        self.produce(&format!("{number}.dat"), &writer.finish());
    }

    /// Publishes a receipt that says nothing was taken of an interchange.
    fn refuse(&self, interchange: u64) {
        let prepared_at = Timestamp::now();
        let mut writer = InterchangeWriter::begin(&InterchangeHeader {
            sender: "XX11".to_owned(),
            recipient: self.sender.clone(),
            prepared_at: Some(prepared_at),
            number: Some(1),
            application: Some("RECEP".to_owned()),
        });
        let code = Some(InterchangeCode::NoValidData);
        let receipt = Receipt { interchange, code, stated_messages: Some(1), messages: Vec::new() };
        writer.recep(1, "XX1", "4826940,281", prepared_at, &[receipt]);
        self.produce("refusal.dat", &writer.finish());
    }

    fn produce(&self, name: &str, interchange: &str) {
        let path = self.program.folder.path().join(name);
        fs::write(&path, interchange).unwrap();
        self.program.succeeds(&["produce", "interchange", path.to_str().unwrap()]);
    }

    /// An operator explains numbers of interchanges, or with `--receipt` what was said of them.
    fn explain(&self, number: &str, more: &[&str]) {
        let line = ["audit", "explain", "--sender", &self.sender, "--recipient", "XX11", "--field", "intSeq"];
        let said = ["--from", number, "--to", number, "--by", "Ann Operator", "--reason", "burnt"];
        self.program.succeeds(&[&line[..], &said, more].concat());
    }

    /// The key of the finding that interchanges from here on are missing.
    fn gap_from(&self, number: u64) -> String {
        format!("gap/sis/{}/XX11/0/{number}", self.sender)
    }

    /// State and numbers of the last finding under a key; `None` when there is none or it was taken back.
    fn finding(&self, key: &str) -> Option<(String, Option<i64>, Option<i64>)> {
        let (decoder, mut last) = (Schemas::bundled().decoder(), None);
        read_whole_topic(&self.program.log, AUDIT_FINDING.name(), &mut |_, record| {
            if record.key.as_deref() != Some(key.as_bytes()) {
                return;
            }
            last = record.value.as_ref().map(|value| {
                let finding: AuditFinding<'_> = decoder.decode(&AUDIT_FINDING, value).unwrap();
                (finding.state.to_owned(), finding.from, finding.to)
            });
        })
        .unwrap();
        last
    }

    #[track_caller]
    fn finding_becomes(&self, key: &str, expected: Option<(&str, i64, i64)>) {
        let expected = expected.map(|(state, from, to)| (state.to_owned(), Some(from), Some(to)));
        let deadline = Instant::now() + PATIENCE;
        while self.finding(key) != expected {
            assert!(Instant::now() < deadline, "{key} is {:?} and not {expected:?}", self.finding(key));
            // The interval of a poll with a deadline.
            std::thread::park_timeout(Duration::from_millis(200));
        }
    }
}

#[test]
fn a_gap_shows_is_explained_and_is_taken_back_when_the_late_interchange_comes() {
    let Ok(bootstrap) = std::env::var("KAFKA_BOOTSTRAP") else {
        eprintln!("SKIPPED: audit_on_a_cluster wants a real cluster; set KAFKA_BOOTSTRAP as scripts/test.sh does");
        return;
    };
    let mut application = Application::new(&bootstrap);
    application.program.succeeds(&["topics", "apply"]);
    application.program.start();
    application.publish(1);
    application.publish(3);
    let gap = application.gap_from(2);
    application.finding_becomes(&gap, Some(("suspected", 2, 2)));
    let explained = application.program.succeeds(&["explain", AUDIT_FINDING.name(), &gap]);
    assert!(explained.contains("gp-links.interchange"), "{explained}");

    application.publish(2);
    application.finding_becomes(&gap, None);

    application.publish(5);
    let gap = application.gap_from(4);
    application.finding_becomes(&gap, Some(("suspected", 4, 4)));
    application.explain("4", &[]);
    application.finding_becomes(&gap, Some(("explained", 4, 4)));

    application.refuse(5);
    let refused = format!("negative-receipt/sis/{}/XX11/5", application.sender);
    application.finding_becomes(&refused, Some(("confirmed", 5, 5)));
    application.explain("5", &["--receipt"]);
    application.finding_becomes(&refused, Some(("explained", 5, 5)));
}
