//! The table: what was promised, what was measured, and whether that is enough.

/// A line of the table.
#[derive(Debug)]
pub(super) struct Row {
    what: String,
    limit: Limit,
    measured: f64,
    /// How the measured figure came about, where the figure alone would mislead.
    note: String,
}

/// What was promised of a figure, and its unit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    Below(f64, &'static str),
    AtMost(f64, &'static str),
    AtLeast(f64, &'static str),
    /// The documents ask to measure it.
    Measure(&'static str),
}

impl Row {
    pub(super) fn new(what: impl Into<String>, limit: Limit, measured: f64) -> Row {
        Row { what: what.into(), limit, measured, note: String::new() }
    }

    pub(super) fn note(self, note: impl Into<String>) -> Row {
        Row { note: note.into(), ..self }
    }

    /// The line in Markdown.
    pub(super) fn line(&self, system: &str, beside: Beside, command: &str) -> String {
        let Row { what, limit, measured, note } = self;
        let unit = match limit {
            Limit::Below(_, unit)
            | Limit::AtMost(_, unit)
            | Limit::AtLeast(_, unit)
            | Limit::Measure(unit) => unit,
        };
        let promised = match limit {
            Limit::Below(limit, _) => format!("< {}{unit}", number(*limit)),
            Limit::AtMost(limit, _) => format!("≤ {}{unit}", number(*limit)),
            Limit::AtLeast(limit, _) => format!("≥ {}{unit}", number(*limit)),
            Limit::Measure(_) => "measure".to_owned(),
        };
        let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
        let measured = format!("{}{unit}{note}", number(*measured));
        let verdict = self.verdict(beside.others).word();
        let generator = if beside.is_saturated { "saturated" } else { "ok" };
        format!(
            "| {system} | {what} | {promised} | {measured} | {verdict} | {:.0} % | {generator} | {command} |",
            beside.others * 100.0
        )
    }

    /// Whether the promise is kept, measured beside so much other work.
    pub(super) fn verdict(&self, others: f64) -> Verdict {
        let is_kept = match self.limit {
            Limit::Below(limit, _) => self.measured < limit,
            Limit::AtMost(limit, _) => self.measured <= limit,
            Limit::AtLeast(limit, _) => self.measured >= limit,
            Limit::Measure(_) => return Verdict::Measured,
        };
        match is_kept {
            true => Verdict::Kept,
            false if others > OTHERS_MAX => Verdict::Unclear,
            false => Verdict::Missed,
        }
    }
}

/// What a trial was measured beside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    /// The share of the machine that other work had, from 0 to 1.
    pub(super) others: f64,
    /// Squall says of itself that it could not keep up.
    pub(super) is_saturated: bool,
}

/// What came of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was promised.
    Measured,
    Kept,
    Missed,
    /// Missed, while other work had so much of the machine that this says nothing.
    Unclear,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Measured => "",
            Verdict::Kept => "kept",
            Verdict::Missed => "**missed**",
            Verdict::Unclear => "unclear: other work",
        }
    }
}

/// Beside more other work than this share of the machine, a missed limit says nothing of the service.
const OTHERS_MAX: f64 = 0.15;

pub(super) const HEAD: &str = "| system | what | promised | measured | verdict | other work | generator | command |\n\
                               |---|---|---|---|---|---:|---|---|";

/// Three digits that count, thousands apart.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        _ if value == value.round() => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.995 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("-", rest));
    let mut apart = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && whole.chars().all(|c| c.is_ascii_digit()) {
            apart.push(',');
        }
        apart.push(digit);
    }
    fraction.map_or(format!("{sign}{apart}"), |fraction| format!("{sign}{apart}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BESIDE: Beside = Beside { others: 0.042, is_saturated: false };

    #[test]
    fn numbers_are_for_people() {
        let shown =
            [50_000.0, 1_234.56, 999.0, 12.345, 1.234, 0.012_34, 0.0, -1_000.5, f64::INFINITY].map(number);
        assert_eq!(shown, ["50,000", "1,235", "999", "12.3", "1.23", "0.012", "0", "-1,000", "inf"]);
    }

    #[test]
    fn a_line_tells_whether_the_promise_is_kept() {
        let line = |limit, measured| Row::new("p95", limit, measured).line("connex", BESIDE, "`x`");
        assert_eq!(
            line(Limit::Below(500.0, " ms"), 12.5),
            "| connex | p95 | < 500 ms | 12.5 ms | kept | 4 % | ok | `x` |"
        );
        let verdict = |limit, measured| Row::new("", limit, measured).verdict(0.0);
        assert_eq!(verdict(Limit::Below(500.0, ""), 500.0), Verdict::Missed);
        assert_eq!(verdict(Limit::Below(500.0, ""), f64::NAN), Verdict::Missed);
        assert_eq!(verdict(Limit::AtMost(0.0, ""), 0.0), Verdict::Kept);
        assert_eq!(verdict(Limit::AtLeast(1_000.0, ""), 999.0), Verdict::Missed);
        assert_eq!(verdict(Limit::AtLeast(1_000.0, ""), 1_000.0), Verdict::Kept);
    }

    #[test]
    fn beside_other_work_a_limit_may_be_kept_but_not_missed() {
        let verdict = |measured| Row::new("", Limit::Below(500.0, ""), measured).verdict(0.5);
        assert_eq!((verdict(1.0), verdict(1_000.0)), (Verdict::Kept, Verdict::Unclear));
    }

    #[test]
    fn a_figure_without_a_limit_is_told() {
        let measured = Row::new("p99", Limit::Measure(" ms"), 3.0).note("all of it").line(
            "location",
            Beside { is_saturated: true, ..BESIDE },
            "",
        );
        assert_eq!(measured, "| location | p99 | measure | 3 ms (all of it) |  | 4 % | saturated |  |");
    }
}
