//! The output files, put together from their pieces.

use std::collections::BTreeMap;

use concord_schemas::codec;
use concord_schemas::list_reconciliation::FileChunk;

use super::{FILE, Outputs};
use crate::Outcome;
use crate::expected::ExpectedJob;
use crate::findings::Findings;

type Pieces = Vec<(i32, bool, String)>;

/// Every piece of every file is there once and in order, and the rows are those expected, in the order of their keys.
pub(super) fn every_file_is_whole(outputs: &Outputs<'_>, findings: &mut Findings) -> Outcome<()> {
    let mut files: BTreeMap<(String, String), Pieces> = BTreeMap::new();
    for record in &outputs.topics.read(FILE)? {
        let piece: FileChunk<'_> = outputs.decode(&codec::FILE, record)?;
        findings.same("key of a piece", format!("{}/{}", piece.job_id, piece.file_name), record.text_key());
        files.entry((piece.job_id.to_owned(), piece.file_name.to_owned())).or_default().push((
            piece.sequence,
            piece.last,
            piece.text.to_owned(),
        ));
    }
    for (place, pieces) in files.values().enumerate() {
        let wrong = pieces
            .iter()
            .enumerate()
            .filter(|(place, (sequence, last, _))| *sequence != *place as i32 || *last != (place + 1 == pieces.len()))
            .count();
        findings.tear(u64::from(wrong > 0));
        findings.same(&format!("pieces out of place in file {place}"), 0, wrong);
    }
    for job in outputs.jobs {
        let of_job: BTreeMap<String, String> = files
            .iter()
            .filter(|((id, _), _)| *id == job.id)
            .map(|((_, name), pieces)| (name.clone(), pieces.iter().map(|(_, _, text)| text.as_str()).collect()))
            .collect();
        files_of_job(job, &of_job, findings)?;
    }
    Ok(())
}

fn files_of_job(job: &ExpectedJob, files: &BTreeMap<String, String>, findings: &mut Findings) -> Outcome<()> {
    let (items, lists): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| name.starts_with("work-items/"));
    findings.same(&format!("lists of {}", job.practice), 3, lists.len());

    let mut with_item = Vec::new();
    for (name, text) in items {
        serde_json::from_str::<serde_json::Value>(text).map_err(|e| format!("a work item is not JSON: {e}"))?;
        with_item.push(super::nhs_of_row(name));
    }
    let expected = job.patients.iter().filter(|p| p.has_work_item()).map(|p| p.nhs.clone());
    findings.each_once(&format!("work items of {}", job.practice), expected, with_item);

    let mut differences: Vec<Vec<String>> = Vec::new();
    for patient in &job.patients {
        let sensitive = patient.sensitive.then_some("sensitive");
        for rule in patient.rules.iter().copied().chain(sensitive) {
            differences.push(vec![patient.nhs.clone(), rule.to_owned()]);
        }
    }
    let only_on_gp =
        job.patients.iter().filter(|p| p.is_only_on_gp()).map(|p| vec![p.nhs.clone(), p.status.to_owned()]);
    let only_on_pds = job.only_on_pds.iter().map(|nhs| vec![nhs.clone()]);
    let expected: [ExpectedList; 3] = [
        ("-CDD-", &["nhsNumber", "ruleId"], differences),
        ("-OnlyOnGP-", &["NHS NO.", "STATUS"], only_on_gp.collect()),
        ("-OnlyOnPDS-", &["NHS NO."], only_on_pds.collect()),
    ];
    for (kind, columns, mut expected) in expected {
        let what = format!("rows of {}{kind}", job.practice);
        let Some((_, text)) = lists.iter().find(|(name, _)| name.contains(kind)) else {
            findings.complain(format!("{what}: the file is not there"));
            continue;
        };
        let found = columns_of(text, columns)?;
        expected.sort_unstable();
        let in_order = found == expected;
        findings.each_once(&what, expected, found);
        if !in_order {
            findings.complain(format!("{what}: not in the order of NHS number and rule"));
        }
    }
    Ok(())
}

/// Part of a list's name, its columns of interest, and what they must hold, row by row.
type ExpectedList = (&'static str, &'static [&'static str], Vec<Vec<String>>);

/// The named columns of each row.
fn columns_of(text: &str, columns: &[&str]) -> Outcome<Vec<Vec<String>>> {
    let failed = |e: csv::Error| format!("reading a list: {e}");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(failed)?.clone();
    let mut places = Vec::new();
    for column in columns {
        let place = header.iter().position(|name| name == *column);
        places.push(place.ok_or_else(|| format!("a list has no column {column}"))?);
    }
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(failed)?;
        rows.push(places.iter().map(|place| row.get(*place).unwrap_or_default().to_owned()).collect());
    }
    Ok(rows)
}
