//! The options themselves: one table gives every key its field, type and environment variable, and everything
//! that treats options alike (reading, printing, layering) is made from it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};

use crate::{
    ByteSize, Cidr, CipherSuite, Dns, HostnamePatterns, Hosts, HttpDebug, IpPool, Network, NetworkShares,
    OptionValue, OptionsError, Scenarios, Segment, SegmentSequence, Stages, SystemTags, Thresholds, TimeUnit,
    TlsAuth, TlsVersions, TrendStat, node::Node, value::FromText,
};

/// What options fall back to when nothing sets them.
pub mod defaults {
    use std::time::Duration;

    use crate::{Options, SystemTags, TrendStat};

    /// The lowest layer: the defaults that k6 shows as if they had been set.
    pub fn layer() -> Options {
        Options {
            summary_trend_stats: Some(SUMMARY_TREND_STATS.to_vec()),
            system_tags: Some(SystemTags::default()),
            ..Options::default()
        }
    }

    /// `batch`: requests of one `http.batch` in flight.
    pub const BATCH: u64 = 20;
    /// `batchPerHost`: the same for one host.
    pub const BATCH_PER_HOST: u64 = 6;
    /// `maxRedirects`.
    pub const MAX_REDIRECTS: u64 = 10;
    /// `setupTimeout`.
    pub const SETUP_TIMEOUT: Duration = Duration::from_secs(60);
    /// `teardownTimeout`.
    pub const TEARDOWN_TIMEOUT: Duration = Duration::from_secs(60);
    /// `handleSummaryTimeout`.
    pub const HANDLE_SUMMARY_TIMEOUT: Duration = Duration::from_secs(120);
    /// `metricSamplesBufferSize`.
    pub const METRIC_SAMPLES_BUFFER_SIZE: u64 = 1000;
    /// `vuMemoryLimit`: 1 GiB.
    pub const VU_MEMORY_LIMIT_BYTES: u64 = 1 << 30;
    /// `summaryTrendStats`.
    pub const SUMMARY_TREND_STATS: [TrendStat; 6] = [
        TrendStat::Avg,
        TrendStat::Min,
        TrendStat::Med,
        TrendStat::Max,
        TrendStat::P(90.0),
        TrendStat::P(95.0),
    ];
}

/// Builds `Options` and what walks over all its fields from one list:
/// `/// doc` `field: Type = "key" [env "K6_NAME"]`, in the order in which k6 prints them.
macro_rules! options {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $key:literal $(env $env:literal)?,)*) => {
        /// Every option a script, config file, environment or flag may set. `None` is unset: the default of
        /// [`defaults`] holds.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Options {
            $($(#[$doc])* pub $field: Option<$type>,)*
        }

        impl Options {
            /// Sets the option called `key`; false when there is none.
            pub(crate) fn set_json(&mut self, key: &str, node: &Node<'_>) -> Result<bool, OptionsError> {
                match key {
                    $($key => self.$field = Some(<$type>::from_json(node)?),)*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            /// Sets every option whose environment variable is there and not empty.
            pub(crate) fn set_env(&mut self, lookup: &impl Fn(&str) -> Option<String>) -> Result<(), OptionsError> {
                $($(if let Some(text) = lookup($env).filter(|text| !text.is_empty()) {
                    let value = <$type>::from_text(&text).map_err(|message| OptionsError::new($env, message))?;
                    self.$field = Some(value);
                })?)*
                Ok(())
            }

            /// Takes over what `upper` sets.
            pub(crate) fn overlay(&mut self, upper: Options) {
                $(self.$field = upper.$field.or(self.$field.take());)*
            }

            /// Every key with its JSON value, null where unset, in k6's order.
            fn entries(&self) -> Vec<(&'static str, Value)> {
                vec![$(($key, self.$field.as_ref().map_or(Value::Null, OptionValue::to_json)),)*]
            }
        }
    };
}

options! {
    /// Start paused, until resumed through the control API.
    paused: bool = "paused" env "K6_PAUSED",
    /// Number of VUs (shortcut).
    vus: u64 = "vus" env "K6_VUS",
    /// Length of the test (shortcut).
    duration: Duration = "duration" env "K6_DURATION",
    /// Iterations shared by the VUs (shortcut).
    iterations: u64 = "iterations" env "K6_ITERATIONS",
    /// Ramps of the number of VUs (shortcut).
    stages: Stages = "stages" env "K6_STAGES",
    /// Named workloads.
    scenarios: Scenarios = "scenarios",
    /// The part of the test that this instance runs.
    execution_segment: Segment = "executionSegment",
    /// How all instances divide the test.
    execution_segment_sequence: SegmentSequence = "executionSegmentSequence",
    /// Skip `setup()`.
    no_setup: bool = "noSetup" env "K6_NO_SETUP",
    /// Longest `setup()`.
    setup_timeout: Duration = "setupTimeout" env "K6_SETUP_TIMEOUT",
    /// Skip `teardown()`.
    no_teardown: bool = "noTeardown" env "K6_NO_TEARDOWN",
    /// Longest `teardown()`.
    teardown_timeout: Duration = "teardownTimeout" env "K6_TEARDOWN_TIMEOUT",
    /// Longest `handleSummary()`.
    handle_summary_timeout: Duration = "handleSummaryTimeout" env "K6_HANDLE_SUMMARY_TIMEOUT",
    /// Requests a second of all VUs together; 0 is no limit.
    rps: u64 = "rps" env "K6_RPS",
    /// Name resolution: cache time and choice of address.
    dns: Dns = "dns" env "K6_DNS",
    /// Redirects that a request follows.
    max_redirects: u64 = "maxRedirects" env "K6_MAX_REDIRECTS",
    /// `User-Agent` header.
    user_agent: String = "userAgent" env "K6_USER_AGENT",
    /// Requests of one `http.batch` in flight.
    batch: u64 = "batch" env "K6_BATCH",
    /// Requests of one `http.batch` in flight to one host.
    batch_per_host: u64 = "batchPerHost" env "K6_BATCH_PER_HOST",
    /// Log requests and responses.
    http_debug: HttpDebug = "httpDebug" env "K6_HTTP_DEBUG",
    /// Accept any server certificate.
    insecure_skip_tls_verify: bool = "insecureSkipTLSVerify" env "K6_INSECURE_SKIP_TLS_VERIFY",
    /// Cipher suites to offer, by name.
    tls_cipher_suites: Vec<CipherSuite> = "tlsCipherSuites" env "K6_TLS_CIPHER_SUITES",
    /// TLS versions to offer.
    tls_version: TlsVersions = "tlsVersion",
    /// Client certificates.
    tls_auth: Vec<TlsAuth> = "tlsAuth",
    /// Failed requests throw.
    throw: bool = "throw" env "K6_THROW",
    /// Pass or fail criteria by metric.
    thresholds: Thresholds = "thresholds",
    /// Addresses that must not be dialled.
    blacklist_ips: Vec<Cidr> = "blacklistIPs" env "K6_BLACKLIST_IPS",
    /// Host names that must not be dialled.
    block_hostnames: HostnamePatterns = "blockHostnames" env "K6_BLOCK_HOSTNAMES",
    /// Addresses to use instead of resolving a name.
    hosts: Hosts = "hosts" env "K6_HOSTS",
    /// A new connection for every request.
    no_connection_reuse: bool = "noConnectionReuse" env "K6_NO_CONNECTION_REUSE",
    /// New connections for every iteration.
    no_vu_connection_reuse: bool = "noVUConnectionReuse" env "K6_NO_VU_CONNECTION_REUSE",
    /// An iteration that is shorter sleeps for the rest.
    min_iteration_duration: Duration = "minIterationDuration" env "K6_MIN_ITERATION_DURATION",
    /// Options of the vendor's cloud; kept, not used.
    cloud: Value = "cloud",
    /// Anything, for third parties.
    ext: Value = "ext",
    /// Columns of trends in the summary.
    summary_trend_stats: Vec<TrendStat> = "summaryTrendStats" env "K6_SUMMARY_TREND_STATS",
    /// Unit of times in the summary.
    summary_time_unit: TimeUnit = "summaryTimeUnit" env "K6_SUMMARY_TIME_UNIT",
    /// Tags that the tool sets.
    system_tags: SystemTags = "systemTags" env "K6_SYSTEM_TAGS",
    /// Tags of every sample of the run.
    tags: BTreeMap<String, String> = "tags" env "K6_TAGS",
    /// Capacity of an output's queue of samples.
    metric_samples_buffer_size: u64 = "metricSamplesBufferSize" env "K6_METRIC_SAMPLES_BUFFER_SIZE",
    /// Keep cookies between a VU's iterations.
    no_cookies_reset: bool = "noCookiesReset" env "K6_NO_COOKIES_RESET",
    /// Do not keep response bodies unless a request asks for them.
    discard_response_bodies: bool = "discardResponseBodies" env "K6_DISCARD_RESPONSE_BODIES",
    /// File that `console.*` writes to. Not a script option.
    console_output: String = "consoleOutput" env "K6_CONSOLE_OUTPUT",
    /// Addresses that VUs dial from. Not a script option.
    local_ips: IpPool = "localIPs" env "K6_LOCAL_IPS",
    /// How the network between VUs and servers behaves. Squall's own.
    network: Network = "network" env "SQUALL_NETWORK",
    /// Memory that one VU's script may use. Squall's own.
    vu_memory_limit: ByteSize = "vuMemoryLimit" env "K6_VU_MEMORY_LIMIT",
}

/// Keys that scripts cannot set: they are about the machine that runs the test.
const NOT_FOR_SCRIPTS: [&str; 2] = ["consoleOutput", "localIPs"];

/// Keys that show only when they are set: ours, and those that came after k6 1.1.
const SHOWN_WHEN_SET: [&str; 4] = ["handleSummaryTimeout", "cloud", "network", "vuMemoryLimit"];

/// Keys that `exec.test.options` leaves out: `scenarios` says the same.
const SHORTCUTS: [&str; 4] = ["vus", "duration", "iterations", "stages"];

impl Options {
    /// Reads a script's options from their JSON. Unknown keys are not errors: each gives a warning.
    pub fn from_json(json: &str) -> Result<(Options, Vec<String>), OptionsError> {
        let value = parse(json, "options")?;
        let mut options = Options::default();
        let mut warnings = Vec::new();
        if value.is_null() {
            return Ok((options, warnings));
        }
        for (key, node) in Node::root("options", &value).members()? {
            if NOT_FOR_SCRIPTS.contains(&key) {
                warnings.push(format!("options.{key} cannot be set by a script and is ignored"));
            } else if !options.set_json(key, &node)? {
                warnings.push(format!("unknown option options.{key} is ignored"));
            }
        }
        Ok((options, warnings))
    }

    /// The options as `inspect` prints them: k6's keys in k6's order, null where unset.
    pub fn to_json(&self) -> Map<String, Value> {
        self.shown(|key, is_set| is_set || !NOT_FOR_SCRIPTS.contains(&key))
    }

    /// Only what is set: what k6 writes into the `options` that a script exports.
    pub fn to_set_json(&self) -> Map<String, Value> {
        let set = self.entries().into_iter().filter(|(_, value)| !value.is_null());
        set.map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// The options as `exec.test.options` shows them: without shortcuts, with what is about the machine.
    pub fn to_full_json(&self) -> Map<String, Value> {
        self.shown(|key, _| !SHORTCUTS.contains(&key))
    }

    /// The networks of a scenario's VUs: what the scenario says itself, else what `network` says.
    pub fn network_of(&self, scenario: &str) -> Option<&NetworkShares> {
        let own = self.scenarios.as_ref().and_then(|scenarios| scenarios.0.get(scenario)?.network.as_ref());
        own.or_else(|| self.network.as_ref()?.of_scenario(scenario))
    }

    /// Whether any scenario has a network that does anything.
    pub fn has_network(&self) -> bool {
        let scenarios = self.scenarios.iter().flat_map(|scenarios| scenarios.0.keys());
        scenarios.filter_map(|name| self.network_of(name)).any(NetworkShares::is_active)
    }

    /// Warnings about networks of scenarios that there are not.
    pub fn strange_networks(&self) -> Vec<String> {
        let exists = |name: &str| self.scenarios.as_ref().is_some_and(|all| all.0.contains_key(name));
        let named = self.network.iter().flat_map(Network::scenarios);
        let strange = named.filter(|name| !exists(name));
        strange
            .map(|name| format!("options.network.scenarios.{name} has no effect: there is no such scenario"))
            .collect()
    }

    /// What everything random about networks starts from.
    pub fn network_seed(&self) -> u64 {
        self.network.as_ref().map_or(0, |network| network.seed)
    }

    /// The keys that `is_shown(key, is_set)` picks, with their values.
    fn shown(&self, is_shown: impl Fn(&str, bool) -> bool) -> Map<String, Value> {
        let mut map = Map::new();
        for (key, value) in self.entries() {
            let is_set = !value.is_null();
            if is_shown(key, is_set) && (is_set || !SHOWN_WHEN_SET.contains(&key)) {
                map.insert(key.to_owned(), value);
            }
        }
        // k6 shows the parts of `dns` even when none is set.
        map.entry("dns").and_modify(|dns| {
            if dns.is_null() {
                *dns = Dns::default().to_json();
            }
        });
        map
    }
}

/// JSON text to a value; `name` says what the text is.
pub(crate) fn parse(json: &str, name: &str) -> Result<Value, OptionsError> {
    serde_json::from_str(json).map_err(|error| OptionsError::new(name, format!("not valid JSON: {error}")))
}

#[cfg(test)]
mod tests;
