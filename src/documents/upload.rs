//! `concord documents upload` and `delete`: what a person does with a document by hand.

use std::fs;
use std::path::Path;

use concord_connectors::connect::{DescribedDocument, DocumentContent, most_bytes_in_record, publish_document};
use concord_flows::patient_documents::document_id;
use concord_schemas::codec;
use concord_schemas::patient_documents::Document;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::topics::{not_written, publish, writer};
use crate::cli::{DeleteArgs, UploadArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Publishes a document.
///
/// # Errors
/// The file cannot be read or is too large, or the cluster cannot be reached.
pub fn upload(args: &UploadArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let name = name_of(&args.file);
    let content =
        fs::read(&args.file).map_err(|e| Failure::Usage(format!("cannot open {}: {e}", args.file.display())))?;
    let most = most_bytes_in_record(config.processing.max_record_bytes);
    if content.len() > most {
        return Err(Failure::Usage(format!(
            "{} has {} bytes, and a record holds {most}: raise it, and max.message.bytes of the topics",
            args.file.display(),
            content.len()
        )));
    }
    let document_id = args.id.clone().unwrap_or_else(|| document_id(&args.patient, &name));
    let now_ms = Timestamp::now().as_millisecond();
    let document = DescribedDocument {
        document_id: &document_id,
        patient_id: &args.patient,
        name: &name,
        source: "",
        contents_last_updated_ms: now_ms,
        bytes: content.len() as u64,
        sha256: Sha256::digest(&content).into(),
        content: DocumentContent::Here(&content),
    };
    publish_document(&mut writer(&config)?, &document, now_ms).map_err(not_written)?;
    output::line(format_args!("document {document_id}"));
    Ok(())
}

/// Deletes a document.
///
/// # Errors
/// The cluster cannot be reached.
pub fn delete(args: &DeleteArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    publish::<Document<'_>>(&config, &codec::DOCUMENT, &[(&args.id, None)])?;
    output::line(format_args!("document {} is deleted", args.id));
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
