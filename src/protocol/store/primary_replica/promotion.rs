//! Who leads: missing the primary, asking the others, taking over, and being told of it.

use super::{
    Command, Cx, Entry, NodeId, Note, Promote, Replica, ReplicaMessage, ReplicaTimer, Span,
    StoreMessage, Time,
};
use serde::{Deserialize, Serialize};

/// One that would have somebody lead, and the answers it has had.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asking {
    epoch: u64,
    answers: Vec<Standpoint>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Standpoint {
    node: NodeId,
    granted: bool,
    alive: bool,
    last: (u64, u64),
}

impl Replica {
    pub(super) fn replica_message(
        &mut self,
        source: NodeId,
        message: ReplicaMessage,
        cx: &mut Cx<'_>,
    ) {
        match message {
            ReplicaMessage::Append { epoch, sent, prev, prev_term, entries, start, committed } => {
                if self.follows(source, epoch, cx) {
                    let prev = (prev, prev_term);
                    self.append(source, sent, prev, entries, start, committed, cx);
                }
            }
            ReplicaMessage::Snapshot { epoch, sent, machine, term, outline, start } => {
                if self.follows(source, epoch, cx) {
                    let position = machine.applied();
                    self.start = start;
                    self.reset(*machine, term, outline, cx);
                    self.tell(source, ReplicaMessage::Appended { epoch, sent, position }, cx);
                }
            }
            ReplicaMessage::Appended { epoch, sent, position } => {
                if self.leads && epoch == self.epoch {
                    self.confirmed(source, sent, Ok(position), cx);
                }
            }
            ReplicaMessage::Mismatch { epoch, sent, hint } => {
                if self.leads && epoch == self.epoch {
                    self.confirmed(source, sent, Err(hint), cx);
                }
            }
            ReplicaMessage::Stale { epoch } => {
                if self.leads && epoch > self.epoch && self.settings.fencing {
                    self.step_down(epoch, cx);
                }
            }
            ReplicaMessage::Ask { epoch } => self.asked(source, epoch, cx),
            ReplicaMessage::Tell { epoch, granted, alive, last_term, last } => {
                let answer = Standpoint { node: source, granted, alive, last: (last_term, last) };
                let known = |asking: &Asking| asking.answers.iter().any(|a| a.node == source);
                if let Some(asking) = self.asking.as_mut().filter(|a| a.epoch == epoch)
                    && !known(asking)
                {
                    asking.answers.push(answer);
                }
            }
            ReplicaMessage::Promote { epoch } => {
                if epoch > self.epoch && !self.leads {
                    self.promote(epoch, cx);
                }
            }
        }
    }

    pub(super) fn timer(&mut self, timer: ReplicaTimer, cx: &mut Cx<'_>) {
        match timer {
            ReplicaTimer::Beat { round } if round == self.round && self.leads => self.beat(cx),
            ReplicaTimer::Watch { round } if round == self.round && !self.leads => self.watch(cx),
            ReplicaTimer::Conclude { round } if round == self.round => self.conclude(cx),
            ReplicaTimer::Appointed => self.take_order(cx),
            ReplicaTimer::Apply { round } if round == self.round && self.applying => {
                self.applying = false;
                self.apply_next(cx);
                self.apply(cx);
            }
            _ => {}
        }
    }

    /// Says that the primary is there, and goes on saying so.
    pub(super) fn beat(&mut self, cx: &mut Cx<'_>) {
        self.feed_again(cx);
        self.remind(self.settings.heartbeat, ReplicaTimer::Beat { round: self.round }, cx);
    }

    /// True if this message comes from the primary that is to be followed.
    fn follows(&mut self, source: NodeId, epoch: u64, cx: &mut Cx<'_>) -> bool {
        if epoch < self.epoch || (self.settings.fencing && epoch < self.promised) {
            let epoch = self.epoch.max(self.promised);
            self.tell(source, ReplicaMessage::Stale { epoch }, cx);
            return false;
        }
        if self.leads {
            // Without fencing two primaries go on side by side until a person ends it.
            if epoch == self.epoch || !self.settings.fencing {
                return false;
            }
            self.step_down(epoch, cx);
        }
        let changed = epoch > self.epoch;
        self.epoch = epoch;
        self.promised = self.promised.max(epoch);
        self.leader = Some(source);
        self.heard = cx.clock();
        if changed || self.asking.take().is_some() {
            self.confirming = None;
            self.new_round(cx);
            self.watch(cx);
        }
        true
    }

    /// Makes reminders of before void; an entry being applied is begun again.
    pub(super) fn new_round(&mut self, cx: &mut Cx<'_>) {
        self.round += 1;
        self.applying = false;
        self.apply(cx);
    }

    /// Waits until the primary has been silent for too long, and then asks the others.
    pub(super) fn watch(&mut self, cx: &mut Cx<'_>) {
        let Some(failover) = self.settings.failover else { return };
        let silent = cx.clock().since(self.heard.max(self.patient));
        if silent < failover.after {
            let more = Span(failover.after.0 - silent.0);
            // Spread out, so that seldom two ask at once and promise each other nothing.
            let spread = (failover.after.0 / 2).clamp(1, 1 << 31) as u32;
            let jitter = Span(u64::from(self.jitter.below(spread)));
            return self.remind(more + jitter, ReplicaTimer::Watch { round: self.round }, cx);
        }
        cx.note(Note::Suspects { term: self.epoch });
        let epoch = self.epoch.max(self.promised) + 1;
        let last = (self.log.last_term(), self.log.last());
        let mine = Standpoint { node: self.me, granted: true, alive: false, last };
        self.leader = None;
        self.new_round(cx);
        self.asking = Some(Asking { epoch, answers: vec![mine] });
        for node in self.peers.iter().map(|peer| peer.node).collect::<Vec<_>>() {
            self.tell(node, ReplicaMessage::Ask { epoch }, cx);
        }
        // Time enough for the answers, also over long ways.
        let gather = Span((failover.after.0 / 4).max(4 * self.settings.heartbeat.0));
        self.remind(gather, ReplicaTimer::Conclude { round: self.round }, cx);
    }

    fn asked(&mut self, source: NodeId, epoch: u64, cx: &mut Cx<'_>) {
        let silent = cx.clock().since(self.heard);
        let patience = self.settings.failover.map_or(Span(u64::MAX), |failover| failover.after);
        let alive = self.leads || (silent < patience && self.heard > Time::ZERO);
        let granted = !self.settings.fencing || (epoch > self.promised && !alive);
        if granted {
            // Whoever asks will lead, or name who does: no need to ask as well.
            self.patient = cx.clock();
            self.promised = self.promised.max(epoch);
        }
        let (last_term, last) = (self.log.last_term(), self.log.last());
        self.tell(source, ReplicaMessage::Tell { epoch, granted, alive, last_term, last }, cx);
    }

    /// Enough time has passed for the others to answer.
    fn conclude(&mut self, cx: &mut Cx<'_>) {
        let Some(mut asking) = self.asking.take() else { return };
        // Its own word counts unless it has given it to another that asked meanwhile.
        let free = !self.settings.fencing || self.promised < asking.epoch;
        asking.answers.iter_mut().filter(|a| a.node == self.me).for_each(|a| a.granted = free);
        let granted: Vec<&Standpoint> = asking.answers.iter().filter(|a| a.granted).collect();
        let majority = granted.len() * 2 > self.settings.members.len();
        let alive = asking.answers.iter().any(|a| a.alive);
        let promote = self.settings.failover.map_or(Promote::MostAdvanced, |f| f.promote);
        let first = |a: &&&Standpoint| std::cmp::Reverse(a.node);
        let chosen = match promote {
            Promote::MostAdvanced => granted.iter().max_by_key(|a| (a.last, first(a))),
            Promote::First => granted.iter().max_by_key(first),
        };
        let chosen = chosen.map_or(self.me, |a| a.node);
        if self.settings.fencing && (!majority || alive) {
            // Not enough of the others miss the primary: wait and see.
            self.patient = cx.clock();
            self.watch(cx);
        } else if chosen == self.me {
            self.promote(asking.epoch, cx);
        } else {
            self.promised = self.promised.max(asking.epoch);
            self.tell(chosen, ReplicaMessage::Promote { epoch: asking.epoch }, cx);
            self.patient = cx.clock();
            self.watch(cx);
        }
    }

    /// Leads from now on: its log is the log.
    pub(super) fn promote(&mut self, epoch: u64, cx: &mut Cx<'_>) {
        self.epoch = epoch;
        self.promised = self.promised.max(epoch);
        self.start = self.log.last();
        self.leads = true;
        self.led.push(epoch);
        self.leader = Some(self.me);
        self.asking = None;
        self.confirming = None;
        cx.note(Note::Leads { term: epoch });
        self.take_over(cx);
        self.meet_peers();
        self.round += 1;
        self.applying = false;
        self.commit(cx);
        self.beat(cx);
    }

    /// Leads if a person wants it to, and no more if another is wanted.
    pub(super) fn take_order(&mut self, cx: &mut Cx<'_>) {
        let wanted = self.settings.primary == self.me;
        if wanted && !self.leads {
            self.promote(self.epoch.max(self.promised) + 1, cx);
        } else if !wanted && self.leads {
            self.step_down(self.epoch, cx);
        }
    }

    /// What it applied while it followed counts from now on. The last primary may not have told of
    /// what came after the last that is known to be committed, so this one does.
    fn take_over(&mut self, cx: &mut Cx<'_>) {
        let (known, applied) = (self.committed.max(self.told), self.machine.applied());
        let mut machine = self.base.clone();
        while machine.applied() < applied {
            let Some(entry) = self.log.get(machine.applied() + 1).copied() else { break };
            let changed = machine.apply(entry.at, entry.command.as_ref()).changed;
            if changed && machine.applied() > known {
                tell_applied(machine.applied(), entry, cx);
            }
        }
        (self.told, self.committed) = (self.told.max(applied), self.committed.max(applied));
    }

    /// Leads no more. Who waits for an answer is not told: it may yet be done.
    pub(super) fn step_down(&mut self, epoch: u64, cx: &mut Cx<'_>) {
        cx.note(Note::StepsDown { term: epoch });
        self.leads = false;
        self.leader = None;
        self.desk.crash();
        self.patient = cx.clock();
        for job in std::mem::take(&mut self.jobs).into_values() {
            self.station.abandon(job, cx);
        }
        self.new_round(cx);
        self.watch(cx);
    }
}

/// Says that an entry has changed data.
pub(super) fn tell_applied(position: u64, entry: Entry, cx: &mut Cx<'_>) {
    if let Some(Command { intent, op, item, .. }) = entry.command {
        let position = (entry.term << 40) | position;
        cx.note(Note::Applied { intent, op, item, position });
    }
}

impl From<ReplicaMessage> for StoreMessage {
    fn from(message: ReplicaMessage) -> StoreMessage {
        StoreMessage::Replica(message)
    }
}
