//! How much a script has to compute for the machine to be as busy as a case wants: found by trying.

use anyhow::Result;

/// The turns of computing to try first: some 20 µs in Squall.
const FIRST_TURNS: f64 = 1000.0;

/// Tries at most; each takes as long as the run it is for.
const TRIES_MAX: usize = 6;

/// Near enough, as a share of the machine.
const TOLERANCE: f64 = 0.01;

/// More than this is all there is: the rest is what nobody could use in time.
const FULL: f64 = 0.97;

/// A try: the turns of computing, and how busy the machine was with them, from 0 to 1.
#[derive(Clone, Copy)]
struct Try {
    turns: f64,
    busy: f64,
}

/// The turns with which the machine is so busy, or those that came nearest.
///
/// The share grows with the turns, but not in a straight line: cores that share units are slower together, and beside a
/// full machine tools batch what they do. So the tries close in from both sides.
pub(super) fn rehearse(share: f64, mut busy_with: impl FnMut(f64) -> Result<f64>) -> Result<f64> {
    let mut try_with = |turns| busy_with(turns).map(|busy| Try { turns, busy });
    let idle = try_with(0.0)?;
    let (mut below, mut above) = (idle, None);
    let mut nearest = try_with(FIRST_TURNS)?;
    let mut last = nearest;
    for _ in 1..TRIES_MAX {
        if (nearest.busy - share).abs() <= TOLERANCE {
            break;
        }
        match last.busy < share {
            true => below = last,
            false => above = Some(last),
        }
        last = try_with(next_turns(share, idle, below, above))?;
        if (last.busy - share).abs() < (nearest.busy - share).abs() {
            nearest = last;
        }
    }
    Ok(nearest.turns)
}

fn next_turns(share: f64, idle: Try, below: Try, above: Option<Try>) -> f64 {
    let on_line = |from: Try, to: Try| {
        from.turns + (share - from.busy) * (to.turns - from.turns) / (to.busy - from.busy).max(0.001)
    };
    let further = on_line(idle, below).min(below.turns * 5.0);
    match above {
        None => further,
        Some(above) if above.busy <= FULL => on_line(below, above),
        // How much too many there were a full machine does not tell.
        Some(above) if below.turns > 0.0 && further < above.turns => further,
        Some(above) => (below.turns.max(above.turns / 6.0) * above.turns).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(share: f64, machine: impl Fn(f64) -> f64) -> (f64, usize) {
        let mut tries = 0;
        let turns = rehearse(share, |turns| {
            tries += 1;
            Ok(machine(turns))
        });
        (machine(turns.unwrap()), tries)
    }

    #[test]
    fn machines_of_any_speed_are_made_as_busy_as_wanted() {
        let straight = |per_turn: f64| move |turns: f64| (0.3 + turns * per_turn).min(1.0);
        let bent =
            |per_turn: f64| move |turns: f64| (0.25 + turns * per_turn * (1.0 + turns * per_turn)).min(0.99);
        for per_turn in [0.00002, 0.0001, 0.0005, 0.002] {
            for (busy, tries) in [found(0.8, straight(per_turn)), found(0.8, bent(per_turn))] {
                assert!((busy - 0.8).abs() <= 2.0 * TOLERANCE, "{busy} at {per_turn} a turn");
                assert!(tries <= TRIES_MAX + 1, "{tries} at {per_turn} a turn");
            }
        }
    }

    #[test]
    fn a_machine_that_is_busy_anyway_is_tried_for_a_while() {
        let (busy, tries) = found(0.8, |_| 0.95);
        assert_eq!((busy, tries), (0.95, TRIES_MAX + 1));
    }
}
