//! A fleet decides how many replicas of a service run. It asks them how busy they are, orders
//! them to start and to stop, and tells balancers where requests can go. All of that are messages:
//! one that is cut off goes on as it was.
//!
//! What is wanted is told again with every look, so a lost order is made up for; orders, reports
//! and lists are numbered, so a late or repeated one does nothing. What a fleet wants is kept on
//! disk in no time, as an orchestrator keeps it in its own store; what it has heard is not.

pub mod deploy;
pub mod duty;
pub mod rule;

use super::note::Note;
use super::{Cx, Message, Timer};
use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::base::unit::Chance;
use crate::sim::process::Input;
use deploy::{DeploySettings, Rollout};
use duty::State;
use rule::{Heard, Lately};
use serde::{Deserialize, Serialize};

/// How a fleet works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FleetSettings {
    /// The replicas of the service.
    pub replicas: Vec<NodeId>,
    /// Who hands requests to them.
    pub balancers: Vec<NodeId>,
    /// How many run in the beginning.
    pub start: u32,
    /// How often it looks.
    pub every: Span,
    /// How long it waits for answers.
    pub patience: Span,
    /// Whether it changes how many run.
    pub scale: Option<ScaleSettings>,
    /// Whether a new version comes.
    pub deploy: Option<DeploySettings>,
}

/// How a fleet finds its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleSettings {
    /// No fewer.
    pub min: u32,
    /// The share of workers that should be busy.
    pub target: Chance,
    /// Nothing is done while usage is off by no more than this share of the target.
    pub tolerance: Chance,
    /// It scales up to the least that was desired for so long.
    pub settle_up: Span,
    /// It scales down to the most that was desired for so long.
    pub settle_down: Span,
}

/// What fleets, replicas and balancers say to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FleetMessage {
    /// The fleet says what a replica is to run, and asks how it is.
    Order(Order),
    /// A replica says how it is.
    Report(Report),
    /// The fleet says where requests can go.
    Backends {
        /// Counts the lists.
        number: u32,
        /// The replicas that serve.
        nodes: Vec<NodeId>,
    },
}

/// What a replica is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Counts the orders of a fleet.
    pub number: u32,
    /// The version that is to run; none is to be off.
    pub run: Option<u8>,
}

/// How a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The last order it has taken.
    pub number: u32,
    /// Counts its reports.
    pub serial: u32,
    /// Whether it serves.
    pub state: State,
    /// Which version.
    pub version: u8,
    /// The share of its workers that were busy between the last two orders, if it served.
    pub usage: Option<Chance>,
    /// Requests it has answered since it serves.
    pub ended: u32,
    /// Of these, with an error.
    pub failed: u32,
}

impl FleetMessage {
    /// In a few words.
    pub fn words(&self) -> &'static str {
        match self {
            FleetMessage::Order(Order { run: Some(_), .. }) => "the order to run",
            FleetMessage::Order(Order { run: None, .. }) => "the order to be off",
            FleetMessage::Report(report) => match report.state {
                State::Off => "word that it is off",
                State::Starting => "word that it starts",
                State::Serving => "word how busy it is",
                State::Draining => "word that it finishes what it has",
            },
            FleetMessage::Backends { .. } => "the list of those that serve",
        }
    }

    /// Tells one from another.
    pub fn fingerprint(&self) -> u64 {
        match self {
            FleetMessage::Order(Order { number, run }) => {
                u64::from(*number) ^ (u64::from(run.unwrap_or(0)) << 40) ^ (0xc << 60)
            }
            FleetMessage::Report(report) => {
                let usage = report.usage.map_or(0, |usage| u64::from(usage.0) + 1);
                let state = report.state as u64 + 4 * u64::from(report.version);
                u64::from(report.serial) ^ (usage << 24) ^ (state << 48) ^ (0xd << 60)
            }
            FleetMessage::Backends { number, nodes } => {
                let nodes = nodes.iter().fold(0, |sum: u64, n| sum * 31 + u64::from(n.0));
                u64::from(*number) ^ (nodes << 24) ^ (0xe << 60)
            }
        }
    }
}

/// What fleets and their replicas are reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FleetTimer {
    /// The fleet looks.
    Look,
    /// The fleet has waited long enough for answers.
    Judge {
        /// To the look that ended with this order.
        look: u32,
    },
    /// Something may be due for a deploy.
    Step,
    /// Ask the replicas that have the new version, if nothing else was set since.
    Inquire {
        /// The reminder it belongs to.
        turn: u32,
    },
    /// A replica has started, if it has not entered another state since.
    Started {
        /// The state it belongs to.
        turn: u32,
    },
    /// A replica has had its time to finish what it has.
    Drained {
        /// The state it belongs to.
        turn: u32,
    },
}

/// A replica as its fleet sees it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// The version that is to run; none is to be off.
    pub wanted: Option<u8>,
    /// Whether it serves, by its last report.
    pub state: State,
    /// Which version.
    pub version: u8,
    /// How busy it was.
    pub usage: Option<Chance>,
    /// Requests it has answered since it serves.
    ended: u32,
    /// Of these, with an error.
    failed: u32,
    /// Whether balancers were told that it takes requests.
    pub registered: bool,
    /// The order its last report answers; zero if it has not been heard since a crash.
    heard: u32,
    serial: u32,
}

impl Seen {
    fn first(serves: bool) -> Seen {
        Seen {
            wanted: serves.then_some(1),
            state: if serves { State::Serving } else { State::Off },
            version: 1,
            usage: None,
            ended: 0,
            failed: 0,
            registered: serves,
            heard: 0,
            serial: 0,
        }
    }

    /// True if it serves what is wanted.
    fn is_ready(&self) -> bool {
        self.state == State::Serving && self.wanted == Some(self.version)
    }
}

/// A fleet at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fleet {
    /// How it works.
    pub settings: FleetSettings,
    /// By place in the settings.
    pub replicas: Vec<Seen>,
    /// Orders given.
    orders: u32,
    /// The order of the last look.
    look: u32,
    /// Lists sent.
    lists: u32,
    /// Reminders set for a deploy.
    inquiry: u32,
    lately: Lately,
    /// How far a deploy is.
    pub rollout: Rollout,
}

impl Fleet {
    /// A fleet at the beginning of a run.
    pub fn new(settings: FleetSettings) -> Fleet {
        let places = 0..settings.replicas.len() as u32;
        Fleet {
            replicas: places.map(|place| Seen::first(place < settings.start)).collect(),
            settings,
            orders: 0,
            look: 0,
            lists: 0,
            inquiry: 0,
            lately: Lately::default(),
            rollout: Rollout::Ahead,
        }
    }

    /// Takes new settings; who runs goes on.
    pub fn configure(&mut self, settings: FleetSettings, cx: &mut Cx<'_>) {
        self.settings = settings;
        self.remind(cx);
    }

    /// Forgets what it has heard.
    pub fn crash(&mut self) {
        self.lately.clear();
        for seen in &mut self.replicas {
            (seen.heard, seen.usage) = (0, None);
        }
    }

    /// How many are to run.
    pub fn size(&self) -> u32 {
        self.replicas.iter().filter(|seen| seen.wanted.is_some()).count() as u32
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<super::Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Start => {
                cx.set_timer(self.settings.every, Timer::Fleet(FleetTimer::Look));
                self.remind(cx);
            }
            Input::Timer(Timer::Fleet(FleetTimer::Step)) => self.step(cx),
            Input::Timer(Timer::Fleet(FleetTimer::Inquire { turn })) if turn == self.inquiry => {
                self.inquire(cx);
            }
            Input::Restart => {
                self.remind(cx);
                self.look(cx);
            }
            Input::Timer(Timer::Fleet(FleetTimer::Look)) => self.look(cx),
            Input::Timer(Timer::Fleet(FleetTimer::Judge { look })) if look == self.look => {
                self.size_up(cx);
            }
            Input::Message { source, message: Message::Fleet(message) } => {
                if let FleetMessage::Report(report) = *message {
                    self.reported(source, report, cx);
                }
            }
            Input::Timer(_) | Input::Message { .. } | Input::Persisted(_) => {}
        }
    }

    /// Tells everybody what is wanted, which asks them how they are.
    fn look(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(self.settings.every, Timer::Fleet(FleetTimer::Look));
        self.tell_balancers(cx);
        let all: Vec<usize> = (0..self.replicas.len()).collect();
        self.order(&all, cx);
        self.look = self.orders;
        let look = self.look;
        cx.set_timer(self.settings.patience, Timer::Fleet(FleetTimer::Judge { look }));
        self.step(cx);
    }

    /// Tells these replicas what is wanted of them.
    fn order(&mut self, places: &[usize], cx: &mut Cx<'_>) {
        self.orders += 1;
        for &place in places {
            let (Some(seen), Some(&node)) =
                (self.replicas.get(place), self.settings.replicas.get(place))
            else {
                continue;
            };
            let order = Order { number: self.orders, run: seen.wanted };
            cx.send(node, Message::Fleet(Box::new(FleetMessage::Order(order))));
        }
    }

    fn reported(&mut self, source: NodeId, report: Report, cx: &mut Cx<'_>) {
        let place = self.settings.replicas.iter().position(|&node| node == source);
        let Some(seen) = place.and_then(|place| self.replicas.get_mut(place)) else { return };
        if report.serial <= seen.serial {
            return;
        }
        let Report { number, serial, state, version, usage, ended, failed } = report;
        *seen = Seen { heard: number, serial, state, version, usage, ended, failed, ..*seen };
        self.register(cx);
        self.step(cx);
    }

    /// Brings up to date who takes requests, and tells balancers when that has changed.
    fn register(&mut self, cx: &mut Cx<'_>) {
        let mut changed = false;
        for seen in &mut self.replicas {
            changed |= seen.registered != seen.is_ready();
            seen.registered = seen.is_ready();
        }
        if changed {
            self.tell_balancers(cx);
        }
    }

    fn tell_balancers(&mut self, cx: &mut Cx<'_>) {
        self.lists += 1;
        let all = self.settings.replicas.iter().zip(&self.replicas);
        let nodes: Vec<NodeId> = all.filter(|(_, s)| s.registered).map(|(n, _)| *n).collect();
        for &balancer in &self.settings.balancers {
            let (number, nodes) = (self.lists, nodes.clone());
            let list = FleetMessage::Backends { number, nodes };
            cx.send(balancer, Message::Fleet(Box::new(list)));
        }
    }

    /// What is known of those that are to run.
    fn heard(&self) -> Heard {
        let mut heard = Heard::default();
        for seen in self.replicas.iter().filter(|seen| seen.wanted.is_some()) {
            match seen.usage {
                _ if seen.heard < self.look => heard.silent += 1,
                Some(usage) if seen.is_ready() => heard.usages.push(usage),
                _ => heard.starting += 1,
            }
        }
        heard
    }

    /// The share of workers that were busy, of those that have said so.
    pub fn usage(&self) -> Option<Chance> {
        let Heard { usages, .. } = self.heard();
        let sum: u64 = usages.iter().map(|usage| u64::from(usage.0)).sum();
        Some(Chance(sum.checked_div(usages.len() as u64)? as u32))
    }

    /// Decides how many should run.
    fn size_up(&mut self, cx: &mut Cx<'_>) {
        let Some(scale) = self.settings.scale.filter(|_| !self.rolls()) else { return };
        let heard = self.heard();
        let desired = heard.desired(scale.target, scale.tolerance);
        let (current, most) = (self.size(), self.settings.replicas.len() as u32);
        let (up, down) = (scale.settle_up, scale.settle_down);
        let settled = self.lately.settle(cx.now(), desired, current, up, down);
        let to = settled.max(scale.min).min(most);
        if to != current {
            cx.note(Note::Scaled { from: current, to });
            self.resize(to, cx);
        }
    }

    /// Orders so many to run: those that do not serve yet are the first to be let go, then the
    /// last by number; the first by number are the first to be started.
    fn resize(&mut self, to: u32, cx: &mut Cx<'_>) {
        let mut changed = Vec::new();
        for _ in self.size()..to {
            let Some(place) = self.replicas.iter().position(|s| s.wanted.is_none()) else { break };
            self.replicas[place].wanted = Some(self.version());
            changed.push(place);
        }
        for _ in to..self.size() {
            let places = (0..).zip(&self.replicas).filter(|(_, s)| s.wanted.is_some());
            let last = places.max_by_key(|(place, seen)| (!seen.is_ready(), *place));
            let Some((place, _)) = last else { break };
            self.replicas[place].wanted = None;
            changed.push(place);
        }
        self.register(cx);
        self.order(&changed, cx);
    }
}
