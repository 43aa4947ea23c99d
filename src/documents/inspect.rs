//! `concord documents list`, `show` and `retry`: how far the reading of documents has come, and having it done again.

use std::fmt::Write;

use concord_schemas::codec;
use concord_schemas::patient_documents::ReadRequest;
use serde_json::Value;

use super::topics::{publish, standing};
use crate::cli::{DocumentShowArgs, DocumentsListArgs, RetryArgs, StatusName};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;
use crate::stores::time_text;

impl StatusName {
    /// As records have it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
        }
    }
}

/// Prints every document with how far its reading has come.
///
/// # Errors
/// The cluster cannot be reached.
pub fn list(args: &DocumentsListArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let beginning = args.patient.as_ref().map(|patient| format!("{patient}/"));
    let is_wanted = |key: &str| beginning.as_ref().is_none_or(|beginning| key.starts_with(beginning));
    let mut documents: Vec<Value> = standing(&config, &codec::EXTRACTION, &is_wanted)?.into_values().collect();
    documents.retain(|document| args.status.is_none_or(|status| document["status"] == status.as_str()));
    if !args.json {
        output::line(HEADING);
    }
    for document in &mut documents {
        if let Some(object) = document.as_object_mut() {
            object.remove("features");
        }
        if args.json { output::line(document) } else { output::line(row(document)) }
    }
    if !args.json {
        eprintln!("{} documents.", documents.len());
    }
    Ok(())
}

/// Prints one document with what was read from it.
///
/// # Errors
/// The cluster cannot be reached, or nobody knows the document.
pub fn show(args: &DocumentShowArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let ending = format!("/{}", args.id);
    let found = standing(&config, &codec::EXTRACTION, &|key| key.ends_with(&ending))?;
    let Some(document) = found.into_values().next() else {
        return Err(Failure::Other(format!(
            "there is no document {}: `concord documents list` shows those there are",
            args.id
        )));
    };
    if args.json {
        output::line(format_args!("{document:#}"));
    } else {
        output::line(whole(&document).trim_end());
    }
    Ok(())
}

/// Asks for documents to be read.
///
/// # Errors
/// The cluster cannot be reached.
pub fn retry(args: &RetryArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let ids: Vec<String> = if args.failed {
        let documents = standing(&config, &codec::EXTRACTION, &|_| true)?;
        let failed = documents.into_values().filter(|document| document["status"] == StatusName::Failed.as_str());
        failed.filter_map(|document| Some(document["document_id"].as_str()?.to_owned())).collect()
    } else {
        args.ids.clone()
    };
    let requests: Vec<ReadRequest<'_>> =
        ids.iter().map(|document_id| ReadRequest { document_id, by: &args.by }).collect();
    let values: Vec<(&str, Option<&ReadRequest<'_>>)> =
        requests.iter().map(|request| (request.document_id, Some(request))).collect();
    publish(&config, &codec::READ_REQUEST, &values)?;
    output::line(format_args!(
        "{} documents are asked for; `concord documents list` tells what becomes of them",
        ids.len()
    ));
    Ok(())
}

/// Above the rows of a list.
const HEADING: &str = "patient              document                             status      failures  since                     \
     type                             reason";

/// A document in one line.
fn row(document: &Value) -> String {
    let line = format!(
        "{:<20} {:<36} {:<11} {:>8}  {:<25} {:<32} {}",
        text(document, "patient_id"),
        text(document, "document_id"),
        text(document, "status"),
        document["failure_count"].as_i64().unwrap_or(0),
        time(&document["status_last_updated_ms"]),
        text(document, "content_type"),
        text(document, "reason_code"),
    );
    line.trim_end().to_owned()
}

/// Everything that is known of a document. It holds the patient's data, which was asked for.
fn whole(document: &Value) -> String {
    let mut shown = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(shown, "{} {}", text(document, "name"), text(document, "status"));
    let duration = document["duration_ms"].as_i64().map_or_else(String::new, |ms| format!("{ms} ms"));
    let failures = document["failure_count"].as_i64().filter(|count| *count > 0);
    for (name, value) in [
        ("document", text(document, "document_id").to_owned()),
        ("patient", text(document, "patient_id").to_owned()),
        ("from", text(document, "source").to_owned()),
        ("contents of", time(&document["contents_last_updated_ms"])),
        ("type", text(document, "content_type").to_owned()),
        ("sha-256", text(document, "content_sha256").to_owned()),
        ("status since", time(&document["status_last_updated_ms"])),
        ("last attempt", duration),
        ("failures", failures.map_or_else(String::new, |count| count.to_string())),
        ("reason", [text(document, "reason_code"), text(document, "reason")].join(" ").trim().to_owned()),
        ("read from", time(&document["features_as_of_ms"])),
    ] {
        if !value.is_empty() {
            let _ = writeln!(shown, "  {name:<13} {value}");
        }
    }
    let features = &document["features"];
    let said = |list: &str| features[list].as_array().into_iter().flatten();
    for field in said("demographics") {
        let _ = writeln!(shown, "  {:<13} {}  ({})", text(field, "field"), text(field, "value"), place(field));
    }
    for medicine in said("medications") {
        let parts = ["name", "strength", "form", "dose", "route", "code", "status"].map(|part| text(medicine, part));
        let _ = writeln!(shown, "  {:<13} {}  ({})", "medicine", joined(&parts), place(medicine));
    }
    for allergy in said("allergies") {
        let parts = ["substance", "reaction", "code"].map(|part| text(allergy, part));
        let _ = writeln!(shown, "  {:<13} {}  ({})", "allergy", joined(&parts), place(allergy));
    }
    shown
}

fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ")
}

/// Where something stands in its document, and how sure the reader is.
pub fn place(said: &Value) -> String {
    let at = &said["place"];
    let region = &at["region"];
    let place = match (at["page"].as_i64(), region["left"].as_i64()) {
        (Some(page), Some(left)) => {
            let (top, width, height) = (&region["top"], &region["width"], &region["height"]);
            format!("page {page} at {left},{top} size {width}x{height}")
        }
        (Some(page), None) => format!("page {page}"),
        (None, _) => text(at, "path").to_owned(),
    };
    match said["confidence"].as_i64() {
        Some(confidence) if confidence < 100 => format!("{place}, {confidence} %"),
        _ => place,
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn time(value: &Value) -> String {
    value.as_i64().map_or_else(String::new, time_text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_is_shown_with_what_it_says_and_where() {
        let document = json!({
            "document_id": "d1", "patient_id": "p1", "name": "scan.png", "source": "", "status": "Complete",
            "failure_count": 1, "status_last_updated_ms": 1_628_602_800_000_i64, "duration_ms": 1200,
            "content_type": "image/png", "content_sha256": "ab", "contents_last_updated_ms": 1_628_602_800_000_i64,
            "reason_code": "", "reason": "", "features_as_of_ms": 1_628_602_800_000_i64,
            "features": {
                "demographics": [{"field": "sex", "value": "female", "confidence": 93,
                    "place": {"page": 1, "region": {"left": 1, "top": 2, "width": 3, "height": 4}, "path": ""}}],
                "medications": [{"name": "Warfarin", "strength": "3 mg", "code": "", "confidence": 100,
                    "place": {"page": null, "region": null, "path": "line 4"}}],
                "allergies": [],
            },
        });
        let expected = "scan.png Complete\n  \
            document      d1\n  \
            patient       p1\n  \
            contents of   2021-08-10T13:40:00Z\n  \
            type          image/png\n  \
            sha-256       ab\n  \
            status since  2021-08-10T13:40:00Z\n  \
            last attempt  1200 ms\n  \
            failures      1\n  \
            read from     2021-08-10T13:40:00Z\n  \
            sex           female  (page 1 at 1,2 size 3x4, 93 %)\n  \
            medicine      Warfarin, 3 mg  (line 4)\n";
        assert_eq!(whole(&document), expected);
        assert!(
            row(&document)
                .starts_with("p1                   d1                                   Complete           1  2021")
        );
    }
}
