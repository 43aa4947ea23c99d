//! `concord verify` of the sequence audit, on a Kafka of its own: it finds nothing behind a run with every kind of finding, nor when
//! a history is loaded twice; and it finds each damage that is done by hand.
//!
//! It wants real servers, so it runs where `KAFKA_BOOTSTRAP` is set, though it never touches that cluster.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod application;
#[allow(dead_code, reason = "a part of what a broker of tests can do is needed here")]
#[path = "../exactly_once/broker.rs"]
mod broker;
mod damages;
#[allow(dead_code, reason = "the program's own reading of topics, of which a part is needed here")]
#[path = "../../src/verify/topics.rs"]
mod topics;
mod traffic;

use application::Application;

/// What went wrong, in words.
type Outcome<T> = Result<T, String>;

#[test]
fn a_run_of_the_audit_is_verified_and_whatever_is_damaged_is_found() {
    if std::env::var_os("KAFKA_BOOTSTRAP").is_none() {
        eprintln!("SKIPPED: audit_verified wants a Kafka of its own; set KAFKA_BOOTSTRAP as scripts/test.sh does");
        return;
    }
    let mut application = Application::start_broker();
    application.succeeds(&["topics", "apply"]);
    let history = application.write("outboundState.json", traffic::HISTORY);
    let baseline = application.write("outboundSequenceId.json", traffic::BASELINE);
    application.succeeds(&["produce", "history", &history]);
    application.succeeds(&["produce", "baseline", &baseline]);
    application.run();
    for (name, text) in traffic::files() {
        let file = application.write(&name, text);
        application.succeeds(&["produce", "interchange", &file]);
    }
    let found = application.findings_become(&traffic::expected());
    application.is_verified();

    // A repetition of a connector, and a history once more: nothing changes.
    let (name, text) = &traffic::files()[0];
    let again = application.write(name, text);
    application.succeeds(&["produce", "interchange", &again]);
    let refused = application.refuses(&["produce", "history", &history]);
    assert!(refused.contains("--behind-traffic"), "{refused}");
    application.succeeds(&["produce", "history", &history, "--behind-traffic"]);
    application.is_verified();
    assert_eq!(application.findings(), found);

    application.stop();
    let report = application.is_verified();
    for counted in ["stores compared with their changelogs", "pieces of interchanges that were repeated"] {
        assert!(report.contains(counted), "{counted}: {report}");
    }
    damages::are_found(&application);
}
