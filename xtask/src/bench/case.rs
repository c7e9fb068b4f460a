//! What is measured: the cases, and the figures that each one is about.

use super::figure::{Figure, Goal, Most};

/// A load that peers are put to.
pub(super) struct Case {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// The name of its script, where that is another.
    pub(super) script: &'static str,
    pub(super) title: &'static str,
    /// Where the requests go.
    pub(super) listener: Listener,
    pub(super) path: &'static str,
    /// What tools without scripts send for the same load; `None` when they cannot do the case.
    pub(super) plain: Option<Plain>,
    /// What the case tells besides processor time, rate and memory.
    pub(super) figures: &'static [Figure],
    pub(super) goals: &'static [Goal],
    /// How many VUs with a socket each, for a case about sockets: its memory is compared with the same VUs without.
    pub(super) sockets: Option<u64>,
    /// How busy the machine is to be, from 0 to 1, by the turns of computing that the script does.
    pub(super) machine_busy: Option<f64>,
    /// Whether the script imports the generated library.
    pub(super) needs_library: bool,
    /// Whether it takes so much time or memory that it only runs when asked for.
    pub(super) large: bool,
}

/// An address of the server.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Listener {
    Http,
    Https,
    /// HTTPS that offers HTTP/2.
    Http2,
    /// WebSocket, which nginx does not speak: the test target's.
    Sockets,
}

/// A request that needs no script.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Plain {
    Get,
    Post,
    Http2,
}

const CASE: Case = Case {
    name: "",
    script: "",
    title: "",
    listener: Listener::Http,
    path: "",
    plain: None,
    figures: &[],
    goals: &[],
    sockets: None,
    machine_busy: None,
    needs_library: false,
    large: false,
};

const LIBRARY: Case = Case {
    figures: &[Figure::MemoryPerVu(2000)],
    goals: &[Goal { figure: Figure::MemoryPerVu(2000), most: Most::Value(440.0) }],
    needs_library: true,
    large: true,
    ..CASE
};

const SOCKETS: Case = Case {
    script: "sockets",
    listener: Listener::Sockets,
    goals: &[Goal { figure: Figure::MemoryPerSocket, most: Most::Value(15.0) }],
    figures: &[Figure::MemoryPerSocket],
    ..CASE
};

const QUARTER_OF_K6: &[Goal] = &[Goal { figure: Figure::Cpu, most: Most::Times(0.25, "k6") }];

const LATENESS: [Figure; 4] = [
    Figure::Trend { metric: "iteration_lateness", stat: "med", title: "late ms med" },
    Figure::Trend { metric: "iteration_lateness", stat: "p(99)", title: "p99" },
    LATENESS_P999,
    Figure::Trend { metric: "iteration_lateness", stat: "max", title: "max" },
];
const LATENESS_P999: Figure =
    Figure::Trend { metric: "iteration_lateness", stat: "p(99.9)", title: "late ms p99.9" };

const ANSWERED: Figure =
    Figure::Trend { metric: "answered_after", stat: "max", title: "all answered after ms" };

const WOKE_P99: Figure = Figure::Trend { metric: "woke_late", stat: "p(99)", title: "woke late ms p99" };

pub(super) const CASES: [Case; 17] = [
    Case {
        name: "get",
        title: "bare GET, 50 VUs",
        plain: Some(Plain::Get),
        goals: &[Goal { figure: Figure::Cpu, most: Most::Times(1.15, "wrk") }],
        ..CASE
    },
    Case {
        name: "checks",
        title: "GET, two checks and res.json(), 50 VUs; tools without scripts send the bare GET",
        plain: Some(Plain::Get),
        // 7.5 µs on a machine where wrk needs 6.6.
        goals: &[Goal { figure: Figure::Cpu, most: Most::Times(1.14, "wrk") }],
        ..CASE
    },
    Case {
        name: "post",
        title: "POST of 1 KB JSON, 50 VUs",
        plain: Some(Plain::Post),
        goals: QUARTER_OF_K6,
        ..CASE
    },
    Case {
        name: "https",
        title: "bare GET over HTTPS, 50 VUs",
        listener: Listener::Https,
        plain: Some(Plain::Get),
        goals: QUARTER_OF_K6,
        ..CASE
    },
    Case {
        name: "http2",
        title: "bare GET over HTTP/2, 50 VUs",
        listener: Listener::Http2,
        plain: Some(Plain::Http2),
        goals: QUARTER_OF_K6,
        ..CASE
    },
    Case {
        name: "body",
        title: "GET of 100 KB, 50 VUs",
        path: "100kb",
        plain: Some(Plain::Get),
        goals: QUARTER_OF_K6,
        ..CASE
    },
    Case {
        name: "cookies",
        title: "GET with a cookie set by each response and sent by each request, 50 VUs",
        path: "cookie",
        goals: QUARTER_OF_K6,
        ..CASE
    },
    Case {
        name: "idle",
        title: "5,000 VUs, a connection each, mostly idle",
        figures: &[Figure::MemoryPerVu(5000)],
        goals: &[Goal { figure: Figure::MemoryPerVu(5000), most: Most::Value(40.0) }],
        ..CASE
    },
    Case { name: "arrivals", title: "2,000 arrivals/s", figures: &LATENESS, ..CASE },
    Case {
        name: "busy",
        title: "5,000 arrivals/s on a machine that is 80 % busy",
        machine_busy: Some(0.8),
        figures: &[LATENESS[0], LATENESS[1], LATENESS[2], LATENESS[3], Figure::MachineBusy],
        goals: &[Goal { figure: LATENESS_P999, most: Most::Value(1.0) }],
        ..CASE
    },
    Case {
        name: "start",
        title: "10,000 VUs, from the start of the process to the last one's first request",
        figures: &[
            Figure::Trend { metric: "asked_after", stat: "max", title: "all asked after ms" },
            ANSWERED,
        ],
        goals: &[Goal { figure: ANSWERED, most: Most::Value(1000.0) }],
        ..CASE
    },
    Case {
        name: "library",
        title: "2,000 VUs as in idle, that import by name from a library of 250 KB: 2,600 functions, 60 classes, \
                150 constants",
        ..LIBRARY
    },
    Case {
        name: "library-star",
        title: "2,000 VUs as in library, that import it with `import * as lib`",
        ..LIBRARY
    },
    Case {
        name: "sockets",
        title: "2,000 VUs with a WebSocket each, that say and hear a message a second; each is a message heard",
        sockets: Some(2000),
        ..SOCKETS
    },
    Case {
        name: "sockets-10k",
        title: "10,000 VUs as in sockets",
        sockets: Some(10_000),
        large: true,
        ..SOCKETS
    },
    Case {
        name: "think",
        title: "15,000 VUs with a connection each and 5 s of think time",
        figures: &[
            Figure::MemoryPerVu(15_000),
            Figure::Trend { metric: "woke_late", stat: "med", title: "woke late ms med" },
            WOKE_P99,
            Figure::Trend { metric: "woke_late", stat: "max", title: "max" },
        ],
        goals: &[
            Goal { figure: Figure::Memory, most: Most::Value(650.0) },
            Goal { figure: WOKE_P99, most: Most::Value(10.0) },
        ],
        large: true,
        ..CASE
    },
    Case {
        name: "crowd",
        title: "100,000 VUs that sleep, count and check; no requests",
        figures: &[Figure::MemoryPerVu(100_000)],
        goals: &[Goal { figure: Figure::Memory, most: Most::Value(2500.0) }],
        large: true,
        ..CASE
    },
];
