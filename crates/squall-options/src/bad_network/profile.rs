//! A network's behaviour over the time of a test: conditions, and events that change them for a while.

use std::time::Duration;

use serde_json::Value;

use super::{
    Conditions, PRESET_NAMES,
    conditions::{CONDITION_KEYS, Changes},
    presets::preset,
};
use crate::{OptionValue, OptionsError, node::Node};

/// A network with a name. Shows as the tag `network` of its VUs' samples.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkProfile {
    /// The `name` key, else the preset's, else `custom`.
    pub name: String,
    conditions: Conditions,
    events: Vec<Event>,
}

/// A change for a while. Times count from the start of the test.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    at: Duration,
    until: Duration,
    changes: Changes,
}

/// Conditions that hold from one time to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkBand {
    /// From the start of the test.
    pub from: Duration,
    /// What holds until the next band begins.
    pub conditions: Conditions,
}

impl NetworkProfile {
    /// The preset called `name`.
    pub(super) fn preset(name: &str) -> Result<NetworkProfile, String> {
        let conditions =
            preset(name).ok_or_else(|| format!("unknown network {name:?} (expected {PRESET_NAMES})"))?;
        Ok(NetworkProfile { name: name.to_owned(), conditions, events: Vec::new() })
    }

    /// Reads a preset's name or an object.
    pub(super) fn from_json(node: &Node<'_>) -> Result<NetworkProfile, OptionsError> {
        if let Value::String(name) = node.value() {
            return NetworkProfile::preset(name).map_err(|message| node.error(message));
        }
        let mut fields = ProfileFields::default();
        for (key, member) in node.members()? {
            if !fields.set(key, &member)? {
                let message = format!("unknown key (expected preset, name, events, {CONDITION_KEYS})");
                return Err(member.error(message));
            }
        }
        fields.finish(node)
    }

    /// Has more events happen to it, after its own.
    pub(super) fn add_events(&mut self, events: &[Event]) {
        self.events.extend_from_slice(events);
    }

    /// Whether it does anything at any time.
    pub fn is_active(&self) -> bool {
        self.bands().iter().any(|band| band.conditions != Conditions::default())
    }

    /// The conditions over time, the first from zero. Of events that overlap, the later in the list wins, key by key.
    pub fn bands(&self) -> Vec<NetworkBand> {
        let mut times = vec![Duration::ZERO];
        times.extend(self.events.iter().flat_map(|event| [event.at, event.until]));
        times.sort_unstable();
        times.dedup();
        let at = |from: Duration| {
            let active = self.events.iter().filter(|event| event.at <= from && from < event.until);
            active.fold(self.conditions, |conditions, event| event.changes.apply(conditions))
        };
        times.into_iter().map(|from| NetworkBand { from, conditions: at(from) }).collect()
    }
}

/// A profile's keys as they are read.
#[derive(Default)]
pub(super) struct ProfileFields {
    preset: Option<NetworkProfile>,
    name: Option<String>,
    changes: Changes,
    events: Vec<Event>,
}

impl ProfileFields {
    /// Reads the value of `key`; false when it is none of a profile's.
    pub(super) fn set(&mut self, key: &str, node: &Node<'_>) -> Result<bool, OptionsError> {
        match key {
            "preset" => {
                let preset = NetworkProfile::preset(node.string()?).map_err(|message| node.error(message));
                self.preset = Some(preset?);
            }
            "name" => self.name = Some(node.string()?.to_owned()),
            "events" => self.events = events(node)?,
            _ => return self.changes.set(key, node),
        }
        Ok(true)
    }

    pub(super) fn finish(self, node: &Node<'_>) -> Result<NetworkProfile, OptionsError> {
        let preset = self.preset.unwrap_or_else(|| NetworkProfile {
            name: "custom".to_owned(),
            conditions: Conditions::default(),
            events: Vec::new(),
        });
        let conditions = self.changes.apply(preset.conditions);
        let name = self.name.unwrap_or(preset.name);
        let profile = NetworkProfile { name, conditions, events: self.events };
        for NetworkBand { conditions, .. } in profile.bands() {
            if conditions.stalls.chance.is_some() && conditions.stalls.duration.is_zero() {
                return Err(node.error_at("stalls.duration", "is required, and must be more than 0"));
            }
            if conditions.jitter > conditions.latency {
                let message = "must not be more than latency, which it varies up and down";
                return Err(node.error_at("jitter", message));
            }
        }
        Ok(profile)
    }
}

/// A list of events.
pub(super) fn events(node: &Node<'_>) -> Result<Vec<Event>, OptionsError> {
    node.elements()?.map(|element| event(&element)).collect()
}

fn event(node: &Node<'_>) -> Result<Event, OptionsError> {
    let (mut at, mut length, mut changes) = (Duration::ZERO, None, Changes::default());
    for (key, member) in node.members()? {
        match key {
            "at" => at = Duration::from_json(&member)?,
            "for" => length = Some(Duration::from_json(&member)?),
            _ if changes.set(key, &member)? => {}
            _ => return Err(member.error(format!("unknown key (expected at, for, {CONDITION_KEYS})"))),
        }
    }
    // Without an end it lasts.
    let until = length.map_or(Duration::MAX, |length| at.saturating_add(length));
    Ok(Event { at, until, changes })
}
