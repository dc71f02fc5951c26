//! The sides of a partition as torn regions: every point of the stage belongs to the nearest node's
//! side, and the tear runs where two sides meet. Plain arithmetic; knows no browser.

use super::geometry::{Geometry, Point, length, sub, unit};
use crate::base::id::NodeId;

/// Pixels between two teeth of a tear, and how far they stand out.
const TOOTH: (f64, f64) = (11.0, 4.5);

/// The regions and tears of a partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regions {
    /// One SVG path per side.
    pub sides: Vec<String>,
    /// The tears between sides, as one SVG path of zig-zag lines.
    pub tear: String,
    /// Where to write the name of each side.
    pub labels: Vec<Point>,
}

/// The regions of `sides` on this stage. Nodes that are on no side belong to a side of their own.
pub fn regions(geometry: &Geometry, sides: &[Vec<NodeId>]) -> Regions {
    let side_of: Vec<usize> = (0..geometry.nodes.len())
        .map(|n| {
            let id = NodeId(n as u32);
            sides.iter().position(|s| s.contains(&id)).unwrap_or(sides.len())
        })
        .collect();
    let count = side_of.iter().copied().max().map_or(0, |m| m + 1);
    let mut out = Regions { sides: vec![String::new(); count], ..Regions::default() };
    let mut highest: Vec<Option<Point>> = vec![None; count];
    for n in 0..geometry.nodes.len() {
        let cell = cell(geometry, n);
        let path = &mut out.sides[side_of[n]];
        for (i, (p, neighbour)) in cell.iter().enumerate() {
            path.push_str(&format!("{}{:.1} {:.1}", if i == 0 { 'M' } else { 'L' }, p.0, p.1));
            let next = cell[(i + 1) % cell.len()].0;
            if let Some(m) = neighbour.filter(|m| *m > n && side_of[*m] != side_of[n]) {
                debug_assert!(m < geometry.nodes.len(), "a neighbour is a node");
                out.tear.push_str(&zigzag(*p, next));
            }
        }
        path.push('Z');
        let top = geometry.nodes[n].at;
        let best = &mut highest[side_of[n]];
        if best.is_none_or(|b| top.1 - geometry.nodes[n].half.1 < b.1) {
            *best = Some((top.0, top.1 - geometry.nodes[n].half.1));
        }
    }
    out.labels = highest.into_iter().map(|p| p.unwrap_or((0.0, 0.0))).collect();
    out
}

/// The part of the stage nearest to a node: corners, each with the node beyond the edge that starts
/// there.
fn cell(geometry: &Geometry, n: usize) -> Vec<(Point, Option<usize>)> {
    let (w, h) = geometry.size;
    let mut corners: Vec<(Point, Option<usize>)> =
        vec![((0.0, 0.0), None), ((w, 0.0), None), ((w, h), None), ((0.0, h), None)];
    let here = geometry.nodes[n].at;
    for (m, other) in geometry.nodes.iter().enumerate().filter(|(m, _)| *m != n) {
        let normal = sub(other.at, here);
        let middle = ((here.0 + other.at.0) / 2.0, (here.1 + other.at.1) / 2.0);
        corners = clip(&corners, middle, normal, m);
        if corners.is_empty() {
            break;
        }
    }
    corners
}

/// Keeps what is on the near side of the line through `middle` with this normal.
fn clip(
    corners: &[(Point, Option<usize>)],
    middle: Point,
    normal: Point,
    beyond: usize,
) -> Vec<(Point, Option<usize>)> {
    let depth = |p: Point| (p.0 - middle.0) * normal.0 + (p.1 - middle.1) * normal.1;
    let mut out = Vec::with_capacity(corners.len() + 1);
    for (i, (p, edge)) in corners.iter().enumerate() {
        let (q, _) = corners[(i + 1) % corners.len()];
        let (dp, dq) = (depth(*p), depth(q));
        if dp <= 0.0 {
            out.push((*p, *edge));
        }
        if (dp <= 0.0) != (dq <= 0.0) {
            let t = dp / (dp - dq);
            let cross = (p.0 + (q.0 - p.0) * t, p.1 + (q.1 - p.1) * t);
            // Leaving the near side, the edge that starts here is the cut itself.
            out.push((cross, if dp <= 0.0 { Some(beyond) } else { *edge }));
        }
    }
    out
}

/// A torn line from `a` to `b`: teeth to both sides, smaller towards the ends.
fn zigzag(a: Point, b: Point) -> String {
    let far = length(sub(b, a));
    let teeth = (far / TOOTH.0).floor().max(1.0) as u32;
    let along = unit(sub(b, a));
    let mut path = format!("M{:.1} {:.1}", a.0, a.1);
    for tooth in 1..teeth {
        let t = f64::from(tooth) / f64::from(teeth);
        // Uneven, as paper tears, and the same every time.
        let uneven = 0.65 + 0.35 * f64::from((tooth * 7 + teeth * 3) % 5) / 4.0;
        let side = if tooth % 2 == 0 { 1.0 } else { -1.0 };
        let out = TOOTH.1 * side * uneven;
        let (x, y) = (a.0 + along.0 * far * t, a.1 + along.1 * far * t);
        path.push_str(&format!("L{:.1} {:.1}", x - along.1 * out, y + along.0 * out));
    }
    path.push_str(&format!("L{:.1} {:.1}", b.0, b.1));
    path
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::super::geometry::Spot;
    use super::*;

    fn stage(at: &[Point]) -> Geometry {
        let spot = |at: &Point| Spot::disc(*at, 10.0);
        Geometry {
            size: (200.0, 100.0),
            scale: 1.0,
            nodes: at.iter().map(spot).collect(),
            lanes: vec![],
        }
    }

    #[wasm_bindgen_test]
    fn two_nodes_tear_the_stage_half_way() {
        let stage = stage(&[(50.0, 50.0), (150.0, 50.0)]);
        let found = regions(&stage, &[vec![NodeId(0)], vec![NodeId(1)]]);
        assert_eq!(found.sides.len(), 2);
        assert!(found.tear.starts_with("M100.0 "), "{}", found.tear);
        assert!(found.sides[0].contains("100.0 0.0"), "{}", found.sides[0]);
    }

    #[wasm_bindgen_test]
    fn one_side_is_not_torn() {
        let stage = stage(&[(50.0, 50.0), (150.0, 50.0)]);
        let found = regions(&stage, &[vec![NodeId(0), NodeId(1)]]);
        assert_eq!(found.tear, "");
    }
}
