//! What a follower does with what the leader sends (section 5.3 of the paper; section 7 for
//! snapshots).

use super::log::Log;
use super::member::{Effect, Raft, Step};
use super::message::{Entry, Position, RaftMessage, Snapshot};
use super::mutation::Mutation;
use crate::base::id::NodeId;

impl Raft {
    /// There is a leader in this term.
    pub(super) fn hear(&mut self, leader: NodeId, step: &mut Step<'_>) {
        self.follow(self.hard.term, Some(leader), step);
        self.heard = Some(step.clock);
        self.put_off_election(step);
    }

    pub(super) fn append(
        &mut self,
        source: NodeId,
        prev: Position,
        mut entries: Vec<Entry>,
        commit: u64,
        round: u64,
        step: &mut Step<'_>,
    ) {
        let term = self.hard.term;
        let agrees = prev.index < self.commit
            || self.log.term(prev.index) == Some(prev.term)
            || (self.is(Mutation::AppendUnchecked) && prev.index <= self.log.last().index);
        if !agrees {
            let hint = self.log.agreement(prev);
            let message = RaftMessage::Rejected { term, prev: prev.index, hint, round };
            return self.answer(source, message);
        }
        let end = prev.index + entries.len() as u64;
        // What is committed is the same in every log.
        let mut known = self.commit.saturating_sub(prev.index).min(entries.len() as u64);
        if self.is(Mutation::TruncateAlways) && prev.index >= self.log.base().index {
            known = 0;
            self.cut_off(prev.index, step);
        }
        let mut index = prev.index + known;
        for entry in entries.drain(known as usize..) {
            index += 1;
            if self.log.term(index) == Some(entry.term) {
                continue;
            }
            self.cut_off(index - 1, step);
            self.durable.touch(self.hard, &self.log);
            self.log.append(entry);
        }
        let matched = end.max(self.commit);
        let compared =
            if self.is(Mutation::CommitUncompared) { self.log.last().index } else { end };
        self.commit_to(commit.min(compared), step);
        self.answer(source, RaftMessage::Appended { term, matched, round });
    }

    /// Takes out what follows `index`.
    fn cut_off(&mut self, index: u64, step: &mut Step<'_>) {
        if index >= self.log.last().index {
            return;
        }
        let entries = self.durable.truncate(index, self.hard, &mut self.log);
        step.effects.push(Effect::Truncated { from: index + 1, entries });
    }

    pub(super) fn install(
        &mut self,
        source: NodeId,
        snapshot: Snapshot,
        round: u64,
        step: &mut Step<'_>,
    ) {
        let last = snapshot.last;
        if last.index > self.commit {
            if self.log.term(last.index) == Some(last.term) {
                self.commit_to(last.index, step);
            } else {
                self.cut_off(self.commit.max(self.log.base().index), step);
                self.durable.replace(self.hard, &self.log);
                self.log = Log::new(snapshot);
                self.commit = last.index;
                step.effects.push(Effect::Restore);
            }
        }
        let (term, matched) = (self.hard.term, self.commit);
        self.answer(source, RaftMessage::Appended { term, matched, round });
    }
}
