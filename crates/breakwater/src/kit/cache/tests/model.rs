//! The promise about stale values, against every order of asking, filling, writing, failing and going away.

use std::sync::atomic::AtomicU64;

use proptest::{collection::vec, prelude::*, sample::Index};
use tokio::task::JoinHandle;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Ask,
    /// One of the running fills ends with the value that it read when it began.
    Land(Index),
    Fail(Index),
    /// One of those who ask goes away.
    Cancel(Index),
    WriteAndRemove,
    WriteAndClear,
    Expire,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Ask),
        4 => any::<Index>().prop_map(Step::Land),
        1 => any::<Index>().prop_map(Step::Fail),
        2 => any::<Index>().prop_map(Step::Cancel),
        2 => Just(Step::WriteAndRemove),
        1 => Just(Step::WriteAndClear),
        1 => Just(Step::Expire),
    ];
    vec(step, 1..60)
}

type Fills = Arc<std::sync::Mutex<Vec<oneshot::Sender<bool>>>>;

struct Asker {
    /// What was written and invalidated before it asked.
    at_least: u64,
    task: JoinHandle<Result<Bytes, Problem>>,
}

impl Asker {
    async fn check(self) {
        match self.task.await {
            Ok(Ok(value)) => {
                let value: u64 = std::str::from_utf8(&value).unwrap().parse().unwrap();
                assert!(value >= self.at_least, "{value} was stale: {} was written before", self.at_least);
            }
            Ok(Err(problem)) => assert_eq!(problem.to_string(), "Conflict: failed"),
            Err(cancelled) => assert!(cancelled.is_cancelled()),
        }
    }
}

fn ask(layer: &Layer, written: &Arc<AtomicU64>, fills: &Fills) -> Asker {
    let (layer, written, fills) = (layer.clone(), written.clone(), fills.clone());
    let at_least = written.load(SeqCst);
    let task = tokio::spawn(async move {
        let fill = async || {
            let read = written.load(SeqCst);
            let (end, ended) = oneshot::channel();
            fills.lock().unwrap().push(end);
            match ended.await {
                Ok(true) => Ok(Bytes::from(read.to_string())),
                _ => Err(Problem::conflict("failed")),
            }
        };
        layer.get_or_fill("key", fill).await
    });
    Asker { at_least, task }
}

/// Lets every task run up to where it waits.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn run(steps: Vec<Step>) {
    let layer = layer("memory:").await;
    let (written, fills) = (Arc::new(AtomicU64::new(0)), Fills::default());
    let mut askers: Vec<Asker> = Vec::new();
    let end = |which: Index, well: bool| {
        let mut fills = fills.lock().unwrap();
        fills.retain(|fill| !fill.is_closed());
        if !fills.is_empty() {
            let which = which.index(fills.len());
            fills.swap_remove(which).send(well).unwrap();
        }
    };
    for step in steps {
        match step {
            Step::Ask => askers.push(ask(&layer, &written, &fills)),
            Step::Land(which) => end(which, true),
            Step::Fail(which) => end(which, false),
            Step::Cancel(which) if !askers.is_empty() => askers[which.index(askers.len())].task.abort(),
            Step::Cancel(_) => {}
            Step::WriteAndRemove => {
                written.fetch_add(1, SeqCst);
                layer.remove("key").await;
            }
            Step::WriteAndClear => {
                written.fetch_add(1, SeqCst);
                layer.clear().await;
            }
            Step::Expire => tokio::time::advance(TTL.mul_f64(1.1)).await,
        }
        settle().await;
    }
    // Nobody hangs: as long as fills end, everyone gets an answer.
    while askers.iter().any(|asker| !asker.task.is_finished()) {
        let running = std::mem::take(&mut *fills.lock().unwrap());
        for fill in running {
            let _ = fill.send(true);
        }
        settle().await;
    }
    for asker in askers {
        asker.check().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nobody_gets_a_stale_value_and_nobody_hangs(steps in steps()) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap().block_on(run(steps));
    }
}
