//! The programs that are timed, natively and in a browser.

use netsplit::base::dist::Dist;
use netsplit::base::id::NodeId;
use netsplit::base::random::Stream;
use netsplit::base::time::{Span, Time};
use netsplit::base::unit::{Chance, Rate};
use netsplit::protocol::caller::CallSettings;
use netsplit::protocol::client::{ClientSettings, Load};
use netsplit::protocol::load::{Arrivals, Profile};
use netsplit::protocol::policy::retry::{Backoff, Jitter, RetryOn, RetrySettings};
use netsplit::protocol::policy::timeout::TimeoutSettings;
use netsplit::protocol::rpc::Op;
use netsplit::protocol::service::ServiceSettings;
use netsplit::protocol::station::StationSettings;
use netsplit::protocol::{Role, Settings};
use netsplit::scenario::link::{self, Opened};
use netsplit::scenario::read;
use netsplit::session::Session;
use netsplit::sim::network::LinkSettings;
use netsplit::sim::queue::Queue;
use netsplit::sim::trace::Level;
use netsplit::sim::world::World;

/// The hold model (Jones 1986): take the earliest entry, put one back at a random distance.
pub struct Hold {
    queue: Queue<u32>,
    /// Drawn beforehand: the queue is measured, not the logarithm.
    distances: Vec<Span>,
    next: usize,
}

impl Hold {
    /// With `pending` entries in the queue at all times.
    pub fn new(pending: u32) -> Hold {
        let distance = Dist::Exponential { mean: 1e6 };
        let mut stream = Stream::new(1, "hold", 0);
        let mut queue = Queue::default();
        for n in 0..pending {
            queue.push(Time(0) + distance.sample(&mut stream), n);
        }
        let distances = (0..1 << 16).map(|_| distance.sample(&mut stream)).collect();
        Hold { queue, distances, next: 0 }
    }

    /// Takes and puts back so many entries.
    pub fn turn(&mut self, count: u64) {
        for _ in 0..count {
            let (time, n) = self.queue.pop(Time::NEVER).expect("one goes in for each taken out");
            self.next = (self.next + 1) % self.distances.len();
            self.queue.push(time + self.distances[self.next], n);
        }
    }
}

/// Clients with timeouts and retries before one server: the model that every peer was measured in.
pub fn herd(clients: u32, load: f64, level: Level) -> World<Role> {
    // A million clients need a thousand workers, so that one of them is not a thousandth of a
    // microsecond's work.
    let workers = clients.div_ceil(1_000);
    let mean = 1e6 * load * f64::from(workers) / f64::from(clients);
    let mut world = World::new(1);
    let calls = CallSettings {
        targets: vec![NodeId(1)],
        timeout: TimeoutSettings { attempt: Some(Span::secs(1)), deadline: None },
        retry: RetrySettings {
            attempts: 4,
            backoff: Backoff::Exponential {
                base: Span::millis(100),
                factor: 2.0,
                cap: Span::secs(10),
                jitter: Jitter::Full,
            },
            on: RetryOn::PASSING,
        },
        ..CallSettings::default()
    };
    let clients = Settings::Clients(ClientSettings {
        clients,
        load: Load::Open {
            rate: Rate::per_second(1.0),
            arrivals: Arrivals::Poisson,
            profile: Profile::default(),
        },
        mix: vec![(1, Op::Read)],
        members: 8,
        items: 1,
        skew: 0.0,
        key_reuse: Chance::NEVER,
        sessions: false,
        intents: None,
        own_policies: false,
        calls,
    });
    let time = Dist::Exponential { mean };
    let station = StationSettings { workers, queue: 10_000, time, ..StationSettings::default() };
    let server = Settings::Service(ServiceSettings { station, ..ServiceSettings::default() });
    for (node, settings) in [clients, server].iter().enumerate() {
        let role = Role::new(settings, 1, NodeId(node as u32));
        world.add_node(role, netsplit::sim::disk::DiskSettings::default());
    }
    let link = LinkSettings { latency: Dist::Constant(1_000.0), ..LinkSettings::default() };
    world.add_link(NodeId(0), NodeId(1), link.clone());
    world.add_link(NodeId(1), NodeId(0), link);
    world.shared.trace.level = level;
    world.start();
    world
}

/// Takes the next events, whatever they are.
pub fn events(world: &mut World<Role>, count: u64) {
    for _ in 0..count {
        world.step(Time::NEVER);
        world.shared.trace.fresh.clear();
    }
}

/// Simulates so many microseconds, whatever happens in them.
pub fn simulate(world: &mut World<Role>, micros: u64) {
    let until = world.shared.now + Span(micros);
    while world.step(until) {
        world.shared.trace.fresh.clear();
    }
}

/// Ten minutes of a preset's storm, or of one that does not end: 1,000 clients who come whatever
/// happens, at 1.1 times what the service can do.
pub fn ten_minutes(endless: bool) -> Session {
    let storm = r#"{"duration": "10m", "nodes": {
        "people": {"clients": {"count": 1000, "to": "api", "timeout": "1s",
            "load": {"open": {"rate": "1/s"}}, "retry": {"attempts": 4, "backoff": "exponential"}}},
        "api": {"service": {"workers": 1, "time": {"exponential": "1.1ms"}, "queue": 10000}}}}"#;
    if endless {
        return session(storm);
    }
    Session::open(link::open(Some("retry-storm"), "duration=10m").0)
}

/// A million clients as a page watches them, with numbers, log and checks.
pub fn watched_million(load: f64) -> Session {
    session(&format!(
        r#"{{"duration": "10m", "nodes": {{
            "people": {{"clients": {{"count": 1000000, "to": "api", "timeout": "1s",
                "load": {{"open": {{"rate": "1/s"}}}},
                "retry": {{"attempts": 4, "backoff": "exponential", "jitter": "full"}}}}}},
            "api": {{"service": {{"workers": 1000, "time": {{"exponential": "{load}ms"}},
                "queue": 10000}}}}}}}}"#
    ))
}

/// A run with ten thousand messages in flight.
pub fn crowded() -> Session {
    let text = r#"{"network": {"latency": "500ms"}, "nodes": {
        "people": {"clients": {"count": 10000, "to": "api", "timeout": "5s",
            "load": {"open": {"rate": "1/s"}}}},
        "api": {"service": {"replicas": 4, "workers": 100, "time": {"exponential": "10ms"}}}}}"#;
    let mut session = session(text);
    session.seek(Time(3_000_000));
    session
}

fn session(text: &str) -> Session {
    let scenario = read::text(text).unwrap_or_else(|problems| panic!("{problems}"));
    Session::start(scenario).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A link with settings and deeds, and one that holds a whole topology.
pub fn links() -> [(&'static str, Opened); 2] {
    let readable = "seed=42&people.retry.backoff=exponential&people.retry.jitter=full\
        &at=12s:kill:api-1,30s:start:api-1&t=12.4s";
    let own = Opened::new(crowded().origin().clone());
    [("readable", link::open(Some("retry-storm"), readable).0), ("compressed", own)]
}
