//! The world: nodes, the network between them, and what is due. Cloning it is a snapshot, and it
//! can be written down.

use super::clock::Clock;
use super::disk::{Disk, DiskSettings};
use super::fault::{Active, Planned, Trigger};
use super::network::{LinkSettings, Network};
use super::process::{Context, Input, Process};
use super::queue::Queue;
use super::trace::{Fate, Level, Trace, What};
use crate::base::id::{FaultId, LinkId, NodeId};
use crate::base::order;
use crate::base::random::Stream;
use crate::base::slab::{Key, Slab};
use crate::base::time::Time;
use serde::{Deserialize, Serialize};

/// A deterministic world: the same seed, settings and commands give the same run, everywhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct World<P: Process> {
    /// The processes, by node.
    pub processes: Vec<P>,
    /// Everything else.
    pub shared: Shared<P>,
}

/// What processes act on through their context.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Shared<P: Process> {
    /// Simulated time.
    pub now: Time,
    /// The links.
    pub network: Network,
    /// What each node is in, by node.
    pub places: Vec<Place<P>>,
    /// Messages in flight.
    pub packets: Slab<Packet<P::Message>>,
    /// Faults that have begun and not ended.
    pub active: Vec<Active>,
    /// Numbers, digest, records.
    pub trace: Trace<P>,
    pub(super) queue: Queue<Scheduled<P::Timer>>,
    seed: u64,
    packet_count: u64,
    pub(super) planned: Vec<Planned>,
    marks: Vec<u64>,
    triggered: Vec<u32>,
    pub(super) fault_count: u32,
}

/// The condition of a node and what belongs to its machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Place<P: Process> {
    /// True when it has crashed and not restarted.
    pub down: bool,
    /// True when it stands still.
    pub paused: bool,
    /// Thousandths: how much longer work takes.
    pub slowness: u32,
    /// Since when it has been as it is.
    pub since: Time,
    /// What it believes the time is.
    pub clock: Clock,
    /// Its disk.
    pub disk: Disk,
    /// How often it crashed; timers and writes of an earlier life are void.
    pub epoch: u32,
    pub(super) waiting: Vec<Scheduled<P::Timer>>,
}

/// A message on a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Packet<M> {
    /// Its number in the run.
    pub id: u64,
    /// The link it is on.
    pub link: LinkId,
    /// When it was sent.
    pub sent_at: Time,
    /// When it arrives, or would.
    pub due_at: Time,
    /// It will not arrive: the network loses it on the way.
    pub doomed: Option<Fate>,
    /// The network made it, of a message that was sent once.
    pub copy: bool,
    /// What it says.
    pub message: M,
}

/// Something that will happen.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Due<T> {
    Packet(Key),
    Timer { node: NodeId, epoch: u32, timer: T },
    Disk { node: NodeId, epoch: u32, write: u64 },
    Plan(u32),
    Heal(FaultId),
    Flap(FaultId),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Scheduled<T> {
    cause: u64,
    due: Due<T>,
}

impl<P: Process> World<P> {
    /// An empty world.
    pub fn new(seed: u64) -> World<P> {
        World {
            processes: Vec::new(),
            shared: Shared {
                now: Time::ZERO,
                network: Network::default(),
                places: Vec::new(),
                packets: Slab::default(),
                active: Vec::new(),
                trace: Trace::default(),
                queue: Queue::default(),
                seed,
                packet_count: 0,
                planned: Vec::new(),
                marks: Vec::new(),
                triggered: Vec::new(),
                fault_count: 0,
            },
        }
    }

    /// Adds a node that runs `process`.
    pub fn add_node(&mut self, process: P, disk: DiskSettings) -> NodeId {
        let node = NodeId(self.processes.len() as u32);
        self.processes.push(process);
        let stream = Stream::new(self.shared.seed, "disk", u64::from(node.0));
        self.shared.places.push(Place {
            down: false,
            paused: false,
            slowness: 1_000,
            since: Time::ZERO,
            clock: Clock::default(),
            disk: Disk::new(disk, stream),
            epoch: 0,
            waiting: Vec::new(),
        });
        node
    }

    /// Adds one direction between two nodes.
    pub fn add_link(&mut self, source: NodeId, target: NodeId, settings: LinkSettings) -> LinkId {
        self.shared.network.add(self.shared.seed, source, target, settings)
    }

    /// Adds a fault that will happen.
    pub fn plan(&mut self, planned: Planned) {
        let number = self.shared.planned.len() as u32;
        match planned.trigger {
            Trigger::At(at) => {
                self.shared.schedule(at, Due::Plan(number));
            }
            Trigger::Mark { mark, .. } => {
                let needed = usize::from(mark) + 1;
                if self.shared.marks.len() < needed {
                    self.shared.marks.resize(needed, 0);
                }
            }
        }
        self.shared.planned.push(planned);
    }

    /// Lets every process begin, in order of nodes.
    pub fn start(&mut self) {
        for node in 0..self.processes.len() as u32 {
            self.give(NodeId(node), Input::Start);
        }
    }

    /// Handles the next event if it is due at or before `limit`; false when there is none, and
    /// then it is `limit`.
    pub fn step(&mut self, limit: Time) -> bool {
        let Some((at, Scheduled { cause, due })) = self.shared.queue.pop(limit) else {
            if limit != Time::NEVER {
                self.shared.now = self.shared.now.max(limit);
            }
            return false;
        };
        self.shared.now = at;
        self.shared.trace.counts.events += 1;
        self.dispatch(cause, due);
        while let Some(number) = self.shared.triggered.pop() {
            self.begin_planned(number);
        }
        true
    }

    /// Runs until `limit`.
    pub fn run_until(&mut self, limit: Time) {
        while self.step(limit) {}
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Time> {
        self.shared.queue.next_at()
    }

    fn dispatch(&mut self, cause: u64, due: Due<P::Timer>) {
        let now = self.shared.now;
        self.shared.trace.cause = cause;
        let node = match due {
            Due::Packet(key) => match self.shared.arrival(key) {
                Some(target) => target,
                None => return,
            },
            Due::Timer { node, epoch, .. } | Due::Disk { node, epoch, .. } => {
                if self.shared.places[node.index()].epoch != epoch {
                    return;
                }
                node
            }
            Due::Plan(number) => return self.begin_planned(number),
            Due::Heal(fault) => return self.heal(fault),
            Due::Flap(fault) => return self.flap(fault),
        };
        if self.shared.places[node.index()].paused {
            self.shared.trace.counts.deferred += 1;
            self.shared.trace.record(now, Level::All, 0xde, || What::Deferred { node });
            self.shared.places[node.index()].waiting.push(Scheduled { cause, due });
            return;
        }
        let tag = u64::from(node.0) << 8;
        let input = match due {
            Due::Packet(key) => {
                let Some((source, message)) = self.shared.deliver(key) else { return };
                Input::Message { source, message }
            }
            Due::Timer { timer, .. } => {
                let trace = &mut self.shared.trace;
                trace.record(now, Level::All, tag | 1, || What::Timer { node, timer });
                Input::Timer(timer)
            }
            Due::Disk { write, .. } => {
                let trace = &mut self.shared.trace;
                trace.record(now, Level::All, tag | 2, || What::Persisted { node, write });
                Input::Persisted(write)
            }
            Due::Plan(_) | Due::Heal(_) | Due::Flap(_) => return,
        };
        self.shared.trace.cause = self.shared.trace.seq;
        self.give_input(node, input);
    }

    pub(super) fn give(&mut self, node: NodeId, input: Input<P>) {
        self.shared.trace.cause = self.shared.trace.seq;
        self.give_input(node, input);
    }

    fn give_input(&mut self, node: NodeId, input: Input<P>) {
        let process = &mut self.processes[node.index()];
        process.handle(input, &mut Context { node, shared: &mut self.shared });
    }

    /// Lets a person or a scenario act on a process between events.
    pub fn with<R>(
        &mut self,
        node: NodeId,
        act: impl FnOnce(&mut P, &mut Context<'_, P>) -> R,
    ) -> R {
        self.shared.trace.cause = 0;
        let process = &mut self.processes[node.index()];
        act(process, &mut Context { node, shared: &mut self.shared })
    }
}

impl<P: Process> Shared<P> {
    pub(super) fn schedule(&mut self, at: Time, due: Due<P::Timer>) {
        let cause = self.trace.cause;
        self.queue.push(at, Scheduled { cause, due });
    }

    pub(super) fn schedule_again(&mut self, scheduled: Scheduled<P::Timer>) {
        self.queue.push(self.now, scheduled);
    }

    pub(super) fn marked(&mut self, mark: u16) {
        let Some(count) = self.marks.get_mut(usize::from(mark)) else { return };
        *count += 1;
        for (planned, number) in self.planned.iter().zip(0..) {
            if planned.trigger == (Trigger::Mark { mark, nth: *count }) {
                self.triggered.push(number);
            }
        }
    }

    pub(super) fn send(&mut self, source: NodeId, target: NodeId, message: P::Message) {
        let Some(link) = self.network.route(source, target) else {
            self.trace.counts.sent += 1;
            self.packet_count += 1;
            let id = self.packet_count;
            self.end(id, source, target, Fate::NoRoute, 0, message);
            return;
        };
        if self.network.links[link.index()].draw_copy() {
            self.trace.counts.copies += 1;
            self.post(link, message.clone(), true);
        }
        self.post(link, message, false);
    }

    fn post(&mut self, id: LinkId, message: P::Message, copy: bool) {
        let now = self.now;
        let link = &mut self.network.links[id.index()];
        link.in_flight += 1;
        link.sent += 1;
        link.lately.count(now);
        let due_at = now + link.draw_latency();
        let way = due_at.since(now);
        let mut doomed = None;
        let mut ends_at = due_at;
        if let Some(part) = link.draw_loss() {
            doomed = Some(Fate::LostInFlight);
            ends_at = now + way.scale(part);
        }
        if link.trouble.cut && !link.trouble.hold {
            doomed = Some(Fate::LinkCut);
            ends_at = now + way.scale(0.5);
        }
        self.trace.counts.sent += 1;
        self.packet_count += 1;
        let packet = self.packet_count;
        let tag = P::fingerprint(&message).rotate_left(20) ^ u64::from(id.0) << 8 | 3;
        // A copy is news: nobody asked for it.
        let level = if copy { Level::Notes } else { Level::All };
        let seq = self.trace.record(now, level, tag, || What::Sent {
            packet,
            link: id,
            copy,
            message: message.clone(),
        });
        let key = self.packets.insert(Packet {
            id: packet,
            link: id,
            sent_at: now,
            due_at,
            doomed,
            copy,
            message,
        });
        self.queue.push(ends_at, Scheduled { cause: seq, due: Due::Packet(key) });
    }

    /// The target of a message that has come to its end, if the way is still there; otherwise the
    /// message is lost, or waits at a cut that holds.
    fn arrival(&mut self, key: Key) -> Option<NodeId> {
        let packet = self.packets.get(key)?;
        let link = &self.network.links[packet.link.index()];
        let target = link.target;
        let fate = if let Some(fate) = packet.doomed {
            fate
        } else if link.trouble.cut {
            if link.trouble.hold {
                // It stays among the packets; `release` sends it on.
                return None;
            }
            Fate::LinkCut
        } else if self.places[target.index()].down {
            Fate::TargetDown
        } else {
            return Some(target);
        };
        self.lose(key, fate);
        None
    }

    fn lose(&mut self, key: Key, fate: Fate) {
        let Some(packet) = self.packets.remove(key) else { return };
        let link = &mut self.network.links[packet.link.index()];
        link.in_flight -= 1;
        let (source, target) = (link.source, link.target);
        let whole = packet.due_at.since(packet.sent_at).0.max(1);
        let come = self.now.since(packet.sent_at).0.min(whole);
        let way = if packet.doomed.is_none() && fate == Fate::LinkCut {
            500
        } else {
            come * 1_000 / whole
        };
        self.end(packet.id, source, target, fate, way as u16, packet.message);
    }

    fn end(
        &mut self,
        packet: u64,
        source: NodeId,
        target: NodeId,
        fate: Fate,
        way: u16,
        message: P::Message,
    ) {
        self.trace.counts.ended[fate as usize] += 1;
        let level = if fate == Fate::Delivered { Level::All } else { Level::Notes };
        let tag = u64::from(target.0) << 8 | 0x10 | fate as u64;
        let what = || What::Ended { packet, source, target, fate, way, message };
        self.trace.record(self.now, level, tag, what);
    }

    fn deliver(&mut self, key: Key) -> Option<(NodeId, P::Message)> {
        let packet = self.packets.remove(key)?;
        let link = &mut self.network.links[packet.link.index()];
        link.in_flight -= 1;
        let (source, target) = (link.source, link.target);
        self.trace.counts.ended[Fate::Delivered as usize] += 1;
        let tag = u64::from(target.0) << 8 | 0x10;
        let heard = self.trace.level >= Level::All;
        let copy = heard.then(|| packet.message.clone());
        if let Some(message) = copy {
            let fate = Fate::Delivered;
            let id = packet.id;
            let what = || What::Ended { packet: id, source, target, fate, way: 1_000, message };
            self.trace.record(self.now, Level::All, tag, what);
        } else {
            // Numbered and digested all the same; nothing is recorded at this level.
            self.trace.record(self.now, Level::All, tag, || What::Deferred { node: target });
        }
        Some((source, packet.message))
    }

    /// Sends on what waited at a cut that has healed.
    pub(super) fn release(&mut self, link: LinkId) {
        let now = self.now;
        let held: Vec<(u64, Key)> = self
            .packets
            .iter()
            .filter(|(_, p)| p.link == link && p.due_at <= now && p.doomed.is_none())
            .map(|(key, p)| (p.id, key))
            .collect();
        let mut held = held;
        order::up(&mut held);
        for (_, key) in held {
            self.schedule(now, Due::Packet(key));
        }
    }
}
