//! Which VU has which network.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    NetworkProfile,
    conditions::CONDITION_KEYS,
    profile::{ProfileFields, events},
};
use crate::{FromText, OptionValue, OptionsError, node::Node, options::parse};

/// Networks and how many of the VUs have each.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkShares {
    /// Weights are relative to their sum, which is more than 0.
    list: Vec<(f64, Arc<NetworkProfile>)>,
    /// As it was written.
    source: Value,
}

/// The `network` option.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// What all that is random starts from: the same seed makes the same network.
    pub seed: u64,
    everyone: Option<NetworkShares>,
    scenarios: BTreeMap<String, NetworkShares>,
    /// As it was written.
    source: Value,
}

impl NetworkShares {
    /// The network of a VU, by its number in the test. It spreads the VUs: of any that come one after another, as
    /// many have each network as the weights ask for, give or take one or two.
    pub fn of_vu(&self, vu: u64, seed: u64) -> &Arc<NetworkProfile> {
        // Multiples of the golden ratio fill the unit interval more evenly than random numbers do.
        const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
        let place = vu.wrapping_mul(GOLDEN_RATIO).wrapping_add(seed.wrapping_mul(0xd1b5_4a32_d192_ed03));
        let place = (place >> 11) as f64 / (1u64 << 53) as f64;
        let total: f64 = self.list.iter().map(|(weight, _)| weight).sum();
        let mut upto = 0.0;
        for (weight, profile) in &self.list {
            upto += weight / total;
            if place < upto {
                return profile;
            }
        }
        // Sums of weights may end a rounding error below 1.
        &self.list[self.list.len() - 1].1
    }

    /// Whether any of the networks does anything.
    pub fn is_active(&self) -> bool {
        self.list.iter().any(|(_, profile)| profile.is_active())
    }

    /// The names of the networks.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(_, profile)| profile.name.as_str())
    }

    fn of_one(profile: NetworkProfile, source: &Value) -> NetworkShares {
        NetworkShares { list: vec![(1.0, Arc::new(profile))], source: source.clone() }
    }

    /// A name, a list of names with percentages (`70%4g,30%3g`), or a list of `{ weight, profile }`.
    fn from_simple(node: &Node<'_>) -> Result<NetworkShares, OptionsError> {
        let list = match node.value() {
            Value::String(text) => text_shares(text).map_err(|message| node.error(message))?,
            Value::Array(_) => node.elements()?.map(|element| share(&element)).collect::<Result<_, _>>()?,
            _ => return Err(node.expected("a network's name, an object, or a list of shares")),
        };
        let list: Vec<_> = list.into_iter().map(|(weight, profile)| (weight, Arc::new(profile))).collect();
        if list.iter().map(|(weight, _)| weight).sum::<f64>() <= 0.0 {
            return Err(node.error("at least one share must have a weight of more than 0"));
        }
        Ok(NetworkShares { list, source: node.value().clone() })
    }
}

impl OptionValue for NetworkShares {
    fn from_json(node: &Node<'_>) -> Result<NetworkShares, OptionsError> {
        match node.value() {
            Value::Object(_) => object(node, |key, member| {
                Err(member.error(format!("holds for all scenarios: move it to options.network.{key}")))
            })?
            .ok_or_else(|| node.error("is empty: name a preset, or conditions such as latency")),
            _ => NetworkShares::from_simple(node),
        }
    }

    fn to_json(&self) -> Value {
        self.source.clone()
    }
}

impl Network {
    /// The networks of a scenario's VUs: its own, else everyone's.
    pub fn of_scenario(&self, name: &str) -> Option<&NetworkShares> {
        self.scenarios.get(name).or(self.everyone.as_ref())
    }

    /// The scenarios that it names.
    pub fn scenarios(&self) -> impl Iterator<Item = &str> {
        self.scenarios.keys().map(String::as_str)
    }
}

impl OptionValue for Network {
    fn from_json(node: &Node<'_>) -> Result<Network, OptionsError> {
        let mut network =
            Network { seed: 0, everyone: None, scenarios: BTreeMap::new(), source: node.value().clone() };
        network.everyone = match node.value() {
            Value::Object(_) => object(node, |key, member| {
                match key {
                    "seed" => network.seed = u64::from_json(member)?,
                    _ => network.scenarios = BTreeMap::from_json(member)?,
                }
                Ok(())
            })?,
            _ => Some(NetworkShares::from_simple(node)?),
        };
        Ok(network)
    }

    fn to_json(&self) -> Value {
        self.source.clone()
    }
}

impl FromText for Network {
    /// A preset's name, percentages and names, or JSON.
    fn from_text(text: &str) -> Result<Network, String> {
        let value = match text.trim_start().starts_with(['{', '[', '"']) {
            true => parse(text, "network").map_err(|error| error.to_string())?,
            false => Value::from(text),
        };
        Network::from_json(&Node::root("network", &value)).map_err(|error| match value {
            Value::String(_) => error.message,
            _ => error.to_string(),
        })
    }
}

/// Reads an object: a profile's keys, or `shares` with `events` for all of them; `seed` and `scenarios` go to `other`.
/// None when it says nothing about a network.
fn object(
    node: &Node<'_>,
    mut other: impl FnMut(&str, &Node<'_>) -> Result<(), OptionsError>,
) -> Result<Option<NetworkShares>, OptionsError> {
    let (mut fields, mut shares, mut common, mut is_profile) =
        (ProfileFields::default(), None, Vec::new(), false);
    for (key, member) in node.members()? {
        match key {
            "seed" | "scenarios" => other(key, &member)?,
            "shares" => shares = Some(NetworkShares::from_simple(&member)?),
            "events" if node.value().get("shares").is_some() => common = events(&member)?,
            _ if fields.set(key, &member)? => is_profile = true,
            _ => {
                return Err(member.error(format!(
                    "unknown key (expected preset, name, events, shares, {CONDITION_KEYS})"
                )));
            }
        }
    }
    match shares {
        Some(_) if is_profile => {
            Err(node.error("has both shares and conditions of its own; put these into the shares"))
        }
        Some(mut shares) => {
            for (_, profile) in &mut shares.list {
                Arc::make_mut(profile).add_events(&common);
            }
            Ok(Some(NetworkShares { source: node.value().clone(), ..shares }))
        }
        None if is_profile => Ok(Some(NetworkShares::of_one(fields.finish(node)?, node.value()))),
        None => Ok(None),
    }
}

fn share(node: &Node<'_>) -> Result<(f64, NetworkProfile), OptionsError> {
    let (mut weight, mut profile) = (None, None);
    for (key, member) in node.members()? {
        match key {
            "weight" => {
                let number = member.value().as_f64().filter(|weight| (0.0..=1e9).contains(weight));
                weight = Some(number.ok_or_else(|| member.expected("a number that is not negative"))?);
            }
            "profile" => profile = Some(NetworkProfile::from_json(&member)?),
            _ => return Err(member.error("unknown key (expected weight or profile)")),
        }
    }
    let weight = weight.ok_or_else(|| node.error_at("weight", "is required"))?;
    Ok((weight, profile.ok_or_else(|| node.error_at("profile", "is required"))?))
}

/// `4g`, or `70%4g,20%3g,10%none`.
fn text_shares(text: &str) -> Result<Vec<(f64, NetworkProfile)>, String> {
    if !text.contains('%') {
        return Ok(vec![(1.0, NetworkProfile::preset(text.trim())?)]);
    }
    let part = |part: &str| {
        let (percent, name) = part
            .split_once('%')
            .ok_or_else(|| format!("expected a percentage and a name like 70%4g, found {part:?}"))?;
        let percent = percent.trim().parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent));
        let percent = percent.ok_or_else(|| format!("expected a percentage from 0 to 100 in {part:?}"))?;
        Ok((percent, NetworkProfile::preset(name.trim())?))
    };
    let shares = text.split(',').map(part).collect::<Result<Vec<_>, String>>()?;
    let total: f64 = shares.iter().map(|(percent, _)| percent).sum();
    if (total - 100.0).abs() > 0.01 {
        return Err(format!(
            "the shares make {total}%, not 100%; the rest may have none, as in 90%4g,10%none"
        ));
    }
    Ok(shares)
}
