//! Flags that set script options, as k6 spells them.

use clap::Args;
use squall_options::FromText;

use super::Switch;

/// One flag an option; [`crate::flags`] turns them into the highest layer of options.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Options of the test")]
pub struct OptionArgs {
    /// Number of VUs
    #[arg(short = 'u', long, value_name = "N", value_parser = whole_number)]
    pub vus: Option<u64>,
    /// Length of the test, such as 30s or 1h10m
    #[arg(short, long, value_name = "DURATION")]
    pub duration: Option<String>,
    /// Number of iterations, shared by all VUs
    #[arg(short, long, value_name = "N", value_parser = whole_number)]
    pub iterations: Option<u64>,
    /// Add a stage: ramp to TARGET VUs within DURATION
    #[arg(short, long = "stage", value_name = "DURATION:TARGET", value_delimiter = ',')]
    pub stages: Vec<String>,
    /// Run only this part of the test, such as 25% or 1/4:2/4
    #[arg(long, value_name = "SEGMENT")]
    pub execution_segment: Option<String>,
    /// How all instances divide the test, such as 0,1/4,1
    #[arg(long, value_name = "SEQUENCE")]
    pub execution_segment_sequence: Option<String>,
    /// Start paused
    #[arg(short, long)]
    pub paused: Option<Switch>,
    /// Do not run setup()
    #[arg(long)]
    pub no_setup: Option<Switch>,
    /// Do not run teardown()
    #[arg(long)]
    pub no_teardown: Option<Switch>,
    /// Follow at most N redirects [default: 10]
    #[arg(long, value_name = "N", value_parser = whole_number)]
    pub max_redirects: Option<u64>,
    /// Parallel requests of one batch call [default: 20]
    #[arg(long, value_name = "N", value_parser = whole_number)]
    pub batch: Option<u64>,
    /// Parallel requests of one batch call to one host [default: 6]
    #[arg(long, value_name = "N", value_parser = whole_number)]
    pub batch_per_host: Option<u64>,
    /// Most requests a second, all VUs together; 0 is no limit
    #[arg(long, value_name = "N", value_parser = whole_number)]
    pub rps: Option<u64>,
    /// User-Agent header of requests
    #[arg(long, value_name = "TEXT")]
    pub user_agent: Option<String>,
    /// Log requests and responses; with =full their bodies, too
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "headers")]
    pub http_debug: Option<String>,
    /// Accept any server certificate
    #[arg(long)]
    pub insecure_skip_tls_verify: Option<Switch>,
    /// Close the connection after each request
    #[arg(long)]
    pub no_connection_reuse: Option<Switch>,
    /// Close connections at the end of each iteration
    #[arg(long)]
    pub no_vu_connection_reuse: Option<Switch>,
    /// A shorter iteration waits until this long has passed
    #[arg(long, value_name = "DURATION")]
    pub min_iteration_duration: Option<String>,
    /// Throw an exception where a request would only warn
    #[arg(short = 'w', long)]
    pub throw: Option<Switch>,
    /// Never dial this range of addresses
    #[arg(long = "blacklist-ip", value_name = "CIDR", value_delimiter = ',')]
    pub blacklist_ips: Vec<String>,
    /// Never dial hosts of this name; a leading * stands for anything
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub block_hostnames: Vec<String>,
    /// Columns of trends in the summary [default: avg,min,med,max,p(90),p(95)]
    #[arg(long, value_name = "STATS", value_delimiter = ',')]
    pub summary_trend_stats: Vec<String>,
    /// Unit of times in the summary: s, ms or us
    #[arg(long, value_name = "UNIT")]
    pub summary_time_unit: Option<String>,
    /// Tags that Squall itself sets on samples
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub system_tags: Option<Vec<String>>,
    /// Add a tag to all samples
    #[arg(long = "tag", value_name = "NAME=VALUE")]
    pub tags: Vec<String>,
    /// Append what console.log and its like print to this file
    #[arg(long, value_name = "FILE")]
    pub console_output: Option<String>,
    /// Read response bodies but do not keep them
    #[arg(long)]
    pub discard_response_bodies: Option<Switch>,
    /// Addresses and ranges that VUs dial from
    #[arg(long, value_name = "ADDRESSES")]
    pub local_ips: Option<String>,
    /// Name resolution [default: ttl=5m,select=random,policy=preferIPv4]
    #[arg(long, value_name = "SETTINGS")]
    pub dns: Option<String>,
    /// A bad network for VUs: a preset, shares such as 70%4g,30%3g, or a JSON file (not in k6)
    #[arg(long, value_name = "NETWORK")]
    pub network: Option<String>,
    /// Memory that the script of one VU may use, such as 256MB; 1GB unless set (not in k6)
    #[arg(long, value_name = "SIZE")]
    pub vu_memory_limit: Option<String>,
}

fn whole_number(text: &str) -> Result<u64, String> {
    u64::from_text(text)
}
