//! From the log of the primary to those of the replicas.

use super::super::log::{Entry, Outline};
use super::{Command, Cx, Log, Machine, NodeId, Note, Replica, ReplicaMessage, Span, Time};
use serde::{Deserialize, Serialize};

/// Entries that one message carries at most: a stream would carry as much as there is.
const PART_MOST: usize = 4_096;

/// What a primary knows of another replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Peer {
    pub(super) node: NodeId,
    /// Its log is the primary's up to here, and on its disk.
    pub(super) matched: u64,
    /// The position from which to send on.
    prev: u64,
    /// When the part under way left.
    sent: Option<Time>,
    /// How long it took the last time to have an answer.
    way: Span,
    /// Mismatches with what was sent before are known.
    since: Time,
    /// Nothing of its log is known to be the primary's: it is to begin with a state.
    anew: bool,
}

/// Everybody else.
pub(super) fn peers(members: &[NodeId], me: NodeId) -> Vec<Peer> {
    let others = members.iter().filter(|node| **node != me);
    let peer = |&node| {
        let (way, since) = (Span::ZERO, Time::ZERO);
        Peer { node, matched: 0, prev: 0, sent: None, way, since, anew: false }
    };
    others.map(peer).collect()
}

impl Replica {
    /// Begins to lead: what the others have is not known.
    pub(super) fn meet_peers(&mut self) {
        self.peers = peers(&self.settings.members, self.me);
        let last = self.log.last();
        self.peers.iter_mut().for_each(|peer| peer.prev = last);
    }

    /// Sends everybody who waits for it the next part of the log.
    pub(super) fn feed_all(&mut self, cx: &mut Cx<'_>) {
        for place in 0..self.peers.len() {
            self.feed(place, false, cx);
        }
    }

    /// Says to everybody that the primary is there; what was not confirmed is sent again.
    pub(super) fn feed_again(&mut self, cx: &mut Cx<'_>) {
        for peer in &mut self.peers {
            let patience = self.settings.heartbeat.max(Span(peer.way.0 * 2));
            peer.sent.take_if(|sent| cx.now().since(*sent) >= patience);
        }
        for place in 0..self.peers.len() {
            self.feed(place, true, cx);
        }
    }

    fn feed(&mut self, place: usize, beat: bool, cx: &mut Cx<'_>) {
        let (epoch, start, committed) = (self.epoch, self.start, self.committed);
        let Some(peer) = self.peers.get_mut(place) else { return };
        let waits = peer.sent.is_some();
        let part = if waits { Vec::new() } else { self.log.after(peer.prev, PART_MOST) };
        if part.is_empty() && !beat {
            return;
        }
        let (sent, prev, node) = (cx.now(), peer.prev, peer.node);
        if !waits {
            peer.sent = Some(sent);
        }
        let message = match self.log.term_at(prev).filter(|_| !peer.anew) {
            Some(prev_term) => {
                let entries = part;
                ReplicaMessage::Append { epoch, sent, prev, prev_term, entries, start, committed }
            }
            None => {
                peer.anew = false;
                let term = self.log.term_at(self.log.dropped()).unwrap_or(0);
                let machine = Box::new(self.base.clone());
                let outline = self.log.outline().clone();
                ReplicaMessage::Snapshot { epoch, sent, machine, term, outline, start }
            }
        };
        self.tell(node, message, cx);
    }

    /// At the primary: a replica has so much, or wants to be sent from somewhere else.
    pub(super) fn confirmed(
        &mut self,
        source: NodeId,
        sent: Time,
        position: Result<u64, u64>,
        cx: &mut Cx<'_>,
    ) {
        let Some(place) = self.peers.iter().position(|peer| peer.node == source) else { return };
        let peer = &mut self.peers[place];
        peer.way = cx.now().since(sent);
        match position {
            Ok(position) => {
                peer.matched = peer.matched.max(position);
                peer.prev = peer.prev.max(peer.matched);
                if peer.sent.take_if(|at| *at == sent).is_some() {
                    peer.prev = peer.matched;
                }
            }
            Err(_) if sent < peer.since => return,
            Err(hint) => {
                peer.prev = hint.min(peer.prev.saturating_sub(1));
                peer.anew = hint == 0;
                peer.since = cx.now();
                peer.sent = None;
            }
        }
        self.commit(cx);
        self.feed(place, position.is_err(), cx);
    }

    /// Counts as committed what is on the primary's disk and with as many replicas as must have it.
    pub(super) fn commit(&mut self, cx: &mut Cx<'_>) {
        if !self.leads {
            return;
        }
        let mut matched: Vec<u64> = self.peers.iter().map(|peer| peer.matched).collect();
        matched.sort_unstable();
        let had = match self.settings.acks {
            0 => u64::MAX,
            acks => matched.iter().nth_back(acks as usize - 1).copied().unwrap_or(0),
        };
        self.committed = self.committed.max(self.durable.min(had));
        self.apply(cx);
    }

    /// At a replica: a part of the log has come.
    #[allow(clippy::too_many_arguments, reason = "the fields of one message")]
    pub(super) fn append(
        &mut self,
        source: NodeId,
        sent: Time,
        (prev, prev_term): (u64, u64),
        entries: Vec<Entry>,
        start: u64,
        committed: u64,
        cx: &mut Cx<'_>,
    ) {
        let epoch = self.epoch;
        self.start = start;
        if self.log.term_at(prev) != Some(prev_term) {
            let hint = if prev <= self.log.dropped() {
                0
            } else {
                self.log.last().min(prev - 1).max(self.log.dropped())
            };
            return self.tell(source, ReplicaMessage::Mismatch { epoch, sent, hint }, cx);
        }
        let mut position = prev;
        let mut new = false;
        for entry in entries {
            position += 1;
            if self.log.term_at(position) != Some(entry.term) {
                self.truncate(position - 1, &Outline::default(), cx);
                self.log.push(entry);
                new = true;
            }
        }
        // What lies beyond the primary's log and is of an earlier epoch is nobody's any more.
        if self.log.get(start.max(position) + 1).is_some_and(|entry| entry.term < epoch) {
            self.truncate(start.max(position), &Outline::default(), cx);
        }
        self.committed = self.committed.max(committed.min(position));
        self.confirming = Some((source, sent, position));
        if new {
            self.persist(cx);
        }
        self.confirm(cx);
        self.apply(cx);
    }

    /// Tells the primary how much of its log is on disk here, once there is something to tell.
    pub(super) fn confirm(&mut self, cx: &mut Cx<'_>) {
        let epoch = self.epoch;
        let Some((source, sent, position)) = self.confirming else { return };
        if self.durable >= position {
            self.confirming = None;
            self.tell(source, ReplicaMessage::Appended { epoch, sent, position }, cx);
        }
    }

    /// Throws away what the primary does not have.
    fn truncate(&mut self, position: u64, kept: &Outline, cx: &mut Cx<'_>) {
        let mut at = position;
        for entry in self.log.cut_after(position) {
            at += 1;
            if kept.has(at, entry.term) {
                continue;
            }
            let led = at <= self.told && self.led.contains(&entry.term);
            if let Some(Command { intent, op, item, .. }) = entry.command {
                cx.note(Note::Truncated { intent, op, item, led });
            }
        }
        if at == position {
            return;
        }
        self.rebuild(position);
        self.round += u32::from(self.applying);
        self.applying = false;
        self.durable = self.durable.min(position);
        self.settled = self.settled.min(position);
        self.told = self.told.min(position);
        self.committed = self.committed.min(position);
        self.writes.iter_mut().for_each(|(_, covered)| *covered = (*covered).min(position));
    }

    /// Takes a state in place of everything. What the primary's log has as well is not lost.
    pub(super) fn reset(&mut self, machine: Machine, term: u64, outline: Outline, cx: &mut Cx<'_>) {
        self.truncate(self.log.dropped(), &outline, cx);
        let position = machine.applied();
        self.log = Log::after_snapshot(position, term, outline);
        self.base = machine.clone();
        self.machine = machine;
        self.writes.clear();
        (self.durable, self.settled, self.committed) = (position, position, position);
    }
}
