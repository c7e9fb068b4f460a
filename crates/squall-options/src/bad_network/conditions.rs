//! What a network does at one moment, and the spelling of each of its numbers.

use std::time::Duration;

use serde_json::Value;

use crate::{OptionValue, OptionsError, node::Node};

/// What the network adds to a connection at one moment. The default adds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Conditions {
    /// Added to a round trip, half of it in each direction.
    pub latency: Duration,
    /// A round trip's latency varies by so much up and down, evenly.
    pub jitter: Duration,
    /// Bits a second towards the VU; none is no limit.
    pub download_bits: Option<u64>,
    /// Bits a second from the VU; none is no limit.
    pub upload_bits: Option<u64>,
    /// Share of segments that are lost and sent again, in each direction.
    pub loss: f64,
    /// Connections that break.
    pub resets: Chance,
    /// Connections that stand still for a while.
    pub stalls: Stalls,
    /// Added to the resolution of a name.
    pub dns_delay: Duration,
    /// Share of names that are not resolved.
    pub dns_failure: f64,
    /// Added to each TLS handshake.
    pub tls_delay: Duration,
}

/// How often something befalls a connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Chance {
    /// With this probability whenever the client begins to speak: once a request.
    Each(f64),
    /// So many times a minute, also while nobody speaks.
    PerMinute(f64),
}

impl Default for Chance {
    fn default() -> Chance {
        Chance::Each(0.0)
    }
}

impl Chance {
    /// Whether it can happen at all.
    pub fn is_some(self) -> bool {
        let (Chance::Each(number) | Chance::PerMinute(number)) = self;
        number > 0.0
    }
}

/// Connections on which nothing moves for a while.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stalls {
    /// How often.
    pub chance: Chance,
    /// How long.
    pub duration: Duration,
}

/// The conditions that an object names; what it leaves out stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Changes {
    latency: Option<Duration>,
    jitter: Option<Duration>,
    download_bits: Option<Option<u64>>,
    upload_bits: Option<Option<u64>>,
    loss: Option<f64>,
    resets: Option<Chance>,
    stall_chance: Option<Chance>,
    stall_duration: Option<Duration>,
    dns_delay: Option<Duration>,
    dns_failure: Option<f64>,
    tls_delay: Option<Duration>,
}

/// The keys of conditions, for messages.
pub(super) const CONDITION_KEYS: &str = "latency, jitter, download, upload, loss, resets, stalls, dns or tls";

impl Changes {
    /// Reads the value of `key`; false when it is no condition's.
    pub(super) fn set(&mut self, key: &str, node: &Node<'_>) -> Result<bool, OptionsError> {
        match key {
            "latency" => self.latency = Some(Duration::from_json(node)?),
            "jitter" => self.jitter = Some(Duration::from_json(node)?),
            "download" => self.download_bits = Some(bandwidth(node)?),
            "upload" => self.upload_bits = Some(bandwidth(node)?),
            "loss" => self.loss = Some(probability(node)?),
            "resets" => self.resets = Some(chance(node)?),
            "stalls" => self.set_stalls(node)?,
            "dns" => self.set_dns(node)?,
            "tls" => self.set_tls(node)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_stalls(&mut self, node: &Node<'_>) -> Result<(), OptionsError> {
        for (key, member) in node.members()? {
            match key {
                "chance" => self.stall_chance = Some(chance(&member)?),
                "duration" => self.stall_duration = Some(Duration::from_json(&member)?),
                _ => return Err(member.error("unknown key (expected chance or duration)")),
            }
        }
        Ok(())
    }

    fn set_dns(&mut self, node: &Node<'_>) -> Result<(), OptionsError> {
        for (key, member) in node.members()? {
            match key {
                "delay" => self.dns_delay = Some(Duration::from_json(&member)?),
                "failure" => self.dns_failure = Some(probability(&member)?),
                _ => return Err(member.error("unknown key (expected delay or failure)")),
            }
        }
        Ok(())
    }

    fn set_tls(&mut self, node: &Node<'_>) -> Result<(), OptionsError> {
        for (key, member) in node.members()? {
            match key {
                "delay" => self.tls_delay = Some(Duration::from_json(&member)?),
                _ => return Err(member.error("unknown key (expected delay)")),
            }
        }
        Ok(())
    }

    /// `conditions` with the changes made.
    pub(super) fn apply(&self, conditions: Conditions) -> Conditions {
        Conditions {
            latency: self.latency.unwrap_or(conditions.latency),
            jitter: self.jitter.unwrap_or(conditions.jitter),
            download_bits: self.download_bits.unwrap_or(conditions.download_bits),
            upload_bits: self.upload_bits.unwrap_or(conditions.upload_bits),
            loss: self.loss.unwrap_or(conditions.loss),
            resets: self.resets.unwrap_or(conditions.resets),
            stalls: Stalls {
                chance: self.stall_chance.unwrap_or(conditions.stalls.chance),
                duration: self.stall_duration.unwrap_or(conditions.stalls.duration),
            },
            dns_delay: self.dns_delay.unwrap_or(conditions.dns_delay),
            dns_failure: self.dns_failure.unwrap_or(conditions.dns_failure),
            tls_delay: self.tls_delay.unwrap_or(conditions.tls_delay),
        }
    }
}

/// `"1.6mbit"`, a number of bits a second, or `"unlimited"`.
fn bandwidth(node: &Node<'_>) -> Result<Option<u64>, OptionsError> {
    const EXPECTED: &str =
        "a bandwidth (bits a second, such as \"1.6mbit\" or \"384kbit\", or \"unlimited\")";
    let bits = match node.value() {
        Value::String(text) if text == "unlimited" => return Ok(None),
        Value::String(text) => bits(text),
        value => value.as_f64(),
    };
    // Slower than a bit a second is a mistake, not a network.
    let bits = bits.filter(|bits| (1.0..=1e15).contains(bits)).ok_or_else(|| node.expected(EXPECTED))?;
    Ok(Some(bits as u64))
}

/// Units are powers of 1000. `kbps` is left out: it means bits to some and bytes to others.
fn bits(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let scale = match unit.to_ascii_lowercase().as_str() {
        "" | "bit" => 1.0,
        "kbit" => 1e3,
        "mbit" => 1e6,
        "gbit" => 1e9,
        _ => return None,
    };
    Some(number.trim().parse::<f64>().ok()? * scale)
}

/// A number from 0 to 1, or `"2%"`.
pub(super) fn probability(node: &Node<'_>) -> Result<f64, OptionsError> {
    let share = match node.value() {
        Value::String(text) => share(text),
        value => value.as_f64(),
    };
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| node.expected("a share (from 0 to 1, or like \"2%\")"))
}

fn share(text: &str) -> Option<f64> {
    match text.trim().strip_suffix('%') {
        Some(percent) => Some(percent.trim().parse::<f64>().ok()? / 100.0),
        None => text.trim().parse().ok(),
    }
}

/// A probability, or `"3/min"`.
fn chance(node: &Node<'_>) -> Result<Chance, OptionsError> {
    const EXPECTED: &str = "a share of requests (from 0 to 1, or like \"2%\") or a rate (like \"3/min\")";
    if let Some(times) = node.value().as_str().and_then(|text| text.trim().strip_suffix("/min")) {
        let times = times.trim().parse::<f64>().ok().filter(|times| (0.0..=60_000.0).contains(times));
        return times.map(Chance::PerMinute).ok_or_else(|| node.expected(EXPECTED));
    }
    probability(node).map(Chance::Each).map_err(|_| node.expected(EXPECTED))
}
