//! How layers of options combine, and what scenarios come of them.

use serde_json::{Map, Value, json};

use crate::{OptionValue, Options, OptionsError, Scenario, Scenarios, node::Node, options::parse};

/// One source of options: defaults, config file, script, environment or flags.
pub type Layer = Options;

/// Combines layers, lowest first. A layer that says how the test executes (duration, iterations, stages or scenarios)
/// wipes what lower layers said of it, and one that sets `network` what the scenarios of lower layers say of networks;
/// `dns` merges key by key; every other option is replaced as a whole.
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
        if let (Some(lower), Some(upper)) = (&options.dns, &mut layer.dns) {
            upper.fill_from(lower);
        }
        if let (Some(lower), Some(_)) = (&mut options.scenarios, &layer.network) {
            lower.forget_networks();
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
    if options.duration.is_some_and(|duration| duration.is_zero()) {
        let message = "must be more than 0; for an infinite test use the externally-controlled executor";
        return Err(OptionsError::new("options.duration", message));
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

#[cfg(test)]
mod tests;
