//! What is measured: the cases, and the number that each one is about.

/// A load that peers are put to.
pub(super) struct Case {
    /// Its name on the command line, and its script's.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What wrk and oha send for the same load; `None` when they cannot do the case.
    pub(super) plain: Option<Plain>,
    /// What the case tells besides processor time, rate and memory.
    pub(super) extra: Option<Extra>,
}

/// A request that needs no script.
#[derive(Clone, Copy)]
pub(super) enum Plain {
    Get,
    Post,
}

/// A number of its own, with its column's title.
#[derive(Clone, Copy)]
pub(super) enum Extra {
    /// Memory, divided by so many VUs.
    KilobytesPerVu(u64),
    /// `iteration_lateness`: actual minus intended start.
    Lateness,
    /// When the last VU ran, from the start of the process.
    AllRunning,
}

pub(super) const CASES: [Case; 6] = [
    Case { name: "get", title: "bare GET, 50 VUs", plain: Some(Plain::Get), extra: None },
    Case { name: "checks", title: "GET, two checks and res.json(), 50 VUs", plain: None, extra: None },
    Case { name: "post", title: "POST of 1 KB JSON, 50 VUs", plain: Some(Plain::Post), extra: None },
    Case {
        name: "idle",
        title: "5,000 VUs, a connection each, mostly idle",
        plain: None,
        extra: Some(Extra::KilobytesPerVu(5000)),
    },
    Case { name: "arrivals", title: "2,000 arrivals/s", plain: None, extra: Some(Extra::Lateness) },
    Case {
        name: "start",
        title: "10,000 VUs from start to all running",
        plain: None,
        extra: Some(Extra::AllRunning),
    },
];

impl Extra {
    /// The title of its column.
    pub(super) fn title(self) -> &'static str {
        match self {
            Extra::KilobytesPerVu(_) => "memory a VU",
            Extra::Lateness => "lateness med / p99 / p99.9 / max",
            Extra::AllRunning => "all running after",
        }
    }
}
