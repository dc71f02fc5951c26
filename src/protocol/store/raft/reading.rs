//! How a leader answers a read without an entry in the log (thesis, 6.4), and how long it may trust
//! its clock (6.4.1).

use super::member::{Effect, Raft, Reads, State, Step};
use super::mutation::Mutation;
use super::quorum::reached;
use crate::base::id::NodeId;
use crate::base::time::Time;

impl Raft {
    /// Asks to answer a read: [`Effect::Ready`] says when everything committed by now is applied
    /// here and nobody else leads. False if this member does not lead.
    pub fn read(&mut self, read: u64, step: &mut Step<'_>) -> bool {
        let careless = self.settings.reads == Reads::Local || self.is(Mutation::ReadUnconfirmed);
        let State::Leader(tenure) = &mut self.state else { return false };
        if careless {
            step.effects.push(Effect::Ready { read });
        } else if self.commit < tenure.first {
            // What is committed is not known before an entry of its own is (6.4, first step).
            tenure.early.push(read);
        } else if self.settings.reads == Reads::Lease && step.clock < tenure.lease {
            step.effects.push(Effect::Ready { read });
        } else {
            self.confirm_read(read, step);
        }
        self.flush(step);
        true
    }

    /// Waits for a round that began after the read came. All reads that come while one is on its
    /// way share the next.
    fn confirm_read(&mut self, read: u64, step: &mut Step<'_>) {
        let State::Leader(tenure) = &mut self.state else { return };
        tenure.reads.push_back((tenure.round + 1, read));
        if tenure.round == tenure.confirmed {
            self.begin_round(step);
        }
    }

    /// Notes how many rounds a majority has answered; the leader counts itself.
    pub(super) fn confirm(&mut self, step: &mut Step<'_>) {
        let members = self.members().to_vec();
        let State::Leader(tenure) = &mut self.state else { return };
        let answered = |member: &NodeId| {
            let peer = tenure.peers.iter().find(|peer| peer.node == *member);
            peer.map_or(tenure.round, |peer| peer.round)
        };
        let confirmed = reached(members.iter().map(answered).collect()).min(tenure.round);
        if confirmed <= tenure.confirmed {
            return;
        }
        tenure.confirmed = confirmed;
        while let Some(&(round, clock, now)) = tenure.begun.front()
            && round <= confirmed
        {
            tenure.begun.pop_front();
            tenure.reached = now;
            if tenure.transfer.is_none() {
                // Nobody who answered votes for another until this long after.
                tenure.lease = clock + self.settings.election_low;
            }
        }
        while let Some(&(round, read)) = tenure.reads.front()
            && round <= confirmed
        {
            tenure.reads.pop_front();
            step.effects.push(Effect::Ready { read });
        }
        if !tenure.reads.is_empty() && tenure.round == confirmed {
            self.begin_round(step);
        }
    }

    /// The leader's first entry is committed: reads that waited for it go on.
    pub(super) fn release_early(&mut self, step: &mut Step<'_>) {
        let State::Leader(tenure) = &mut self.state else { return };
        if self.commit < tenure.first {
            return;
        }
        for read in std::mem::take(&mut tenure.early) {
            self.confirm_read(read, step);
        }
    }

    /// Gives up the lease, because another will be elected.
    pub(super) fn void_lease(&mut self) {
        if let State::Leader(tenure) = &mut self.state {
            tenure.lease = Time::ZERO;
        }
    }
}
