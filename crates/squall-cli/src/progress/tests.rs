//! Progress as text.

use insta::assert_snapshot;
use squall_engine::Phase;

use super::{render::*, *};
use crate::{console::Stream, testing::Captured};

fn scenario(name: &str, state: ScenarioState, progress: f64, texts: &[&str]) -> ScenarioView {
    ScenarioView {
        name: name.into(),
        state,
        progress,
        texts: texts.iter().map(|&text| text.into()).collect(),
    }
}

fn view() -> ProgressView {
    use ScenarioState::*;
    ProgressView {
        phase: Phase::Running,
        elapsed: Duration::from_millis(2_040),
        max_duration: Duration::from_secs(630),
        vus: 7,
        vus_max: 14,
        complete: 49,
        interrupted: 0,
        scenarios: vec![
            scenario("five", Running, 0.5, &["2/3 VUs", "2.0s/4.0s"]),
            scenario("four", Done, 1.0, &["2 VUs", "00m00.9s/10m0s", "6/6 iters, 3 per VU"]),
            scenario("one", Stopping, 1.0, &["2 VUs", "2.0s/2s"]),
            scenario("six", Interrupted, 0.969, &["2/3 VUs", "2.0s/2s", "7.84 iters/s"]),
            scenario("two_longer", Waiting, 0.0, &["waiting", "1.0s"]),
        ],
    }
}

#[test]
fn lines_are_k6s() {
    assert_snapshot!(lines(&view()).trim(), @"
    running (00m02.0s), 07/14 VUs, 49 complete and 0 interrupted iterations
    five         [  50% ] 2/3 VUs  2.0s/4.0s
    four       ✓ [ 100% ] 2 VUs    00m00.9s/10m0s  6/6 iters, 3 per VU
    one        ↓ [ 100% ] 2 VUs    2.0s/2s
    six        ✗ [  97% ] 2/3 VUs  2.0s/2s         7.84 iters/s
    two_longer • [   0% ] waiting  1.0s
    ");
}

#[test]
fn bars_have_one_width() {
    assert_snapshot!(bars(&view(), TerminalSize { columns: 110, rows: 24 }, false).trim(), @"
    running (00m02.0s), 07/14 VUs, 49 complete and 0 interrupted iterations
    five         [==================>-------------------] 2/3 VUs  2.0s/4.0s
    four       ✓ [======================================] 2 VUs    00m00.9s/10m0s  6/6 iters, 3 per VU
    one        ↓ [======================================] 2 VUs    2.0s/2s
    six        ✗ [===================================>--] 2/3 VUs  2.0s/2s         7.84 iters/s
    two_longer • [--------------------------------------] waiting  1.0s
    ");
}

#[test]
fn bars_shrink_with_the_terminal() {
    assert_snapshot!(bars(&view(), TerminalSize { columns: 72, rows: 24 }, false).trim(), @"
    running (00m02.0s), 07/14 VUs, 49 complete and 0 interrupted iterations
    five         [=====>------] 2/3 VUs  2.0s/4.0s
    four       ✓ [============] 2 VUs    00m00.9s/10m0s  6/6 iters, 3 per VU
    one        ↓ [============] 2 VUs    2.0s/2s
    six        ✗ [==========>-] 2/3 VUs  2.0s/2s         7.84 iters/s
    two_longer • [------------] waiting  1.0s
    ");
}

#[test]
fn no_line_is_wider_or_block_higher_than_the_terminal() {
    for columns in 0..130 {
        for rows in 0..12 {
            let block = bars(&view(), TerminalSize { columns, rows }, false);
            assert!(block.lines().all(|line| line.chars().count() <= columns), "{columns}:\n{block}");
            assert!(block.lines().count() <= rows.max(4), "{rows}:\n{block}");
        }
    }
}

#[test]
fn scenarios_that_do_not_fit_are_counted() {
    let block = bars(&view(), TerminalSize { columns: 100, rows: 6 }, false);
    assert!(block.ends_with("… and 3 more\n"), "{block}");
}

#[test]
fn times_have_the_digits_of_their_maximum() {
    let check = |millis: u64, max_s: u64, expected: &str| {
        let text = fixed_width_duration(Duration::from_millis(millis), Duration::from_secs(max_s));
        assert_eq!(text, expected);
    };
    check(1_000, 2, "1.0s");
    check(1_100, 32, "01.1s");
    check(1_000, 60, "0m01.0s");
    check(61_960, 630, "01m02.0s");
    check(3_723_400, 36_000, "01h02m03.4s");
    check(0, 3600, "0h00m00.0s");
    check(90_061_000, 864_000, "01d01h01m01.0s");
    check(3_000, 2, "3.0s");
}

#[test]
fn counts_have_the_digits_of_their_maximum() {
    assert_eq!((padded(7, 14), padded(0, 9), padded(12, 0)), ("07".into(), "0".into(), "12".into()));
}

fn progress_on(terminal: bool) -> (Progress, Console, Captured) {
    let stdout = Captured::default();
    let size: Option<fn() -> TerminalSize> =
        if terminal { Some(|| TerminalSize { columns: 100, rows: 24 }) } else { None };
    let console = Console::new(
        Stream { writer: Box::new(stdout.clone()), terminal: size },
        Stream { writer: Box::new(std::io::sink()), terminal: None },
    );
    let mode = Mode::choose(&console, false, false);
    (Progress::new(console.clone(), mode), console, stdout)
}

#[test]
fn text_is_printed_above_the_bars() {
    let (progress, console, stdout) = progress_on(true);
    let mut view = view();
    view.scenarios.truncate(1);
    progress.update(&view);
    let block = bars(&view, TerminalSize { columns: 100, rows: 24 }, false);
    console.print("hello\n");
    assert!(stdout.text().ends_with(&format!("\x1b[3A\r\x1b[Jhello\n{block}")), "{:?}", stdout.text());
    progress.clear();
    assert!(stdout.text().ends_with("\x1b[3A\r\x1b[J"), "{:?}", stdout.text());
}

#[test]
fn elsewhere_there_are_no_terminal_commands() {
    let (progress, _, stdout) = progress_on(false);
    progress.update(&view());
    progress.clear();
    progress.finish(&view());
    assert_eq!(stdout.text(), lines(&view()).repeat(2));
    assert_eq!(progress.interval(), Some(Duration::from_secs(1)));
}

#[test]
fn quiet_prints_nothing() {
    let (progress, console, stdout) = progress_on(true);
    let quiet = Progress::new(console.clone(), Mode::choose(&console, true, true));
    quiet.update(&view());
    quiet.finish(&view());
    assert_eq!((stdout.text().as_str(), quiet.interval()), ("", None));
    drop(progress);
}
