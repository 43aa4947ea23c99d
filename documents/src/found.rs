//! Collects what a reader finds, in the form that the contract wants, and counts it.

use concord_schemas::patient_documents::{
    Features, ObservedAddress, ObservedAllergy, ObservedField, ObservedIdentifier, ObservedMedication, ObservedPhone,
    Place, fields,
};

use crate::values::{code_system, is_unsaid, joined, nhs_number, phone, postcode, sex, squeezed};
use crate::{Limits, Problem, ReadFailure};

/// Where something was found, and how sure that is.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub place: Place<'static>,
    /// 0 to 100.
    pub confidence: i32,
}

impl Spot {
    /// In a structured document, which says what it says.
    pub fn at_path(path: impl Into<String>) -> Self {
        Self { place: Place::at_path(path.into()), confidence: 100 }
    }

    /// The same place, less sure.
    pub fn at_most(&self, confidence: i32) -> Self {
        Self { place: self.place.clone(), confidence: self.confidence.min(confidence) }
    }
}

/// Where NHS numbers come from, as FHIR, CDA and HL7 v2 name it.
const NHS_NUMBER_SYSTEMS: [&str; 9] = [
    "https://fhir.nhs.uk/Id/nhs-number",
    "https://fhir.nhs.uk/id/nhs-number",
    "http://fhir.nhs.net/Id/nhs-number",
    "urn:oid:2.16.840.1.113883.2.1.4.1",
    "2.16.840.1.113883.2.1.4.1",
    "2.16.840.1.113883.2.1.4.2",
    "NHS",
    "NHSNMBR",
    "NH",
];

/// Texts are names, lines of addresses, doses. What is longer is cut, and says so by its end.
const LONGEST_TEXT: usize = 1_000;

/// What has been found so far.
pub(crate) struct Found {
    features: Features<'static>,
    most: usize,
    observations: usize,
}

/// An address in parts.
#[derive(Debug, Default, Clone)]
pub(crate) struct AddressParts {
    pub lines: Vec<String>,
    pub postcode: String,
    pub usage: &'static str,
    /// Whether the patient lives there no longer: then it is no observation of the field `address`.
    pub is_former: bool,
}

impl Found {
    pub fn new(reader: &'static str, limits: &Limits) -> Self {
        let features = Features { reader: reader.into(), ..Features::default() };
        Self { features, most: limits.observations, observations: 0 }
    }

    /// Says that this many pages were read, and by what.
    pub fn pages(&mut self, pages: i32, reader: &'static str) {
        self.features.pages = pages;
        self.features.reader = reader.into();
    }

    /// What was found.
    ///
    /// # Errors
    /// [`Problem::TooMany`].
    pub fn finish(self) -> Result<Features<'static>, ReadFailure> {
        if self.observations > self.most {
            return Err(ReadFailure::new(Problem::TooMany, format!("more than {} observations", self.most)));
        }
        Ok(self.features)
    }

    /// Whether so much was found that the document is refused: no reader needs to go on.
    pub fn is_full(&self) -> bool {
        self.observations > self.most
    }

    fn counts(&mut self) -> bool {
        self.observations += 1;
        !self.is_full()
    }

    /// A value of one of the [`fields`], already in its form. An empty one is none.
    pub fn field(&mut self, field: &'static str, value: &str, spot: &Spot) {
        let value = text(value);
        if value.is_empty() || !self.counts() {
            return;
        }
        let Spot { place, confidence } = spot.clone();
        self.features.demographics.push(ObservedField { field: field.into(), value: value.into(), place, confidence });
    }

    /// Family name and given names. What has no letter is no name.
    pub fn name(&mut self, family: &str, given: &str, spot: &Spot) {
        for (field, name) in [(fields::FAMILY_NAME, family), (fields::GIVEN_NAMES, given)] {
            if name.contains(char::is_alphabetic) {
                self.field(field, name, spot);
            }
        }
    }

    /// Given names that follow those found last.
    pub fn more_given_names(&mut self, given: &str) {
        let last = self.features.demographics.last_mut().filter(|last| last.field == fields::GIVEN_NAMES);
        if let Some(last) = last {
            last.value = joined([last.value.as_ref(), text(given).as_str()], " ").into();
        }
    }

    /// Sex in whatever words.
    pub fn sex(&mut self, written: &str, spot: &Spot) {
        if let Some(sex) = sex::from_text(written) {
            self.field(fields::SEX, sex, spot);
        }
    }

    /// An identifier. One of the NHS is an observation of the field too, when its check digit is right.
    pub fn identifier(&mut self, system: &str, value: &str, spot: &Spot) {
        let is_of_nhs = NHS_NUMBER_SYSTEMS.contains(&system.trim());
        let number = nhs_number(value).filter(|_| is_of_nhs);
        let value = number.clone().unwrap_or_else(|| text(value));
        if value.is_empty() || !self.counts() {
            return;
        }
        if let Some(number) = &number {
            self.field(fields::NHS_NUMBER, number, spot);
        }
        let Spot { place, confidence } = spot.clone();
        let system = text(system);
        self.features.identifiers.push(ObservedIdentifier {
            system: system.into(),
            value: value.into(),
            place,
            confidence,
        });
    }

    /// An address. Its postcode may stand at the end of its last line.
    pub fn address(&mut self, parts: &AddressParts, spot: &Spot) {
        let mut all = joined(parts.lines.iter(), ", ");
        let mut code =
            if parts.postcode.trim().is_empty() { String::new() } else { postcode::from_text(&parts.postcode) };
        if code.is_empty()
            && let Some((rest, found)) = postcode::at_end_of(&all)
        {
            code = found;
            all = rest.to_owned();
        }
        let all = text(&all);
        if (all.is_empty() && code.is_empty()) || !self.counts() {
            return;
        }
        if !parts.is_former {
            self.field(fields::ADDRESS, &all, spot);
            self.field(fields::POSTCODE, &code, spot);
        }
        let Spot { place, confidence } = spot.clone();
        self.features.addresses.push(ObservedAddress {
            text: all.into(),
            postcode: code.into(),
            usage: parts.usage.into(),
            place,
            confidence,
        });
    }

    /// A phone number. A former one is no observation of the field.
    pub fn phone(&mut self, written: &str, usage: &'static str, is_former: bool, spot: &Spot) {
        let Some(number) = phone::from_text(written) else { return };
        if !self.counts() {
            return;
        }
        if !is_former {
            self.field(fields::PHONE, &number, spot);
        }
        let Spot { place, confidence } = spot.clone();
        self.features.phones.push(ObservedPhone { number: number.into(), usage: usage.into(), place, confidence });
    }

    /// A medicine; one without name and code is none. Place and confidence are those of the spot.
    pub fn medication(&mut self, medication: ObservedMedication<'static>, spot: &Spot) {
        let is_none = medication.name.trim().is_empty() && medication.code.is_empty();
        if is_none || code_system::is_absent(&medication.code) || !self.counts() {
            return;
        }
        let Spot { place, confidence } = spot.clone();
        let ObservedMedication { name, dose, .. } = &medication;
        let (name, dose) = (text(name), text(dose));
        let kept = ObservedMedication { name: name.into(), dose: dose.into(), place, confidence, ..medication };
        self.features.medications.push(kept);
    }

    /// The medicine found last, to which a reader may add what comes behind it.
    pub fn last_medication(&mut self) -> Option<&mut ObservedMedication<'static>> {
        self.features.medications.last_mut()
    }

    /// An allergy; one without substance and code is none. Place and confidence are those of the spot.
    pub fn allergy(&mut self, allergy: ObservedAllergy<'static>, spot: &Spot) {
        if (allergy.substance.trim().is_empty() && allergy.code.is_empty()) || !self.counts() {
            return;
        }
        let Spot { place, confidence } = spot.clone();
        let (substance, mut reaction) = (text(&allergy.substance), text(&allergy.reaction));
        if is_unsaid(&reaction) {
            reaction.clear();
        }
        let kept =
            ObservedAllergy { substance: substance.into(), reaction: reaction.into(), place, confidence, ..allergy };
        self.features.allergies.push(kept);
    }

    /// The allergy found last.
    pub fn last_allergy(&mut self) -> Option<&mut ObservedAllergy<'static>> {
        self.features.allergies.last_mut()
    }
}

/// A text of a bounded length, without control characters and needless blanks.
fn text(written: &str) -> String {
    let clean: String = written.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    let mut squeezed = squeezed(&clean);
    if squeezed.len() > LONGEST_TEXT {
        let end = (0..=LONGEST_TEXT).rev().find(|at| squeezed.is_char_boundary(*at)).unwrap_or_default();
        squeezed.truncate(end);
        squeezed.push('…');
    }
    squeezed
}
