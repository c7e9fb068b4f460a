//! Flags and environment to layers of script options.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use squall_options::{FromText, Options, parse_go_duration};

use crate::{
    args::{OptionArgs, switch},
    error::{Error, Result},
    process::Process,
};

/// The variable of the `network` option.
const NETWORK: &str = "SQUALL_NETWORK";

/// The layer of `K6_*` variables.
pub fn from_env(process: &Process) -> Result<Options> {
    let network = process.env(NETWORK).map(|text| network_text(text, process)).transpose();
    let network = network.map_err(|problem| Error::config(format!("{NETWORK}: {problem}")))?;
    squall_options::from_env(|name| match name {
        NETWORK => network.clone(),
        _ => process.env.get(name).cloned(),
    })
    .map_err(|error| Error::config(error.to_string()))
}

/// The layer of flags, the highest. What cannot be read is bad usage; what makes no sense together is found
/// when all layers have been combined.
pub fn from_flags(args: &OptionArgs, process: &Process) -> Result<Options> {
    let network = args.network.as_deref().map(|text| network_text(text, process)).transpose();
    let network = network.map_err(|problem| unusable("--network", &problem))?;
    Ok(Options {
        network: value("--network", network.as_deref())?,
        paused: switch(args.paused),
        vus: args.vus,
        duration: duration("--duration", args.duration.as_deref())?,
        iterations: args.iterations,
        stages: list("--stage", &args.stages)?,
        execution_segment: parsed("--execution-segment", args.execution_segment.as_deref())?,
        execution_segment_sequence: parsed(
            "--execution-segment-sequence",
            args.execution_segment_sequence.as_deref(),
        )?,
        no_setup: switch(args.no_setup),
        no_teardown: switch(args.no_teardown),
        rps: args.rps,
        dns: value("--dns", args.dns.as_deref())?,
        max_redirects: args.max_redirects,
        user_agent: args.user_agent.clone(),
        batch: args.batch,
        batch_per_host: args.batch_per_host,
        http_debug: value("--http-debug", args.http_debug.as_deref())?,
        insecure_skip_tls_verify: switch(args.insecure_skip_tls_verify),
        throw: switch(args.throw),
        blacklist_ips: list("--blacklist-ip", &args.blacklist_ips)?,
        block_hostnames: list("--block-hostnames", &args.block_hostnames)?,
        no_connection_reuse: switch(args.no_connection_reuse),
        no_vu_connection_reuse: switch(args.no_vu_connection_reuse),
        min_iteration_duration: duration("--min-iteration-duration", args.min_iteration_duration.as_deref())?,
        summary_trend_stats: list("--summary-trend-stats", &args.summary_trend_stats)?,
        summary_time_unit: value("--summary-time-unit", args.summary_time_unit.as_deref())?,
        system_tags: value("--system-tags", args.system_tags.as_ref().map(|tags| tags.join(",")).as_deref())?,
        tags: tags(&args.tags)?,
        discard_response_bodies: switch(args.discard_response_bodies),
        console_output: args.console_output.clone(),
        local_ips: value("--local-ips", args.local_ips.as_deref())?,
        vu_memory_limit: value("--vu-memory-limit", args.vu_memory_limit.as_deref())?,
        ..Options::default()
    })
}

/// What names a file stands for what is in it.
fn network_text(text: &str, process: &Process) -> std::result::Result<String, String> {
    if !text.ends_with(".json") {
        return Ok(text.to_owned());
    }
    let path = process.resolve(text);
    std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// A flag's value in the syntax that the option's variable has, too.
fn value<T: FromText>(flag: &str, text: Option<&str>) -> Result<Option<T>> {
    text.map(|text| T::from_text(text).map_err(|problem| unusable(flag, &problem))).transpose()
}

fn parsed<T: FromStr<Err = String>>(flag: &str, text: Option<&str>) -> Result<Option<T>> {
    text.map(|text| text.parse().map_err(|problem: String| unusable(flag, &problem))).transpose()
}

/// Flags take durations with their unit only, as in k6; elsewhere a bare number is milliseconds.
fn duration(flag: &str, text: Option<&str>) -> Result<Option<Duration>> {
    text.map(|text| parse_go_duration(text).map_err(|problem| unusable(flag, &problem))).transpose()
}

/// A flag that may be repeated; not given at all, it sets nothing.
fn list<T: FromText>(flag: &str, texts: &[String]) -> Result<Option<T>> {
    value(flag, (!texts.is_empty()).then(|| texts.join(",")).as_deref())
}

fn tags(pairs: &[String]) -> Result<Option<BTreeMap<String, String>>> {
    let tag = |pair: &String| match pair.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err(unusable("--tag", &format!("expected NAME=VALUE with both of them, found {pair:?}"))),
    };
    if pairs.is_empty() {
        return Ok(None);
    }
    pairs.iter().map(tag).collect::<Result<_>>().map(Some)
}

fn unusable(flag: &str, problem: &str) -> Error {
    Error::usage(format!("{flag}: {problem}"))
}

#[cfg(test)]
mod tests;
