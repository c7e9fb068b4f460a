use std::sync::Arc;

use squall_metrics::{
    AggregateConfig, Contains, MetricKind, Pauses, Recorder, Registry, TagSet, ThresholdSpec,
};

use super::*;

/// A run in which every kind of metric, check, group and scenario occurs.
fn aggregate(thresholds: &[(&str, &[&str])]) -> Aggregate {
    let registry = Arc::new(Registry::new());
    let custom = [
        ("orders", MetricKind::Counter, Contains::Default),
        ("busy_time", MetricKind::Counter, Contains::Time),
        ("level", MetricKind::Gauge, Contains::Default),
        ("ok_rate", MetricKind::Rate, Contains::Default),
        ("plain_trend", MetricKind::Trend, Contains::Default),
        ("unused", MetricKind::Trend, Contains::Time),
    ];
    for (name, kind, contains) in custom {
        registry.register(name, kind, contains).unwrap();
    }
    let spec = |expression: &&str| ThresholdSpec {
        expression: expression.to_string(),
        abort_on_fail: false,
        delay_abort_eval: None,
    };
    let thresholds =
        thresholds.iter().map(|(key, list)| (key.to_string(), list.iter().map(spec).collect())).collect();
    let config = AggregateConfig { thresholds, expected_response: true, sections: true };
    let mut aggregate = Aggregate::new(Arc::clone(&registry), config).unwrap();
    let mut recorder = Recorder::new(Arc::clone(&registry));
    let mut record = |metric: &str, values: &[f64], tags: &[(&'static str, &'static str)]| {
        let series = recorder.series(registry.find(metric).unwrap(), &TagSet::new(tags.iter().copied()));
        values.iter().for_each(|&value| recorder.record(series, value, Duration::from_secs(1)));
    };

    let (root, group, inner) = ([("scenario", "default"), ("group", "")], "::outer", "::outer::inner one");
    record("checks", &[1.0, 1.0], &[root[0], root[1], ("check", "is ok")]);
    record("checks", &[1.0, 0.0, 1.0], &[root[0], ("group", inner), ("check", "half")]);
    record("http_req_duration", &[61.2, 63.99], &[root[0], ("group", inner), ("expected_response", "true")]);
    record("http_req_blocked", &[0.000_811, 0.020_43], &[root[0], ("group", inner)]);
    record("http_reqs", &[1.0, 1.0], &[root[0], ("group", inner), ("status", "200")]);
    record("http_req_failed", &[0.0, 0.0, 1.0], &root);
    record("group_duration", &[64.0], &[root[0], ("group", group)]);
    record("checks", &[0.0], &[("scenario", "shop"), ("group", ""), ("check", "zeta")]);
    record("iterations", &[1.0, 1.0], &[("scenario", "shop"), ("group", "")]);
    record("iteration_duration", &[75_000.0, 1.0], &[("scenario", "shop"), ("group", "")]);
    record("orders", &[1.5, 2.0], &[root[0], root[1], ("kind", "a")]);
    record("busy_time", &[7_407_402.0], &root);
    record("level", &[3.25, 5.141_59], &root);
    record("ok_rate", &[1.0, 0.0, 1.0], &root);
    record("plain_trend", &[0.123_456_789, -3.0, 123_456.789], &root);
    record("vus_max", &[4.0], &[]);
    record("data_sent", &[1875.0], &root);
    record("data_received", &[0.0], &root);
    record("http_reqs", &[1.0], &[("group", "::setup")]);
    aggregate.merge(&recorder.drain());
    aggregate.evaluate_final(Duration::from_secs(2));
    aggregate
}

fn facts() -> RunFacts {
    RunFacts {
        run_duration: Duration::from_secs(2),
        trend_stats: squall_options::defaults::SUMMARY_TREND_STATS.to_vec(),
        time_unit: TimeUnit::Auto,
        no_color: false,
        stdout_is_terminal: false,
        stderr_is_terminal: true,
        setup_data: Some(r#"{"token":"x"}"#.into()),
        generator: GeneratorHealth { cpu_share: Some(0.4512), cores: 2, ..GeneratorHealth::default() },
    }
}

const THRESHOLDS: &[(&str, &[&str])] = &[
    ("http_req_duration", &["p(95)<500", "avg<0.1"]),
    ("http_req_duration{group:::outer::inner one}", &["max<1000"]),
    ("http_reqs{status:200}", &["count>1", "rate>=1"]),
    ("checks", &["rate>0.99"]),
    ("unused", &["avg<1"]),
    ("orders{kind:b}", &[]),
];

#[test]
fn compact_text() {
    let (aggregate, facts) = (aggregate(THRESHOLDS), facts());
    let text = Summary::new(&aggregate, &facts).text(Detail::Compact, false);
    insta::assert_snapshot!(text.trim_matches('\n'), @"
    █ THRESHOLDS 

      checks
      ✗ 'rate>0.99' rate=66.66%

      http_req_duration
      ✓ 'p(95)<500' p(95)=63.85ms
      ✗ 'avg<0.1' avg=62.59ms

        {group:::outer::inner one}
        ✓ 'max<1000' max=63.99ms

      http_reqs{status:200}
      ✓ 'count>1' count=2
      ✓ 'rate>=1' rate=1/s

      unused
      ✓ 'avg<1' avg=0s


    █ TOTAL RESULTS 

      checks_total.......................: 6      3/s
      checks_succeeded...................: 66.66% 4 out of 6
      checks_failed......................: 33.33% 2 out of 6

      ✓ is ok
      ✗ half
        ↳  66% — ✓ 2 / ✗ 1
      ✗ zeta
        ↳  0% — ✓ 0 / ✗ 1

      CUSTOM
      busy_time...................................................................: 2h3m27s 1h1m43s/s
      level.......................................................................: 5.14159 min=3.25   max=5.14159
      ok_rate.....................................................................: 66.66%  2 out of 3
      orders......................................................................: 3.5     1.75/s
        { kind:b }................................................................: 0       0/s
      plain_trend.................................................................: avg=41151.304152 min=-3     med=0.123457 max=123456.789 p(90)=98765.455891 p(95)=111111.122446
      unused......................................................................: avg=0s           min=0s     med=0s       max=0s         p(90)=0s           p(95)=0s           

      HTTP
      http_req_duration...........................................................: avg=62.59ms      min=61.2ms med=62.59ms  max=63.99ms    p(90)=63.71ms      p(95)=63.85ms      
        { expected_response:true }................................................: avg=62.59ms      min=61.2ms med=62.59ms  max=63.99ms    p(90)=63.71ms      p(95)=63.85ms      
        { group:::outer::inner one }..............................................: avg=62.59ms      min=61.2ms med=62.59ms  max=63.99ms    p(90)=63.71ms      p(95)=63.85ms      
      http_req_failed.............................................................: 33.33%  1 out of 3
      http_reqs...................................................................: 3       1.5/s
        { status:200 }............................................................: 2       1/s

      EXECUTION
      iteration_duration..........................................................: avg=37.5s        min=1ms    med=37.5s    max=1m15s      p(90)=1m7s         p(95)=1m11s        
      iterations..................................................................: 2       1/s
      vus_max.....................................................................: 4       min=4      max=4      

      NETWORK
      data_received...............................................................: 0 B     0 B/s
      data_sent...................................................................: 1.9 kB  938 B/s

      generator: ok (CPU 45% of 2 cores)
    ");
}

#[test]
fn full_text() {
    let (aggregate, facts) = (aggregate(&[]), facts());
    let text = Summary::new(&aggregate, &facts).text(Detail::Full, false);
    let sections = text.find("  █ GROUP").unwrap();
    insta::assert_snapshot!(&text[sections..], @"
    █ GROUP: outer 

      ↳ GROUP: inner one 

        checks_total.......................: 3      1.5/s
        checks_succeeded...................: 66.66% 2 out of 3
        checks_failed......................: 33.33% 1 out of 3

        ✗ half
            ↳  66% — ✓ 2 / ✗ 1

        HTTP
        http_req_blocked.....................: avg=10.62µs min=811ns  med=10.62µs max=20.43µs p(90)=18.46µs p(95)=19.44µs
        http_req_duration....................: avg=62.59ms min=61.2ms med=62.59ms max=63.99ms p(90)=63.71ms p(95)=63.85ms
        http_reqs............................: 2 1/s


    █ SCENARIO: shop 

      checks_total.......................: 1       0.5/s
      checks_succeeded...................: 0.00%   0 out of 1
      checks_failed......................: 100.00% 1 out of 1

      ✗ zeta
        ↳  0% — ✓ 0 / ✗ 1

      EXECUTION
      iteration_duration.....................: avg=37.5s min=1ms med=37.5s max=1m15s p(90)=1m7s p(95)=1m11s
      iterations.............................: 2 1/s

      generator: ok (CPU 45% of 2 cores)
    ");
    assert!(text[..sections].contains("http_req_blocked"));
}

#[test]
fn colors_and_a_fixed_unit() {
    let aggregate = aggregate(&[("checks", &["rate>0.99"]), ("level", &["value<100"])]);
    let facts = RunFacts {
        trend_stats: vec![TrendStat::P(99.9), TrendStat::Count],
        time_unit: TimeUnit::Milliseconds,
        ..facts()
    };
    let text = Summary::new(&aggregate, &facts).text(Detail::Compact, true);
    insta::assert_snapshot!(text.trim_matches('\n').replace('\u{1b}', "^"), @"
    █ ^[1mTHRESHOLDS^[0m 

      checks
      ^[31m✗^[0m ^[37m'rate>0.99'^[0m ^[37mrate^[0m=^[36m66.66%^[0m

      level
      ^[32m✓^[0m ^[37m'value<100'^[0m ^[37mvalue^[0m=^[36m5.14159^[0m


    █ ^[1mTOTAL RESULTS^[0m 

      checks_total^[2m.......................:^[0m ^[36m6^[0m      ^[2m^[36m3/s^[0m
      checks_succeeded^[2m...................:^[0m ^[36m66.66%^[0m ^[2m^[36m4 out of 6^[0m
      checks_failed^[2m......................:^[0m ^[36m33.33%^[0m ^[2m^[36m2 out of 6^[0m

      ^[32m✓ is ok^[0m
      ^[31m✗ half^[0m
        ^[31m↳  66% — ✓ 2 / ✗ 1^[0m
      ^[31m✗ zeta^[0m
        ^[31m↳  0% — ✓ 0 / ✗ 1^[0m

      ^[1mCUSTOM^[0m
      busy_time^[2m...............................................................:^[0m ^[36m7407402.00ms^[0m ^[2m^[36m3703701.00ms/s^[0m
      level^[2m...................................................................:^[0m ^[36m5.14159^[0m      ^[2m^[36mmin=3.25^[0m       ^[2m^[36mmax=5.14159^[0m
      ok_rate^[2m.................................................................:^[0m ^[36m66.66%^[0m       ^[2m^[36m2 out of 3^[0m
      orders^[2m..................................................................:^[0m ^[36m3.5^[0m          ^[2m^[36m1.75/s^[0m
      plain_trend^[2m.............................................................:^[0m p(99.9)=^[36m123209.875669^[0m count=^[36m3^[0m

      ^[1mHTTP^[0m
      http_req_duration^[2m.......................................................:^[0m p(99.9)=^[36m63.99ms^[0m       count=^[36m2^[0m
        { expected_response:true }^[2m............................................:^[0m p(99.9)=^[36m63.99ms^[0m       count=^[36m2^[0m
      http_req_failed^[2m.........................................................:^[0m ^[36m33.33%^[0m       ^[2m^[36m1 out of 3^[0m
      http_reqs^[2m...............................................................:^[0m ^[36m3^[0m            ^[2m^[36m1.5/s^[0m

      ^[1mEXECUTION^[0m
      iteration_duration^[2m......................................................:^[0m p(99.9)=^[36m74925.00ms^[0m    count=^[36m2^[0m
      iterations^[2m..............................................................:^[0m ^[36m2^[0m            ^[2m^[36m1/s^[0m
      vus_max^[2m.................................................................:^[0m ^[36m4^[0m            ^[2m^[36mmin=4^[0m          ^[2m^[36mmax=4^[0m      

      ^[1mNETWORK^[0m
      data_received^[2m...........................................................:^[0m ^[36m0 B^[0m          ^[2m^[36m0 B/s^[0m
      data_sent^[2m...............................................................:^[0m ^[36m1.9 kB^[0m       ^[2m^[36m938 B/s^[0m

      generator: ^[32mok^[0m ^[2m(CPU 45% of 2 cores)^[0m
    ");
}

#[test]
fn an_empty_run_has_a_summary() {
    let registry = Arc::new(Registry::new());
    let aggregate = Aggregate::new(registry, AggregateConfig::default()).unwrap();
    let generator = GeneratorHealth::default();
    let facts = RunFacts { run_duration: Duration::ZERO, setup_data: None, generator, ..facts() };
    let summary = Summary::new(&aggregate, &facts);
    assert_eq!(summary.text(Detail::Full, false), "\n\n  █ TOTAL RESULTS \n\n    generator: ok\n\n\n");
    insta::assert_snapshot!(summary.export(), @r#"{"root_group":{"name":"","path":"","id":"d41d8cd98f00b204e9800998ecf8427e","groups":{},"checks":{}},"metrics":{},"generator":{"saturated":false,"lateness_p99.9":null,"timer_lag_p99":null,"cpu_share":null,"cores":0,"pauses":0,"pauses_sum":0,"pause_max":0,"samples_dropped":0}}"#);
}

#[test]
fn handle_summary_data() {
    let (aggregate, facts) = (aggregate(THRESHOLDS), facts());
    let data = Summary::new(&aggregate, &facts).handle_summary_data();
    insta::assert_snapshot!(format!("{data:#}"), @r#"
    {
      "root_group": {
        "name": "",
        "path": "",
        "id": "d41d8cd98f00b204e9800998ecf8427e",
        "groups": [
          {
            "name": "outer",
            "path": "::outer",
            "id": "c34b428ee7255085dfe7fef53d3394d5",
            "groups": [
              {
                "name": "inner one",
                "path": "::outer::inner one",
                "id": "49e7cea9765e539dafa4946f9a7ad21d",
                "groups": [],
                "checks": [
                  {
                    "name": "half",
                    "path": "::outer::inner one::half",
                    "id": "1d83574235faca77e70c894c6ba7bae8",
                    "passes": 2,
                    "fails": 1
                  }
                ]
              }
            ],
            "checks": []
          }
        ],
        "checks": [
          {
            "name": "is ok",
            "path": "::is ok",
            "id": "b23880cd908e867eadca735b83befcbd",
            "passes": 2,
            "fails": 0
          },
          {
            "name": "zeta",
            "path": "::zeta",
            "id": "4dd883724529c919302dd115cca8f642",
            "passes": 0,
            "fails": 1
          }
        ]
      },
      "options": {
        "summaryTrendStats": [
          "avg",
          "min",
          "med",
          "max",
          "p(90)",
          "p(95)"
        ],
        "summaryTimeUnit": "",
        "noColor": false
      },
      "state": {
        "isStdOutTTY": false,
        "isStdErrTTY": true,
        "testRunDurationMs": 2000
      },
      "metrics": {
        "busy_time": {
          "type": "counter",
          "contains": "time",
          "values": {
            "count": 7407402,
            "rate": 3703701
          }
        },
        "checks": {
          "type": "rate",
          "contains": "default",
          "values": {
            "rate": 0.6666666666666666,
            "passes": 4,
            "fails": 2
          },
          "thresholds": {
            "rate>0.99": {
              "ok": false
            }
          }
        },
        "data_received": {
          "type": "counter",
          "contains": "data",
          "values": {
            "count": 0,
            "rate": 0
          }
        },
        "data_sent": {
          "type": "counter",
          "contains": "data",
          "values": {
            "count": 1875,
            "rate": 937.5
          }
        },
        "group_duration": {
          "type": "trend",
          "contains": "time",
          "values": {
            "avg": 64,
            "min": 64,
            "med": 64,
            "max": 64,
            "p(90)": 64,
            "p(95)": 64
          }
        },
        "http_req_blocked": {
          "type": "trend",
          "contains": "time",
          "values": {
            "avg": 0.0106205,
            "min": 0.000811,
            "med": 0.0106205,
            "max": 0.02043,
            "p(90)": 0.0184681,
            "p(95)": 0.01944905
          }
        },
        "http_req_duration": {
          "type": "trend",
          "contains": "time",
          "values": {
            "avg": 62.595,
            "min": 61.2,
            "med": 62.595,
            "max": 63.99,
            "p(90)": 63.711,
            "p(95)": 63.850500000000004
          },
          "thresholds": {
            "p(95)<500": {
              "ok": true
            },
            "avg<0.1": {
              "ok": false
            }
          }
        },
        "http_req_duration{expected_response:true}": {
          "type": "trend",
          "contains": "time",
          "values": {
            "avg": 62.595,
            "min": 61.2,
            "med": 62.595,
            "max": 63.99,
            "p(90)": 63.711,
            "p(95)": 63.850500000000004
          }
        },
        "http_req_duration{group:::outer::inner one}": {
          "type": "trend",
          "contains": "time",
          "values": {
            "avg": 62.595,
            "min": 61.2,
            "med": 62.595,
            "max": 63.99,
            "p(90)": 63.711,
            "p(95)": 63.850500000000004
          },
          "thresholds": {
            "max<1000": {
              "ok": true
            }
          }
        },
        "http_req_failed": {
          "type": "rate",
          "contains": "default",
          "values": {
            "rate": 0.3333333333333333,
            "passes": 1,
            "fails": 2
          }
        },
        "http_reqs": {
          "type": "counter",
          "contains": "default",
          "values": {
            "count": 3,
            "rate": 1.5
          }
        },
        "http_reqs{status:200}": {
          "type": "counter",
          "contains": "default",
          "values": {
            "count": 2,
            "rate": 1
          },
          "thresholds": {
            "count>1": {
              "ok": true
            },
            "rate>=1": {
              "ok": true
            }
          }
        },
        "iteration_duration": {
          "type": "trend",
          "contains": "time",
          "values": {
            "avg": 37500.5,
            "min": 1,
            "med": 37500.5,
            "max": 75000,
            "p(90)": 67500.1,
            "p(95)": 71250.05
          }
        },
        "iterations": {
          "type": "counter",
          "contains": "default",
          "values": {
            "count": 2,
            "rate": 1
          }
        },
        "level": {
          "type": "gauge",
          "contains": "default",
          "values": {
            "value": 5.14159,
            "min": 3.25,
            "max": 5.14159
          }
        },
        "ok_rate": {
          "type": "rate",
          "contains": "default",
          "values": {
            "rate": 0.6666666666666666,
            "passes": 2,
            "fails": 1
          }
        },
        "orders": {
          "type": "counter",
          "contains": "default",
          "values": {
            "count": 3.5,
            "rate": 1.75
          }
        },
        "orders{kind:b}": {
          "type": "counter",
          "contains": "default",
          "values": {
            "count": 0,
            "rate": 0
          }
        },
        "plain_trend": {
          "type": "trend",
          "contains": "default",
          "values": {
            "avg": 41151.304152263,
            "min": -3,
            "med": 0.123456789,
            "max": 123456.789,
            "p(90)": 98765.45589135781,
            "p(95)": 111111.12244567889
          }
        },
        "unused": {
          "type": "trend",
          "contains": "time",
          "values": {
            "avg": 0,
            "min": 0,
            "med": 0,
            "max": 0,
            "p(90)": 0,
            "p(95)": 0
          },
          "thresholds": {
            "avg<1": {
              "ok": true
            }
          }
        },
        "vus_max": {
          "type": "gauge",
          "contains": "default",
          "values": {
            "value": 4,
            "min": 4,
            "max": 4
          }
        }
      },
      "setup_data": {
        "token": "x"
      }
    }
    "#);
}

#[test]
fn export() {
    let (aggregate, facts) = (aggregate(&[("checks", &["rate>0.99"]), ("http_reqs", &["count>1"])]), facts());
    let mut data = Summary::new(&aggregate, &facts).export();
    let shown = ["checks", "http_reqs", "http_req_failed", "level", "plain_trend"];
    data["metrics"].as_object_mut().unwrap().retain(|name, _| shown.contains(&&**name));
    insta::assert_snapshot!(format!("{data:#}"), @r#"
    {
      "root_group": {
        "name": "",
        "path": "",
        "id": "d41d8cd98f00b204e9800998ecf8427e",
        "groups": {
          "outer": {
            "name": "outer",
            "path": "::outer",
            "id": "c34b428ee7255085dfe7fef53d3394d5",
            "groups": {
              "inner one": {
                "name": "inner one",
                "path": "::outer::inner one",
                "id": "49e7cea9765e539dafa4946f9a7ad21d",
                "groups": {},
                "checks": {
                  "half": {
                    "name": "half",
                    "path": "::outer::inner one::half",
                    "id": "1d83574235faca77e70c894c6ba7bae8",
                    "passes": 2,
                    "fails": 1
                  }
                }
              }
            },
            "checks": {}
          }
        },
        "checks": {
          "is ok": {
            "name": "is ok",
            "path": "::is ok",
            "id": "b23880cd908e867eadca735b83befcbd",
            "passes": 2,
            "fails": 0
          },
          "zeta": {
            "name": "zeta",
            "path": "::zeta",
            "id": "4dd883724529c919302dd115cca8f642",
            "passes": 0,
            "fails": 1
          }
        }
      },
      "metrics": {
        "checks": {
          "value": 0.6666666666666666,
          "passes": 4,
          "fails": 2,
          "thresholds": {
            "rate>0.99": true
          }
        },
        "http_req_failed": {
          "value": 0.3333333333333333,
          "passes": 1,
          "fails": 2
        },
        "http_reqs": {
          "count": 3,
          "rate": 1.5,
          "thresholds": {
            "count>1": false
          }
        },
        "level": {
          "value": 5.14159,
          "min": 3.25,
          "max": 5.14159
        },
        "plain_trend": {
          "avg": 41151.304152263,
          "min": -3,
          "med": 0.123456789,
          "max": 123456.789,
          "p(90)": 98765.45589135781,
          "p(95)": 111111.12244567889
        }
      },
      "generator": {
        "saturated": false,
        "lateness_p99.9": null,
        "timer_lag_p99": null,
        "cpu_share": 0.4512,
        "cores": 2,
        "pauses": 0,
        "pauses_sum": 0,
        "pause_max": 0,
        "samples_dropped": 0
      },
      "setup_data": {
        "token": "x"
      }
    }
    "#);
}

#[test]
fn machine_readable() {
    let (aggregate, facts) = (aggregate(&[]), facts());
    let machine = MachineFacts {
        script: "export default () => {}".into(),
        generated_at: "2026-01-02T03:04:05Z".into(),
        version: "1.2.3".into(),
    };
    let mut data = Summary::new(&aggregate, &facts).machine_readable(&machine);
    let shown = ["orders", "level", "ok_rate", "iteration_duration"];
    let metrics = data["results"]["metrics"].as_array_mut().unwrap();
    metrics.retain(|metric| shown.iter().any(|name| metric["name"] == *name));
    insta::assert_snapshot!(format!("{data:#}"), @r#"
    {
      "version": "1.0.0",
      "config": {
        "duration": 2,
        "execution": "local",
        "script": "export default () => {}"
      },
      "metadata": {
        "generated_at": "2026-01-02T03:04:05Z",
        "k6_version": "1.2.3"
      },
      "results": {
        "checks": {
          "metrics": [
            {
              "name": "checks",
              "type": "rate",
              "contains": "default",
              "values": {
                "matches": 4,
                "total": 6,
                "rate": 0.6666666666666666
              }
            }
          ],
          "results": [
            {
              "name": "is ok",
              "passes": 2,
              "fails": 0
            },
            {
              "name": "half",
              "passes": 2,
              "fails": 1
            },
            {
              "name": "zeta",
              "passes": 0,
              "fails": 1
            }
          ]
        },
        "metrics": [
          {
            "name": "iteration_duration",
            "type": "trend",
            "contains": "time",
            "values": {
              "avg": 37500.5,
              "min": 1,
              "med": 37500.5,
              "max": 75000,
              "p90": 67500.1,
              "p95": 71250.05
            }
          },
          {
            "name": "level",
            "type": "gauge",
            "contains": "default",
            "values": {
              "value": 5.14159,
              "min": 3.25,
              "max": 5.14159
            }
          },
          {
            "name": "ok_rate",
            "type": "rate",
            "contains": "default",
            "values": {
              "matches": 2,
              "total": 3,
              "rate": 0.6666666666666666
            }
          },
          {
            "name": "orders",
            "type": "counter",
            "contains": "default",
            "values": {
              "count": 3.5
            }
          }
        ]
      }
    }
    "#);
}

fn verdict(generator: GeneratorHealth) -> String {
    let facts = RunFacts { generator, ..facts() };
    let text = Summary::new(&aggregate(&[]), &facts).text(Detail::Compact, false);
    text.trim_end().lines().next_back().unwrap_or_default().trim().to_owned()
}

#[test]
fn the_summary_ends_with_the_generators_verdict() {
    assert_eq!(verdict(GeneratorHealth::default()), "generator: ok");
    let (us, ms) = (Duration::from_micros, Duration::from_millis);
    let fine = GeneratorHealth {
        lateness_p999: Some(us(310)),
        timer_lag_p99: Some(us(1_200)),
        cpu_share: Some(0.4512),
        cores: 2,
        pauses: Pauses { count: 9, sum: ms(31), longest: us(4_250) },
        samples_dropped: 0,
    };
    assert_eq!(
        verdict(fine.clone()),
        "generator: ok (iterations started up to 310µs late (p99.9), timers fired up to 1.2ms late (p99), \
         CPU 45% of 2 cores, paused for up to 4.25ms to collect memory, 31ms in all)"
    );
    let saturated =
        GeneratorHealth { lateness_p999: Some(ms(84)), cpu_share: Some(0.98), samples_dropped: 3, ..fine };
    assert_eq!(
        verdict(saturated),
        "generator: saturated: iterations started up to 84ms late (p99.9), CPU 98% of 2 cores, \
         3 samples did not fit into the outputs (timers fired up to 1.2ms late (p99), \
         paused for up to 4.25ms to collect memory, 31ms in all)"
    );
}
