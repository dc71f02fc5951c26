//! What a leader knows and does: it copies its log to the others, and commits what a majority has
//! (sections 5.3 and 5.4 of the paper).

use super::member::{Effect, Raft, RaftTimer, State, Step};
use super::message::{Content, Position, RaftMessage};
use super::mutation::Mutation;
use super::quorum::reached;
use crate::base::id::NodeId;
use crate::base::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Election timeouts within which a new member must catch up.
const PATIENCE: f64 = 10.0;

/// A leader's time in office.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tenure {
    /// The others.
    pub peers: Vec<Peer>,
    /// Its first entry, which says nothing.
    pub first: u64,
    /// Rounds of heartbeats begun.
    pub(super) round: u64,
    /// Rounds that a majority answered.
    pub(super) confirmed: u64,
    /// When each round after that began, by its own clock and by the time of timers.
    pub(super) begun: VecDeque<(u64, Time, Time)>,
    /// Until when, by its own clock, no other can have been elected.
    pub(super) lease: Time,
    /// When the last round began that a majority answered.
    pub(super) reached: Time,
    /// Reads that wait for a round, in order: round and number.
    pub(super) reads: VecDeque<(u64, u64)>,
    /// Reads that wait until its first entry is committed.
    pub(super) early: Vec<u64>,
    /// To whom it gives its office.
    pub transfer: Option<Transfer>,
    /// Who is to become a member.
    pub joining: Option<Joining>,
}

/// An office that is given to another (thesis, 3.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// To whom.
    pub target: NodeId,
    /// Since when.
    pub(super) since: Time,
    /// Whether the other was called to stand.
    pub(super) called: bool,
}

/// Somebody who is to become a member (thesis, 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joining {
    /// Who.
    pub node: NodeId,
    /// Once its log is as long as this.
    pub(super) target: u64,
    /// Since when it tries.
    pub(super) since: Time,
}

/// What a leader knows of another member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Which.
    pub node: NodeId,
    /// The next entry to send.
    pub next: u64,
    /// The last entry it is known to hold, on disk.
    pub matched: u64,
    /// The last round it answered.
    pub(super) round: u64,
    pub(super) mode: Mode,
}

/// How entries are sent to another member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    /// It is not known where the logs agree: one message at a time.
    Probe {
        /// One is on its way.
        sent: bool,
    },
    /// As they come, without waiting for answers (thesis, 10.2.1).
    Stream,
    /// It was sent a snapshot, then.
    Snapshot(Time),
}

impl Peer {
    pub(super) fn new(node: NodeId, next: u64) -> Peer {
        Peer { node, next, matched: 0, round: 0, mode: Mode::Probe { sent: false } }
    }
}

impl Raft {
    /// Becomes the leader. Its first entry commits those of earlier terms with it (thesis, 6.4).
    pub(super) fn take_office(&mut self, step: &mut Step<'_>) {
        let next = self.log.last().index + 1;
        let others = self.members().iter().filter(|&&node| node != self.me);
        let peers = others.map(|&node| Peer::new(node, next)).collect();
        let tenure = Tenure { peers, first: next, reached: step.now, ..Tenure::default() };
        self.state = State::Leader(Box::new(tenure));
        self.leader = Some(self.me);
        self.add(Content::Nothing, step);
        self.beat(step);
        self.count_commit(step);
    }

    /// Adds an entry, if it leads and is not about to give that up.
    pub fn propose(&mut self, content: Content, step: &mut Step<'_>) -> Option<Position> {
        let State::Leader(tenure) = &self.state else { return None };
        if tenure.transfer.is_some() {
            return None;
        }
        self.add(content, step);
        self.send_all(step);
        self.flush(step);
        Some(self.log.last())
    }

    /// A round of heartbeats. The leader who has not reached a majority for an election timeout
    /// steps down (thesis, 6.2), and a transfer that took as long is given up (3.10).
    pub(super) fn beat(&mut self, step: &mut Step<'_>) {
        let State::Leader(tenure) = &mut self.state else { return };
        let long = |since: Time| step.now.since(since) >= self.settings.election_high;
        if self.settings.check_quorum && long(tenure.reached) {
            return self.follow(self.hard.term, None, step);
        }
        if tenure.transfer.is_some_and(|transfer| long(transfer.since)) {
            tenure.transfer = None;
        }
        let patience = self.settings.election_high.scale(PATIENCE);
        if let Some(joining) = tenure.joining
            && step.now.since(joining.since) >= patience
        {
            tenure.joining = None;
            tenure.peers.retain(|peer| peer.node != joining.node);
        }
        let timer = RaftTimer::Heartbeat { term: self.hard.term };
        step.effects.push(Effect::SetTimer { span: self.settings.heartbeat, timer });
        self.begin_round(step);
    }

    /// Lets every other member hear from the leader, and notes who answers.
    pub(super) fn begin_round(&mut self, step: &mut Step<'_>) {
        let State::Leader(tenure) = &mut self.state else { return };
        tenure.round += 1;
        tenure.begun.push_back((tenure.round, step.clock, step.now));
        for place in 0..tenure.peers.len() {
            self.send_entries(place, true, step);
        }
        self.confirm(step);
    }

    pub(super) fn send_all(&mut self, step: &mut Step<'_>) {
        let State::Leader(tenure) = &self.state else { return };
        for place in 0..tenure.peers.len() {
            self.send_entries(place, false, step);
        }
    }

    /// Sends the peer what it lacks, or at a heartbeat at least that somebody leads.
    fn send_entries(&mut self, place: usize, heartbeat: bool, step: &mut Step<'_>) {
        let State::Leader(tenure) = &mut self.state else { return };
        let (term, round, commit) = (self.hard.term, tenure.round, self.commit);
        let Some(peer) = tenure.peers.get_mut(place) else { return };
        let busy = match peer.mode {
            Mode::Probe { sent } => sent,
            Mode::Stream => false,
            Mode::Snapshot(at) => step.now.since(at) < self.settings.election_high,
        };
        if busy && !heartbeat {
            return;
        }
        let prev = match self.log.term(peer.next - 1) {
            Some(term) if !matches!(peer.mode, Mode::Snapshot(_)) => {
                Position { term, index: peer.next - 1 }
            }
            _ if busy && matches!(peer.mode, Mode::Snapshot(_)) => Position::default(),
            _ => {
                peer.mode = Mode::Snapshot(step.now);
                let snapshot = Box::new(self.log.snapshot.clone());
                let message = RaftMessage::Install { term, snapshot, round };
                step.effects.push(Effect::Send { target: peer.node, message });
                return;
            }
        };
        let entries = match peer.mode {
            Mode::Snapshot(_) => Vec::new(),
            Mode::Stream | Mode::Probe { .. } => self.log.slice(peer.next, self.settings.batch),
        };
        if entries.is_empty() && !heartbeat {
            return;
        }
        match &mut peer.mode {
            Mode::Probe { sent } => *sent = true,
            Mode::Stream => peer.next += entries.len() as u64,
            Mode::Snapshot(_) => {}
        }
        let message = RaftMessage::Append { term, prev, entries, commit, round };
        step.effects.push(Effect::Send { target: peer.node, message });
    }

    /// The place of a peer that answered, if it is one; what it says of the round is noted.
    fn heard_from(&mut self, source: NodeId, round: u64) -> Option<usize> {
        let State::Leader(tenure) = &mut self.state else { return None };
        let place = tenure.peers.iter().position(|peer| peer.node == source)?;
        let peer = tenure.peers.get_mut(place)?;
        peer.round = peer.round.max(round);
        Some(place)
    }

    /// A peer holds the log up to `matched`.
    pub(super) fn appended(
        &mut self,
        source: NodeId,
        matched: u64,
        round: u64,
        step: &mut Step<'_>,
    ) {
        let Some(place) = self.heard_from(source, round) else { return };
        self.confirm(step);
        let State::Leader(tenure) = &mut self.state else { return };
        let Some(peer) = tenure.peers.get_mut(place) else { return };
        peer.matched = peer.matched.max(matched);
        peer.next = peer.next.max(peer.matched + 1);
        match peer.mode {
            Mode::Snapshot(_) if self.log.term(peer.next - 1).is_none() => {}
            Mode::Probe { .. } | Mode::Snapshot(_) if matched + 1 >= peer.next => {
                peer.mode = Mode::Stream;
            }
            Mode::Probe { .. } | Mode::Snapshot(_) | Mode::Stream => {}
        }
        self.count_commit(step);
        self.send_entries(place, false, step);
        self.hand_over(step);
        self.admit(step);
    }

    /// A peer's log does not hold what the entries should follow: they are tried again from where
    /// the logs may agree.
    pub(super) fn rejected(
        &mut self,
        source: NodeId,
        prev: u64,
        hint: Position,
        round: u64,
        step: &mut Step<'_>,
    ) {
        let Some(place) = self.heard_from(source, round) else { return };
        self.confirm(step);
        let agreement = self.log.agreement(hint);
        let State::Leader(tenure) = &mut self.state else { return };
        let Some(peer) = tenure.peers.get_mut(place) else { return };
        let old = match peer.mode {
            Mode::Probe { .. } => prev + 1 != peer.next,
            Mode::Stream | Mode::Snapshot(_) => false,
        };
        if old || prev <= peer.matched {
            return;
        }
        peer.next = (agreement.index + 1).min(prev).max(peer.matched + 1);
        if !matches!(peer.mode, Mode::Snapshot(_)) {
            peer.mode = Mode::Probe { sent: false };
        }
        self.send_entries(place, false, step);
    }

    /// Commits what a majority holds, if it is of the current term: an entry of an earlier one
    /// could still be replaced (section 5.4.2 and figure 8 of the paper).
    pub(super) fn count_commit(&mut self, step: &mut Step<'_>) {
        let State::Leader(tenure) = &self.state else { return };
        let held = |member: &NodeId| {
            if *member == self.me {
                return self.durable.last;
            }
            let peer = tenure.peers.iter().find(|peer| peer.node == *member);
            peer.map_or(0, |peer| peer.matched)
        };
        let mut index = reached(self.members().iter().map(held).collect());
        if self.is(Mutation::CommitAlone) {
            index = self.durable.last;
        }
        let current = self.log.term(index) == Some(self.hard.term);
        if index <= self.commit || !(current || self.is(Mutation::CommitEarlierTerms)) {
            return;
        }
        self.commit_to(index.min(self.log.last().index), step);
        self.release_early(step);
        self.settle_members(step);
    }
}
