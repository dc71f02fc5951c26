//! The recorded behaviour of libraries, replayed; and that a false record is noticed.

use netsplit::conform::{Report, run};
use serde_json::Value;

const FILES: [(&str, &str); 8] = [
    ("breaker_failsafe", include_str!("../cases/breaker_failsafe.json")),
    ("breaker_failsafe_traces", include_str!("../cases/breaker_failsafe_traces.json")),
    ("breaker_gobreaker", include_str!("../cases/breaker_gobreaker.json")),
    ("breaker_gobreaker_traces", include_str!("../cases/breaker_gobreaker_traces.json")),
    ("breaker_polly_hystrix", include_str!("../cases/breaker_polly_hystrix.json")),
    ("breaker_resilience4j", include_str!("../cases/breaker_resilience4j.json")),
    ("breaker_resilience4j_traces", include_str!("../cases/breaker_resilience4j_traces.json")),
    ("retry_policies", include_str!("../cases/retry_policies.json")),
];

fn replay(name: &str, text: String) -> Report {
    run(&[(name.to_string(), text)])
}

pub fn every_recorded_case_agrees() {
    for (name, text) in FILES {
        let report = replay(name, text.into());
        assert_eq!(report.failed, 0, "{report}");
        assert!(report.passed > 0, "{name} has no cases");
    }
    let files = FILES.map(|(name, text)| (name.to_string(), text.to_string()));
    let report = run(&files);
    let last = report.to_string();
    assert_eq!(last.lines().last(), Some(format!("{} passed, 0 failed", report.passed).as_str()));
}

/// Changes every number, answer and state of the expectations, one at a time, and requires that
/// each change is noticed.
pub fn a_false_record_is_noticed() {
    for (name, text) in FILES {
        let mut file: Value = serde_json::from_str(text).expect("the file is JSON");
        drop_slow_rules(&mut file);
        let mut places = Vec::new();
        find(&file, &mut Vec::new(), &mut places);
        assert!(places.len() > 10, "{name}: {} expectations found", places.len());
        for place in thin(places, 100) {
            let mut changed = file.clone();
            let path = place.join("/");
            let value = changed.pointer_mut(&format!("/{path}")).expect("found a moment ago");
            *value = falsify(value);
            let report = replay(name, changed.to_string());
            assert!(report.failed > 0, "{name}: a false {path} went unnoticed");
        }
    }
}

/// Rules in words that are checked by many draws; what is changed here are numbers.
fn drop_slow_rules(value: &mut Value) {
    const SLOW: &str = "backoff backoff_s constant_or_linear_jitter exponential_jitter \
        jitter_factor randomized decorrelated exponential_jittered equal_jittered steady_state \
        steady_state_failure_ratio_threshold ejection_time";
    if let Value::Object(map) = value {
        map.retain(|key, value| !value.is_string() || !SLOW.split(' ').any(|slow| slow == key));
        map.values_mut().for_each(drop_slow_rules);
    }
}

/// A share of many, evenly spread: each costs a replay of its file.
fn thin(places: Vec<Vec<String>>, most: usize) -> Vec<Vec<String>> {
    let every = places.len().div_ceil(most);
    places.into_iter().step_by(every).collect()
}

/// Keys whose values say what must come out; everything below them does too.
const EXPECTED: &str = "\
    state counts permitted result buffered failed failure_rate slow_rate not_permitted \
    executions breaks after expect open then_open K rate rate2 max_rate tokens retry_allowed \
    tokens_after retry_allowed_now successes_until_allowed outstanding_after_ms limit p \
    total backoff_rand1 quota_capacity cost_retry cost_timeout cost_throttling max_attempts \
    release_success_without_retry release_on_failure beta scale min_fill_rate wait_ms \
    randomization_factor exponential_multiplier retries ttl_s max_attempts_cap \
    base_ejection_s";

fn find(value: &Value, path: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    let expected = path.iter().any(|part| EXPECTED.split(' ').any(|key| key == part));
    // Configurations, and what some decisions start from, are given and not expected.
    let given =
        path.iter().any(|part| {
            ["config", "should_break", "google_sre"].contains(&part.as_str())
                || part.starts_with("transitions")
        }) && path.last().is_none_or(|part| !["after", "breaks", "p"].contains(&part.as_str()));
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                path.push(key.clone());
                find(inner, path, places);
                path.pop();
            }
        }
        Value::Array(list) => {
            for (n, inner) in list.iter().enumerate() {
                path.push(n.to_string());
                find(inner, path, places);
                path.pop();
            }
        }
        Value::Null => {}
        _ if given => {}
        _ if expected || in_observation(path) => places.push(path.clone()),
        _ => {}
    }
}

/// `traces / 3 / events / 17 / 4 / 2`: part of the list that ends an event.
fn in_observation(path: &[String]) -> bool {
    path.first().is_some_and(|part| part == "traces") && path.len() == 6
}

fn falsify(value: &Value) -> Value {
    match value {
        Value::Bool(yes) => Value::Bool(!yes),
        Value::Number(n) => (n.as_f64().expect("no number here is larger") + 1.0).into(),
        Value::String(text) => Value::String(format!("{text}?")),
        other => other.clone(),
    }
}

pub fn what_is_not_understood_fails_and_says_where() {
    let failsafe = FILES[0].1;
    for (text, says) in [
        ("{".to_string(), "is not JSON"),
        ("{}".to_string(), "no format known here"),
        (r#"{"library": "x"}"#.to_string(), "`x` is not one of"),
        (r#"{"library": "failsafe", "cases": []}"#.to_string(), "at least one case"),
        (failsafe.replacen("{\"failure_threshold\"", "{\"failure_thresh\"", 1), "unknown field"),
        (failsafe.replacen(r#""op": "failure""#, r#""op": "fail""#, 1), "cases[0].events[1].op"),
        (FILES[7].1.replacen("quota_capacity", "quota", 1), "aws_standard.current.quota: is not"),
        (FILES[7].1.replacen("U(0.8,1.2)", "U(0.9,1.1)", 1), "is not the rule known here"),
        (
            FILES[4].1.replacen(r#""hystrix": {"#, r#""other": {}, "hystrix": {"#, 1),
            "other: is not",
        ),
    ] {
        let report = replay("file", text);
        assert!(report.failed > 0, "{says}: {report}");
        assert!(report.lines.iter().any(|line| line.contains(says)), "{says}: {report}");
        assert!(report.lines.iter().all(|line| line.starts_with("file: ")), "{report}");
    }
}

pub fn no_file_is_too_strange() {
    for (name, text) in FILES {
        let mut file: Value = serde_json::from_str(text).expect("the file is JSON");
        drop_slow_rules(&mut file);
        let mut places = Vec::new();
        numbers(&file, &mut Vec::new(), &mut places);
        for (n, place) in thin(places, 40).into_iter().enumerate() {
            for strange in [-1.0, 0.0, 0.5, 4e9, 1e18, 1e300] {
                let mut changed = file.clone();
                let path = format!("/{}", place.join("/"));
                *changed.pointer_mut(&path).expect("found a moment ago") = strange.into();
                let report = replay(name, changed.to_string());
                assert!(report.passed + report.failed > 0, "{name} {n}");
            }
        }
    }
}

fn numbers(value: &Value, path: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    let mut go = |key: String, inner: &Value| {
        path.push(key);
        numbers(inner, path, places);
        path.pop();
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| go(key.clone(), inner)),
        Value::Array(list) => (0..).zip(list).for_each(|(n, v): (u32, _)| go(n.to_string(), v)),
        Value::Number(_) => places.push(path.clone()),
        _ => {}
    }
}
