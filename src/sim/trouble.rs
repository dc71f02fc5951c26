//! What faults do to a running world: they begin and end, and links and nodes follow.

use super::fault::{self, Active, Fault};
use super::network::LinkSettings;
use super::process::{Input, Process};
use super::trace::{Change, Level, What};
use super::world::{Due, Shared, World};
use crate::base::id::{FaultId, LinkId, NodeId};
use crate::base::time::Span;

impl<P: Process> World<P> {
    /// Begins a fault now.
    pub fn begin(&mut self, fault: Fault, lasts: Option<Span>) -> FaultId {
        let shared = &mut self.shared;
        let id = FaultId(shared.fault_count);
        shared.fault_count += 1;
        let now = shared.now;
        let until = lasts.map(|span| now + span);
        if let Some(at) = until {
            shared.schedule(at, Due::Heal(id));
        }
        let tag = u64::from(id.0) << 8 | 0xfa;
        shared.trace.record(now, Level::Notes, tag, || What::Fault { fault: id, began: true });
        if let Fault::Flap { down, .. } = fault {
            shared.schedule(now + down, Due::Flap(id));
        }
        let links = fault.links(&shared.network);
        shared.active.push(Active { id, fault, since: now, until, links, down: true });
        self.settle();
        id
    }

    /// Ends a fault, if it is active.
    pub fn heal(&mut self, id: FaultId) {
        let Some(place) = self.shared.active.iter().position(|a| a.id == id) else { return };
        self.shared.active.remove(place);
        let now = self.shared.now;
        let tag = u64::from(id.0) << 8 | 0xfb;
        self.shared
            .trace
            .record(now, Level::Notes, tag, || What::Fault { fault: id, began: false });
        self.settle();
    }

    /// Takes one link out of every active fault, as a person does who mends it.
    pub fn mend(&mut self, link: LinkId) {
        for active in &mut self.shared.active {
            active.links.retain(|&l| l != link);
        }
        self.drop_empty();
    }

    /// Ends every fault of one node.
    pub fn recover(&mut self, node: NodeId) {
        let of_node = |a: &&Active| a.fault.node() == Some(node);
        let ids: Vec<_> = self.shared.active.iter().filter(of_node).map(|a| a.id).collect();
        for id in ids {
            self.heal(id);
        }
    }

    /// Ends every slowness of one node, and nothing else of it.
    pub fn recover_slow(&mut self, node: NodeId) {
        let slow = |a: &&Active| matches!(a.fault, Fault::Slow { node: n, .. } if n == node);
        let ids: Vec<_> = self.shared.active.iter().filter(slow).map(|a| a.id).collect();
        for id in ids {
            self.heal(id);
        }
    }

    /// Ends every wrong clock of a node.
    pub fn recover_clock(&mut self, node: NodeId) {
        let clock = |a: &&Active| matches!(a.fault, Fault::Clock { node: n, .. } if n == node);
        let ids: Vec<_> = self.shared.active.iter().filter(clock).map(|a| a.id).collect();
        for id in ids {
            self.heal(id);
        }
    }

    /// Changes what a link is like without faults.
    pub fn set_link(&mut self, link: LinkId, settings: LinkSettings) {
        self.shared.network.links[link.index()].settings = settings;
    }

    fn drop_empty(&mut self) {
        let empty = |a: &&Active| a.links.is_empty() && a.fault.node().is_none();
        let ids: Vec<_> = self.shared.active.iter().filter(empty).map(|a| a.id).collect();
        for id in ids {
            self.heal(id);
        }
        self.settle();
    }

    pub(super) fn begin_planned(&mut self, number: u32) {
        let planned = self.shared.planned[number as usize].clone();
        self.shared.trace.cause = self.shared.trace.seq;
        self.begin(planned.fault, planned.lasts);
    }

    pub(super) fn flap(&mut self, id: FaultId) {
        let Some(active) = self.shared.active.iter_mut().find(|a| a.id == id) else { return };
        let Fault::Flap { down, up, .. } = active.fault else { return };
        active.down = !active.down;
        let wait = if active.down { down } else { up };
        let at = self.shared.now + wait.max(Span(1));
        self.shared.schedule(at, Due::Flap(id));
        self.settle();
    }

    /// Brings links and nodes to what the active faults say.
    fn settle(&mut self) {
        for number in 0..self.shared.network.links.len() as u32 {
            let link = LinkId(number);
            let trouble = fault::link_trouble(&self.shared.active, link);
            let before =
                std::mem::replace(&mut self.shared.network.links[link.index()].trouble, trouble);
            if before.hold && !trouble.hold {
                self.shared.release(link);
            }
        }
        for number in 0..self.processes.len() as u32 {
            self.settle_node(NodeId(number));
        }
    }

    fn settle_node(&mut self, node: NodeId) {
        let trouble = fault::node_trouble(&self.shared.active, node);
        let now = self.shared.now;
        let place = &mut self.shared.places[node.index()];
        if place.slowness != trouble.slowness {
            place.slowness = trouble.slowness;
            place.since = now;
        }
        place.disk.extra = trouble.disk;
        place.clock.skews = trouble.skews;
        let (was_down, was_paused) = (place.down, place.paused);
        if (was_down, was_paused) == (trouble.down, trouble.paused) {
            return;
        }
        place.down = trouble.down;
        place.paused = trouble.paused;
        place.since = now;
        let change = |shared: &mut Shared<P>, change: Change| {
            let tag = u64::from(node.0) << 8 | 0xc0 | change as u64;
            shared.trace.record(now, Level::Notes, tag, || What::Node { node, change });
        };
        if trouble.down && !was_down {
            place.epoch += 1;
            let durable = place.disk.crash(now);
            let lost = std::mem::take(&mut place.waiting);
            change(&mut self.shared, Change::Crashed);
            self.processes[node.index()].crash(durable);
            for scheduled in lost {
                self.shared.schedule_again(scheduled);
            }
        }
        if trouble.paused && !was_paused {
            change(&mut self.shared, Change::Paused);
        }
        if was_paused && !trouble.paused {
            change(&mut self.shared, Change::Resumed);
            for scheduled in std::mem::take(&mut self.shared.places[node.index()].waiting) {
                self.shared.schedule_again(scheduled);
            }
        }
        if was_down && !trouble.down {
            change(&mut self.shared, Change::Restarted);
            self.give(node, Input::Restart);
        }
    }
}
