//! What must hold at every instant of every run (figure 3 of the paper), and what clients rely on.

use super::super::message::{Content, Machine};
use super::member::{Member, Outcome};
use std::collections::BTreeMap;

/// An entry once seen in a log: its term, what it says, and the term of the one before.
type Seen = BTreeMap<(u64, u64), (Content, Option<u64>)>;

/// What was seen of a cluster so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    leaders: BTreeMap<u64, u32>,
    seen: Seen,
    /// Committed entries, by index.
    committed: Vec<(u64, Content)>,
    /// In which term each was committed.
    committed_in: Vec<u64>,
    before: Vec<Before>,
    /// The last index that a client knows to be there.
    pub(super) floor: u64,
    /// Requests on their way: what their client knew when it asked.
    pub(super) asked: BTreeMap<u64, u64>,
    /// Writes that clients know to be done.
    pub(super) written: Vec<(u64, u64)>,
    pub(super) reads: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Before {
    crashes: u32,
    term: u64,
    commit: u64,
    leads: bool,
    last: u64,
}

impl Watch {
    /// Looks at every member; the first thing that is wrong.
    pub(super) fn look(&mut self, members: &mut [Member]) -> Result<(), String> {
        self.before.resize(members.len(), Before::default());
        for (node, member) in (0..).zip(members.iter_mut()) {
            self.election_safety(node, member)?;
            self.growth(node, member)?;
            if std::mem::take(&mut member.changed) {
                self.log_matching(node, member)?;
            }
            self.state_machine_safety(node, member)?;
            self.leader_completeness(node, member)?;
            self.clients(node, member)?;
            if let Some(before) = self.before.get_mut(node as usize) {
                *before = Before {
                    crashes: member.crashes,
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
    fn election_safety(&mut self, node: u32, member: &Member) -> Result<(), String> {
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

    /// A leader only adds to its log; terms and commits only grow.
    fn growth(&mut self, node: u32, member: &Member) -> Result<(), String> {
        let Some(before) = self.before.get(node as usize) else { return Ok(()) };
        if before.crashes != member.crashes {
            return Ok(());
        }
        let (raft, last) = (&member.raft, member.raft.log.last().index);
        if raft.hard.term < before.term || raft.commit < before.commit {
            return Err(format!("{node} went back: {before:?}"));
        }
        let still = before.leads && raft.leads() && raft.hard.term == before.term;
        if (still && last < before.last) || member.cut_as_leader > 0 {
            return Err(format!("leader append-only: {node} cut its log to {last}"));
        }
        Ok(())
    }

    /// The same index and term: the same entry, after the same entry, in every log.
    fn log_matching(&mut self, node: u32, member: &Member) -> Result<(), String> {
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
    fn state_machine_safety(&mut self, node: u32, member: &Member) -> Result<(), String> {
        let log = &member.raft.log;
        let known = self.before.get(node as usize).map_or(0, |before| before.commit);
        for index in (known + 1).max(log.base().index + 1)..=member.raft.commit {
            let Some(entry) = log.entry(index) else {
                return Err(format!("state machine safety: {node} committed {index} without it"));
            };
            let this = (entry.term, entry.content.clone());
            match self.committed.get(index as usize - 1) {
                None if self.committed.len() as u64 == index - 1 => {
                    self.committed.push(this);
                    self.committed_in.push(member.raft.hard.term);
                }
                Some(other) if *other == this => {}
                other => {
                    return Err(format!(
                        "state machine safety: {node} committed {this:?} at {index}, not {other:?}"
                    ));
                }
            }
        }
        if member.raft.commit != known && member.machine != self.machine(member.applied) {
            return Err(format!("state machine safety: {node} has another state"));
        }
        Ok(())
    }

    fn machine(&self, applied: u64) -> Machine {
        let commands = self.committed.iter().take(applied as usize);
        let value = |(_, content): &(u64, Content)| match content {
            Content::Command(value) => Some(*value),
            Content::Nothing | Content::Members(_) => None,
        };
        commands.filter_map(value).collect()
    }

    /// A new leader has every entry that was committed in an earlier term.
    fn leader_completeness(&mut self, node: u32, member: &Member) -> Result<(), String> {
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

    /// What was known to be there when a client asked is there in what it is told; what it was
    /// told is committed.
    fn clients(&mut self, node: u32, member: &mut Member) -> Result<(), String> {
        for (number, outcome) in std::mem::take(&mut member.outcomes) {
            let Some(known) = self.asked.remove(&number) else { continue };
            let index = match outcome {
                Outcome::Seen(index) if index < known => {
                    return Err(format!("{node} read {index} where {known} had been acknowledged"));
                }
                Outcome::Seen(index) => {
                    self.reads += 1;
                    index
                }
                Outcome::Written(index) if index <= known => {
                    return Err(format!("{node} wrote {index} after {known} was acknowledged"));
                }
                Outcome::Written(index) => {
                    self.written.push((index, number));
                    index
                }
            };
            self.floor = self.floor.max(index);
        }
        Ok(())
    }

    /// Every write that was acknowledged is there, once.
    pub(super) fn acknowledged(&self) -> Result<(), String> {
        for &(index, number) in &self.written {
            let there = self.committed.get(index as usize - 1).map(|(_, content)| content);
            if there != Some(&Content::Command(number)) {
                return Err(format!("write {number} was acknowledged at {index}: {there:?}"));
            }
        }
        Ok(())
    }
}
