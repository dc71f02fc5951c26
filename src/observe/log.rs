//! What a person would notice, in order of time: bounded, and calm in a storm. The first of many
//! alike events is told at once; the others are counted and told after a second, and while it goes
//! on after two, four and eight.

use super::event::Event;
use super::explain::explain;
use super::line::Line;
use super::scene::Scene;
use super::topic::Topic;
use crate::base::time::{Span, Time};
use std::collections::VecDeque;
use std::sync::Arc;

/// How long alike events are counted before they are told, at first and at most.
const WINDOW: Span = Span::secs(1);
const WINDOW_MAX: Span = Span::secs(8);
/// Lines kept of what happens rarely, and of what happens often.
const KEPT: usize = 400;
/// Kinds of events counted at a time.
const GROUPS: usize = 64;

#[derive(Clone, Debug)]
struct Entry {
    number: u64,
    event: Event,
    /// So many more of the topic, in so much time; zero for the event itself.
    more: u64,
    window: Span,
    topic: Topic,
    said: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    topic: Topic,
    until: Time,
    window: Span,
    more: u64,
    last: Event,
}

/// The log of a run.
#[derive(Clone, Debug, Default)]
pub struct Log {
    // Apart, so that a storm pushes out only what is like itself.
    rare: VecDeque<Entry>,
    often: VecDeque<Entry>,
    groups: Vec<Group>,
    next_flush: Option<Time>,
    written: u64,
}

impl Log {
    /// Takes an event in; true if a person would notice it. `said` is the fault in words.
    pub fn fold(&mut self, event: &Event, said: Option<&str>) -> bool {
        self.flush(event.at);
        let Some(topic) = Topic::of(event) else { return false };
        if topic == Topic::Once {
            self.push(*event, topic, None, said.map(Arc::from));
            return true;
        }
        if let Some(group) = self.groups.iter_mut().find(|g| g.topic == topic) {
            group.more += 1;
            group.last = *event;
            return true;
        }
        if self.groups.len() == GROUPS {
            let oldest = self.groups.remove(0);
            self.tell(&oldest, event.at);
        }
        let until = event.at + WINDOW;
        self.groups.push(Group { topic, until, window: WINDOW, more: 0, last: *event });
        self.next_flush = Some(self.next_flush.map_or(until, |at| at.min(until)));
        self.push(*event, topic, None, None);
        true
    }

    /// Tells what was counted in windows that are over at `now`.
    pub fn flush(&mut self, now: Time) {
        while let Some(due) = self.next_flush.filter(|&due| due <= now) {
            let mut groups = std::mem::take(&mut self.groups);
            groups.retain_mut(|group| {
                if group.until > due {
                    return true;
                }
                self.tell(group, due);
                // As long as it goes on it is only counted.
                let goes_on = group.more > 0;
                group.window = Span(group.window.0 * 2).min(WINDOW_MAX);
                group.until = due + group.window;
                group.more = 0;
                goes_on
            });
            self.next_flush = groups.iter().map(|g| g.until).min();
            self.groups = groups;
        }
    }

    fn tell(&mut self, group: &Group, at: Time) {
        match group.more {
            0 => {}
            1 => self.push(group.last, group.topic, None, None),
            _ => self.push(Event { at, ..group.last }, group.topic, Some(group), None),
        }
    }

    fn push(&mut self, event: Event, topic: Topic, of: Option<&Group>, said: Option<Arc<str>>) {
        self.written += 1;
        let (more, window) = of.map_or((0, Span::ZERO), |group| (group.more, group.window));
        let entry = Entry { number: self.written, event, more, window, topic, said };
        let rare = matches!(
            topic,
            Topic::Once | Topic::Breaker { .. } | Topic::Repeated { .. } | Topic::Ejected { .. }
        );
        let list = if rare { &mut self.rare } else { &mut self.often };
        if list.len() == KEPT {
            list.pop_front();
        }
        list.push_back(entry);
    }

    /// The newest lines, the newest first.
    pub fn lines(&self, newest: usize, scene: &Scene) -> Vec<Line> {
        let (mut rare, mut often) =
            (self.rare.iter().rev().peekable(), self.often.iter().rev().peekable());
        let next = || {
            let number = |entry: Option<&&Entry>| entry.map_or(0, |e| e.number);
            if number(rare.peek()) > number(often.peek()) { rare.next() } else { often.next() }
        };
        std::iter::from_fn(next).take(newest).map(|entry| line(entry, scene)).collect()
    }
}

fn line(entry: &Entry, scene: &Scene) -> Line {
    let line = explain(&entry.event, scene, entry.said.as_deref());
    match entry.more {
        0 => line,
        n => {
            let text = match entry.window {
                WINDOW => format!("{} in the last second", entry.topic.more(n, scene)),
                window => format!("{} in the last {window}", entry.topic.more(n, scene)),
            };
            Line { text, intent: None, ..line }
        }
    }
}
