//! Tables: a member is brought into the state that the case describes and given its messages.

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::conform::section::Section;
use crate::conform::{Cases, Verdict, same};
use crate::protocol::store::machine::Machine;
use crate::protocol::store::raft::member::{
    Effect, Hard, Raft, RaftSettings, RaftTimer, State, Step,
};
use crate::protocol::store::raft::message::{
    Ballot, Content, Entry, Position, RaftMessage, Snapshot,
};
use crate::protocol::store::raft::quorum::{Tally, reached, tally};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// Replays every table of the file.
pub(super) fn replay(facts: &mut Section<'_>, cases: &mut Cases<'_>) {
    if let Some(mut quorums) = facts.inner("quorum", cases) {
        for table in ["majority_commit", "majority_vote"] {
            let Some(mut table) = quorums.inner(table, cases) else { continue };
            each(&mut table, cases, quorum);
            table.close(cases);
        }
        quorums.close(cases);
    }
    for (name, verdict) in TABLES {
        if let Some(mut table) = facts.inner(name, cases) {
            table.value("caveat");
            each(&mut table, cases, verdict);
            table.close(cases);
        }
    }
    facts.check("figure7_log_repair", cases, |value| {
        read(value).and_then(|figure: Figure| figure_7(&figure))
    });
}

type Table = (&'static str, fn(&Value) -> Verdict);

const TABLES: [Table; 5] = [
    ("election_counting", counting),
    ("voter_log_up_to_date", up_to_date),
    ("append_consistency_check", consistency),
    ("append_truncation", truncation),
    ("commit_only_current_term", commit),
];

fn each(table: &mut Section<'_>, cases: &mut Cases<'_>, verdict: impl Fn(&Value) -> Verdict) {
    table.list("cases", cases, verdict);
}

fn read<T: for<'de> Deserialize<'de>>(value: &Value) -> Result<T, String> {
    crate::conform::parse(value, "case")
}

fn nothing(term: u64) -> Entry {
    Entry { term, at: Time::ZERO, content: Content::Nothing }
}

/// A member whose disk takes no time, and what it has sent.
struct Member {
    raft: Raft,
    sent: Vec<(NodeId, RaftMessage)>,
    alarm: Option<RaftTimer>,
    now: Time,
}

impl Member {
    /// One of `size` members, in `term`, with this log on its disk.
    fn new(node: u32, size: u32, term: u64, log: &[(u64, u64)]) -> Member {
        let settings =
            RaftSettings { pre_vote: false, check_quorum: false, ..RaftSettings::default() };
        let members = (1..=size).map(NodeId).collect();
        let snapshot =
            Snapshot { last: Position::default(), members, machine: Machine::new(0, None) };
        let mut raft = Raft::new(settings, NodeId(node), snapshot, 1);
        for &(term, _) in log {
            raft.log.append(nothing(term));
        }
        raft.hard = Hard { term, vote: None };
        raft.crash(0);
        let mut member = Member { raft, sent: Vec::new(), alarm: None, now: Time::ZERO };
        member.act(|raft, step| raft.start(false, step));
        member
    }

    fn act<R>(&mut self, act: impl FnOnce(&mut Raft, &mut Step<'_>) -> R) -> R {
        let mut effects = Vec::new();
        let now = self.now;
        let result = act(&mut self.raft, &mut Step { now, clock: now, effects: &mut effects });
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Send { target, message } => self.sent.push((target, message)),
                Effect::SetTimer { timer, .. } => self.alarm = Some(timer),
                Effect::Persist { write } => {
                    let mut more = Vec::new();
                    let step = &mut Step { now, clock: now, effects: &mut more };
                    self.raft.persisted(write, step);
                    effects.extend(more);
                }
                _ => {}
            }
        }
        result
    }

    /// Its election timeout passes.
    fn stand(&mut self) {
        self.now += self.raft.settings.election_high;
        if let Some(timer) = self.alarm {
            self.act(|raft, step| raft.timer(timer, step));
        }
    }

    fn receive(&mut self, source: u32, message: RaftMessage) {
        self.act(|raft, step| raft.receive(NodeId(source), message, step));
    }

    fn voted(&mut self, source: u32, granted: bool) {
        let term = self.raft.hard.term;
        self.receive(source, RaftMessage::Voted { term, ballot: Ballot::Real, granted });
    }

    fn log(&self) -> Vec<(u64, u64)> {
        let log = &self.raft.log;
        let held = (1..).map_while(|index| log.entry(index).map(|entry| (entry.term, index)));
        held.collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quorum {
    op: String,
    #[serde(default)]
    cfg: Vec<u64>,
    #[serde(default)]
    idx: Vec<Option<u64>>,
    #[serde(default)]
    votes: Vec<Option<bool>>,
    expect: Value,
}

fn quorum(value: &Value) -> Verdict {
    let case: Quorum = read(value)?;
    match case.op.as_str() {
        "committed" => {
            same("members", case.cfg.len(), case.idx.len())?;
            let expected = match case.expect.as_u64() {
                Some(index) => index,
                None if case.expect == "infinity" => u64::MAX,
                None => return Err(format!("`{}` is no index", case.expect)),
            };
            let got = reached(case.idx.iter().map(|index| index.unwrap_or(0)).collect());
            same("committed", expected, got)
        }
        "vote" => {
            same("members", case.cfg.len(), case.votes.len())?;
            let got = match tally(case.votes.into_iter()) {
                Tally::Won => "VoteWon",
                Tally::Lost => "VoteLost",
                Tally::Pending => "VotePending",
            };
            same("vote", case.expect.as_str().unwrap_or_default(), got)
        }
        other => Err(format!("`{other}` is not an operation known here")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counting {
    size: u32,
    votes: BTreeMap<u32, bool>,
    expect: String,
}

fn counting(value: &Value) -> Verdict {
    let case: Counting = read(value)?;
    let mut member = Member::new(1, case.size, 0, &[]);
    member.stand();
    for (&source, &granted) in &case.votes {
        member.voted(source, granted);
    }
    let got = match member.raft.state {
        State::Follower => "follower",
        State::Candidate { .. } => "candidate",
        State::Leader(_) => "leader",
    };
    same("state", case.expect.as_str(), got)?;
    same("term", 1, member.raft.hard.term)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpToDate {
    voter_log: Vec<(u64, u64)>,
    cand_last_term: u64,
    cand_last_index: u64,
    reject: bool,
}

fn up_to_date(value: &Value) -> Verdict {
    let case: UpToDate = read(value)?;
    let mut voter = Member::new(1, 2, 0, &case.voter_log);
    let last = Position { term: case.cand_last_term, index: case.cand_last_index };
    voter.receive(2, RaftMessage::Vote { term: 3, ballot: Ballot::Real, last });
    match voter.sent.as_slice() {
        [(_, RaftMessage::Voted { term: 3, granted, .. })] => same("reject", case.reject, !granted),
        other => Err(format!("expected an answer in term 3, got {other:?}")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consistency {
    prev: (u64, u64),
    reject: bool,
    match_index: Option<u64>,
    hint_index: Option<u64>,
    hint_term: Option<u64>,
}

fn consistency(value: &Value) -> Verdict {
    let case: Consistency = read(value)?;
    let mut follower = Member::new(1, 3, 2, &[(1, 1), (2, 2)]);
    follower.raft.commit = 1;
    let prev = Position { term: case.prev.0, index: case.prev.1 };
    let message = RaftMessage::Append { term: 2, prev, entries: Vec::new(), commit: 0, round: 1 };
    follower.receive(2, message);
    match follower.sent.as_slice() {
        [(_, RaftMessage::Appended { matched, .. })] if !case.reject => {
            same("match_index", case.match_index.unwrap_or(0), *matched)
        }
        [(_, RaftMessage::Rejected { hint, .. })] if case.reject => {
            same("hint_index", case.hint_index.unwrap_or(0), hint.index)?;
            same("hint_term", case.hint_term.unwrap_or(0), hint.term)
        }
        other => Err(format!("expected reject {}, got {other:?}", case.reject)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Truncation {
    prev_index: u64,
    prev_term: u64,
    entries: Vec<(u64, u64)>,
    log_after: Vec<(u64, u64)>,
}

fn truncation(value: &Value) -> Verdict {
    let case: Truncation = read(value)?;
    let mut follower = Member::new(1, 3, 2, &[(1, 1), (2, 2)]);
    let prev = Position { term: case.prev_term, index: case.prev_index };
    let entries = case.entries.iter().map(|&(term, _)| nothing(term));
    let entries = entries.collect();
    follower.receive(2, RaftMessage::Append { term: 4, prev, entries, commit: 0, round: 1 });
    same("log", format!("{:?}", case.log_after), format!("{:?}", follower.log()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    ack_index: u64,
    commit: u64,
}

fn commit(value: &Value) -> Verdict {
    let case: Commit = read(value)?;
    let mut leader = Member::new(1, 2, 2, &[(1, 1), (2, 2)]);
    leader.stand();
    leader.voted(2, true);
    same("leads", true, leader.raft.leads())?;
    let matched = case.ack_index;
    leader.receive(2, RaftMessage::Appended { term: 3, matched, round: 1 });
    same("commit", case.commit, leader.raft.commit)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Figure {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "note")]
    _note: String,
    #[serde(rename = "expect")]
    _expect: String,
    leader: Vec<(u64, u64)>,
    followers: BTreeMap<String, Vec<(u64, u64)>>,
    leader_term_before: u64,
}

/// Figure 7 of the paper: after an election and one proposal, each follower's log is the leader's.
fn figure_7(figure: &Figure) -> Verdict {
    same("followers", 6, figure.followers.len())?;
    for (name, log) in &figure.followers {
        let mut leader = Member::new(1, 3, figure.leader_term_before, &figure.leader);
        let term = log.last().map_or(0, |&(term, _)| term);
        let mut follower = Member::new(2, 3, term, log);
        leader.stand();
        leader.voted(3, true);
        exchange(&mut leader, &mut follower);
        leader.act(|raft, step| raft.propose(Content::Nothing, step));
        exchange(&mut leader, &mut follower);
        let next = figure.leader.len() as u64 + 1;
        let mut expected = figure.leader.clone();
        let term = figure.leader_term_before + 1;
        expected.extend([(term, next), (term, next + 1)]);
        let expected = format!("{expected:?}");
        same(&format!("log of the leader of {name}"), &expected, &format!("{:?}", leader.log()))?;
        same(&format!("log of {name}"), &expected, &format!("{:?}", follower.log()))?;
        same(&format!("commit with {name}"), next + 1, leader.raft.commit)?;
    }
    Ok(())
}

/// Delivers what the two say to each other until they are silent.
fn exchange(leader: &mut Member, follower: &mut Member) {
    loop {
        let (down, up) = (std::mem::take(&mut leader.sent), std::mem::take(&mut follower.sent));
        if down.is_empty() && up.is_empty() {
            return;
        }
        for (_, message) in down.into_iter().filter(|(target, _)| *target == NodeId(2)) {
            follower.receive(1, message);
        }
        for (_, message) in up.into_iter().filter(|(target, _)| *target == NodeId(1)) {
            leader.receive(2, message);
        }
    }
}
