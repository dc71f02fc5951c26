//! Makes a history of what clients do in a run, as it goes.
//!
//! An item is one of the group of nodes that its client sends to: the same number in another store
//! is another item. A transfer is recorded at both its items. Answers that hold no data (version
//! and value zero, from what is no store) are no part of a history, unless they are reads: those
//! say that an item holds nothing.

use super::operation::{Action, Operation, Outcome, Output};
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::note::Note;
use crate::protocol::rpc::{Answer, Ending, NONSENSE, Op, Outcome as Seen};
use crate::protocol::{Message, Role};
use crate::sim::trace::{Record, What};
use std::collections::BTreeMap;

/// So many operations in flight are followed; those that begin beyond are passed over.
const MOST: usize = 1 << 18;

/// What happened to a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An operation was called; its outcome is unknown so far.
    Called(Operation),
    /// What came of it is known now, as far as its client will ever know.
    Ended(Operation),
}

/// Operations in flight.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    groups: Vec<u16>,
    open: BTreeMap<u64, Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    node: NodeId,
    client: u32,
    op: Op,
    item: u32,
    call: Time,
    /// Where its first attempt was sent.
    group: Option<u16>,
    /// Version and value that came last, and the value before: an update reads first.
    done: Option<(u64, i64)>,
    read: Option<i64>,
    /// The last answer was out of date by its own account: a read all the same.
    stale: bool,
    /// The network has made a copy of one of its requests: whoever turned one away may do the
    /// other.
    copied: bool,
}

/// The same operation as people know it: the client within its population, the item within its
/// store, and for what a write wrote the number of the intent within the population.
pub fn in_words(op: &Operation) -> Operation {
    let short = |value: i64| if value >> 40 > 0 { value & ((1 << 40) - 1) } else { value };
    let action = match op.action {
        Action::Write(value) => Action::Write(short(value)),
        Action::CompareAndSet { from, to } => {
            Action::CompareAndSet { from: short(from), to: short(to) }
        }
        other => other,
    };
    let outcome = match op.outcome {
        Outcome::Ok { at, output: Output::Value(value), version } => {
            Outcome::Ok { at, output: Output::Value(value.map(short)), version }
        }
        other => other,
    };
    let (process, item) = (op.process & u64::from(u32::MAX), op.item & i64::from(u32::MAX));
    Operation { process, item, action, outcome, ..*op }
}

impl Recorder {
    /// Of a run that has not begun; `groups` by node.
    pub fn new(groups: &[u16]) -> Recorder {
        Recorder { groups: groups.to_vec(), open: BTreeMap::new() }
    }

    /// Operations in flight that were sent.
    pub fn open(&self) -> Vec<Operation> {
        let mut found = Vec::new();
        for (intent, open) in &self.open {
            open.operations(*intent, Outcome::Unknown { at: None }, &mut |op| found.push(op));
        }
        found
    }

    /// Takes one record in, and tells what it means for the history.
    pub fn fold(&mut self, record: &Record<Role>, tell: &mut dyn FnMut(Event)) {
        let (node, note) = match &record.what {
            What::Note { node, note } => (node, note),
            What::Sent { copy: true, message: Message::Request(request), .. } => {
                self.open.entry(request.intent).and_modify(|open| open.copied = true);
                return;
            }
            _ => return,
        };
        match *note {
            Note::Began { intent, client, op, item } if self.open.len() < MOST => {
                let (node, call) = (*node, record.at);
                let open = Open {
                    node,
                    client,
                    op,
                    item,
                    call,
                    group: None,
                    done: None,
                    read: None,
                    stale: false,
                    copied: false,
                };
                self.open.insert(intent, open);
            }
            Note::Sent { intent, target, .. } => {
                let group = self.groups.get(target.index()).copied().unwrap_or(u16::MAX);
                let Some(open) = self.open.get_mut(&intent).filter(|open| open.node == *node)
                else {
                    return;
                };
                if open.group.is_none() {
                    open.group = Some(group);
                    open.operations(intent, Outcome::Unknown { at: None }, &mut |op| {
                        tell(Event::Called(op));
                    });
                }
            }
            Note::Answered { intent, outcome: Seen::Answered(answer), .. } => {
                let Some(open) = self.open.get_mut(&intent).filter(|open| open.node == *node)
                else {
                    return;
                };
                if let Some((version, value)) = answer.data() {
                    open.read = open.done.map(|(_, value)| value);
                    open.done = Some((version, value));
                }
                open.stale = matches!(answer, Answer::Stale { .. });
            }
            Note::Ended { intent, ending, .. } => {
                let Some(open) = self.open.get(&intent).filter(|open| open.node == *node) else {
                    return;
                };
                let outcome = open.outcome(ending, record.at);
                open.operations(intent, outcome, &mut |op| tell(Event::Ended(op)));
                self.open.remove(&intent);
            }
            _ => {}
        }
    }
}

impl Open {
    fn outcome(&self, ending: Ending, at: Time) -> Outcome {
        match (ending, self.done) {
            // Between two stores nobody says what the accounts hold.
            (Ending::Ok, Some((0, 0))) if matches!(self.op, Op::Transfer { .. }) => {
                Outcome::Ok { at, output: Output::Nothing, version: 0 }
            }
            (Ending::Ok, Some((0, 0))) if self.op.changes() => Outcome::Failed { at },
            (Ending::Degraded, Some((version, value))) if self.stale && self.op == Op::Read => {
                Outcome::Ok { at, output: Output::Value(Some(value)), version }
            }
            (Ending::Ok, Some((version, value))) => {
                Outcome::Ok { at, output: Output::Value(Some(value)), version }
            }
            (Ending::Rejected | Ending::Failed, _) if !self.copied || self.op == Op::Read => {
                Outcome::Failed { at }
            }
            (Ending::Rejected | Ending::Failed, _) => Outcome::Unknown { at: Some(at) },
            (Ending::Ok | Ending::Degraded | Ending::Unknown, _) => {
                Outcome::Unknown { at: Some(at) }
            }
        }
    }

    /// What an intent means, for each item that it touches. Nothing if it was never sent.
    fn operations(&self, intent: u64, outcome: Outcome, tell: &mut dyn FnMut(Operation)) {
        let Some(group) = self.group else { return };
        let item = |number: u32| (i64::from(group) << 32) | i64::from(number);
        let action = match self.op {
            Op::Read => Action::Read,
            Op::Write => Action::Write(intent as i64),
            Op::Corrupt => Action::Write(NONSENSE),
            Op::Transfer { to, .. } if to == self.item => Action::Add(0),
            Op::Charge { amount } | Op::Transfer { amount, .. } => Action::Charge(amount.into()),
            Op::Increment { by } => Action::Add(by.into()),
            Op::Insert { member } => Action::Insert(member),
            Op::Remove { member } => Action::Remove(member),
            // What only routers ask for, or what is about no single item.
            Op::Scan
            | Op::Leg { .. }
            | Op::Prepare { .. }
            | Op::Commit { .. }
            | Op::Abort
            | Op::Take
            | Op::Put { .. }
            | Op::Erase
            | Op::Reset { .. }
            | Op::Load { .. }
            | Op::Open => return,
            // Which of its attempts may have taken effect is not known before it is over.
            Op::Update | Op::CompareAndSet { .. } => match (outcome, self.read) {
                (Outcome::Ok { .. }, Some(from)) => {
                    Action::CompareAndSet { from, to: intent as i64 }
                }
                _ => Action::Write(intent as i64),
            },
        };
        let written = match action {
            Action::Write(value) | Action::CompareAndSet { to: value, .. } => Some(value),
            _ => None,
        };
        // What an overwriting operation gives back is what it wrote. A store of accounts does not
        // hold that: there it only tells the balance.
        let (action, outcome) = match (written, outcome) {
            (Some(value), Outcome::Ok { at, output, version }) => {
                if output == Output::Value(Some(value)) {
                    (action, Outcome::Ok { at, output: Output::Nothing, version })
                } else {
                    (Action::Read, outcome)
                }
            }
            _ => (action, outcome),
        };
        let process = (u64::from(self.node.0) << 32) | u64::from(self.client);
        let call = self.call;
        tell(Operation { id: intent, process, item: item(self.item), call, action, outcome });
        if let Op::Transfer { to, amount } = self.op
            && to != self.item
        {
            // Nothing comes back of what the other account holds.
            let outcome = match outcome {
                Outcome::Ok { at, .. } => Outcome::Ok { at, output: Output::Nothing, version: 0 },
                other => other,
            };
            let action = Action::Add(amount.into());
            tell(Operation { id: intent, process, item: item(to), call, action, outcome });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::LinkId;
    use crate::base::slab::Key;
    use crate::base::time::Span;
    use crate::protocol::rpc::{Request, Ticket};
    use crate::protocol::worlds::{CLIENTS, SERVER, record};

    /// What is known of a write whose request was copied or not, and turned away.
    fn outcome(copied: bool) -> Outcome {
        let (intent, op, item, client, attempt) = (7, Op::Write, 1, 0, 1);
        let call = Key { index: 0, generation: 0 };
        let ticket = Ticket { call, stack: 0, attempt };
        let (key, deadline, after) = (0, Time::NEVER, 0);
        let request = Request { ticket, intent, op, item, key, deadline, after };
        let message = Message::Request(request);
        let note = |note| What::Note { node: CLIENTS, note };
        let (ending, took) = (Ending::Rejected, Span::millis(2));
        let run = [
            note(Note::Began { intent, client, op, item }),
            note(Note::Sent { intent, attempt, target: SERVER, hedge: false }),
            What::Sent { packet: 2, link: LinkId(0), copy: copied, message },
            note(Note::Ended { intent, client, op, ending, attempts: 1, took }),
        ];
        let mut recorder = Recorder::new(&[0, 1]);
        let mut ended = None;
        for what in run {
            recorder.fold(&record(1, 1, what), &mut |event| {
                if let Event::Ended(operation) = event {
                    ended = Some(operation.outcome);
                }
            });
        }
        ended.expect("it has ended")
    }

    #[test]
    fn a_request_that_was_copied_may_be_done_though_it_was_turned_away() {
        let at = Time(1_000);
        assert_eq!(outcome(false), Outcome::Failed { at });
        assert_eq!(outcome(true), Outcome::Unknown { at: Some(at) });
    }
}
