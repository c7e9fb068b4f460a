//! What a run leaves behind: the summary on standard output, `handleSummary`, the export.

use std::{cell::Cell, path::Path};

use squall_engine::{
    Clock, RunResult, RunState, WorkerContext,
    vu::{ScriptError, StopSignal},
};
use squall_js::{JsHost, SummaryFile};
use squall_metrics::GeneratorHealth;
use squall_options::{TimeUnit, defaults};
use squall_report::{Detail, MachineFacts, RunFacts, Summary};

use super::{Test, outputs::Outputs, script::LoadedScript};
use crate::{
    commands::run::RunPlan,
    process::{Interrupts, Process},
    runtime_options::SummaryMode,
};

/// A run that is over.
pub(super) struct Conclusion<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) test: &'a Test,
    pub(super) script: &'a LoadedScript,
    pub(super) result: &'a RunResult,
    pub(super) outputs: &'a Outputs,
    pub(super) state: &'a std::sync::Arc<RunState>,
    /// A signal that comes now ends `handleSummary`; one that ended the run does not.
    pub(super) interrupts: Option<Interrupts>,
}

impl Conclusion<'_> {
    /// Writes everything that is wanted. What fails is logged: results that were measured are not lost to it.
    pub(super) async fn write(
        &self,
        build_host: impl Fn(WorkerContext) -> JsHost,
        clock: Clock,
        process: &Process,
    ) {
        let mode = self.plan.runtime.summary_mode;
        if mode == SummaryMode::Disabled {
            return;
        }
        let facts = self.facts(process);
        let summary = Summary::new(&self.result.aggregate, &facts);
        let data = match self.plan.runtime.machine_readable_summary {
            true => summary.machine_readable(&self.machine_facts()),
            false => summary.handle_summary_data(),
        };
        let files = self.handle_summary(build_host, clock, data.to_string()).await;
        match files {
            Some(files) => write_files(&files, process),
            None => {
                let detail = if mode == SummaryMode::Full { Detail::Full } else { Detail::Compact };
                let colors = !self.plan.runtime.no_color && process.console.stdout_is_terminal();
                process.console.print(&summary.text(detail, colors));
            }
        }
        if let Some(path) = &self.plan.runtime.summary_export {
            let export = match self.plan.runtime.machine_readable_summary {
                true => data,
                false => summary.export(),
            };
            write_file(path, pretty(&export).as_bytes());
        }
    }

    fn facts(&self, process: &Process) -> RunFacts {
        let options = &self.test.options;
        RunFacts {
            run_duration: self.result.duration,
            trend_stats: options
                .summary_trend_stats
                .clone()
                .unwrap_or_else(|| defaults::SUMMARY_TREND_STATS.to_vec()),
            time_unit: options.summary_time_unit.unwrap_or(TimeUnit::Auto),
            no_color: self.plan.runtime.no_color,
            stdout_is_terminal: process.console.stdout_is_terminal(),
            stderr_is_terminal: process.console.stderr_is_terminal(),
            setup_data: self.state.setup_data.get().cloned().flatten(),
            generator: GeneratorHealth {
                samples_dropped: self.outputs.iter().map(|output| output.dropped()).sum(),
                ..self.result.generator.clone()
            },
        }
    }

    fn machine_facts(&self) -> MachineFacts {
        MachineFacts {
            script: self.script.source().to_owned(),
            generated_at: jiff::Timestamp::now().to_string(),
            version: crate::VERSION.to_owned(),
        }
    }

    /// What the script wants written instead of the usual summary.
    async fn handle_summary(
        &self,
        build_host: impl Fn(WorkerContext) -> JsHost,
        clock: Clock,
        data: String,
    ) -> Option<Vec<SummaryFile>> {
        let limit = self.test.options.handle_summary_timeout.unwrap_or(defaults::HANDLE_SUMMARY_TIMEOUT);
        let registry = std::sync::Arc::clone(self.result.aggregate.registry());
        let context = WorkerContext {
            worker: None,
            clock: clock.clone(),
            // What the script measures now comes too late for any summary.
            recorder: std::rc::Rc::new(std::cell::RefCell::new(squall_metrics::Recorder::new(registry))),
            state: std::sync::Arc::clone(self.state),
        };
        let host = build_host(context);
        let stop = StopSignal::default();
        let (timed_out, signalled) = (Cell::new(false), Cell::new(false));
        let cause = async {
            tokio::select! {
                () = clock.sleep(limit) => timed_out.set(true),
                () = interrupted(self.interrupts.clone()) => signalled.set(true),
            }
        };
        let limit = squall_options::format_go_duration(limit);
        match stop.raise_when(cause, host.handle_summary(data, &stop)).await {
            Ok(files) => return files,
            Err(ScriptError::Exception(message)) => tracing::error!("handleSummary() failed: {message}"),
            Err(ScriptError::Interrupted) if timed_out.get() => {
                tracing::error!(
                    hint = "You can increase the time limit via the handleSummaryTimeout option",
                    "handleSummary() took longer than {limit}"
                );
            }
            Err(ScriptError::Interrupted) if signalled.get() => {
                tracing::error!("handleSummary() was interrupted by a signal");
            }
            Err(ScriptError::Interrupted) => {
                tracing::error!(
                    "handleSummary() called exec.test.abort(), which comes too late to abort the run"
                );
            }
        }
        None
    }
}

/// Ready at the first signal; never without interrupts.
async fn interrupted(interrupts: Option<Interrupts>) {
    match interrupts {
        Some(mut interrupts) => interrupts.first().await,
        None => std::future::pending().await,
    }
}

/// JSON with four spaces, as k6 exports it.
fn pretty(value: &serde_json::Value) -> String {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    // Writing a value that was built here into memory cannot fail.
    let _ = serde::Serialize::serialize(value, &mut serializer);
    String::from_utf8_lossy(&text).into_owned()
}

fn write_files(files: &[SummaryFile], process: &Process) {
    for file in files {
        match file.target.as_str() {
            "stdout" => process.console.print_bytes(&file.content),
            "stderr" => process.console.print_error(&String::from_utf8_lossy(&file.content)),
            path => write_file(&process.resolve(path), &file.content),
        }
    }
}

fn write_file(path: &Path, content: &[u8]) {
    if let Err(error) = std::fs::write(path, content) {
        tracing::error!("could not save the summary to {}: {error}", path.display());
    }
}
