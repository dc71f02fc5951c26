//! What was done lately, kept so that a violation can be shown: the operations of clients that
//! prove it, and what nodes did about them.
//!
//! A check names the intents that prove a violation; everything else is looked up here, once, soon
//! after it was found. What is so old that it is forgotten by then is not shown.

use super::effects::{Effect, Effects, Shards};
use super::history::operation::{Action, Operation, Outcome, Output};
use super::history::recorder::{Event, Recorder};
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::note::{Hold, Note};
use crate::protocol::rpc::{Ending, Outcome as Seen};
use crate::sim::trace::{Record, What};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// So many notes are in a page, which is never changed once it is full; and so many pages.
const PAGE: usize = 256;
const PAGES: usize = 128;
/// A read that shows a loss is looked for so long.
const PATIENCE: Span = Span::secs(5);

/// When which node said what.
type Said = (Time, NodeId, Note);

/// What a check holds against a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The smallest set of intents that proves it.
    pub intents: Vec<u64>,
    /// When it was found.
    pub at: Time,
    /// What nodes held then, in a word and in a sentence without the name of the node.
    pub held: Vec<(NodeId, String, String)>,
    /// The first of the intents is a change that is gone: a read that misses it shows that.
    pub is_loss: bool,
    /// Operations around it, where the check has kept them itself.
    pub scene: Vec<Operation>,
}

/// A violation as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// What is held against the run.
    pub case: Case,
    /// What clients did: what proves it, and perhaps what came close to it.
    pub ops: Vec<Operation>,
    /// The numbers of those that prove it.
    pub proving: BTreeSet<u64>,
    /// Whom they were sent to, where that is remembered.
    pub asked: Vec<(u64, NodeId)>,
    /// What nodes did about those that prove it, and who came to lead meanwhile.
    pub acts: Vec<Act>,
}

/// What a node did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// When.
    pub at: Time,
    /// Who.
    pub node: NodeId,
    /// What.
    pub note: Note,
    /// It had been done before.
    pub again: bool,
}

/// The newest notes about what is done to data.
#[derive(Clone, Debug)]
pub struct Witness {
    groups: Vec<u16>,
    shards: Shards,
    pages: VecDeque<Arc<[Said]>>,
    open: Vec<Said>,
}

impl Witness {
    /// Of a run that has not begun; `groups` by node.
    pub fn new(groups: &[u16], shards: Shards) -> Witness {
        Witness { groups: groups.to_vec(), shards, pages: VecDeque::new(), open: Vec::new() }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let What::Note { node, note } = record.what else { return };
        if !is_of_interest(&note) {
            return;
        }
        self.open.push((record.at, node, note));
        if self.open.len() == PAGE {
            let full = std::mem::replace(&mut self.open, Vec::with_capacity(PAGE));
            self.pages.push_back(full.into());
            if self.pages.len() > PAGES {
                self.pages.pop_front();
            }
        }
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = &Said> {
        self.pages.iter().flat_map(|page| page.iter()).chain(&self.open)
    }

    /// The intent of the newest change of an item in `group` that a test is true of.
    pub fn newest(&self, group: u16, item: u32, test: &dyn Fn(&Note) -> bool) -> Option<u64> {
        let found = self.all().rev().find(|(_, node, note)| {
            let own = matches!(*note, Note::Stamped { item: of, .. } if of == item);
            own && self.groups.get(node.index()) == Some(&group) && test(note)
        });
        found.and_then(|(.., note)| note.intent())
    }

    /// What is to be shown; none if nothing of it is remembered.
    pub fn proof(&self, case: Case) -> Option<Proof> {
        let proving: BTreeSet<u64> = case.intents.iter().copied().collect();
        let own = |said: &&Said| said.2.intent().is_some_and(|intent| proving.contains(&intent));
        let notes: Vec<Said> = self.all().filter(own).copied().collect();
        let mut ops = case.scene.clone();
        if ops.is_empty() {
            ops = self.operations(notes.iter(), Time::ZERO);
        }
        let from = notes.first().map_or(case.at, |(at, ..)| *at);
        let is_shown = |said: &&Said| match said.2 {
            Note::Leads { .. } => said.0 >= from,
            _ => own(said) && is_act(&said.2),
        };
        let said = self.all().filter(|said| said.0 <= case.at && is_shown(said));
        let mut effects = Effects::new(self.shards.clone());
        let act = |&(at, node, note): &Said| {
            let group = self.groups.get(node.index()).copied().unwrap_or(u16::MAX);
            let again = matches!(effects.fold(&note, group), Effect::Made(2..));
            Act { at, node, note, again }
        };
        let acts = said.map(act).collect();
        let mut asked = Vec::new();
        for (_, node, note) in &notes {
            if let Note::Sent { intent, target, .. } = *note
                && (intent >> 40) as u32 == node.0
            {
                asked.push((intent, target));
            }
        }
        (!ops.is_empty()).then_some(Proof { case, ops, proving, asked, acts })
    }

    /// What clients did, as their notes tell it, if it was called at `from` or later.
    fn operations<'a>(&self, notes: impl Iterator<Item = &'a Said>, from: Time) -> Vec<Operation> {
        let mut recorder = Recorder::new(&self.groups);
        let mut ops = Vec::new();
        for &(at, node, note) in notes {
            let record = Record { seq: 0, cause: 0, at, what: What::Note { node, note } };
            recorder.fold(&record, &mut |event| {
                if let Event::Ended(op) = event {
                    ops.push(as_told(op, &note));
                }
            });
        }
        ops.extend(recorder.open());
        ops.retain(|op| op.call >= from);
        ops
    }

    /// The first read that shows the loss of a change, if there is one: it was called after the
    /// loss was found, and saw an older version than the change that is gone.
    fn misses(&self, lost: &Operation, since: Time) -> Option<Operation> {
        let later = self.all().filter(|(at, ..)| *at >= since);
        let misses = |op: &Operation| {
            let same = op.item == lost.item && op.action == Action::Read;
            same && op.returned().is_some() && op.version() < lost.version()
        };
        self.operations(later, since).into_iter().find(misses)
    }
}

/// A proof, and whether it can still become better.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    proof: Option<Proof>,
    key: (Time, Vec<u64>),
    is_complete: bool,
}

impl Shown {
    /// Of a case that has come up, or is known: `shown` is what is known of it.
    pub(super) fn look(
        shown: &mut Option<Arc<Shown>>,
        case: Option<Case>,
        witness: &Witness,
        now: Time,
    ) {
        let Some(case) = case else {
            *shown = None;
            return;
        };
        let key = (case.at, case.intents.clone());
        if shown.as_ref().is_some_and(|shown| shown.key == key && shown.is_complete) {
            return;
        }
        // Some of it may still be under way, or be followed by a read.
        let mut proof = witness.proof(case);
        let is_complete = proof.as_mut().is_none_or(|proof| {
            let over = proof.ops.iter().all(|op| op.ended().is_some());
            let lost = proof.case.intents.first().filter(|_| proof.case.is_loss);
            let lost = proof.ops.iter().find(|op| Some(&op.id) == lost && op.version() > 0);
            let read = lost.and_then(|lost| witness.misses(lost, proof.case.at));
            let found = lost.is_none() || read.is_some();
            if let Some(read) = read {
                proof.proving.insert(read.id);
                proof.ops.push(read);
            }
            (over && found) || now.since(proof.case.at) > PATIENCE
        });
        // What has been forgotten meanwhile is no reason to show less.
        let size = |proof: &Option<Proof>| proof.as_ref().map_or(0, |proof| proof.ops.len());
        let before = shown.take().filter(|before| before.key == key);
        *shown = match before {
            Some(before) if size(&before.proof) > size(&proof) => {
                let proof = before.proof.clone();
                Some(Arc::new(Shown { proof, key, is_complete: true }))
            }
            _ => Some(Arc::new(Shown { proof, key, is_complete })),
        };
    }

    /// What there is to show.
    pub(super) fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }
}

/// A change that no store answered is none in a history; but its client was told that it is done.
fn as_told(op: Operation, note: &Note) -> Operation {
    let is_told = matches!(note, Note::Ended { ending: Ending::Ok, .. });
    match op.outcome {
        Outcome::Failed { at } if is_told => {
            let outcome = Outcome::Ok { at, output: Output::Nothing, version: 0 };
            Operation { outcome, ..op }
        }
        _ => op,
    }
}

/// What an operation or an act can be told from.
fn is_of_interest(note: &Note) -> bool {
    match note {
        Note::Began { .. } | Note::Sent { .. } | Note::Ended { .. } | Note::Leads { .. } => true,
        Note::Answered { outcome, .. } => matches!(outcome, Seen::Answered(_)),
        Note::Stamped { .. } => true,
        other => is_act(other),
    }
}

/// What a node did about a change.
fn is_act(note: &Note) -> bool {
    match note {
        Note::Applied { op, .. } => op.changes(),
        Note::Undone { .. } | Note::Transfer { .. } | Note::Letter { .. } => true,
        Note::Truncated { led, .. } => *led,
        Note::Held { hold, .. } => matches!(hold, Hold::Locks | Hold::Releases),
        _ => false,
    }
}
