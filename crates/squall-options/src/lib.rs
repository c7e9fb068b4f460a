//! What a test is told to do: options, durations, scenarios, execution segments, and how the layers that set
//! them combine. Pure: environment variables and files are handed in, nothing here reads them.

mod bad_network;
pub mod duration;
mod error;
mod layers;
mod network;
mod node;
mod options;
mod scenario;
mod segment;
mod tags;
mod validate;
mod value;

pub use bad_network::{
    Chance, Conditions, Network, NetworkBand, NetworkProfile, NetworkShares, PRESET_NAMES, Stalls,
};
pub use duration::{format_go_duration, parse_duration, parse_go_duration};
pub use error::OptionsError;
pub use ipnet::IpNet as Cidr;
pub use layers::{
    ConfigFile, Layer, consolidate, derive_scenarios, from_config_file, from_env, resolve_execution,
};
pub use network::{
    CipherSuite, Dns, DnsPolicy, DnsSelect, DnsTtl, HostnamePatterns, Hosts, IpPool, TlsAuth, TlsVersion,
    TlsVersions,
};
pub use node::Node;
pub use options::{Options, defaults};
pub use scenario::{Executor, Scenario, ScenarioConfig, Scenarios, Stage, Stages};
pub use segment::{Segment, SegmentSequence, Stripe};
pub use tags::{SystemTag, SystemTags};
pub use validate::validate;
pub use value::{
    ByteSize, FromText, HttpDebug, OptionValue, ThresholdConfig, Thresholds, TimeUnit, TrendStat,
};
