//! What the flow puts into the outbox is what the post reads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use concord_connectors::mail::OutboxMail;
use concord_flows::list_reconciliation::ids::mail_id;
use concord_flows::list_reconciliation::outputs::mail::{
    FAILURE_SERVICE, FailureMail, FailureReasons, failure_mail, write_outbox_mail,
};
use concord_schemas::list_reconciliation::Mail;

#[test]
fn a_mail_is_read_from_the_outbox_as_it_was_written() {
    // 2021-08-10 13:40:00 UTC
    let at_ms = 1_628_602_800_000;
    let reasons = FailureReasons::File(&["Header must be 503\\*", "a \"reason\"\twith \u{e9} and \u{1f600}"]);
    let text = failure_mail(&FailureMail { file: "A12023_GPR4LNA1.CSB", at_ms, reasons }).unwrap();
    let to = ["a@nhs.example", "b@nhs.example"];
    let id = mail_id("j-1", FAILURE_SERVICE);
    let mut json = String::new();
    let mail = Mail {
        mail_id: &id,
        job_id: "j-1",
        service: FAILURE_SERVICE,
        timestamp: "20210810134000",
        to: to.to_vec(),
        subject: &text.subject,
        body: &text.body,
    };
    write_outbox_mail(&mut json, &mail);

    let read = OutboxMail::read(&id, json.as_bytes()).unwrap();
    assert_eq!((read.id.as_str(), read.service.as_str()), (id.as_str(), FAILURE_SERVICE));
    assert_eq!((read.timestamp.as_str(), read.to.as_slice()), ("20210810134000", &to.map(str::to_owned)[..]));
    assert_eq!((read.subject, read.body), (text.subject, text.body));
}
