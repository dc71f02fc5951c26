//! What became of each intent: the events of the latest ones, and of those worth asking about.
//!
//! Events are kept in pages that never change once full, so a clone shares them. When so much
//! happens that the pages would hold less than two seconds, only every second, fourth, … intent
//! is followed from then on.

use super::account::Account;
use super::event::{Event, Fact};
use super::explain::explain;
use super::line::{Line, Story};
use super::scene::Scene;
use crate::base::order;
use crate::base::time::{Span, Time};
use crate::protocol::note::Note;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Events in a page, and pages.
const PAGE: usize = 512;
const PAGES: usize = 48;
/// Intents worth asking about that are kept when their pages go.
const NOTABLE: usize = 96;
/// Of one intent, so many events at most.
const EVENTS_MAX: usize = 400;
/// What the pages hold at least, or fewer intents are followed.
const REACH: Span = Span::secs(2);
/// When there are many, an intent worth asking about is taken so often.
const PACE: Span = Span::millis(50);

/// An intent worth asking about, and the event that made it so.
#[derive(Clone, Copy, Debug)]
struct Notable {
    intent: u64,
    event: Event,
}

/// The lives of intents.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pages: VecDeque<Arc<[Event]>>,
    open: Vec<Event>,
    notable: VecDeque<Notable>,
    /// Events of notable intents whose pages are gone.
    kept: BTreeMap<u64, Vec<Event>>,
    /// One of 2^thinned intents is followed.
    thinned: u32,
    thinned_at: Time,
}

impl Ledger {
    /// Takes in an event that does not go without saying.
    pub fn fold(&mut self, event: &Event) {
        let Some(intent) = event.intent() else { return };
        if !self.follows(intent) {
            return;
        }
        if is_notable(&event.fact) {
            self.note(Notable { intent, event: *event });
        }
        self.open.push(*event);
        if self.open.len() == PAGE {
            self.turn(event.at);
        }
    }

    fn follows(&self, intent: u64) -> bool {
        // Fibonacci hashing spreads numbers that follow each other.
        let spread = intent.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.thinned == 0 || spread >> (64 - self.thinned) == 0
    }

    fn note(&mut self, notable: Notable) {
        let full = self.notable.len() == NOTABLE;
        let recent = self.notable.back().map_or(Time::ZERO, |n| n.event.at);
        if full && notable.event.at < recent + PACE {
            return;
        }
        if self.notable.back().is_some_and(|n| n.intent == notable.intent) {
            self.notable.pop_back();
        } else if full && let Some(old) = self.notable.pop_front() {
            self.kept.remove(&old.intent);
        }
        self.notable.push_back(notable);
    }

    /// A page is full.
    fn turn(&mut self, now: Time) {
        let full = std::mem::replace(&mut self.open, Vec::with_capacity(PAGE));
        self.pages.push_back(full.into());
        if self.pages.len() <= PAGES {
            return;
        }
        let Some(page) = self.pages.pop_front() else { return };
        // Pages from before the last thinning say nothing about what it achieved.
        let short = |e: &Event| e.at >= self.thinned_at && now.since(e.at) < REACH;
        if page.first().is_some_and(short) && self.thinned < 20 {
            self.thinned += 1;
            self.thinned_at = now;
        }
        let mut wanted: Vec<u64> = self.notable.iter().map(|n| n.intent).collect();
        order::up(&mut wanted);
        for event in page.iter() {
            let Some(intent) = event.intent() else { continue };
            if wanted.binary_search(&intent).is_ok() {
                let kept = self.kept.entry(intent).or_default();
                if kept.len() < EVENTS_MAX {
                    kept.push(*event);
                }
            }
        }
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.pages.iter().flat_map(|page| page.iter()).chain(&self.open)
    }

    /// The events of an intent that are still known, in order.
    pub fn events(&self, intent: u64) -> Vec<Event> {
        let kept = self.kept.get(&intent).into_iter().flatten();
        let recent = self.all().filter(|e| e.intent() == Some(intent));
        kept.chain(recent).take(EVENTS_MAX).copied().collect()
    }

    /// What became of an intent; none if nothing is known of it any more.
    pub fn account(&self, intent: u64) -> Option<Account> {
        let events = self.events(intent);
        (!events.is_empty()).then(|| Account::of(intent, &events))
    }

    /// The life of an intent in sentences.
    pub fn story(&self, intent: u64, scene: &Scene) -> Option<Story> {
        let events = self.events(intent);
        if events.is_empty() {
            return None;
        }
        let account = Account::of(intent, &events);
        let life = events.iter().map(|e| explain(e, scene, None)).collect();
        Some(Story { title: account.title(scene), rows: account.rows(scene), life })
    }

    /// The story of a message that was lost: its end, and the life of the intent it served.
    pub fn lost_story(&self, packet: u64, scene: &Scene) -> Option<Story> {
        let of_packet = |e: &&Event| matches!(e.fact, Fact::Ended { packet: p, .. } if p == packet);
        let event = self.kept.values().flatten().chain(self.all()).find(of_packet)?;
        let story = self.story(event.intent()?, scene)?;
        Some(Story { title: explain(event, scene, None).text, ..story })
    }

    /// Intents worth asking about, the latest first, with the line that made them so.
    pub fn notable(&self, scene: &Scene) -> Vec<(u64, Line)> {
        let lines = self.notable.iter().rev();
        lines.map(|n| (n.intent, explain(&n.event, scene, None))).collect()
    }

    /// The share of intents that is followed.
    pub fn followed(&self) -> f64 {
        1.0 / f64::from(1u32 << self.thinned)
    }
}

fn is_notable(fact: &Fact) -> bool {
    match fact {
        Fact::Repeated { .. } => true,
        Fact::Note { note, .. } => match note {
            Note::Ended { ending, .. } => !ending.is_good(),
            Note::Undone { .. } => true,
            _ => false,
        },
        Fact::Sent { .. }
        | Fact::Ended { .. }
        | Fact::Node { .. }
        | Fact::Fault { .. }
        | Fact::Deferred { .. } => false,
    }
}
