//! How layers of options combine, and what scenarios come of them.

use serde_json::{Map, Value, json};

use crate::{
    Executor, OptionValue, Options, OptionsError, Scenario, Scenarios, Stripe, node::Node, options::parse,
};

/// One source of options: defaults, config file, script, environment or flags.
pub type Layer = Options;

/// Combines layers, lowest first. A layer that says how the test executes (duration, iterations, stages or scenarios)
/// wipes what lower layers said of it; `dns` merges key by key; every other option is replaced as a whole.
pub fn consolidate(layers: impl IntoIterator<Item = Layer>) -> (Options, Vec<String>) {
    let mut options = Options::default();
    let mut warnings = Vec::new();
    for mut layer in layers {
        if sets_execution(&layer) {
            if options.scenarios.as_ref().is_some_and(|scenarios| !scenarios.0.is_empty()) {
                warnings.push(
                    "the scenarios of a lower layer (script or config file) are overridden by other execution options"
                        .to_owned(),
                );
            }
            (options.duration, options.iterations) = (None, None);
            (options.stages, options.scenarios) = (None, None);
        }
        if let (Some(lower), Some(upper)) = (&mut options.dns, layer.dns.take()) {
            lower.overlay(upper);
        }
        options.overlay(layer);
    }
    (options, warnings)
}

fn sets_execution(options: &Options) -> bool {
    options.duration.is_some()
        || options.iterations.is_some()
        || options.stages.is_some()
        || options.scenarios.is_some()
}

/// The options with their shortcuts turned into `scenarios`, and warnings. Shortcuts that exclude one another are
/// errors.
pub fn resolve_execution(options: &Options) -> Result<(Options, Vec<String>), OptionsError> {
    let mut warnings = Vec::new();
    let scenarios = match shortcut(options)? {
        Some(config) => {
            if only_vus(options)
                && options.scenarios.as_ref().is_some_and(|scenarios| !scenarios.0.is_empty())
            {
                warnings.push(
                    "`vus` overrides `scenarios`: give `vus` within a scenario to keep them".to_owned(),
                );
            }
            Scenarios::of_default(config)?
        }
        None => match options.scenarios.clone().filter(|scenarios| !scenarios.0.is_empty()) {
            Some(scenarios) => scenarios,
            None => {
                warnings.extend(empty_execution(options));
                Scenarios::of_default(json!({ "executor": "per-vu-iterations" }))?
            }
        },
    };
    Ok((Options { scenarios: Some(scenarios), ..options.clone() }, warnings))
}

/// The scenarios that the options ask for, in the order in which they start.
pub fn derive_scenarios(options: &Options) -> Result<Vec<Scenario>, OptionsError> {
    let (options, _) = resolve_execution(options)?;
    Ok(options.scenarios.unwrap_or_default().in_start_order())
}

/// The scenario that the shortcuts mean, as JSON; `None` when no shortcut is set.
fn shortcut(options: &Options) -> Result<Option<Value>, OptionsError> {
    let stages = options.stages.as_ref().filter(|stages| !stages.0.is_empty());
    let set = [
        ("iterations", options.iterations.is_some()),
        ("duration", options.duration.is_some()),
        ("stages", stages.is_some()),
        ("scenarios", options.scenarios.is_some()),
    ];
    let set: Vec<&str> = set.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key).collect();
    if let [first, .., last] = set[..]
        && set != ["iterations", "duration"]
    {
        return Err(OptionsError::new(
            "options",
            format!("`{first}` and `{last}` cannot be used together; use one of them"),
        ));
    }
    let vus = options.vus;
    let duration = options.duration.map(|duration| duration.to_json());
    Ok(if let Some(iterations) = options.iterations {
        Some(json!({
            "executor": "shared-iterations", "vus": vus, "iterations": iterations, "maxDuration": duration,
        }))
    } else if let Some(duration) = duration {
        Some(json!({ "executor": "constant-vus", "vus": vus, "duration": duration }))
    } else if let Some(stages) = stages {
        Some(json!({ "executor": "ramping-vus", "startVUs": vus, "stages": stages.to_json() }))
    } else if only_vus(options) {
        Some(json!({ "executor": "shared-iterations", "vus": vus, "iterations": vus }))
    } else {
        None
    })
}

/// Whether `vus` is the only shortcut. k6 takes it for as many shared iterations since 2.1, scenarios or not.
fn only_vus(options: &Options) -> bool {
    options.vus.is_some()
        && options.duration.is_none()
        && options.iterations.is_none()
        && options.stages.as_ref().is_none_or(|stages| stages.0.is_empty())
}

/// Warnings about execution options that are there but empty.
fn empty_execution(options: &Options) -> impl Iterator<Item = String> {
    [("stages", options.stages.is_some()), ("scenarios", options.scenarios.is_some())]
        .into_iter()
        .filter(|(_, is_set)| *is_set)
        .map(|(key, _)| format!("`{key}` is empty: the script runs one iteration in one VU"))
}

/// Reads the `K6_*` variables of options. Empty variables count as unset.
pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Options, OptionsError> {
    let mut options = Options::default();
    options.set_env(&lookup)?;
    Ok(options)
}

/// The contents of a config file: options, and keys that are about the run's outputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigFile {
    /// Everything that scripts can set too.
    pub options: Options,
    /// Outputs, as `--out` takes them.
    pub out: Option<Vec<String>>,
    /// Keep running after the test's end.
    pub linger: Option<bool>,
    /// Accepted for k6's sake: Squall reports no usage.
    pub no_usage_report: Option<bool>,
    /// Serve the live dashboard.
    pub web_dashboard: Option<bool>,
    /// Settings of each output, by its name.
    pub collectors: Map<String, Value>,
}

/// Reads a config file. Unknown keys are not errors: each gives a warning.
pub fn from_config_file(json: &str) -> Result<(ConfigFile, Vec<String>), OptionsError> {
    let value = parse(json, "config")?;
    let mut config = ConfigFile::default();
    let mut warnings = Vec::new();
    for (key, node) in Node::root("config", &value).members()? {
        match key {
            "out" => config.out = Some(one_or_many(&node)?),
            "linger" => config.linger = Some(bool::from_json(&node)?),
            "noUsageReport" => config.no_usage_report = Some(bool::from_json(&node)?),
            "webDashboard" => config.web_dashboard = Some(bool::from_json(&node)?),
            "collectors" => config.collectors = node.object()?.clone(),
            // For the vendor's cloud and feature switches, which Squall does not have.
            "noArchiveUpload" | "features" => (),
            _ if config.options.set_json(key, &node)? => (),
            _ => warnings.push(format!("unknown key config.{key} is ignored")),
        }
    }
    Ok((config, warnings))
}

fn one_or_many(node: &Node<'_>) -> Result<Vec<String>, OptionsError> {
    match node.value() {
        Value::String(one) => Ok(vec![one.clone()]),
        _ => Vec::from_json(node),
    }
}

/// Most VUs, and highest target of a ramp: k6's limit.
const LARGEST_TARGET: u64 = 100_000_000;

/// Checks what is well-formed but makes no sense to run. All problems are given at once.
pub fn validate(options: &Options, scenarios: &[Scenario]) -> Result<(), Vec<OptionsError>> {
    let mut problems = Vec::new();
    if options.setup_timeout.is_some_and(|timeout| timeout.is_zero()) {
        problems.push(OptionsError::new("options.setupTimeout", "must be more than 0"));
    }
    let segment = options.execution_segment.as_ref();
    if let Err(problem) = Stripe::new(segment, options.execution_segment_sequence.as_ref()) {
        problems.push(problem);
    }
    for scenario in scenarios {
        check_scenario(scenario, &mut |key, message| {
            let path = format!("options.scenarios.{}.{key}", scenario.name);
            problems.push(OptionsError::new(path.trim_end_matches('.'), message));
        });
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn check_scenario(scenario: &Scenario, problem: &mut impl FnMut(&str, &str)) {
    let name_is_valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if scenario.name.is_empty() || !scenario.name.chars().all(name_is_valid) {
        problem("", "the name may hold only letters, digits, _ and -");
    }
    if scenario.exec.is_empty() {
        problem("exec", "must not be empty");
    }
    check_executor(&scenario.executor, problem);
}

fn check_executor(executor: &Executor, problem: &mut impl FnMut(&str, &str)) {
    let second = std::time::Duration::from_secs(1);
    let mut at_least = |key: &str, holds: bool, bound: &str| {
        if !holds {
            problem(key, &format!("must be {bound}"));
        }
    };
    match executor {
        Executor::SharedIterations { vus, iterations, max_duration } => {
            at_least("vus", *vus > 0, "more than 0");
            at_least("iterations", iterations >= vus, "at least the number of VUs");
            at_least("maxDuration", *max_duration >= second, "at least 1s");
        }
        Executor::PerVuIterations { vus, iterations, max_duration } => {
            at_least("vus", *vus > 0, "more than 0");
            at_least("iterations", *iterations > 0, "more than 0");
            at_least("maxDuration", *max_duration >= second, "at least 1s");
        }
        Executor::ConstantVus { vus, duration } => {
            at_least("vus", *vus > 0, "more than 0");
            at_least("duration", *duration >= second, "at least 1s");
        }
        Executor::RampingVus { start_vus, stages, .. } => {
            let targets = || stages.iter().map(|stage| stage.target);
            at_least("stages", !stages.is_empty(), "a list of at least one stage");
            at_least(
                "startVUs",
                *start_vus > 0 || targets().any(|target| target > 0),
                "more than 0, or some stage's target",
            );
            at_least("stages", targets().all(|target| target <= LARGEST_TARGET), "no higher than 100000000");
        }
        Executor::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus } => {
            at_least("rate", *rate > 0, "more than 0");
            at_least("timeUnit", !time_unit.is_zero(), "more than 0");
            at_least("duration", *duration >= second, "at least 1s");
            at_least("maxVUs", max_vus >= pre_allocated_vus, "at least preAllocatedVUs");
        }
        Executor::RampingArrivalRate { time_unit, stages, pre_allocated_vus, max_vus, .. } => {
            at_least("timeUnit", !time_unit.is_zero(), "more than 0");
            at_least("stages", !stages.is_empty(), "a list of at least one stage");
            at_least("maxVUs", max_vus >= pre_allocated_vus, "at least preAllocatedVUs");
        }
        Executor::ExternallyControlled { vus, max_vus, .. } => {
            at_least("maxVUs", max_vus >= vus && *max_vus > 0, "more than 0 and at least the number of VUs");
        }
    }
}
