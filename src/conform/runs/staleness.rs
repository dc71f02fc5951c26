//! How stale partial quorums are: the WARS model of PBS (Bailis et al. 2012), as runs of a store
//! without a leader.
//!
//! Five replicas of which three hold the items that are asked for. The other two coordinate, one
//! writes and one reads: so the four legs of the model are four links, W and A those of the writer,
//! R and S those of the reader, and no leg is free because a coordinator is a home. A trial writes
//! an item of its own, and reads it at instants after it was acknowledged; nothing else takes time.
//! The draws are those of the links, the answers those of the store.
//!
//! Times at which a share of reads is fresh are tried from both sides: somewhat earlier fewer are,
//! somewhat later more. Published times are the first of a noisy sweep, and are told, not tried.

use super::estimate::Estimate;
use super::{all, only};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::conform::{Cases, Effort, Verdict, near, parse};
use crate::protocol::rpc::{Answer, Op, Request, Ticket};
use crate::protocol::station::StationSettings;
use crate::protocol::store::ledger::LedgerSettings;
use crate::protocol::store::quorum::{Merge, QuorumSettings, ReadRepair, ring};
use crate::protocol::{Message, Role, Settings};
use crate::sim::disk::DiskSettings;
use crate::sim::fault::Fault;
use crate::sim::network::LinkSettings;
use crate::sim::process::{Input, Process};
use crate::sim::trace::{Level, What};
use crate::sim::world::World;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Homes of an item.
const COPIES: u32 = 3;
/// Tolerances of the file: a probability, and shares of a latency and of a time.
const CHANCE: f64 = 0.003;
const LATENCY: f64 = 0.03;
const TIME: f64 = 0.04;
const TIME_DISK_R1W1: f64 = 0.05;
/// Trials in one world.
const BATCH: u32 = 1_500;
/// Longer than any message takes.
const FOREVER: Span = Span::secs(100_000);

/// How long the four legs take, in microseconds.
#[derive(Clone)]
struct Legs {
    write: Dist,
    acknowledge: Dist,
    read: Dist,
    answer: Dist,
}

fn ssd() -> Dist {
    let pareto = Dist::Pareto { scale: 235.0, shape: 10.0 };
    Dist::Mixture(vec![(91.22, pareto), (8.78, Dist::Exponential { mean: 1_000.0 / 1.66 })])
}

fn disk() -> Dist {
    let pareto = Dist::Pareto { scale: 1_050.0, shape: 1.51 };
    Dist::Mixture(vec![(38.0, pareto), (62.0, Dist::Exponential { mean: 1_000.0 / 0.183 })])
}

impl Legs {
    fn of(system: &str) -> Option<Legs> {
        let write = match system {
            "LNKD-SSD" => ssd(),
            "LNKD-DISK" => disk(),
            _ => return None,
        };
        Some(Legs { write, acknowledge: ssd(), read: ssd(), answer: ssd() })
    }

    /// All four exponential, the first with this rate per millisecond and the others with one.
    fn exponential(rate: f64) -> Legs {
        let one = || Dist::Exponential { mean: 1_000.0 };
        let write = Dist::Exponential { mean: 1_000.0 / rate };
        Legs { write, acknowledge: one(), read: one(), answer: one() }
    }
}

/// A store and whoever asks it.
struct Trials {
    world: World<Role>,
    members: Vec<NodeId>,
    number: u64,
    item: u32,
}

/// What came back for a request: when, and which version.
type Answered = (Time, u64);

impl Trials {
    /// A store whose last nodes are no homes of the items used.
    fn new(seed: u64, (read, write): (u32, u32), coordinators: u32) -> Trials {
        let members: Vec<NodeId> = (0..COPIES + coordinators).map(NodeId).collect();
        let settings = QuorumSettings {
            station: StationSettings { workers: u32::MAX, ..StationSettings::default() },
            members: members.clone(),
            copies: COPIES,
            read,
            write,
            sloppy: false,
            read_repair: ReadRepair::Never,
            anti_entropy: None,
            merge: Merge::LastWriterWins,
            timeout: FOREVER,
            apply: Dist::ZERO,
            sync: true,
            balance: 0,
            floor: None,
        };
        let mut world = World::new(seed);
        for &node in &members {
            let role = Role::new(&Settings::Quorum(settings.clone()), seed, node);
            world.add_node(role, DiskSettings::default());
        }
        let asks = Settings::Ledger(LedgerSettings::default());
        let asker = NodeId(members.len() as u32);
        world.add_node(Role::new(&asks, seed, asker), DiskSettings::default());
        Trials { world, members, number: 0, item: 0 }
    }

    /// Links between a coordinator and the homes.
    fn link(&mut self, coordinator: NodeId, there: &Dist, back: &Dist) {
        let of = |latency: &Dist| LinkSettings { latency: latency.clone(), ..Default::default() };
        for home in (0..COPIES).map(NodeId) {
            self.world.add_link(coordinator, home, of(there));
            self.world.add_link(home, coordinator, of(back));
        }
        let asker = NodeId(self.members.len() as u32);
        self.world.add_link(coordinator, asker, LinkSettings::default());
    }

    fn start(&mut self) {
        self.world.shared.trace.level = Level::All;
        self.world.start();
    }

    /// The next item whose homes are the first nodes.
    fn next_item(&mut self) -> u32 {
        loop {
            self.item += 1;
            let homes = ring::homes(&self.members, COPIES, self.item);
            if homes.first() == Some(&NodeId(0)) {
                return self.item;
            }
        }
    }

    /// Asks a coordinator now. The number of the request.
    fn ask(&mut self, coordinator: NodeId, op: Op, item: u32) -> u64 {
        self.number += 1;
        let intent = self.number;
        let call = Key { index: intent as u32, generation: 0 };
        let ticket = Ticket { call, stack: 0, attempt: 1 };
        let deadline = Time::NEVER;
        let request = Request { ticket, intent, op, item, key: 0, deadline, after: 0 };
        let source = NodeId(self.members.len() as u32);
        let input = Input::Message { source, message: Message::Request(request) };
        self.world.with(coordinator, |role, cx| role.handle(input, cx));
        intent
    }

    /// Runs to an instant, or until so many answers are there.
    fn run(&mut self, until: Time, enough: usize, answers: &mut BTreeMap<u64, Answered>) {
        while answers.len() < enough && self.world.step(until) {
            for record in self.world.shared.trace.fresh.drain(..) {
                if let What::Sent { message: Message::Reply(reply), .. } = record.what
                    && let Answer::Done { version, .. } = reply.answer
                {
                    answers.insert(reply.intent, (record.at, version));
                }
            }
        }
    }
}

/// What trials showed.
#[derive(Default)]
struct Batch {
    /// How long each write and each first read took, in microseconds.
    writes: Vec<u32>,
    reads: Vec<u32>,
    trials: f64,
    /// Of reads at each instant, how many were stale.
    stale: Vec<f64>,
}

impl Batch {
    fn reads(&self) -> &[u32] {
        &self.reads
    }

    fn writes(&self) -> &[u32] {
        &self.writes
    }
}

/// So many writes, each followed by a read at each of these instants after it, in microseconds.
fn trials(seed: u64, legs: &Legs, quorum: (u32, u32), count: u32, instants: &[u64]) -> Batch {
    let (writer, reader) = (NodeId(COPIES), NodeId(COPIES + 1));
    let mut lab = Trials::new(seed, quorum, 2);
    lab.link(writer, &legs.write, &legs.acknowledge);
    lab.link(reader, &legs.read, &legs.answer);
    lab.start();
    let mut batch = Batch { stale: vec![0.0; instants.len()], ..Batch::default() };
    for _ in 0..count {
        let item = lab.next_item();
        let (began, mut written) = (lab.world.shared.now, BTreeMap::new());
        let write = lab.ask(writer, Op::Write, item);
        lab.run(began + FOREVER, 1, &mut written);
        let Some(&(at, version)) = written.get(&write) else { continue };
        batch.writes.push(at.since(began).0 as u32);
        let mut answers = BTreeMap::new();
        let mut asked = Vec::new();
        for &instant in instants {
            lab.run(at + Span(instant), usize::MAX, &mut answers);
            asked.push(lab.ask(reader, Op::Read, item));
        }
        lab.run(at + FOREVER, asked.len(), &mut answers);
        for (place, read) in asked.iter().enumerate() {
            let Some((_, seen)) = answers.get(read) else { continue };
            batch.stale[place] += f64::from(u8::from(*seen < version));
        }
        if let Some((back, _)) = asked.first().and_then(|first| answers.get(first)) {
            batch.reads.push(back.since(at).0 as u32);
        }
        batch.trials += 1.0;
    }
    batch
}

/// Many worlds of trials.
fn batches(legs: &Legs, quorum: (u32, u32), count: u32, instants: &[u64]) -> Vec<Batch> {
    let worlds = count.div_ceil(BATCH).max(10);
    let each = count.div_ceil(worlds);
    (0..u64::from(worlds)).map(|seed| trials(seed, legs, quorum, each, instants)).collect()
}

/// The share of stale reads at one of the instants.
fn stale(batches: &[Batch], place: usize) -> Estimate {
    Estimate::ratio(batches, |b| b.stale[place], |b| b.trials)
}

/// What the file says of a system and sizes of quorums.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(non_snake_case, reason = "as in the file")]
struct Row {
    Lr_p999: f64,
    Lw_p999: f64,
    Lr_p50: f64,
    Lw_p50: f64,
    P_consistent_at_t0: f64,
    t_999_ms: f64,
    t_99_ms: Option<f64>,
    t_9999_ms: Option<f64>,
    #[serde(default)]
    P_at_ms: BTreeMap<String, f64>,
    #[serde(rename = "trials")]
    _trials: Option<u64>,
}

/// A time after which a share of reads is fresh, tried from both sides.
struct Bracket {
    share: f64,
    ms: f64,
    tolerance: f64,
}

impl Bracket {
    fn instants(&self) -> [u64; 2] {
        [1.0 - self.tolerance, 1.0 + self.tolerance]
            .map(|factor| libm::round(self.ms * factor * 1e3) as u64)
    }

    fn judge(&self, early: Estimate, late: Estimate) -> Verdict {
        let Bracket { share, ms, .. } = self;
        let wanted = 1.0 - share;
        let what = format!("{share} of reads fresh after {ms} ms");
        if early.half.max(late.half) > 0.8 * wanted {
            return Err(format!("{what}: stale {} ± {}: too little to tell", late.mean, late.half));
        }
        if early.mean + early.half >= wanted && late.mean - late.half <= wanted {
            return Ok(());
        }
        Err(format!("{what}: expected {wanted:.5} stale, got {} and {}", early.mean, late.mean))
    }
}

impl Row {
    fn brackets(&self, system: &str, quorum: (u32, u32), effort: Effort) -> Vec<Bracket> {
        let long = system == "LNKD-DISK" && quorum == (1, 1);
        let tolerance = if long { TIME_DISK_R1W1 } else { TIME };
        let rare = self.t_9999_ms.filter(|_| effort == Effort::Full);
        let times = [(0.99, self.t_99_ms), (0.999, Some(self.t_999_ms)), (0.9999, rare)];
        let times = times.into_iter().filter_map(|(share, ms)| Some((share, ms?)));
        let later = times.filter(|(_, ms)| *ms > 0.0);
        later.map(|(share, ms)| Bracket { share, ms, tolerance }).collect()
    }

    fn replay(&self, system: &str, quorum: (u32, u32), effort: Effort) -> Verdict {
        let legs = Legs::of(system).ok_or(format!("`{system}` is not a system known here"))?;
        let count = match effort {
            // The file asks for ten times as many of DISK, whose tail is long: here its rows have
            // the wider interval of fewer.
            Effort::Full => 1_000_000,
            Effort::Brief => 60_000,
        };
        // Briefly, not at every instant.
        let every = if effort == Effort::Full { 1 } else { 4 };
        let instants: Result<Vec<(u64, f64)>, String> =
            self.P_at_ms.iter().step_by(every).map(instant).collect();
        let mut instants = instants?;
        instants.push((0, self.P_consistent_at_t0));
        instants.sort_by_key(|(at, _)| *at);
        let brackets = self.brackets(system, quorum, effort);
        let mut times: Vec<u64> = instants.iter().map(|(at, _)| *at).collect();
        times.extend(brackets.iter().flat_map(Bracket::instants));
        times.sort_unstable();
        times.dedup();
        let batches = batches(&legs, quorum, count, &times);
        let at = |wanted: u64| {
            let place = times.iter().position(|at| *at == wanted).unwrap_or(0);
            stale(&batches, place)
        };
        let fresh = instants.iter().map(|&(instant, fresh)| {
            at(instant).within(&format!("stale after {instant} µs"), 1.0 - fresh, CHANCE, 0.0)
        });
        let tried = brackets.iter().map(|bracket| {
            let [early, late] = bracket.instants();
            bracket.judge(at(early), at(late))
        });
        let quantile = |of: fn(&Batch) -> &[u32], share: f64| {
            let samples: Vec<&[u32]> = batches.iter().map(of).collect();
            Estimate::quantile(&samples, share).by(1e3)
        };
        all(fresh.chain(tried).chain([
            quantile(Batch::reads, 0.999).is_about("Lr_p999", self.Lr_p999, LATENCY),
            quantile(Batch::writes, 0.999).is_about("Lw_p999", self.Lw_p999, LATENCY),
            quantile(Batch::reads, 0.5).is_about("Lr_p50", self.Lr_p50, LATENCY),
            quantile(Batch::writes, 0.5).is_about("Lw_p50", self.Lw_p50, LATENCY),
        ]))
    }
}

/// A number of milliseconds as text, and what is so then.
fn instant((ms, fresh): (&String, &f64)) -> Result<(u64, f64), String> {
    let ms: f64 = ms.parse().map_err(|_| format!("`{ms}` is not a number"))?;
    Ok((libm::round(ms * 1e3) as u64, *fresh))
}

/// `R2W1` as sizes.
fn sizes(name: &str) -> Result<(u32, u32), String> {
    let parts = name.strip_prefix('R').and_then(|rest| rest.split_once('W'));
    let number = |text: &str| text.parse().ok().filter(|n| (1..=COPIES).contains(n));
    let parts = parts.and_then(|(read, write)| Some((number(read)?, number(write)?)));
    parts.ok_or(format!("`{name}` are no sizes of quorums of {COPIES}"))
}

/// Of exponential legs: the share that is fresh at once, and when 99.9 % are.
fn exponential(rate: &str, facts: [f64; 2], effort: Effort) -> Verdict {
    let rate: f64 = rate.parse().map_err(|_| format!("`{rate}` is not a rate"))?;
    let [fresh, ms] = facts;
    let bracket = Bracket { share: 0.999, ms, tolerance: TIME };
    let [early, late] = bracket.instants();
    let count = if effort == Effort::Full { 1_000_000 } else { 60_000 };
    let batches = batches(&Legs::exponential(rate), (1, 1), count, &[0, early, late]);
    stale(&batches, 0).within("stale at once", 1.0 - fresh, CHANCE, 0.0)?;
    bracket.judge(stale(&batches, 1), stale(&batches, 2))
}

/// Random quorums: nothing but the chosen homes hears of a write or is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(non_snake_case, reason = "as in the file")]
struct Versions {
    N: u32,
    R: u32,
    W: u32,
    k: u32,
    p_fresh: Option<f64>,
    above: Option<f64>,
}

impl Versions {
    fn replay(&self, effort: Effort) -> Verdict {
        let Versions { N, R, W, k, .. } = *self;
        if N != COPIES || R + W > N || k == 0 {
            return Err(format!("{R} and {W} of {N} are not known here"));
        }
        // C(N - W, R) / C(N, R): no home that is asked has the last write.
        let choose = |n: u32| (0..R).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
        let expected = 1.0 - libm::pow(choose(N - W) / choose(N), f64::from(k));
        match (self.p_fresh, self.above) {
            (Some(fresh), None) => near("p_fresh", fresh, expected, 1e-9)?,
            (None, Some(above)) if expected > above => {}
            (_, above) => return Err(format!("the formula gives {expected}, not above {above:?}")),
        }
        let count = if effort == Effort::Full { 50_000 } else { 4_000 };
        let shares: Vec<f64> = (0..20).map(|seed| recent(seed, (R, W), k, count / 20)).collect();
        Estimate::of(&shares).within("p_fresh", expected, CHANCE, 0.0)
    }
}

/// The share of reads that give one of the last `k` versions.
fn recent(seed: u64, (read, write): (u32, u32), k: u32, count: u32) -> f64 {
    let coordinator = NodeId(COPIES);
    let mut lab = Trials::new(seed, (read, write), 1);
    let leg = Dist::Constant(1_000.0);
    lab.link(coordinator, &leg, &leg);
    lab.start();
    let mut chance = crate::base::random::Stream::new(seed, "quorum", 0);
    let mut fresh = 0.0;
    for _ in 0..count {
        let item = lab.next_item();
        let mut versions = Vec::new();
        // Enough for a home that has missed the last k to have none or an older one.
        for n in 0..=2 * k {
            let (op, size) = if n < 2 * k { (Op::Write, write) } else { (Op::Read, read) };
            let mut others: Vec<NodeId> = (0..COPIES).map(NodeId).collect();
            for _ in 0..size {
                others.remove(chance.below(others.len() as u32) as usize);
            }
            let links = others.iter().map(|home| (coordinator, *home)).collect();
            let cut = lab.world.begin(Fault::Cut { links, hold: false }, None);
            let asked = lab.ask(coordinator, op, item);
            // The requests to the homes leave at once, the others are lost.
            let (now, mut answers) = (lab.world.shared.now, BTreeMap::new());
            lab.run(now, usize::MAX, &mut answers);
            lab.world.heal(cut);
            lab.run(now + Span::millis(5), usize::MAX, &mut answers);
            versions.push(answers.get(&asked).map_or(0, |(_, version)| *version));
        }
        let seen = versions.pop().unwrap_or(0);
        let newest = versions.iter().rev().take(k as usize);
        fresh += f64::from(u8::from(newest.min().is_some_and(|oldest| seen >= *oldest)));
    }
    fresh / f64::from(count)
}

const KNOWN: [&str; 11] = [
    "source",
    "format",
    "model",
    "distributions_ms",
    "published_table",
    "published_prose",
    "converged",
    "converged_note",
    "paper_method_emulation",
    "other_converged",
    "k_staleness",
];

/// The distributions that [`Legs`] are made of; the last two are for scenarios of their own.
const DISTRIBUTIONS: [(&str, &str); 4] = [
    ("/LNKD-SSD/W=A=R=S", "91.22% Pareto(xm=0.235, alpha=10), 8.78% Exp(lambda=1.66)"),
    ("/LNKD-DISK/W", "38% Pareto(1.05, 1.51), 62% Exp(0.183)"),
    ("/LNKD-DISK/A=R=S", "LNKD-SSD"),
    ("/WAN", "LNKD-DISK plus 75 ms per remote leg"),
];

/// True if a file is of this form.
pub(in crate::conform) fn has(value: &Value) -> bool {
    value.get("converged").is_some() && value.get("k_staleness").is_some()
}

/// Replays the file.
pub(in crate::conform) fn replay(value: &Value, cases: &mut Cases<'_>) {
    only(value, "", &KNOWN, cases);
    for (path, known) in DISTRIBUTIONS {
        let told = value.pointer(&format!("/distributions_ms{path}")).and_then(Value::as_str);
        let verdict = match told {
            Some(told) if told == known => Ok(()),
            other => Err(format!("{other:?} is not what is known here, `{known}`")),
        };
        cases.check(&format!("distributions_ms{path}"), verdict);
    }
    let (effort, tell) = (cases.effort, cases.tell);
    let object = |path: &str| value.pointer(path).and_then(Value::as_object).into_iter().flatten();
    for (system, rows) in object("/converged") {
        for (name, row) in rows.as_object().into_iter().flatten() {
            let path = format!("converged.{system}.{name}");
            tell(&format!("{}: {path}", cases.file));
            let verdict =
                parse(row, &path).and_then(|row: Row| row.replay(system, sizes(name)?, effort));
            cases.check(&path, verdict);
        }
    }
    for (what, rates) in object("/other_converged") {
        for (rate, facts) in rates.as_object().into_iter().flatten() {
            let path = format!("other_converged.{rate}");
            tell(&format!("{}: {path}", cases.file));
            let known = "exponential W rate lambda, A=R=S rate 1 (P(0), t999)";
            let verdict = match what == known {
                true => parse(facts, &path).and_then(|facts| exponential(rate, facts, effort)),
                false => Err(format!("`{what}` is not what is known here, `{known}`")),
            };
            cases.check(&path, verdict);
        }
    }
    if let Some(published) = value.get("k_staleness") {
        tell(&format!("{}: k_staleness", cases.file));
        cases.each(published, "published", |row: &Versions| row.replay(effort));
    }
}
