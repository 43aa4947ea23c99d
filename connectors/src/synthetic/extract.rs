//! The practice's side: file name and rows of the extract.

use jiff::civil::Date;

use super::SyntheticPractice;
use super::person::Person;

/// First line of an extract.
pub(super) const HEADER: &str = "503\\*\n";

const CIPHER: &str = "LNA";
const MONTHS: &[u8; 12] = b"ABCDEFGHIJKL";
const DAYS: &[u8; 31] = b"123456789ABCDEFGHIJKLMNOPQRSTUV";

/// Name of the file of a day.
pub(super) fn file_name(practice: &str, date: Date) -> String {
    let month = char::from(MONTHS[usize::from(date.month().unsigned_abs()) - 1]);
    let day = char::from(DAYS[usize::from(date.day().unsigned_abs()) - 1]);
    format!("{practice}_GPR4{CIPHER}1.{month}{day}A")
}

/// The two rows of a patient.
pub(super) fn record(practice: &SyntheticPractice, place: u64) -> String {
    let person = practice.person(place);
    let date = practice.extract_date.strftime("%Y%m%d");
    let Person { nhs_number, surname, title, sex, address, postcode, .. } = &person;
    let forenames = person.forenames.join(" ");
    let (year, month, day) = person.born;
    let [line_1, line_2, line_3, line_4, line_5] = address;
    // A few of each optional field, by index and not by chance.
    let previous_surname = if place % 20 == 3 { "MEADOWCRAFT" } else { "" };
    let drugs_dispensed = if place % 20 == 5 { "Y" } else { "" };
    let mileage = if place % 10 == 7 { "3" } else { "" };
    let is_last = place + 1 == practice.settings.patients;
    let residential_institute = if place % 100 == 9 && !is_last { "A1" } else { "" };
    format!(
        "DOW~1~1234567,1234~{CIPHER}~{date}~1200~{number}~{nhs_number}~{surname}~{forenames}~{previous_surname}~{title}~{sex}~\
         {year}{month:02}{day:02}~{line_1}~{line_2}\n\
         DOW~2~{line_3}~{line_4}~{line_5}~{postcode}~{drugs_dispensed}~{mileage}~~~{residential_institute}\n",
        number = place + 1,
    )
}
