//! A space-time diagram of a stretch of a run: a row for each node, time to the right, an arrow for
//! each message, a point for each thing that a process did. Plain data, made from records of
//! everything (`Level::All`) that happened in the stretch.

use super::event::{Cargo, Event, Fact};
use super::explain::explain;
use super::line::Tone;
use super::scene::Scene;
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::Time;
use crate::protocol::Role;
use crate::protocol::rpc::Answer;
use crate::sim::trace::{Fate, Record};
use serde::Serialize;
use std::collections::BTreeMap;

/// A stretch of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lanes {
    /// From this instant.
    pub from: Time,
    /// To this one.
    pub until: Time,
    /// A row for each node that took part, in id order.
    pub rows: Vec<Row>,
    /// Messages, in the order in which they were sent.
    pub arrows: Vec<Arrow>,
    /// What processes did, in order of time.
    pub points: Vec<Point>,
}

/// The row of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Which node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
}

/// A message on its way from one row to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arrow {
    /// Its number.
    pub packet: u64,
    /// The record of its sending, zero if that was before the stretch.
    pub seq: u64,
    /// The record that caused it.
    pub cause: u64,
    /// From this row.
    pub source: usize,
    /// To this row.
    pub target: usize,
    /// When it was sent; none if before the stretch.
    pub sent: Option<Time>,
    /// When it ended; none if after the stretch.
    pub ended: Option<Time>,
    /// How it ended.
    pub fate: Option<Fate>,
    /// How far it came, in thousandths of the way.
    pub way: u16,
    /// What it is.
    pub kind: ArrowKind,
    /// The intent it served.
    pub intent: Option<u64>,
    /// The attempt it belonged to, counting from one; zero for health checks.
    pub attempt: u8,
    /// True for a copy made by the network.
    pub copy: bool,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ArrowKind {
    /// Asks for something.
    Request,
    /// Says that it was done.
    Reply,
    /// Says that it was not.
    ErrorReply,
    /// Asks or says whether a node is alive.
    Probe,
}

/// Something a process did, or that was done to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The record.
    pub seq: u64,
    /// The record that caused it.
    pub cause: u64,
    /// When.
    pub at: Time,
    /// On this row.
    pub row: usize,
    /// In words.
    pub text: String,
    /// How good or bad it is.
    pub tone: Tone,
    /// For which intent.
    pub intent: Option<u64>,
}

/// The diagram of the records between two instants. With `intent`, only what belongs to that one,
/// faults and conditions of nodes.
pub fn lanes(
    records: &[Record<Role>],
    scene: &Scene,
    from: Time,
    until: Time,
    intent: Option<u64>,
) -> Lanes {
    let mut lanes = Lanes { from, until, ..Lanes::default() };
    let mut open: BTreeMap<u64, usize> = BTreeMap::new();
    // Ends are node numbers until all that take part are known.
    for record in records.iter().filter(|r| (from..=until).contains(&r.at)) {
        let Some(event) = Event::of(record, 0) else { continue };
        if intent.is_some() && event.intent().is_some() && event.intent() != intent {
            continue;
        }
        match event.fact {
            Fact::Sent { packet, link, copy, cargo } => {
                let Some((source, target)) = scene.ends(link) else { continue };
                open.insert(packet, lanes.arrows.len());
                let sent = Some(event.at);
                lanes.arrows.push(Arrow {
                    sent,
                    copy,
                    ..arrow(&event, packet, source, target, cargo)
                });
            }
            Fact::Ended { packet, source, target, fate, cargo } => {
                let place = open.remove(&packet).unwrap_or_else(|| {
                    let new = arrow(&event, packet, source, target, cargo);
                    lanes.arrows.push(Arrow { seq: 0, cause: 0, ..new });
                    lanes.arrows.len() - 1
                });
                let arrow = &mut lanes.arrows[place];
                arrow.ended = Some(event.at);
                arrow.fate = Some(fate);
                arrow.way = way(record);
            }
            Fact::Note { node, .. } | Fact::Repeated { node, .. } | Fact::Node { node, .. } => {
                lanes.points.push(point(&event, node, scene));
            }
            Fact::Fault { .. } | Fact::Deferred { .. } => {}
        }
    }
    lanes.count_rows(scene);
    lanes
}

impl Lanes {
    /// Replaces node numbers by rows, for nodes that take part.
    fn count_rows(&mut self, scene: &Scene) {
        let ends = self.arrows.iter().flat_map(|a| [a.source, a.target]);
        let mut nodes: Vec<usize> = ends.chain(self.points.iter().map(|p| p.row)).collect();
        order::up(&mut nodes);
        nodes.dedup();
        let row = |node: usize| nodes.binary_search(&node).unwrap_or(0);
        for arrow in &mut self.arrows {
            (arrow.source, arrow.target) = (row(arrow.source), row(arrow.target));
        }
        for point in &mut self.points {
            point.row = row(point.row);
        }
        let ids = nodes.iter().map(|&node| NodeId(node as u32));
        self.rows = ids.map(|node| Row { node, name: scene.name(node).to_owned() }).collect();
    }
}

fn arrow(event: &Event, packet: u64, source: NodeId, target: NodeId, cargo: Cargo) -> Arrow {
    let (kind, attempt) = match cargo {
        Cargo::Request { attempt, .. } => (ArrowKind::Request, attempt),
        Cargo::Reply {
            attempt,
            answer: Answer::Done { .. } | Answer::Degraded | Answer::Stale { .. },
            ..
        } => (ArrowKind::Reply, attempt),
        Cargo::Reply { attempt, .. } => (ArrowKind::ErrorReply, attempt),
        Cargo::Probe | Cargo::Store { .. } => (ArrowKind::Probe, 0),
    };
    Arrow {
        packet,
        seq: event.seq,
        cause: event.cause,
        source: source.index(),
        target: target.index(),
        sent: None,
        ended: None,
        fate: None,
        way: 0,
        kind,
        intent: cargo.intent(),
        attempt,
        copy: false,
    }
}

fn way(record: &Record<Role>) -> u16 {
    match record.what {
        crate::sim::trace::What::Ended { way, .. } => way,
        _ => 0,
    }
}

fn point(event: &Event, node: NodeId, scene: &Scene) -> Point {
    let line = explain(event, scene, None);
    Point {
        seq: event.seq,
        cause: event.cause,
        at: event.at,
        row: node.index(),
        text: line.text,
        tone: line.tone,
        intent: event.intent(),
    }
}
