//! `squall run`: gathers what the user said in flags, environment and configuration file, and starts a run.

use std::{io::Read, path::PathBuf};

use squall_loader::decode_text;
use squall_options::{ConfigFile, Options};

use crate::{
    args::{GlobalArgs, RunArgs, RunFlags},
    config,
    error::{Error, Result},
    exit_code::ExitCode,
    flags,
    logging::Logging,
    process::Process,
    runtime_options::{self, RuntimeOptions, SystemEnv},
    session,
};

/// Where a script comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptSource {
    /// A file, as the user named it; what it imports is found from its own directory.
    File(PathBuf),
    /// The text itself; what it imports is found from the current directory.
    Text { name: String, source: String },
    /// The demo's, which is a part of the program.
    Demo,
}

impl ScriptSource {
    /// The script that the argument means: `-` is standard input.
    pub fn from_argument(argument: &str, process: &mut Process) -> Result<ScriptSource> {
        if argument != "-" {
            return Ok(ScriptSource::File(PathBuf::from(argument)));
        }
        let mut bytes = Vec::new();
        process
            .stdin
            .read_to_end(&mut bytes)
            .map_err(|error| Error::usage(format!("cannot read the script from standard input: {error}")))?;
        Ok(ScriptSource::Text { name: "-".into(), source: decode_text(&bytes) })
    }

    /// As the user named it.
    pub fn name(&self) -> String {
        match self {
            ScriptSource::File(path) => path.display().to_string(),
            ScriptSource::Text { name, .. } => name.clone(),
            ScriptSource::Demo => "suites/connex/load.js".into(),
        }
    }
}

/// Everything that the user said about a run. The script's own options are the layer that is missing.
#[derive(Debug)]
pub struct RunPlan {
    pub script: ScriptSource,
    /// The lowest layer of options over the defaults.
    pub config: ConfigFile,
    /// The layer over the script's options.
    pub env_options: Options,
    /// The highest layer.
    pub flag_options: Options,
    pub runtime: RuntimeOptions,
    /// Outputs as `name` or `name=argument`.
    pub outs: Vec<String>,
    /// Stay after the test until a signal comes.
    pub linger: bool,
}

impl RunPlan {
    /// Reads flags, environment and configuration file; nothing of the script yet.
    pub fn gather(
        global: &GlobalArgs,
        flags: &RunFlags,
        script: ScriptSource,
        process: &Process,
    ) -> Result<RunPlan> {
        let config = config::read(global, process)?;
        Ok(RunPlan {
            script,
            outs: runtime_options::outs(&flags.run_only, &config, process),
            linger: runtime_options::linger(&flags.run_only, &config, process)?,
            config,
            env_options: flags::from_env(process)?,
            flag_options: flags::from_flags(&flags.options, process)?,
            runtime: RuntimeOptions::resolve(global, &flags.runtime, SystemEnv::Shown, process)?,
        })
    }

    /// Bytes that a VU's script may hold, as far as is known before the script's own options.
    pub fn memory_limit(&self) -> Option<u64> {
        let layers = [&self.flag_options, &self.env_options, &self.config.options];
        layers.iter().find_map(|options| options.vu_memory_limit.as_ref()).map(|limit| limit.0)
    }
}

/// Runs a script of the user's.
pub fn execute(
    global: &GlobalArgs,
    args: &RunArgs,
    process: &mut Process,
    logging: &Logging,
) -> Result<ExitCode> {
    let script = ScriptSource::from_argument(&args.script, process)?;
    let plan = RunPlan::gather(global, &args.flags, script, process)?;
    start(plan, process, logging)
}

/// Runs what has been gathered.
pub fn start(plan: RunPlan, process: &mut Process, logging: &Logging) -> Result<ExitCode> {
    let console_output = [&plan.flag_options, &plan.env_options, &plan.config.options]
        .into_iter()
        .find_map(|options| options.console_output.as_deref());
    if let Some(path) = console_output {
        logging.redirect_console(path, process)?;
    }
    session::run(plan, process)
}

#[cfg(test)]
mod tests;
