//! What must hold at every instant of every run (figure 3 of the paper), and what clients rely on.

use super::super::message::{Content, Entry};
use super::super::node::RaftStore;
use crate::protocol::rpc::{Answer, Op, Reply};
use crate::protocol::store::machine::Machine;
use std::collections::{BTreeMap, BTreeSet};

/// An entry once seen in a log, by index and term: what it says, and the term of the one before.
type Seen = BTreeMap<(u64, u64), (Content, Option<u64>)>;

/// What a client asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) op: Op,
    pub(super) item: u32,
    /// The version that some client knew the item to have when this was asked.
    known: u64,
}

/// What was seen of a cluster so far.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    leaders: BTreeMap<u64, u32>,
    seen: Seen,
    /// Committed entries, by index.
    committed: Vec<(u64, Content)>,
    /// In which term each was committed.
    committed_in: Vec<u64>,
    /// The state before each of them, and after the last.
    states: Vec<Machine>,
    before: Vec<Before>,
    /// The version of each item that some client knows.
    floor: BTreeMap<u32, u64>,
    /// Requests that nobody has answered, by number.
    pub(super) asked: BTreeMap<u64, Asked>,
    /// Writes that clients know to be done: where, and the number of the request.
    pub(super) written: Vec<(u64, u64)>,
    pub(super) reads: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Before {
    crashes: u32,
    written: u64,
    term: u64,
    commit: u64,
    leads: bool,
    last: u64,
}

impl Watch {
    /// Nothing has happened yet.
    pub(super) fn new(state: Machine) -> Watch {
        Watch {
            leaders: BTreeMap::new(),
            seen: Seen::new(),
            committed: Vec::new(),
            committed_in: Vec::new(),
            states: vec![state],
            before: Vec::new(),
            floor: BTreeMap::new(),
            asked: BTreeMap::new(),
            written: Vec::new(),
            reads: 0,
        }
    }

    /// Looks at every member; the first thing that is wrong.
    pub(super) fn look<'a>(
        &mut self,
        members: impl Iterator<Item = (&'a RaftStore, u32)>,
    ) -> Result<(), String> {
        for (node, (member, crashes)) in (0..).zip(members) {
            if self.before.len() <= node as usize {
                self.before.push(Before::default());
            }
            let before = self.before.get(node as usize).copied().unwrap_or_default();
            self.election_safety(node, member)?;
            if before.crashes == crashes {
                growth(node, member, before)?;
            }
            let now = (crashes, member.raft.durable.written, member.raft.log.last().index);
            if now != (before.crashes, before.written, before.last) {
                self.log_matching(node, member)?;
            }
            self.state_machine_safety(node, member)?;
            self.leader_completeness(node, member)?;
            if let Some(before) = self.before.get_mut(node as usize) {
                *before = Before {
                    crashes,
                    written: member.raft.durable.written,
                    term: member.raft.hard.term,
                    commit: member.raft.commit,
                    leads: member.raft.leads(),
                    last: member.raft.log.last().index,
                };
            }
        }
        Ok(())
    }

    /// At most one leader in a term.
    fn election_safety(&mut self, node: u32, member: &RaftStore) -> Result<(), String> {
        if !member.raft.leads() {
            return Ok(());
        }
        let term = member.raft.hard.term;
        match *self.leaders.entry(term).or_insert(node) {
            other if other != node => {
                Err(format!("election safety: {other} and {node} both lead in term {term}"))
            }
            _ => Ok(()),
        }
    }

    /// The same index and term: the same entry, after the same entry, in every log.
    fn log_matching(&mut self, node: u32, member: &RaftStore) -> Result<(), String> {
        let log = &member.raft.log;
        for index in log.base().index + 1..=log.last().index {
            let Some(entry) = log.entry(index) else { continue };
            let this = (entry.content.clone(), log.term(index - 1));
            let seen = self.seen.entry((index, entry.term)).or_insert_with(|| this.clone());
            if *seen != this {
                return Err(format!(
                    "log matching: {node} has {this:?} at {index} in term {}, another {seen:?}",
                    entry.term
                ));
            }
        }
        Ok(())
    }

    /// No two members apply different entries at an index.
    fn state_machine_safety(&mut self, node: u32, member: &RaftStore) -> Result<(), String> {
        let log = &member.raft.log;
        let known = self.before.get(node as usize).map_or(0, |before| before.commit);
        for index in (known + 1).max(log.base().index + 1)..=member.raft.commit {
            let Some(entry) = log.entry(index) else {
                return Err(format!("state machine safety: {node} committed {index} without it"));
            };
            let this = (entry.term, entry.content.clone());
            match self.committed.get(index as usize - 1) {
                None if self.committed.len() as u64 == index - 1 => {
                    self.commit(entry, member.raft.hard.term);
                }
                Some(other) if *other == this => {}
                other => {
                    return Err(format!(
                        "state machine safety: {node} committed {this:?} at {index}, not {other:?}"
                    ));
                }
            }
        }
        let applied = member.machine.applied();
        if member.raft.commit != known && self.states.get(applied as usize) != Some(&member.machine)
        {
            return Err(format!("state machine safety: {node} has another state at {applied}"));
        }
        Ok(())
    }

    fn commit(&mut self, entry: &Entry, term: u64) {
        if let Some(mut state) = self.states.last().cloned() {
            state.apply(entry.at, entry.command());
            self.states.push(state);
        }
        self.committed.push((entry.term, entry.content.clone()));
        self.committed_in.push(term);
    }

    /// A new leader has every entry that was committed in an earlier term.
    fn leader_completeness(&mut self, node: u32, member: &RaftStore) -> Result<(), String> {
        let raft = &member.raft;
        let before = self.before.get(node as usize).copied().unwrap_or_default();
        if !raft.leads() || (before.leads && before.term == raft.hard.term) {
            return Ok(());
        }
        let committed = self.committed.iter().zip(&self.committed_in);
        for (index, ((term, content), committed_in)) in (1..).zip(committed) {
            let there = index <= raft.log.base().index || raft.log.term(index) == Some(*term);
            if *committed_in < raft.hard.term && !there {
                return Err(format!(
                    "leader completeness: {node} leads in term {} without {content:?} at {index}",
                    raft.hard.term
                ));
            }
        }
        Ok(())
    }

    /// Terms that had a leader.
    pub(super) fn terms(&self) -> usize {
        self.leaders.len()
    }

    /// A client asks, perhaps again.
    pub(super) fn ask(&mut self, number: u64, op: Op, item: u32) {
        let known = self.floor.get(&item).copied().unwrap_or(0);
        self.asked.entry(number).or_insert(Asked { op, item, known });
    }

    /// A client is told no older version than was known when it asked, and its own is a new one.
    pub(super) fn answered(&mut self, reply: &Reply) -> Result<(), String> {
        let Answer::Done { version, .. } = reply.answer else { return Ok(()) };
        let Some(Asked { op, item, known }) = self.asked.remove(&reply.intent) else {
            return Ok(());
        };
        if op == Op::Read && version < known {
            return Err(format!("a read saw {version} where {known} had been acknowledged"));
        }
        if op != Op::Read && version <= known {
            return Err(format!("a write became {version} after {known} was acknowledged"));
        }
        if op == Op::Read {
            self.reads += 1;
        } else {
            self.written.push((version, reply.intent));
        }
        let floor = self.floor.entry(item).or_default();
        *floor = version.max(*floor);
        Ok(())
    }

    /// Every write that was acknowledged is there, and every write that is there was done once.
    pub(super) fn acknowledged(&self) -> Result<(), String> {
        let command = |content: &Content| match content {
            Content::Command(command) => Some(*command),
            Content::Nothing | Content::Members(_) => None,
        };
        for &(index, number) in &self.written {
            let there = self.committed.get(index as usize - 1).map(|(_, content)| content);
            if there.and_then(command).is_none_or(|command| command.intent != number) {
                return Err(format!("write {number} was acknowledged at {index}: {there:?}"));
            }
        }
        let commands = self.committed.iter().filter_map(|(_, content)| command(content));
        let once: BTreeSet<u64> = commands.map(|command| command.intent).collect();
        let counted = |state: &Machine| state.items().map(|(_, item)| item.value).sum::<i64>();
        match self.states.last().map(counted) {
            Some(sum) if sum == once.len() as i64 => Ok(()),
            sum => Err(format!("{} increments come to {sum:?}", once.len())),
        }
    }
}

/// A leader only adds to its log; terms and commits only grow.
fn growth(node: u32, member: &RaftStore, before: Before) -> Result<(), String> {
    let (raft, last) = (&member.raft, member.raft.log.last().index);
    if raft.hard.term < before.term || raft.commit < before.commit {
        return Err(format!("{node} went back: {before:?}"));
    }
    let still = before.leads && raft.leads() && raft.hard.term == before.term;
    if still && last < before.last {
        return Err(format!("leader append-only: {node} cut its log to {last}"));
    }
    Ok(())
}
