//! Names and where they lead: a name server that knows several places for a service, asks whether
//! they are alive, and tells whoever asks the one to use. Whoever was told keeps it for a time (the
//! time to live), so a failover is as slow as that, whatever the server knows.
//!
//! Callers ask through resolvers that many of them share, as people share those of their provider:
//! each keeps its own answer and asks again when it is too old. While it waits, or when nobody
//! answers, it goes on with the old one (RFC 8767, serving stale data).

use super::health::{Health, HealthSettings};
use super::note::Note;
use super::{Cx, Message, Role, Timer};
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::{Span, Time};
use crate::sim::process::Input;
use serde::{Deserialize, Serialize};

/// How many resolvers the clients of a caller share.
const RESOLVERS: u64 = 16;
/// How long a resolver waits for an answer before it asks again.
const PATIENCE: Span = Span::secs(2);

/// How a name server works.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DnsSettings {
    /// The places a name stands for.
    pub places: Vec<NodeId>,
    /// For those that have an order of their own, in which: positions in `places`. All others get
    /// the first place that lives.
    pub order: Vec<(NodeId, Vec<u32>)>,
    /// Whether it asks if the places are alive; otherwise it believes it.
    pub health: Option<HealthSettings>,
}

/// What a name server is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DnsTimer {
    /// To ask all places; void if the plan has changed since.
    Probe {
        /// The plan it belongs to.
        plan: u32,
    },
    /// Who has not answered this round is counted as silent.
    ProbeEnd {
        /// The round.
        round: u32,
    },
}

/// A name server at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dns {
    /// How it works.
    pub settings: DnsSettings,
    /// What it believes of the places.
    pub health: Health,
    plan: u32,
}

impl Dns {
    /// A server that believes that every place lives.
    pub fn new(settings: DnsSettings) -> Dns {
        Dns { health: Health::new(settings.places.len()), settings, plan: 0 }
    }

    /// Takes new settings.
    pub fn configure(&mut self, settings: DnsSettings, cx: &mut Cx<'_>) {
        let asks = settings.health != self.settings.health;
        if asks || settings.places.len() != self.settings.places.len() {
            self.health = Health::new(settings.places.len());
        }
        self.settings = settings;
        if asks {
            self.start(cx);
        }
    }

    /// Forgets what it believed.
    pub fn crash(&mut self) {
        self.health = Health::new(self.settings.places.len());
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Start | Input::Restart => self.start(cx),
            Input::Message { source, message } => match message {
                Message::Resolve { stack, resolver } => {
                    let place = self.place(source);
                    cx.send(source, Message::Resolved { stack, resolver, place });
                }
                Message::Alive { number } => self.alive(source, number),
                Message::Probe { number } => cx.send(source, Message::Alive { number }),
                _ => {}
            },
            Input::Timer(Timer::Dns(DnsTimer::Probe { plan })) if plan == self.plan => {
                self.probe(cx);
            }
            Input::Timer(Timer::Dns(DnsTimer::ProbeEnd { round })) => self.judge(round, cx),
            Input::Timer(_) | Input::Persisted(_) => {}
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        self.plan += 1;
        if let Some(health) = self.settings.health {
            let probe = DnsTimer::Probe { plan: self.plan };
            cx.set_timer(health.interval, Timer::Dns(probe));
        }
    }

    fn probe(&mut self, cx: &mut Cx<'_>) {
        let Some(health) = self.settings.health else { return };
        let number = self.health.ask();
        for place in &self.settings.places {
            cx.send(*place, Message::Probe { number });
        }
        cx.set_timer(health.timeout, Timer::Dns(DnsTimer::ProbeEnd { round: number }));
        cx.set_timer(health.interval, Timer::Dns(DnsTimer::Probe { plan: self.plan }));
    }

    fn alive(&mut self, source: NodeId, round: u32) {
        let places = self.settings.places.iter();
        for (place, _) in places.enumerate().filter(|(_, place)| **place == source) {
            self.health.answered(place, round);
        }
    }

    fn judge(&mut self, round: u32, cx: &mut Cx<'_>) {
        let Some(health) = self.settings.health else { return };
        for (place, alive) in self.health.judge(round, &health) {
            let backend = self.settings.places[place];
            let readmitted = Note::Readmitted { backend };
            cx.note(if alive { readmitted } else { Note::Ejected { backend } });
        }
    }

    /// The place for whoever asks: the first in its order that lives; its first when none does.
    pub fn place(&self, asker: NodeId) -> Option<NodeId> {
        let own = self.settings.order.iter().find(|(node, _)| *node == asker);
        let all = || 0..self.settings.places.len() as u32;
        let order: Vec<u32> = own.map_or_else(|| all().collect(), |(_, order)| order.clone());
        let alive = order.iter().find(|place| self.health.is_healthy(**place as usize));
        let place = alive.or(order.first())?;
        self.settings.places.get(*place as usize).copied()
    }
}

/// How a caller finds out where a name leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolverSettings {
    /// Whom it asks.
    pub dns: NodeId,
    /// How long an answer is used.
    pub ttl: Span,
    /// What everybody has been told before the run begins.
    pub first: NodeId,
}

/// What one resolver was told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Told {
    place: NodeId,
    until: Time,
}

/// The resolvers that a caller's clients share.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Resolvers {
    told: Vec<Told>,
}

impl Resolvers {
    /// The place that a client uses now. An answer that is too old is asked for again.
    pub fn place(
        &mut self,
        settings: &ResolverSettings,
        stack: u8,
        client: u64,
        cx: &mut Cx<'_>,
    ) -> NodeId {
        if self.told.is_empty() {
            // They have asked at different times.
            let until = |n: u64| Time(settings.ttl.0 * (n + 1) / RESOLVERS);
            let told = (0..RESOLVERS).map(|n| Told { place: settings.first, until: until(n) });
            self.told = told.collect();
        }
        let resolver = (client % RESOLVERS) as usize;
        let told = &mut self.told[resolver];
        if cx.now() >= told.until {
            told.until = cx.now() + PATIENCE;
            cx.send(settings.dns, Message::Resolve { stack, resolver: resolver as u8 });
        }
        told.place
    }

    /// An answer came.
    pub fn told(&mut self, resolver: u8, place: NodeId, until: Time) {
        if let Some(told) = self.told.get_mut(usize::from(resolver)) {
            *told = Told { place, until };
        }
    }

    /// How many resolvers say what: places with counts, for people.
    pub fn shares(&self) -> Vec<(NodeId, u32)> {
        let mut places: Vec<NodeId> = self.told.iter().map(|told| told.place).collect();
        order::up(&mut places);
        places.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect()
    }
}
