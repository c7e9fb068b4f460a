//! The blocks that the text summary sorts metrics into.

use crate::Detail;

/// Blocks of metrics in the order they are shown; what fits no other is [`Block::Custom`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Block {
    Custom,
    Http,
    Execution,
    Network,
    Browser,
    WebVitals,
    Grpc,
    WebSocket,
}

/// Metrics of the phases of HTTP requests.
const HTTP_PHASES: [&str; 6] = [
    "http_req_blocked",
    "http_req_connecting",
    "http_req_receiving",
    "http_req_sending",
    "http_req_tls_handshaking",
    "http_req_waiting",
];

impl Block {
    /// The block of a metric, by the start of its name as in k6. `None` for what is not shown as a metric.
    pub(crate) fn of(metric: &str, detail: Detail) -> Option<Block> {
        const PREFIXES: [(Block, &[&str]); 8] = [
            (Block::Http, &["http_reqs", "http_req_failed", "http_req_duration"]),
            (Block::Http, &HTTP_PHASES),
            (
                Block::Execution,
                &["vus", "iterations", "iteration_duration", "iteration_lateness", "dropped_iterations"],
            ),
            (Block::Network, &["data_sent", "data_received"]),
            (Block::Grpc, &["grpc_"]),
            (Block::WebSocket, &["ws_"]),
            (Block::WebVitals, &["browser_web_vital_"]),
            (Block::Browser, &["browser_"]),
        ];
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| metric.starts_with(prefix));
        if starts(&["checks", "group_duration"]) || detail == Detail::Compact && HTTP_PHASES.contains(&metric)
        {
            return None;
        }
        let block = PREFIXES.iter().find(|(_, prefixes)| starts(prefixes));
        Some(block.map_or(Block::Custom, |(block, _)| *block))
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Block::Custom => "CUSTOM",
            Block::Http => "HTTP",
            Block::Execution => "EXECUTION",
            Block::Network => "NETWORK",
            Block::Browser => "BROWSER",
            Block::WebVitals => "WEB_VITALS",
            Block::Grpc => "GRPC",
            Block::WebSocket => "WEBSOCKET",
        }
    }
}
