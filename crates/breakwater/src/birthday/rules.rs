//! When a message is due: pure rules of calendars and time zones.
//!
//! One law covers gaps, doubled hours and days that a zone skips: a message is due at the first instant at which the clocks
//! of the zone show the hour of sending on the birthday, or later. On 30 December 2011, which Samoa did not have, that was
//! the first moment of the 31st.

#[cfg(test)]
mod tests;

use std::{str::FromStr, sync::LazyLock};

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase},
};

/// The day on which those born on 29 February celebrate in common years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LeapDay {
    /// 28 February: the month stays, and nobody is congratulated late
    February,
    /// 1 March: as many days after 1 February as in leap years
    March,
}

/// What the service is told of sending.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The hour of sending on the clocks of the person's zone.
    pub send_at: Time,
    pub leap_day: LeapDay,
}

/// What of a person decides when messages are due.
#[derive(Debug, Clone)]
pub struct Person {
    pub birthday: Date,
    pub zone: TimeZone,
    /// When we learnt of the birthday. One that was over by then is not made up for.
    pub since: Timestamp,
}

impl Rules {
    /// The day celebrated in `year`.
    pub fn occasion(self, birthday: Date, year: i16) -> Date {
        Date::new(year, birthday.month(), birthday.day()).unwrap_or_else(|_| {
            let (month, day) = match self.leap_day {
                LeapDay::February => (2, 28),
                LeapDay::March => (3, 1),
            };
            Date::new(year, month, day).expect("every year has both days")
        })
    }

    /// When the message of `year` is due.
    pub fn when(self, birthday: Date, zone: &TimeZone, year: i16) -> Timestamp {
        first_showing(zone, self.occasion(birthday, year).to_datetime(self.send_at))
    }

    /// When the message of `year` is due, if it is to be sent at all: the birthday was not over when we learnt of it.
    pub fn due(self, person: &Person, year: i16) -> Option<Timestamp> {
        if year < person.birthday.year() {
            return None;
        }
        let next_day = self.occasion(person.birthday, year).saturating_add(1.day());
        let over = first_showing(&person.zone, next_day.to_datetime(Time::midnight()));
        (person.since < over).then(|| self.when(person.birthday, &person.zone, year))
    }

    /// The message that is due within `window`, which is shorter than a year, and its year.
    pub fn within(self, person: &Person, window: Window) -> Option<(i16, Timestamp)> {
        window.years().find_map(|year| {
            let due = self.due(person, year)?;
            window.contains(due).then_some((year, due))
        })
    }

    /// Birthdays that are celebrated on `day`, as month times 100 plus day.
    pub fn celebrated_on(self, day: Date) -> impl Iterator<Item = i64> {
        let substitute = Date::new(2000, 2, 29).expect("2000 was a leap year");
        let leapers = !day.in_leap_year() && self.occasion(substitute, day.year()) == day;
        [Some(month_day(day)), leapers.then(|| month_day(substitute))].into_iter().flatten()
    }
}

/// Times from `from` to `until`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Window {
    pub fn contains(self, instant: Timestamp) -> bool {
        (self.from..=self.until).contains(&instant)
    }

    /// Days on which someone somewhere may celebrate whose message is due within the window. Zones are at most a day away
    /// from UTC, and a day that a zone skips moves its messages to the next.
    pub fn days(self) -> impl Iterator<Item = Date> {
        let first = Offset::UTC.to_datetime(self.from).date().saturating_sub(2.days());
        let last = Offset::UTC.to_datetime(self.until).date().saturating_add(1.day());
        first.series(1.day()).take_while(move |day| *day <= last)
    }

    fn years(self) -> impl Iterator<Item = i16> {
        let year = |instant| Offset::UTC.to_datetime(instant).year();
        year(self.from).saturating_sub(1)..=year(self.until).saturating_add(1)
    }
}

/// The birthday without its year, as it is stored for finding.
pub fn month_day(birthday: Date) -> i64 {
    i64::from(birthday.month()) * 100 + i64::from(birthday.day())
}

/// The first instant at which the clocks of `zone` show `wanted` or later.
fn first_showing(zone: &TimeZone, wanted: DateTime) -> Timestamp {
    let instant =
        |offset: Offset| offset.to_timestamp(wanted).expect("years of birthdays are far within range");
    match zone.to_ambiguous_timestamp(wanted).offset() {
        AmbiguousOffset::Unambiguous { offset } => instant(offset),
        AmbiguousOffset::Fold { before, .. } => instant(before),
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the offset after the gap, a time within it lies before the gap; the gap is what comes next.
            let before_gap = instant(after);
            let mut later = zone.following(before_gap).map(|transition| transition.timestamp());
            later.find(|at| zone.to_offset(*at) == after).expect("the gap is a transition that follows")
        }
    }
}

/// The time zone of that IANA name, in any case of letters; from the database in the program, so that all instances agree.
pub fn zone(name: &str) -> Option<TimeZone> {
    static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    ZONES.get(name).ok().filter(|zone| zone.iana_name().is_some() && !zone.is_unknown())
}

/// The hour of sending as settings give it: `09:00`.
pub fn send_at(text: &str) -> Result<Time, String> {
    Time::from_str(text).map_err(|_| format!("`{text}` is no time of day such as 09:00"))
}

/// How long a message that could not be sent is put off: a random time up to a limit that doubles with each attempt ("full
/// jitter"), or messages that failed together would come back together. `share` is the random part, from 0 to 1.
pub fn back_off(attempt: u32, base: SignedDuration, cap: SignedDuration, share: f64) -> SignedDuration {
    let doubled = 2_i32.checked_pow(attempt.saturating_sub(1)).and_then(|factor| base.checked_mul(factor));
    doubled.unwrap_or(cap).min(cap).mul_f64(share)
}
