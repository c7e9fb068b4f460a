//! How many VUs are needed when, and how many that is at most.

use std::time::Duration;

use crate::Time;

/// So many VUs more, or fewer, are needed from this time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Change {
    pub(crate) at: Time,
    pub(crate) vus: i64,
}

impl Change {
    /// `vus` from zero to `end`, or for good.
    pub(crate) fn level(vus: u64, end: Option<Duration>) -> Vec<Change> {
        let vus = i64::try_from(vus).unwrap_or(i64::MAX);
        let begin = Change { at: Time::ZERO, vus };
        std::iter::once(begin).chain(end.map(|at| Change { at, vus: -vus })).collect()
    }

    /// The same change in a scenario that starts at `start`.
    pub(crate) fn after(self, start: Duration) -> Change {
        Change { at: self.at.saturating_add(start), ..self }
    }
}

/// The most VUs needed at one time. A VU that is given back at the moment another is needed serves both,
/// as in k6: changes of the same time sort by size, returns first.
pub(crate) fn peak(mut changes: Vec<Change>) -> u64 {
    changes.sort_unstable();
    let mut needed = 0_i128;
    let mut most = 0_i128;
    for change in changes {
        needed += i128::from(change.vus);
        most = most.max(needed);
    }
    u64::try_from(most).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn scenarios_that_follow_each_other_share_vus() {
        let first = Change::level(10, Some(secs(5)));
        let second = Change::level(7, Some(secs(5))).into_iter();
        let apart = second.clone().map(|it| it.after(secs(5)));
        assert_eq!(peak(first.iter().copied().chain(apart).collect()), 10);
        let overlapping = second.map(|it| it.after(secs(4)));
        assert_eq!(peak(first.into_iter().chain(overlapping).collect()), 17);
    }

    #[test]
    fn endless_and_absurd_demands_add_up() {
        assert_eq!(peak(Change::level(3, None)), 3);
        assert_eq!(
            peak([Change::level(u64::MAX, None), Change::level(u64::MAX, None)].concat()),
            u64::MAX - 1
        );
        assert_eq!(peak(Vec::new()), 0);
    }
}
