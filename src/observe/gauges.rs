//! Numbers of a run that are read off the world as it stands, not counted.

use super::picture::{self, station};
use super::strips::Strips;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::Role;
use crate::protocol::broker::group::Group;
use crate::protocol::fleet::deploy::NEW;
use crate::protocol::fleet::duty::State;
use crate::protocol::store::{Lead, Standing};
use crate::sim::world::World;

/// What is read off the world at the end of each bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gauge {
    Outstanding,
    Queue(NodeId),
    Waiting { node: NodeId, group: u8 },
    Oldest { node: NodeId, group: u8 },
    Dead { node: NodeId, group: u8 },
    Open { node: NodeId, stack: u8 },
    Leaders { group: u16 },
    Behind { node: NodeId, group: u16 },
    OnDuty { group: u16, state: State },
    Renewed { group: u16 },
}

impl Gauge {
    /// What it is now; none if it is counted elsewhere. `groups` by node: its group in the cast,
    /// and whether it is a population.
    pub(super) fn read(
        self,
        world: &World<Role>,
        groups: &[(u16, bool)],
        strips: &Strips,
    ) -> Option<f32> {
        Some(match self {
            Gauge::Outstanding => return None,
            Gauge::Queue(node) => {
                let role = world.processes.get(node.index());
                role.and_then(station).map_or(0.0, |s| s.waiting() as f32)
            }
            Gauge::Waiting { node, group } => of_group(world, node, group, |group, _| {
                group.left().saturating_sub(group.out()) as f32
            }),
            Gauge::Oldest { node, group } => of_group(world, node, group, |group, now| {
                group.oldest().map_or(0.0, |since| now.since(since).as_secs() as f32)
            }),
            Gauge::Dead { node, group } => {
                of_group(world, node, group, |group, _| group.dead().count() as f32)
            }
            Gauge::Open { node, stack } => strips.open(node, stack) as f32,
            Gauge::Leaders { group } => replicas(world, groups, group).filter(leads).count() as f32,
            Gauge::OnDuty { group, state } => {
                on_duty(world, groups, group).filter(|d| d.0 == state).count() as f32
            }
            Gauge::Renewed { group } => {
                let new = (State::Serving, NEW);
                on_duty(world, groups, group).filter(|d| *d == new).count() as f32
            }
            Gauge::Behind { node, group } => {
                let all = replicas(world, groups, group).map(|(_, s)| s);
                let first = all.map(|s| (s.term, s.last)).max().map_or(0, |(_, last)| last);
                let own = world.processes.get(node.index()).and_then(Role::standing);
                own.map_or(0.0, |s| first.saturating_sub(s.applied) as f32)
            }
        })
    }
}

/// The replicas of a group that run, and how they stand.
fn replicas<'a>(
    world: &'a World<Role>,
    groups: &'a [(u16, bool)],
    group: u16,
) -> impl Iterator<Item = (NodeId, Standing)> + 'a {
    let nodes = (0..).map(NodeId).zip(&world.processes);
    let up = |node: &NodeId| !world.shared.places[node.index()].down;
    let mine = move |node: &NodeId| groups.get(node.index()).is_some_and(|g| g.0 == group);
    let own = nodes.filter(move |(node, _)| mine(node) && up(node));
    own.filter_map(|(node, role)| Some((node, role.standing()?)))
}

/// What is asked of a group of a broker.
fn of_group(world: &World<Role>, node: NodeId, group: u8, ask: fn(&Group, Time) -> f32) -> f32 {
    match world.processes.get(node.index()) {
        Some(Role::Broker(broker)) => {
            broker.groups.get(usize::from(group)).map_or(0.0, |g| ask(g, world.shared.now))
        }
        _ => 0.0,
    }
}

/// What the replicas of a group that are up do for a fleet, and which version they run.
fn on_duty<'a>(
    world: &'a World<Role>,
    groups: &'a [(u16, bool)],
    group: u16,
) -> impl Iterator<Item = (State, u8)> + 'a {
    let nodes = world.processes.iter().zip(&world.shared.places).zip(groups);
    let mine = nodes.filter(move |((_, place), own)| own.0 == group && !place.down);
    mine.filter_map(|((role, _), _)| picture::duty(role))
}

fn leads((_, standing): &(NodeId, Standing)) -> bool {
    standing.lead == Lead::Leader
}
