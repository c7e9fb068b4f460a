//! The outputs of a run: who gets raw samples.

use std::sync::Arc;

use squall_engine::RunState;
use squall_metrics::Aggregate;
use squall_output::{OutputContext, OutputHandle};

use super::Test;
use crate::{
    commands::run::RunPlan,
    error::{Error, Result},
    process::Process,
};

pub(super) type Outputs = Vec<Arc<OutputHandle>>;

/// Starts what the user asked for.
pub(super) fn start(
    plan: &RunPlan,
    test: &Test,
    aggregate: &Aggregate,
    state: &RunState,
    process: &Process,
) -> Result<Outputs> {
    let context = OutputContext {
        aggregate,
        thresholds: &test.thresholds(),
        started_at: state.started_at,
        system_tags: test.options.system_tags.unwrap_or_default(),
        env: &|name| process.env(name).map(str::to_owned),
    };
    let started = plan.outs.iter().map(|spec| squall_output::start(spec, &context).map(Arc::new));
    started.collect::<std::result::Result<_, _>>().map_err(|error| Error::usage(error.to_string()))
}

/// Waits until everything is written; whether something was lost.
pub(super) fn finish(outputs: Outputs) -> bool {
    let mut lost = false;
    for output in outputs {
        match output.finish() {
            Ok(report) if report.dropped > 0 => {
                let (name, dropped, written) = (output.name(), report.dropped, report.samples);
                tracing::warn!(
                    "{name} output: {dropped} samples did not fit into its queue and were dropped, {written} were written"
                );
            }
            Ok(_) => {}
            // The output has said so when it happened.
            Err(_) => lost = true,
        }
    }
    lost
}
