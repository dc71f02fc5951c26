//! A table of idempotency keys: what was asked under a key, and what was answered. Sources: the
//! draft `draft-ietf-httpapi-idempotency-key-header`, sections 2.6 and 2.7, for a key with another
//! body and for one at work; Stripe's API reference, "Idempotent requests", for 24 hours.

use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How keys are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySettings {
    /// How long after the first request; a key that comes later is new.
    pub lifetime: Span,
    /// How many at most; the oldest goes first.
    pub capacity: u32,
}

impl Default for KeySettings {
    fn default() -> Self {
        KeySettings { lifetime: Span::secs(24 * 3600), capacity: 1_000_000 }
    }
}

/// What a table knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<A> {
    /// Nothing: it is at work from now on.
    New,
    /// The same request is at work.
    InFlight,
    /// The same request was answered so.
    Done(A),
    /// It belongs to another request.
    OtherBody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known<A> {
    since: Time,
    body: u64,
    answer: Option<A>,
}

/// A table of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTable<A> {
    settings: KeySettings,
    known: BTreeMap<u64, Known<A>>,
    // In order of time; a key begun again appears twice, and only the later entry counts.
    ages: VecDeque<(Time, u64)>,
}

impl<A: Copy> KeyTable<A> {
    /// An empty table.
    pub fn new(settings: &KeySettings) -> KeyTable<A> {
        KeyTable { settings: *settings, known: BTreeMap::new(), ages: VecDeque::new() }
    }

    /// How many keys are remembered.
    pub fn len(&self) -> u32 {
        self.known.len() as u32
    }

    /// True when no key is remembered.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// A request with `key` and a body of this fingerprint has come.
    pub fn begin(&mut self, now: Time, key: u64, body: u64) -> Seen<A> {
        self.expire(now);
        match self.known.get(&key) {
            Some(known) if known.body != body => Seen::OtherBody,
            Some(Known { answer: Some(answer), .. }) => Seen::Done(*answer),
            Some(_) => Seen::InFlight,
            None => {
                self.known.insert(key, Known { since: now, body, answer: None });
                self.ages.push_back((now, key));
                Seen::New
            }
        }
    }

    /// The request with `key` was answered; false if the key is no longer known.
    pub fn finish(&mut self, _now: Time, key: u64, answer: A) -> bool {
        let known = self.known.get_mut(&key);
        known.map(|known| known.answer = Some(answer)).is_some()
    }

    /// The request with `key` was not done: the key is free again.
    pub fn abort(&mut self, key: u64) {
        self.known.remove(&key);
    }

    /// Forgets every key whose request was not answered.
    pub fn abort_in_flight(&mut self) {
        self.known.retain(|_, known| known.answer.is_some());
    }

    fn expire(&mut self, now: Time) {
        while let Some(&(since, key)) = self.ages.front() {
            let old = now.since(since) >= self.settings.lifetime;
            let full = self.ages.len() > self.settings.capacity.max(1) as usize;
            if !old && !full {
                return;
            }
            self.ages.pop_front();
            if self.known.get(&key).is_some_and(|known| known.since == since) {
                self.known.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(lifetime: u64, capacity: u32) -> KeyTable<char> {
        KeyTable::new(&KeySettings { lifetime: Span(lifetime), capacity })
    }

    #[test]
    fn a_key_is_recognised_until_its_lifetime_ends() {
        let mut keys = table(100, 10);
        assert_eq!(keys.begin(Time(0), 7, 1), Seen::New);
        assert_eq!(keys.begin(Time(1), 7, 1), Seen::InFlight);
        assert_eq!(keys.begin(Time(1), 7, 2), Seen::OtherBody);
        assert!(keys.finish(Time(2), 7, 'a'));
        assert_eq!(keys.begin(Time(99), 7, 1), Seen::Done('a'));
        assert_eq!(keys.begin(Time(100), 7, 1), Seen::New);
        keys.abort(7);
        assert_eq!(keys.begin(Time(101), 7, 2), Seen::New);
        // The entry of the first life must not take the third with it.
        assert_eq!(keys.begin(Time(200), 7, 2), Seen::InFlight);
    }

    #[test]
    fn the_oldest_key_makes_room() {
        let mut keys = table(1_000, 2);
        for key in 1..=3 {
            keys.begin(Time(key), key, 0);
        }
        assert_eq!(keys.begin(Time(9), 3, 0), Seen::InFlight);
        assert_eq!(keys.len(), 2);
        assert_eq!(keys.begin(Time(9), 1, 0), Seen::New);
    }
}
