//! What the birthday service is told.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, civil::Time};

use super::rules::{self, LeapDay, Rules};
use crate::kit::config::Secret;

/// The part that a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// All of it
    All,
    /// Requests
    Api,
    /// Working out what is due and putting it into the queue. Several may run: one is at work, the others stand by
    Scheduler,
    /// Sending
    Worker,
}

impl Role {
    pub fn has(self, part: Self) -> bool {
        self == Self::All || self == part
    }
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Birthday")]
pub struct BirthdaySettings {
    /// What this process does
    #[arg(long, env = "BREAKWATER_BIRTHDAY_ROLE", value_name = "ROLE", default_value = "all")]
    pub birthday_role: Role,
    /// The bearer token that requests to /api must have. Without it whoever can connect is served
    #[arg(long, env = "BREAKWATER_BIRTHDAY_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub birthday_token: Option<Secret>,
    /// The time of day at which messages are sent, on the clocks of their receivers
    #[arg(
        long,
        env = "BREAKWATER_BIRTHDAY_SEND_AT",
        value_name = "HH:MM",
        default_value = "09:00",
        value_parser = rules::send_at
    )]
    pub birthday_send_at: Time,
    /// Where those born on 29 February celebrate in common years
    #[arg(long, env = "BREAKWATER_BIRTHDAY_LEAP_DAY", value_name = "MONTH", default_value = "february")]
    pub birthday_leap_day: LeapDay,
    /// How many days late a message is still sent, when nothing ran on the day
    #[arg(
        long,
        env = "BREAKWATER_BIRTHDAY_LATE_DAYS",
        value_name = "DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u16).range(0..=300)
    )]
    pub birthday_late_days: u16,
    /// How often the scheduler looks for messages that are due
    #[arg(
        long,
        env = "BREAKWATER_BIRTHDAY_INTERVAL_MS",
        value_name = "MS",
        default_value_t = 60_000,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub birthday_interval_ms: u64,
    /// How long a scheduler that says nothing is believed to be alive. Then another takes over
    #[arg(
        long,
        env = "BREAKWATER_BIRTHDAY_LEASE_MS",
        value_name = "MS",
        default_value_t = 30_000,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub birthday_lease_ms: u64,
    /// Messages published at a time
    #[arg(
        long,
        env = "BREAKWATER_BIRTHDAY_BATCH",
        value_name = "N",
        default_value_t = 500,
        value_parser = clap::value_parser!(u16).range(1..=5_000)
    )]
    pub birthday_batch: u16,
    /// The queue's name
    #[arg(long, env = "BREAKWATER_BIRTHDAY_QUEUE", value_name = "NAME", default_value = "birthday")]
    pub birthday_queue: String,
    /// How long a message may be on the way without news before it is published again. The queue must be empty too
    #[arg(long, env = "BREAKWATER_BIRTHDAY_LOST_AFTER_MS", value_name = "MS", default_value_t = 900_000)]
    pub birthday_lost_after_ms: u64,
    /// Messages that a worker sends at a time
    #[arg(
        long,
        env = "BREAKWATER_BIRTHDAY_CONCURRENCY",
        value_name = "N",
        default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    pub birthday_concurrency: u16,
    /// How long sending one message may take
    #[arg(long, env = "BREAKWATER_BIRTHDAY_SEND_TIMEOUT_MS", value_name = "MS", default_value_t = 10_000)]
    pub birthday_send_timeout_ms: u64,
    /// How often sending one message is tried before it is a dead letter
    #[arg(
        long,
        env = "BREAKWATER_BIRTHDAY_ATTEMPTS",
        value_name = "N",
        default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=100)
    )]
    pub birthday_attempts: u32,
    /// The longest pause after the first attempt; it doubles with each
    #[arg(long, env = "BREAKWATER_BIRTHDAY_RETRY_MS", value_name = "MS", default_value_t = 1_000)]
    pub birthday_retry_ms: u64,
    /// The longest pause between attempts
    #[arg(long, env = "BREAKWATER_BIRTHDAY_RETRY_MAX_MS", value_name = "MS", default_value_t = 300_000)]
    pub birthday_retry_max_ms: u64,
}

crate::kit::config::defaults_of_flags!(BirthdaySettings);

impl BirthdaySettings {
    pub fn rules(&self) -> Rules {
        Rules { send_at: self.birthday_send_at, leap_day: self.birthday_leap_day }
    }

    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.birthday_interval_ms)
    }

    pub fn send_timeout(&self) -> Duration {
        Duration::from_millis(self.birthday_send_timeout_ms)
    }

    pub fn lost_after(&self) -> SignedDuration {
        ms(self.birthday_lost_after_ms)
    }

    pub fn lease(&self) -> SignedDuration {
        ms(self.birthday_lease_ms)
    }

    /// The pause after a failed attempt; `share` is random, from 0 to 1.
    pub fn back_off(&self, attempt: u32, share: f64) -> Duration {
        let pause =
            rules::back_off(attempt, ms(self.birthday_retry_ms), ms(self.birthday_retry_max_ms), share);
        Duration::try_from(pause).unwrap_or_default()
    }
}

fn ms(ms: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}
