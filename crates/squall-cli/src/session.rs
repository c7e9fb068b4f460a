//! A run from the script's file to the exit code: load, probe, combine options, run, report.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use squall_engine::{AbortReason, ClockSource, Requirements, Run, RunSpec, RunState, Workers};
use squall_js::{Exports, JsHost};
use squall_metrics::{
    Aggregate, AggregateConfig, NetworkMetrics, Registry, SampleSink, Selector, TagSet, ThresholdSpec,
};
use squall_options::{
    Options, Scenario, Stripe, SystemTag, consolidate, defaults, derive_scenarios, resolve_execution,
    validate,
};
use tokio::task::LocalSet;

use crate::{
    banner::{self, ExecutionDescription},
    commands::run::{RunPlan, ScriptSource},
    error::{Error, Result},
    exit_code::ExitCode,
    process::{Interrupts, Process},
    progress::{Mode, Observer, Progress},
    runtime_options::{RuntimeOptions, SummaryMode},
};

pub(crate) mod network;
mod outputs;
mod script;
mod summary;
mod watch;

use script::LoadedScript;

/// Runs a plan to its end: load, probe, set up, run, tear down, report.
pub fn run(plan: RunPlan, process: &mut Process) -> Result<ExitCode> {
    let interrupts = (process.trap_signals)().map_err(|error| {
        Error::new(ExitCode::InternalError, format!("cannot listen for signals: {error}"))
    })?;
    on_local_set(run_plan(plan, process, interrupts))?
}

/// The options that a script exports.
pub fn probe_options(
    script: &ScriptSource,
    runtime: &RuntimeOptions,
    process: &mut Process,
) -> Result<Options> {
    let script = LoadedScript::load(script, runtime, process)?;
    let registry = Arc::new(Registry::new());
    let exports = on_local_set(script.probe(None, &registry, &Arc::new(RunState::new(SystemTime::now()))))??;
    script_options(&exports)
}

/// Everything of a run happens on this thread and on the workers' threads.
fn on_local_set<T>(future: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Error::new(ExitCode::InternalError, format!("cannot start an event loop: {error}"))
    })?;
    Ok(LocalSet::new().block_on(&runtime, future))
}

fn invalid(error: impl std::fmt::Display) -> Error {
    Error::config(error.to_string())
}

/// Reads the options that the script exports; unknown keys are worth a warning.
fn script_options(exports: &Exports) -> Result<Options> {
    let Some(json) = &exports.options_json else { return Ok(Options::default()) };
    let (options, warnings) = Options::from_json(json).map_err(invalid)?;
    warn_all(&warnings);
    Ok(options)
}

fn warn_all(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

fn stripe(options: &Options) -> Result<Stripe> {
    Stripe::new(options.execution_segment.as_ref(), options.execution_segment_sequence.as_ref())
        .map_err(invalid)
}

/// A test as all layers together ask for it.
struct Test {
    options: Options,
    scenarios: Vec<Scenario>,
    stripe: Stripe,
    run_tags: Arc<TagSet>,
}

impl Test {
    fn combine(plan: &RunPlan, exports: &Exports) -> Result<Test> {
        let layers = [
            defaults::layer(),
            plan.config.options.clone(),
            script_options(exports)?,
            plan.env_options.clone(),
            plan.flag_options.clone(),
        ];
        let (options, warnings) = consolidate(layers);
        let scenarios = derive_scenarios(&options).map_err(invalid)?;
        let (options, more) = resolve_execution(&options).map_err(invalid)?;
        warn_all(&warnings);
        warn_all(&more);
        warn_all(&options.strange_networks());
        validate(&options, &scenarios).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Error::config(format!(
                "there were problems with the specified script configuration:\n\t- {}",
                errors.join("\n\t- ")
            ))
        })?;
        check_functions(&scenarios, exports)?;
        let tags = options.tags.iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
        let run_tags = TagSet::new(tags);
        Ok(Test { stripe: stripe(&options)?, scenarios, run_tags, options })
    }

    fn has_tag(&self, tag: SystemTag) -> bool {
        self.options.system_tags.unwrap_or_default().contains(tag)
    }

    /// The thresholds of the options, by metric or submetric.
    fn thresholds(&self) -> Vec<(String, Vec<ThresholdSpec>)> {
        let spec = |config: &squall_options::ThresholdConfig| ThresholdSpec {
            expression: config.expression.clone(),
            abort_on_fail: config.abort_on_fail,
            delay_abort_eval: config.delay_abort_eval,
        };
        let thresholds = self.options.thresholds.iter().flat_map(|thresholds| &thresholds.0);
        thresholds.map(|(metric, configs)| (metric.clone(), configs.iter().map(spec).collect())).collect()
    }

    fn aggregate(&self, plan: &RunPlan, registry: &Arc<Registry>) -> Result<Aggregate> {
        let config = AggregateConfig {
            thresholds: if plan.runtime.no_thresholds { Vec::new() } else { self.thresholds() },
            expected_response: self.has_tag(SystemTag::ExpectedResponse),
            sections: plan.runtime.summary_mode == SummaryMode::Full,
        };
        if self.options.has_network() {
            NetworkMetrics::register(registry).map_err(|error| {
                Error::config(format!("{error}: a run with a network profile measures it itself"))
                    .hint("give the script's metric another name, or run with --network none")
            })?;
        }
        warn_of_metadata(config.thresholds.iter().map(|(key, _)| key.as_str()));
        Aggregate::new(Arc::clone(registry), config).map_err(invalid)
    }
}

/// Says once that `vu` and `iter` are metadata of samples, so that what selects by them never holds one.
fn warn_of_metadata<'a>(mut threshold_keys: impl Iterator<Item = &'a str>) {
    let names = [SystemTag::Vu, SystemTag::Iter].map(SystemTag::name);
    let selects_by_metadata = |key: &&str| {
        Selector::parse(key).is_ok_and(|selector| names.iter().any(|name| selector.tags.get(name).is_some()))
    };
    if let Some(key) = threshold_keys.find(selects_by_metadata) {
        tracing::warn!(
            "the threshold on '{key}' selects by vu or iter, which are metadata and not tags: no sample matches it"
        );
    }
}

/// There is no control API yet: what only it could end or answer is told, not waited for.
fn warn_of_missing_control(plan: &RunPlan, test: &Test) {
    if test.options.paused == Some(true) {
        tracing::warn!("paused has no effect: there is no control API yet that could resume the test");
    }
    // Empty turns it off.
    if plan.runtime.address.as_ref().is_some_and(|address| !address.is_empty()) {
        tracing::warn!("--address has no effect: there is no control API yet");
    }
}

/// Every scenario's function is exported, and lifecycle names are functions.
fn check_functions(scenarios: &[Scenario], exports: &Exports) -> Result<()> {
    if exports.functions.is_empty() {
        return Err(Error::new(ExitCode::ScriptException, "no exported functions in script")
            .hint("export a default function: export default function () { … }"));
    }
    for name in ["setup", "teardown"] {
        if exports.values.iter().any(|value| value == name) {
            return Err(Error::new(
                ExitCode::ScriptException,
                format!("exported '{name}' must be a function"),
            ));
        }
    }
    for scenario in scenarios {
        if !exports.functions.contains(&scenario.exec) {
            return Err(Error::config(format!(
                "executor {}: function '{}' not found in exports",
                scenario.name, scenario.exec
            )));
        }
    }
    Ok(())
}

async fn run_plan(plan: RunPlan, process: &mut Process, mut interrupts: Interrupts) -> Result<ExitCode> {
    let script = LoadedScript::load(&plan.script, &plan.runtime, process)?;
    let registry = Arc::new(Registry::new());
    let source = ClockSource::new();
    let state = Arc::new(RunState::new(SystemTime::now()));
    let listening = tokio::task::spawn_local({
        let (state, mut interrupts) = (Arc::clone(&state), interrupts.clone());
        async move {
            interrupts.first().await;
            tracing::error!("test run was aborted because of an interrupt signal");
            state.abort(AbortReason::Signal);
        }
    });
    let exports = match script.probe(plan.memory_limit(), &registry, &state).await {
        Ok(exports) => exports,
        Err(error) => {
            let Some(reason) = state.abort_reason() else { return Err(error) };
            log_abort(&reason, &[]);
            return Ok(aborted(&reason));
        }
    };
    let test = Test::combine(&plan, &exports)?;
    warn_of_missing_control(&plan, &test);
    let aggregate = test.aggregate(&plan, &registry)?;
    let blueprint = script.blueprint(&test, &plan.runtime, process, &registry, &state)?;
    process.resources.check(&Requirements::of(&test.scenarios, &test.stripe))?;
    let outputs = outputs::start(&plan, &test, &aggregate, &state, process)?;

    let spec = RunSpec {
        scenarios: test.scenarios.clone(),
        stripe: test.stripe.clone(),
        registry,
        aggregate,
        sinks: outputs.iter().map(|output| Arc::clone(output) as Arc<dyn SampleSink>).collect(),
        state: Arc::clone(&state),
        tags: Arc::clone(&test.run_tags),
        scenario_tag: test.has_tag(SystemTag::Scenario),
        setup_timeout: timeout(test.options.no_setup, test.options.setup_timeout, defaults::SETUP_TIMEOUT),
        teardown_timeout: timeout(
            test.options.no_teardown,
            test.options.teardown_timeout,
            defaults::TEARDOWN_TIMEOUT,
        ),
        min_iteration_duration: test.options.min_iteration_duration.unwrap_or_default(),
        workers: None,
    };
    let run = Run::new(spec);
    let progress = introduce(&plan, &test, &run, &outputs, process);
    let observer = Observer::new(run.progress(), Arc::clone(&state), test.stripe.clone());
    let watching = watch::start(progress, observer, source);
    let build_host = move |context: squall_engine::WorkerContext| {
        JsHost::new(blueprint.clone(), context.clock, context.recorder)
    };
    let host_for_summary = build_host.clone();
    let result = run.execute(Workers::Threads(source), build_host).await;
    watching.stop();
    listening.abort();
    let result = result.map_err(|error| Error::new(ExitCode::InternalError, error.to_string()))?;

    let clock = source.clock().map_err(|error| Error::new(ExitCode::InternalError, error.to_string()))?;
    let is_interrupted = result.abort_reason == Some(AbortReason::Signal);
    let summary = summary::Conclusion {
        plan: &plan,
        test: &test,
        script: &script,
        result: &result,
        outputs: &outputs,
        state: &state,
        interrupts: (!is_interrupted).then(|| interrupts.clone()),
    };
    summary.write(host_for_summary, clock, process).await;
    watching.finish();
    let lost = outputs::finish(outputs);
    warn_of_folded_tags(&result.aggregate);
    if let Some(error) = process.console.take_stdout_error() {
        tracing::warn!(
            "standard output did not take everything: {error}; --summary-export keeps results in a file"
        );
    }
    let is_interrupted = is_interrupted || interrupts.have_come();
    if plan.linger && !is_interrupted {
        tracing::info!("the test is done; waiting for Ctrl+C because of --linger");
        interrupts.first().await;
    }
    Ok(match exit_code(&result, &state, lost) {
        ExitCode::Success if is_interrupted => ExitCode::Interrupted,
        code => code,
    })
}

/// Tags with so many values that not each could have its own series.
fn warn_of_folded_tags(aggregate: &Aggregate) {
    for tag in aggregate.folded_keys() {
        tracing::warn!(
            "the tag '{tag}' has more values than can be told apart; the later ones were counted together as \
             '__other__'. Fewer values help: URLs with ids in them can share one `name` tag"
        );
    }
}

fn timeout(skip: Option<bool>, limit: Option<Duration>, default: Duration) -> Option<Duration> {
    (skip != Some(true)).then(|| limit.unwrap_or(default))
}

/// Banner and description, unless nobody wants them.
fn introduce(
    plan: &RunPlan,
    test: &Test,
    run: &Run,
    outputs: &outputs::Outputs,
    process: &Process,
) -> Progress {
    let colors = !plan.runtime.no_color && process.console.stdout_is_terminal();
    let needs = run.progress().requirements;
    if !plan.runtime.quiet {
        let description = ExecutionDescription {
            script: plan.script.name(),
            outputs: outputs.iter().map(|output| output.name().to_owned()).collect(),
            segment_percent: format!("{:.2}", test.stripe.fraction() * 100.0),
            max_vus: needs.vus_max,
            max_duration: needs.duration_max.unwrap_or_default(),
            scenarios: test.scenarios.iter().map(|it| (it.name.clone(), it.describe(&test.stripe))).collect(),
        };
        process.console.print(&format!("{}{}", banner::banner(colors), description.render(colors)));
    }
    Progress::new(process.console.clone(), Mode::choose(&process.console, plan.runtime.quiet, colors))
}

/// Why a run ended early, as a code.
fn aborted(reason: &AbortReason) -> ExitCode {
    match reason {
        AbortReason::Thresholds => ExitCode::ThresholdsFailed,
        AbortReason::Script(_) => ExitCode::ScriptAborted,
        AbortReason::Signal => ExitCode::Interrupted,
        AbortReason::Exception(_) => ExitCode::ScriptException,
        AbortReason::SetupTimeout => ExitCode::SetupTimeout,
        AbortReason::TeardownTimeout => ExitCode::TeardownTimeout,
    }
}

/// Says why a run ended early; a signal has been logged when it came.
fn log_abort(reason: &AbortReason, crossed: &[String]) {
    match reason {
        AbortReason::Script(message) => tracing::error!("{message}"),
        AbortReason::Exception(message) => tracing::error!(hint = "script exception", "{message}"),
        AbortReason::Thresholds => {
            tracing::error!(
                "thresholds on metrics '{}' were crossed; at least one has abortOnFail enabled, stopping test prematurely",
                crossed.join(", ")
            );
        }
        AbortReason::SetupTimeout => tracing::error!(
            hint = "You can increase the time limit via the setupTimeout option",
            "setup() execution timed out"
        ),
        AbortReason::TeardownTimeout => tracing::error!(
            hint = "You can increase the time limit via the teardownTimeout option",
            "teardown() execution timed out"
        ),
        AbortReason::Signal => {}
    }
}

/// The run's verdict. The first thing that went wrong decides.
fn exit_code(result: &squall_engine::RunResult, state: &RunState, lost_output: bool) -> ExitCode {
    let crossed: Vec<String> = result
        .aggregate
        .totals()
        .into_iter()
        .filter(|total| total.is_crossed())
        .map(|total| total.name())
        .collect();
    if let Some(reason) = &result.abort_reason {
        log_abort(reason, &crossed);
        return aborted(reason);
    }
    if state.marked_failed.load(Relaxed) {
        tracing::error!("test run was marked as failed");
        return ExitCode::MarkedFailed;
    }
    if !crossed.is_empty() {
        tracing::error!("thresholds on metrics '{}' have been crossed", crossed.join(", "));
        return ExitCode::ThresholdsFailed;
    }
    if lost_output { ExitCode::Usage } else { ExitCode::Success }
}
