//! The law of when messages are due, over every zone and every change of its clocks in two years; and the oddities by name.

use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;

fn rules(send_at: &str, leap_day: LeapDay) -> Rules {
    Rules { send_at: super::send_at(send_at).unwrap(), leap_day }
}

/// When the message is due of somebody born on `birthday`, in UTC.
#[track_caller]
fn check(birthday: &str, zone_name: &str, send_at: &str, year: i16, expected: &str) {
    let zone = zone(zone_name).unwrap();
    let due = rules(send_at, LeapDay::February).when(birthday.parse().unwrap(), &zone, year);
    assert_eq!(due.to_string(), expected, "{birthday} in {zone_name} at {send_at}, {year}");
}

#[test]
fn it_is_morning_everywhere_at_its_own_time() {
    check("1990-07-10", "UTC", "09:00", 2026, "2026-07-10T09:00:00Z");
    check("1990-07-10", "Europe/Berlin", "09:00", 2026, "2026-07-10T07:00:00Z");
    check("1990-01-10", "Europe/Berlin", "09:00", 2026, "2026-01-10T08:00:00Z");
    // East of the date line it is the day before in UTC, and in the year before.
    check("1990-01-01", "Pacific/Kiritimati", "09:00", 2027, "2026-12-31T19:00:00Z");
    check("1990-12-31", "Pacific/Pago_Pago", "23:30", 2026, "2027-01-01T10:30:00Z");
    check("1990-07-10", "Asia/Kathmandu", "09:00", 2026, "2026-07-10T03:15:00Z");
}

#[test]
fn a_time_in_a_gap_is_the_first_instant_after_it() {
    check("1990-03-29", "Europe/Berlin", "02:30", 2026, "2026-03-29T01:00:00Z");
    check("1990-03-08", "America/New_York", "02:59", 2026, "2026-03-08T07:00:00Z");
    // Lord Howe's clocks go half an hour.
    check("1990-10-04", "Australia/Lord_Howe", "02:15", 2026, "2026-10-03T15:30:00Z");
    // Midnight itself is missing in Beirut.
    check("1990-03-29", "Asia/Beirut", "00:00", 2026, "2026-03-28T22:00:00Z");
}

#[test]
fn a_time_that_comes_twice_is_the_first() {
    check("1990-10-25", "Europe/Berlin", "02:30", 2026, "2026-10-25T00:30:00Z");
    check("1990-11-01", "America/New_York", "01:00", 2026, "2026-11-01T05:00:00Z");
}

#[test]
fn a_day_that_a_zone_skips_is_celebrated_at_the_first_moment_after() {
    check("1990-12-30", "Pacific/Apia", "09:00", 2011, "2011-12-30T10:00:00Z");
    check("1990-12-29", "Pacific/Apia", "09:00", 2011, "2011-12-29T19:00:00Z");
    check("1990-12-31", "Pacific/Apia", "09:00", 2011, "2011-12-30T19:00:00Z");
    check("1990-08-21", "Pacific/Kwajalein", "09:00", 1993, "1993-08-21T12:00:00Z");
}

#[test]
fn the_29th_of_february_is_celebrated_where_the_setting_says() {
    let birthday = "2000-02-29".parse().unwrap();
    let occasion = |leap_day, year| rules("09:00", leap_day).occasion(birthday, year).to_string();
    assert_eq!(occasion(LeapDay::February, 2028), "2028-02-29");
    assert_eq!(occasion(LeapDay::March, 2028), "2028-02-29");
    assert_eq!(occasion(LeapDay::February, 2026), "2026-02-28");
    assert_eq!(occasion(LeapDay::March, 2026), "2026-03-01");
    // 2100 is no leap year.
    assert_eq!(occasion(LeapDay::March, 2100), "2100-03-01");
}

#[test]
fn a_birthday_that_was_over_when_we_learnt_of_it_is_not_made_up_for() {
    let due = |since: &str| {
        let person = Person {
            birthday: "1990-07-10".parse().unwrap(),
            zone: zone("Asia/Tokyo").unwrap(),
            since: since.parse().unwrap(),
        };
        rules("09:00", LeapDay::February).due(&person, 2026).map(|due| due.to_string())
    };
    let at_nine = Some("2026-07-10T00:00:00Z".to_owned());
    assert_eq!(due("2026-07-09T00:00:00Z"), at_nine);
    // After the hour of sending, and still on the day: late, and sent.
    assert_eq!(due("2026-07-10T14:59:59Z"), at_nine);
    assert_eq!(due("2026-07-10T15:00:00Z"), None);
}

#[test]
fn there_is_no_message_before_birth() {
    let person =
        Person { birthday: "2026-07-10".parse().unwrap(), zone: TimeZone::UTC, since: Timestamp::UNIX_EPOCH };
    let rules = rules("09:00", LeapDay::February);
    assert_eq!(rules.due(&person, 2025), None);
    assert!(rules.due(&person, 2026).is_some());
}

/// The law, checked against the zone's clocks themselves: at `due` they show `wanted` or later, and before it they never
/// did in the days around. Between two changes clocks only go forward, so it is enough to look just before each.
fn assert_first_showing(zone: &TimeZone, wanted: DateTime, due: Timestamp) {
    let name = zone.iana_name().unwrap_or("?");
    let shown = |at: Timestamp| zone.to_datetime(at);
    let moment = SignedDuration::from_nanos(1);
    assert!(shown(due) >= wanted, "{name}: at {due} it is only {}, not {wanted}", shown(due));
    assert!(shown(due - moment) < wanted, "{name}: {due} is not the first instant that shows {wanted}");
    let days_before = due - SignedDuration::from_hours(96);
    let changes = zone.following(days_before).map(|change| change.timestamp());
    for change in changes.take_while(|change| *change < due) {
        assert!(
            shown(change - moment) < wanted,
            "{name}: {wanted} was shown before {change}, not first at {due}"
        );
    }
}

/// The first instant of 2026 and that of 2028.
fn two_years() -> (Timestamp, Timestamp) {
    ("2026-01-01T00:00:00Z".parse().unwrap(), "2028-01-01T00:00:00Z".parse().unwrap())
}

#[test]
fn the_law_holds_in_every_zone_around_every_change_of_two_years() {
    let database = TimeZoneDatabase::bundled();
    let (from, until) = two_years();
    let (mut zones, mut changes, mut gaps, mut folds) = (0, 0, 0, 0);
    for name in database.available() {
        let zone = zone(name.as_str()).unwrap();
        zones += 1;
        for change in zone.following(from).take_while(|change| change.timestamp() < until) {
            changes += 1;
            let before = zone.to_datetime(change.timestamp() - SignedDuration::from_nanos(1));
            let after = zone.to_datetime(change.timestamp());
            // Times at and around the change, on each side, and those that people choose.
            let mut times = vec![Time::midnight(), Time::constant(9, 0, 0, 0), Time::constant(23, 59, 0, 0)];
            for edge in [before, after] {
                for minutes in [-61, -31, -30, -1, 0, 1, 29, 30, 59, 60] {
                    times.push(edge.time().wrapping_add(SignedDuration::from_mins(minutes)));
                }
            }
            for day in after.date().saturating_sub(2.days()).series(1.day()).take(5) {
                for send_at in &times {
                    let rules = Rules { send_at: *send_at, leap_day: LeapDay::March };
                    let wanted = rules.occasion(day, day.year()).to_datetime(*send_at);
                    let due = rules.when(day, &zone, day.year());
                    assert_first_showing(&zone, wanted, due);
                    match zone.to_ambiguous_timestamp(wanted).offset() {
                        AmbiguousOffset::Gap { .. } => gaps += 1,
                        AmbiguousOffset::Fold { .. } => folds += 1,
                        AmbiguousOffset::Unambiguous { .. } => {}
                    }
                }
            }
        }
    }
    // The test has met what it is about.
    assert!(zones > 500 && changes > 500, "{zones} zones, {changes} changes");
    assert!(gaps > 1_000 && folds > 1_000, "{gaps} times in gaps, {folds} that come twice");
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    let names: Vec<String> =
        TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect();
    proptest::sample::select(names).prop_map(|name| zone(&name).unwrap())
}

prop_compose! {
    fn any_person()(days in 0..46_000_i64, zone in any_zone()) -> Person {
        let birthday = Date::constant(1900, 1, 1).saturating_add(days.days());
        Person { birthday, zone, since: Timestamp::UNIX_EPOCH }
    }
}

proptest! {
    /// Windows that follow each other find each message once: none twice, none not at all.
    #[test]
    fn windows_side_by_side_find_each_message_once(
        person in any_person(),
        hours in proptest::collection::vec(1..72_i64, 400),
        send_minutes in 0..1440_i64,
        march in any::<bool>(),
    ) {
        let rules = Rules {
            send_at: Time::midnight().wrapping_add(SignedDuration::from_mins(send_minutes)),
            leap_day: if march { LeapDay::March } else { LeapDay::February },
        };
        let (start, _) = two_years();
        let (mut from, mut found) = (start, Vec::new());
        for hours in hours {
            let next = from + SignedDuration::from_hours(hours);
            // Both ends are included.
            let until = next - SignedDuration::from_nanos(1);
            found.extend(rules.within(&person, Window { from, until }));
            from = next;
        }
        let expected: Vec<_> = (2025..2031)
            .filter_map(|year| Some((year, rules.due(&person, year)?)))
            .filter(|(_, due)| *due >= start && *due < from)
            .collect();
        prop_assert_eq!(found, expected);
    }

    /// Whoever has a message within a window is found by the days of the window.
    #[test]
    fn the_days_of_a_window_find_whoever_is_due_in_it(
        person in any_person(),
        year in 2026..2028_i16,
        hours in 0..48_i64,
        march in any::<bool>(),
    ) {
        let leap_day = if march { LeapDay::March } else { LeapDay::February };
        let rules = Rules { send_at: Time::constant(9, 0, 0, 0), leap_day };
        let due = rules.when(person.birthday, &person.zone, year);
        let from = due - SignedDuration::from_hours(hours);
        let window = Window { from, until: from + SignedDuration::from_hours(48) };
        let looked_for: Vec<i64> = window.days().flat_map(|day| rules.celebrated_on(day)).collect();
        let times = looked_for.iter().filter(|day| **day == month_day(person.birthday)).count();
        prop_assert_eq!(times, 1);
    }

    /// Pauses grow to their limit and never beyond.
    #[test]
    fn pauses_double_up_to_their_limit(attempt in 1..200_u32, share in 0.0..=1.0_f64) {
        let (base, cap) = (SignedDuration::from_secs(1), SignedDuration::from_secs(300));
        let pause = back_off(attempt, base, cap, share);
        let limit = SignedDuration::from_secs(1_i64.checked_shl(attempt - 1).filter(|_| attempt < 10).unwrap_or(300).min(300));
        prop_assert!(!pause.is_negative() && pause <= limit);
        prop_assert_eq!(back_off(attempt, base, cap, 1.0), limit);
    }
}

#[test]
fn zones_are_found_in_any_case_and_others_are_not() {
    assert_eq!(zone("europe/berlin").unwrap().iana_name(), Some("Europe/Berlin"));
    for name in
        ["", "Mars/Olympus", "Etc/Unknown", "../../etc/passwd", "Europe", "+02:00", "EST5EDT,M3.2.0,M11.1.0"]
    {
        assert!(zone(name).is_none(), "{name}");
    }
}
