//! Networks by name.
//!
//! The mobile and fixed ones are the connectivity profiles of WebPageTest (`connectivity.ini`), which many
//! performance budgets refer to: round-trip time and bandwidth, no jitter and no loss.

use std::time::Duration;

use super::Conditions;

/// The names of all presets, for messages.
pub const PRESET_NAMES: &str = "none, slow-3g, 3g, 4g, dsl, satellite or lossy-wifi";

/// The conditions that a name stands for.
pub(super) fn preset(name: &str) -> Option<Conditions> {
    Some(match name {
        // Nothing is added: for shares of VUs, and to turn a script's network off.
        "none" => Conditions::default(),
        // WebPageTest's "Mobile 3G - Slow": 400 kbit/s both ways, 400 ms.
        "slow-3g" => line(400, 400_000, 400_000),
        // WebPageTest's "Mobile 3G": 1.6 Mbit/s down, 768 kbit/s up, 300 ms.
        "3g" => line(300, 1_600_000, 768_000),
        // WebPageTest's "4G": 9 Mbit/s both ways, 170 ms.
        "4g" => line(170, 9_000_000, 9_000_000),
        // WebPageTest's "DSL": 1.5 Mbit/s down, 384 kbit/s up, 50 ms.
        "dsl" => line(50, 1_500_000, 384_000),
        // A geostationary satellite: RFC 2488 §2 gives 558 ms for the way up and down and back at the edge of the
        // coverage, the terrestrial part makes it about 600. Bandwidth as sold to homes; jitter and loss are our choice.
        "satellite" => {
            Conditions { jitter: Duration::from_millis(20), loss: 0.001, ..line(600, 25_000_000, 3_000_000) }
        }
        // The far corner of a flat, with neighbours. Nobody's standard: the numbers are our choice.
        "lossy-wifi" => {
            Conditions { jitter: Duration::from_millis(20), loss: 0.02, ..line(40, 10_000_000, 5_000_000) }
        }
        _ => return None,
    })
}

fn line(latency_ms: u64, download_bits: u64, upload_bits: u64) -> Conditions {
    Conditions {
        latency: Duration::from_millis(latency_ms),
        download_bits: Some(download_bits),
        upload_bits: Some(upload_bits),
        ..Conditions::default()
    }
}
