//! What clients and the service say to each other on the socket.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::board::{Frame, Member};

/// Longest message of a client, in bytes. A position with everything has some 200.
pub(super) const MESSAGE_BYTES_MAX: usize = 1024;

/// Instants of clients beyond this are not milliseconds since 1970: it is the year 5138.
const AT_MAX: i64 = 100_000_000_000_000;

/// What a client says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Incoming {
    Position(Position),
    Ping,
}

/// Where a participant is, by its own account.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Position {
    /// Degrees north.
    pub(super) lat: f64,
    /// Degrees east.
    pub(super) lon: f64,
    /// Radius of confidence in metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accuracy: Option<f64>,
    /// Metres a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) speed: Option<f64>,
    /// Degrees clockwise from north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) heading: Option<f64>,
    /// Milliseconds since 1970. The service's clock where the client does not say.
    pub(super) at: i64,
    /// The client's own count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seq: Option<u64>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    lat: Option<f64>,
    lon: Option<f64>,
    accuracy: Option<f64>,
    speed: Option<f64>,
    heading: Option<f64>,
    at: Option<i64>,
    seq: Option<u64>,
}

/// Reads a message. `now_ms` stands in for an instant that the client does not give. The error tells it what is wrong.
pub(super) fn parse(text: &str, now_ms: i64) -> Result<Incoming, String> {
    let said: Said<'_> = serde_json::from_str(text).map_err(|error| format!("cannot be read: {error}"))?;
    match &*said.kind {
        "ping" => Ok(Incoming::Ping),
        "position" => position(&said, now_ms).map(Incoming::Position),
        _ => Err("`type` must be `position` or `ping`".to_owned()),
    }
}

fn position(said: &Said<'_>, now_ms: i64) -> Result<Position, String> {
    let required = |name, value: Option<f64>| value.ok_or_else(|| format!("`{name}` is missing"));
    let at = said.at.unwrap_or(now_ms);
    if !(0..=AT_MAX).contains(&at) {
        return Err(format!("`at` must be milliseconds since 1970, up to {AT_MAX}"));
    }
    Ok(Position {
        lat: within("lat", required("lat", said.lat)?, -90.0, 90.0)?,
        lon: within("lon", required("lon", said.lon)?, -180.0, 180.0)?,
        accuracy: optional("accuracy", said.accuracy, 0.0, 1e6)?,
        speed: optional("speed", said.speed, 0.0, 1e5)?,
        heading: optional("heading", said.heading, 0.0, 360.0)?,
        at,
        seq: said.seq,
    })
}

fn optional(name: &str, value: Option<f64>, least: f64, most: f64) -> Result<Option<f64>, String> {
    value.map(|value| within(name, value, least, most)).transpose()
}

fn within(name: &str, value: f64, least: f64, most: f64) -> Result<f64, String> {
    match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(format!("`{name}` must be from {least} to {most}")),
    }
}

/// A position as the other members get it.
pub(super) fn position_json(participant: Uuid, position: &Position) -> Box<str> {
    #[derive(Serialize)]
    struct Shown<'a> {
        participant: Uuid,
        #[serde(flatten)]
        position: &'a Position,
    }
    json(&Shown { participant, position }).into()
}

/// The first message of a connection: who is there, and from which sequence number on frames follow.
pub(super) fn welcome<'a>(
    session: Uuid,
    participant: Uuid,
    resumed: bool,
    restored: &Frame,
    members: impl Iterator<Item = Member<'a>>,
) -> String {
    let seq = restored.next.step;
    let members: Vec<_> = members
        .map(|member| {
            let (id, name, presence) = (member.id, member.name, member.presence.word());
            format!(r#"{{"participant":"{id}","name":{name},"presence":"{presence}"}}"#)
        })
        .collect();
    format!(
        r#"{{"type":"welcome","session":"{session}","participant":"{participant}","seq":{seq},"resumed":{resumed},"participants":[{}]}}"#,
        members.join(",")
    )
}

/// The answer to a ping.
pub(super) fn pong(now_ms: i64) -> String {
    format!(r#"{{"type":"pong","at":{now_ms}}}"#)
}

/// Tells a client what was wrong with its message.
pub(super) fn error(detail: &str) -> String {
    #[derive(Serialize)]
    struct Error<'a> {
        r#type: &'static str,
        detail: &'a str,
    }
    json(&Error { r#type: "error", detail })
}

/// Text as a JSON string.
pub(super) fn json_string(text: &str) -> String {
    json(&text)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it has nothing that JSON cannot say")
}

/// So much at once, and so much more a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    left: f64,
    most: f64,
    per_second: f64,
    counted: std::time::Instant,
}

impl Allowance {
    pub(super) fn new(most: f64, per_second: f64, now: std::time::Instant) -> Self {
        Self { left: most, most, per_second, counted: now }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, now: std::time::Instant) -> bool {
        let gained = now.saturating_duration_since(self.counted).as_secs_f64() * self.per_second;
        self.left = (self.left + gained).min(self.most);
        self.counted = now;
        let has_one = self.left >= 1.0;
        if has_one {
            self.left -= 1.0;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_position_goes_in_and_out() {
        let said = r#"{"type":"position","lat":-90,"lon":180,"heading":0.5,"seq":3,"unknown":[1]}"#;
        let Ok(Incoming::Position(position)) = parse(said, 77) else { panic!("it can be read") };
        assert_eq!(
            &*position_json(Uuid::nil(), &position),
            r#"{"participant":"00000000-0000-0000-0000-000000000000","lat":-90.0,"lon":180.0,"heading":0.5,"at":77,"seq":3}"#
        );
        assert_eq!(parse(r#"{"type":"ping"}"#, 0), Ok(Incoming::Ping));
    }

    #[test]
    fn what_a_client_said_is_quoted_in_errors() {
        let text = error("no \"quotes\"\n");
        assert_eq!(text, r#"{"type":"error","detail":"no \"quotes\"\n"}"#);
    }

    #[test]
    fn an_allowance_fills_up_to_its_most() {
        let now = Instant::now();
        let mut allowance = Allowance::new(2.0, 4.0, now);
        let mut take = |after_ms| allowance.take(now + Duration::from_millis(after_ms));
        assert!(take(0) && take(0) && !take(0));
        assert!(!take(249) && take(250) && !take(250));
        assert!(take(9000) && take(9000) && !take(9000));
    }
}
