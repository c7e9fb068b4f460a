//! From the first VU to the last sample: setup, teardown, abort, thresholds, samples.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use squall_engine::{AbortReason, Phase, ScenarioStatus};
use squall_metrics::{GeneratorHealth, Pauses, Sink, builtin};
use squall_options::{Executor, Scenario};

use crate::harness::{Call, Collected, Given, given, ms, scenario, secs};

fn loops(vus: u64, duration: u64) -> Scenario {
    scenario("default", Executor::ConstantVus { vus, duration: ms(duration) })
}

#[test]
fn setup_comes_first_and_teardown_last() {
    let given = Given { setup: Call::Takes(ms(700)), ..given([loops(1, 1000)], ms(400)) };
    let ran = given.run();
    assert_eq!(ran.calls(), ["setup at 0", "iterations at 700", "teardown at 1900"]);
    assert_eq!(ran.state.setup_data.get(), Some(&Some("{}".into())));
    assert_eq!((ran.result.abort_reason, ran.result.duration), (None, ms(1900)));
}

#[test]
fn start_times_count_from_the_end_of_setup() {
    let late = Scenario { start_time: ms(300), ..loops(1, 100) };
    let ran = Given { setup: Call::Takes(ms(50)), ..given([late], ms(100)) }.run();
    assert_eq!(ran.by_vu(), "vu1: 350-450");
}

#[test]
fn nothing_runs_after_an_error_in_setup() {
    let ran = Given { setup: Call::Throws, ..given([loops(1, 1000)], ms(400)) }.run();
    assert_eq!(ran.calls(), ["setup at 0"]);
    assert_eq!(ran.result.abort_reason, Some(AbortReason::Exception("setup threw".to_owned())));
}

#[test]
fn setup_has_a_time_limit() {
    let ran = Given { setup: Call::Takes(secs(100)), ..given([loops(1, 1000)], ms(400)) }.run();
    assert_eq!(ran.calls(), ["setup at 0"]);
    assert_eq!((ran.result.abort_reason, ran.ended), (Some(AbortReason::SetupTimeout), secs(60)));
}

#[test]
fn teardown_has_a_time_limit() {
    let ran = Given { teardown: Call::Takes(secs(100)), ..given([loops(1, 1000)], ms(1000)) }.run();
    assert_eq!((ran.result.abort_reason, ran.ended), (Some(AbortReason::TeardownTimeout), secs(61)));
}

#[test]
fn an_error_in_teardown_is_the_reason() {
    let ran = Given { teardown: Call::Throws, ..given([loops(1, 1000)], ms(1000)) }.run();
    assert_eq!(ran.result.abort_reason, Some(AbortReason::Exception("teardown threw".to_owned())));
}

#[test]
fn an_error_in_a_vus_init_code_ends_the_run() {
    let ran = Given { init: Call::Throws, ..given([loops(5, 1000)], ms(400)) }.run();
    assert!(ran.calls().is_empty());
    assert_eq!(ran.result.abort_reason, Some(AbortReason::Exception("init threw".to_owned())));
}

#[test]
fn a_panic_of_a_vu_ends_the_run_but_not_the_process() {
    let given = given([loops(3, 10_000)], ms(0)).length(|vu, iteration| {
        assert!(vu.0 < 3 || iteration.in_vu < 2, "a bug");
        ms(400)
    });
    let ran = given.run();
    assert_eq!(
        ran.result.abort_reason,
        Some(AbortReason::Exception("internal error: VU 3 panicked".to_owned()))
    );
    assert_eq!(ran.calls().last().unwrap(), "teardown at 800");
}

#[test]
fn an_abort_interrupts_iterations_and_still_tears_down() {
    let given = given([loops(2, 10_000)], ms(400)).meddle(|run| async move {
        run.clock.sleep_until(ms(1000)).await;
        run.state.abort(AbortReason::Script("enough".to_owned()));
        run.state.abort(AbortReason::Signal);
    });
    let ran = given.run();
    assert_eq!(ran.by_vu(), "vu1: 0-400 400-800 800-1000!\nvu2: 0-400 400-800 800-1000!");
    assert_eq!(ran.calls().last().unwrap(), "teardown at 1000");
    assert_eq!(ran.result.abort_reason, Some(AbortReason::Script("enough".to_owned())));
}

#[test]
fn an_abort_ends_every_executor() {
    let executors = [
        Executor::SharedIterations { vus: 1, iterations: 99, max_duration: secs(90) },
        Executor::PerVuIterations { vus: 1, iterations: 99, max_duration: secs(90) },
        Executor::RampingVus {
            start_vus: 1,
            stages: crate::harness::stages(&[(90_000, 9)]),
            graceful_ramp_down: secs(30),
        },
        Executor::ConstantArrivalRate {
            rate: 1,
            time_unit: secs(1),
            duration: secs(90),
            pre_allocated_vus: 1,
            max_vus: 2,
        },
        Executor::ExternallyControlled { vus: 1, max_vus: 2, duration: Some(secs(90)) },
    ];
    for executor in executors {
        let name = executor.kind_name();
        let given = given([scenario("default", executor)], ms(700)).meddle(|run| async move {
            run.clock.sleep_until(ms(1500)).await;
            run.state.abort(AbortReason::Signal);
        });
        let ran = given.run();
        assert_eq!((ran.ended, ran.dropped()), (ms(1500), 0.0), "{name}");
    }
}

#[test]
fn an_abort_before_the_start_time_skips_the_scenario() {
    let late = Scenario { start_time: secs(60), ..loops(1, 1000) };
    let given = given([late], ms(400)).meddle(|run| async move {
        run.clock.sleep_until(ms(1000)).await;
        run.state.abort(AbortReason::Signal);
    });
    assert_eq!(given.run().calls(), ["setup at 0", "teardown at 1000"]);
}

#[test]
fn a_crossed_threshold_aborts_when_its_delay_is_over() {
    // Looked at after 2 s and 4 s; the delay is 3 s.
    let given = Given { threshold: Some(("iterations", "count<2")), ..given([loops(1, 60_000)], ms(500)) };
    let ran = given.run();
    assert_eq!((ran.result.abort_reason, ran.ended), (Some(AbortReason::Thresholds), secs(4)));
}

#[test]
fn all_samples_of_all_workers_arrive() {
    let given = Given { workers: 3, ..given([loops(5, 10_000)], ms(100)) };
    let ran = given.run();
    let Sink::Counter(iterations) = &ran.total(builtin::ITERATIONS).unwrap().sink else { unreachable!() };
    assert_eq!(iterations.sum, 500.0);
    assert_eq!(ran.state.iterations_completed.load(Relaxed), 500);
}

#[test]
fn vus_are_counted_every_second() {
    let sink = Arc::new(Collected::default());
    let given = Given { sink: Some(sink.clone()), ..given([loops(3, 2500)], ms(1100)) };
    given.run();
    let samples = sink.0.lock().unwrap();
    let vus: Vec<_> =
        samples.iter().filter(|it| it.metric == builtin::VUS).map(|it| (it.at.as_secs(), it.value)).collect();
    assert_eq!(vus, [(1, 3.0), (2, 3.0), (3, 3.0)]);
}

#[test]
fn a_vu_that_waits_for_an_arrival_is_not_active() {
    let executor = Executor::ConstantArrivalRate {
        rate: 4,
        time_unit: secs(1),
        duration: ms(2500),
        pre_allocated_vus: 5,
        max_vus: 5,
    };
    let sink = Arc::new(Collected::default());
    // Iterations start at 0, 250, 500, … and two of them always overlap at a full second.
    let given = Given { sink: Some(sink.clone()), ..given([scenario("arrivals", executor)], ms(400)) };
    given.run();
    let samples = sink.0.lock().unwrap();
    let of =
        |metric| samples.iter().filter(move |it| it.metric == metric).map(|it| it.value).collect::<Vec<_>>();
    assert_eq!(of(builtin::VUS), [2.0, 2.0]);
    assert_eq!(of(builtin::VUS_MAX), [5.0, 5.0]);
}

#[test]
fn raw_samples_reach_the_sinks() {
    let sink = Arc::new(Collected::default());
    let given = Given { sink: Some(sink.clone()), ..given([loops(2, 950)], ms(100)) };
    given.run();
    let samples = sink.0.lock().unwrap();
    assert_eq!(samples.iter().filter(|it| it.metric == builtin::ITERATIONS).count(), 20);
}

#[test]
fn progress_can_be_read_at_any_time() {
    let late = Scenario { start_time: secs(2), ..scenario("late", loops(1, 1000).executor) };
    let given = given([loops(2, 1000), late], ms(400)).meddle(|run| async move {
        let look = async |at| {
            run.clock.sleep_until(at).await;
            let views = run.progress.scenarios(run.clock.now());
            let views = views.iter().map(|it| (it.status, it.vus, it.iterations_completed, it.fraction));
            (run.progress.phase(), views.collect::<Vec<_>>())
        };
        let waiting = ScenarioStatus::Waiting(ms(1500));
        let expected = vec![(ScenarioStatus::Running, 2, 2, 0.5), (waiting, 0, 0, 0.0)];
        assert_eq!(look(ms(500)).await, (Phase::Running, expected));
        let waiting = ScenarioStatus::Waiting(ms(500));
        let expected = vec![(ScenarioStatus::Done, 0, 6, 1.0), (waiting, 0, 0, 0.0)];
        assert_eq!(look(ms(1500)).await, (Phase::Running, expected));
    });
    given.run();
}

#[test]
fn the_result_says_how_the_generator_did() {
    let given = given([loops(1, 1000)], ms(400)).meddle(|run| async move {
        run.state.generator.record_pause(ms(3));
    });
    let generator = given.run().result.generator;
    let expected = GeneratorHealth {
        // Looping VUs intend no start, and no processor is behind virtual time.
        lateness_p999: None,
        timer_lag_p99: Some(ms(0)),
        cpu_share: None,
        cores: generator.cores,
        pauses: Pauses { count: 1, sum: ms(3), longest: ms(3) },
        samples_dropped: 0,
    };
    assert_eq!(generator, expected);
    assert!(generator.cores > 0);
}
