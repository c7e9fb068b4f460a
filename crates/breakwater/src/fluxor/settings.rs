//! How much Fluxor takes on when it starts. `/api/admission` changes it later.

use std::time::Duration;

use clap::Args;

use crate::kit::admission::{Limits, LimitsError};

/// The limits of admission.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Fluxor")]
pub struct FluxorSettings {
    /// Clients that have a place, in progress or waiting. Others are refused
    #[arg(
        long = "fluxor-max-clients",
        id = "fluxor-max-clients",
        env = "BREAKWATER_FLUXOR_MAX_CLIENTS",
        value_name = "N",
        default_value_t = 5_000
    )]
    pub max_clients: u32,
    /// The share of them whose requests are in progress
    #[arg(
        long = "fluxor-utilisation",
        id = "fluxor-utilisation",
        env = "BREAKWATER_FLUXOR_UTILISATION",
        value_name = "SHARE",
        default_value_t = 0.67
    )]
    pub utilisation: f64,
    /// The longest a request waits for its turn
    #[arg(
        long = "fluxor-max-wait-ms",
        id = "fluxor-max-wait-ms",
        env = "BREAKWATER_FLUXOR_MAX_WAIT_MS",
        value_name = "MS",
        default_value_t = 150
    )]
    pub max_wait_ms: u64,
    /// How long each request takes besides its computing, as one that asks another service does: for tests, since without it
    /// requests are so quick that the processor is full before the limits are
    #[arg(
        long = "fluxor-work-ms",
        id = "fluxor-work-ms",
        env = "BREAKWATER_FLUXOR_WORK_MS",
        value_name = "MS",
        default_value_t = 0
    )]
    pub work_ms: u64,
}
crate::kit::config::defaults_of_flags!(FluxorSettings);

impl FluxorSettings {
    /// The limits, if they make sense.
    pub fn limits(&self) -> Result<Limits, LimitsError> {
        let max_wait = Duration::from_millis(self.max_wait_ms);
        Limits::new(self.max_clients, self.utilisation, max_wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_have_the_defaults_of_the_limits() {
        assert_eq!(FluxorSettings::default().limits(), Ok(Limits::default()));
    }
}
