//! Numbers as the text summary shows them: durations, bytes, shares and the rest, cut as k6 cuts them.

use squall_metrics::{Contains, MetricKind};
use squall_options::TimeUnit;

/// A value of a metric.
pub(crate) fn value(value: f64, kind: MetricKind, contains: Contains, unit: TimeUnit) -> String {
    match (kind, contains) {
        (MetricKind::Rate, _) => percent(value),
        (_, Contains::Data) => bytes(value),
        (_, Contains::Time) => duration(value, unit),
        (_, Contains::Default) => number(value, 6),
    }
}

/// A share as percent with two decimals, the rest cut off: 0.99999 must not look like 100 %.
pub(crate) fn percent(share: f64) -> String {
    format!("{}%", fixed((share * 100.0 * 100.0).trunc() / 100.0, 2))
}

/// Bytes with decimal prefixes and one decimal below ten.
fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    if bytes < 10.0 {
        return format!("{bytes} B");
    }
    let exponent = ((bytes.log10() / 3.0).floor() as usize).min(UNITS.len() - 1);
    let scaled = (bytes / 1000_f64.powi(exponent as i32) * 10.0 + 0.5).floor() / 10.0;
    format!("{} {}", fixed(scaled, usize::from(scaled < 10.0)), UNITS[exponent])
}

/// Milliseconds in the unit asked for, or in one that suits.
pub(crate) fn duration(millis: f64, unit: TimeUnit) -> String {
    match unit {
        TimeUnit::Seconds => format!("{}s", fixed(millis * 0.001, 2)),
        TimeUnit::Milliseconds => format!("{}ms", fixed(millis, 2)),
        TimeUnit::Microseconds => format!("{}µs", fixed(millis * 1000.0, 2)),
        TimeUnit::Auto => scaled_duration(millis),
    }
}

fn scaled_duration(millis: f64) -> String {
    const MINUTE: f64 = 60_000.0;
    if millis == 0.0 {
        return "0s".to_owned();
    }
    if millis < 0.001 {
        return format!("{}ns", number((millis * 1e6).trunc(), 0));
    }
    if millis < 1.0 {
        return format!("{}µs", truncated(millis * 1000.0, 2));
    }
    if millis < 1000.0 {
        return format!("{}ms", truncated(millis, 2));
    }
    let seconds = truncated(millis % MINUTE / 1000.0, if millis > MINUTE { 0 } else { 2 });
    let minutes = (millis / MINUTE).trunc();
    if minutes < 1.0 {
        return format!("{seconds}s");
    }
    let hours = (minutes / 60.0).trunc();
    if hours < 1.0 {
        return format!("{minutes}m{seconds}s");
    }
    format!("{hours}h{}m{seconds}s", minutes % 60.0)
}

/// At most so many decimals, the rest cut off, no zeros at the end.
fn truncated(value: f64, decimals: usize) -> String {
    let scale = 10_f64.powi(decimals as i32);
    number((value * scale).trunc() / scale, decimals)
}

/// At most so many decimals, rounded, no zeros at the end, as JavaScript prints numbers.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let rounded: f64 = fixed(value, decimals).parse().unwrap_or(value);
    if rounded == 0.0 {
        return "0".to_owned();
    }
    if rounded.abs() >= 1e21 {
        return format!("{rounded:e}").replace('e', "e+");
    }
    rounded.to_string()
}

/// Exactly so many decimals. Halves round away from zero as JavaScript's `toFixed` does it; Rust rounds
/// them to even.
fn fixed(value: f64, decimals: usize) -> String {
    let longer = format!("{value:.*}", decimals + 40);
    let rest = &longer[longer.len().saturating_sub(40)..];
    let is_half = rest.strip_prefix('5').is_some_and(|zeros| zeros.bytes().all(|digit| digit == b'0'));
    let away = |value: f64| if value > 0.0 { value.next_up() } else { value.next_down() };
    format!("{:.*}", decimals, if is_half { away(value) } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_scale_and_are_cut() {
        let auto =
            |millis, expected: &str| assert_eq!(duration(millis, TimeUnit::Auto), expected, "{millis}");
        auto(0.0, "0s");
        auto(0.000_531, "531ns");
        auto(-3.0, "-3000000ns");
        auto(0.001, "1µs");
        auto(0.002_745_9, "2.74µs");
        auto(0.999_999, "999.99µs");
        auto(1.0, "1ms");
        auto(15.5, "15.5ms");
        auto(999.999, "999.99ms");
        auto(1234.5, "1.23s");
        auto(59_999.9, "59.99s");
        auto(60_000.0, "1m0s");
        auto(61_999.0, "1m1s");
        auto(3_599_999.0, "59m59s");
        auto(3_600_000.0, "1h0m0s");
        auto(259_200_000.0, "72h0m0s");
    }

    #[test]
    fn a_fixed_unit_has_two_decimals() {
        assert_eq!(duration(7_374_997.244, TimeUnit::Milliseconds), "7374997.24ms");
        assert_eq!(duration(500.9995, TimeUnit::Microseconds), "500999.50µs");
        assert_eq!(duration(0.0, TimeUnit::Seconds), "0.00s");
        assert_eq!(duration(-0.5, TimeUnit::Seconds), "-0.00s");
    }

    #[test]
    fn bytes_have_decimal_prefixes() {
        let check = |count, expected: &str| assert_eq!(bytes(count), expected, "{count}");
        check(0.0, "0 B");
        check(5.381_753_830_345_255_5, "5.3817538303452555 B");
        check(10.0, "10 B");
        check(668.0, "668 B");
        check(999.0, "999 B");
        check(1000.0, "1.0 kB");
        check(1875.0, "1.9 kB");
        check(12_345.0, "12 kB");
        check(1e6, "1.0 MB");
        check(2.5e9, "2.5 GB");
    }

    #[test]
    fn shares_are_cut() {
        assert_eq!(percent(34.0 / 48.0), "70.83%");
        assert_eq!(percent(0.999_99), "99.99%");
        assert_eq!(percent(1.0), "100.00%");
    }

    #[test]
    fn numbers_print_as_in_javascript() {
        let check = |value, expected: &str| assert_eq!(number(value, 6), expected, "{value}");
        check(1.0, "1");
        check(-3.0, "-3");
        check(0.1 + 0.2, "0.3");
        check(5.141_59, "5.14159");
        check(0.007_812_5, "0.007813");
        check(0.123_456_789, "0.123457");
        check(1e-7, "0");
        check(-1e-9, "0");
        check(500_000_000_000_061_730_000.0, "500000000000061730000");
        check(1e21, "1e+21");
    }
}
