//! Plans: pure functions of a scenario's configuration and this process's part of the test. Executors follow
//! them on the clock; pool sizes and time limits are read off them before the run.

use std::time::Duration;

use squall_options::{Executor, Scenario, Stripe};

mod arrivals;
mod demand;
mod looping;

pub(crate) use arrivals::ArrivalSchedule;
pub(crate) use demand::{Change, peak};
pub(crate) use looping::{Tenure, VuRamp};

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
