//! How long elections take, and how often votes are split: clusters of which nothing is asked, in
//! which a leader is missing, many times over with different seeds.

use super::estimate::Estimate;
use super::{all, told};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::conform::section::{Section, number};
use crate::conform::{Cases, Effort, Verdict, parse};
use crate::protocol::Role;
use crate::protocol::station::StationSettings;
use crate::protocol::store::raft::member::{Hard, RaftSettings};
use crate::protocol::store::raft::message::{Content, Entry};
use crate::protocol::store::raft::node::{RaftStore, RaftStoreSettings};
use crate::sim::disk::DiskSettings;
use crate::sim::network::LinkSettings;
use crate::sim::world::World;
use serde::Deserialize;
use serde_json::Value;

/// Batches whose spread says how sure a quantile is.
const BATCHES: usize = 20;
/// The one-way latency that the file's own simulation found the published cluster to have in
/// effect, give or take a tenth.
const LAN: Dist = Dist::Uniform { low: 3_150.0, high: 3_850.0 };

/// Replays the sections of the file that are about time and chance.
pub(in crate::conform) fn replay(facts: &mut Section<'_>, cases: &mut Cases<'_>) {
    let effort = cases.effort;
    if let Some(mut wan) = facts.inner("wan_availsim_ms", cases) {
        wan.value("setup");
        wan.value("our_reimplementation");
        if let Some(mut rows) = wan.inner("same_logs", cases) {
            for (key, failed) in [("0_failed", 0), ("1_failed", 1)] {
                (cases.tell)(&format!("{}: wide area, {key}", cases.file));
                rows.check(key, cases, |row| wide_area(row, failed, effort));
            }
            rows.close(cases);
        }
        wan.close(cases);
    }
    if let Some(mut lan) = facts.inner("lan_failover_ms", cases) {
        lan.value("setup");
        lan.value("our_reimplementation");
        if let Some(mut rows) = lan.inner("ranges", cases) {
            for (key, low, tolerance) in [("150-300", 150, 0.10), ("12-24", 12, 0.15)] {
                (cases.tell)(&format!("{}: local area, {key} ms", cases.file));
                rows.check(key, cases, |row| local_area(row, low, tolerance, effort));
            }
            rows.close(cases);
        }
        lan.close(cases);
    }
    splits(facts, cases);
    facts.check("expected_election_time", cases, |value| told(Some(value), &EXPECTED));
}

/// Prose that is followed by [`first_timeout`] and [`closed_form`].
const EXPECTED: [(&str, &str); 7] = [
    ("source", "ongardie/dissertation leaderelection/nosplit.tex, splittotal.tex"),
    (
        "units",
        "timeouts uniform on [1,2] (one unit = base timeout = range); L one-way latency, W disk \
         write",
    ),
    ("first_timeout_mean", "1/(s+1) of the range; CDF 1-(1-t)^s"),
    ("no_split", "E = 1 + 1/(s+1) + 2L + W - 1/4"),
    ("with_splits", "E = (1/(1-p)) * (1 + 1/(s+1) + L) + L + W - 1/4, p = split vote rate"),
    ("terms_needed", "geometric, mean 1/(1-p)"),
    ("published_example", "P(first of 4 timeouts within the first quarter) = 0.68"),
];

/// A cluster of five that has just begun to wait, of which the last `failed` are down. `lengths`
/// are those of their logs.
fn cluster(
    seed: u64,
    (low, high): (Span, Span),
    latency: &Dist,
    failed: usize,
    lengths: [u32; 5],
) -> World<Role> {
    let members: Vec<NodeId> = (0..5).map(NodeId).collect();
    let settings = RaftStoreSettings {
        upkeep: Default::default(),
        station: StationSettings::default(),
        members: members.clone(),
        leader: None,
        raft: RaftSettings {
            election_low: low,
            election_high: high,
            heartbeat: low.scale(0.5),
            pre_vote: false,
            check_quorum: false,
            ..RaftSettings::default()
        },
        snapshot_every: 0,
        keys: None,
        balance: 0,
        floor: None,
    };
    let mut world = World::new(seed);
    for (&node, length) in members.iter().zip(lengths) {
        let mut store = RaftStore::new(settings.clone(), seed, node);
        for _ in 0..length {
            let entry = Entry { term: 1, at: Time::ZERO, content: Content::Nothing };
            store.raft.log.append(entry);
        }
        store.raft.hard = Hard { term: 1, vote: None };
        // All of it is on disk.
        store.crash(0);
        world.add_node(Role::Raft(Box::new(store)), DiskSettings::default());
    }
    // Whoever is down neither hears nor speaks.
    let alive = members.len() - failed;
    for &source in members.iter().take(alive) {
        for &target in members.iter().take(alive).filter(|&&target| target != source) {
            let latency = latency.clone();
            world.add_link(source, target, LinkSettings { latency, ..LinkSettings::default() });
        }
    }
    for (node, role) in (0..).zip(&mut world.processes) {
        if let (Role::Raft(store), true) = (role, node >= alive) {
            store.raft.settings.election_low = Span::secs(1_000_000);
            store.raft.settings.election_high = Span::secs(1_000_000);
        }
    }
    world.start();
    world
}

fn members(world: &World<Role>) -> impl Iterator<Item = &RaftStore> {
    world.processes.iter().filter_map(|role| match role {
        Role::Raft(store) => Some(&**store),
        _ => None,
    })
}

/// When the leader took office that stayed: until then others may be elected who have not heard.
fn stable(seed: u64, failed: usize) -> Option<f64> {
    let latency = Dist::Uniform { low: 30_000.0, high: 40_000.0 };
    let timeouts = (Span::millis(300), Span::millis(600));
    let mut world = cluster(seed, timeouts, &latency, failed, [0; 5]);
    let mut latest = (0, Time::ZERO);
    let end = Time(60_000_000);
    while world.step(end) {
        let now = world.shared.now;
        if let Some(store) = members(&world).find(|store| store.raft.leads())
            && store.raft.hard.term > latest.0
        {
            latest = (store.raft.hard.term, now);
        }
        let elsewhere = members(&world).map(|store| store.raft.hard.term).max();
        if latest.0 > 0 && elsewhere == Some(latest.0) && now.since(latest.1) > timeouts.1 {
            return Some(latest.1.0 as f64);
        }
    }
    None
}

fn wide_area(row: &Value, failed: usize, effort: Effort) -> Verdict {
    let runs = match effort {
        Effort::Full => 10_000,
        Effort::Brief => 2_000,
    };
    let times: Option<Vec<f64>> = (0..runs).map(|seed| stable(seed, failed)).collect();
    let times = times.ok_or("a cluster elected nobody in a minute")?;
    let tolerances: &[(&str, f64)] = &[
        ("mean", 0.02),
        ("p5", 0.02),
        ("p25", 0.02),
        ("p50", 0.02),
        ("p75", 0.02),
        ("p90", 0.02),
        ("p95", 0.06),
        ("p99", 0.06),
        ("p99.9", 0.15),
    ];
    compare(row, &times, tolerances, &["min", "max", "published_mean", "published_p99.9"])
}

/// From the crash of the leader to the first heartbeat of the next.
fn failover(seed: u64, low: u64) -> Option<f64> {
    let mut stream = Stream::new(seed, "failover", 0);
    let mut lengths = [1, 2, 3, 4, 5];
    for place in (1..5).rev() {
        lengths.swap(place, stream.below(place as u32 + 1) as usize);
    }
    let (low, high) = (Span::millis(low), Span::millis(2 * low));
    let crash = low.scale(0.5 * stream.unit());
    let mut world = cluster(seed, (low, high), &LAN, 1, lengths);
    while world.step(Time(60_000_000)) {
        let hears = |store: &RaftStore| !store.raft.leads() && store.raft.leader.is_some();
        if members(&world).any(hears) {
            return Some(world.shared.now.0 as f64 - crash.0 as f64);
        }
    }
    None
}

fn local_area(row: &Value, low: u64, tolerance: f64, effort: Effort) -> Verdict {
    let runs = match effort {
        Effort::Full => 10_000,
        Effort::Brief => 2_000,
    };
    let times: Option<Vec<f64>> = (0..runs).map(|seed| failover(seed, low)).collect();
    let times = times.ok_or("a cluster elected nobody in a minute")?;
    let others = ["min", "p1", "p5", "p10", "p25", "p75", "p90", "p95", "p99", "p999", "max"];
    compare(row, &times, &[("mean", tolerance), ("p50", tolerance)], &others)
}

/// Compares times in microseconds with a row of published ones in milliseconds.
fn compare(row: &Value, times: &[f64], wanted: &[(&str, f64)], others: &[&str]) -> Verdict {
    let facts = row.as_object().ok_or("expected an object")?;
    let whole: Vec<u32> = times.iter().map(|&time| time as u32).collect();
    let batches: Vec<&[u32]> = whole.chunks(whole.len().div_ceil(BATCHES).max(1)).collect();
    let verdict = |(key, value): (&String, &Value)| {
        let Some((_, tolerance)) = wanted.iter().find(|(name, _)| name == key) else {
            let known = others.contains(&key.as_str());
            return if known { Ok(()) } else { Err(format!("`{key}` is not a fact known here")) };
        };
        let got = match key.strip_prefix('p').and_then(|percent| percent.parse::<f64>().ok()) {
            Some(percent) => Estimate::quantile(&batches, percent / 100.0),
            None => Estimate::of(times),
        };
        got.by(1e3).is_about(key, number(value)?, *tolerance)
    };
    all(facts.iter().map(verdict))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Split {
    n: u32,
    s: u32,
    l: f64,
    p: Option<f64>,
    percent: Option<f64>,
    approx: Option<f64>,
}

fn splits(facts: &mut Section<'_>, cases: &mut Cases<'_>) {
    let Some(mut split) = facts.inner("split_vote_closed_form", cases) else { return };
    let formula = "P(split)=sum_{k=c-1}^{s} C(s,k) l^k (1-l)^(s-k), c=s-floor(n/2)+1; l=one-way \
                   latency / timeout range; n cluster size, s available servers";
    split.told("formula", formula, cases, || Ok(()));
    for list in ["published_points", "published_prose", "table"] {
        (cases.tell)(&format!("{}: split votes, {list}", cases.file));
        let effort = cases.effort;
        split.list(list, cases, |value| parse(value, "case").and_then(|row| share(&row, effort)));
    }
    split.close(cases);
}

/// The chance that the first term ends without a leader, by formula and by elections.
fn share(row: &Split, effort: Effort) -> Verdict {
    let (expected, tolerance) = match (row.p, row.percent, row.approx) {
        (Some(p), None, None) => (p, 0.000_01),
        (None, Some(percent), None) => (percent / 100.0, 0.000_5),
        (None, None, Some(p)) => (p, 0.02),
        _ => return Err("expected one of `p`, `percent`, `approx`".into()),
    };
    if row.n != 5 {
        return Err(format!("{} servers: only five are known here", row.n));
    }
    crate::conform::near("formula", expected, closed_form(row), tolerance)?;
    let runs = match effort {
        Effort::Full => 10_000,
        Effort::Brief => 1_000,
    };
    let elections: Vec<(f64, f64)> = (0..runs).map(|seed| first_term(row, seed)).collect();
    let splits: Vec<f64> = elections.iter().map(|&(split, _)| split).collect();
    let firsts: Vec<f64> = elections.iter().map(|&(_, first)| first).collect();
    Estimate::of(&splits).within("split votes", closed_form(row), 0.01, 0.0)?;
    Estimate::of(&firsts).is("first timeout", 1.0 / f64::from(row.s + 1), 0.01)
}

fn closed_form(row: &Split) -> f64 {
    let (s, least) = (row.s, row.s - row.n / 2);
    let choose = |k: u32| (0..k).fold(1.0, |c, i| c * f64::from(s - i) / f64::from(i + 1));
    let term = |k: u32| {
        let (hits, rest) = (f64::from(k), f64::from(s - k));
        choose(k) * libm::pow(row.l, hits) * libm::pow(1.0 - row.l, rest)
    };
    (least..=s).map(term).sum()
}

/// Whether the first term ended without a leader (one or zero), and when the first timeout passed,
/// as a part of the range. The range is short beside the timeouts, so that a candidate waits long
/// enough for every answer.
fn first_term(row: &Split, seed: u64) -> (f64, f64) {
    let range = Span::millis(100);
    let timeouts = (Span::secs(1), Span::secs(1) + range);
    let latency = Dist::constant(range.scale(row.l));
    let mut world = cluster(seed, timeouts, &latency, (row.n - row.s) as usize, [0; 5]);
    let mut first = None;
    while world.step(Time(60_000_000)) {
        let terms = members(&world).map(|store| store.raft.hard.term);
        let term = terms.max().unwrap_or(0);
        if term > 1 && first.is_none() {
            let late = world.shared.now.0 as f64 - timeouts.0.0 as f64;
            first = Some(late / range.0 as f64);
        }
        // Terms count from that of the leader that is missing.
        let elected = members(&world).any(|store| store.raft.leads());
        if elected || term > 2 {
            let split = if elected { 0.0 } else { 1.0 };
            return (split, first.unwrap_or(f64::NAN));
        }
    }
    (f64::NAN, f64::NAN)
}
