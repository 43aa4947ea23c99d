//! Documents of people who do not exist, with contradictions planted in them.

use std::collections::BTreeSet;

use concord_documents::ReadFailure;
use concord_documents::synthetic::{ImageKind, KINDS, SyntheticKind, SyntheticRecord, rendered, scanned_pdf};

/// Every so many documents one is an image.
const IMAGE_EVERY: usize = 5;
/// As an office scanner does.
const DOTS_PER_INCH: u32 = 200;
/// Contradictions are planted where so many documents are no images, so that one of them is in the minority.
const FEWEST_FOR_A_CONFLICT: usize = 3;

/// A patient with documents.
pub struct PlantedPatient {
    /// Its id.
    pub patient_id: String,
    /// What all documents say but the one that contradicts.
    pub truth: SyntheticRecord,
    /// The fields of the planted conflicts.
    pub conflicts: BTreeSet<String>,
    /// The documents.
    pub documents: Vec<PlantedDocument>,
}

/// A document as it is to be made.
pub struct PlantedDocument {
    /// Its file name.
    pub name: String,
    /// What it says.
    pub record: SyntheticRecord,
    kind: Kind,
}

/// What a document is made as.
#[derive(Clone, Copy)]
enum Kind {
    Written(SyntheticKind),
    Image(ImageKind),
    /// A PDF without a text layer.
    Scanned,
}

/// Images in turn.
const IMAGES: [Kind; 4] =
    [Kind::Image(ImageKind::Png), Kind::Image(ImageKind::Jpeg), Kind::Image(ImageKind::Tiff), Kind::Scanned];

/// How the names of documents begin that are read by OCR.
pub const SCAN: &str = "scan-";

impl PlantedDocument {
    /// Its bytes.
    ///
    /// # Errors
    /// The tool that renders images is not installed.
    pub fn content(&self) -> Result<Vec<u8>, ReadFailure> {
        let pdf = || SyntheticKind::Pdf.write(&self.record);
        match self.kind {
            Kind::Written(kind) => Ok(kind.write(&self.record)),
            Kind::Image(kind) => rendered(&pdf(), kind, DOTS_PER_INCH),
            Kind::Scanned => scanned_pdf(&pdf(), DOTS_PER_INCH),
        }
    }
}

/// Patients who share so many documents.
pub fn planted(patients: usize, documents: usize, seed: u64) -> Vec<PlantedPatient> {
    (0..patients).map(|patient| planted_patient(patient, patients, documents, seed)).collect()
}

fn planted_patient(patient: usize, patients: usize, documents: usize, seed: u64) -> PlantedPatient {
    let truth = SyntheticRecord::of(seed, patient as u64);
    let count = documents / patients + usize::from(patient < documents % patients);
    let mut made = Vec::new();
    for number in 0..count {
        let is_image = (number + patient) % IMAGE_EVERY == IMAGE_EVERY - 1;
        let (kind, extension) = if is_image {
            let kind = IMAGES[(patient + number / IMAGE_EVERY) % IMAGES.len()];
            (
                kind,
                match kind {
                    Kind::Image(image) => image.extension(),
                    Kind::Scanned | Kind::Written(_) => "pdf",
                },
            )
        } else {
            let kind = KINDS[(number + patient) % KINDS.len()];
            (Kind::Written(kind), kind.extension())
        };
        let beginning = if is_image { SCAN } else { "" };
        made.push(PlantedDocument { name: format!("{beginning}{number:03}.{extension}"), record: truth.clone(), kind });
    }
    let mut conflicts = BTreeSet::new();
    let written = made.iter().filter(|document| matches!(document.kind, Kind::Written(_))).count();
    if written >= FEWEST_FOR_A_CONFLICT {
        let of_another = SyntheticRecord::of(seed, (patients + patient) as u64);
        if let Some(document) = made.iter_mut().find(|document| matches!(document.kind, Kind::Written(_))) {
            conflicts.extend(contradict(&mut document.record, &of_another, patient));
        }
    }
    PlantedPatient { patient_id: format!("patient-{patient:04}"), truth, conflicts, documents: made }
}

/// Lets a document say something else; answers the field. Every sixth patient has documents that agree.
fn contradict(record: &mut SyntheticRecord, other: &SyntheticRecord, patient: usize) -> Option<String> {
    let take = |field: &mut String, other: &str, name: &str| {
        (*field != other).then(|| {
            other.clone_into(field);
            name.to_owned()
        })
    };
    match patient % 6 {
        1 => take(&mut record.birth_date, &other.birth_date, "birth_date"),
        2 => take(&mut record.phone, &other.phone, "phone"),
        3 => take(&mut record.nhs_number, &other.nhs_number, "nhs_number"),
        4 => take(&mut record.family_name, &other.family_name, "family_name"),
        5 => {
            let medicine = record.medications.first_mut()?;
            medicine.dose = "1 tablet every second day".to_owned();
            Some(format!("medications/{}/dose", medicine.code))
        }
        _ => None,
    }
}
