//! What a run reported, as comparable lines of text by facet. Numbers that depend on timing become `~`.

mod csv;
mod export;
mod log;
mod points;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::run::Observed;
use super::script::Script;

/// Lines by facet, one entry for each facet the script compares.
pub(super) type Facts = BTreeMap<String, Vec<String>>;

/// Reduces a run to the facets that `script` compares.
pub(super) fn facts(script: &Script, observed: &Observed) -> Facts {
    script.facets.iter().map(|facet| (facet.clone(), lines(facet, script, observed))).collect()
}

fn lines(facet: &str, script: &Script, observed: &Observed) -> Vec<String> {
    let metrics = Metrics { ignored: &script.ignored_metrics };
    let export = || export::parse(observed.export.as_deref());
    match facet {
        "exit" => exit(observed),
        "console" => log::console(&observed.log, script),
        "errors" => log::errors(&observed.log),
        "counts" => export().counts(metrics),
        "submetrics" => export().submetrics(metrics),
        "checks" => export().checks(),
        "thresholds" => export().thresholds(),
        "json" => points::lines(observed.points.as_deref(), metrics),
        "stdout" => text::verbatim(&observed.stdout),
        "text" => text::lines(&observed.stdout),
        "files" => files(observed),
        _ => unreachable!("the header knows the facets"),
    }
}

fn exit(observed: &Observed) -> Vec<String> {
    let Observed { finished, .. } = observed;
    vec![match finished.code {
        _ if finished.exceeded.is_some() => "never ended".to_owned(),
        Some(code) => code.to_string(),
        None => "ended by a signal".to_owned(),
    }]
}

/// The files in the run's folder with their content.
fn files(observed: &Observed) -> Vec<String> {
    let entries = fs::read_dir(&observed.folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.iter().flat_map(|path| file(path)).collect()
}

fn file(path: &Path) -> Vec<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let content = fs::read(path).unwrap_or_default();
    let content = String::from_utf8_lossy(&content);
    let content = if name.ends_with(".csv") { csv::lines(&content) } else { text::lines(&content) };
    [vec![format!("== {name}")], content].concat()
}

/// Which metrics count, and which of their numbers are stable.
#[derive(Clone, Copy)]
struct Metrics<'a> {
    ignored: &'a [String],
}

impl Metrics<'_> {
    /// Whether the metric is compared: `vus` and `vus_max` only appear in runs longer than a second, and
    /// `iteration_lateness` is Squall's own.
    fn compares(self, name: &str) -> bool {
        let base = base(name);
        !matches!(base, "vus" | "vus_max" | "iteration_lateness")
            && !self.ignored.iter().any(|ignored| ignored == base)
    }
}

/// Whether the metric measures time or bytes that differ from run to run.
fn measured(name: &str) -> bool {
    let base = base(name);
    let http_time = base.starts_with("http_req_") && base != "http_req_failed";
    let socket_time = matches!(base, "ws_connecting" | "ws_ping" | "ws_session_duration");
    http_time
        || socket_time
        || matches!(base, "iteration_duration" | "group_duration" | "data_sent" | "data_received")
}

/// `http_reqs{a:b}` belongs to `http_reqs`.
fn base(name: &str) -> &str {
    name.split('{').next().unwrap_or(name)
}
