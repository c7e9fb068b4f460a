//! Plans: pure functions of a scenario's configuration and this process's part of the test. Executors follow
//! them on the clock; pool sizes and time limits are read off them before the run.

use std::time::Duration;

use squall_options::{Executor, Scenario, Stripe};

mod arrivals;
mod demand;
mod looping;

pub(crate) use arrivals::ArrivalSchedule;
pub(crate) use demand::{Change, peak};
pub(crate) use looping::{Span, Tenure, VuRamp};

use crate::executor;

/// What a scenario will need, in time since its start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Length without graceful periods; `None` runs until it is told to stop.
    pub(crate) duration: Option<Duration>,
    /// Longest time to the end of its last iteration.
    pub(crate) duration_max: Option<Duration>,
    /// Iterations asked for, where they are counted.
    pub(crate) iterations: Option<u64>,
    /// VUs that must be there, and when.
    pub(crate) demand: Vec<Change>,
    /// VUs that may be initialised besides, while it runs.
    pub(crate) unplanned_vus: u64,
    /// No part of its work falls to this process.
    pub(crate) is_idle: bool,
}

impl Plan {
    pub(crate) fn of(scenario: &Scenario, stripe: &Stripe) -> Plan {
        executor::plan(scenario, stripe)
    }

    /// A plan that needs the same number of VUs from its start to its end.
    pub(crate) fn level(vus: u64, duration: Option<Duration>, graceful_stop: Duration) -> Plan {
        let duration_max = duration.map(|duration| duration.saturating_add(graceful_stop));
        Plan {
            duration,
            duration_max,
            iterations: None,
            demand: Change::level(vus, duration_max),
            unplanned_vus: 0,
            is_idle: vus == 0,
        }
    }
}

/// What a whole run will need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// VUs initialised before the run: the most that are planned at one time, graceful periods included.
    pub vus_planned: u64,
    /// VUs that there can be at most, with those that arrival rates may add.
    pub vus_max: u64,
    /// Latest end of a scenario, graceful periods included; `None` when one runs until it is told to stop.
    pub duration_max: Option<Duration>,
}

impl Requirements {
    /// What these scenarios need in the process that runs `stripe`.
    pub fn of(scenarios: &[Scenario], stripe: &Stripe) -> Requirements {
        let plans: Vec<_> = scenarios.iter().map(|it| (it.start_time, Plan::of(it, stripe))).collect();
        let planned = plans.iter().flat_map(|(start, plan)| plan.demand.iter().map(|it| it.after(*start)));
        let possible = plans.iter().flat_map(|(start, plan)| {
            let unplanned = Change::level(plan.unplanned_vus, plan.duration_max);
            plan.demand.iter().copied().chain(unplanned).map(|it| it.after(*start))
        });
        Requirements {
            vus_planned: peak(planned.collect()),
            vus_max: peak(possible.collect()),
            duration_max: plans
                .iter()
                .map(|(start, plan)| Some(start.saturating_add(plan.duration_max?)))
                .try_fold(Duration::ZERO, |latest, end| Some(latest.max(end?))),
        }
    }
}

/// Arrivals planned by an executor that plans any; for the progress display.
pub(crate) fn arrivals(executor: &Executor) -> Option<ArrivalSchedule> {
    match executor {
        Executor::ConstantArrivalRate { rate, time_unit, duration, .. } => {
            Some(ArrivalSchedule::constant(*rate, *time_unit, *duration))
        }
        Executor::RampingArrivalRate { start_rate, time_unit, stages, .. } => {
            Some(ArrivalSchedule::ramping(*start_rate, *time_unit, stages))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use squall_options::Stage;

    use super::*;

    fn scenario(executor: Executor) -> Scenario {
        Scenario {
            name: "default".to_owned(),
            start_time: Duration::ZERO,
            graceful_stop: Duration::from_secs(30),
            env: BTreeMap::new(),
            exec: "default".to_owned(),
            tags: BTreeMap::new(),
            executor,
        }
    }

    /// Planned VUs, maximum VUs and seconds.
    fn check(scenarios: &[Scenario], expected: (u64, u64, Option<u64>)) {
        let requirements = Requirements::of(scenarios, &Stripe::default());
        let (vus_planned, vus_max, seconds) = expected;
        let duration_max = seconds.map(Duration::from_secs);
        assert_eq!(requirements, Requirements { vus_planned, vus_max, duration_max });
    }

    fn ramp(start_vus: u64, line: &[(u64, u64)], graceful_ramp_down: u64, graceful_stop: u64) -> Scenario {
        let stage = |&(seconds, target)| Stage { duration: Duration::from_secs(seconds), target };
        let stages = line.iter().map(stage).collect();
        let graceful_ramp_down = Duration::from_secs(graceful_ramp_down);
        let scenario = scenario(Executor::RampingVus { start_vus, stages, graceful_ramp_down });
        Scenario { graceful_stop: Duration::from_secs(graceful_stop), ..scenario }
    }

    /// The numbers are what `k6 inspect --execution-requirements` says.
    #[test]
    fn ramps_take_as_long_as_in_k6() {
        check(&[ramp(1, &[(1, 0)], 30, 30)], (1, 1, Some(31)));
        check(&[ramp(1, &[(1, 0)], 3, 30)], (1, 1, Some(4)));
        check(&[ramp(1, &[(1, 0)], 30, 1)], (1, 1, Some(2)));
        check(&[ramp(1, &[(1, 0), (3, 0)], 30, 30)], (1, 1, Some(31)));
        check(&[ramp(1, &[(1, 0), (3, 0)], 3, 30)], (1, 1, Some(4)));
        check(&[ramp(1, &[(1, 0), (3, 0)], 30, 1)], (1, 1, Some(5)));
        check(&[ramp(1, &[(1, 3), (1, 1), (3, 1)], 3, 30)], (3, 3, Some(35)));
        check(&[ramp(1, &[(1, 3), (10, 0)], 3, 30)], (3, 3, Some(14)));
        check(&[ramp(0, &[(5, 2)], 30, 30)], (2, 2, Some(35)));
        check(&[ramp(0, &[(3, 1), (0, 5), (0, 1), (3, 1)], 30, 30)], (5, 5, Some(36)));
    }

    #[test]
    fn arrival_rates_may_add_vus() {
        let rate = scenario(Executor::ConstantArrivalRate {
            rate: 1,
            time_unit: Duration::from_secs(1),
            duration: Duration::from_secs(10),
            pre_allocated_vus: 2,
            max_vus: 5,
        });
        let later = Scenario { start_time: Duration::from_secs(40), ..rate.clone() };
        check(&[rate.clone(), rate.clone()], (4, 10, Some(40)));
        check(&[rate, later], (2, 5, Some(80)));
    }

    #[test]
    fn one_endless_scenario_makes_the_run_endless() {
        let endless = scenario(Executor::ExternallyControlled { vus: 1, max_vus: 4, duration: None });
        check(&[endless, ramp(0, &[(5, 2)], 0, 1)], (6, 6, None));
        check(&[], (0, 0, Some(0)));
    }
}
