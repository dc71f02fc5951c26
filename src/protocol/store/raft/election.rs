//! How a leader is found (section 5.2 of the paper; thesis, chapter 9).

use super::member::{Effect, Hard, Raft, State, Step};
use super::message::{Ballot, Position, RaftMessage};
use super::mutation::Mutation;
use super::quorum::{Tally, tally};
use crate::base::id::NodeId;

impl Raft {
    /// Stands for election, because nothing was heard from a leader for long.
    pub(super) fn stand(&mut self, step: &mut Step<'_>) {
        if !self.members().contains(&self.me) {
            // Whoever is not a member waits to be told of a cluster.
            return self.put_off_election(step);
        }
        let ballot = if self.settings.pre_vote { Ballot::Pre } else { Ballot::Real };
        step.effects.push(Effect::Stands);
        self.put_off_election(step);
        self.campaign(ballot, step);
    }

    /// Stands for election because the leader said so (thesis, 3.10).
    pub(super) fn stand_now(&mut self, step: &mut Step<'_>) {
        if !self.leads() && self.members().contains(&self.me) {
            self.put_off_election(step);
            self.campaign(Ballot::Transfer, step);
        }
    }

    fn campaign(&mut self, ballot: Ballot, step: &mut Step<'_>) {
        let term = self.hard.term + 1;
        let pre = ballot == Ballot::Pre;
        if !pre {
            self.set_hard(Hard { term, vote: Some(self.me) });
        }
        self.leader = None;
        self.state = State::Candidate { pre, votes: Vec::new() };
        let last = self.log.last();
        for target in self.members().to_vec() {
            if target == self.me {
                // Its own vote counts when it is on disk, as any other (thesis, 10.2.1).
                self.answer(self.me, RaftMessage::Voted { term, ballot, granted: true });
            } else {
                self.post(target, RaftMessage::Vote { term, ballot, last }, step);
            }
        }
    }

    pub(super) fn asked_for_vote(
        &mut self,
        source: NodeId,
        term: u64,
        ballot: Ballot,
        last: Position,
        step: &mut Step<'_>,
    ) {
        let settled = self.hears_leader(step);
        let long_enough = last >= self.log.last() || self.is(Mutation::VoteForShortLog);
        if ballot == Ballot::Pre {
            let granted = term > self.hard.term && long_enough && !settled;
            let term = if granted { term } else { self.hard.term };
            return self.answer(source, RaftMessage::Voted { term, ballot, granted });
        }
        if settled && self.settings.check_quorum && ballot != Ballot::Transfer {
            return;
        }
        if term > self.hard.term {
            self.follow(term, None, step);
        }
        let free = self.hard.vote.is_none_or(|vote| vote == source)
            || (self.is(Mutation::VoteTwice) && !self.leads());
        let granted = term == self.hard.term && free && long_enough;
        if granted {
            self.set_hard(Hard { term, vote: Some(source) });
            self.put_off_election(step);
        }
        self.answer(source, RaftMessage::Voted { term: self.hard.term, ballot, granted });
    }

    /// True if a leader was heard within the least election timeout (thesis, 4.2.3). A clock that
    /// was set back says nothing.
    fn hears_leader(&self, step: &Step<'_>) -> bool {
        let low = self.settings.election_low;
        let lately = |heard| heard <= step.clock && step.clock.since(heard) < low;
        self.leads() || self.heard.is_some_and(lately)
    }

    pub(super) fn voted(
        &mut self,
        source: NodeId,
        term: u64,
        ballot: Ballot,
        granted: bool,
        step: &mut Step<'_>,
    ) {
        let any_term = self.is(Mutation::CountOldVotes);
        let members = self.log.members().1;
        let State::Candidate { pre, votes } = &mut self.state else { return };
        let asked = if *pre { self.hard.term + 1 } else { self.hard.term };
        if *pre != (ballot == Ballot::Pre) {
            return;
        }
        if granted && term != asked && !any_term {
            return;
        }
        if votes.iter().all(|&(voter, _)| voter != source) {
            votes.push((source, granted));
        }
        let vote = |&member| votes.iter().find(|&&(voter, _)| voter == member).map(|&(_, v)| v);
        match (tally(members.iter().map(vote)), *pre) {
            (Tally::Pending, _) => {}
            (Tally::Lost, _) => self.follow(self.hard.term, None, step),
            (Tally::Won, true) => {
                self.put_off_election(step);
                self.campaign(Ballot::Real, step);
            }
            (Tally::Won, false) => {
                step.effects.push(Effect::Elected);
                self.take_office(step);
            }
        }
    }
}
