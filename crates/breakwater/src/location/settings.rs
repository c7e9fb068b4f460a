//! The settings of Location.

use clap::Args;

use crate::kit::config::defaults_of_flags;

/// What sessions and connections are held to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Location")]
pub struct LocationSettings {
    /// Positions that come within this time go out together: more of it is less work and more delay
    #[arg(long, env = "BREAKWATER_LOCATION_WINDOW_MS", value_name = "MS", default_value_t = 40)]
    pub location_window_ms: u64,
    /// WebSocket connections at a time. Beyond it new ones get 503
    #[arg(long, env = "BREAKWATER_LOCATION_CONNECTIONS", value_name = "N", default_value_t = 20_000)]
    pub location_connections: usize,
    /// Sessions at a time
    #[arg(long, env = "BREAKWATER_LOCATION_SESSIONS", value_name = "N", default_value_t = 100_000)]
    pub location_sessions: u32,
    /// Participants of a session. Each gets every other's positions: work grows with the square
    #[arg(long, env = "BREAKWATER_LOCATION_MEMBERS", value_name = "N", default_value_t = 200)]
    pub location_members: u32,
    /// Positions a second that are taken from one participant
    #[arg(long, env = "BREAKWATER_LOCATION_UPDATES", value_name = "N", default_value_t = 20)]
    pub location_updates: u32,
    /// How long a participant whose connection is lost is away before it has left
    #[arg(long, env = "BREAKWATER_LOCATION_AWAY_MS", value_name = "MS", default_value_t = 15_000)]
    pub location_away_ms: u64,
    /// After this long without a word from a client it is pinged
    #[arg(long, env = "BREAKWATER_LOCATION_PING_MS", value_name = "MS", default_value_t = 20_000)]
    pub location_ping_ms: u64,
    /// After this long without a message a client is sent away, even if it answers pings
    #[arg(long, env = "BREAKWATER_LOCATION_IDLE_MS", value_name = "MS", default_value_t = 1_800_000)]
    pub location_idle_ms: u64,
    /// Age at which sessions are deleted
    #[arg(long, env = "BREAKWATER_LOCATION_SESSION_S", value_name = "SECONDS", default_value_t = 86_400)]
    pub location_session_s: u64,
}
defaults_of_flags!(LocationSettings);
