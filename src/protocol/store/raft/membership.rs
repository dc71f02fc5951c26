//! Who belongs to the cluster, and who leads it next: one member is added or removed at a time
//! (thesis, 4.1 and 4.2), and a leader can give its office to another (3.10).

use super::member::{Effect, Raft, State, Step};
use super::message::{Content, RaftMessage};
use super::mutation::Mutation;
use super::tenure::{Joining, Peer, Transfer};
use crate::base::id::NodeId;
use crate::base::order;

/// Why a leader does not take a change of members or a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unready {
    /// It does not lead.
    NotLeader,
    /// It has not committed anything in its term yet: two leaders could make changes that have no
    /// majority in common (Ongaro, "bug in single-server membership changes", raft-dev 2015).
    NothingCommitted,
    /// Another change or transfer is under way.
    AtWork,
    /// It is so already, or the node cannot.
    Pointless,
}

impl Raft {
    /// Adds a member, once it has caught up with the log (thesis, 4.2.1).
    pub fn add_member(&mut self, node: NodeId, step: &mut Step<'_>) -> Result<(), Unready> {
        self.may_change()?;
        if self.members().contains(&node) {
            return Err(Unready::Pointless);
        }
        let last = self.log.last().index;
        let State::Leader(tenure) = &mut self.state else { return Err(Unready::NotLeader) };
        tenure.joining = Some(Joining { node, target: last, since: step.now });
        tenure.peers.push(Peer::new(node, last + 1));
        self.send_all(step);
        self.begin_round(step);
        self.flush(step);
        Ok(())
    }

    /// Removes a member, perhaps the leader itself.
    pub fn remove_member(&mut self, node: NodeId, step: &mut Step<'_>) -> Result<(), Unready> {
        self.may_change()?;
        if !self.members().contains(&node) || self.members().len() == 1 {
            return Err(Unready::Pointless);
        }
        let members = self.members().iter().copied().filter(|&member| member != node).collect();
        self.add(Content::Members(members), step);
        self.send_all(step);
        self.flush(step);
        Ok(())
    }

    fn may_change(&self) -> Result<(), Unready> {
        let State::Leader(tenure) = &self.state else { return Err(Unready::NotLeader) };
        let (last_change, _) = self.log.members();
        if self.commit < tenure.first && !self.is(Mutation::ChangeTooEarly) {
            return Err(Unready::NothingCommitted);
        }
        let busy = tenure.joining.is_some() || tenure.transfer.is_some();
        if busy || (last_change > self.commit && !self.is(Mutation::ChangeTooEarly)) {
            return Err(Unready::AtWork);
        }
        Ok(())
    }

    /// Whoever is to be added has caught up: the change goes into the log.
    pub(super) fn admit(&mut self, step: &mut Step<'_>) {
        let State::Leader(tenure) = &mut self.state else { return };
        let Some(Joining { node, target, .. }) = tenure.joining else { return };
        let caught_up = |peer: &Peer| peer.node == node && peer.matched >= target;
        if tenure.peers.iter().any(caught_up) {
            tenure.joining = None;
            let mut members = self.members().to_vec();
            members.push(node);
            order::up(&mut members);
            self.add(Content::Members(members), step);
            self.send_all(step);
        }
    }

    /// A change may have been committed: whoever is no longer a member is left alone, and a leader
    /// who is not steps down (thesis, 4.2.2).
    pub(super) fn settle_members(&mut self, step: &mut Step<'_>) {
        let (index, members) = self.log.members();
        if index > self.commit {
            return;
        }
        let members = members.to_vec();
        let State::Leader(tenure) = &mut self.state else { return };
        let joining = tenure.joining.map(|joining| joining.node);
        let stays = |peer: &Peer| members.contains(&peer.node) || joining == Some(peer.node);
        if !tenure.peers.iter().all(stays) {
            // It should hear that it was removed: this is the last it hears.
            self.begin_round(step);
            let State::Leader(tenure) = &mut self.state else { return };
            tenure.peers.retain(stays);
        }
        if !members.contains(&self.me) {
            self.begin_round(step);
            self.follow(self.hard.term, None, step);
        }
    }

    /// Gives the office to another member, as soon as its log is as long.
    pub fn transfer(&mut self, target: NodeId, step: &mut Step<'_>) -> Result<(), Unready> {
        let member = self.members().contains(&target);
        let State::Leader(tenure) = &mut self.state else { return Err(Unready::NotLeader) };
        if tenure.transfer.is_some() || tenure.joining.is_some() {
            return Err(Unready::AtWork);
        }
        if target == self.me || !member {
            return Err(Unready::Pointless);
        }
        tenure.transfer = Some(Transfer { target, since: step.now, called: false });
        self.void_lease();
        self.begin_round(step);
        self.hand_over(step);
        self.flush(step);
        Ok(())
    }

    pub(super) fn hand_over(&mut self, step: &mut Step<'_>) {
        let last = self.log.last().index;
        let State::Leader(tenure) = &mut self.state else { return };
        let Some(transfer) = &mut tenure.transfer else { return };
        let target = transfer.target;
        let ready = |peer: &Peer| peer.node == target && peer.matched == last;
        if !transfer.called && tenure.peers.iter().any(ready) {
            transfer.called = true;
            let message = RaftMessage::TimeoutNow { term: self.hard.term };
            step.effects.push(Effect::Send { target, message });
        }
    }
}
