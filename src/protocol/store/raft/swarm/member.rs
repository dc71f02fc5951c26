//! A member on a node: the core, a state machine that is a list, and clients' requests by number.

use super::super::core::{Effect, Raft, RaftTimer, Step};
use super::super::message::{Content, Machine, Position, RaftMessage};
use crate::sim::process::{Context, Input, Process};

/// What a client learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The write is the entry at this index.
    Written(u64),
    /// The read saw the log applied up to this index.
    Seen(u64),
}

/// A node.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) raft: Raft,
    /// Each command that was applied.
    pub(super) machine: Machine,
    pub(super) applied: u64,
    /// Entries between two snapshots; zero for none.
    pub(super) snapshot_every: u64,
    /// Requests waiting for their entry to be applied.
    pending: Vec<(Position, u64)>,
    /// What clients learnt since this was last looked at, by number.
    pub(super) outcomes: Vec<(u64, Outcome)>,
    /// Whether the log changed since this was last looked at.
    pub(super) changed: bool,
    /// How often it crashed.
    pub(super) crashes: u32,
    /// The entries cut off while it led.
    pub(super) cut_as_leader: u64,
}

type Cx<'a> = Context<'a, Member>;

impl Member {
    pub(super) fn new(raft: Raft, snapshot_every: u64) -> Member {
        Member {
            raft,
            machine: Machine::default(),
            applied: 0,
            snapshot_every,
            pending: Vec::new(),
            outcomes: Vec::new(),
            changed: true,
            crashes: 0,
            cut_as_leader: 0,
        }
    }

    /// A client wants to write: the number of its request is what it writes.
    pub(super) fn write(&mut self, number: u64, cx: &mut Cx<'_>) {
        let content = Content::Command(number);
        if let Some(place) = self.act(cx, |raft, step| raft.propose(content, step)) {
            self.pending.push((place, number));
            self.settle();
        }
    }

    /// A client wants to read.
    pub(super) fn read(&mut self, number: u64, cx: &mut Cx<'_>) {
        self.act(cx, |raft, step| raft.read(number, step));
    }

    /// Gives an input to the core and does what it wants done.
    pub(super) fn act<R>(
        &mut self,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Raft, &mut Step<'_>) -> R,
    ) -> R {
        let mut effects = Vec::new();
        let led = self.raft.leads();
        let step = &mut Step { now: cx.now(), clock: cx.clock(), effects: &mut effects };
        let result = act(&mut self.raft, step);
        let mut commits = false;
        for effect in effects {
            match effect {
                Effect::Send { target, message } => cx.send(target, message),
                Effect::SetTimer { span, timer } => cx.set_timer(span, timer),
                Effect::Persist { write } => {
                    self.changed = true;
                    assert_eq!(cx.persist(true), write, "the disk counts as the core does");
                }
                Effect::Commit { .. } => commits = true,
                Effect::Restore => self.restore(),
                Effect::Truncated { entries, .. } if led && self.raft.leads() => {
                    self.cut_as_leader += entries.len() as u64;
                }
                Effect::Ready { read } => {
                    self.apply();
                    self.outcomes.push((read, Outcome::Seen(self.applied)));
                }
                Effect::Truncated { .. } | Effect::Elected | Effect::SteppedDown => {}
            }
        }
        if commits {
            self.apply();
            self.settle();
        }
        result
    }

    fn restore(&mut self) {
        self.machine.clone_from(&self.raft.log.snapshot.machine);
        self.applied = self.raft.log.base().index;
    }

    fn apply(&mut self) {
        while self.applied < self.raft.commit {
            let Some(entry) = self.raft.log.entry(self.applied + 1) else { return };
            if let Content::Command(value) = entry.content {
                self.machine.push(value);
            }
            self.applied += 1;
        }
    }

    /// Answers requests whose entry is applied; where another entry took its place, nobody waits.
    fn settle(&mut self) {
        let (applied, log) = (self.applied, &self.raft.log);
        let outcomes = &mut self.outcomes;
        self.pending.retain(|&(place, number)| {
            if place.index > applied {
                return true;
            }
            if log.term(place.index) == Some(place.term) {
                outcomes.push((number, Outcome::Written(place.index)));
            }
            false
        });
    }

    fn compact(&mut self, cx: &mut Cx<'_>) {
        let held = self.applied - self.raft.log.base().index;
        if self.snapshot_every > 0 && held >= self.snapshot_every {
            let (index, machine) = (self.applied, self.machine.clone());
            self.act(cx, |raft, step| raft.compact(index, machine, step));
        }
    }
}

impl Process for Member {
    type Message = RaftMessage;
    type Timer = RaftTimer;
    type Note = ();

    fn handle(&mut self, input: Input<Member>, cx: &mut Cx<'_>) {
        // What was committed has been looked at since the last input.
        self.compact(cx);
        self.act(cx, |raft, step| match input {
            Input::Start => raft.start(false, step),
            Input::Restart => raft.start(true, step),
            Input::Message { source, message } => raft.receive(source, message, step),
            Input::Timer(timer) => raft.timer(timer, step),
            Input::Persisted(write) => raft.persisted(write, step),
        });
    }

    fn crash(&mut self, durable: u64) {
        self.raft.crash(durable);
        self.restore();
        self.pending.clear();
        self.outcomes.clear();
        self.changed = true;
        self.crashes += 1;
    }
}
