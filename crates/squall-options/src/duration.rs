//! Durations as k6 scripts and Go programs write them.

use std::time::Duration;

/// The longest duration that Go can hold, about 292 years.
const LONGEST_NS: u128 = i64::MAX as u128;

const UNITS_NS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration as scripts write it: Go's syntax with an optional day prefix (`1d2h30m`), or a bare number of
/// milliseconds. The error is a clause that says what is wrong.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    if let Ok(millis) = text.parse::<f64>() {
        return from_millis(millis).ok_or_else(|| invalid(text));
    }
    let Some((days, rest)) = text.split_once('d') else { return parse_go_duration(text) };
    let days: u64 = days.parse().map_err(|_| invalid(text))?;
    let rest = if rest.is_empty() { Duration::ZERO } else { parse_go_duration(rest)? };
    days.checked_mul(24 * 60 * 60)
        .and_then(|seconds| Duration::from_secs(seconds).checked_add(rest))
        .filter(in_range)
        .ok_or_else(|| invalid(text))
}

/// Reads a duration in Go's syntax: numbers with units, `1h2m3.5s`. Only `0` needs no unit.
pub fn parse_go_duration(text: &str) -> Result<Duration, String> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = unsigned;
    let mut total_ns = 0u128;
    while !rest.is_empty() || total_ns == 0 && rest.len() == unsigned.len() {
        let (ns, after) = leading_term(rest).ok_or_else(|| invalid(text))?;
        total_ns = total_ns.saturating_add(ns);
        rest = after;
    }
    if total_ns > LONGEST_NS { Err(invalid(text)) } else { Ok(from_nanos(total_ns)) }
}

/// Prints a duration as Go does: `1m30s`, `10m0s`, `1.5s`, `100ms`, `0s`.
pub fn format_go_duration(duration: Duration) -> String {
    let ns = duration.as_nanos();
    match ns {
        0 => "0s".to_owned(),
        1..1_000 => format!("{ns}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(ns, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(ns, 1_000_000)),
        _ => {
            let minutes = ns / 60_000_000_000;
            let seconds = decimal(ns % 60_000_000_000, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// A number of milliseconds; `None` when it is negative, not finite or too long.
pub(crate) fn from_millis(millis: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(millis / 1e3).ok().filter(in_range)
}

fn in_range(duration: &Duration) -> bool {
    duration.as_nanos() <= LONGEST_NS
}

fn from_nanos(ns: u128) -> Duration {
    Duration::new((ns / 1_000_000_000) as u64, (ns % 1_000_000_000) as u32)
}

/// Splits one `number unit` off the front and gives its nanoseconds. Digits below a nanosecond are cut, as in Go.
fn leading_term(text: &str) -> Option<(u128, &str)> {
    let (whole, rest) = leading_digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), leading_digits);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let unit_len = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_len);
    let (_, unit_ns) = UNITS_NS.iter().find(|(name, _)| *name == unit)?;
    let unit_ns = u128::from(*unit_ns);
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // 14 digits are enough: an hour has 3.6e12 nanoseconds.
    let fraction = &fraction[..fraction.len().min(14)];
    let fraction_ns = fraction.parse::<u128>().unwrap_or(0) * unit_ns / 10u128.pow(fraction.len() as u32);
    Some((u128::from(whole) * unit_ns + fraction_ns, rest))
}

fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// `value / scale` in decimal, without trailing zeros. `scale` is a power of ten.
fn decimal(value: u128, scale: u128) -> String {
    let digits = scale.ilog10() as usize;
    let text = format!("{}.{:0digits$}", value / scale, value % scale);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn invalid(text: &str) -> String {
    format!("{text:?} is not a duration (like 30s, 1m30s, 500ms)")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(parse_duration(text).map(format_go_duration).as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn reads_what_k6_reads() {
        check("0", "0s");
        check("500", "500ms");
        check("1.5", "1.5ms");
        check("1h2m3.5s", "1h2m3.5s");
        check("90s", "1m30s");
        check("10m", "10m0s");
        check("1d", "24h0m0s");
        check("1d2h30m", "26h30m0s");
        check("+2s", "2s");
        check(".5s", "500ms");
        check("1.s", "1s");
        check("10us", "10µs");
        check("10µs", "10µs");
        check("1m0.000000001s", "1m0.000000001s");
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "s", "1", "10 s", "1x", "-5s", "d", "1d1d", "1.5d", ".s", "1s5", "99999999h", "1é"]
        {
            assert!(parse_go_duration(text).is_err(), "{text:?}");
        }
        for text in ["", "-1", "inf", "NaN", "1e300", "d2h", "-1d", "99999999999999999999d", "2h1d"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parse_after_print_is_identity(ns in 0..=i64::MAX as u64) {
            let duration = Duration::from_nanos(ns);
            let text = format_go_duration(duration);
            prop_assert_eq!(parse_go_duration(&text), Ok(duration));
            prop_assert_eq!(parse_duration(&text), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = parse_duration(&text);
        }
    }
}
