//! Where things stand on the screen, in pixels: from places in the unit square to nodes that do not
//! overlap and lanes that messages travel. Plain arithmetic; knows no browser.

use super::room::{GAP, axis, footprint, is_round, is_upright, spread, turn};
use crate::base::id::NodeId;
use crate::observe::frame::{Frame, Kind};

/// A point in pixels, x to the right and y down.
pub type Point = (f64, f64);

/// Pixels between the axis of a link and each of its two lanes.
pub const LANE: f64 = 5.0;
/// Half the width of the line that says how a crowd is.
const CROWD_LINE: f64 = 62.0;
/// Pixels of road between two neighbours at full size.
const ROAD: f64 = 84.0;

/// The scales that are tried, from large to small, until no two nodes overlap.
const LARGEST: f64 = 1.3;
const SMALLEST: f64 = 0.34;
const STEPS: u32 = 18;
/// Below this scale a node has room for its name and its queue only.
pub const COMPACT: f64 = 0.66;

/// Where every node and link of a scenario stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Geometry {
    /// Size of the stage.
    pub size: Point,
    /// How much smaller than full size the nodes are drawn.
    pub scale: f64,
    /// One per node, in id order.
    pub nodes: Vec<Spot>,
    /// One per link, in id order.
    pub lanes: Vec<Lane>,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// Its middle.
    pub at: Point,
    /// Half its width and height.
    pub half: Point,
    /// Round things are met by links at a distance, boxes at their edge.
    pub round: bool,
    /// How much of its half width a round thing fills in the direction of its links.
    reach: f64,
}

/// The way of messages in one direction: a curve with one bend, straight when the bend is half way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lane {
    /// Where it leaves its source.
    pub from: Point,
    /// The control point of the curve.
    pub bend: Point,
    /// Where it meets its target.
    pub to: Point,
}

impl Lane {
    /// The point this far along, from 0 to 1.
    pub fn at(&self, progress: f64) -> Point {
        let (p, q) = (progress, 1.0 - progress);
        let mix = |a: f64, b: f64, c: f64| q * q * a + 2.0 * q * p * b + p * p * c;
        (mix(self.from.0, self.bend.0, self.to.0), mix(self.from.1, self.bend.1, self.to.1))
    }

    /// The lane as an SVG path.
    pub fn path(&self) -> String {
        let Lane { from, bend, to } = self;
        format!("M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}", from.0, from.1, bend.0, bend.1, to.0, to.1)
    }

    /// The lane from node middle to node middle, for drawing beneath the nodes.
    pub fn reaching(self, from: Point, to: Point) -> Lane {
        Lane { from, to, ..self }
    }

    /// The direction of travel half way, as a unit vector.
    pub fn heading(&self) -> Point {
        unit(sub(self.to, self.from))
    }

    /// Moves the lane sideways, to the right of its direction of travel.
    fn shifted(self, by: f64) -> Lane {
        let (x, y) = self.heading();
        let move_by = |p: Point| (p.0 - y * by, p.1 + x * by);
        Lane { from: move_by(self.from), bend: move_by(self.bend), to: move_by(self.to) }
    }
}

/// What decides the geometry: it changes when a scenario opens, not while it runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Number, name, kind, place and crowd size of each node.
    pub nodes: Vec<Item>,
    /// Source and target of each link.
    pub links: Vec<(NodeId, NodeId)>,
}

/// A node as the plan has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Which node.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Decides its shape.
    pub kind: Kind,
    /// In the unit square.
    pub place: Point,
}

impl Plan {
    /// The plan behind a picture.
    pub fn of(frame: &Frame) -> Plan {
        let item = |n: &crate::observe::frame::NodeView| Item {
            id: n.id,
            name: n.name.clone(),
            kind: n.kind,
            place: n.place,
        };
        Plan {
            nodes: frame.nodes.iter().map(item).collect(),
            links: frame.links.iter().map(|l| (l.source, l.target)).collect(),
        }
    }

    /// Stands everything on a stage of this size.
    pub fn arrange(&self, width: f64, height: f64) -> Geometry {
        let size = (width.max(160.0), height.max(120.0));
        let mut best = self.at_scale(size, LARGEST);
        for step in 1..=STEPS {
            if !best.crowded() {
                break;
            }
            let share = f64::from(step) / f64::from(STEPS);
            best = self.at_scale(size, LARGEST + (SMALLEST - LARGEST) * share);
        }
        best.lanes = self.links.iter().map(|(a, b)| best.lane(*a, *b)).collect();
        best
    }

    fn at_scale(&self, size: Point, scale: f64) -> Geometry {
        let upright = is_upright(size);
        let crowds = self.nodes.iter().filter(|n| n.kind == Kind::Clients).count().max(1);
        let places = spread(self.nodes.iter().map(|n| turn(n.place, upright)).collect());
        let halves: Vec<Point> =
            self.nodes.iter().map(|n| footprint(n.kind, size, scale, crowds, upright)).collect();
        // A name stands under a node; below a crowd's, how many there are: often wider than it.
        let crowd = |n: &Item| n.kind == Kind::Clients;
        let wide = |(n, h): (&Item, &Point)| if crowd(n) { h.0.max(CROWD_LINE) } else { h.0 };
        let widths = self.nodes.iter().zip(&halves).map(wide);
        let xs = axis(size.0, 0.0, places.iter().map(|p| p.0), widths);
        let round = |n: &Item| is_round(n.kind);
        let lines = if self.nodes.iter().any(round) { 38.0 } else { 22.0 };
        let label = lines * scale.max(0.7);
        let ys = axis(size.1, label, places.iter().map(|p| p.1), halves.iter().map(|h| h.1));
        let nodes = self
            .nodes
            .iter()
            .zip(xs.into_iter().zip(ys).zip(halves))
            .map(|(n, (at, half))| Spot {
                at,
                half,
                round: is_round(n.kind),
                reach: if n.kind == Kind::Balancer { 0.72 } else { 1.0 },
            })
            .collect();
        Geometry { size, scale, nodes, lanes: Vec::new() }
    }
}

impl Geometry {
    /// The same with nodes moved by shares of a wide stage, by name. They stay on it.
    pub fn moved(mut self, plan: &Plan, moves: &[(String, Point)]) -> Geometry {
        if moves.is_empty() {
            return self;
        }
        let size = self.size;
        let kept = |at: f64, half: f64, length: f64| {
            let low = (half + GAP).min(length / 2.0);
            at.clamp(low, length - low)
        };
        for (spot, item) in self.nodes.iter_mut().zip(&plan.nodes) {
            if let Some((_, by)) = moves.iter().find(|(name, _)| *name == item.name) {
                let (x, y) = turn(*by, is_upright(size));
                let (to_x, to_y) = (spot.at.0 + x * size.0, spot.at.1 + y * size.1);
                spot.at = (kept(to_x, spot.half.0, size.0), kept(to_y, spot.half.1, size.1));
            }
        }
        self.lanes = plan.links.iter().map(|(a, b)| self.lane(*a, *b)).collect();
        self
    }

    /// True when two nodes overlap.
    fn crowded(&self) -> bool {
        self.nodes.iter().enumerate().any(|(n, a)| {
            self.nodes[..n].iter().any(|b| {
                // Room for messages between neighbours, and for what is written under a node.
                let room = ROAD * self.scale.min(1.0);
                let upper = if a.at.1 < b.at.1 { a } else { b };
                let lines = (2.0 * GAP * self.scale.min(1.0)).max(upper.lines(self.scale));
                (a.at.0 - b.at.0).abs() < a.half.0 + b.half.0 + room
                    && (a.at.1 - b.at.1).abs() < a.half.1 + b.half.1 + lines
            })
        })
    }

    /// The spot of a node.
    pub fn spot(&self, id: NodeId) -> Option<&Spot> {
        self.nodes.get(id.index())
    }

    /// The lane from one node to another: to the right of the axis, around what stands in the way.
    fn lane(&self, source: NodeId, target: NodeId) -> Lane {
        let (Some(a), Some(b)) = (self.spot(source), self.spot(target)) else {
            return Lane::default();
        };
        let bend = self.detour(source, target, a.at, b.at);
        let lane = Lane { from: a.rim(bend), bend, to: b.rim(bend) };
        let middle = ((lane.from.0 + lane.to.0) / 2.0, (lane.from.1 + lane.to.1) / 2.0);
        let straight = length(sub(bend, ((a.at.0 + b.at.0) / 2.0, (a.at.1 + b.at.1) / 2.0)));
        let lane = if straight < 1.0 { Lane { bend: middle, ..lane } } else { lane };
        lane.shifted(LANE * self.scale.clamp(0.6, 1.1))
    }

    /// The control point of a curve from `a` to `b` that passes by every other node.
    fn detour(&self, source: NodeId, target: NodeId, a: Point, b: Point) -> Point {
        let middle = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
        let far = length(sub(b, a)).max(1.0);
        let along = unit(sub(b, a));
        let mut push = 0.0_f64;
        for (n, spot) in self.nodes.iter().enumerate() {
            if n == source.index() || n == target.index() {
                continue;
            }
            let offset = sub(spot.at, a);
            let t = (offset.0 * along.0 + offset.1 * along.1) / far;
            let aside = offset.1 * along.0 - offset.0 * along.1;
            let reach = spot.half.0 * along.1.abs() + spot.half.1 * along.0.abs() + GAP;
            if (0.1..0.9).contains(&t) && aside.abs() < reach {
                let away = if aside > 0.0 { -1.0 } else { 1.0 };
                // A quadratic curve reaches half way to its control point.
                let need = 2.0 * (reach - aside.abs()) * away;
                if need.abs() > push.abs() {
                    push = need;
                }
            }
        }
        (middle.0 - along.1 * push, middle.1 + along.0 * push)
    }
}

impl Spot {
    /// Pixels that are written on under it, and above the next one. In boxes the name stands
    /// inside; what is wrong with a small one stands on its edge.
    fn lines(&self, scale: f64) -> f64 {
        match (self.round, scale < COMPACT) {
            (true, _) => 38.0 * scale.clamp(0.7, 1.0),
            (false, true) => 22.0,
            (false, false) => 29.0,
        }
    }

    /// Something round.
    #[cfg(test)]
    pub fn disc(at: Point, radius: f64) -> Spot {
        Spot { at, half: (radius, radius), round: true, reach: 1.0 }
    }

    /// Where a line from the middle towards `towards` leaves the node.
    pub fn rim(&self, towards: Point) -> Point {
        let d = unit(sub(towards, self.at));
        let reach = if self.round {
            self.half.0 * self.reach
        } else {
            let across = |half: f64, d: f64| if d.abs() < 1e-6 { f64::MAX } else { half / d.abs() };
            across(self.half.0, d.0).min(across(self.half.1, d.1))
        };
        (self.at.0 + d.0 * reach, self.at.1 + d.1 * reach)
    }
}

/// `a - b`.
pub fn sub(a: Point, b: Point) -> Point {
    (a.0 - b.0, a.1 - b.1)
}

/// The direction of a vector; to the right for none.
pub fn unit(v: Point) -> Point {
    let far = length(v);
    if far < 1e-9 { (1.0, 0.0) } else { (v.0 / far, v.1 / far) }
}

/// How long a vector is.
pub fn length(v: Point) -> f64 {
    (v.0 * v.0 + v.1 * v.1).sqrt()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn plan() -> Plan {
        let item = |id, kind, place| Item { id: NodeId(id), name: format!("n{id}"), kind, place };
        Plan {
            nodes: vec![
                item(0, Kind::Clients, (0.0, 0.5)),
                item(1, Kind::Balancer, (0.4, 0.5)),
                item(2, Kind::Service, (0.7, 0.5)),
                item(3, Kind::Store, (1.0, 0.5)),
            ],
            links: vec![(NodeId(0), NodeId(1)), (NodeId(1), NodeId(0)), (NodeId(1), NodeId(3))],
        }
    }

    #[wasm_bindgen_test]
    fn everything_stays_on_the_stage() {
        for (w, h) in [(900.0, 500.0), (390.0, 420.0), (320.0, 568.0), (480.0, 220.0)] {
            let geometry = plan().arrange(w, h);
            for spot in &geometry.nodes {
                assert!(spot.at.0 - spot.half.0 >= 0.0 && spot.at.0 + spot.half.0 <= w, "{w}x{h}");
                assert!(spot.at.1 - spot.half.1 >= 0.0 && spot.at.1 + spot.half.1 <= h, "{w}x{h}");
            }
        }
    }

    #[wasm_bindgen_test]
    fn a_moved_node_takes_its_links_along_and_stays_on_the_stage() {
        let (plan, at) = (plan(), plan().arrange(900.0, 500.0));
        let moved = |by| at.clone().moved(&plan, &[("n3".to_owned(), by)]);
        let up = moved((-0.1, -0.2));
        assert!((up.nodes[3].at.1 - (at.nodes[3].at.1 - 100.0)).abs() < 1e-9);
        assert_eq!((up.nodes[1], up.lanes[0]), (at.nodes[1], at.lanes[0]));
        assert!(up.lanes[2].to.1 < at.lanes[2].to.1 - 40.0);
        let far = moved((1.0, 1.0));
        let spot = far.nodes[3];
        assert!(spot.at.0 + spot.half.0 <= 900.0 && spot.at.1 + spot.half.1 <= 500.0, "{spot:?}");
    }

    #[wasm_bindgen_test]
    fn a_narrow_stage_turns_the_picture() {
        let geometry = plan().arrange(390.0, 640.0);
        assert!(geometry.nodes[3].at.1 > geometry.nodes[0].at.1 + 100.0);
    }

    #[wasm_bindgen_test]
    fn the_two_lanes_of_a_link_are_apart() {
        let geometry = plan().arrange(900.0, 500.0);
        let (there, back) = (geometry.lanes[0].at(0.5), geometry.lanes[1].at(0.5));
        let apart = length(sub(there, back));
        assert!(apart > LANE && apart < 3.0 * LANE, "{apart}");
    }

    #[wasm_bindgen_test]
    fn a_lane_passes_by_what_stands_in_the_way() {
        let geometry = plan().arrange(900.0, 500.0);
        let service = geometry.nodes[2];
        let nearest = (0..=100)
            .map(|n| geometry.lanes[2].at(f64::from(n) / 100.0))
            .filter(|p| (p.0 - service.at.0).abs() < service.half.0 * 0.5)
            .map(|p| (p.1 - service.at.1).abs())
            .fold(f64::MAX, f64::min);
        assert!(nearest > service.half.1 * 0.8, "{nearest}");
    }
}
