//! Documents of people who do not exist, in every kind that is read: for tests, demonstrations and measures.

mod cda;
mod fhir;
mod hl7;
mod images;
mod letter;
mod pdf;
mod record;
mod words;

pub use images::{ImageKind, rendered, scanned_pdf};
pub use letter::letter;
pub use pdf::pdf_of_lines;
pub use record::{SyntheticAllergy, SyntheticMedication, SyntheticRecord};

/// A kind of document that this crate writes by itself; images need a tool ([`rendered`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyntheticKind {
    /// A FHIR R4 bundle.
    Fhir,
    /// A CDA R2 document.
    Cda,
    /// An HL7 v2 message of orders.
    Hl7,
    /// A letter as plain text.
    Text,
    /// The same letter as a PDF with a text layer.
    Pdf,
}

/// All of them.
pub const KINDS: [SyntheticKind; 5] =
    [SyntheticKind::Fhir, SyntheticKind::Cda, SyntheticKind::Hl7, SyntheticKind::Text, SyntheticKind::Pdf];

impl SyntheticKind {
    /// A document of this kind that says what the record says.
    ///
    /// ```
    /// use concord_documents::synthetic::{KINDS, SyntheticKind, SyntheticRecord};
    /// use concord_documents::{Limits, read};
    ///
    /// let record = SyntheticRecord::of(7, 0);
    /// let message = SyntheticKind::Hl7.write(&record);
    /// let reading = read(&message, &Limits::default(), std::path::Path::new("/nowhere"))?;
    /// assert_eq!(SyntheticRecord::said_by(&reading.features), record);
    /// # Ok::<(), concord_documents::ReadFailure>(())
    /// ```
    pub fn write(self, record: &SyntheticRecord) -> Vec<u8> {
        match self {
            Self::Fhir => fhir::bundle(record),
            Self::Cda => cda::document(record).into_bytes(),
            Self::Hl7 => hl7::message(record).into_bytes(),
            Self::Text => letter(record).into_bytes(),
            Self::Pdf => pdf_of_lines(&letter(record)),
        }
    }

    /// What its file is called behind the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Fhir => "json",
            Self::Cda => "xml",
            Self::Hl7 => "hl7",
            Self::Text => "txt",
            Self::Pdf => "pdf",
        }
    }
}
