//! A load balancer: hands each request to one backend and the answer back. It checks the health
//! of its backends, and stops using those that keep failing.

use super::fleet::FleetMessage;
use super::health::{Belief, HealthSettings};
use super::meaning::late;
use super::note::Note;
use super::policy::outlier::{Outlier, OutlierSettings};
use super::rpc::{Answer, Refusal, Reply, Request, Ticket};
use super::timeouts::Timeouts;
use super::{Cx, Message, Timer};
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::slab::{Key, Slab};
use crate::base::time::Span;
use crate::sim::process::Input;
use serde::{Deserialize, Serialize};

/// How a balancer works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalancerSettings {
    /// Where requests can go.
    pub backends: Vec<NodeId>,
    /// So many of them, the last, are used only while none of the others is fit.
    pub spares: u32,
    /// How one is chosen.
    pub policy: Policy,
    /// How long it waits for a backend before it answers with an error.
    pub timeout: Span,
    /// Whether it asks backends if they are alive.
    pub health: Option<HealthSettings>,
    /// Whether it stops using backends that fail requests.
    pub outlier: Option<OutlierSettings>,
    /// How many backends, from the first, it may use until a fleet says which; without a fleet all.
    pub first: Option<u32>,
}

impl BalancerSettings {
    /// The backends that may be used in the beginning: whom a fleet starts later is off.
    pub fn in_use(&self) -> Vec<NodeId> {
        let mains = (self.backends.len() as u32).saturating_sub(self.spares);
        let may = |place: u32| place >= mains || self.first.is_none_or(|first| place < first);
        let backends = (0..).zip(&self.backends).filter(|(place, _)| may(*place));
        backends.map(|(_, node)| *node).collect()
    }
}

impl Default for BalancerSettings {
    fn default() -> Self {
        BalancerSettings {
            backends: Vec::new(),
            spares: 0,
            policy: Policy::RoundRobin,
            timeout: Span::secs(60),
            health: None,
            outlier: None,
            first: None,
        }
    }
}

/// How a backend is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Any.
    Random,
    /// The one with the fewest outstanding requests; any of those when several.
    LeastOutstanding,
    /// The better of two picked at random (Mitzenmacher 2001).
    TwoChoices,
}

/// What a balancer is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BalancerTimer {
    /// Ask all backends; void if the plan has changed since.
    Probe {
        /// The plan it belongs to.
        plan: u32,
    },
    /// Who has not answered this round is counted as failed.
    ProbeEnd {
        /// The round.
        round: u32,
    },
    /// A request has waited long enough.
    Timeout {
        /// Which.
        entry: Key,
    },
    /// Judge the backends by their results; void if the plan has changed since.
    Sweep {
        /// The plan it belongs to.
        plan: u32,
    },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Entry {
    source: NodeId,
    ticket: Ticket,
    intent: u64,
    backend: u32,
}

/// A backend as its balancer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// Requests it has not answered.
    pub outstanding: u32,
    /// What health checks say of it.
    pub health: Belief,
    /// Whether it was taken out for failing requests.
    pub ejected: bool,
    /// Whether it may be used at all: a fleet says so.
    pub registered: bool,
}

/// A load balancer at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Balancer {
    /// How it works.
    pub settings: BalancerSettings,
    /// By position in the settings.
    pub backends: Vec<Backend>,
    entries: Slab<Entry>,
    timeouts: Timeouts,
    outlier: Option<Outlier>,
    next: u32,
    round: u32,
    plan: u32,
    /// The last list of a fleet.
    list: u32,
    picks: Stream,
}

const FRESH: Backend =
    Backend { outstanding: 0, health: Belief::FRESH, ejected: false, registered: true };

impl Balancer {
    /// An idle balancer.
    pub fn new(settings: BalancerSettings, seed: u64, node: NodeId) -> Balancer {
        let count = settings.backends.len();
        let in_use = settings.in_use();
        let fresh = |node| Backend { registered: in_use.contains(node), ..FRESH };
        Balancer {
            backends: settings.backends.iter().map(fresh).collect(),
            entries: Slab::default(),
            timeouts: Timeouts::default(),
            outlier: settings.outlier.as_ref().map(|o| Outlier::new(o, count as u32)),
            next: 0,
            round: 0,
            plan: 0,
            list: 0,
            picks: Stream::new(seed, "balancer pick", u64::from(node.0)),
            settings,
        }
    }

    /// Takes new settings.
    pub fn configure(&mut self, settings: BalancerSettings, cx: &mut Cx<'_>) {
        let count = settings.backends.len();
        self.backends.resize(count, FRESH);
        let (outlier, health) =
            (settings.outlier != self.settings.outlier, settings.health != self.settings.health);
        if outlier {
            self.outlier = settings.outlier.as_ref().map(|o| Outlier::new(o, count as u32));
            self.backends.iter_mut().for_each(|b| b.ejected = false);
        }
        self.settings = settings;
        if health {
            self.round += 1;
            self.backends.iter_mut().for_each(|b| b.health.trust());
        }
        if outlier || health {
            self.plan += 1;
            self.start(cx);
        }
    }

    /// Forgets everything.
    pub fn crash(&mut self) {
        self.entries.clear();
        self.timeouts.clear();
        // Who may be used is written down.
        for backend in &mut self.backends {
            *backend = Backend { registered: backend.registered, ..FRESH };
        }
        let count = self.backends.len() as u32;
        self.outlier = self.settings.outlier.as_ref().map(|o| Outlier::new(o, count));
    }

    /// Requests it has passed on and not heard of.
    pub fn outstanding(&self) -> u32 {
        self.entries.len()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<super::Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Start | Input::Restart => self.start(cx),
            Input::Message { source, message } => match message {
                Message::Request(request) => self.request(source, request, cx),
                Message::Reply(reply) => self.reply(&reply, cx),
                Message::Probe { number } => cx.send(source, Message::Alive { number }),
                Message::Alive { number } => self.alive(source, number),
                Message::Fleet(message) => self.listed(*message),
                _ => {}
            },
            Input::Timer(Timer::Balancer(timer)) => match timer {
                BalancerTimer::Probe { plan } | BalancerTimer::Sweep { plan }
                    if plan != self.plan => {}
                BalancerTimer::Probe { .. } => self.probe(cx),
                BalancerTimer::ProbeEnd { round } => self.probe_end(round, cx),
                BalancerTimer::Timeout { entry } => self.timed_out(entry, cx),
                BalancerTimer::Sweep { .. } => self.sweep(cx),
            },
            Input::Timer(_) | Input::Persisted(_) => {}
        }
    }

    /// A fleet says which backends serve. One that is new counts as healthy.
    fn listed(&mut self, message: FleetMessage) {
        let FleetMessage::Backends { number, nodes } = message else { return };
        if number <= self.list {
            return;
        }
        self.list = number;
        let mains = self.mains();
        for (backend, node) in self.backends[..mains].iter_mut().zip(&self.settings.backends) {
            let registered = nodes.contains(node);
            if registered && !backend.registered {
                backend.health.trust();
                backend.health.skip();
            }
            backend.registered = registered;
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        if let Some(health) = self.settings.health {
            cx.set_timer(
                health.interval,
                Timer::Balancer(BalancerTimer::Probe { plan: self.plan }),
            );
        }
        if let Some(outlier) = &self.settings.outlier {
            cx.set_timer(
                outlier.interval,
                Timer::Balancer(BalancerTimer::Sweep { plan: self.plan }),
            );
        }
    }

    fn request(&mut self, source: NodeId, request: Request, cx: &mut Cx<'_>) {
        let intent = request.intent;
        let Some(place) = self.choose() else {
            let why = Refusal::NoBackend;
            cx.note(Note::Refused { intent, why, stayed: Span::ZERO });
            let answer = Answer::Refused(why);
            return cx
                .send(source, Message::Reply(Reply { ticket: request.ticket, intent, answer }));
        };
        let backend = &mut self.backends[place as usize];
        backend.outstanding += 1;
        let entry = Entry { source, ticket: request.ticket, intent, backend: place };
        let call = self.entries.insert(entry);
        let ticket = Ticket { call, ..request.ticket };
        cx.send(
            self.settings.backends[place as usize],
            Message::Request(Request { ticket, ..request }),
        );
        let (entries, at) = (&self.entries, cx.now() + self.settings.timeout);
        self.timeouts.add(at, waits(call), cx, |t| entries.get(t.call).is_some(), timeout);
    }

    fn reply(&mut self, reply: &Reply, cx: &mut Cx<'_>) {
        let Some(entry) = self.entries.remove(reply.ticket.call) else {
            return cx.note(late(reply));
        };
        let good = !matches!(reply.answer, Answer::Error | Answer::Unsure | Answer::Refused(_));
        self.backend_ended(entry.backend, good, cx);
        let back = Reply { ticket: entry.ticket, ..*reply };
        cx.send(entry.source, Message::Reply(back));
    }

    fn timed_out(&mut self, key: Key, cx: &mut Cx<'_>) {
        let entries = &self.entries;
        self.timeouts.came(waits(key), cx, |t| entries.get(t.call).is_some(), timeout);
        let Some(entry) = self.entries.remove(key) else { return };
        self.backend_ended(entry.backend, false, cx);
        let Entry { ticket, intent, .. } = entry;
        cx.send(entry.source, Message::Reply(Reply { ticket, intent, answer: Answer::Unsure }));
    }

    fn backend_ended(&mut self, place: u32, good: bool, cx: &mut Cx<'_>) {
        if let Some(backend) = self.backends.get_mut(place as usize) {
            backend.outstanding = backend.outstanding.saturating_sub(1);
        }
        if let Some(outlier) = &mut self.outlier {
            outlier.report(cx.now(), place, good);
        }
        self.judge(cx);
    }

    /// Takes out or back in what the outlier detection says.
    fn judge(&mut self, cx: &mut Cx<'_>) {
        let Some(outlier) = &mut self.outlier else { return };
        for (place, backend) in (0..).zip(&mut self.backends) {
            let ejected = outlier.ejected(cx.now(), place);
            if ejected == backend.ejected {
                continue;
            }
            backend.ejected = ejected;
            let backend = self.settings.backends[place as usize];
            cx.note(if ejected { Note::Ejected { backend } } else { Note::Readmitted { backend } });
        }
    }

    fn sweep(&mut self, cx: &mut Cx<'_>) {
        let (Some(outlier), Some(settings)) = (&mut self.outlier, &self.settings.outlier) else {
            return;
        };
        outlier.sweep(cx.now());
        cx.set_timer(settings.interval, Timer::Balancer(BalancerTimer::Sweep { plan: self.plan }));
        self.judge(cx);
    }

    /// How many backends are no spares.
    fn mains(&self) -> usize {
        self.backends.len().saturating_sub(self.settings.spares as usize)
    }

    /// A backend in use; all that are registered when none is fit, since some may still answer.
    fn choose(&mut self) -> Option<u32> {
        let well = |b: &Backend| b.registered && b.health.is_healthy() && !b.ejected;
        let (count, first) = (self.backends.len(), self.mains());
        let (mains, spares) = self.backends.split_at(first);
        // Spares stand in for the others together, not for each of them.
        let spared = !spares.is_empty() && !mains.iter().any(well);
        let in_turn = if spared { first..count } else { 0..first };
        let fit = |(b, place): (&Backend, u32)| well(b) && in_turn.contains(&(place as usize));
        let each = || self.backends.iter().zip(0u32..).filter(|(b, _)| b.registered);
        let usable = each().filter(|b| fit(*b)).count() as u32;
        let any = usable == 0;
        let size = if any { each().count() as u32 } else { usable };
        if size == 0 {
            return None;
        }
        let nth = |n: u32| {
            let mut places = each().filter(|b| any || fit(*b)).map(|(_, place)| place);
            places.nth(n as usize)
        };
        let load = |place: Option<u32>| place.map(|p| self.backends[p as usize].outstanding);
        match self.settings.policy {
            Policy::RoundRobin => {
                self.next = (self.next + 1) % size;
                nth(self.next)
            }
            Policy::Random => nth(self.picks.below(size)),
            Policy::TwoChoices => {
                let (first, second) = (self.picks.below(size), self.picks.below(size));
                let (first, second) = (nth(first), nth(second));
                if load(second) < load(first) { second } else { first }
            }
            Policy::LeastOutstanding => {
                let in_use = || each().filter(|b| any || fit(*b));
                let least = in_use().map(|(b, _)| b.outstanding).min()?;
                let tied = || in_use().filter(|(b, _)| b.outstanding == least);
                let pick = self.picks.below(tied().count() as u32);
                tied().nth(pick as usize).map(|(_, place)| place)
            }
        }
    }

    fn probe(&mut self, cx: &mut Cx<'_>) {
        let Some(health) = self.settings.health else { return };
        self.round += 1;
        let number = self.round;
        for (node, backend) in self.settings.backends.iter().zip(&self.backends) {
            if backend.registered {
                cx.send(*node, Message::Probe { number });
            }
        }
        cx.set_timer(health.timeout, Timer::Balancer(BalancerTimer::ProbeEnd { round: number }));
        cx.set_timer(health.interval, Timer::Balancer(BalancerTimer::Probe { plan: self.plan }));
    }

    fn alive(&mut self, source: NodeId, number: u32) {
        let place = self.settings.backends.iter().position(|&b| b == source);
        if let Some(backend) = place.and_then(|p| self.backends.get_mut(p)) {
            backend.health.answered(number);
        }
    }

    fn probe_end(&mut self, round: u32, cx: &mut Cx<'_>) {
        let Some(health) = self.settings.health else { return };
        for (backend, &node) in self.backends.iter_mut().zip(&self.settings.backends) {
            if !backend.registered {
                backend.health.skip();
                continue;
            }
            match backend.health.judge(round, &health) {
                Some(true) => cx.note(Note::Readmitted { backend: node }),
                Some(false) => cx.note(Note::Ejected { backend: node }),
                None => {}
            }
        }
    }
}

/// An entry as it stands in the line of timeouts.
fn waits(call: Key) -> Ticket {
    Ticket { call, stack: 0, attempt: 0 }
}

fn timeout(ticket: Ticket) -> Timer {
    Timer::Balancer(BalancerTimer::Timeout { entry: ticket.call })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Time;
    use crate::base::unit::Chance;
    use crate::protocol::worlds::{calls, clients, service, world};
    use crate::protocol::{Role, Settings};
    use crate::sim::network::LinkSettings;
    use crate::sim::world::World;

    const BALANCER: NodeId = NodeId(1);
    const SICK: NodeId = NodeId(2);

    fn servers(error: Chance) -> Settings {
        let Settings::Service(mut settings) = service(1_000.0, 4, 100) else { unreachable!() };
        settings.station.error = error;
        Settings::Service(settings)
    }

    fn balanced(settings: &BalancerSettings) -> World<Role> {
        let people = Settings::Clients(clients(200.0, super::super::rpc::Op::Read, {
            calls(BALANCER, 500, 1)
        }));
        let lb = Settings::Balancer(settings.clone());
        let nodes = [people, lb, servers(Chance(1_000_000)), servers(Chance::NEVER)];
        let mut world = world(&nodes, &LinkSettings::default());
        world.start();
        world
    }

    fn two() -> BalancerSettings {
        BalancerSettings { backends: vec![SICK, NodeId(3)], ..Default::default() }
    }

    fn set(world: &mut World<Role>, settings: &BalancerSettings) {
        let settings = Settings::Balancer(settings.clone());
        world.with(BALANCER, |role, cx| role.configure(&settings, cx));
    }

    #[test]
    fn what_is_taken_out_by_a_rule_given_on_the_way_comes_back() {
        let mut world = balanced(&two());
        world.run_until(Time(1_000_000));
        let (interval, base) = (Span::secs(1), Span::secs(3));
        let outlier = Some(OutlierSettings { interval, base, ..Default::default() });
        set(&mut world, &BalancerSettings { outlier, ..two() });
        let ejected = |world: &World<Role>| match &world.processes[1] {
            Role::Balancer(balancer) => balancer.backends[0].ejected,
            _ => false,
        };
        world.run_until(Time(2_000_000));
        assert!(ejected(&world));
        world.with(SICK, |role, cx| role.configure(&servers(Chance::NEVER), cx));
        world.run_until(Time(9_000_000));
        assert!(!ejected(&world));
    }

    #[test]
    fn health_is_asked_about_once_in_an_interval_however_often_that_is_changed() {
        let health =
            |seconds| Some(HealthSettings { interval: Span::secs(seconds), ..Default::default() });
        let mut world = balanced(&two());
        for seconds in [5, 3, 2] {
            set(&mut world, &BalancerSettings { health: health(seconds), ..two() });
        }
        let round = |world: &World<Role>| match &world.processes[1] {
            Role::Balancer(b) => b.round,
            _ => 0,
        };
        world.run_until(Time(1_000_000));
        let before = round(&world);
        world.run_until(Time(101_000_000));
        assert_eq!(round(&world) - before, 50);
    }

    #[test]
    fn a_request_that_no_backend_answers_gets_an_error_in_time() {
        let timeout = Span::millis(50);
        let mut world = balanced(&BalancerSettings { timeout, ..two() });
        let links = vec![(BALANCER, SICK), (BALANCER, NodeId(3))];
        world.begin(crate::sim::fault::Fault::Cut { links, hold: false }, None);
        world.run_until(Time(10_000_000));
        let Role::Balancer(balancer) = &world.processes[1] else { unreachable!() };
        // 200 a second wait for 50 ms each: ten, give or take.
        assert!((1..30).contains(&balancer.outstanding()), "{}", balancer.outstanding());
        assert!(balancer.timeouts.len() <= balancer.outstanding() as usize);
    }

    #[test]
    fn spares_are_used_only_while_none_of_the_others_is_fit() {
        let health = Some(HealthSettings {
            interval: Span::secs(1),
            timeout: Span::millis(100),
            fall: 1,
            rise: 1,
        });
        for policy in
            [Policy::RoundRobin, Policy::Random, Policy::LeastOutstanding, Policy::TwoChoices]
        {
            let settings = BalancerSettings { spares: 1, health, policy, ..two() };
            let mut world = balanced(&settings);
            let worked = |world: &mut World<Role>, secs: u64| {
                let before = world.shared.now;
                let mut at = [false; 2];
                while world.shared.now < before + Span::secs(secs) {
                    world.run_until(world.shared.now + Span::millis(1));
                    for (busy, node) in at.iter_mut().zip([SICK, NodeId(3)]) {
                        if let Role::Service(server) = &world.processes[node.index()] {
                            *busy |= server.station.busy() > 0;
                        }
                    }
                }
                at
            };
            assert_eq!(worked(&mut world, 3), [true, false], "{policy:?}: it errs, and is there");
            world.begin(crate::sim::fault::Fault::Crash { node: SICK }, None);
            worked(&mut world, 2);
            assert_eq!(worked(&mut world, 3), [false, true], "{policy:?}");
            world.recover(SICK);
            worked(&mut world, 2);
            assert_eq!(worked(&mut world, 3), [true, false], "{policy:?}: and back");
        }
    }
}
