//! The figures: what is read off a run, how it is printed, and what is aimed at.

/// A number of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Figure {
    /// Processor time a request or iteration, in microseconds.
    Cpu,
    /// Requests or iterations a second.
    Rate,
    /// The largest resident set, in megabytes.
    Memory,
    /// The same in kilobytes, divided by so many VUs.
    MemoryPerVu(u64),
    /// What the largest resident set has more than that of the same VUs without a socket, in kilobytes a socket.
    MemoryPerSocket,
    /// Processor time of the whole machine while the tool ran, in percent.
    MachineBusy,
    /// A statistic of a trend, in milliseconds, from the summary of the run itself.
    Trend { metric: &'static str, stat: &'static str, title: &'static str },
}

/// What a figure of Squall is to be.
#[derive(Clone, Copy)]
pub(super) struct Goal {
    pub(super) figure: Figure,
    pub(super) most: Most,
}

/// The largest value that is good enough.
#[derive(Clone, Copy)]
pub(super) enum Most {
    Value(f64),
    /// So many times what a peer needs in the same rounds.
    Times(f64, &'static str),
}

/// What every table shows.
pub(super) const COMMON: [Figure; 3] = [Figure::Cpu, Figure::Rate, Figure::Memory];

impl Figure {
    /// The title of its column.
    pub(super) fn title(self) -> &'static str {
        match self {
            Figure::Cpu => "CPU µs each",
            Figure::Rate => "each second",
            Figure::Memory => "peak RSS MB",
            Figure::MemoryPerVu(_) => "KB a VU",
            Figure::MemoryPerSocket => "KB a socket",
            Figure::MachineBusy => "machine busy %",
            Figure::Trend { title, .. } => title,
        }
    }

    /// Whether a ratio to Squall's stands beside it.
    pub(super) fn has_ratio(self) -> bool {
        matches!(self, Figure::Cpu | Figure::Memory)
    }

    /// The number as people read it.
    pub(super) fn print(self, value: f64) -> String {
        match self {
            Figure::Rate | Figure::MachineBusy => format!("{value:.0}"),
            Figure::Trend { .. } if value < 100.0 => format!("{value:.2}"),
            Figure::Trend { .. } => format!("{value:.0}"),
            Figure::Cpu | Figure::Memory | Figure::MemoryPerVu(_) | Figure::MemoryPerSocket => {
                format!("{value:.1}")
            }
        }
    }
}

impl Goal {
    /// The goal as a cell of Squall's row; `measured` gives a figure of a tool, by the tool's name.
    pub(super) fn print(&self, measured: impl Fn(&str, Figure) -> Option<f64>) -> String {
        let title = self.figure.title();
        match self.most {
            Most::Value(most) => format!("{title} ≤ {most}"),
            Most::Times(most, peer) => {
                let here = measured("Squall", self.figure).zip(measured(peer, self.figure));
                let here =
                    here.map_or(String::new(), |(ours, theirs)| format!(", here {:.2}", ours / theirs));
                format!("{title} ≤ {most} × {peer}{here}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_relative_to_a_peer_tells_where_we_are() {
        let goal = Goal { figure: Figure::Cpu, most: Most::Times(1.15, "wrk") };
        let measured = |name: &str, _| Some(if name == "wrk" { 8.0 } else { 10.0 });
        assert_eq!(goal.print(measured), "CPU µs each ≤ 1.15 × wrk, here 1.25");
        assert_eq!(goal.print(|_, _| None), "CPU µs each ≤ 1.15 × wrk");
    }

    #[test]
    fn a_goal_of_its_own_is_a_number() {
        let goal = Goal { figure: Figure::MemoryPerVu(5000), most: Most::Value(40.0) };
        assert_eq!(goal.print(|_, _| None), "KB a VU ≤ 40");
    }
}
