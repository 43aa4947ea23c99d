//! Judging a record by the table of rules.

use concord_schemas::list_reconciliation::GpRecord;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::super::uk_time::{EUROPE_LONDON, uk_date};
use super::Profile;
use super::field_checks as check;
use super::invalid_record::{FieldError, InvalidRecord};
use super::reader::ReaderSettings;
use super::rows::{Field, RawRecord};
use super::rules::{Check, INVALID_RECORD_KEY, RULES, WRONG_FIELD_COUNT};
use super::transaction_numbers::TransactionNumbers;

const MAX_AGE_DAYS: i64 = 14;

/// Judges the records of one file; remembers its transaction numbers.
#[derive(Debug)]
pub(super) struct Validator {
    profile: Profile,
    file_cipher: String,
    /// Birth dates up to this day are in the past.
    today: Date,
    window: DownloadWindow,
    /// All records of a practice's extract mostly carry the same minute.
    last_download: Option<([u8; 12], bool)>,
    transaction_numbers: TransactionNumbers,
}

impl Validator {
    pub(super) fn new(settings: ReaderSettings) -> Self {
        Self {
            profile: settings.profile,
            today: match settings.profile {
                Profile::Fixed => uk_date(settings.now),
                Profile::Compatible => settings.now.date(),
            },
            window: DownloadWindow::ending(settings.now, settings.profile),
            file_cipher: settings.file_cipher,
            last_download: None,
            transaction_numbers: TransactionNumbers::default(),
        }
    }

    /// Judges two rows that stand on these lines.
    pub(super) fn validate<'a>(
        &mut self,
        rows: [&'a str; 2],
        lines: (u64, u64),
    ) -> Result<GpRecord<'a>, InvalidRecord<'a>> {
        let Some(raw) = RawRecord::cut(rows, self.profile) else {
            return Err(Self::wrong_field_count(rows, lines));
        };
        let mut errors = Vec::new();
        for rule in &RULES {
            let Some(requirement) = &rule.requirement else {
                continue;
            };
            if !self.satisfies(&requirement.check, raw.get(rule.field), &raw) {
                errors.push(FieldError { key: rule.key, message: requirement.message });
            }
        }
        if errors.is_empty() { Ok(gp_record(&raw)) } else { Err(InvalidRecord::new(rows, lines, errors, Some(raw))) }
    }

    /// The verdict on rows that are too few or have too many or too few fields.
    pub(super) fn wrong_field_count<'a>(rows: [&'a str; 2], lines: (u64, u64)) -> InvalidRecord<'a> {
        let error = FieldError { key: INVALID_RECORD_KEY, message: WRONG_FIELD_COUNT };
        InvalidRecord::new(rows, lines, vec![error], None)
    }

    fn satisfies(&mut self, check: &Check, value: &str, raw: &RawRecord<'_>) -> bool {
        match check {
            Check::Required(accepts) => accepts(value),
            Check::Optional(accepts) => value.is_empty() || accepts(value),
            Check::RecordType(row) => {
                let expected = if *row == 0 { "1" } else { "2" };
                value == "DOW" && (self.profile == Profile::Compatible || raw.row_numbers[*row] == expected)
            }
            Check::FileCipher => value == self.file_cipher && check::is_cipher(value),
            Check::RecentMinute => self.is_recent(value, raw.download_time),
            Check::TransactionNumber => check::is_transaction_number(value) && self.transaction_numbers.add(value),
            Check::BirthDate => value.is_empty() || check::day(value).is_some_and(|day| day <= self.today),
        }
    }

    fn is_recent(&mut self, date: &str, time: &str) -> bool {
        // The earlier implementation joined the two before it looked at them.
        if self.profile == Profile::Fixed && date.len() != 8 {
            return false;
        }
        let Some(joined) = join_date_and_time(date, time) else {
            return false;
        };
        if let Some((last, verdict)) = self.last_download
            && last == joined
        {
            return verdict;
        }
        let verdict = check::minute(&joined).is_some_and(|minute| self.window.contains(minute));
        self.last_download = Some((joined, verdict));
        verdict
    }
}

/// Twelve bytes, or it is no date and time.
pub(super) fn join_date_and_time(date: &str, time: &str) -> Option<[u8; 12]> {
    let mut joined = [0; 12];
    let (head, tail) = joined.split_at_mut_checked(date.len())?;
    if tail.len() != time.len() {
        return None;
    }
    head.copy_from_slice(date.as_bytes());
    tail.copy_from_slice(time.as_bytes());
    Some(joined)
}

/// When an extract may have been made.
#[derive(Debug)]
enum DownloadWindow {
    /// Extracts carry UK local time.
    Instants { first: Timestamp, last: Timestamp },
    /// The earlier implementation compared UK local time with UTC as if they were the same.
    LocalTimes { first: DateTime, last: DateTime },
}

impl DownloadWindow {
    fn ending(now: DateTime, profile: Profile) -> Self {
        if profile == Profile::Fixed
            && let Ok(last) = TimeZone::UTC.to_timestamp(now)
        {
            let first = last.checked_sub((MAX_AGE_DAYS * 24).hours()).unwrap_or(Timestamp::MIN);
            return Self::Instants { first, last };
        }
        let first = now.checked_sub(MAX_AGE_DAYS.days()).unwrap_or(DateTime::MIN);
        Self::LocalTimes { first, last: now }
    }

    fn contains(&self, minute: DateTime) -> bool {
        match self {
            Self::LocalTimes { first, last } => (*first..=*last).contains(&minute),
            Self::Instants { first, last } => {
                // When clocks go back an hour happens twice: either will do.
                let local = EUROPE_LONDON.to_ambiguous_timestamp(minute);
                let (Ok(earlier), Ok(later)) = (local.earlier(), local.later()) else {
                    return false;
                };
                earlier <= *last && later >= *first
            }
        }
    }
}

fn gp_record<'a>(raw: &RawRecord<'a>) -> GpRecord<'a> {
    let filled = |field| Some(raw.get(field)).filter(|value| !value.is_empty());
    GpRecord {
        registered_gp: raw.get(Field::RegisteredGp),
        cipher: raw.get(Field::Cipher),
        download_date: raw.get(Field::Download),
        download_time: raw.download_time,
        trans_id: raw.get(Field::TransactionNumber),
        nhs_number: filled(Field::NhsNumber),
        surname: filled(Field::Surname),
        forenames: filled(Field::Forenames),
        previous_surname: filled(Field::PreviousSurname),
        title: filled(Field::Title),
        sex: check::sex(raw.get(Field::Sex)),
        date_of_birth: filled(Field::BirthDate),
        address_line_1: filled(Field::AddressLine1),
        address_line_2: filled(Field::AddressLine2),
        address_line_3: filled(Field::AddressLine3),
        address_line_4: filled(Field::AddressLine4),
        address_line_5: filled(Field::AddressLine5),
        postcode: filled(Field::Postcode),
        drugs_dispensed_marker: filled(Field::DrugsDispensedMarker),
        rpp_mileage: check::rpp_mileage(raw.get(Field::RppMileage)),
        blocked_route_special_district_marker: check::blocked_route(raw.get(Field::BlockedRoute)),
        walking_units: check::walking_units(raw.get(Field::WalkingUnits)),
        residential_institute_code: filled(Field::ResidentialInstituteCode),
    }
}
