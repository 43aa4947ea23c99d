//! Who is reported as registered elsewhere, nowhere or not at all: the vectors of the registration prototype, with codes of
//! the form that file names demand.

use std::collections::BTreeSet;

use super::command::{Folder, Job};
use super::people::{NUMBERS, extract, ndjson, on_pds, outcome, patient};

const HERE: &str = "Y12345";
const THERE: &str = "Y84900";

fn extract_of(practice: &str, patients: &[usize]) -> (String, String) {
    let rows: Vec<_> = patients.iter().map(|&person| patient(person as u32 + 1, NUMBERS[person])).collect();
    (format!("{practice}_GPR4LNA1.H9A"), extract(&rows))
}

/// NHS numbers in a file of rows, each with a column behind it, or with an empty text.
fn people(job: &Job, part: &str, column: Option<usize>) -> BTreeSet<(String, String)> {
    let cells = |row: &String| {
        let cells: Vec<&str> = row.split(',').collect();
        (cells[3].to_string(), column.map_or(String::new(), |column| cells[column].to_string()))
    };
    job.rows(part).iter().map(cells).collect()
}

fn expected(people: &[(usize, &str)]) -> BTreeSet<(String, String)> {
    people.iter().map(|&(person, text)| (NUMBERS[person].to_string(), text.to_string())).collect()
}

#[test]
fn only_on_gp_has_those_whom_pds_has_elsewhere_nowhere_or_not_at_all() {
    let folder = Folder::new();
    let (name, text) = extract_of(HERE, &[0, 1, 2, 3, 4]);
    let pds = ndjson(&[
        on_pds(NUMBERS[0], HERE),
        on_pds(NUMBERS[1], ""),
        outcome(NUMBERS[2], "RESOURCE_NOT_FOUND"),
        on_pds(NUMBERS[3], "Y98000"),
        on_pds(NUMBERS[4], "Y85000"),
    ]);
    let job =
        folder.reconcile().extract(folder.write(&name, text)).pds(folder.write("pds.ndjson", pds)).run().reconciled();
    const STATUS: usize = 12;
    let reported =
        [(1, "Deducted Patient Match"), (2, "Unmatched"), (3, "Partnership Mismatch"), (4, "Partnership Mismatch")];
    assert_eq!(people(&job, "OnlyOnGP", Some(STATUS)), expected(&reported));
}

#[test]
fn only_on_pds_has_those_of_the_practice_whom_its_own_extract_does_not_name() {
    let folder = Folder::new();
    // Named here; named by another practice; named by nobody.
    let pds = ndjson(&[on_pds(NUMBERS[0], HERE), on_pds(NUMBERS[1], HERE), on_pds(NUMBERS[2], HERE)]);
    let (name, text) = extract_of(HERE, &[0]);
    let (other_name, other_text) = extract_of(THERE, &[1]);
    let run = folder
        .reconcile()
        .extract(folder.write(&name, text))
        .extract(folder.write(&other_name, other_text))
        .pds(folder.write("pds.ndjson", pds))
        .run()
        .expect_exit_code(0);
    let jobs = run.jobs();
    assert_eq!(people(&jobs[0], "OnlyOnPDS", None), expected(&[(1, ""), (2, "")]));
    assert_eq!(people(&jobs[1], "OnlyOnPDS", None), expected(&[]));
    assert_eq!(people(&jobs[1], "OnlyOnGP", None), expected(&[(1, "")]));
}
