//! Mails to a mail server.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use concord_schemas::codec;
use concord_schemas::list_reconciliation::Mail;
use concord_state::failpoints::Failpoint;

use crate::application::{Application, part};

/// Copies of each mail that the server has, by the mail's id.
fn received(mails: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(mails.join("new")).into_iter().flatten() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: <")?.split('@').next());
        found.entry(id.unwrap_or_default().to_owned()).or_default().push(text);
    }
    found
}

#[test]
fn a_mail_is_sent_once_and_one_that_is_refused_holds_up_no_other() {
    let Some(ports) = part("SMTP_PORTS", "concord connect mail") else { return };
    let variable = |name: &str| std::env::var(name).unwrap();
    let starttls = ports.split(',').nth(1).unwrap();
    let sections = format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {starttls}\ntls = \"starttls\"\nca = \"{}/ca.pem\"\n\
         sender = \"lr@sender.example\"\nuser = \"{}\"\npassword_file = \"FOLDER/password\"\n",
        variable("SMTP_CERTIFICATES"),
        variable("SMTP_USER"),
    );
    let Some(mut application) = Application::new("mail", &sections) else { return };
    application.write("password", variable("SMTP_PASSWORD"));
    let mails = Path::new(&variable("SMTP_MAILS")).to_owned();
    let job = format!("job-{}", application.unique);
    let unique = application.unique.clone();
    let id = |number: u32| format!("m{number}-{unique}");
    let publish = |application: &Application, number: u32, to: &str| {
        let mail_id = id(number);
        let mail = Mail {
            mail_id: &mail_id,
            job_id: &job,
            service: "LR-14",
            timestamp: "20210810134000",
            to: vec![to],
            subject: "PDS Comparison run",
            body: "The files:\n    \u{2022} cdd.csv\n",
        };
        application.publish(&codec::MAIL, &[(mail_id.clone(), mail)]);
    };
    let copies = |number: u32| received(&mails).get(&id(number)).cloned().unwrap_or_default();

    publish(&application, 1, "a@nhs.example");
    application.dies_at(Failpoint::MailRead, 1);
    assert!(copies(1).is_empty());
    // Mails of other applications may stand before it.
    for _ in 0..100 {
        application.dies_at(Failpoint::MailCommitted, 1);
        if !copies(1).is_empty() {
            break;
        }
    }
    assert_eq!(copies(1).len(), 1);

    // The one moment in which a crash repeats a mail: its receiver can tell.
    publish(&application, 2, "a@nhs.example");
    application.dies_at(Failpoint::MailHandedOver, 1);
    assert_eq!(copies(2).len(), 1);

    publish(&application, 3, "refused@nhs.example");
    publish(&application, 4, "a@nhs.example");
    // The same mail once more in the log.
    publish(&application, 1, "a@nhs.example");
    application.start();
    application.wait_until("each mail has its delivery", |application| application.deliveries(&job).len() == 4);
    let told: BTreeMap<String, (String, String)> = application
        .deliveries(&job)
        .into_iter()
        .map(|(name, state, _, detail)| (name, (state, detail.chars().take(15).collect())))
        .collect();
    let sent = ("SENT".to_owned(), String::new());
    let refused = ("REFUSED".to_owned(), "CONCORD-ML-0006".to_owned());
    let expected = [(id(1), sent.clone()), (id(2), sent.clone()), (id(3), refused), (id(4), sent)];
    assert_eq!(told, BTreeMap::from(expected));
    application.wait_until("it works", |application| application.page("/health/ready").starts_with("HTTP/1.0 200"));
    application.stop();

    assert_eq!([1, 3, 4].map(|number| copies(number).len()), [1, 0, 1]);
    let repeated = copies(2);
    assert_eq!(repeated.len(), 2);
    let without_the_server = |text: &String| text.lines().skip_while(|line| !line.is_empty()).collect::<String>();
    assert_eq!(without_the_server(&repeated[0]), without_the_server(&repeated[1]), "the same, under one Message-ID");
}
