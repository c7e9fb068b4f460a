//! Whether options that are well-formed make sense to run.

use std::{fmt::Display, time::Duration};

use crate::{Executor, Options, OptionsError, Scenario, Stage, Stripe, format_go_duration};

/// The shortest regular duration: k6's limit.
const SHORTEST: Duration = Duration::from_secs(1);

/// Most VUs, and highest target of a ramp: k6's limit.
const LARGEST_TARGET: u64 = 100_000_000;

/// Checks options and the scenarios derived from them. All problems are given at once.
pub fn validate(options: &Options, scenarios: &[Scenario]) -> Result<(), Vec<OptionsError>> {
    let mut problems = Problems { path: "options".to_owned(), list: Vec::new() };
    problems.positive("setupTimeout", options.setup_timeout.unwrap_or(SHORTEST));
    let segment = options.execution_segment.as_ref();
    if let Err(problem) = Stripe::new(segment, options.execution_segment_sequence.as_ref()) {
        problems.list.push(problem);
    }
    for scenario in scenarios {
        problems.path = format!("options.scenarios.{}", scenario.name);
        check_scenario(scenario, &mut problems);
    }
    if problems.list.is_empty() { Ok(()) } else { Err(problems.list) }
}

/// The problems found so far; `path` is where the checks are.
struct Problems {
    path: String,
    list: Vec<OptionsError>,
}

impl Problems {
    /// Notes `message` about `key` unless `holds`.
    fn require(&mut self, holds: bool, key: &str, message: impl Display) {
        if !holds {
            self.list.push(OptionsError::new(format!("{}.{key}", self.path), message.to_string()));
        }
    }

    fn positive<T: Default + PartialOrd>(&mut self, key: &str, value: T) {
        self.require(value > T::default(), key, "must be more than 0");
    }

    fn vus(&mut self, key: &str, vus: u64) {
        self.positive(key, vus);
        self.require(
            vus <= LARGEST_TARGET,
            key,
            format_args!("must be at most {LARGEST_TARGET}, found {vus}"),
        );
    }

    fn duration(&mut self, key: &str, duration: Duration) {
        self.require(
            duration >= SHORTEST,
            key,
            format_args!("must be at least 1s, found {}", format_go_duration(duration)),
        );
    }

    fn stages(&mut self, stages: &[Stage]) {
        self.require(!stages.is_empty(), "stages", "must have at least one stage");
        for (index, stage) in stages.iter().enumerate() {
            let holds = stage.target <= LARGEST_TARGET;
            self.require(
                holds,
                &format!("stages[{index}].target"),
                format_args!("must be at most {LARGEST_TARGET}"),
            );
        }
    }

    fn vu_pool(&mut self, pre_allocated: u64, max: u64) {
        let message = format_args!("must be at least preAllocatedVUs ({pre_allocated}), found {max}");
        self.require(max >= pre_allocated, "maxVUs", message);
        self.require(
            max <= LARGEST_TARGET,
            "maxVUs",
            format_args!("must be at most {LARGEST_TARGET}, found {max}"),
        );
    }
}

fn check_scenario(scenario: &Scenario, problems: &mut Problems) {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name_is_valid = !scenario.name.is_empty() && scenario.name.chars().all(is_valid);
    problems.require(name_is_valid, "name", "may hold only letters, digits, _ and -");
    problems.require(!scenario.exec.is_empty(), "exec", "must not be empty");
    check_executor(&scenario.executor, problems);
}

fn check_executor(executor: &Executor, problems: &mut Problems) {
    match executor {
        Executor::SharedIterations { vus, iterations, max_duration } => {
            problems.vus("vus", *vus);
            let message = format_args!("must be at least the number of VUs ({vus}), found {iterations}");
            problems.require(iterations >= vus, "iterations", message);
            problems.duration("maxDuration", *max_duration);
        }
        Executor::PerVuIterations { vus, iterations, max_duration } => {
            problems.vus("vus", *vus);
            problems.positive("iterations", *iterations);
            problems.duration("maxDuration", *max_duration);
        }
        Executor::ConstantVus { vus, duration } => {
            problems.vus("vus", *vus);
            problems.duration("duration", *duration);
        }
        Executor::RampingVus { start_vus, stages, .. } => {
            let some_vus = *start_vus > 0 || stages.iter().any(|stage| stage.target > 0);
            problems.require(some_vus, "startVUs", "must be more than 0 when every stage's target is 0");
            problems.stages(stages);
        }
        Executor::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus } => {
            problems.positive("rate", *rate);
            problems.positive("timeUnit", *time_unit);
            problems.duration("duration", *duration);
            problems.vu_pool(*pre_allocated_vus, *max_vus);
        }
        Executor::RampingArrivalRate { time_unit, stages, pre_allocated_vus, max_vus, .. } => {
            problems.positive("timeUnit", *time_unit);
            problems.stages(stages);
            problems.vu_pool(*pre_allocated_vus, *max_vus);
        }
        Executor::ExternallyControlled { vus, max_vus, .. } => {
            let message = format_args!("must be at least the number of VUs ({vus}), found {max_vus}");
            problems.require(max_vus >= vus, "maxVUs", message);
            problems.vus("maxVUs", *max_vus);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive_scenarios;

    /// The problems of a script's options, a line each.
    fn problems(json: &str) -> String {
        let (options, _) = Options::from_json(json).expect("well-formed");
        let scenarios = derive_scenarios(&options).expect("no conflict");
        let problems = validate(&options, &scenarios).err().unwrap_or_default();
        problems.iter().map(OptionsError::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn sound_options_pass() {
        assert_eq!(problems("{}"), "");
        assert_eq!(problems(r#"{"vus": 3, "duration": "1s", "executionSegment": "1/2"}"#), "");
        assert_eq!(problems(r#"{"stages": [{"duration": 0, "target": 4}]}"#), "");
    }

    #[test]
    fn every_problem_is_named() {
        insta::assert_snapshot!(problems(r#"{
            "setupTimeout": 0,
            "executionSegment": "1/2",
            "executionSegmentSequence": "0,1/3,1",
            "scenarios": {
                "a b": {"executor": "shared-iterations", "vus": 5, "iterations": 2, "maxDuration": 1},
                "cv": {"executor": "constant-vus", "vus": 0, "duration": "10ms", "exec": ""},
                "pv": {"executor": "per-vu-iterations", "vus": 100000001, "iterations": 0},
                "rv": {"executor": "ramping-vus", "startVUs": 0, "stages": []},
                "rs": {"executor": "ramping-vus", "stages": [{"duration": 1, "target": 1000000000}]},
                "ca": {"executor": "constant-arrival-rate", "rate": 0, "timeUnit": 0, "duration": 0,
                       "preAllocatedVUs": 2, "maxVUs": 1},
                "ec": {"executor": "externally-controlled", "vus": 3, "maxVUs": 2, "duration": 0}
            }
        }"#), @r#"
        options.setupTimeout: must be more than 0
        options.executionSegmentSequence: does not contain the execution segment 0:1/2
        options.scenarios.a b.name: may hold only letters, digits, _ and -
        options.scenarios.a b.iterations: must be at least the number of VUs (5), found 2
        options.scenarios.a b.maxDuration: must be at least 1s, found 1ms
        options.scenarios.ca.rate: must be more than 0
        options.scenarios.ca.timeUnit: must be more than 0
        options.scenarios.ca.duration: must be at least 1s, found 0s
        options.scenarios.ca.maxVUs: must be at least preAllocatedVUs (2), found 1
        options.scenarios.cv.exec: must not be empty
        options.scenarios.cv.vus: must be more than 0
        options.scenarios.cv.duration: must be at least 1s, found 10ms
        options.scenarios.ec.maxVUs: must be at least the number of VUs (3), found 2
        options.scenarios.pv.vus: must be at most 100000000, found 100000001
        options.scenarios.pv.iterations: must be more than 0
        options.scenarios.rs.stages[0].target: must be at most 100000000
        options.scenarios.rv.startVUs: must be more than 0 when every stage's target is 0
        options.scenarios.rv.stages: must have at least one stage
        "#);
    }
}
