//! The recorded behaviour of libraries and published statistics, replayed; and that a false
//! record or a wrong model is noticed.

use netsplit::conform::{Effort, Report, run, run_with};
use serde_json::Value;

const FILES: [(&str, &str); 9] = [
    ("breaker_failsafe", include_str!("../cases/breaker_failsafe.json")),
    ("breaker_failsafe_traces", include_str!("../cases/breaker_failsafe_traces.json")),
    ("breaker_gobreaker", include_str!("../cases/breaker_gobreaker.json")),
    ("breaker_gobreaker_traces", include_str!("../cases/breaker_gobreaker_traces.json")),
    ("breaker_polly_hystrix", include_str!("../cases/breaker_polly_hystrix.json")),
    ("breaker_resilience4j", include_str!("../cases/breaker_resilience4j.json")),
    ("breaker_resilience4j_traces", include_str!("../cases/breaker_resilience4j_traces.json")),
    ("retry_policies", include_str!("../cases/retry_policies.json")),
    ("linearizability_histories", include_str!("../cases/linearizability_histories.json")),
];

/// Published statistics of whole scenarios. Here they are run briefly: the interval of the run
/// itself, which counts on top of a tolerance, is wider than in `netsplit conform`.
const STATISTICS: [(&str, &str); 8] = [
    ("load_balancing", include_str!("../cases/load_balancing.json")),
    ("queueing_oracles", include_str!("../cases/queueing_oracles.json")),
    ("queueing_more", include_str!("../cases/queueing_more.json")),
    ("metastable", include_str!("../cases/metastable.json")),
    ("backoff_occ", include_str!("../cases/backoff_occ.json")),
    ("sharding_oracles", include_str!("../cases/sharding_oracles.json")),
    ("raft_cases", include_str!("../cases/raft_cases.json")),
    ("pbs", include_str!("../cases/pbs.json")),
];

fn brief(name: &str, text: String) -> Report {
    run_with(&[(name.to_string(), text)], Effort::Brief, &|_| {})
}

pub fn published_statistics_agree(name: &str) {
    let found = STATISTICS.iter().find(|(known, _)| *known == name);
    let (_, text) = found.unwrap_or_else(|| panic!("{name} is not a file known here"));
    let report = brief(name, (*text).to_string());
    assert_eq!(report.failed, 0, "{report}");
    assert!(report.passed > 1, "{name} has no cases");
}

/// Leaves of a list in a file only what `keep` says, changed.
fn thinned(name: &str, list: &str, keep: impl Fn(&Value) -> Option<Value>) -> String {
    let found = STATISTICS.iter().find(|(known, _)| *known == name).expect("a known name");
    let mut file: Value = serde_json::from_str(found.1).expect("the file is JSON");
    let rows = file.pointer_mut(list).and_then(Value::as_array_mut).expect("a list");
    *rows = rows.iter().filter_map(keep).collect();
    // Nothing but the section that the list is in.
    let parts: Vec<&str> = list.trim_start_matches('/').split('/').collect();
    if let ([section, _], Some(sections)) = (parts.as_slice(), file.as_object_mut()) {
        sections.retain(|name, _| name == section);
        let facts = sections.get_mut(*section).and_then(Value::as_object_mut).expect("a section");
        facts.retain(|name, _| name != "closed_forms");
    }
    file.to_string()
}

/// The row for which each of these is so, with one number changed by this factor; a number that
/// is not there is one.
fn bent(row: &Value, known: &[(&str, Value)], key: &str, factor: f64) -> Option<Value> {
    let mut row = row.clone();
    let meant = known.iter().all(|(key, value)| row.get(*key) == Some(value));
    let plain =
        row.get(key).and_then(Value::as_f64).unwrap_or(if key == "leg" { 10.0 } else { 1.0 });
    row[key] = (plain * factor).into();
    meant.then_some(row)
}

/// A model that is off by 5 % is refused, and the same row with the right one is not.
pub fn a_wrong_model_is_refused() {
    type Bent<'a> = (&'a str, &'a str, Vec<(&'a str, Value)>, &'a str, f64);
    let bends: [Bent<'_>; 6] = [
        // The time that work takes.
        (
            "queueing_oracles",
            "/cases",
            vec![("model", "M/M/1".into()), ("rho", 0.5.into())],
            "service",
            1.05,
        ),
        (
            "queueing_oracles",
            "/cases",
            vec![("model", "M/M/c".into()), ("c", 10.into()), ("rho", 0.8.into())],
            "service",
            1.05,
        ),
        // The load.
        (
            "load_balancing",
            "/data",
            vec![("policy", "d2".into()), ("rho", 0.7.into())],
            "rho",
            1.05,
        ),
        (
            "metastable",
            "/simple_collapse/results_200_runs",
            vec![("base", 20.into()), ("type", "no_backoff".into())],
            "base",
            1.05,
        ),
        // The chance of a failure.
        (
            "metastable",
            "/retry_strategies/results",
            vec![("strategy", "three_retries".into()), ("failure_rate", 0.5.into())],
            "failure_rate",
            1.05,
        ),
        // The way of a message.
        (
            "backoff_occ",
            "/rows",
            vec![("algorithm", "None".into()), ("clients", 50.into())],
            "leg",
            1.05,
        ),
    ];
    for (name, list, known, key, factor) in bends {
        let found = |factor| brief(name, thinned(name, list, |row| bent(row, &known, key, factor)));
        let (right, wrong) = (found(1.0), found(factor));
        let about = |report: &Report| {
            let lines = report.lines.iter().filter(|line| line.contains('[') || line.contains(key));
            lines.count()
        };
        assert_eq!(right.failed, 0, "{name}: {right}");
        assert!(wrong.failed > 0 && about(&wrong) > 0, "{name}: {key} × {factor} went unnoticed");
    }
}

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
    base_ejection_s linearizable";

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
        (FILES[8].1.replacen("\"call\":5,", "\"call\":50,", 1), "ops[0] returns before"),
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

/// The published chance of a fresh read, off by 2 %, is refused, and what is not a row is.
pub fn false_staleness_is_refused() {
    let found = STATISTICS.iter().find(|(known, _)| *known == "pbs");
    let mut file: Value = serde_json::from_str(found.expect("the file").1).expect("JSON");
    let systems = file["converged"].as_object_mut().expect("systems");
    systems.retain(|name, _| name == "LNKD-SSD");
    systems["LNKD-SSD"].as_object_mut().expect("rows").retain(|name, _| name == "R1W1");
    file["other_converged"] = serde_json::json!({});
    file["k_staleness"]["published"].as_array_mut().expect("rows").truncate(1);
    let right = brief("pbs", file.to_string());
    assert_eq!(right.failed, 0, "{right}");
    for (path, factor) in [("P_consistent_at_t0", 0.98), ("t_999_ms", 1.3), ("Lw_p50", 1.05)] {
        let mut bent = file.clone();
        let fact = &mut bent["converged"]["LNKD-SSD"]["R1W1"][path];
        *fact = (fact.as_f64().expect("a number") * factor).into();
        let wrong = brief("pbs", bent.to_string());
        assert!(wrong.failed == 1, "{path} × {factor} went unnoticed: {wrong}");
    }
    file["k_staleness"]["published"][0]["p_fresh"] = 0.6.into();
    file["more"] = 1.into();
    assert_eq!(brief("pbs", file.to_string()).failed, 2);
}
