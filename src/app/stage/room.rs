//! How large nodes are, and how they share the room there is. Plain arithmetic.

use super::geometry::Point;
use crate::observe::frame::Kind;

/// Pixels kept free between two nodes, and between a node and the rim.
pub const GAP: f64 = 14.0;

/// Whether a node is drawn without corners: its name stands under it.
pub fn is_round(kind: Kind) -> bool {
    matches!(kind, Kind::Clients | Kind::Balancer | Kind::Names | Kind::Fleet)
}

/// Whether a stage of this size is narrow.
pub fn is_upright(size: Point) -> bool {
    size.1 > size.0 * 1.02
}

/// A wide picture stands on its side on a narrow screen.
pub fn turn(place: Point, upright: bool) -> Point {
    if upright { (place.1, place.0) } else { place }
}

/// Uses the whole square: the outermost places go to its rim.
pub fn spread(places: Vec<Point>) -> Vec<Point> {
    let bounds = |pick: fn(&Point) -> f64| {
        places.iter().map(pick).fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)))
    };
    let (x, y) = (bounds(|p| p.0), bounds(|p| p.1));
    let fit = |v: f64, (low, high): (f64, f64)| {
        if high - low < 0.02 { 0.5 } else { (v - low) / (high - low) }
    };
    places.iter().map(|p| (fit(p.0, x), fit(p.1, y))).collect()
}

/// Half the width and height of a node.
pub fn footprint(kind: Kind, size: Point, scale: f64, crowds: usize, upright: bool) -> Point {
    let crowds = crowds as f64;
    let room = if upright { size.0.min(size.1 * 0.8) } else { size.1.min(size.0 * 0.8) };
    match kind {
        Kind::Clients => {
            let radius = (room * 0.27 / crowds.sqrt()).clamp(34.0, 132.0) * scale.max(0.5);
            (radius, radius)
        }
        Kind::Balancer | Kind::Names | Kind::Fleet => (30.0 * scale, 30.0 * scale),
        Kind::Broker => (70.0 * scale, 37.0 * scale),
        Kind::Service => (66.0 * scale, 37.0 * scale),
        Kind::Cache => (66.0 * scale, 39.0 * scale),
        Kind::Store => (60.0 * scale, 45.0 * scale),
        Kind::Backup => (56.0 * scale, 30.0 * scale),
    }
}

/// Positions along one axis, such that nothing sticks out: the margins grow until it fits.
pub fn axis(
    length: f64,
    after: f64,
    places: impl Iterator<Item = f64> + Clone,
    halves: impl Iterator<Item = f64> + Clone,
) -> Vec<f64> {
    let (mut start, mut end) = (GAP, GAP + after);
    for _ in 0..16 {
        let room = (length - start - end).max(0.0);
        let (mut left, mut right) = (0.0_f64, 0.0_f64);
        for (place, half) in places.clone().zip(halves.clone()) {
            let at = start + place * room;
            left = left.max(GAP - (at - half));
            right = right.max(at + half - (length - GAP - after));
        }
        if left <= 0.5 && right <= 0.5 {
            break;
        }
        start += left;
        end += right;
    }
    let room = (length - start - end).max(0.0);
    places.map(|p| start + p * room).collect()
}
