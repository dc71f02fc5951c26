//! The history of a run as it goes: what judges it gets every event of, and the newest operations
//! for a picture; all of them where that was asked for.

use super::operation::Operation;
use super::recorder::{Event, Recorder};
use crate::base::time::Time;
use crate::protocol::Role;
use crate::sim::trace::Record;
use std::collections::{BTreeMap, VecDeque};

/// So many operations that ended are kept for a picture.
const RECENT: usize = 256;

/// What clients did.
#[derive(Clone, Debug)]
pub struct Transcript {
    recorder: Recorder,
    ended: VecDeque<Operation>,
    whole: bool,
}

impl Transcript {
    /// Of what follows; `groups` by node.
    pub fn new(groups: &[u16]) -> Transcript {
        Transcript { recorder: Recorder::new(groups), ended: VecDeque::new(), whole: false }
    }

    /// Keeps everything from now on. It takes about a hundred bytes for an operation.
    pub fn keep_all(&mut self) {
        self.whole = true;
    }

    /// Takes one record in, and tells what it means for the history.
    pub fn fold(
        &mut self,
        record: &Record<Role>,
        tell: &mut dyn FnMut(&Event, &VecDeque<Operation>),
    ) {
        let (ended, whole) = (&mut self.ended, self.whole);
        self.recorder.fold(record, &mut |event| {
            if let Event::Ended(op) = &event {
                if ended.len() >= RECENT && !whole {
                    ended.pop_front();
                }
                ended.push_back(*op);
            }
            tell(&event, ended);
        });
    }

    /// The operations that are kept, in the order of their ends, and then those in flight.
    pub fn operations(&self) -> Vec<Operation> {
        self.ended.iter().copied().chain(self.recorder.open()).collect()
    }
}

/// For each operation, in the order of their calls, a number of its own among those that the same
/// process has under way: a client of ours may want several things at once, and elsewhere a process
/// does one thing at a time.
pub fn lanes(ops: &[Operation]) -> Vec<u32> {
    let mut free: BTreeMap<u64, Vec<Time>> = BTreeMap::new();
    let lane = |op: &Operation| {
        let own = free.entry(op.process).or_default();
        let place = own.iter().position(|&at| at <= op.call).unwrap_or(own.len());
        let until = op.ended().unwrap_or(Time::NEVER);
        match own.get_mut(place) {
            Some(at) => *at = until,
            None => own.push(until),
        }
        place as u32
    };
    ops.iter().map(lane).collect()
}
