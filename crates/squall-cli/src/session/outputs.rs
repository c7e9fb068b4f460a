//! The outputs of a run: who gets raw samples.

use std::sync::Arc;

use squall_engine::RunState;
use squall_metrics::Registry;
use squall_output::OutputHandle;

use super::Test;
use crate::{
    commands::run::RunPlan,
    error::{Error, Result},
    exit_code::ExitCode,
    process::Process,
};

pub(super) type Outputs = Vec<Arc<OutputHandle>>;

/// Starts what the user asked for.
pub(super) fn start(
    _plan: &RunPlan,
    _test: &Test,
    _registry: &Arc<Registry>,
    _state: &Arc<RunState>,
    _process: &Process,
) -> Result<Outputs> {
    Err(Error::new(ExitCode::Usage, ""))
}

/// Waits until everything is written; whether something was lost.
pub(super) fn finish(_outputs: Outputs) -> bool {
    false
}
