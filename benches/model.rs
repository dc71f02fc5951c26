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
        items: 1,
        skew: 0.0,
        key_reuse: Chance::NEVER,
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
