//! `squall inspect`: prints the options that a script exports.

use serde_json::{Map, Value};
use squall_engine::Requirements;
use squall_options::{
    OptionValue, Options, Stripe, SystemTags, consolidate, defaults, format_go_duration, resolve_execution,
};

use crate::{
    args::{GlobalArgs, InspectArgs, switch},
    commands::run::ScriptSource,
    config,
    error::{Error, Result},
    exit_code::ExitCode,
    flags,
    process::Process,
    runtime_options::{RuntimeOptions, SystemEnv},
    session,
};

/// Prints the script's options, or with `--execution-requirements` those of all layers and what they need.
pub fn execute(global: &GlobalArgs, args: &InspectArgs, process: &mut Process) -> Result<ExitCode> {
    let runtime = RuntimeOptions::resolve(global, &args.runtime, SystemEnv::Hidden, process)?;
    let script = ScriptSource::from_argument(&args.script, process)?;
    let options = session::probe_options(&script, &runtime, process)?;
    let json = match switch(args.execution_requirements).unwrap_or(false) {
        true => with_requirements(options, global, process)?,
        false => options.to_json(),
    };
    process.console.print(&format!("{:#}\n", Value::Object(json)));
    Ok(ExitCode::Success)
}

fn with_requirements(script: Options, global: &GlobalArgs, process: &Process) -> Result<Map<String, Value>> {
    let layers = [config::read(global, process)?.options, script, flags::from_env(process)?];
    let (options, warnings) = consolidate(layers);
    let (options, more) = resolve_execution(&options).map_err(|error| Error::config(error.to_string()))?;
    for warning in warnings.iter().chain(&more) {
        tracing::warn!("{warning}");
    }
    let stripe = Stripe::new(options.execution_segment.as_ref(), options.execution_segment_sequence.as_ref())
        .map_err(|error| Error::config(error.to_string()))?;
    let scenarios = options.scenarios.clone().unwrap_or_default().in_start_order();
    let needs = Requirements::of(&scenarios, &stripe);
    let mut json = options.to_json();
    let mut default = |key: &str, value: Value| {
        json.entry(key).and_modify(|set| {
            if set.is_null() {
                *set = value.clone()
            }
        });
    };
    default("summaryTrendStats", defaults::SUMMARY_TREND_STATS.to_vec().to_json());
    default("systemTags", SystemTags::default().to_json());
    json.insert("totalDuration".into(), needs.duration_max.map(format_go_duration).into());
    json.insert("maxVUs".into(), needs.vus_max.into());
    Ok(json)
}
