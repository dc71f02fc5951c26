//! The search for an order that explains a history: Wing and Gong (1993) with Lowe's (2017)
//! memory of configurations that lead nowhere, on a linked list of calls and returns.
//!
//! Two rules of our own spare much of it. An operation that never changes anything goes first where
//! it fits, and if that leads nowhere, nothing does: every order that explains the rest can have
//! it in front. And operations that never returned come last: they are tried where the others are
//! stuck, and only if they change something.

use super::model::Model;
use super::operation::Operation;
use crate::base::time::Time;
use std::collections::BTreeSet;

/// What came of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// An order that explains it, as places in the history. Operations that never returned and
    /// are not needed are left out.
    Order(Vec<usize>),
    /// There is none.
    Nothing,
    /// So many steps were not enough to know.
    GaveUp,
}

/// Searches an order of `ops` from `start`; each step of the model costs one of `budget`.
pub fn search<M: Model>(model: &M, start: &M::State, ops: &[Operation], budget: &mut u64) -> Found {
    Search::new(model, start, ops).run(budget)
}

/// The end of a list.
const END: u32 = u32::MAX;

/// An operation that was put next in the order, and what it takes to take that back.
struct Frame<S> {
    place: Place,
    before: S,
    /// It never changes anything, so there is no need to try another in its stead.
    only: bool,
}

/// Which operation: of those that returned, by call, or of those that did not.
#[derive(Clone, Copy)]
enum Place {
    Returned(u32),
    Open(u32),
}

struct Search<'a, M: Model> {
    model: &'a M,
    ops: &'a [Operation],
    /// Places in `ops`, by call, of those that returned and of those that may have happened.
    returned: Vec<u32>,
    open: Vec<u32>,
    list: List,
    done: Done,
    state: M::State,
    stack: Vec<Frame<M::State>>,
    seen: BTreeSet<(Box<[u64]>, M::State)>,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M, start: &M::State, ops: &'a [Operation]) -> Search<'a, M> {
        let mut all: Vec<u32> = (0u32..).take(ops.len()).collect();
        all.sort_by_key(|&at| ops[at as usize].call);
        let (returned, rest): (Vec<u32>, Vec<u32>) =
            all.into_iter().partition(|&at| ops[at as usize].returned().is_some());
        let happened = |at: &u32| ops[*at as usize].may_have_happened();
        let open: Vec<u32> = rest.into_iter().filter(happened).collect();
        let list = List::new(&returned, ops);
        let done = Done::new(returned.len(), open.len());
        let (state, stack, seen) = (start.clone(), Vec::new(), BTreeSet::new());
        Search { model, ops, returned, open, list, done, state, stack, seen }
    }

    fn run(mut self, budget: &mut u64) -> Found {
        // The first to try in the present configuration; none to try one that only observes.
        let mut from: Option<Place> = None;
        loop {
            if self.list.first() == END {
                return Found::Order(self.order());
            }
            let advanced = match from {
                None => match self.observing(budget) {
                    Some((call, next)) => {
                        if !self.advance(Place::Returned(call), next, true) {
                            // Everything from here has been tried.
                            from = Some(Place::Open(END));
                            continue;
                        }
                        true
                    }
                    None => self.changing(Place::Returned(self.list.first()), budget),
                },
                Some(place) => self.changing(place, budget),
            };
            if *budget == 0 {
                return Found::GaveUp;
            }
            if advanced {
                from = None;
            } else {
                match self.back() {
                    Some(next) => from = Some(next),
                    None => return Found::Nothing,
                }
            }
        }
    }

    /// Calls before the first return: those that can be next.
    fn callable(&self, mut entry: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::from_fn(move || {
            let call = self.list.call(entry)?;
            entry = self.list.next(entry);
            Some(call)
        })
    }

    fn step(&self, at: u32, budget: &mut u64) -> Option<M::State> {
        *budget = budget.saturating_sub(1);
        self.model.step(&self.state, &self.ops[at as usize])
    }

    /// An operation that can be next and never changes anything.
    fn observing(&self, budget: &mut u64) -> Option<(u32, M::State)> {
        self.callable(self.list.first()).find_map(|call| {
            let at = self.returned[call as usize];
            if !self.ops[at as usize].observes() {
                return None;
            }
            // Where a state stands for many, even an observation may tell more about it.
            self.step(at, budget).filter(|next| *next == self.state).map(|next| (call, next))
        })
    }

    /// Puts the first operation from `place` on that leads to something new next.
    fn changing(&mut self, place: Place, budget: &mut u64) -> bool {
        let mut open = 0;
        match place {
            Place::Open(END) => return false,
            Place::Open(from) => open = from,
            Place::Returned(entry) => {
                let calls: Vec<u32> = self.callable(entry).collect();
                for call in calls {
                    let next = self.step(self.returned[call as usize], budget);
                    if let Some(next) = next
                        && self.advance(Place::Returned(call), next, false)
                    {
                        return true;
                    }
                }
            }
        }
        let until = self.first_return();
        while let Some(&at) = self.open.get(open as usize) {
            if self.ops[at as usize].call > until {
                break;
            }
            if !self.done.open(open)
                && let Some(next) = self.step(at, budget)
                && next != self.state
                && self.advance(Place::Open(open), next, false)
            {
                return true;
            }
            open += 1;
        }
        false
    }

    /// When the first of those that are not in the order yet returned.
    fn first_return(&self) -> Time {
        let at = self.list.first_return();
        self.returned
            .get(at as usize)
            .and_then(|&at| self.ops[at as usize].returned())
            .unwrap_or(Time::NEVER)
    }

    /// Puts an operation next, unless that leads where the search has been.
    fn advance(&mut self, place: Place, next: M::State, only: bool) -> bool {
        self.done.set(place, true);
        if !self.seen.insert((self.done.key(), next.clone())) {
            self.done.set(place, false);
            return false;
        }
        if let Place::Returned(call) = place {
            self.list.lift(call);
        }
        let before = std::mem::replace(&mut self.state, next);
        self.stack.push(Frame { place, before, only });
        true
    }

    /// Takes back the last choice that had an alternative. What to try in its stead.
    fn back(&mut self) -> Option<Place> {
        loop {
            let frame = self.stack.pop()?;
            self.state = frame.before;
            self.done.set(frame.place, false);
            let next = match frame.place {
                Place::Returned(call) => {
                    self.list.unlift(call);
                    Place::Returned(self.list.next(call * 2))
                }
                Place::Open(at) => Place::Open(at + 1),
            };
            if !frame.only {
                return Some(next);
            }
        }
    }

    fn order(&self) -> Vec<usize> {
        let at = |frame: &Frame<M::State>| match frame.place {
            Place::Returned(call) => self.returned[call as usize] as usize,
            Place::Open(open) => self.open[open as usize] as usize,
        };
        self.stack.iter().map(at).collect()
    }
}

/// Calls and returns of those that are not in the order yet, by time; at the same time calls come
/// first. The call of the n-th operation is entry 2 n, its return 2 n + 1; the last entry stands
/// for both ends.
struct List {
    next: Vec<u32>,
    before: Vec<u32>,
}

impl List {
    fn new(returned: &[u32], ops: &[Operation]) -> List {
        let time = |entry: &u32| {
            let op = returned.get((entry / 2) as usize).and_then(|&at| ops.get(at as usize));
            let is_return = entry % 2 == 1;
            let at = |op: &Operation| if is_return { op.returned() } else { Some(op.call) };
            (op.and_then(at), is_return)
        };
        let ends = returned.len() as u32 * 2;
        let mut entries: Vec<u32> = (0..ends).collect();
        entries.sort_by_key(time);
        let mut list =
            List { next: vec![ends; ends as usize + 1], before: vec![ends; ends as usize + 1] };
        let mut last = ends;
        for entry in entries {
            list.next[last as usize] = entry;
            list.before[entry as usize] = last;
            last = entry;
        }
        list.next[last as usize] = ends;
        list.before[ends as usize] = last;
        list
    }

    fn ends(&self) -> u32 {
        self.next.len() as u32 - 1
    }

    fn first(&self) -> u32 {
        let first = self.next[self.ends() as usize];
        if first == self.ends() { END } else { first }
    }

    fn next(&self, entry: u32) -> u32 {
        let next = self.next[entry as usize];
        if next == self.ends() { END } else { next }
    }

    /// Whose call this entry is; none if it is a return or the end.
    fn call(&self, entry: u32) -> Option<u32> {
        (entry != END && entry.is_multiple_of(2)).then_some(entry / 2)
    }

    /// Whose return comes first.
    fn first_return(&self) -> u32 {
        let mut entry = self.first();
        while self.call(entry).is_some() {
            entry = self.next(entry);
        }
        entry / 2
    }

    fn lift(&mut self, call: u32) {
        for entry in [call * 2, call * 2 + 1] {
            let (before, next) = (self.before[entry as usize], self.next[entry as usize]);
            self.next[before as usize] = next;
            self.before[next as usize] = before;
        }
    }

    fn unlift(&mut self, call: u32) {
        for entry in [call * 2 + 1, call * 2] {
            let (before, next) = (self.before[entry as usize], self.next[entry as usize]);
            self.next[before as usize] = entry;
            self.before[next as usize] = entry;
        }
    }
}

/// Which operations are in the order. The key of a configuration leaves out those that returned
/// before all others and those that come after all: it grows with concurrency, not with length.
struct Done {
    returned: Vec<u64>,
    open: Vec<u64>,
    /// Words before this one are full; words from that one on are empty.
    full: usize,
    end: usize,
}

impl Done {
    fn new(returned: usize, open: usize) -> Done {
        let words = |n: usize| vec![0; n.div_ceil(64)];
        Done { returned: words(returned), open: words(open), full: 0, end: 0 }
    }

    fn open(&self, at: u32) -> bool {
        self.open.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn set(&mut self, place: Place, on: bool) {
        let (words, at) = match place {
            Place::Returned(at) => (&mut self.returned, at),
            Place::Open(at) => (&mut self.open, at),
        };
        let word = at as usize / 64;
        if on {
            words[word] |= 1 << (at % 64);
        } else {
            words[word] &= !(1 << (at % 64));
        }
        if let Place::Returned(_) = place {
            self.end = self.end.max(word + 1);
            self.full = self.full.min(word);
            while self.end > 0 && self.returned[self.end - 1] == 0 {
                self.end -= 1;
            }
            while self.returned.get(self.full) == Some(&u64::MAX) {
                self.full += 1;
            }
        }
    }

    fn key(&self) -> Box<[u64]> {
        let window = self.returned.get(self.full..self.end).unwrap_or_default();
        let mut key = Vec::with_capacity(1 + window.len() + self.open.len());
        key.push(self.full as u64);
        key.extend_from_slice(window);
        key.extend_from_slice(&self.open);
        key.into_boxed_slice()
    }
}
