//! How single option values are read from JSON and from text, and shown again.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};

use crate::{
    Cidr, OptionsError, SystemTag, SystemTags,
    duration::{format_go_duration, from_millis, parse_duration},
    node::Node,
};

/// A value as it stands in JSON.
pub trait OptionValue: Sized {
    /// Reads the value at `node`.
    fn from_json(node: &Node<'_>) -> Result<Self, OptionsError>;
    /// The value as k6 prints it.
    fn to_json(&self) -> Value;
}

/// A value that environment variables and flags can spell.
pub trait FromText: Sized {
    /// Reads the text; the error is a clause that says what is wrong.
    fn from_text(text: &str) -> Result<Self, String>;
}

impl OptionValue for bool {
    fn from_json(node: &Node<'_>) -> Result<bool, OptionsError> {
        node.value().as_bool().ok_or_else(|| node.expected("true or false"))
    }

    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }
}

impl FromText for bool {
    /// The spellings of Go's `ParseBool`.
    fn from_text(text: &str) -> Result<bool, String> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(format!("expected true or false, found {text:?}")),
        }
    }
}

impl OptionValue for u64 {
    /// Like k6, takes an integer in a string too: scripts write `vus: __ENV.VUS`.
    fn from_json(node: &Node<'_>) -> Result<u64, OptionsError> {
        let number = match node.value() {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        };
        let negative = node.value().as_i64().is_some_and(|number| number < 0);
        number.ok_or_else(|| {
            node.expected(if negative { "an integer that is not negative" } else { "an integer" })
        })
    }

    fn to_json(&self) -> Value {
        Value::from(*self)
    }
}

impl FromText for u64 {
    fn from_text(text: &str) -> Result<u64, String> {
        text.parse().map_err(|_| format!("expected an integer that is not negative, found {text:?}"))
    }
}

impl OptionValue for String {
    fn from_json(node: &Node<'_>) -> Result<String, OptionsError> {
        node.string().map(str::to_owned)
    }

    fn to_json(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
}

impl OptionValue for Duration {
    fn from_json(node: &Node<'_>) -> Result<Duration, OptionsError> {
        match node.value() {
            Value::Number(millis) => millis
                .as_f64()
                .and_then(from_millis)
                .ok_or_else(|| node.expected("a duration that is not negative")),
            Value::String(text) => parse_duration(text).map_err(|message| node.error(message)),
            _ => Err(node.expected("a duration (like \"30s\" or 500 for milliseconds)")),
        }
    }

    fn to_json(&self) -> Value {
        Value::from(format_go_duration(*self))
    }
}

impl FromText for Duration {
    fn from_text(text: &str) -> Result<Duration, String> {
        parse_duration(text)
    }
}

impl OptionValue for Value {
    fn from_json(node: &Node<'_>) -> Result<Value, OptionsError> {
        Ok(node.value().clone())
    }

    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl<T: OptionValue> OptionValue for Vec<T> {
    fn from_json(node: &Node<'_>) -> Result<Vec<T>, OptionsError> {
        node.elements()?.map(|element| T::from_json(&element)).collect()
    }

    fn to_json(&self) -> Value {
        self.iter().map(T::to_json).collect()
    }
}

impl<T: FromText> FromText for Vec<T> {
    /// Elements separated by commas.
    fn from_text(text: &str) -> Result<Vec<T>, String> {
        text.split(',').map(str::trim).map(T::from_text).collect()
    }
}

impl<T: OptionValue> OptionValue for BTreeMap<String, T> {
    fn from_json(node: &Node<'_>) -> Result<BTreeMap<String, T>, OptionsError> {
        node.members()?.map(|(key, value)| Ok((key.to_owned(), T::from_json(&value)?))).collect()
    }

    fn to_json(&self) -> Value {
        Value::Object(self.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
    }
}

impl FromText for BTreeMap<String, String> {
    /// `name:value` pairs separated by commas.
    fn from_text(text: &str) -> Result<BTreeMap<String, String>, String> {
        let pair = |pair: &str| {
            let (name, value) =
                pair.split_once(':').ok_or_else(|| format!("expected name:value, found {pair:?}"))?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        };
        text.split(',').map(pair).collect()
    }
}

impl OptionValue for Cidr {
    fn from_json(node: &Node<'_>) -> Result<Cidr, OptionsError> {
        Cidr::from_text(node.string()?).map_err(|message| node.error(message))
    }

    fn to_json(&self) -> Value {
        Value::from(self.to_string())
    }
}

impl FromText for Cidr {
    /// A network; k6 takes no single addresses here, so neither do we.
    fn from_text(text: &str) -> Result<Cidr, String> {
        text.parse::<Cidr>()
            .map(|network| network.trunc())
            .map_err(|_| format!("{text:?} is not a network (like 10.0.0.0/8)"))
    }
}

/// `httpDebug`: what to log of requests and responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpDebug {
    /// Nothing: the empty text.
    #[default]
    Off,
    /// Request and status lines and headers: any other text, as in k6.
    Headers,
    /// Headers and bodies: `full`.
    Full,
}

impl FromText for HttpDebug {
    fn from_text(text: &str) -> Result<HttpDebug, String> {
        Ok(match text {
            "" => HttpDebug::Off,
            "full" => HttpDebug::Full,
            _ => HttpDebug::Headers,
        })
    }
}

impl OptionValue for HttpDebug {
    fn from_json(node: &Node<'_>) -> Result<HttpDebug, OptionsError> {
        HttpDebug::from_text(node.string()?).map_err(|message| node.error(message))
    }

    fn to_json(&self) -> Value {
        Value::from(match self {
            HttpDebug::Off => "",
            HttpDebug::Headers => "headers",
            HttpDebug::Full => "full",
        })
    }
}

/// `summaryTimeUnit`: the unit of times in the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeUnit {
    /// Whatever suits each value: the empty text.
    #[default]
    Auto,
    /// `s`
    Seconds,
    /// `ms`
    Milliseconds,
    /// `us`
    Microseconds,
}

impl TimeUnit {
    /// As scripts and flags write it.
    pub fn name(self) -> &'static str {
        match self {
            TimeUnit::Auto => "",
            TimeUnit::Seconds => "s",
            TimeUnit::Milliseconds => "ms",
            TimeUnit::Microseconds => "us",
        }
    }
}

impl FromText for TimeUnit {
    fn from_text(text: &str) -> Result<TimeUnit, String> {
        [TimeUnit::Auto, TimeUnit::Seconds, TimeUnit::Milliseconds, TimeUnit::Microseconds]
            .into_iter()
            .find(|unit| unit.name() == text)
            .ok_or_else(|| format!("expected s, ms or us, found {text:?}"))
    }
}

impl OptionValue for TimeUnit {
    fn from_json(node: &Node<'_>) -> Result<TimeUnit, OptionsError> {
        TimeUnit::from_text(node.string()?).map_err(|message| node.error(message))
    }

    fn to_json(&self) -> Value {
        Value::from(self.name())
    }
}

/// A column of a trend in the summary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrendStat {
    /// `avg`
    Avg,
    /// `min`
    Min,
    /// `med`
    Med,
    /// `max`
    Max,
    /// `count`
    Count,
    /// `p(N)` with `0 <= N <= 100`.
    P(f64),
}

impl TrendStat {
    /// Reads `avg`, `min`, `med`, `max`, `count` or `p(N)`. The error is a clause that says what is wrong.
    pub fn parse(text: &str) -> Result<TrendStat, String> {
        Ok(match text {
            "avg" => TrendStat::Avg,
            "min" => TrendStat::Min,
            "med" => TrendStat::Med,
            "max" => TrendStat::Max,
            "count" => TrendStat::Count,
            _ => text
                .strip_prefix("p(")
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|rank| rank.trim().parse().ok())
                .filter(|rank| (0.0..=100.0).contains(rank))
                .map(TrendStat::P)
                .ok_or_else(|| {
                    format!("expected avg, min, med, max, count or p(N) with N from 0 to 100, found {text:?}")
                })?,
        })
    }

    /// The column's name: `avg`, `p(99.9)`.
    pub fn name(&self) -> String {
        match self {
            TrendStat::Avg => "avg".to_owned(),
            TrendStat::Min => "min".to_owned(),
            TrendStat::Med => "med".to_owned(),
            TrendStat::Max => "max".to_owned(),
            TrendStat::Count => "count".to_owned(),
            TrendStat::P(rank) => format!("p({rank})"),
        }
    }
}

impl FromText for TrendStat {
    fn from_text(text: &str) -> Result<TrendStat, String> {
        TrendStat::parse(text)
    }
}

impl OptionValue for TrendStat {
    fn from_json(node: &Node<'_>) -> Result<TrendStat, OptionsError> {
        TrendStat::parse(node.string()?).map_err(|message| node.error(message))
    }

    fn to_json(&self) -> Value {
        Value::from(self.name())
    }
}

impl OptionValue for SystemTags {
    fn from_json(node: &Node<'_>) -> Result<SystemTags, OptionsError> {
        let names: Vec<String> = Vec::from_json(node)?;
        Ok(names.iter().filter_map(|name| SystemTag::from_name(name)).collect())
    }

    fn to_json(&self) -> Value {
        Value::from(self.names())
    }
}

impl FromText for SystemTags {
    /// Names separated by commas; like k6, passes over names that it does not know.
    fn from_text(text: &str) -> Result<SystemTags, String> {
        Ok(text.split(',').filter_map(|name| SystemTag::from_name(name.trim())).collect())
    }
}

/// A size in bytes; in JSON a number or a text like `512MB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl FromText for ByteSize {
    /// Units are powers of 1024 and case does not matter: `KB`, `MB`, `GB`, also `K`, `KiB`, and `B` or none.
    fn from_text(text: &str) -> Result<ByteSize, String> {
        let text = text.trim();
        let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let scale = match unit.trim().to_ascii_uppercase().as_str() {
            "" | "B" => Some(1),
            "K" | "KB" | "KIB" => Some(1u64 << 10),
            "M" | "MB" | "MIB" => Some(1 << 20),
            "G" | "GB" | "GIB" => Some(1 << 30),
            _ => None,
        };
        digits
            .parse::<u64>()
            .ok()
            .zip(scale)
            .and_then(|(number, scale)| number.checked_mul(scale))
            .map(ByteSize)
            .ok_or_else(|| format!("{text:?} is not a size (like 512MB)"))
    }
}

impl OptionValue for ByteSize {
    fn from_json(node: &Node<'_>) -> Result<ByteSize, OptionsError> {
        match node.value() {
            Value::String(text) => ByteSize::from_text(text).map_err(|message| node.error(message)),
            value => value
                .as_u64()
                .map(ByteSize)
                .ok_or_else(|| node.expected("a size (a number of bytes, or like \"512MB\")")),
        }
    }

    fn to_json(&self) -> Value {
        Value::from(self.0)
    }
}

/// One pass or fail criterion of a metric. The expression is kept as text; the metrics crate reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThresholdConfig {
    /// Like `p(95)<500`.
    pub expression: String,
    /// Ends the test when it fails.
    pub abort_on_fail: bool,
    /// How long the test must have run before it may be aborted.
    pub delay_abort_eval: Option<Duration>,
}

impl OptionValue for ThresholdConfig {
    fn from_json(node: &Node<'_>) -> Result<ThresholdConfig, OptionsError> {
        let mut config =
            ThresholdConfig { expression: String::new(), abort_on_fail: false, delay_abort_eval: None };
        match node.value() {
            Value::String(expression) => config.expression.clone_from(expression),
            Value::Object(_) => {
                for (key, member) in node.members()? {
                    match key {
                        "threshold" => config.expression = String::from_json(&member)?,
                        "abortOnFail" => config.abort_on_fail = bool::from_json(&member)?,
                        "delayAbortEval" => config.delay_abort_eval = Some(Duration::from_json(&member)?),
                        _ => (),
                    }
                }
            }
            _ => return Err(node.expected("an expression or {threshold, abortOnFail, delayAbortEval}")),
        }
        Ok(config)
    }

    fn to_json(&self) -> Value {
        if !self.abort_on_fail {
            return Value::from(self.expression.as_str());
        }
        Value::Object(Map::from_iter([
            ("threshold".to_owned(), Value::from(self.expression.as_str())),
            ("abortOnFail".to_owned(), Value::from(self.abort_on_fail)),
            ("delayAbortEval".to_owned(), self.delay_abort_eval.map_or(Value::Null, |delay| delay.to_json())),
        ]))
    }
}

/// The `thresholds` option: criteria by metric or submetric, in the order of the script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thresholds(pub Vec<(String, Vec<ThresholdConfig>)>);

impl OptionValue for Thresholds {
    fn from_json(node: &Node<'_>) -> Result<Thresholds, OptionsError> {
        let entry = |(metric, list): (&str, Node<'_>)| Ok((metric.to_owned(), Vec::from_json(&list)?));
        node.members()?.map(entry).collect::<Result<_, _>>().map(Thresholds)
    }

    /// By metric in sorted order, as k6 prints maps.
    fn to_json(&self) -> Value {
        let sorted: BTreeMap<_, _> =
            self.0.iter().map(|(metric, list)| (metric.clone(), list.to_json())).collect();
        Value::Object(sorted.into_iter().collect())
    }
}
