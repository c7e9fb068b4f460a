//! Random arrivals, ends, departures, waits and changes of limits, against a model that is simple enough to be right.
//!
//! The futures are polled only after they were woken, as a runtime does: a lost wake-up shows as a request that the model has
//! admitted and that does not know it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const MAX_WAIT_MS: u64 = 50;

#[derive(Clone, Debug)]
enum Step {
    Arrive,
    /// One that knows it is admitted ends.
    End(Index),
    /// One that waits, or does not know yet that it is admitted, goes away.
    Leave(Index),
    MaxClients(u32),
    AdvanceMs(u64),
    /// Those that were woken are polled.
    Poll,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Arrive),
        4 => any::<Index>().prop_map(Step::End),
        2 => any::<Index>().prop_map(Step::Leave),
        1 => (1..12_u32).prop_map(Step::MaxClients),
        2 => (0..40_u64).prop_map(Step::AdvanceMs),
        6 => Just(Step::Poll),
    ]
}

fn limits(max_clients: u32) -> Limits {
    Limits::new(max_clients, 0.5, Duration::from_millis(MAX_WAIT_MS)).expect("good limits")
}

/// What should be so.
struct Model {
    limits: Limits,
    now_ms: u64,
    in_progress: BTreeSet<usize>,
    /// Number and time of arrival.
    line: VecDeque<(usize, u64)>,
    refused: u64,
}

impl Model {
    fn arrive(&mut self, number: usize) {
        if self.line.is_empty() && self.has_room() {
            self.in_progress.insert(number);
        } else if self.line.len() < self.limits.max_waiting() as usize {
            self.line.push_back((number, self.now_ms));
        } else {
            self.refused += 1;
        }
    }

    fn has_room(&self) -> bool {
        self.in_progress.len() < self.limits.max_in_progress() as usize
    }

    fn admit_from_the_line(&mut self) {
        while self.has_room() {
            let Some((number, _)) = self.line.pop_front() else { return };
            self.in_progress.insert(number);
        }
    }

    fn leave(&mut self, number: usize) {
        self.line.retain(|(waiting, _)| *waiting != number);
        self.in_progress.remove(&number);
        self.admit_from_the_line();
    }

    fn refuse_who_waited_too_long(&mut self) {
        let before = self.line.len();
        self.line.retain(|(_, since_ms)| self.now_ms - since_ms < MAX_WAIT_MS);
        self.refused += (before - self.line.len()) as u64;
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

struct Request {
    answer: Pin<Box<dyn Future<Output = Result<Permit, Refusal>>>>,
    woken: Arc<Woken>,
}

/// What is so.
struct System {
    admission: Admission,
    unanswered: BTreeMap<usize, Request>,
    permits: BTreeMap<usize, Permit>,
    refused: u64,
}

impl System {
    fn arrive(&mut self, number: usize) {
        let admission = self.admission.clone();
        let answer = Box::pin(async move { admission.admit().await });
        self.unanswered.insert(number, Request { answer, woken: Arc::new(Woken(true.into())) });
        self.poll(number);
    }

    fn poll(&mut self, number: usize) {
        let request = self.unanswered.get_mut(&number).expect("only the unanswered are polled");
        if !request.woken.0.swap(false, SeqCst) {
            return;
        }
        let waker = Waker::from(request.woken.clone());
        if let Poll::Ready(answer) = request.answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.unanswered.remove(&number);
            match answer {
                Ok(permit) => drop(self.permits.insert(number, permit)),
                Err(_) => self.refused += 1,
            }
        }
    }
}

fn pick<T>(map: &BTreeMap<usize, T>, index: &Index) -> Option<usize> {
    (!map.is_empty()).then(|| *map.keys().nth(index.index(map.len())).expect("the index is within"))
}

async fn check(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let limits_first = limits(6);
    let mut model = Model {
        limits: limits_first,
        now_ms: 0,
        in_progress: BTreeSet::new(),
        line: VecDeque::new(),
        refused: 0,
    };
    let mut system = System {
        admission: Admission::new(limits_first),
        unanswered: BTreeMap::new(),
        permits: BTreeMap::new(),
        refused: 0,
    };

    for (number, step) in steps.into_iter().enumerate() {
        let before = system.admission.figures().in_progress;
        match step {
            Step::Arrive => {
                system.arrive(number);
                model.arrive(number);
            }
            Step::End(index) => {
                if let Some(ending) = pick(&system.permits, &index) {
                    system.permits.remove(&ending);
                    model.leave(ending);
                }
            }
            Step::Leave(index) => {
                if let Some(leaving) = pick(&system.unanswered, &index) {
                    system.unanswered.remove(&leaving);
                    model.leave(leaving);
                }
            }
            Step::MaxClients(max_clients) => {
                system.admission.set_limits(limits(max_clients));
                model.limits = limits(max_clients);
                model.admit_from_the_line();
            }
            Step::AdvanceMs(ms) => {
                advance(Duration::from_millis(ms)).await;
                model.now_ms += ms;
            }
            Step::Poll => {
                for number in system.unanswered.keys().copied().collect::<Vec<_>>() {
                    system.poll(number);
                }
                model.refuse_who_waited_too_long();
                prop_assert_eq!(
                    system.permits.keys().collect::<Vec<_>>(),
                    model.in_progress.iter().collect::<Vec<_>>()
                );
                prop_assert_eq!(
                    system.unanswered.keys().collect::<Vec<_>>(),
                    model.line.iter().map(|(number, _)| number).collect::<Vec<_>>()
                );
                prop_assert_eq!(system.refused, model.refused);
            }
        }
        let figures = system.admission.figures();
        prop_assert_eq!(figures.in_progress as usize, model.in_progress.len());
        prop_assert!(figures.in_progress <= before.max(model.limits.max_in_progress()), "above the limit");
        // Those who waited too long are in the line until they are polled, in both.
        prop_assert_eq!(figures.waiting as usize, model.line.len());
    }

    drop(system.unanswered);
    drop(system.permits);
    prop_assert_eq!(counts(&system.admission), (0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn behaves_as_the_model(steps in prop::collection::vec(step(), 1..150)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime starts").block_on(check(steps))?;
    }
}
