//! The mail sender against a real mail server. `scripts/test.sh` starts one; without it these tests say SKIPPED.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use concord_connectors::mail::{
    Account, Delivered, MailProblem, MailSender, MailSettings, MailTls, OutboxMail, RefusedRecipient,
};
use concord_connectors::next_step::NextStep;
use concord_connectors::patience::Patience;
use concord_connectors::secret::Secret;

const FROM: &str = "list-reconciliation@concord.example";
const BODY: &str = "The GP file: Y12345.E1A has been compared to PDS\n\n.a line that begins with a dot\n    \u{2022} cdd.csv\n\nId: j-1";

struct Server {
    plain: u16,
    starttls: u16,
    tls: u16,
    mails: PathBuf,
    certificates: PathBuf,
}

impl Server {
    /// `None`, loudly, when there is no server.
    fn at_hand() -> Option<Self> {
        let Ok(ports) = env::var("SMTP_PORTS") else {
            eprintln!("SKIPPED: the mail sender wants a real server; set SMTP_PORTS as scripts/test.sh does");
            return None;
        };
        let ports: Vec<u16> = ports.split(',').map(|port| port.parse().unwrap()).collect();
        let [plain, starttls, tls] = ports[..] else { panic!("SMTP_PORTS has not three ports") };
        let folder = |name: &str| PathBuf::from(env::var(name).unwrap());
        Some(Self { plain, starttls, tls, mails: folder("SMTP_MAILS"), certificates: folder("SMTP_CERTIFICATES") })
    }

    fn settings(&self, tls: MailTls) -> MailSettings {
        let port = match tls {
            MailTls::None => self.plain,
            MailTls::StartTls => self.starttls,
            MailTls::Tls => self.tls,
        };
        let mut settings = MailSettings::new("localhost", port, tls, FROM);
        settings.timeout = Duration::from_secs(20);
        settings.patience =
            Patience { attempts: 3, first_pause: Duration::from_millis(1), longest_pause: Duration::from_secs(1) };
        if tls != MailTls::None {
            settings.ca = Some(self.certificates.join("ca.pem"));
            let password = Secret::new(env::var("SMTP_PASSWORD").unwrap());
            settings.account = Some(Account { user: env::var("SMTP_USER").unwrap(), password });
        }
        settings
    }

    fn sender(&self, tls: MailTls) -> MailSender {
        MailSender::new(self.settings(tls)).unwrap()
    }

    /// Mails with this id that the server has taken, whole.
    fn taken(&self, id: &str) -> Vec<String> {
        let files = fs::read_dir(self.mails.join("new")).unwrap();
        let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap().replace("\r\n", "\n"));
        let own = format!("Message-ID: <{id}@concord.example>\n");
        texts.filter(|text| text.contains(&own)).collect()
    }
}

fn mail(test: &str, to: &[&str]) -> OutboxMail {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    let nanoseconds = jiff::Timestamp::now().as_nanosecond();
    OutboxMail {
        id: format!("{test}-{nanoseconds}-{made}"),
        service: "LR-14".to_owned(),
        timestamp: "20210810134000".to_owned(),
        to: to.iter().map(|to| (*to).to_owned()).collect(),
        subject: "PDS Comparison run at 14:40:00 on 10/08/2021".to_owned(),
        body: BODY.to_owned(),
    }
}

/// The content of a mail, decoded.
fn content(text: &str) -> String {
    let (head, body) = text.split_once("\n\n").unwrap();
    let encoding = head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: ")).unwrap();
    let bytes = match encoding {
        "quoted-printable" => {
            quoted_printable::decode(body.replace('\n', "\r\n"), quoted_printable::ParseMode::Strict).unwrap()
        }
        "7bit" => body.as_bytes().to_vec(),
        other => panic!("{other}"),
    };
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_mail_arrives_as_it_was_written_through_every_door() {
    let Some(server) = Server::at_hand() else { return };
    for tls in [MailTls::None, MailTls::StartTls, MailTls::Tls] {
        let mail = mail("arrives", &["a@nhs.example", "b@nhs.example"]);
        assert_eq!(server.sender(tls).send(&mail).unwrap(), Delivered::default(), "{tls:?}");
        let taken = server.taken(&mail.id);
        let [text] = &taken[..] else { panic!("{tls:?}: {} mails instead of one", taken.len()) };
        for line in [
            "X-RcptTo: a@nhs.example, b@nhs.example",
            "From: list-reconciliation@concord.example",
            "To: a@nhs.example, b@nhs.example",
            "Subject: PDS Comparison run at 14:40:00 on 10/08/2021",
            "Date: Tue, 10 Aug 2021 13:40:00 +0000",
        ] {
            assert!(text.lines().any(|other| other == line), "{tls:?}: no line {line} in\n{text}");
        }
        // A mail ends with a line end, whatever was written.
        assert_eq!(content(text).trim_end_matches('\n'), BODY, "{tls:?}");
    }
}

#[test]
fn a_recipient_who_is_refused_does_not_keep_the_mail_from_the_others() {
    let Some(server) = Server::at_hand() else { return };
    let mail = mail("some", &["refused@nhs.example", "a@nhs.example"]);
    let delivered = server.sender(MailTls::None).send(&mail).unwrap();
    let [RefusedRecipient { address, reason }] = &delivered.refused[..] else { panic!("{delivered:?}") };
    assert_eq!(address, "refused@nhs.example");
    assert!(reason.contains("550"), "{reason}");
    let taken = server.taken(&mail.id);
    assert_eq!(taken.len(), 1);
    assert!(taken[0].contains("X-RcptTo: a@nhs.example\n"));
}

#[test]
fn a_mail_that_nobody_may_have_is_set_aside() {
    let Some(server) = Server::at_hand() else { return };
    for recipient in ["refused@nhs.example", "unwanted@nhs.example"] {
        let mail = mail("refused", &[recipient]);
        let error = server.sender(MailTls::None).send(&mail).unwrap_err();
        assert_eq!((error.problem, error.code()), (MailProblem::Refused, "CONCORD-ML-0006"), "{error}");
        assert_eq!(error.next_step(), NextStep::SetAside);
        assert!(server.taken(&mail.id).is_empty());
    }
}

#[test]
fn a_server_that_asks_to_come_later_is_asked_again() {
    let Some(server) = Server::at_hand() else { return };
    let sender = server.sender(MailTls::None);
    let later = mail("later", &["a@nhs.example", "later@nhs.example"]);
    let error = sender.send(&later).unwrap_err();
    assert_eq!((error.problem, error.next_step()), (MailProblem::Later, NextStep::TryAgain), "{error}");
    // Not even to the one who would have had it: all of it goes later, and goes once.
    assert!(server.taken(&later.id).is_empty());

    let once = mail("once-later", &[]);
    let once = OutboxMail { to: vec![format!("{}@nhs.example", once.id)], ..once };
    sender.send(&once).unwrap();
    assert_eq!(server.taken(&once.id).len(), 1);
}

#[test]
fn a_mail_whose_answer_was_lost_is_not_sent_again_unasked_and_a_repetition_is_the_same_mail() {
    let Some(server) = Server::at_hand() else { return };
    let sender = server.sender(MailTls::None);
    let lost = mail("lost", &[]);
    let lost = OutboxMail { to: vec![format!("{}@nhs.example", lost.id)], ..lost };
    let error = sender.send(&lost).unwrap_err();
    assert_eq!((error.problem, error.next_step()), (MailProblem::OutcomeUnknown, NextStep::TryAgain), "{error}");
    assert_eq!(server.taken(&lost.id).len(), 1);

    sender.send(&lost).unwrap();
    let taken = server.taken(&lost.id);
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0], taken[1]);
}

#[test]
fn who_is_not_let_in_waits_for_the_operator_and_no_mail_is_lost() {
    let Some(server) = Server::at_hand() else { return };
    let account = |password| Some(Account { user: "postman".to_owned(), password: Secret::new(password) });
    let shut_out = [
        MailSettings { account: account("not the password"), ..server.settings(MailTls::StartTls) },
        MailSettings { account: account("not the password"), ..server.settings(MailTls::Tls) },
        MailSettings { account: None, ..server.settings(MailTls::Tls) },
        // This door has no STARTTLS: nothing goes out unprotected.
        MailSettings { port: server.plain, ..server.settings(MailTls::StartTls) },
    ];
    for settings in shut_out {
        let shown = format!("{settings:?}");
        let mail = mail("shut-out", &["a@nhs.example"]);
        let error = MailSender::new(settings).unwrap().send(&mail).unwrap_err();
        assert_eq!(error.problem, MailProblem::NotAllowed, "{shown}: {error}");
        assert_eq!(error.next_step(), NextStep::WaitForOperator);
        assert!(!error.to_string().contains("not the password") && !shown.contains("not the password"));
        assert!(server.taken(&mail.id).is_empty());
    }
}

#[test]
fn a_server_whom_no_trusted_authority_vouches_for_gets_nothing() {
    let Some(server) = Server::at_hand() else { return };
    for tls in [MailTls::StartTls, MailTls::Tls] {
        for ca in [Some(server.certificates.join("client.pem")), None] {
            let mail = mail("untrusted", &["a@nhs.example"]);
            let sender = MailSender::new(MailSettings { ca, ..server.settings(tls) }).unwrap();
            let error = sender.send(&mail).unwrap_err();
            assert_eq!(error.problem, MailProblem::Unreachable, "{error}");
            assert!(error.detail.contains("certificate"), "{error}");
            assert!(server.taken(&mail.id).is_empty());
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_an_outage() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut settings = MailSettings::new("127.0.0.1", port, MailTls::None, FROM);
    settings.patience.first_pause = Duration::from_millis(1);
    let error = MailSender::new(settings).unwrap().send(&mail("nobody", &["a@nhs.example"])).unwrap_err();
    assert_eq!((error.problem, error.next_step()), (MailProblem::Unreachable, NextStep::TryAgain), "{error}");
}

#[test]
fn settings_that_would_show_a_password_or_name_no_certificate_are_refused() {
    let settings = |tls| MailSettings::new("smtp.example", 25, tls, FROM);
    let folder = tempfile::tempdir().unwrap();
    let no_certificate = folder.path().join("ca.pem");
    fs::write(&no_certificate, "no certificate\n").unwrap();
    let account = Some(Account { user: "u".to_owned(), password: Secret::new("p") });
    for settings in [
        MailSettings { account, ..settings(MailTls::None) },
        MailSettings { ca: Some(no_certificate), ..settings(MailTls::Tls) },
        MailSettings { ca: Some(folder.path().join("missing.pem")), ..settings(MailTls::StartTls) },
        MailSettings { from: "nobody".to_owned(), ..settings(MailTls::None) },
    ] {
        let Err(error) = MailSender::new(settings) else { panic!("accepted") };
        assert_eq!((error.problem, error.code()), (MailProblem::Settings, "CONCORD-ML-0001"));
    }
}
