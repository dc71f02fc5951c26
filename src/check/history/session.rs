//! What a process may rely on in its own session (Terry et al. 1994), judged by versions: having
//! seen one version of an item, it must not get an older one, nor another value of the same.
//!
//! Each of the four guarantees is about two operations of one process on one item: a read or a
//! write, and a later read or write.

use super::Judgement;
use super::operation::{Operation, Output};
use crate::base::order;
use crate::base::time::Time;
use std::collections::BTreeMap;

/// One of the guarantees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// A read sees what the process has written.
    ReadYourWrites,
    /// A read sees what an earlier read has seen.
    MonotonicReads,
    /// A write comes after earlier writes of the process.
    MonotonicWrites,
    /// A write comes after the writes that the process has read.
    WritesFollowReads,
}

impl Guarantee {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Guarantee::ReadYourWrites => "clients read their own writes",
            Guarantee::MonotonicReads => "reads never go back",
            Guarantee::MonotonicWrites => "writes of a client keep their order",
            Guarantee::WritesFollowReads => "writes follow what was read",
        }
    }

    /// Whether the earlier and the later operation are writes.
    fn are_writes(self) -> (bool, bool) {
        match self {
            Guarantee::ReadYourWrites => (true, false),
            Guarantee::MonotonicReads => (false, false),
            Guarantee::MonotonicWrites => (true, true),
            Guarantee::WritesFollowReads => (false, true),
        }
    }
}

/// What a process has seen of an item.
#[derive(Clone, Copy, Debug)]
struct Seen {
    id: u64,
    version: u64,
    value: Option<i64>,
    /// When it was there.
    at: Time,
}

/// A violation: the earlier and the later operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Their numbers.
    pub proof: [u64; 2],
    /// When the later one returned.
    pub at: Time,
    /// What happened.
    pub sentence: String,
}

/// So many pairs of a process and an item are remembered. What is forgotten is not judged.
const MOST: usize = 1 << 16;

/// What every process has seen so far. Operations come in the order of their returns.
#[derive(Clone, Debug)]
pub struct Sessions {
    guarantee: Guarantee,
    /// By process and item, the newest version that it has written or read.
    seen: BTreeMap<(u64, i64), Seen>,
    judged: u64,
}

impl Sessions {
    /// Nobody has seen anything.
    pub fn new(guarantee: Guarantee) -> Sessions {
        Sessions { guarantee, seen: BTreeMap::new(), judged: 0 }
    }

    /// How many operations were held against an earlier one.
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// Takes an operation in that has ended. A process does one thing at a time; if it does not,
    /// operations that overlap are not held against each other.
    pub fn ended(&mut self, op: &Operation) -> Option<Broken> {
        let at = op.returned()?;
        let is_write = !op.observes();
        // An initial value has no version, and is older than all that have.
        let known = op.version() > 0 || !is_write;
        let value = match op.output() {
            Some(Output::Value(value)) => value,
            _ => op.value_written(),
        };
        let now = Seen { id: op.id, version: op.version(), value, at };
        let (first, second) = self.guarantee.are_writes();
        let mut broken = None;
        if is_write == second && known {
            let seen = self.seen.get(&(op.process, op.item)).filter(|seen| seen.at <= op.call);
            self.judged += u64::from(seen.is_some());
            broken = seen.filter(|seen| is_broken(seen, &now, is_write)).map(|seen| Broken {
                proof: [seen.id, op.id],
                at,
                sentence: sentence(seen, &now, first, second),
            });
        }
        if is_write == first && known && self.seen.len() < MOST {
            let seen = self.seen.entry((op.process, op.item)).or_insert(now);
            if now.version >= seen.version {
                *seen = now;
            }
        }
        broken
    }
}

fn is_broken(seen: &Seen, now: &Seen, is_write: bool) -> bool {
    now.version < seen.version
        || (now.version == seen.version && (is_write || now.value != seen.value))
}

fn sentence(seen: &Seen, now: &Seen, first: bool, second: bool) -> String {
    let earlier = if first { "wrote" } else { "read" };
    let later = if second { "wrote" } else { "read" };
    let (old, new) = (now.version, seen.version);
    format!(
        "A client {earlier} version {new} at {} and {later} version {old} at {}.",
        seen.at, now.at
    )
}

/// Judges a history whose operations have versions.
pub fn check(ops: &[Operation], guarantee: Guarantee) -> Judgement {
    let mut ended: Vec<&Operation> = ops.iter().filter(|op| op.returned().is_some()).collect();
    order::by_key(&mut ended, |op| (op.returned(), op.call));
    if ended.iter().all(|op| op.version() == 0) {
        return Judgement::unknown(
            "The history does not say which versions were read and written.",
        );
    }
    let mut sessions = Sessions::new(guarantee);
    let found = ended.iter().find_map(|op| sessions.ended(op));
    match found {
        Some(Broken { proof, at, sentence }) => {
            Judgement::violated(sentence, proof.to_vec(), Some(at))
        }
        None => Judgement::holds(format!(
            "{} operations, each held against an earlier one.",
            sessions.judged()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::operation::{Action, Outcome};
    use super::*;
    use crate::check::State;

    fn op(id: u64, process: u64, action: Action, version: u64, value: i64) -> Operation {
        let output = match action {
            Action::Read => Output::Value(Some(value)),
            _ => Output::Nothing,
        };
        let (call, at) = (Time(id * 10), Time(id * 10 + 5));
        let outcome = Outcome::Ok { at, output, version };
        Operation { id, process, item: 1, call, action, outcome }
    }

    /// Which of the guarantees do not hold.
    fn broken(ops: &[Operation]) -> Vec<Guarantee> {
        use Guarantee::{MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads};
        let all = [ReadYourWrites, MonotonicReads, MonotonicWrites, WritesFollowReads];
        let violated = |guarantee: &Guarantee| {
            let judged = check(ops, *guarantee);
            assert!(judged.state != State::Violated || judged.proof.len() == 2);
            judged.state == State::Violated
        };
        all.into_iter().filter(violated).collect()
    }

    #[test]
    fn each_anomaly_breaks_its_own_guarantee() {
        let write = |id, process, version| op(id, process, Action::Write(id as i64), version, 0);
        let read = |id, process, version, value| op(id, process, Action::Read, version, value);
        let own = [write(1, 1, 4), read(2, 1, 3, 9)];
        assert_eq!(broken(&own), [Guarantee::ReadYourWrites]);
        let says = "A client wrote version 4 at 0.000s and read version 3 at 0.000s.";
        assert_eq!(check(&own, Guarantee::ReadYourWrites).sentence, says);
        let reads = [read(1, 1, 4, 9), read(2, 1, 3, 8)];
        assert_eq!(broken(&reads), [Guarantee::MonotonicReads]);
        assert_eq!(broken(&[write(1, 1, 4), write(2, 1, 3)]), [Guarantee::MonotonicWrites]);
        assert_eq!(broken(&[read(1, 1, 4, 9), write(2, 1, 3)]), [Guarantee::WritesFollowReads]);
        let never = [write(1, 1, 4), read(2, 1, 0, 0)];
        assert_eq!(broken(&never), [Guarantee::ReadYourWrites], "the initial value is older");
        let replaced = [write(1, 1, 4), read(2, 1, 4, 77)];
        assert_eq!(broken(&replaced), [Guarantee::ReadYourWrites], "a version has one value");
        let others = [write(1, 1, 4), read(2, 2, 3, 9), write(3, 3, 5), read(4, 1, 5, 3)];
        assert_eq!(broken(&others), []);
    }

    #[test]
    fn what_overlaps_is_not_held_against_each_other() {
        let write = Operation { call: Time(20), ..op(1, 1, Action::Write(1), 4, 0) };
        let late = Outcome::Ok { at: Time(40), output: Output::Nothing, version: 4 };
        let write = Operation { outcome: late, ..write };
        let read = Operation { call: Time(30), ..op(4, 1, Action::Read, 3, 9) };
        assert_eq!(broken(&[write, read]), []);
    }
}
