//! The two sides together: what comes out is, byte for byte, what comparing at once makes.

use concord_flows::list_reconciliation::dps_exchange::{AnswerReader, Verdict};
use concord_flows::list_reconciliation::{DpsExchange, OnInvalid, Profile, Settings};

use crate::side::{Side, answer_of_dps, settings};
use crate::world::{File, Pds, world};

/// An asker behind an answer of DPS, and one who compares.
fn both(file: &File, pds: &Pds, profile: Profile, on_invalid: OnInvalid) -> (Side, Side, String) {
    let of = |dps| Settings { on_invalid, ..settings(dps, profile) };
    let mut direct = Side::with(of(DpsExchange::Off));
    direct.publish(pds);
    direct.send(file);
    let mut asking = Side::with(of(DpsExchange::Asks));
    asking.send(file);
    let sent = asking.sent(file).expect("the extract was not sent");
    assert_eq!(asking.results(&file.job_id).len(), 0, "nothing comes out before the answer");
    assert_eq!((&sent.name, &sent.content), (&file.name, &file.content));
    let answer = answer_of_dps(pds, &sent, of(DpsExchange::Answers));
    asking.answer(&file.job_id, &answer);
    asking.check();
    (asking, direct, answer)
}

#[test]
fn what_dps_answers_makes_the_files_counts_and_mails_that_comparing_at_once_makes() {
    for (seed, patients, twice) in [(1, 150, 0), (2, 150, 40), (3, 1, 1), (4, 60, 7)] {
        for profile in [Profile::Fixed, Profile::Compatible] {
            let (file, pds) = world(patients, seed, twice);
            let (asking, direct, _) = both(&file, &pds, profile, OnInvalid::Reject);
            let job = &file.job_id;
            assert_eq!(asking.results(job), direct.results(job));
            assert!(asking.results(job).len() >= 3);
            assert_eq!(asking.job(job).counts, direct.job(job).counts);
            assert_eq!(asking.mails(job), direct.mails(job));
            assert_eq!(asking.mails(job).len(), 1);
            assert_eq!((asking.job(job).status.as_str(), asking.job(job).practice.as_str()), ("RECONCILED", "Y12345"));
        }
    }
}

#[test]
fn a_job_that_waits_for_dps_says_so_and_then_that_it_was_answered() {
    let (file, pds) = world(20, 5, 0);
    let (asking, ..) = both(&file, &pds, Profile::Fixed, OnInvalid::Reject);
    let history = asking.job(&file.job_id).history;
    let expected = [
        "RECEIVED: ",
        "VALIDATED: goes to DPS to be compared",
        "VALIDATED: DPS has answered: folder:/answers/one.jsonl",
        "VALIDATED: ",
        "RECONCILED: ",
    ];
    assert_eq!(history, expected);
}

#[test]
fn of_a_list_with_invalid_records_the_others_come_out_the_same_and_the_report_has_the_reasons() {
    let (file, pds) = world(40, 6, 3);
    // A sex that there is not, twice.
    let content = file.content.replacen("~1~19", "~7~19", 2);
    let file = File::new(&file.name, content);
    let (asking, direct, answer) = both(&file, &pds, Profile::Fixed, OnInvalid::Quarantine);
    let job = &file.job_id;
    assert_eq!(answer.matches(r#""type":"invalid_record""#).count(), 2);
    assert_eq!(asking.job(job).counts, direct.job(job).counts);
    assert_eq!((asking.job(job).invalid_records, asking.job(job).status.as_str()), (2, "RECONCILED"));
    let (mut from_answer, mut compared) = (asking.results(job), direct.results(job));
    let (report, whole) = (from_answer.remove("validation.json").unwrap(), compared.remove("validation.json").unwrap());
    assert_eq!(from_answer, compared);
    for said in ["\"total_invalid_records\": 2", "\"ON_LINES\"", "Sex - Must be 1"] {
        assert!(report.contains(said) && whole.contains(said), "{said}: {report}");
    }
}

#[test]
fn an_extract_that_dps_refuses_is_rejected_with_its_reasons() {
    let (file, pds) = world(30, 7, 0);
    // DPS meets another content under the job: one of its records has a sex that there is not, or it is no extract.
    for (from, to, verdict, refused, says) in [
        ("~1~19", "~7~19", Verdict::InvalidRecords, "INVALID_RECORDS", "SEX: Sex - Must be 1"),
        ("503\\*", "502\\*", Verdict::InvalidStructure, "INVALID_STRUCTURE", "Header must be 503\\*"),
    ] {
        let other = File { content: file.content.replacen(from, to, 1), ..file.clone() };
        let answer = answer_of_dps(&pds, &other, settings(DpsExchange::Answers, Profile::Fixed));
        let mut reader = AnswerReader::new(Profile::Fixed);
        reader.push(answer.as_bytes(), &mut |_| {});
        let end = reader.finish(&mut |_| {});
        assert_eq!((end.refusal, end.header.unwrap().verdict), (None, verdict));

        let mut asking = Side::of(DpsExchange::Asks);
        asking.send(&file);
        asking.answer(&file.job_id, &answer);
        let job = asking.job(&file.job_id);
        assert_eq!(
            (job.status.as_str(), job.history.last().unwrap().as_str()),
            ("REJECTED", &*format!("REJECTED: {refused}"))
        );
        assert!(job.reasons.iter().any(|reason| reason.contains(says)), "{:?}", job.reasons);
        let files = asking.results(&file.job_id);
        assert_eq!(files.keys().collect::<Vec<_>>(), ["validation.json"]);
        assert!(files["validation.json"].contains(refused), "{files:?}");
        assert_eq!(asking.mails(&file.job_id).len(), 1);
        asking.check();
    }
}

#[test]
fn a_file_that_is_refused_here_does_not_go_to_dps() {
    let (file, _) = world(10, 8, 0);
    for (name, content) in [
        ("rubbish.txt", file.content.clone()),
        (&*file.name, file.content.replacen("503\\*", "502\\*", 1)),
        (&*file.name, file.content.replacen("~1~19", "~7~19", 1)),
    ] {
        let refused = File::new(name, content);
        let mut asking = Side::of(DpsExchange::Asks);
        asking.send(&refused);
        assert!(asking.sent(&refused).is_none());
        assert_eq!(asking.job(&refused.job_id).status, "REJECTED");
        assert_eq!(asking.mails(&refused.job_id).len(), 1);
        asking.check();
    }
}

#[test]
fn in_the_place_of_dps_one_answer_comes_out_whose_lines_are_in_order_and_no_lists() {
    let (file, pds) = world(80, 9, 5);
    let mut dps = Side::of(DpsExchange::Answers);
    dps.publish(&pds);
    dps.send(&file);
    let files = dps.files(&file.job_id);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["Y12345-DPSAnswer-20210810134000.jsonl"]);
    let mut reader = AnswerReader::new(Profile::Fixed);
    reader.push(files.values().next().unwrap().as_bytes(), &mut |_| {});
    let end = reader.finish(&mut |_| {});
    assert_eq!(end.refusal, None, "{:?}", end.flaws);
    assert_eq!(end.header.unwrap().job_id, file.job_id);
    assert_eq!(end.totals.records, 85);
    let job = dps.job(&file.job_id);
    assert_eq!((job.status.as_str(), job.counts.records, job.counts.work_items), ("RECONCILED", 85, 0));
    dps.driver.check_settled().unwrap();

    // A name that says nothing has no answer: nobody knows which practice it would be about.
    let unnamed = File::new("rubbish.txt", file.content.clone());
    dps.send(&unnamed);
    assert_eq!(dps.files(&unnamed.job_id).keys().collect::<Vec<_>>(), ["validation.json"]);
}
