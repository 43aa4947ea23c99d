//! Civil time in the United Kingdom: GP systems stamp their extracts with it, while processing time is UTC.

use jiff::civil::{Date, DateTime};
use jiff::tz::{self, TimeZone};

/// Compiled in, so that no time zone files are needed where the program runs.
pub(super) static EUROPE_LONDON: TimeZone = tz::get!("Europe/London");

/// The calendar day in the United Kingdom at an instant given in UTC.
pub(super) fn uk_date(utc: DateTime) -> Date {
    match TimeZone::UTC.to_timestamp(utc) {
        Ok(instant) => EUROPE_LONDON.to_datetime(instant).date(),
        // Only within a day of the calendar's ends.
        Err(_) => utc.date(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_day_changes_an_hour_earlier_in_summer() {
        assert_eq!(uk_date(date(2021, 8, 1).at(22, 59, 59, 0)), date(2021, 8, 1));
        assert_eq!(uk_date(date(2021, 8, 1).at(23, 0, 0, 0)), date(2021, 8, 2));
        assert_eq!(uk_date(date(2021, 12, 1).at(23, 0, 0, 0)), date(2021, 12, 1));
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        assert_eq!(uk_date(DateTime::MAX), DateTime::MAX.date());
        assert_eq!(uk_date(DateTime::MIN), DateTime::MIN.date());
    }
}
