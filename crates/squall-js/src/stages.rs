//! The stages of a script's life, as the fiber of a VU runs them: init, setup, iterations, teardown, summary.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use rquickjs::{Ctx, Function, Object, Promise, Result, Value, promise::PromiseState};
use squall_engine::{
    Time,
    vu::{Iteration, Outcome, ScriptError, SetupData},
};
use squall_metrics::{MetricId, builtin};

use crate::{
    errors, modules, network,
    tags::LastSeries,
    vu::{Stage, VuState},
    worker::{Exports, SummaryFile},
};

/// What a fiber is resumed for.
pub(crate) enum Task {
    Init,
    /// Init, then tell what the script exports.
    Probe,
    Setup,
    Iterate(Iteration),
    Teardown,
    /// `handleSummary` with this data.
    Summarize(String),
}

/// What became of it.
pub(crate) enum Done {
    Ran(std::result::Result<(), ScriptError>),
    Probed(std::result::Result<Exports, ScriptError>),
    Setup(std::result::Result<SetupData, ScriptError>),
    Iterated(Outcome),
    Summarized(std::result::Result<Option<Vec<SummaryFile>>, ScriptError>),
}

/// A fiber's body: runs one task after the other, for ever.
pub(crate) fn perform(vu: &Rc<VuState>) {
    // SAFETY: the VU holds its realm, and this fiber the VU.
    let ctx = unsafe { vu.realm.ctx() };
    let mut life = Life { vu, ctx, exports: None, setup_data: None, exec: None };
    loop {
        let done = match vu.take_task() {
            Task::Init => Done::Ran(life.init()),
            Task::Probe => Done::Probed(life.init().and_then(|()| life.describe_exports())),
            Task::Setup => Done::Setup(life.setup()),
            Task::Iterate(iteration) => Done::Iterated(life.iterate(iteration)),
            Task::Teardown => Done::Ran(life.teardown()),
            Task::Summarize(data) => Done::Summarized(life.summarize(&data)),
        };
        vu.finish_task(done);
    }
}

/// A script in a VU, between its tasks.
struct Life<'vu, 'js> {
    vu: &'vu VuState,
    ctx: Ctx<'js>,
    exports: Option<Object<'js>>,
    /// Parsed once a VU: what an iteration changes in it, the next one sees.
    setup_data: Option<Value<'js>>,
    /// The function of the current scenario, by name.
    exec: Option<(String, Function<'js>)>,
}

impl<'js> Life<'_, 'js> {
    fn init(&mut self) -> std::result::Result<(), ScriptError> {
        self.vu.stage.set(Stage::Init);
        let run = || {
            self.vu.realm.equip(&self.ctx)?;
            let exports = self.vu.worker.script.evaluate(&self.ctx)?;
            self.vu.events.run(&self.ctx, None)?;
            self.consolidate_options(&exports)?;
            Ok(exports)
        };
        self.exports = Some(run().map_err(|error| self.script_error(error))?);
        Ok(())
    }

    /// Writes what became of the options into those that the script exports, as k6 does. That costs every VU some
    /// KB, so it is done only for scripts whose functions look.
    fn consolidate_options(&self, exports: &Object<'js>) -> Result<()> {
        let worker = &self.vu.worker;
        if !worker.script.reads_options() {
            return Ok(());
        }
        let Some(options) = exports.get::<_, Option<Object>>("options").ok().flatten() else { return Ok(()) };
        let consolidated: Object = self.ctx.json_parse(worker.set_options_json())?.get()?;
        for entry in consolidated.props::<String, Value>() {
            let (key, value) = entry?;
            if options.set(key, value).is_err() {
                // A frozen object stays as it is.
                self.ctx.catch();
            }
        }
        Ok(())
    }

    fn describe_exports(&self) -> std::result::Result<Exports, ScriptError> {
        let mut found = Exports::default();
        let mut describe = || -> Result<()> {
            let Some(exports) = &self.exports else { return Ok(()) };
            for key in exports.keys::<String>() {
                let key = key?;
                let value: Value = exports.get(key.as_str())?;
                if key == "options" && !value.is_undefined() {
                    let json =
                        self.ctx.json_stringify(value).map_err(|error| self.in_context("options", error))?;
                    let Some(json) = json else {
                        let message = "options: expected an object, found what JSON has no word for";
                        return Err(errors::throw_go(&self.ctx, message));
                    };
                    found.options_json = Some(json.to_string()?);
                } else if value.is_function() {
                    found.functions.push(key);
                } else if !value.is_undefined() {
                    found.values.push(key);
                }
            }
            Ok(())
        };
        describe().map_err(|error| self.script_error(error))?;
        Ok(found)
    }

    fn setup(&mut self) -> std::result::Result<SetupData, ScriptError> {
        let Some(setup) = self.exported("setup") else { return Ok(None) };
        self.enter(Stage::Setup, "setup");
        let data = self.call_to_end("setup", &setup, None).and_then(|data| {
            let json =
                strict_json(&self.ctx, data).map_err(|error| self.in_context("data of setup()", error))?;
            Ok(json.map(|json| json.to_string()).transpose()?.map(Arc::from))
        });
        self.vu.events.end_sources();
        self.record_traffic(self.vu.worker.clock.now());
        data.map_err(|error| self.script_error(error))
    }

    fn teardown(&mut self) -> std::result::Result<(), ScriptError> {
        let Some(teardown) = self.exported("teardown") else { return Ok(()) };
        self.enter(Stage::Teardown, "teardown");
        let result = self.load_setup_data().and_then(|data| self.call(&teardown, Some(data)));
        self.vu.events.end_sources();
        self.record_traffic(self.vu.worker.clock.now());
        result.map(|_| ()).map_err(|error| self.script_error(error))
    }

    /// Setup and teardown have a group of their own.
    fn enter(&self, stage: Stage, group: &str) {
        self.vu.stage.set(stage);
        modules::k6::set_group(self.vu, &["::", group]);
    }

    fn iterate(&mut self, iteration: Iteration) -> Outcome {
        let vu = self.vu;
        vu.stage.set(Stage::Iteration);
        vu.iteration.set(iteration);
        modules::http::begin_iteration(vu);
        let result = self.exec_function().and_then(|exec| {
            let data = self.load_setup_data()?;
            self.call(&exec, Some(data))
        });
        let ended = vu.worker.clock.now();
        let is_stopped = vu.is_stopped();
        if let Err(error) = result {
            self.log_exception(error, is_stopped);
        }
        if !vu.is_interrupted() {
            self.record_iteration(iteration.started, ended);
        }
        self.record_traffic(ended);
        if is_stopped { Outcome::Interrupted } else { Outcome::Completed }
    }

    /// As in k6 also for the iteration that aborts the run.
    fn record_iteration(&self, started: Time, ended: Time) {
        let duration_ms = (ended - started).as_secs_f64() * 1e3;
        let metrics = [builtin::ITERATION_DURATION, builtin::ITERATIONS];
        self.record(&self.vu.worker.iteration_series, metrics, [duration_ms, 1.0], ended);
    }

    /// Samples with the tags of the moment.
    fn record<const N: usize>(
        &self,
        known: &LastSeries<N>,
        metrics: [MetricId; N],
        values: [f64; N],
        now: Time,
    ) {
        let metadata = self.vu.sample_metadata();
        let mut recorder = self.vu.worker.recorder.borrow_mut();
        let series = known.get(&self.vu.tags.current(), metrics, &mut recorder);
        for (series, value) in series.into_iter().zip(values) {
            recorder.record_with(series, value, now, metadata.as_ref());
        }
    }

    fn summarize(&mut self, data_json: &str) -> std::result::Result<Option<Vec<SummaryFile>>, ScriptError> {
        let Some(handle_summary) = self.exported("handleSummary") else { return self.without_summary() };
        self.vu.stage.set(Stage::Summary);
        let run = || {
            let data = self.ctx.json_parse(data_json)?;
            let result = self.call_to_end("handleSummary", &handle_summary, Some(data))?;
            summary_files(&self.ctx, result)
        };
        run().map_err(|error| self.script_error(error))
    }

    /// No `handleSummary` is fine; one that cannot be called is a mistake.
    fn without_summary(&self) -> std::result::Result<Option<Vec<SummaryFile>>, ScriptError> {
        let export = self.exports.as_ref().and_then(|exports| exports.get::<_, Value>("handleSummary").ok());
        match export.is_none_or(|export| export.is_undefined()) {
            true => Ok(None),
            false => Err(ScriptError::Exception("the exported handleSummary must be a function".to_owned())),
        }
    }

    fn exported(&self, name: &str) -> Option<Function<'js>> {
        self.exports.as_ref()?.get::<_, Option<Function>>(name).ok().flatten()
    }

    /// The function that the scenario names; the engine has checked that it is exported.
    fn exec_function(&mut self) -> Result<Function<'js>> {
        let scenario = self.vu.scenario.borrow();
        let name = scenario.as_ref().map_or("default", |scenario| scenario.config.exec.as_str());
        if let Some((known, function)) = &self.exec
            && known == name
        {
            return Ok(function.clone());
        }
        let Some(function) = self.exported(name) else {
            return Err(errors::throw_go(&self.ctx, &format!("function '{name}' not found in exports")));
        };
        self.exec = Some((name.to_owned(), function.clone()));
        Ok(function)
    }

    fn load_setup_data(&mut self) -> Result<Value<'js>> {
        if let Some(data) = &self.setup_data {
            return Ok(data.clone());
        }
        let data = match self.vu.run().setup_data.get() {
            Some(Some(json)) => self.ctx.json_parse(json.as_bytes())?,
            _ => Value::new_undefined(self.ctx.clone()),
        };
        self.setup_data = Some(data.clone());
        Ok(data)
    }

    /// Calls a function and runs the event loop until nothing is left; an async function's result is awaited.
    fn call(&self, function: &Function<'js>, argument: Option<Value<'js>>) -> Result<Value<'js>> {
        let result: Result<Value> = match argument {
            Some(argument) => function.call((argument,)),
            None => function.call(()),
        };
        if result.is_err() {
            self.vu.events.abandon();
        }
        let value = result?;
        self.vu.events.run(&self.ctx, value.as_promise())?;
        match value.as_promise().and_then(Promise::result) {
            Some(result) => result,
            None => Ok(value),
        }
    }

    /// Calls a lifecycle function whose result matters: it must have one when nothing is left to wait for.
    fn call_to_end(
        &self,
        name: &str,
        function: &Function<'js>,
        argument: Option<Value<'js>>,
    ) -> Result<Value<'js>> {
        let value = self.call(function, argument)?;
        match value.as_promise().map(Promise::state) {
            Some(PromiseState::Pending) => {
                let message = format!("{name}() returned a promise that nothing can settle any more");
                Err(errors::throw_go(&self.ctx, &message))
            }
            _ => Ok(value),
        }
    }

    /// Names what an exception is about whose own message cannot know.
    fn in_context(&self, what: &str, error: rquickjs::Error) -> rquickjs::Error {
        let text = errors::describe(&self.ctx, error);
        errors::throw_go(&self.ctx, &format!("{what}: {text}"))
    }

    fn script_error(&self, error: rquickjs::Error) -> ScriptError {
        self.vu.events.abandon();
        let text = self.describe(error);
        if self.vu.is_stopped() { ScriptError::Interrupted } else { ScriptError::Exception(text) }
    }

    fn describe(&self, error: rquickjs::Error) -> String {
        let text = errors::describe(&self.ctx, error);
        // The code of an ES module runs in a promise of its own, which is no news to whoever wrote it.
        let is_uncaught = self.vu.uncaught_in_promise.take() && self.vu.stage.get() != Stage::Init;
        if is_uncaught { format!("Uncaught (in promise) {text}") } else { text }
    }

    /// An iteration's exception goes to the log; the run goes on.
    fn log_exception(&self, error: rquickjs::Error, is_stopped: bool) {
        let text = self.describe(error);
        if is_stopped {
            return;
        }
        let scenario = self.vu.scenario.borrow();
        let (name, executor) = scenario.as_ref().map_or(("", ""), |scenario| {
            (scenario.config.name.as_str(), scenario.config.executor.kind_name())
        });
        tracing::error!(executor, scenario = name, source = "stacktrace", "{text}");
    }

    /// Bytes sent and received since the last time; k6 emits them also when they are none.
    fn record_traffic(&self, now: Time) {
        let (sent, received) = self.vu.traffic.take();
        let metrics = [builtin::DATA_SENT, builtin::DATA_RECEIVED];
        self.record(&self.vu.worker.traffic_series, metrics, [sent as f64, received as f64], now);
        network::record_faults(self.vu, now);
    }
}

/// A value as JSON; NaN and the infinities, which JSON lacks, are errors as in Go.
fn strict_json<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Option<rquickjs::String<'js>>> {
    let check = |ctx: Ctx<'js>, _key: Value<'js>, value: Value<'js>| match value.as_float() {
        Some(number) if !number.is_finite() => {
            Err(errors::throw_go(&ctx, &format!("{number} is a number that JSON cannot hold")))
        }
        _ => Ok(value),
    };
    ctx.json_stringify_replacer(value, Function::new(ctx.clone(), check)?)
}

/// What `handleSummary` returned: an object of targets and contents, or nothing.
fn summary_files<'js>(ctx: &Ctx<'js>, result: Value<'js>) -> Result<Option<Vec<SummaryFile>>> {
    if !result.get::<rquickjs::Coerced<bool>>()?.0 {
        return Ok(None);
    }
    let Some(object) = result.as_object() else {
        let message = format!(
            "handleSummary() must return an object of files and contents, not {}",
            result.type_name()
        );
        return Err(errors::throw_go(ctx, &message));
    };
    let mut files = BTreeMap::new();
    for entry in object.props::<String, Value>() {
        let (target, content) = entry?;
        let Some(content) = modules::bytes_of(&content)? else {
            let message = format!("handleSummary() returned neither text nor bytes for {target:?}");
            return Err(errors::throw_go(ctx, &message));
        };
        files.insert(target, content);
    }
    Ok(Some(files.into_iter().map(|(target, content)| SummaryFile { target, content }).collect()))
}
