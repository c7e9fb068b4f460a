//! Thresholds: conditions on a metric's sink such as `p(95)<500`.
//!
//! ```text
//! threshold   = aggregation operator number
//! aggregation = "count" | "rate" | "value" | "avg" | "min" | "med" | "max" | "p(" 0..100 ")"
//! operator    = "<=" | "<" | ">=" | ">" | "===" | "==" | "!="
//! ```

use std::{fmt, str::FromStr, time::Duration};

use crate::{MetricKind, Sink};

/// A threshold as a script sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThresholdSpec {
    /// The expression, as written.
    pub expression: String,
    /// Whether its failure ends the run.
    pub abort_on_fail: bool,
    /// How long the run must have lasted before it may be ended.
    pub delay_abort_eval: Option<Duration>,
}

/// A threshold of a metric and what came of it.
#[derive(Clone, Debug)]
pub struct Threshold {
    /// As it was set.
    pub spec: ThresholdSpec,
    /// What its expression means.
    pub expression: ThresholdExpression,
    /// Whether it held when it was last evaluated; true before.
    pub ok: bool,
}

/// A threshold's condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdExpression {
    pub aggregation: Aggregation,
    pub operator: Operator,
    pub limit: f64,
}

/// The number of a sink that a threshold looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregation {
    /// Sum of a counter.
    Count,
    /// A counter's sum per second, a rate's share.
    Rate,
    /// Last value of a gauge.
    Value,
    /// Mean of a trend.
    Avg,
    /// Smallest value of a trend.
    Min,
    /// Median of a trend.
    Med,
    /// Largest value of a trend.
    Max,
    /// Percentile of a trend, from 0 to 100.
    Percentile(f64),
}

/// How a threshold compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
    Equal,
    NotEqual,
}

/// Why a threshold could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// Not an expression.
    #[error("threshold '{expression}' is malformed at column {column}: expected {expected}")]
    Syntax {
        expression: String,
        /// From 1, in characters.
        column: usize,
        expected: &'static str,
    },
    /// The metric does not know this aggregation.
    #[error("threshold '{expression}' does not apply to a {kind}, which has {}", supported(*.kind))]
    Unsupported { expression: String, kind: MetricKind },
}

impl Threshold {
    /// Reads a threshold of a metric of this kind.
    pub fn new(spec: &ThresholdSpec, kind: MetricKind) -> Result<Threshold, ThresholdError> {
        let expression: ThresholdExpression = spec.expression.parse()?;
        if !expression.aggregation.applies_to(kind) {
            return Err(ThresholdError::Unsupported { expression: spec.expression.clone(), kind });
        }
        Ok(Threshold { spec: spec.clone(), expression, ok: true })
    }

    /// Evaluates the threshold and keeps the result. A rate without samples passes, as in k6;
    /// other sinks without samples count as 0.
    pub(crate) fn evaluate(&mut self, sink: &Sink, run_duration: Duration) {
        let value = self.expression.aggregation.of(sink, run_duration);
        let no_rate = matches!(sink, Sink::Rate(rate) if rate.total == 0);
        self.ok = no_rate || self.expression.operator.holds(value, self.expression.limit);
    }

    /// Whether the run should end now because of it.
    pub(crate) fn aborts(&self, run_duration: Duration) -> bool {
        let delay = self.spec.delay_abort_eval.unwrap_or_default();
        !self.ok && self.spec.abort_on_fail && (delay.is_zero() || delay < run_duration)
    }
}

impl Aggregation {
    fn applies_to(self, kind: MetricKind) -> bool {
        match self {
            Aggregation::Count => kind == MetricKind::Counter,
            Aggregation::Rate => matches!(kind, MetricKind::Counter | MetricKind::Rate),
            Aggregation::Value => kind == MetricKind::Gauge,
            Aggregation::Avg
            | Aggregation::Min
            | Aggregation::Med
            | Aggregation::Max
            | Aggregation::Percentile(_) => kind == MetricKind::Trend,
        }
    }

    /// The number in a sink; 0 when the sink does not have it.
    pub fn of(self, sink: &Sink, run_duration: Duration) -> f64 {
        match (self, sink) {
            (Aggregation::Count, Sink::Counter(sink)) => sink.sum,
            (Aggregation::Rate, Sink::Counter(sink)) => sink.rate(run_duration),
            (Aggregation::Rate, Sink::Rate(sink)) => sink.rate(),
            (Aggregation::Value, Sink::Gauge(sink)) => sink.last,
            (Aggregation::Avg, Sink::Trend(sink)) => sink.avg(),
            (Aggregation::Min, Sink::Trend(sink)) => sink.min(),
            (Aggregation::Med, Sink::Trend(sink)) => sink.med(),
            (Aggregation::Max, Sink::Trend(sink)) => sink.max(),
            (Aggregation::Percentile(percent), Sink::Trend(sink)) => sink.quantile(percent / 100.0),
            _ => 0.0,
        }
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aggregation::Percentile(percent) => write!(f, "p({percent})"),
            Aggregation::Count => f.write_str("count"),
            Aggregation::Rate => f.write_str("rate"),
            Aggregation::Value => f.write_str("value"),
            Aggregation::Avg => f.write_str("avg"),
            Aggregation::Min => f.write_str("min"),
            Aggregation::Med => f.write_str("med"),
            Aggregation::Max => f.write_str("max"),
        }
    }
}

impl Operator {
    /// In the order in which they are tried: the longer of two that start alike comes first.
    const ALL: [(&str, Operator); 7] = [
        ("<=", Operator::LessOrEqual),
        ("<", Operator::Less),
        (">=", Operator::GreaterOrEqual),
        (">", Operator::Greater),
        ("===", Operator::Equal),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
    ];

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Operator::LessOrEqual => value <= limit,
            Operator::Less => value < limit,
            Operator::GreaterOrEqual => value >= limit,
            Operator::Greater => value > limit,
            Operator::Equal => value == limit,
            Operator::NotEqual => value != limit,
        }
    }
}

fn supported(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "count and rate",
        MetricKind::Gauge => "value",
        MetricKind::Rate => "rate",
        MetricKind::Trend => "avg, min, med, max and p(N)",
    }
}

impl FromStr for ThresholdExpression {
    type Err = ThresholdError;

    fn from_str(expression: &str) -> Result<ThresholdExpression, ThresholdError> {
        let mut parser = Parser { expression, rest: expression };
        let aggregation = parser.aggregation()?;
        let operator = parser.operator()?;
        let limit = parser.limit()?;
        Ok(ThresholdExpression { aggregation, operator, limit })
    }
}

/// A threshold expression and what of it is still to be read.
struct Parser<'a> {
    expression: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn aggregation(&mut self) -> Result<Aggregation, ThresholdError> {
        const EXPECTED: &str = "count, rate, value, avg, min, med, max or p(N)";
        let before = self.skip_spaces();
        let aggregation = match self.take_while(|char| char.is_ascii_alphanumeric() || char == '_') {
            "count" => Aggregation::Count,
            "rate" => Aggregation::Rate,
            "value" => Aggregation::Value,
            "avg" => Aggregation::Avg,
            "min" => Aggregation::Min,
            "med" => Aggregation::Med,
            "max" => Aggregation::Max,
            "p" => return self.percentile(),
            _ => return Err(self.error(before, EXPECTED)),
        };
        Ok(aggregation)
    }

    fn percentile(&mut self) -> Result<Aggregation, ThresholdError> {
        self.token("(", "'(' and a percentile")?;
        let before = self.skip_spaces();
        let percent = self.take_while(|char| char != ')').trim().parse().ok();
        let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
        let percent = percent.ok_or_else(|| self.error(before, "a percentile from 0 to 100"))?;
        self.token(")", "')'")?;
        Ok(Aggregation::Percentile(percent))
    }

    fn operator(&mut self) -> Result<Operator, ThresholdError> {
        let before = self.skip_spaces();
        for (token, operator) in Operator::ALL {
            if let Some(rest) = before.strip_prefix(token) {
                self.rest = rest;
                return Ok(operator);
            }
        }
        Err(self.error(before, "<, <=, >, >=, ==, === or !="))
    }

    fn limit(&mut self) -> Result<f64, ThresholdError> {
        let before = self.skip_spaces();
        before.trim_end().parse().map_err(|_| self.error(before, "a number"))
    }

    fn token(&mut self, token: &str, expected: &'static str) -> Result<(), ThresholdError> {
        let before = self.skip_spaces();
        self.rest = before.strip_prefix(token).ok_or_else(|| self.error(before, expected))?;
        Ok(())
    }

    fn skip_spaces(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|char| !belongs(char)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// An error at the place where `at`, an end of the expression, begins.
    fn error(&self, at: &str, expected: &'static str) -> ThresholdError {
        let read = &self.expression[..self.expression.len() - at.len()];
        let column = read.chars().count() + 1;
        ThresholdError::Syntax { expression: self.expression.to_owned(), column, expected }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(expression: &str) -> ThresholdExpression {
        expression.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_whole_grammar_parses() {
        let check = |text, aggregation, operator, limit| {
            assert_eq!(parse(text), ThresholdExpression { aggregation, operator, limit }, "{text}");
        };
        check("count<1", Aggregation::Count, Operator::Less, 1.0);
        check("rate <= 0.01", Aggregation::Rate, Operator::LessOrEqual, 0.01);
        check(" value>-1e3 ", Aggregation::Value, Operator::Greater, -1000.0);
        check("avg>=.5", Aggregation::Avg, Operator::GreaterOrEqual, 0.5);
        check("min==1", Aggregation::Min, Operator::Equal, 1.0);
        check("med===1", Aggregation::Med, Operator::Equal, 1.0);
        check("max!=1", Aggregation::Max, Operator::NotEqual, 1.0);
        check("p(99.99)\t<\t+Inf", Aggregation::Percentile(99.99), Operator::Less, f64::INFINITY);
    }

    #[test]
    fn errors_show_expression_and_place() {
        let error = |text: &str| text.parse::<ThresholdExpression>().unwrap_err().to_string();
        insta::assert_snapshot!(error(""), @"threshold '' is malformed at column 1: expected count, rate, value, avg, min, med, max or p(N)");
        insta::assert_snapshot!(error("rates<1"), @"threshold 'rates<1' is malformed at column 1: expected count, rate, value, avg, min, med, max or p(N)");
        insta::assert_snapshot!(error("p95<1"), @"threshold 'p95<1' is malformed at column 1: expected count, rate, value, avg, min, med, max or p(N)");
        insta::assert_snapshot!(error("p<1"), @"threshold 'p<1' is malformed at column 2: expected '(' and a percentile");
        insta::assert_snapshot!(error("p(101)<1"), @"threshold 'p(101)<1' is malformed at column 3: expected a percentile from 0 to 100");
        insta::assert_snapshot!(error("p(95<500"), @"threshold 'p(95<500' is malformed at column 3: expected a percentile from 0 to 100");
        insta::assert_snapshot!(error("p(95"), @"threshold 'p(95' is malformed at column 5: expected ')'");
        insta::assert_snapshot!(error("count = 5"), @"threshold 'count = 5' is malformed at column 7: expected <, <=, >, >=, ==, === or !=");
        insta::assert_snapshot!(error("count>5 ms"), @"threshold 'count>5 ms' is malformed at column 7: expected a number");
    }

    #[test]
    fn kinds_know_their_aggregations() {
        let check = |expression: &str, kind| {
            let spec =
                ThresholdSpec { expression: expression.into(), abort_on_fail: false, delay_abort_eval: None };
            Threshold::new(&spec, kind).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(check("rate>1", MetricKind::Counter), Ok(()));
        assert_eq!(check("p(5)>1", MetricKind::Trend), Ok(()));
        insta::assert_snapshot!(check("count>1", MetricKind::Trend).unwrap_err(), @"threshold 'count>1' does not apply to a trend, which has avg, min, med, max and p(N)");
        insta::assert_snapshot!(check("med>1", MetricKind::Rate).unwrap_err(), @"threshold 'med>1' does not apply to a rate, which has rate");
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(percent in 0.0..=100.0, limit: f64, operator in 0usize..7) {
            prop_assume!(!limit.is_nan());
            let (token, operator) = Operator::ALL[operator];
            let aggregation = Aggregation::Percentile(percent);
            let expected = ThresholdExpression { aggregation, operator, limit };
            prop_assert_eq!(parse(&format!("{aggregation} {token} {limit}")), expected);
        }

        #[test]
        fn no_text_breaks_the_parser(text: String) {
            let _ = text.parse::<ThresholdExpression>();
        }
    }
}
