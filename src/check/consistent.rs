//! What clients saw of the stores of a run, judged as a history while it grows: linearizability,
//! sequential consistency and the guarantees of a session.

use super::history::live::{Live, Violation};
use super::history::operation::Operation;
use super::history::recorder::Event;
use super::history::session::{Broken, Guarantee, Sessions};
use super::history::whole::Whole;
use super::witness::Case;
use super::{PROOFS, State, Verdict};
use crate::base::time::Time;
use std::collections::{BTreeSet, VecDeque};

/// A property of the history of a run.
#[derive(Clone, Debug)]
pub struct Consistent {
    judge: Judge,
    scene: Vec<Operation>,
}

/// So many operations around a violation are kept for a picture.
const SCENE: usize = 48;

#[derive(Clone, Debug)]
enum Judge {
    Linearizable(Live),
    Sequential(Box<Whole>),
    Session { name: &'static str, sessions: Sessions, broken: u64, first: Option<Broken> },
}

impl Consistent {
    /// Every item is linearizable.
    pub fn linearizable() -> Consistent {
        Consistent { judge: Judge::Linearizable(Live::default()), scene: Vec::new() }
    }

    /// One order of everything explains what each client saw, and has what it did in its order.
    pub fn sequential() -> Consistent {
        Consistent { judge: Judge::Sequential(Box::default()), scene: Vec::new() }
    }

    /// Clients have this guarantee.
    pub fn session(guarantee: Guarantee) -> Consistent {
        let (name, sessions) = (guarantee.name(), Sessions::new(guarantee));
        let judge = Judge::Session { name, sessions, broken: 0, first: None };
        Consistent { judge, scene: Vec::new() }
    }

    /// Takes in what happened; `recent` are the operations that ended lately.
    pub fn fold(&mut self, event: &Event, recent: &VecDeque<Operation>) {
        let (before, Event::Called(op) | Event::Ended(op)) = (self.is_violated(), event);
        match (&mut self.judge, event) {
            (Judge::Linearizable(live), event) => live.fold(event),
            (Judge::Sequential(whole), event) => whole.fold(event),
            (Judge::Session { sessions, broken, first, .. }, Event::Ended(op)) => {
                if let Some(found) = sessions.ended(op) {
                    *broken += 1;
                    first.get_or_insert(found);
                }
            }
            (Judge::Session { .. }, Event::Called(_)) => {}
        }
        if !before && self.is_violated() {
            self.scene = match &self.judge {
                // What proves it may be about several items, and long ago.
                Judge::Sequential(whole) => whole.first.iter().flat_map(|f| f.0.clone()).collect(),
                _ => scene(&self.proof(), op, recent),
            };
        }
    }

    fn is_violated(&self) -> bool {
        match &self.judge {
            Judge::Linearizable(live) => live.first.is_some(),
            Judge::Sequential(whole) => whole.first.is_some(),
            Judge::Session { first, .. } => first.is_some(),
        }
    }

    /// The numbers of the operations that prove the first violation, if there is one.
    pub fn proof(&self) -> BTreeSet<u64> {
        match &self.judge {
            Judge::Linearizable(live) => {
                live.first.iter().flat_map(|f| f.proof.iter().copied()).collect()
            }
            Judge::Sequential(whole) => {
                whole.first.iter().flat_map(|(proof, ..)| proof.iter().map(|op| op.id)).collect()
            }
            Judge::Session { first, .. } => first.iter().flat_map(|f| f.proof).collect(),
        }
    }

    /// What happened to the same item around the first violation.
    pub fn scene(&self) -> &[Operation] {
        &self.scene
    }

    /// What proves the first violation.
    pub fn case(&self) -> Option<Case> {
        let at = match &self.judge {
            Judge::Linearizable(live) => live.first.as_ref()?.at,
            Judge::Sequential(whole) => whole.first.as_ref()?.1,
            Judge::Session { first, .. } => first.as_ref()?.at,
        };
        let intents = self.proof().into_iter().collect();
        Some(Case { intents, at, scene: self.scene.clone(), ..Case::default() })
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        match &self.judge {
            Judge::Linearizable(live) => linearizable(live),
            Judge::Sequential(whole) => sequential(whole),
            Judge::Session { name, sessions, broken, first } => {
                let judged = sessions.judged();
                let found = first.as_ref().map(|f| (f.proof.to_vec(), f.at, f.sentence.clone()));
                let holds = match judged {
                    0 => "No client has come back to what it had seen yet.".to_owned(),
                    n => format!("{n} times a client came back to an item, never to its past."),
                };
                verdict((*name).to_owned(), judged, *broken, found, holds)
            }
        }
    }
}

/// The newest operations on the item of `last`, and those that prove something.
fn scene(proof: &BTreeSet<u64>, last: &Operation, recent: &VecDeque<Operation>) -> Vec<Operation> {
    let mut own: Vec<Operation> =
        recent.iter().rev().filter(|op| op.item == last.item).copied().collect();
    let mut room = SCENE;
    own.retain(|op| {
        room = room.saturating_sub(1);
        room > 0 || proof.contains(&op.id)
    });
    own.reverse();
    own
}

fn linearizable(live: &Live) -> Verdict {
    let name = "every item is linearizable".to_owned();
    let (judged, items) = (live.judged, live.items());
    let found = live.first.as_ref();
    let found =
        found.map(|Violation { proof, at, sentence }| (proof.clone(), *at, sentence.clone()));
    let holds = match judged {
        0 => "Nothing was read or changed yet.".to_owned(),
        n => format!("{n} operations on {items} items, with an order that explains each."),
    };
    let mut verdict = verdict(name, judged, live.violated, found, holds);
    if live.given_up > 0 && verdict.state == State::Holds {
        verdict.state = State::Unknown;
        verdict.sentence =
            format!("{} of {judged} operations overlap too many others to judge.", live.given_up);
    }
    verdict
}

fn sequential(whole: &Whole) -> Verdict {
    let name = "all items are sequentially consistent".to_owned();
    let judged = whole.judged as u64;
    let found = whole
        .first
        .as_ref()
        .map(|(proof, at, text)| (proof.iter().map(|op| op.id).collect(), *at, text.clone()));
    let holds = match judged {
        0 => "Nothing was judged yet.".to_owned(),
        n => format!("The first {n} operations have an order that explains them all."),
    };
    let wrong = u64::from(found.is_some());
    let mut verdict = verdict(name, judged, wrong, found, holds);
    if whole.gave_up {
        verdict.state = State::Unknown;
        verdict.sentence = format!("{} Of more there are too many to judge.", verdict.sentence);
    }
    Verdict { count: None, ..verdict }
}

/// A verdict on so many cases, so many of which are wrong.
fn verdict(
    name: String,
    judged: u64,
    wrong: u64,
    found: Option<(Vec<u64>, Time, String)>,
    holds: String,
) -> Verdict {
    let count = Some((wrong, judged));
    match found {
        Some((mut intents, at, text)) => {
            // The last ones are those that broke it.
            intents.drain(..intents.len().saturating_sub(PROOFS));
            let sentence = match wrong {
                1 => text,
                _ => format!("{text} {wrong} of {judged} operations are wrong."),
            };
            let state = State::Violated;
            Verdict { name, state, sentence, at: Some(at), intents, count }
        }
        None => {
            let state = if judged == 0 { State::Unknown } else { State::Holds };
            Verdict { name, state, sentence: holds, at: None, intents: Vec::new(), count }
        }
    }
}
