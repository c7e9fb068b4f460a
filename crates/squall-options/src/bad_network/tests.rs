use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::{FromText as _, OptionValue as _, Options, consolidate};

fn read(json: &str) -> Options {
    let (options, warnings) = Options::from_json(json).expect("valid options");
    assert_eq!(warnings, Vec::<String>::new());
    options
}

fn error(json: &str) -> String {
    Options::from_json(json).expect_err("an error").to_string()
}

/// The conditions of VU 1 of a scenario at a second of the test.
fn conditions(options: &Options, scenario: &str, second: u64) -> Conditions {
    let profile = options.network_of(scenario).expect("a network").of_vu(1, 0);
    let bands = profile.bands();
    bands
        .iter()
        .rfind(|band| band.from <= Duration::from_secs(second))
        .expect("the first is from 0")
        .conditions
}

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn a_profile_starts_from_its_preset() {
    let options = read(r#"{"network": {"preset": "4g", "loss": "5%", "jitter": 30, "upload": "1.5mbit"}}"#);
    let expected = Conditions {
        latency: MS(170),
        jitter: MS(30),
        download_bits: Some(9_000_000),
        upload_bits: Some(1_500_000),
        loss: 0.05,
        ..Conditions::default()
    };
    assert_eq!(conditions(&options, "any", 0), expected);
    assert_eq!(options.network_of("any").unwrap().names().collect::<Vec<_>>(), ["4g"]);
}

#[test]
fn every_condition_can_be_set() {
    let options = read(
        r#"{"network": {"name": "hut", "latency": "500ms", "jitter": "100ms", "download": "1gbit", "upload": 64000,
            "loss": 0.01, "resets": "2/min", "stalls": {"chance": "10%", "duration": "3s"},
            "dns": {"delay": "1s", "failure": 0.2}, "tls": {"delay": 40}}}"#,
    );
    let expected = Conditions {
        latency: MS(500),
        jitter: MS(100),
        download_bits: Some(1_000_000_000),
        upload_bits: Some(64_000),
        loss: 0.01,
        resets: Chance::PerMinute(2.0),
        stalls: Stalls { chance: Chance::Each(0.1), duration: MS(3000) },
        dns_delay: MS(1000),
        dns_failure: 0.2,
        tls_delay: MS(40),
    };
    assert_eq!(conditions(&options, "any", 0), expected);
}

#[test]
fn a_scenario_has_its_own_network_or_everyones() {
    let options = read(
        r#"{"network": {"preset": "3g", "seed": 7, "scenarios": {"b": "dsl", "c": [{"weight": 1, "profile": "none"}]}},
            "scenarios": {"a": {"executor": "shared-iterations", "network": {"latency": 5}},
                          "b": {"executor": "shared-iterations"}, "c": {"executor": "shared-iterations"},
                          "d": {"executor": "shared-iterations"}}}"#,
    );
    let latency = |scenario| conditions(&options, scenario, 0).latency;
    assert_eq!(["a", "b", "c", "d"].map(latency), [MS(5), MS(50), MS(0), MS(300)]);
    assert_eq!(options.network_seed(), 7);
    assert!(!options.network_of("c").unwrap().is_active());
    // Both echoes read back.
    let again = read(&serde_json::Value::Object(options.to_set_json()).to_string());
    assert_eq!((&again.network, &again.scenarios), (&options.network, &options.scenarios));
}

#[test]
fn a_higher_layer_decides_for_all_scenarios() {
    let script =
        read(r#"{"scenarios": {"a": {"executor": "shared-iterations", "network": "3g"}}, "network": "4g"}"#);
    let flags = Options { network: Some(Network::from_text("dsl").unwrap()), ..Options::default() };
    let (options, _) = consolidate([script, flags]);
    assert_eq!(conditions(&options, "a", 0).latency, MS(50));
    assert!(read("{}").network_of("a").is_none());
}

#[test]
fn events_change_the_conditions_for_a_while() {
    let options = read(
        r#"{"network": {"preset": "4g", "events": [
            {"at": "10s", "for": "10s", "resets": 0.05, "latency": "1s"},
            {"at": "15s", "for": "1s", "latency": "2s"}, {"at": "1m", "download": "unlimited"}]}}"#,
    );
    let at = |second| {
        let now = conditions(&options, "any", second);
        (now.latency.as_millis(), now.resets.is_some(), now.download_bits.is_some())
    };
    assert_eq!(at(9), (170, false, true));
    assert_eq!(at(10), (1000, true, true));
    assert_eq!(at(15), (2000, true, true));
    assert_eq!(at(16), (1000, true, true));
    assert_eq!(at(20), (170, false, true));
    assert_eq!(at(3600), (170, false, false));

    let shares = r#"{"network": {"shares": "50%4g,50%none", "events": [{"at": "1s", "loss": "100%"}]}}"#;
    assert_eq!(conditions(&read(shares), "any", 1).loss, 1.0);
}

#[test]
fn vus_are_spread_by_weight() {
    let network = Network::from_text("70%4g,20%3g,10%lossy-wifi").unwrap();
    let shares = network.of_scenario("any").unwrap();
    for (seed, first) in [(0, 1), (1, 1), (99, 5001)] {
        let mut counts = BTreeMap::new();
        for vu in first..first + 100 {
            *counts.entry(shares.of_vu(vu, seed).name.clone()).or_insert(0) += 1;
        }
        for (name, expected) in [("4g", 70), ("3g", 20), ("lossy-wifi", 10)] {
            let count: i32 = counts[name];
            assert!((count - expected).abs() <= 2, "seed {seed}: {counts:?}");
        }
    }
    let of = |seed| (0..50).map(|vu| shares.of_vu(vu, seed).name.clone()).collect::<Vec<_>>();
    assert_eq!(of(3), of(3));
    assert_ne!(of(3), of(4));
}

#[test]
fn every_preset_is_known() {
    for name in PRESET_NAMES.split([',', ' ']).filter(|word| !word.is_empty() && *word != "or") {
        let network = Network::from_text(name).unwrap();
        assert_eq!(network.of_scenario("any").unwrap().is_active(), name != "none", "{name}");
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let cases = [
        r#"{"network": "5g"}"#,
        r#"{"network": 5}"#,
        r#"{"network": {"latencyy": 5}}"#,
        r#"{"network": {"latency": -5}}"#,
        r#"{"network": {"preset": "4g", "loss": "5"}}"#,
        r#"{"network": {"download": "1mbps"}}"#,
        r#"{"network": {"upload": 0}}"#,
        r#"{"network": {"resets": "often"}}"#,
        r#"{"network": {"stalls": {"chance": 0.1}}}"#,
        r#"{"network": {"jitter": "10ms"}}"#,
        r#"{"network": {"dns": {"fail": 1}}}"#,
        r#"{"network": {"events": [{"at": "1s", "los": 1}]}}"#,
        r#"{"network": {"shares": "4g", "loss": 0.1}}"#,
        r#"{"network": "70%4g"}"#,
        r#"{"network": "70%4g,3g"}"#,
        r#"{"network": []}"#,
        r#"{"network": [{"profile": "4g"}]}"#,
        r#"{"network": [{"weight": 1, "profile": "4g", "x": 1}]}"#,
        r#"{"network": {"scenarios": {"a": "6g"}}}"#,
        r#"{"scenarios": {"a": {"executor": "shared-iterations", "network": {"seed": 1}}}}"#,
        r#"{"scenarios": {"a": {"executor": "shared-iterations", "network": {}}}}"#,
    ];
    assert_snapshot!(cases.map(error).join("\n"), @r#"
    options.network: unknown network "5g" (expected none, slow-3g, 3g, 4g, dsl, satellite or lossy-wifi)
    options.network: expected a network's name, an object, or a list of shares, found 5
    options.network.latencyy: unknown key (expected preset, name, events, shares, latency, jitter, download, upload, loss, resets, stalls, dns or tls)
    options.network.latency: expected a duration that is not negative, found -5
    options.network.loss: expected a share (from 0 to 1, or like "2%"), found "5"
    options.network.download: expected a bandwidth (bits a second, such as "1.6mbit" or "384kbit", or "unlimited"), found "1mbps"
    options.network.upload: expected a bandwidth (bits a second, such as "1.6mbit" or "384kbit", or "unlimited"), found 0
    options.network.resets: expected a share of requests (from 0 to 1, or like "2%") or a rate (like "3/min"), found "often"
    options.network.stalls.duration: is required, and must be more than 0
    options.network.jitter: must not be more than latency, which it varies up and down
    options.network.dns.fail: unknown key (expected delay or failure)
    options.network.events[0].los: unknown key (expected at, for, latency, jitter, download, upload, loss, resets, stalls, dns or tls)
    options.network: has both shares and conditions of its own; put these into the shares
    options.network: the shares make 70%, not 100%; the rest may have none, as in 90%4g,10%none
    options.network: expected a percentage and a name like 70%4g, found "3g"
    options.network: at least one share must have a weight of more than 0
    options.network[0].weight: is required
    options.network[0].x: unknown key (expected weight or profile)
    options.network.scenarios.a: unknown network "6g" (expected none, slow-3g, 3g, 4g, dsl, satellite or lossy-wifi)
    options.scenarios.a.network.seed: holds for all scenarios: move it to options.network.seed
    options.scenarios.a.network: is empty: name a preset, or conditions such as latency
    "#);
}

#[test]
fn texts_may_be_json() {
    let network = Network::from_text(r#"{"preset": "4g", "seed": 3}"#).unwrap();
    assert_eq!((network.seed, network.to_json()["preset"].as_str()), (3, Some("4g")));
    assert_eq!(Network::from_text("{").unwrap_err().split(':').next(), Some("network"));
    assert_snapshot!(Network::from_text(r#"{"loss": 2}"#).unwrap_err(), @r#"network.loss: expected a share (from 0 to 1, or like "2%"), found 2"#);
    assert_snapshot!(Network::from_text("5g").unwrap_err(), @r#"unknown network "5g" (expected none, slow-3g, 3g, 4g, dsl, satellite or lossy-wifi)"#);
}
