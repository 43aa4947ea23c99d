//! `concord documents upload` and `delete`: what a person does with a document by hand.

use std::fs;
use std::path::Path;

use concord_schemas::codec;
use concord_schemas::patient_documents::Document;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::topics::publish;
use crate::cli::{DeleteArgs, UploadArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Room in a record for what is beside the bytes of a document.
const OVERHEAD: usize = 8 << 10;

/// Publishes a document.
///
/// # Errors
/// The file cannot be read or is too large, or the cluster cannot be reached.
pub fn upload(args: &UploadArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let name = name_of(&args.file);
    let content =
        fs::read(&args.file).map_err(|e| Failure::Usage(format!("cannot open {}: {e}", args.file.display())))?;
    let most = config.processing.max_record_bytes.saturating_sub(OVERHEAD);
    if content.len() > most {
        return Err(Failure::Usage(format!(
            "{} has {} bytes, and a record holds {most}: raise it, and max.message.bytes of the topics",
            args.file.display(),
            content.len()
        )));
    }
    let document_id = args.id.clone().unwrap_or_else(|| document_id(&args.patient, &name));
    let content_sha256 = hex(&Sha256::digest(&content));
    let document = Document {
        document_id: &document_id,
        patient_id: &args.patient,
        name: &name,
        contents_last_updated_ms: Timestamp::now().as_millisecond(),
        content: Some(&content),
        content_sha256: &content_sha256,
        bytes: i64::try_from(content.len()).ok(),
        ..Document::default()
    };
    publish(&config, &codec::DOCUMENT, &[(&document_id, Some(&document))])?;
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

/// The id of a document that nobody named: it follows from patient and name.
fn document_id(patient_id: &str, name: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((patient_id.len() as u64).to_be_bytes());
    hash.update(patient_id);
    hash.update(name);
    hex(&hash.finalize()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_nobody_gave_follows_from_patient_and_name() {
        assert_eq!(document_id("p1", "letter.pdf"), document_id("p1", "letter.pdf"));
        assert_ne!(document_id("p1", "letter.pdf"), document_id("p", "1letter.pdf"));
        assert_eq!(document_id("p1", "letter.pdf").len(), 32);
    }
}
