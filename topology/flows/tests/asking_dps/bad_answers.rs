//! Answers that cannot be used: each is told with a code, and the job goes on waiting for a good one.

use concord_flows::list_reconciliation::dps_exchange::codes;
use concord_flows::list_reconciliation::{DpsExchange, Profile};

use crate::side::{HOUR, MINUTE, Side, answer_of_dps, settings};
use crate::world::{File, world};

/// A job that waits for DPS, and the good answer to it.
fn waiting() -> (Side, File, String) {
    let (file, pds) = world(25, 11, 2);
    let mut asking = Side::of(DpsExchange::Asks);
    asking.send(&file);
    let answer = answer_of_dps(&pds, &file, settings(DpsExchange::Answers, Profile::Fixed));
    assert_eq!(asking.job(&file.job_id).status, "VALIDATED");
    (asking, file, answer)
}

#[track_caller]
fn assert_the_good_one_is_still_taken(asking: &mut Side, file: &File, answer: &str) {
    assert_eq!(asking.job(&file.job_id).status, "VALIDATED");
    asking.answer(&file.job_id, answer);
    assert_eq!(asking.job(&file.job_id).status, "RECONCILED");
    assert_eq!(asking.results(&file.job_id).keys().filter(|name| name.ends_with(".csv")).count(), 3);
    asking.check();
}

#[test]
fn a_bad_answer_is_told_and_leaves_the_job_waiting() {
    let (_, file, good) = waiting();
    let lines: Vec<&str> = good.lines().collect();
    let without = |from: usize, to: usize| [&lines[..from], &lines[to..]].concat().join("\n") + "\n";
    let surname = good.split("\"surname\":\"").nth(1).unwrap().split('"').next().unwrap();
    let table = [
        (without(lines.len() - 1, lines.len()), codes::CUT, "without a trailer"),
        (good[..good.len() / 2].to_owned(), codes::LINE_INVALID, "lines cannot be used"),
        (without(1, 2), codes::TOTALS_DIFFER, "counts other lines than came"),
        (good.replacen("\"sex\":", "\"sax\":", 1), codes::LINE_INVALID, "line 2, gp.sex: the field is missing"),
        (good.replacen("\"version\":1", "\"version\":2", 1), codes::VERSION_UNKNOWN, "version 2"),
        (good.replacen("Y12345_", "Y12345-", 1), codes::HEADER_CONTRADICTS, "Y12345-"),
        (good.replacen("\"unremarkable\":", "\"unremarkable\":1", 1), codes::TOTALS_DIFFER, "records"),
    ];
    for (bad, code, says) in table {
        let (mut asking, ..) = waiting();
        asking.answer(&file.job_id, &bad);
        asking.assert_refused(code, says);
        let refused = format!("{:?}{:?}", asking.refused(), asking.job(&file.job_id).history);
        assert!(!refused.contains(surname), "{refused}");
        let history = asking.job(&file.job_id).history;
        let told = format!("an answer of DPS is refused, folder:/answers/one.jsonl: {code}");
        assert!(history.last().unwrap().contains(&told), "{history:?}");
        assert_the_good_one_is_still_taken(&mut asking, &file, &good);
    }
}

#[test]
fn an_answer_with_other_records_than_the_extract_has_is_refused_though_its_totals_agree() {
    let (mut asking, file, good) = waiting();
    // A patient who matches in everything more: no line of it is there to miss.
    let (rest, trailer) = good.trim_end().rsplit_once('\n').unwrap();
    let mut trailer: serde_json::Value = serde_json::from_str(trailer).unwrap();
    for total in ["records", "unremarkable", "matched"] {
        trailer[total] = (trailer[total].as_i64().unwrap() + 1).into();
    }
    asking.answer(&file.job_id, &format!("{rest}\n{trailer}\n"));
    asking.assert_refused(codes::TOTALS_DIFFER, "the answer counts 28 records, and the extract has 27");
    assert_the_good_one_is_still_taken(&mut asking, &file, &good);
}

#[test]
fn an_answer_about_a_job_that_there_is_not_is_refused_after_a_minute() {
    let (mut asking, file, good) = waiting();
    let stranger = "00000000-0000-8000-8000-000000000000";
    let answer = good.replace(&file.job_id, stranger);
    asking.answer(stranger, &answer);
    assert_eq!(asking.refused(), []);
    asking.pass(MINUTE);
    asking.assert_refused(codes::UNKNOWN_JOB, stranger);
    assert_the_good_one_is_still_taken(&mut asking, &file, &good);
}

#[test]
fn an_answer_that_is_here_before_its_job_is_taken_when_the_job_comes() {
    let (_, file, good) = waiting();
    let mut asking = Side::of(DpsExchange::Asks);
    asking.answer(&file.job_id, &good);
    asking.send(&file);
    assert_eq!(asking.job(&file.job_id).status, "VALIDATED");
    asking.pass(MINUTE);
    assert_eq!(asking.job(&file.job_id).status, "RECONCILED");
    assert_eq!(asking.refused(), []);
    asking.check();
}

#[test]
fn the_same_answer_again_changes_nothing_and_another_one_is_refused() {
    let (mut asking, file, good) = waiting();
    asking.answer(&file.job_id, &good);
    let (job, results) = (asking.job(&file.job_id), asking.results(&file.job_id));
    asking.answer(&file.job_id, &good);
    assert_eq!((asking.job(&file.job_id), asking.refused()), (job.clone(), Vec::new()));
    // White space is another content.
    asking.answer(&file.job_id, &format!("{good}\n"));
    asking.assert_refused(codes::ANSWERED_ALREADY, "this is another one");
    assert_eq!((asking.job(&file.job_id).status, asking.results(&file.job_id)), (job.status, results));
    asking.check();
}

#[test]
fn fields_that_are_not_known_are_told_in_the_history_and_do_no_harm() {
    let (mut asking, file, good) = waiting();
    let newer = good.replace("\"type\":\"patient\",", "\"type\":\"patient\",\"priority\":\"high\",");
    asking.answer(&file.job_id, &newer);
    let job = asking.job(&file.job_id);
    assert_eq!(job.status, "RECONCILED");
    let told = job.history.iter().find(|step| step.contains("DPS has answered")).unwrap();
    assert!(told.contains("fields that are not known were passed over: patient.priority"), "{told}");
    asking.check();
}

#[test]
fn an_answer_about_a_file_that_was_refused_here_is_refused() {
    let (file, pds) = world(10, 12, 0);
    let broken = File::new(&file.name, file.content.replacen("~1~19", "~7~19", 1));
    let mut asking = Side::of(DpsExchange::Asks);
    asking.send(&broken);
    let as_if = File { job_id: broken.job_id.clone(), ..file };
    let answer = answer_of_dps(&pds, &as_if, settings(DpsExchange::Answers, Profile::Fixed));
    asking.answer(&broken.job_id, &answer);
    asking.assert_refused(codes::NOT_ASKED, "was not sent to DPS");
    assert_eq!(asking.job(&broken.job_id).status, "REJECTED");
    asking.check();
}

#[test]
fn an_answer_about_a_job_that_an_operator_has_ended_is_refused() {
    let (mut asking, file, good) = waiting();
    asking.clean_up(&file.job_id);
    asking.answer(&file.job_id, &good);
    asking.assert_refused(codes::GIVEN_UP, "was ended by an operator");
    asking.pass(7 * HOUR);
    assert_eq!(asking.job(&file.job_id).status, "CLEANED_UP");
    assert_eq!(asking.results(&file.job_id).len(), 0);
    asking.check();
}

#[test]
fn an_answer_under_another_job_than_its_header_names_is_refused() {
    let (mut asking, file, good) = waiting();
    asking.answer("00000000-0000-8000-8000-000000000000", &good);
    asking.assert_refused(codes::KEY_DIFFERS, "under another job");
    assert_the_good_one_is_still_taken(&mut asking, &file, &good);
}
