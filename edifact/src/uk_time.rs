//! Times in interchanges: civil time of the United Kingdom, to the minute.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{self, TimeZone};

/// Compiled in, so that no time zone files are needed where the program runs.
static EUROPE_LONDON: TimeZone = tz::get!("Europe/London");

/// The instant of `yyMMdd` and `HHmm`, as `UNB` has them. The year is 20yy: an interchange of 1992 reads as one of 2092.
pub(super) fn instant_of_header(date: &[u8], time: &[u8]) -> Option<Timestamp> {
    let ([year, month, day], [hour, minute]) = (pairs(date)?, pairs(time)?);
    instant(2000 + i16::from(year), month, day, hour, minute)
}

/// The instant of `yyyyMMddHHmm`, as `DTM` has it.
pub(super) fn instant_of_segment(text: &[u8]) -> Option<Timestamp> {
    let [century, year, month, day, hour, minute] = pairs(text)?;
    instant(i16::from(century) * 100 + i16::from(year), month, day, hour, minute)
}

/// `yyMMdd` and `HHmm` of an instant.
pub(super) fn header_of(instant: Timestamp) -> String {
    EUROPE_LONDON.to_datetime(instant).strftime("%y%m%d:%H%M").to_string()
}

/// `yyyyMMddHHmm` of an instant.
pub(super) fn segment_of(instant: Timestamp) -> String {
    EUROPE_LONDON.to_datetime(instant).strftime("%Y%m%d%H%M").to_string()
}

fn instant(year: i16, month: i8, day: i8, hour: i8, minute: i8) -> Option<Timestamp> {
    let date = Date::new(year, month, day).ok()?;
    let civil = DateTime::from_parts(date, jiff::civil::Time::new(hour, minute, 0, 0).ok()?);
    // In the hour that the clocks go through twice the earlier one; in the hour they leave out, an hour on.
    EUROPE_LONDON.to_ambiguous_timestamp(civil).compatible().ok()
}

/// The numbers of two digits that the text is made of.
fn pairs<const COUNT: usize>(text: &[u8]) -> Option<[i8; COUNT]> {
    if text.len() != 2 * COUNT || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut pairs = [0; COUNT];
    for (pair, digits) in pairs.iter_mut().zip(text.chunks_exact(2)) {
        *pair = (digits[0] - b'0') as i8 * 10 + (digits[1] - b'0') as i8;
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Option<String> {
        let (date, time) = text.split_once(':')?;
        instant_of_header(date.as_bytes(), time.as_bytes()).map(|instant| instant.to_string())
    }

    #[test]
    fn times_are_those_of_the_united_kingdom() {
        assert_eq!(header("190323:0900").as_deref(), Some("2019-03-23T09:00:00Z"));
        assert_eq!(header("190523:1000").as_deref(), Some("2019-05-23T09:00:00Z"));
        assert_eq!(header("920125:1235").as_deref(), Some("2092-01-25T12:35:00Z"));
        // The hour that is there twice, and the one that is not.
        assert_eq!(header("201025:0130").as_deref(), Some("2020-10-25T00:30:00Z"));
        assert_eq!(header("200329:0130").as_deref(), Some("2020-03-29T01:30:00Z"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["201301:0000", "200132:0000", "200101:2400", "200101:0060", "20010:0000", "2001a1:0000", ":"] {
            assert_eq!(header(text), None, "{text}");
        }
        assert_eq!(instant_of_segment(b"20200620"), None);
    }

    #[test]
    fn a_time_that_is_written_reads_as_itself() -> Result<(), jiff::Error> {
        for text in ["2020-06-20T13:00:00Z", "2020-12-20T13:00:00Z"] {
            let instant: Timestamp = text.parse()?;
            let written = header_of(instant);
            assert_eq!(instant_of_header(&written.as_bytes()[..6], &written.as_bytes()[7..]), Some(instant));
            assert_eq!(instant_of_segment(segment_of(instant).as_bytes()), Some(instant));
        }
        Ok(())
    }
}
