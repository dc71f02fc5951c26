//! What proves a violation, as a picture of operations: what clients did, what nodes did about it,
//! and what else happened meanwhile.

use super::course::FaultSpan;
use super::event::{Event, Fact};
use super::explain::explain;
use super::operations::{Bar, BarState, Operations, called};
use super::scene::Scene;
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::{Span, Time};
use crate::check::history::operation::Operation;
use crate::check::witness::{Act, Proof};
use crate::protocol::note::{Hold, Note, Post, Step};

/// So many acts of nodes are shown.
const ACTS: usize = 16;
/// Faults that ended so long before are shown: what they did may be seen only then.
const BEFORE: Span = Span::secs(2);

/// The operations that prove a violation and everything around them.
pub fn of_proof(proof: &Proof, scene: &Scene, faults: &[FaultSpan]) -> Operations {
    let cast = &scene.cast;
    let name = |process: u64| called(cast, process);
    let proving = proof.ops.iter().filter(|op| proof.proving.contains(&op.id)).copied();
    let ops: Vec<Operation> = proving.collect();
    let mut shown = Operations::new(&ops, &proof.proving, &name, String::new());
    for bar in &mut shown.bars {
        // The last attempt is the one that was answered, if one was.
        if let Some((_, node)) = proof.asked.iter().rfind(|(id, _)| Some(*id) == bar.id) {
            bar.text = format!("{}, asked {}", bar.text, cast.name(*node));
        }
    }
    shown.sentence = in_a_sentence(&shown.bars);
    let acts = acts(proof, scene);
    let first = shown.bars.iter().map(|bar| bar.from).min().unwrap_or(Time::ZERO);
    let events = meanwhile(proof, scene, faults, first);
    let mut nodes: Vec<NodeId> = acts.iter().map(|(node, _)| *node).collect();
    order::up(&mut nodes);
    nodes.dedup();
    for (node, bar) in acts {
        let place = nodes.binary_search(&node).unwrap_or(0);
        insert(&mut shown.bars, Bar { row: shown.rows.len() + place, ..bar });
    }
    shown.rows.extend(nodes.iter().map(|node| cast.name(*node).to_owned()));
    if !events.is_empty() {
        // They come first, above everything that they divide in time.
        shown.rows.insert(0, "meanwhile".to_owned());
        shown.bars.iter_mut().for_each(|bar| bar.row += 1);
        events.into_iter().for_each(|event| insert(&mut shown.bars, event));
    }
    shown
}

/// Puts a bar among those that are there, in the order of time.
fn insert(bars: &mut Vec<Bar>, bar: Bar) {
    let place = bars.partition_point(|other| other.from <= bar.from);
    bars.insert(place, bar);
}

/// The operations that prove it, one after the other.
fn in_a_sentence(bars: &[Bar]) -> String {
    let said = |bar: &Bar| match bar.until {
        Some(until) => format!("{} ({} to {until})", bar.text, bar.from),
        None => format!("{} (since {})", bar.text, bar.from),
    };
    let all: Vec<String> = bars.iter().filter(|bar| bar.proves).map(said).collect();
    format!("{}.", all.join("; "))
}

/// A bar of no length.
fn instant(at: Time, sign: String, text: String, state: BarState) -> Bar {
    let (from, until) = (at, Some(at));
    Bar { id: None, row: 0, from, until, sign, text, state, proves: false, point: None }
}

/// What nodes did, and what they held in the end.
fn acts(proof: &Proof, scene: &Scene) -> Vec<(NodeId, Bar)> {
    let mut acts = Vec::new();
    let about = proof.acts.iter().filter(|act| !matches!(act.note, Note::Leads { .. }));
    for act in about.take(ACTS) {
        let text = words(act, scene);
        let text = if act.again { format!("{text} once more") } else { text };
        let bar = instant(act.at, sign(act).to_owned(), text, BarState::Act);
        // What was done again is what is wrong.
        acts.push((act.node, Bar { proves: act.again, ..bar }));
    }
    for (node, sign, text) in &proof.case.held {
        let text = format!("{} {text}", scene.name(*node));
        acts.push((*node, instant(proof.case.at, sign.clone(), text, BarState::Act)));
    }
    acts
}

/// What a node did in words.
fn words(&Act { at, node, note, .. }: &Act, scene: &Scene) -> String {
    explain(&Event { seq: 0, cause: 0, at, fact: Fact::Note { node, note } }, scene, None).text
}

/// The same as short as it can be read.
fn sign(act: &Act) -> &'static str {
    match act.note {
        Note::Applied { .. } if act.again => "done again",
        Note::Applied { .. } => "done",
        Note::Undone { .. } => "undone",
        Note::Truncated { .. } => "cut off",
        Note::Held { hold: Hold::Locks, .. } => "locks",
        Note::Held { .. } => "releases",
        Note::Transfer { step, .. } => match step {
            Step::Commits => "commits",
            Step::Aborts => "aborts",
            Step::Halfway => "half done",
            Step::TurnsBack => "turns back",
            Step::Undone => "given back",
            Step::Done => "both done",
            Step::GivenUp => "gives up",
        },
        Note::Letter { step, .. } => match step {
            Post::Kept => "kept",
            Post::HandedOut { .. } => "handed out",
            Post::Returned => "returned",
            Post::Expired => "expired",
            Post::Acknowledged { .. } => "worked on",
            Post::Dead { .. } => "dead letter",
            Post::Redriven => "put back",
            Post::Dropped => "dropped",
            Post::Lost => "lost",
        },
        _ => "",
    }
}

/// Who came to lead, and what broke or was repaired, from shortly before the first operation.
fn meanwhile(proof: &Proof, scene: &Scene, faults: &[FaultSpan], first: Time) -> Vec<Bar> {
    let (from, until) = (Time(first.0.saturating_sub(BEFORE.0)), proof.case.at);
    let mut events = Vec::new();
    let mut add = |at: Time, sign: String, text: String| {
        if from <= at && at <= until {
            events.push(instant(at, sign, text, BarState::Meanwhile));
        }
    };
    for act in proof.acts.iter().filter(|act| matches!(act.note, Note::Leads { .. })) {
        add(act.at, format!("{} leads", scene.name(act.node)), words(act, scene));
    }
    for fault in faults {
        let text = &fault.sentence;
        let sign = match fault.down {
            Some(node) => format!("✕ {}", scene.name(node)),
            None => "✕".to_owned(),
        };
        add(fault.since, sign.clone(), text.clone());
        if let Some(at) = fault.until {
            add(at, sign.replace('✕', "✓"), format!("over: {text}"));
        }
    }
    // Faults explain more than who leads, and the first more than the rest.
    order::by_key(&mut events, |event: &Bar| (!event.sign.starts_with(['✕', '✓']), event.from));
    events.truncate(ACTS);
    order::by_key(&mut events, |event: &Bar| event.from);
    events
}
