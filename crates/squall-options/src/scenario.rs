//! Scenarios: which function runs, how often or with how many VUs, and when.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};

use crate::{
    NetworkShares, OptionValue, OptionsError, Stripe, duration::format_go_duration, node::Node,
    parse_go_duration, value::FromText,
};

const DEFAULT_GRACEFUL_STOP: Duration = Duration::from_secs(30);
const DEFAULT_GRACEFUL_RAMP_DOWN: Duration = Duration::from_secs(30);
const DEFAULT_MAX_DURATION: Duration = Duration::from_secs(10 * 60);
const DEFAULT_TIME_UNIT: Duration = Duration::from_secs(1);

/// A named workload: an executor, when it starts, and what its VUs run. All defaults are filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its key in `scenarios`; `default` when made from a shortcut.
    pub name: String,
    /// Offset from the start of the test.
    pub start_time: Duration,
    /// How long iterations may go on after the regular duration.
    pub graceful_stop: Duration,
    /// Environment variables laid over the script's `__ENV`.
    pub env: BTreeMap<String, String>,
    /// Exported function to run.
    pub exec: String,
    /// Tags of every sample of this scenario.
    pub tags: BTreeMap<String, String>,
    /// When its VUs iterate.
    pub executor: Executor,
}

/// The strategy by which iterations start. Field meanings and defaults are k6's.
#[derive(Debug, Clone, PartialEq)]
pub enum Executor {
    /// VUs take iterations from one shared count.
    SharedIterations { vus: u64, iterations: u64, max_duration: Duration },
    /// Each VU runs the same number of iterations.
    PerVuIterations { vus: u64, iterations: u64, max_duration: Duration },
    /// A fixed number of VUs loop.
    ConstantVus { vus: u64, duration: Duration },
    /// The number of looping VUs follows stages.
    RampingVus { start_vus: u64, stages: Vec<Stage>, graceful_ramp_down: Duration },
    /// `rate` iterations start every `time_unit`.
    ConstantArrivalRate {
        rate: u64,
        time_unit: Duration,
        duration: Duration,
        pre_allocated_vus: u64,
        max_vus: u64,
    },
    /// The arrival rate follows stages.
    RampingArrivalRate {
        start_rate: u64,
        time_unit: Duration,
        stages: Vec<Stage>,
        pre_allocated_vus: u64,
        max_vus: u64,
    },
    /// The number of looping VUs is set from outside. `duration: None` runs until stopped.
    ExternallyControlled { vus: u64, max_vus: u64, duration: Option<Duration> },
}

/// A linear change to `target` over `duration`; no duration is a jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Length of the ramp.
    pub duration: Duration,
    /// VUs or arrival rate at its end.
    pub target: u64,
}

impl Scenario {
    /// One line about the scenario, as k6 words it, for the part of the test that `stripe` is.
    pub fn describe(&self, stripe: &Stripe) -> String {
        let mut facts = Vec::new();
        let summary = self.executor.summary(stripe, &mut facts);
        if self.exec != "default" {
            facts.push(format!("exec: {}", self.exec));
        }
        if !self.start_time.is_zero() {
            facts.push(format!("startTime: {}", format_go_duration(self.start_time)));
        }
        if !self.graceful_stop.is_zero() {
            facts.push(format!("gracefulStop: {}", format_go_duration(self.graceful_stop)));
        }
        if facts.is_empty() { summary } else { format!("{summary} ({})", facts.join(", ")) }
    }
}

impl Executor {
    const KINDS: [&str; 7] = [
        "shared-iterations",
        "per-vu-iterations",
        "constant-vus",
        "ramping-vus",
        "constant-arrival-rate",
        "ramping-arrival-rate",
        "externally-controlled",
    ];

    /// The name that scripts select it by.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Executor::SharedIterations { .. } => "shared-iterations",
            Executor::PerVuIterations { .. } => "per-vu-iterations",
            Executor::ConstantVus { .. } => "constant-vus",
            Executor::RampingVus { .. } => "ramping-vus",
            Executor::ConstantArrivalRate { .. } => "constant-arrival-rate",
            Executor::RampingArrivalRate { .. } => "ramping-arrival-rate",
            Executor::ExternallyControlled { .. } => "externally-controlled",
        }
    }

    /// The workload in words; details for the parentheses go to `facts`.
    fn summary(&self, stripe: &Stripe, facts: &mut Vec<String>) -> String {
        let time = |duration: &Duration| format_go_duration(*duration);
        let per_second = |rate: f64, unit: &Duration| rate / unit.as_secs_f64();
        let pool = |allocated: &u64, max: &u64| match (stripe.share_of(*allocated), stripe.share_of(*max)) {
            (allocated, max) if allocated < max => format!("maxVUs: {allocated}-{max}"),
            (_, max) => format!("maxVUs: {max}"),
        };
        match self {
            Executor::SharedIterations { vus, iterations, max_duration } => {
                facts.push(format!("maxDuration: {}", time(max_duration)));
                let iterations = stripe.by_share_of(*vus).map_or(0, |part| part.share_of(*iterations));
                format!("{iterations} iterations shared among {} VUs", stripe.share_of(*vus))
            }
            Executor::PerVuIterations { vus, iterations, max_duration } => {
                facts.push(format!("maxDuration: {}", time(max_duration)));
                format!("{iterations} iterations for each of {} VUs", stripe.share_of(*vus))
            }
            Executor::ConstantVus { vus, duration } => {
                format!("{} looping VUs for {}", stripe.share_of(*vus), time(duration))
            }
            Executor::RampingVus { start_vus, stages, graceful_ramp_down } => {
                facts.push(format!("gracefulRampDown: {}", time(graceful_ramp_down)));
                let vus = stripe.share_of(highest(*start_vus, stages));
                format!("Up to {vus} looping VUs for {} over {} stages", time(&total(stages)), stages.len())
            }
            Executor::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus } => {
                facts.push(pool(pre_allocated_vus, max_vus));
                let part = stripe.by_share_of(*max_vus).map_or(0.0, |part| part.fraction());
                let rate = per_second(*rate as f64 * part, time_unit);
                format!("{rate:.2} iterations/s for {}", time(duration))
            }
            Executor::RampingArrivalRate { start_rate, time_unit, stages, pre_allocated_vus, max_vus } => {
                facts.push(pool(pre_allocated_vus, max_vus));
                let rate = per_second(highest(*start_rate, stages) as f64 * stripe.fraction(), time_unit);
                let (length, count) = (time(&total(stages)), stages.len());
                format!("Up to {rate:.2} iterations/s for {length} over {count} stages")
            }
            Executor::ExternallyControlled { vus, max_vus, duration } => {
                let lasting = match duration {
                    Some(duration) => format!("{} duration", time(duration)),
                    None => "infinite duration".to_owned(),
                };
                format!("Externally controlled execution with {vus} VUs, {max_vus} max VUs, {lasting}")
            }
        }
    }
}

fn highest(start: u64, stages: &[Stage]) -> u64 {
    stages.iter().map(|stage| stage.target).fold(start, u64::max)
}

fn total(stages: &[Stage]) -> Duration {
    stages.iter().fold(Duration::ZERO, |sum, stage| sum.saturating_add(stage.duration))
}

impl OptionValue for Stage {
    fn from_json(node: &Node<'_>) -> Result<Stage, OptionsError> {
        let mut fields = Fields::new(node)?;
        let stage = Stage { duration: fields.required("duration")?, target: fields.required("target")? };
        fields.finish()?;
        Ok(stage)
    }

    fn to_json(&self) -> Value {
        let fields = [("duration", self.duration.to_json()), ("target", Value::from(self.target))];
        Value::Object(fields.map(|(key, value)| (key.to_owned(), value)).into_iter().collect())
    }
}

/// The `stages` shortcut. Unlike a scenario's stages, one without a duration is passed over and unknown keys do
/// not matter, as in k6.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stages(pub Vec<Stage>);

impl OptionValue for Stages {
    fn from_json(node: &Node<'_>) -> Result<Stages, OptionsError> {
        let mut stages = Vec::new();
        for element in node.elements()? {
            let mut fields = Fields::new(&element)?;
            if let Some(duration) = fields.read("duration")? {
                stages.push(Stage { duration, target: fields.required("target")? });
            }
        }
        Ok(Stages(stages))
    }

    fn to_json(&self) -> Value {
        self.0.to_json()
    }
}

impl FromText for Stages {
    /// `10s:5,1m:20`: durations with their unit.
    fn from_text(text: &str) -> Result<Stages, String> {
        let stage = |stage: &str| {
            let (duration, target) =
                stage.split_once(':').ok_or_else(|| format!("expected duration:target, found {stage:?}"))?;
            let duration = parse_go_duration(duration.trim())?;
            Ok(Stage { duration, target: u64::from_text(target.trim())? })
        };
        text.split(',').map(stage).collect::<Result<_, String>>().map(Stages)
    }
}

/// A scenario and the JSON of it that k6 would echo: every key of its executor, null where unset.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioConfig {
    /// With defaults filled in.
    pub scenario: Scenario,
    /// The networks of its VUs. Squall's own: k6 refuses the key, so `network.scenarios` can say the same.
    pub network: Option<NetworkShares>,
    /// As `inspect` and `exec.test.options` show it.
    pub echo: Map<String, Value>,
}

impl ScenarioConfig {
    /// Reads the scenario called `name`. Keys that its executor does not have are errors.
    pub fn from_json(name: &str, node: &Node<'_>) -> Result<ScenarioConfig, OptionsError> {
        let mut fields = Fields::new(node)?;
        let kind: String = fields.required("executor")?;
        let start_time = fields.optional("startTime", Duration::ZERO)?;
        let graceful_stop: Option<Duration> = fields.read("gracefulStop")?;
        let env = fields.optional("env", BTreeMap::new())?;
        let exec = fields.optional("exec", "default".to_owned())?;
        let tags = fields.optional("tags", BTreeMap::new())?;
        // Browser settings: accepted so that such scripts load.
        if node.value().get("options").is_some_and(Value::is_object) {
            fields.read::<Value>("options")?;
        }
        let network = match node.value().get("network") {
            Some(network) if !network.is_null() => fields.read("network")?,
            _ => None,
        };
        let executor = read_executor(&kind, &mut fields)?;
        let graceful_stop = match (&executor, graceful_stop) {
            (Executor::ExternallyControlled { .. }, None) => Duration::ZERO,
            (Executor::ExternallyControlled { .. }, Some(_)) => {
                return Err(node.error_at("gracefulStop", "is not supported by externally-controlled"));
            }
            (_, graceful_stop) => graceful_stop.unwrap_or(DEFAULT_GRACEFUL_STOP),
        };
        let scenario =
            Scenario { name: name.to_owned(), start_time, graceful_stop, env, exec, tags, executor };
        Ok(ScenarioConfig { scenario, network, echo: fields.finish()? })
    }
}

fn read_executor(kind: &str, fields: &mut Fields<'_>) -> Result<Executor, OptionsError> {
    Ok(match kind {
        "shared-iterations" => Executor::SharedIterations {
            vus: fields.optional("vus", 1)?,
            iterations: fields.optional("iterations", 1)?,
            max_duration: fields.optional("maxDuration", DEFAULT_MAX_DURATION)?,
        },
        "per-vu-iterations" => Executor::PerVuIterations {
            vus: fields.optional("vus", 1)?,
            iterations: fields.optional("iterations", 1)?,
            max_duration: fields.optional("maxDuration", DEFAULT_MAX_DURATION)?,
        },
        "constant-vus" => {
            Executor::ConstantVus { vus: fields.optional("vus", 1)?, duration: fields.required("duration")? }
        }
        "ramping-vus" => Executor::RampingVus {
            start_vus: fields.optional("startVUs", 1)?,
            stages: fields.required("stages")?,
            graceful_ramp_down: fields.optional("gracefulRampDown", DEFAULT_GRACEFUL_RAMP_DOWN)?,
        },
        "constant-arrival-rate" => {
            let rate = fields.required("rate")?;
            let time_unit = fields.optional("timeUnit", DEFAULT_TIME_UNIT)?;
            let duration = fields.required("duration")?;
            let pre_allocated_vus = fields.required("preAllocatedVUs")?;
            let max_vus = fields.optional("maxVUs", pre_allocated_vus)?;
            Executor::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus }
        }
        "ramping-arrival-rate" => {
            let start_rate = fields.optional("startRate", 0)?;
            let time_unit = fields.optional("timeUnit", DEFAULT_TIME_UNIT)?;
            let stages = fields.required("stages")?;
            let pre_allocated_vus = fields.required("preAllocatedVUs")?;
            let max_vus = fields.optional("maxVUs", pre_allocated_vus)?;
            Executor::RampingArrivalRate { start_rate, time_unit, stages, pre_allocated_vus, max_vus }
        }
        "externally-controlled" => {
            let vus = fields.optional("vus", 1)?;
            let duration: Duration = fields.required("duration")?;
            let max_vus = fields.optional("maxVUs", vus)?;
            // Zero is k6's way to write "for ever".
            let duration = Some(duration).filter(|duration| !duration.is_zero());
            Executor::ExternallyControlled { vus, max_vus, duration }
        }
        _ => {
            let known = Executor::KINDS.join(", ");
            let message = format!("unknown executor {kind:?} (expected one of {known})");
            return Err(fields.node.error_at("executor", message));
        }
    })
}

/// The `scenarios` option, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scenarios(pub BTreeMap<String, ScenarioConfig>);

impl Scenarios {
    /// A single scenario called `default`, as shortcuts make it, from its JSON.
    pub(crate) fn of_default(config: Value) -> Result<Scenarios, OptionsError> {
        let config = ScenarioConfig::from_json("default", &Node::root("options", &config))?;
        Ok(Scenarios(BTreeMap::from([("default".to_owned(), config)])))
    }

    /// Has what a higher layer says of networks hold for all of them.
    pub(crate) fn forget_networks(&mut self) {
        for config in self.0.values_mut() {
            config.network = None;
            config.echo.remove("network");
        }
    }

    /// The scenarios in the order in which they start, and by name where they start together.
    pub fn in_start_order(&self) -> Vec<Scenario> {
        let mut scenarios: Vec<_> = self.0.values().map(|config| config.scenario.clone()).collect();
        scenarios.sort_by_key(|scenario| scenario.start_time);
        scenarios
    }
}

impl OptionValue for Scenarios {
    fn from_json(node: &Node<'_>) -> Result<Scenarios, OptionsError> {
        let entry = |(name, value): (&String, &Value)| {
            Ok((name.clone(), ScenarioConfig::from_json(name, &node.at(name, value))?))
        };
        node.object()?.iter().map(entry).collect::<Result<_, _>>().map(Scenarios)
    }

    fn to_json(&self) -> Value {
        let entry =
            |(name, config): (&String, &ScenarioConfig)| (name.clone(), Value::Object(config.echo.clone()));
        Value::Object(self.0.iter().map(entry).collect())
    }
}

/// Reads an object key by key, keeps what it read as echo, and at the end refuses keys that nobody asked for.
struct Fields<'a> {
    node: &'a Node<'a>,
    map: &'a Map<String, Value>,
    echo: Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn new(node: &'a Node<'a>) -> Result<Fields<'a>, OptionsError> {
        Ok(Fields { node, map: node.object()?, echo: Map::new() })
    }

    /// The value at `key`; `None` when it is null or absent.
    fn read<T: OptionValue>(&mut self, key: &str) -> Result<Option<T>, OptionsError> {
        let value = match self.map.get(key).filter(|value| !value.is_null()) {
            Some(value) => Some(T::from_json(&self.node.at(key, value))?),
            None => None,
        };
        self.echo.insert(key.to_owned(), value.as_ref().map_or(Value::Null, T::to_json));
        Ok(value)
    }

    fn optional<T: OptionValue>(&mut self, key: &str, default: T) -> Result<T, OptionsError> {
        Ok(self.read(key)?.unwrap_or(default))
    }

    fn required<T: OptionValue>(&mut self, key: &str) -> Result<T, OptionsError> {
        self.read(key)?.ok_or_else(|| self.node.error_at(key, "is required"))
    }

    /// What was read, unless the object holds more.
    fn finish(self) -> Result<Map<String, Value>, OptionsError> {
        match self.map.keys().find(|key| !self.echo.contains_key(*key)) {
            Some(key) => Err(self.node.error_at(key, "unknown key")),
            None => Ok(self.echo),
        }
    }
}
