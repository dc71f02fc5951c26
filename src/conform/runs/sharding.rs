//! How much of the load lands on the shard that has the most popular key, and how even a hash is:
//! counted by the router that sends the requests on.

use super::estimate::Estimate;
use super::{Effort, all, each, only};
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::conform::{Cases, Verdict};
use crate::protocol::Role;
use crate::protocol::router::map::{Map, Placement};
use crate::scenario::compile::compile;
use crate::scenario::read;
use serde::Deserialize;
use serde_json::{Value, json};

/// What the file allows a run to differ by.
const TOLERANCE: f64 = 0.02;
/// Runs of each row, with different seeds.
const RUNS: u64 = 8;
/// The rows about bins have so many.
const BINS: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    model: String,
    #[serde(rename = "N")]
    keys: Option<u32>,
    s: Option<f64>,
    harmonic: Option<f64>,
    top1: Option<f64>,
    top10: Option<f64>,
    max_useful_nodes_if_one_key_one_node: Option<f64>,
    zeta: Option<f64>,
    m: Option<u32>,
    n: Option<u32>,
    mean: Option<f64>,
    se: Option<f64>,
    #[serde(rename = "published")]
    _published: Option<f64>,
    #[serde(rename = "source")]
    _source: Option<String>,
}

pub(in crate::conform) fn replay(file: &Value, cases: &mut Cases<'_>) {
    only(file, "", &["about", "format", "sharding"], cases);
    let name = |row: &Row| {
        let number = row.keys.or(row.m).map_or(String::new(), |n| format!(", {n}"));
        let skew = row.s.map_or(String::new(), |s| format!(", s = {s}"));
        format!("{}{number}{skew}", row.model)
    };
    each(file, "sharding", cases, name, row);
}

fn row(row: &Row, effort: Effort) -> Verdict {
    match row {
        Row { keys: Some(keys), s: Some(s), top1: Some(_), .. } => zipf(row, *keys, *s, effort),
        Row { zeta: Some(zeta), s: Some(s), .. } => {
            // A million keys are as good as endless where the rest is less than the tolerance.
            let hot = hot(1_000_000, *s, effort)?;
            hot.speedup.is("speed-up", *zeta, TOLERANCE * zeta)
        }
        Row { m: Some(m), n: Some(BINS), mean: Some(mean), se: Some(se), .. } => {
            balls(*m, *mean, *se, effort)
        }
        _ => Err("is a row of no kind known here".into()),
    }
}

/// What the shard of the most popular key gets.
struct Hot {
    top1: Estimate,
    top10: Estimate,
    speedup: Estimate,
}

fn zipf(row: &Row, keys: u32, s: f64, effort: Effort) -> Verdict {
    let hot = hot(keys, s, effort)?;
    let is = |what: &str, got: &Estimate, expected: Option<f64>| {
        let expected = expected.ok_or(format!("{what} is missing"))?;
        got.is(what, expected, TOLERANCE * expected)
    };
    all([
        is("top1", &hot.top1, row.top1),
        is("top10", &hot.top10, row.top10),
        is("harmonic", &hot.speedup, row.harmonic),
        is("useful nodes", &hot.speedup, row.max_useful_nodes_if_one_key_one_node),
    ])
}

/// One key on the first shard, nine on the second, the rest on the third.
fn hot(keys: u32, s: f64, effort: Effort) -> Result<Hot, String> {
    let requests = match effort {
        Effort::Full => 400_000.0,
        Effort::Brief => 40_000.0,
    };
    let mut samples = Vec::new();
    for seed in 1..=RUNS {
        let range = json!({ "range": { "splits": [1, 10] } });
        let sent = sent(seed, requests, (keys, s), 3, range)?;
        samples.push(sent.map(|n| n as f64));
    }
    let total = |s: &[f64; 3]| s.iter().sum::<f64>();
    Ok(Hot {
        top1: Estimate::ratio(&samples, |s| s[0], total),
        top10: Estimate::ratio(&samples, |s| s[0] + s[1], total),
        speedup: Estimate::ratio(&samples, total, |s| s[0]),
    })
}

/// Requests that a router sends to each of its shards.
fn sent<const N: usize>(
    seed: u64,
    requests: f64,
    (keys, skew): (u32, f64),
    shards: u32,
    placement: Value,
) -> Result<[u64; N], String> {
    let mut people = super::open(requests);
    people["to"] = "front".into();
    people["items"] = keys.into();
    people["skew"] = skew.into();
    let names: Vec<String> = (1..=shards).map(|n| format!("shard-{n}")).collect();
    let mut nodes = json!({
        "people": { "clients": people },
        "front": { "router": { "shards": names, "placement": placement, "time": "0s" } },
    });
    for name in &names {
        nodes[name] = json!({ "ledger": { "time": "0s" } });
    }
    let scenario = json!({
        "seed": seed, "duration": "1s", "nodes": nodes, "network": { "latency": "0s" }
    });
    let scenario = read::value(scenario).map_err(|problems| problems.to_string())?;
    let plan = compile(&scenario).map_err(|problems| problems.to_string())?;
    let mut world = plan.world();
    world.run_until(Time::ZERO + Span::secs(1));
    let Some(Role::Router(router)) = world.processes.get(1) else {
        return Err("there is no router".into());
    };
    let sent = router.heat.sent.as_slice();
    sent.try_into().map_err(|_| format!("{} shards of {N}", sent.len()))
}

/// The fullest of a hundred bins when so many balls are thrown: keys that are all alike, by the
/// remainder of a hash. More shards than a router has, so its map alone is asked.
fn balls(m: u32, mean: f64, se: f64, effort: Effort) -> Verdict {
    let throws = match effort {
        Effort::Full => 2_000_000 / m,
        Effort::Brief => 400_000 / m,
    };
    let map = Map::new(Placement::Modulo, BINS, 1_000_000);
    let mut keys = Stream::new(1, "balls", u64::from(m));
    let most = |_| {
        let mut bins = [0u32; BINS as usize];
        for _ in 0..m {
            bins[map.shard(keys.below(map.items)) as usize] += 1;
        }
        f64::from(bins.iter().copied().max().unwrap_or(0))
    };
    let fullest: Vec<f64> = (0..throws.max(16)).map(most).collect();
    Estimate::of(&fullest).is_like("maximum", mean, TOLERANCE * mean, 3.0 * se)
}
