//! The settings of Location.

use clap::{Args, builder::RangedU64ValueParser, value_parser};

use crate::kit::config::defaults_of_flags;

const DAY_MS: u64 = 86_400_000;
const YEAR_MS: u64 = 365 * DAY_MS;
const TEN_YEARS_S: u64 = 10 * YEAR_MS / 1000;

/// What sessions and connections are held to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Location")]
pub struct LocationSettings {
    /// Positions that come within this time go out together: more of it is less work and more delay
    #[arg(
        long,
        env = "BREAKWATER_LOCATION_WINDOW_MS",
        value_name = "MS",
        default_value_t = 40,
        value_parser = value_parser!(u64).range(..=60_000)
    )]
    pub location_window_ms: u64,
    /// WebSocket connections at a time. Beyond it new ones get 503
    #[arg(
        long,
        env = "BREAKWATER_LOCATION_CONNECTIONS",
        value_name = "N",
        default_value_t = 20_000,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000_000)
    )]
    pub location_connections: usize,
    /// Sessions at a time
    #[arg(long, env = "BREAKWATER_LOCATION_SESSIONS", value_name = "N", default_value_t = 100_000)]
    pub location_sessions: u32,
    /// Sessions created and joined a minute from one address. 0: no limit
    #[arg(long, env = "BREAKWATER_LOCATION_SESSIONS_PER_ADDRESS", value_name = "N", default_value_t = 600)]
    pub location_sessions_per_address: u32,
    /// Participants of a session. Each gets every other's positions: work grows with the square
    #[arg(
        long,
        env = "BREAKWATER_LOCATION_MEMBERS",
        value_name = "N",
        default_value_t = 200,
        value_parser = value_parser!(u32).range(1..=100_000)
    )]
    pub location_members: u32,
    /// Messages a second that are taken from one participant: positions, pings and all else
    #[arg(
        long,
        env = "BREAKWATER_LOCATION_UPDATES",
        value_name = "N",
        default_value_t = 20,
        value_parser = value_parser!(u32).range(1..)
    )]
    pub location_updates: u32,
    /// How long a participant whose connection is lost is away before it has left
    #[arg(
        long,
        env = "BREAKWATER_LOCATION_AWAY_MS",
        value_name = "MS",
        default_value_t = 15_000,
        value_parser = value_parser!(u64).range(..=DAY_MS)
    )]
    pub location_away_ms: u64,
    /// After this long without a word from a client it is pinged
    #[arg(
        long,
        env = "BREAKWATER_LOCATION_PING_MS",
        value_name = "MS",
        default_value_t = 20_000,
        value_parser = value_parser!(u64).range(1..=DAY_MS)
    )]
    pub location_ping_ms: u64,
    /// After this long without a message a client is sent away, even if it answers pings
    #[arg(
        long,
        env = "BREAKWATER_LOCATION_IDLE_MS",
        value_name = "MS",
        default_value_t = 1_800_000,
        value_parser = value_parser!(u64).range(1..=YEAR_MS)
    )]
    pub location_idle_ms: u64,
    /// Age at which sessions are deleted
    #[arg(
        long,
        env = "BREAKWATER_LOCATION_SESSION_S",
        value_name = "SECONDS",
        default_value_t = 86_400,
        value_parser = value_parser!(u64).range(1..=TEN_YEARS_S)
    )]
    pub location_session_s: u64,
}
defaults_of_flags!(LocationSettings);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_could_overflow_are_refused() {
        let command = || LocationSettings::augment_args(clap::Command::new("location").no_binary_name(true));
        for (flag, most) in [
            ("window-ms", 60_000),
            ("connections", 10_000_000),
            ("members", 100_000),
            ("away-ms", DAY_MS),
            ("ping-ms", DAY_MS),
            ("idle-ms", YEAR_MS),
            ("session-s", TEN_YEARS_S),
        ] {
            let parse = |value: u64| command().try_get_matches_from([format!("--location-{flag}={value}")]);
            assert!(parse(most).is_ok(), "{flag}");
            for value in [most + 1, u64::MAX] {
                let error = parse(value).expect_err(flag).to_string();
                assert!(error.contains(flag), "{error}");
            }
        }
    }
}
