//! Generates a practice's extract with the PDS records and registrations that go with it, and says what comparing them
//! must find. No person in it exists.
//!
//! Every person is derived from the seed and an index alone, so that lists of any length are generated without being held
//! in memory, and always come out the same.

mod extract;
mod links;
mod numbers;
mod pds_lines;
mod person;
mod truth;
mod words;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use links::{Delivery, LinkTraffic, LinkTrafficSettings, Planted, PlantedFault};
use person::{Person, Place};
pub use truth::SyntheticTruth;

/// What to generate.
#[derive(Debug, Clone)]
pub struct SyntheticSettings {
    /// ODS code of the practice: a capital letter and five digits.
    pub practice: String,
    /// Records in the extract.
    pub patients: u64,
    /// The same seed gives the same people.
    pub seed: u64,
    /// Index of the first person. Practices whose ranges of people do not overlap share no NHS number.
    pub first_person: u64,
    /// When the extract will be processed: it is dated a day earlier, at noon.
    pub now: Timestamp,
}

/// Why a practice cannot be generated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyntheticError {
    /// The practice's code could not stand in a file name.
    #[error("practice {0:?} is not a capital letter and five digits, such as Y12345")]
    Practice(String),
    /// There are not so many NHS numbers that no person has.
    #[error("persons up to {0} were asked for, but only {max} can be generated", max = numbers::MOST_PEOPLE)]
    TooManyPeople(u64),
}

/// A practice with its patients, and the people whom PDS alone knows.
///
/// Of a thousand patients about 10 are unknown to PDS, 15 registered elsewhere, 8 registered nowhere, and 5 sensitive. The
/// others are matched, and of a thousand matched about 15 have another surname, 20 other forenames, 25 another title, 40
/// another address, 10 a postcode without its space, 3 another date of birth, 2 a partial one, and 2 another sex. All
/// differ in what is no difference: case, spacing, and the split of the address into lines. For every thousand patients
/// PDS knows 12 further people at the practice (one in twenty of them sensitive) and 5 at another.
///
/// ```
/// use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
///
/// let settings = SyntheticSettings {
///     practice: "Y12345".to_owned(),
///     patients: 100,
///     seed: 1,
///     first_person: 0,
///     now: "2021-08-10T13:40:00Z".parse()?,
/// };
/// let practice = SyntheticPractice::generate(settings)?;
/// assert_eq!(practice.extract_file_name(), "Y12345_GPR4LNA1.H9A");
/// let extract: String = practice.extract().collect();
/// assert_eq!(extract.lines().count(), 201);
/// assert_eq!(practice.truth().counts.records, 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SyntheticPractice {
    settings: SyntheticSettings,
    extract_date: Date,
}

const ONLY_ON_PDS_PER_MILLE: u64 = 12;
const ELSEWHERE_ON_PDS_PER_MILLE: u64 = 5;

impl SyntheticPractice {
    /// Prepares the practice. Nothing is generated before it is asked for.
    ///
    /// # Errors
    /// When the practice's code is malformed, or when there are too many people.
    pub fn generate(settings: SyntheticSettings) -> Result<Self, SyntheticError> {
        let code = settings.practice.as_bytes();
        let well_formed = code.len() == 6 && code[0].is_ascii_uppercase() && code[1..].iter().all(u8::is_ascii_digit);
        if !well_formed {
            return Err(SyntheticError::Practice(settings.practice));
        }
        let today = settings.now.to_zoned(TimeZone::UTC).date();
        // Only the first day of the calendar has none before it.
        let extract_date = today.yesterday().unwrap_or(today);
        let practice = Self { settings, extract_date };
        let people = practice.settings.first_person.saturating_add(practice.people());
        if people > numbers::MOST_PEOPLE {
            return Err(SyntheticError::TooManyPeople(people));
        }
        Ok(practice)
    }

    /// How many people there are, those on PDS alone included.
    #[must_use]
    pub fn people(&self) -> u64 {
        let patients = self.settings.patients;
        let further = u128::from(patients) * u128::from(ONLY_ON_PDS_PER_MILLE + ELSEWHERE_ON_PDS_PER_MILLE) / 1000;
        patients.saturating_add(u64::try_from(further).unwrap_or(u64::MAX))
    }

    /// File name of the extract.
    #[must_use]
    pub fn extract_file_name(&self) -> String {
        extract::file_name(&self.settings.practice, self.extract_date)
    }

    /// The extract in pieces: its header, then two rows for each patient, line ends included.
    pub fn extract(&self) -> impl Iterator<Item = String> + '_ {
        let patients = (0..self.settings.patients).map(|place| extract::record(self, place));
        std::iter::once(extract::HEADER.to_owned()).chain(patients)
    }

    /// What PDS answers: FHIR Patients and OperationOutcomes, one per line, line ends included.
    pub fn pds(&self) -> impl Iterator<Item = String> + '_ {
        self.everyone().filter_map(|person| pds_lines::resource(&self.settings.practice, &person))
    }

    /// The list of who is registered where, in lines: the column names, then one line per person registered somewhere.
    pub fn registrations(&self) -> impl Iterator<Item = String> + '_ {
        let people = self.everyone().filter_map(|person| pds_lines::registration(&self.settings.practice, &person));
        std::iter::once(pds_lines::REGISTRATIONS_HEADER.to_owned()).chain(people)
    }

    /// What reconciling the extract with all of PDS must count, known from how the people were made.
    #[must_use]
    pub fn truth(&self) -> SyntheticTruth {
        let mut truth = SyntheticTruth::default();
        for person in self.everyone() {
            truth.count(&person);
        }
        truth
    }

    fn everyone(&self) -> impl Iterator<Item = Person> + '_ {
        (0..self.people()).map(|place| self.person(place))
    }

    fn person(&self, place: u64) -> Person {
        let patients = self.settings.patients;
        let only_on_pds = patients * ONLY_ON_PDS_PER_MILLE / 1000;
        let place_of_person = if place < patients {
            Place::InTheExtract
        } else if place < patients + only_on_pds {
            Place::OnPdsAtThePractice
        } else {
            Place::OnPdsElsewhere
        };
        Person::draw(self.settings.seed, self.settings.first_person + place, place_of_person)
    }
}

#[cfg(test)]
mod tests;
