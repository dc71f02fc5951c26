//! The state of one member of a Raft cluster, after Ongaro and Ousterhout, "In Search of an
//! Understandable Consensus Algorithm (Extended Version)", 2014 ("the paper"), and Ongaro's thesis
//! "Consensus: Bridging Theory and Practice", 2014 ("the thesis"). State in, input in, effects out.

use super::super::machine::Machine;
use super::durable::Durable;
use super::log::Log;
use super::message::{Ballot, Content, Entry, Position, RaftMessage, Snapshot};
use super::mutation::Mutation;
use super::tenure::Tenure;
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// How the members of a cluster keep together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaftSettings {
    /// A follower that hears nothing waits at least this long before it stands for election.
    pub election_low: Span,
    /// And at most this long.
    pub election_high: Span,
    /// How often a leader lets itself be heard.
    pub heartbeat: Span,
    /// Whether a candidate first asks if it would win (thesis, 9.6).
    pub pre_vote: bool,
    /// Whether a leader steps down that does not reach a majority (thesis, 6.2), and members
    /// who hear a leader ignore those who stand against it (4.2.3).
    pub check_quorum: bool,
    /// How a leader makes sure that it may answer a read.
    pub reads: Reads,
    /// Entries in one message at most.
    pub batch: u32,
}

impl Default for RaftSettings {
    fn default() -> Self {
        RaftSettings {
            election_low: Span::millis(150),
            election_high: Span::millis(300),
            heartbeat: Span::millis(50),
            pre_vote: true,
            check_quorum: true,
            reads: Reads::Index,
            batch: 64,
        }
    }
}

/// How reads are kept from being stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reads {
    /// The leader asks a majority whether it still leads (thesis, 6.4).
    #[default]
    Index,
    /// The leader trusts its clock for as long as no other can have been elected (6.4.1).
    Lease,
    /// Not at all: who believes to lead answers.
    Local,
}

/// What is written before anything is said that depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hard {
    /// The latest term seen.
    pub term: u64,
    /// Who got the vote in it.
    pub vote: Option<NodeId>,
}

/// What a member is (figure 4 of the paper).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum State {
    /// Takes what a leader sends.
    Follower,
    /// Asks for votes.
    Candidate {
        /// Only whether it would be elected (thesis, 9.6).
        pre: bool,
        /// The votes that came.
        votes: Vec<(NodeId, bool)>,
    },
    /// Leads.
    Leader(Box<Tenure>),
}

/// What a member is to be reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RaftTimer {
    /// Nothing may have been heard from a leader.
    Election {
        /// Only the last one counts.
        number: u32,
    },
    /// A leader lets itself be heard.
    Heartbeat {
        /// Of which term.
        term: u64,
    },
}

/// What a member wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a message.
    Send {
        /// To whom.
        target: NodeId,
        /// What.
        message: RaftMessage,
    },
    /// Remind the member.
    SetTimer {
        /// In how long.
        span: Span,
        /// Of what.
        timer: RaftTimer,
    },
    /// Write to disk what has changed.
    Persist {
        /// The number of the write: one more than that of the last.
        write: u64,
    },
    /// Apply the log up to this index.
    Commit {
        /// The last entry that is committed.
        index: u64,
    },
    /// Put the state machine of the log's snapshot in the place of one's own.
    Restore,
    /// Entries were cut off: a leader of a later term has others there.
    Truncated {
        /// The index of the first.
        from: u64,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// The member heard nothing from a leader for too long, and stands for election.
    Stands,
    /// The member was elected.
    Elected,
    /// The member no longer leads.
    SteppedDown,
    /// A read may be answered.
    Ready {
        /// Its number.
        read: u64,
    },
}

/// The moment of an input, and where its effects go.
pub struct Step<'a> {
    /// The time by which timers run.
    pub now: Time,
    /// What the member's own clock says, which may be wrong: leases are measured by it.
    pub clock: Time,
    /// What is to be done, in order.
    pub effects: &'a mut Vec<Effect>,
}

/// A member of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Raft {
    /// How it keeps together with the others.
    pub settings: RaftSettings,
    /// Itself.
    pub me: NodeId,
    /// Term and vote.
    pub hard: Hard,
    /// Snapshot and entries.
    pub log: Log,
    /// What it is.
    pub state: State,
    /// Who leads in this term, as far as it knows.
    pub leader: Option<NodeId>,
    /// The last entry known to be committed.
    pub commit: u64,
    pub(super) durable: Durable,
    /// When it last heard a leader, by its own clock.
    pub(super) heard: Option<Time>,
    /// Answers that wait for the write of this step.
    answers: Vec<(NodeId, RaftMessage)>,
    election: Election,
    stream: Stream,
    #[cfg(test)]
    #[serde(skip)]
    pub(super) mutation: Option<Mutation>,
}

/// The election timer. It is put off with every heartbeat, so an alarm that comes too early is
/// set again instead of one being set for every heartbeat.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Election {
    due: Time,
    alarm: Option<Time>,
    number: u32,
}

impl Raft {
    /// A member of a cluster of `members` that has not begun. Whoever is not among them waits to
    /// be added.
    pub fn new(settings: RaftSettings, me: NodeId, snapshot: Snapshot, seed: u64) -> Raft {
        Raft {
            settings,
            me,
            hard: Hard::default(),
            commit: snapshot.last.index,
            log: Log::new(snapshot),
            state: State::Follower,
            leader: None,
            durable: Durable::default(),
            heard: None,
            answers: Vec::new(),
            election: Election::default(),
            stream: Stream::new(seed, "raft election", u64::from(me.0)),
            #[cfg(test)]
            mutation: None,
        }
    }

    /// Who belongs to the cluster, as far as this member knows.
    pub fn members(&self) -> &[NodeId] {
        self.log.members().1
    }

    /// True if it leads, or believes to.
    pub fn leads(&self) -> bool {
        matches!(self.state, State::Leader(_))
    }

    /// The end of the part of its log that is on disk.
    pub fn durable(&self) -> u64 {
        self.durable.last
    }

    /// Forgets what is volatile; of its writes, those up to the number `durable` survive.
    pub fn crash(&mut self, durable: u64) {
        self.durable.crash(durable, &mut self.hard, &mut self.log);
        self.state = State::Follower;
        self.leader = None;
        self.heard = None;
        self.commit = self.log.base().index;
        self.election.alarm = None;
        self.answers.clear();
    }

    /// Begins, or begins again after a crash. A leader's lease relies on this member: after a crash
    /// it no longer knows whether it heard one, so it takes it that it just did (thesis, 6.4.1).
    pub fn start(&mut self, restarted: bool, step: &mut Step<'_>) {
        self.heard = restarted.then_some(step.clock);
        self.put_off_election(step);
    }

    /// Takes new settings.
    pub fn configure(&mut self, settings: RaftSettings, step: &mut Step<'_>) {
        self.settings = settings;
        if !self.leads() {
            self.put_off_election(step);
        }
    }

    /// A timer went off.
    pub fn timer(&mut self, timer: RaftTimer, step: &mut Step<'_>) {
        match timer {
            RaftTimer::Election { number } if number == self.election.number => {
                self.election.alarm = None;
                if self.leads() {
                    // Set anew when it steps down.
                } else if step.now < self.election.due {
                    self.set_alarm(step);
                } else {
                    self.stand(step);
                }
            }
            RaftTimer::Heartbeat { term } if term == self.hard.term && self.leads() => {
                self.beat(step);
            }
            RaftTimer::Election { .. } | RaftTimer::Heartbeat { .. } => {}
        }
        self.flush(step);
    }

    /// A message arrived.
    pub fn receive(&mut self, source: NodeId, message: RaftMessage, step: &mut Step<'_>) {
        self.take(source, message, step);
        self.flush(step);
    }

    /// The write of this number, and all before it, are on disk.
    pub fn persisted(&mut self, write: u64, step: &mut Step<'_>) {
        self.durable.finish(write);
        while let Some((target, message)) = self.durable.release() {
            self.post(target, message, step);
        }
        if self.leads() {
            self.count_commit(step);
        }
        self.flush(step);
    }

    /// Puts a snapshot in the place of the log up to `index`, all of it applied to `machine`.
    pub fn compact(&mut self, index: u64, machine: Machine, step: &mut Step<'_>) {
        if index > self.log.base().index && index <= self.commit {
            self.durable.compact(self.hard, &self.log);
            self.log.compact(index, machine);
            self.flush(step);
        }
    }

    fn take(&mut self, source: NodeId, message: RaftMessage, step: &mut Step<'_>) {
        let term = message.term();
        if let RaftMessage::Vote { term, ballot, last } = message {
            return self.asked_for_vote(source, term, ballot, last, step);
        }
        // A granted pre-vote is of a term that nobody has begun.
        let granted_pre_vote =
            matches!(message, RaftMessage::Voted { ballot: Ballot::Pre, granted: true, .. });
        if term > self.hard.term && !granted_pre_vote {
            self.follow(term, None, step);
        }
        let old = term < self.hard.term;
        match message {
            RaftMessage::Vote { .. } => {}
            RaftMessage::Voted { term, ballot, granted } => {
                if !old || self.is(Mutation::CountOldVotes) {
                    self.voted(source, term, ballot, granted, step);
                }
            }
            RaftMessage::Append { prev, round, .. } if old && !self.is(Mutation::ObeyOldLeader) => {
                let (term, hint) = (self.hard.term, Position::default());
                let prev = prev.index;
                self.answer(source, RaftMessage::Rejected { term, prev, hint, round });
            }
            RaftMessage::Append { prev, entries, commit, round, .. } => {
                self.hear(source, step);
                self.append(source, prev, entries, commit, round, step);
            }
            RaftMessage::Install { round, .. } if old => {
                let (term, hint) = (self.hard.term, Position::default());
                self.answer(source, RaftMessage::Rejected { term, prev: 0, hint, round });
            }
            RaftMessage::Install { snapshot, round, .. } => {
                self.hear(source, step);
                self.install(source, *snapshot, round, step);
            }
            RaftMessage::Appended { .. }
            | RaftMessage::Rejected { .. }
            | RaftMessage::TimeoutNow { .. }
                if old => {}
            RaftMessage::Appended { matched, round, .. } => {
                self.appended(source, matched, round, step);
            }
            RaftMessage::Rejected { prev, hint, round, .. } => {
                self.rejected(source, prev, hint, round, step);
            }
            RaftMessage::TimeoutNow { .. } => self.stand_now(step),
        }
    }

    /// Becomes a follower in `term`. A candidate goes on waiting for the time it had begun to wait
    /// for; a leader waits afresh.
    pub(super) fn follow(&mut self, term: u64, leader: Option<NodeId>, step: &mut Step<'_>) {
        if term > self.hard.term {
            self.set_hard(Hard { term, vote: None });
        }
        self.leader = leader;
        let before = std::mem::replace(&mut self.state, State::Follower);
        if let State::Leader(_) = before {
            step.effects.push(Effect::SteppedDown);
            self.put_off_election(step);
        }
    }

    pub(super) fn set_hard(&mut self, hard: Hard) {
        if hard != self.hard {
            self.durable.touch(self.hard, &self.log);
            self.hard = hard;
        }
    }

    pub(super) fn add(&mut self, content: Content, step: &Step<'_>) {
        self.durable.touch(self.hard, &self.log);
        self.log.append(Entry { term: self.hard.term, at: step.clock, content });
    }

    /// Says something that depends on what this step changes: it leaves when that is on disk.
    pub(super) fn answer(&mut self, target: NodeId, message: RaftMessage) {
        self.answers.push((target, message));
    }

    /// Sends a message; one to oneself is taken at once.
    pub(super) fn post(&mut self, target: NodeId, message: RaftMessage, step: &mut Step<'_>) {
        if target == self.me {
            self.take(target, message, step);
        } else {
            step.effects.push(Effect::Send { target, message });
        }
    }

    /// Writes what the step changed, and lets go of the answers that need not wait.
    pub(super) fn flush(&mut self, step: &mut Step<'_>) {
        loop {
            if let Some(write) = self.durable.write(&self.log) {
                step.effects.push(Effect::Persist { write });
            }
            let answers = std::mem::take(&mut self.answers);
            if answers.is_empty() {
                return;
            }
            for (target, message) in answers {
                let hasty = match message {
                    RaftMessage::Voted { .. } => self.is(Mutation::VoteBeforeDisk),
                    _ => self.is(Mutation::AcknowledgeBeforeDisk),
                };
                if self.durable.done >= self.durable.written || hasty {
                    self.post(target, message, step);
                } else {
                    self.durable.held.push_back((self.durable.written, target, message));
                }
            }
        }
    }

    /// Waits a new random time before standing for election (section 5.2 of the paper).
    pub(super) fn put_off_election(&mut self, step: &mut Step<'_>) {
        let (low, high) = (self.settings.election_low, self.settings.election_high);
        let range = high.0.saturating_sub(low.0) as f64;
        let drawn = low + Span::from_micros_f64(range * self.stream.unit());
        self.election.due = step.now + drawn;
        if self.election.alarm.is_none_or(|alarm| alarm > self.election.due) {
            self.set_alarm(step);
        }
    }

    fn set_alarm(&mut self, step: &mut Step<'_>) {
        self.election.number = self.election.number.wrapping_add(1);
        self.election.alarm = Some(self.election.due);
        let timer = RaftTimer::Election { number: self.election.number };
        step.effects.push(Effect::SetTimer { span: self.election.due.since(step.now), timer });
    }

    /// Commits up to `index`.
    pub(super) fn commit_to(&mut self, index: u64, step: &mut Step<'_>) {
        if index > self.commit {
            self.commit = index;
            step.effects.push(Effect::Commit { index });
        }
    }

    #[cfg(test)]
    pub(super) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    #[cfg(not(test))]
    pub(super) fn is(&self, _: Mutation) -> bool {
        false
    }
}
