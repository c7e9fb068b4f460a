//! Text for people: the same words, whatever the times and rates.

use serde_json::Value;

/// The lines of `text` with times and rates as `~` and runs of spaces as one; without the count of bytes and what
/// Squall says about itself.
pub(super) fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split_whitespace().map(word).collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.starts_with("data_") && !line.starts_with("generator:")).collect()
}

/// The lines of `text`; JSON in one form, however it was written.
pub(super) fn verbatim(text: &str) -> Vec<String> {
    let json = serde_json::from_str::<Value>(text).ok().map(|value| format!("{value:#}"));
    json.as_deref().unwrap_or(text).lines().map(str::to_owned).collect()
}

/// `avg=1.2ms` becomes `avg=~`, `12.5/s` becomes `~/s`.
fn word(word: &str) -> String {
    match word.split_once('=') {
        Some((key, value)) if is_time(value) => format!("{key}=~"),
        _ if is_time(word) => "~".to_owned(),
        _ if word.ends_with("/s") => "~/s".to_owned(),
        _ => word.to_owned(),
    }
}

/// A number with a unit of time, or several: `1m2.5s`.
fn is_time(word: &str) -> bool {
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let units = word.split(number).filter(|unit| !unit.is_empty());
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.ends_with(['s', 'm', 'h'])
        && units.into_iter().all(|unit| matches!(unit, "ns" | "µs" | "ms" | "s" | "m" | "h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rates_go_words_stay() {
        let text = "  a...: avg=1.02ms  p(90)=1m2.5s\n  b: 3  41.5/s  2 out of 3\n  http_reqs 5s";
        assert_eq!(lines(text), ["a...: avg=~ p(90)=~", "b: 3 ~/s 2 out of 3", "http_reqs ~"]);
    }
}
