//! What one document says of its patient, each value with the place where it stands.

use std::borrow::Cow;
use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

/// Names of observed demographics, the values of [`ObservedField::field`].
pub mod fields {
    /// Ten digits.
    pub const NHS_NUMBER: &str = "nhs_number";
    /// Family name as written.
    pub const FAMILY_NAME: &str = "family_name";
    /// Given names as written, separated by blanks.
    pub const GIVEN_NAMES: &str = "given_names";
    /// ISO date, perhaps only a year or a year and month.
    pub const BIRTH_DATE: &str = "birth_date";
    /// `male`, `female`, `other` or `unknown`.
    pub const SEX: &str = "sex";
    /// Lines separated by `, `, without the postcode.
    pub const ADDRESS: &str = "address";
    /// Capitals with one blank.
    pub const POSTCODE: &str = "postcode";
    /// Digits, perhaps behind `+`.
    pub const PHONE: &str = "phone";

    /// All of them, in the order in which people read them.
    pub const ALL: [&str; 8] = [NHS_NUMBER, FAMILY_NAME, GIVEN_NAMES, BIRTH_DATE, SEX, ADDRESS, POSTCODE, PHONE];
}

/// What one document says of its patient, everything in the order of the document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features<'a> {
    /// What read it: `fhir-r4`, `cda-r2`, `hl7-v2`, `labelled-text`, `pdf-text` or `ocr`.
    #[serde(borrow)]
    pub reader: Cow<'a, str>,
    /// Pages read; 0 of a document that has none.
    pub pages: i32,
    /// Observed demographics. A field that is said twice is here twice.
    #[serde(borrow)]
    pub demographics: Vec<ObservedField<'a>>,
    /// Identifiers of the patient, NHS numbers among them.
    #[serde(borrow)]
    pub identifiers: Vec<ObservedIdentifier<'a>>,
    /// Addresses of the patient, former ones among them.
    #[serde(borrow)]
    pub addresses: Vec<ObservedAddress<'a>>,
    /// Phone numbers of the patient, former ones among them.
    #[serde(borrow)]
    pub phones: Vec<ObservedPhone<'a>>,
    /// Medicines that the patient takes, took or shall take. None that the document itself takes back as an error.
    #[serde(borrow)]
    pub medications: Vec<ObservedMedication<'a>>,
    /// Allergies and intolerances of the patient. None that the document itself takes back or denies.
    #[serde(borrow)]
    pub allergies: Vec<ObservedAllergy<'a>>,
}

/// A place in a document: a page with a box on it, or a path. Its text form is what people are shown.
///
/// ```
/// use concord_schemas::patient_documents::{Place, Region};
///
/// let region = Region { left: 72, top: 144, width: 120, height: 12 };
/// assert_eq!(Place::on_page(2, Some(region)).to_string(), "page 2 at 72,144 size 120x12");
/// assert_eq!(Place::at_path("PID[1]-7").to_string(), "PID[1]-7");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place<'a> {
    /// 1-based page; `None` of a document without pages.
    pub page: Option<i32>,
    /// The box on the page; `None` when only the page, or not even that, is known.
    pub region: Option<Region>,
    /// The element, such as `entry[0].resource.birthDate`, `PID[1]-3(1).1` or `line 4`; empty on a page.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
}

/// A box on a page, from its top left: in pixels of an image, in points (1/72 inch) of a page of a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Region {
    /// From the left edge of the page.
    pub left: i32,
    /// From the upper edge of the page.
    pub top: i32,
    /// Width of the box.
    pub width: i32,
    /// Height of the box.
    pub height: i32,
}

/// One observed value of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedField<'a> {
    /// One of [`fields`].
    #[serde(borrow)]
    pub field: Cow<'a, str>,
    /// The value, in the form that [`fields`] states.
    #[serde(borrow)]
    pub value: Cow<'a, str>,
    /// Where it was found.
    #[serde(borrow)]
    pub place: Place<'a>,
    /// 0 to 100: how sure it is that the document says so. 100 of structured documents.
    pub confidence: i32,
}

/// One identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedIdentifier<'a> {
    /// Who gives it: a URI, `urn:oid:...`, an assigning authority, or the label before it; empty when nothing says.
    #[serde(borrow)]
    pub system: Cow<'a, str>,
    /// The identifier as written, but an NHS number as ten digits.
    #[serde(borrow)]
    pub value: Cow<'a, str>,
    /// Where it was found.
    #[serde(borrow)]
    pub place: Place<'a>,
    /// 0 to 100.
    pub confidence: i32,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedAddress<'a> {
    /// Its lines separated by `, `, without the postcode.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    /// In capitals with one blank; empty when there is none.
    #[serde(borrow)]
    pub postcode: Cow<'a, str>,
    /// `home`, `work`, `temp`, `old` or `billing`; empty when nothing says.
    #[serde(borrow, rename = "use")]
    pub usage: Cow<'a, str>,
    /// Where it was found.
    #[serde(borrow)]
    pub place: Place<'a>,
    /// 0 to 100.
    pub confidence: i32,
}

/// One phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedPhone<'a> {
    /// Digits, perhaps behind `+`.
    #[serde(borrow)]
    pub number: Cow<'a, str>,
    /// `home`, `work`, `temp`, `old` or `mobile`; empty when nothing says.
    #[serde(borrow, rename = "use")]
    pub usage: Cow<'a, str>,
    /// Where it was found.
    #[serde(borrow)]
    pub place: Place<'a>,
    /// 0 to 100.
    pub confidence: i32,
}

/// One medicine. Text is empty where the document does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedMedication<'a> {
    /// `dm+d`, `snomed`, or the system as the document names it.
    #[serde(borrow)]
    pub code_system: Cow<'a, str>,
    /// Its code in that system.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    /// Its name as written, but without strength and form where the document has them in one text and they could be told apart.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Such as `500 mg` or `5 mg/ml`.
    #[serde(borrow)]
    pub strength: Cow<'a, str>,
    /// Such as `tablet`.
    #[serde(borrow)]
    pub form: Cow<'a, str>,
    /// How much and how often, such as `1 tablet twice a day`.
    #[serde(borrow)]
    pub dose: Cow<'a, str>,
    /// Such as `oral`.
    #[serde(borrow)]
    pub route: Cow<'a, str>,
    /// ISO date, perhaps only a year or a year and month.
    #[serde(borrow)]
    pub start: Cow<'a, str>,
    /// ISO date, perhaps only a year or a year and month.
    #[serde(borrow)]
    pub end: Cow<'a, str>,
    /// `active`, `on-hold`, `completed`, `stopped`, `intended`, `not-taken` or `unknown`.
    #[serde(borrow)]
    pub status: Cow<'a, str>,
    /// Where it was found.
    #[serde(borrow)]
    pub place: Place<'a>,
    /// 0 to 100.
    pub confidence: i32,
}

/// One allergy or intolerance. Text is empty where the document does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedAllergy<'a> {
    /// `dm+d`, `snomed`, or the system as the document names it.
    #[serde(borrow)]
    pub code_system: Cow<'a, str>,
    /// Code of the substance in that system.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    /// Name of the substance.
    #[serde(borrow)]
    pub substance: Cow<'a, str>,
    /// What it does, several separated by `, `.
    #[serde(borrow)]
    pub reaction: Cow<'a, str>,
    /// Where it was found.
    #[serde(borrow)]
    pub place: Place<'a>,
    /// 0 to 100.
    pub confidence: i32,
}

impl<'a> Place<'a> {
    /// A box on a page, or a page as a whole.
    pub fn on_page(page: i32, region: Option<Region>) -> Self {
        Self { page: Some(page), region, path: Cow::Borrowed("") }
    }

    /// An element, segment or line of a document without pages.
    pub fn at_path(path: impl Into<Cow<'a, str>>) -> Self {
        Self { page: None, region: None, path: path.into() }
    }
}

impl Display for Place<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match (self.page, self.region) {
            (None, _) => formatter.write_str(&self.path),
            (Some(page), None) => write!(formatter, "page {page}"),
            (Some(page), Some(Region { left, top, width, height })) => {
                write!(formatter, "page {page} at {left},{top} size {width}x{height}")
            }
        }
    }
}

impl Features<'_> {
    /// The same, borrowing from nothing.
    pub fn into_owned(self) -> Features<'static> {
        Features {
            reader: owned(self.reader),
            pages: self.pages,
            demographics: self.demographics.into_iter().map(ObservedField::into_owned).collect(),
            identifiers: self.identifiers.into_iter().map(ObservedIdentifier::into_owned).collect(),
            addresses: self.addresses.into_iter().map(ObservedAddress::into_owned).collect(),
            phones: self.phones.into_iter().map(ObservedPhone::into_owned).collect(),
            medications: self.medications.into_iter().map(ObservedMedication::into_owned).collect(),
            allergies: self.allergies.into_iter().map(ObservedAllergy::into_owned).collect(),
        }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// `into_owned` of a type: its texts, then its place; the confidence is a number.
macro_rules! into_owned {
    ($type:ident: $($text:ident),+) => {
        impl $type<'_> {
            /// The same, borrowing from nothing.
            pub fn into_owned(self) -> $type<'static> {
                $type { $($text: owned(self.$text),)+ place: self.place.into_owned(), confidence: self.confidence }
            }
        }
    };
}

into_owned!(ObservedField: field, value);
into_owned!(ObservedIdentifier: system, value);
into_owned!(ObservedAddress: text, postcode, usage);
into_owned!(ObservedPhone: number, usage);
into_owned!(ObservedMedication: code_system, code, name, strength, form, dose, route, start, end, status);
into_owned!(ObservedAllergy: code_system, code, substance, reaction);

impl Place<'_> {
    /// The same, borrowing from nothing.
    pub fn into_owned(self) -> Place<'static> {
        Place { page: self.page, region: self.region, path: owned(self.path) }
    }
}
