//! Opening hours: whether a route is open at a moment, and until when that holds.

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan};

use crate::list_reconciliation::uk_time::EUROPE_LONDON;

/// Days looked at on each side of a moment: a week, and a day for intervals that begin the day before.
const DAYS_BEHIND: i64 = 1;
const DAYS_AHEAD: i64 = 8;
const MINUTES_OF_A_DAY: i64 = 24 * 60;

/// Open on some days of the week between two times of day in the United Kingdom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    days: Vec<Weekday>,
    from_minute: i64,
    to_minute: i64,
}

/// Whether a route is open, and until when that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Whether it is open.
    pub is_open: bool,
    /// When that changes, milliseconds since the epoch; `None` when its hours never change it.
    pub until_ms: Option<i64>,
}

impl Hours {
    /// `days` as `mon` to `sun`; `from` and `to` as `HH:MM`, `to` up to `24:00`.
    ///
    /// # Errors
    /// What cannot be read, and how to write it.
    ///
    /// ```
    /// use concord_flows::list_reconciliation::post_office::Hours;
    ///
    /// assert!(Hours::new(&["mon", "fri"], "07:30", "24:00").is_ok());
    /// assert!(Hours::new(&["mon"], "22:00", "06:00").is_err());
    /// ```
    pub fn new(days: &[impl AsRef<str>], from: &str, to: &str) -> Result<Self, String> {
        let days: Result<Vec<Weekday>, String> = days.iter().map(|day| weekday(day.as_ref())).collect();
        let days = days?;
        if days.is_empty() {
            return Err("hours without days: write `days`, such as [\"mon\", \"tue\"]".to_string());
        }
        let (from_minute, to_minute) = (minute_of_day(from)?, minute_of_day(to)?);
        if from_minute >= to_minute {
            return Err(format!("hours from {from} to {to} end before they begin: write a night as two entries"));
        }
        Ok(Self { days, from_minute, to_minute })
    }

    /// From when to when it is open on a day, milliseconds since the epoch.
    fn on(&self, day: Date) -> Option<(i64, i64)> {
        if !self.days.contains(&day.weekday()) {
            return None;
        }
        Some((instant(day, self.from_minute)?, instant(day, self.to_minute)?))
    }
}

/// Whether a route with these hours is open at a moment, and until when. Without hours it is always open.
///
/// A time that the clocks skip in spring is the one an hour later; of a time that they show twice in autumn, the first counts.
pub fn opening(hours: &[Hours], at_ms: i64) -> Opening {
    let always = Opening { is_open: true, until_ms: None };
    if hours.is_empty() {
        return always;
    }
    let Ok(at) = Timestamp::from_millisecond(at_ms) else { return always };
    let today = EUROPE_LONDON.to_datetime(at).date();
    let days = (-DAYS_BEHIND..=DAYS_AHEAD).filter_map(|offset| today.checked_add(offset.days()).ok());
    let mut intervals: Vec<(i64, i64)> = days.flat_map(|day| hours.iter().filter_map(move |h| h.on(day))).collect();
    intervals.sort_unstable();
    let mut open_until = None;
    for &(from, to) in &intervals {
        match open_until {
            // Hours that touch are one opening.
            Some(end) if from <= end => open_until = Some(to.max(end)),
            Some(_) => break,
            None if from <= at_ms && at_ms < to => open_until = Some(to),
            None => {}
        }
    }
    let horizon = at_ms + (DAYS_AHEAD - 1) * MINUTES_OF_A_DAY * 60_000;
    match open_until {
        Some(end) if end > horizon => always,
        Some(end) => Opening { is_open: true, until_ms: Some(end) },
        None => {
            let next = intervals.iter().map(|(from, _)| *from).find(|from| *from > at_ms);
            Opening { is_open: false, until_ms: next }
        }
    }
}

/// The moment of a minute of a day in the United Kingdom; `None` beyond the calendar.
fn instant(day: Date, minute: i64) -> Option<i64> {
    let (day, minute) = match minute {
        MINUTES_OF_A_DAY => (day.tomorrow().ok()?, 0),
        minute => (day, minute),
    };
    let time = jiff::civil::time((minute / 60) as i8, (minute % 60) as i8, 0, 0);
    let zoned = day.to_datetime(time).to_zoned(EUROPE_LONDON.clone()).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

fn weekday(name: &str) -> Result<Weekday, String> {
    Ok(match name {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return Err(format!("`{name}` is no day: write mon, tue, wed, thu, fri, sat or sun")),
    })
}

fn minute_of_day(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no time of day: write it as HH:MM, from 00:00 to 24:00");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let is_two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_two_digits(hour) || !is_two_digits(minute) {
        return Err(wrong());
    }
    let (hour, minute): (i64, i64) = (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    let of_day = hour * 60 + minute;
    if minute > 59 || of_day > MINUTES_OF_A_DAY { Err(wrong()) } else { Ok(of_day) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const WORKDAYS: [&str; 5] = ["mon", "tue", "wed", "thu", "fri"];
    const ALL_DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[track_caller]
    fn expect(hours: &[Hours], moment: &str, is_open: bool, until: Option<&str>) {
        let found = opening(hours, at(moment));
        let until_ms = found.until_ms.map(|ms| Timestamp::from_millisecond(ms).unwrap().to_string());
        assert_eq!((found.is_open, until_ms.as_deref()), (is_open, until), "at {moment}");
    }

    #[test]
    fn without_hours_a_route_is_always_open() {
        expect(&[], "2021-08-10T13:40:00Z", true, None);
    }

    #[test]
    fn a_route_opens_and_closes_by_the_time_of_day_in_the_united_kingdom() {
        let hours = [Hours::new(&WORKDAYS, "08:00", "18:00").unwrap()];
        // In summer 08:00 is 07:00 UTC, in winter it is 08:00 UTC.
        expect(&hours, "2021-08-10T06:59:59.999Z", false, Some("2021-08-10T07:00:00Z"));
        expect(&hours, "2021-08-10T07:00:00Z", true, Some("2021-08-10T17:00:00Z"));
        expect(&hours, "2021-08-10T17:00:00Z", false, Some("2021-08-11T07:00:00Z"));
        expect(&hours, "2021-12-10T07:30:00Z", false, Some("2021-12-10T08:00:00Z"));
        // Friday evening to Monday morning.
        expect(&hours, "2021-12-10T18:00:00Z", false, Some("2021-12-13T08:00:00Z"));
    }

    #[test]
    fn the_weekend_on_which_the_clocks_change_moves_the_next_opening_by_an_hour() {
        let hours = [Hours::new(&WORKDAYS, "08:00", "18:00").unwrap()];
        expect(&hours, "2021-03-26T18:00:00Z", false, Some("2021-03-29T07:00:00Z"));
        expect(&hours, "2021-10-29T17:00:00Z", false, Some("2021-11-01T08:00:00Z"));
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_the_one_an_hour_later() {
        let hours = [Hours::new(&["sun"], "01:30", "04:00").unwrap()];
        expect(&hours, "2021-03-28T01:00:00Z", false, Some("2021-03-28T01:30:00Z"));
        expect(&hours, "2021-03-28T01:30:00Z", true, Some("2021-03-28T03:00:00Z"));
    }

    #[test]
    fn of_a_time_that_the_clocks_show_twice_the_first_counts() {
        let to = [Hours::new(&["sun"], "00:00", "01:30").unwrap()];
        expect(&to, "2021-10-31T00:29:59Z", true, Some("2021-10-31T00:30:00Z"));
        expect(&to, "2021-10-31T01:10:00Z", false, Some("2021-11-07T00:00:00Z"));
        let from = [Hours::new(&["sun"], "01:30", "02:30").unwrap()];
        expect(&from, "2021-10-31T00:30:00Z", true, Some("2021-10-31T02:30:00Z"));
    }

    #[test]
    fn a_night_written_as_two_entries_is_one_opening() {
        let hours = [Hours::new(&["mon"], "20:00", "24:00").unwrap(), Hours::new(&["tue"], "00:00", "06:00").unwrap()];
        expect(&hours, "2021-12-06T21:00:00Z", true, Some("2021-12-07T06:00:00Z"));
        expect(&hours, "2021-12-07T05:00:00Z", true, Some("2021-12-07T06:00:00Z"));
        expect(&hours, "2021-12-07T06:00:00Z", false, Some("2021-12-13T20:00:00Z"));
    }

    #[test]
    fn hours_that_leave_no_gap_never_close() {
        let hours = [Hours::new(&ALL_DAYS, "00:00", "24:00").unwrap()];
        expect(&hours, "2021-10-31T00:30:00Z", true, None);
    }

    #[test]
    fn what_is_no_time_and_no_day_is_refused() {
        for (from, to) in
            [("8:00", "18:00"), ("08:00", "24:01"), ("08:60", "18:00"), ("+8:00", "18:00"), ("18:00", "08:00")]
        {
            assert!(Hours::new(&WORKDAYS, from, to).is_err(), "{from} {to}");
        }
        assert!(Hours::new(&["monday"], "08:00", "18:00").is_err());
        let no_days: [&str; 0] = [];
        assert!(Hours::new(&no_days, "08:00", "18:00").is_err());
    }
}
