//! What clients saw of the stores of a run, judged as a history while it grows: linearizability
//! and the guarantees of a session.

use super::history::live::{Live, Violation};
use super::history::recorder::{Event, Recorder};
use super::history::session::{Broken, Guarantee, Sessions};
use super::{PROOFS, State, Verdict};
use crate::base::time::Time;
use crate::protocol::Role;
use crate::sim::trace::Record;

/// A property of the history of a run.
#[derive(Clone, Debug)]
pub struct Consistent {
    recorder: Recorder,
    judge: Judge,
}

#[derive(Clone, Debug)]
enum Judge {
    Linearizable(Live),
    Session { name: &'static str, sessions: Sessions, broken: u64, first: Option<Broken> },
}

impl Consistent {
    /// Every item is linearizable; `groups` by node.
    pub fn linearizable(groups: &[u16]) -> Consistent {
        Consistent { recorder: Recorder::new(groups), judge: Judge::Linearizable(Live::default()) }
    }

    /// Clients have this guarantee; `groups` by node.
    pub fn session(guarantee: Guarantee, groups: &[u16]) -> Consistent {
        let (name, sessions) = (guarantee.name(), Sessions::new(guarantee));
        let judge = Judge::Session { name, sessions, broken: 0, first: None };
        Consistent { recorder: Recorder::new(groups), judge }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let judge = &mut self.judge;
        self.recorder.fold(record, &mut |event| match (&mut *judge, event) {
            (Judge::Linearizable(live), event) => live.fold(&event),
            (Judge::Session { sessions, broken, first, .. }, Event::Ended(op)) => {
                if let Some(found) = sessions.ended(&op) {
                    *broken += 1;
                    first.get_or_insert(found);
                }
            }
            (Judge::Session { .. }, Event::Called(_)) => {}
        });
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        match &self.judge {
            Judge::Linearizable(live) => linearizable(live),
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
