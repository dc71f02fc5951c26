//! Which of several targets a request goes to. Replicas of the same data are not equal: changes go
//! to the one that leads, as a driver has learned it from the last answer, and reads to where the
//! caller lets them come from.

use super::caller::CallSettings;
use super::rpc::{Answer, LEADER, Op};
use crate::base::id::NodeId;
use crate::base::random::Stream;
use serde::{Deserialize, Serialize};

/// How a target is chosen among several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pick {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Any.
    Random,
}

/// Which replicas may answer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reads {
    /// The leader alone.
    Leader,
    /// Any, whatever it has applied.
    Any,
    /// Any but the leader, while there is another.
    Replica,
    /// The nearest, whatever it has applied: the first target.
    Nearest,
    /// Any that has applied what the client has seen before; one that has not asks the leader.
    Session,
}

/// What a caller knows of its targets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Route {
    next: u32,
    leader: Option<NodeId>,
    picks: Stream,
}

impl Route {
    /// Nothing is known yet.
    pub fn new(picks: Stream) -> Route {
        Route { next: 0, leader: None, picks }
    }

    /// The target for the next attempt.
    pub fn pick(&mut self, settings: &CallSettings, op: Op) -> NodeId {
        let targets = &settings.targets;
        let known = self.leader.filter(|leader| targets.contains(leader));
        let chosen = match settings.reads {
            None => None,
            Some(Reads::Leader) => known,
            Some(_) if op.changes() => known,
            Some(Reads::Nearest) => targets.first().copied(),
            Some(Reads::Any | Reads::Session | Reads::Replica) => None,
        };
        if let Some(chosen) = chosen {
            return chosen;
        }
        let picked = self.turn(settings);
        let avoided = settings.reads == Some(Reads::Replica) && !op.changes();
        if avoided && known == Some(picked) { self.beside(targets, picked) } else { picked }
    }

    fn turn(&mut self, settings: &CallSettings) -> NodeId {
        let targets = &settings.targets;
        let place = match settings.pick {
            _ if targets.len() < 2 => 0,
            Pick::RoundRobin => {
                self.next = (self.next + 1) % targets.len() as u32;
                self.next
            }
            Pick::Random => self.picks.below(targets.len() as u32),
        };
        targets.get(place as usize).copied().unwrap_or(NodeId(0))
    }

    /// The target after this one.
    fn beside(&mut self, targets: &[NodeId], target: NodeId) -> NodeId {
        let place = targets.iter().position(|t| *t == target).unwrap_or(0);
        let next = (place + 1) % targets.len().max(1);
        self.next = next as u32;
        targets.get(next).copied().unwrap_or(target)
    }

    /// What to ask of a replica that is to answer, in a session that has seen the log up to `seen`.
    pub fn after(&self, reads: Option<Reads>, op: Op, seen: u64) -> u64 {
        match reads {
            None => seen,
            Some(_) if op.changes() => LEADER,
            Some(Reads::Leader) => LEADER,
            Some(Reads::Session) => seen,
            Some(Reads::Any | Reads::Replica | Reads::Nearest) => 0,
        }
    }

    /// `source` answered: it leads, if it did what only a leader does.
    pub fn answered(&mut self, source: NodeId, op: Op, answer: Answer, reads: Option<Reads>) {
        let Some(reads) = reads else { return };
        if !op.changes() && reads != Reads::Leader {
            return;
        }
        match answer {
            Answer::Done { .. } | Answer::Conflict | Answer::KeyReused => {
                self.leader = Some(source);
            }
            Answer::Refused(_)
            | Answer::Error
            | Answer::Degraded
            | Answer::Stale { .. }
            | Answer::Unsure => {
                self.forget_leader();
            }
        }
    }

    /// The leader may be another by now.
    pub fn forget_leader(&mut self) {
        self.leader = None;
    }
}
