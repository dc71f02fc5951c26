//! Everything that is painted rather than built of elements: messages in flight, messages that met
//! their end, and the members of crowds. One list of points for whichever painter there is.

use super::geometry::Geometry;
use crate::base::time::Span;
use crate::observe::frame::{Crowd, Fate, Frame, Kind};

/// Numbers per point: x, y, size in pixels, look, opacity.
pub const STRIDE: usize = 5;
/// Looks, after the message kinds 0 to 6 of a frame: the three ways a message can end badly.
const LOST: f32 = 7.0;
const CUT: f32 = 8.0;
const REFUSED: f32 = 9.0;
/// The seven states of a client follow.
const CLIENT: f32 = 10.0;
/// A look is followed by what a message wears: ticks for the attempt that it is, and a second ring
/// if the network made it.
const TICK: usize = 32;
const COPY: usize = 256;
/// Ticks at most: so many can be told apart.
const TICKS: u8 = 4;
/// How many looks there are.
pub const LOOKS: usize = 17;

/// Names of the colours of each look, as custom properties of the page.
pub const COLOURS: [&str; LOOKS] = [
    "--dot-request",
    "--dot-retry",
    "--dot-reply",
    "--dot-error",
    "--dot-degraded",
    "--dot-probe",
    "--dot-orphan",
    "--dot-error",
    "--dot-error",
    "--dot-error",
    "--client-idle",
    "--client-waiting",
    "--client-retrying",
    "--client-backing-off",
    "--client-served",
    "--client-degraded",
    "--client-failed",
];

/// The look of a point, the ticks on its rim, and whether a second ring goes around it.
pub fn worn(look: f32) -> (usize, usize, bool) {
    let code = look as usize;
    (code % TICK, code % COPY / TICK, code >= COPY)
}

/// What a message wears besides its look: an attempt after the first has as many ticks as it is.
fn wears(attempt: u8, copy: bool) -> f32 {
    let ticks = if attempt < 2 { 0 } else { usize::from(attempt.min(TICKS)) };
    (ticks * TICK + usize::from(copy) * COPY) as f32
}

/// Fills `out` with the points of a picture, crowds first, so that messages pass over them.
/// Ends older than `fade` are left out. Returns where the messages start and end in the list.
pub fn collect(
    frame: &Frame,
    geometry: &Geometry,
    fade: Span,
    out: &mut Vec<f32>,
) -> std::ops::Range<usize> {
    out.clear();
    for node in frame.nodes.iter().filter(|n| n.kind == Kind::Clients) {
        if let (Some(crowd), Some(spot)) = (&node.crowd, geometry.spot(node.id)) {
            seat(crowd, spot.at, spot.half.0, out);
        }
    }
    let start = out.len();
    let size = packet_size(frame.packets.id.len()) * geometry.scale.clamp(0.62, 1.1) as f32;
    let packets = &frame.packets;
    let marks = packets.attempt.iter().zip(&packets.copy);
    let ways = packets.link.iter().zip(&packets.progress).zip(packets.kind.iter().zip(marks));
    for ((link, progress), (kind, (attempt, copy))) in ways {
        let Some(lane) = geometry.lanes.get(*link as usize) else { continue };
        let (x, y) = lane.at(f64::from(*progress));
        let look = f32::from(*kind) + wears(*attempt, *copy);
        out.extend([x as f32, y as f32, size * weight(*kind), look, 1.0]);
    }
    let messages = start..out.len();
    for end in &frame.ends {
        let age = frame.at.since(end.at).0 as f32 / fade.0.max(1) as f32;
        if age > 1.0 {
            continue;
        }
        let look = match end.fate {
            Fate::Delivered => continue,
            Fate::LostInFlight => LOST,
            Fate::LinkCut => CUT,
            Fate::TargetDown | Fate::NoRoute => REFUSED,
        };
        let Some(lane) = geometry.lanes.get(end.link.index()) else { continue };
        let (x, y) = lane.at(f64::from(end.progress));
        out.extend([x as f32, y as f32, size.max(6.0) * 1.5, look, 1.0 - age * age]);
    }
    messages
}

/// Many messages are drawn small, so that they can be told apart.
fn packet_size(count: usize) -> f32 {
    match count {
        0..200 => 11.0,
        200..800 => 9.0,
        800..3_000 => 7.0,
        3_000..8_000 => 5.0,
        _ => 3.5,
    }
}

/// What matters is larger: a retry more than a health check.
fn weight(kind: u8) -> f32 {
    match kind {
        1 | 3 => 1.15,
        5 => 0.6,
        6 => 0.85,
        _ => 1.0,
    }
}

/// Seats the members of a crowd as the seeds of a sunflower: evenly, at any number.
fn seat(crowd: &Crowd, at: (f64, f64), radius: f64, out: &mut Vec<f32>) {
    let count = crowd.sample.len().max(1) as f64;
    let step = (radius - 3.0).max(1.0) / count.sqrt();
    let size = (step * 1.42).clamp(1.6, 13.0) as f32;
    // The golden angle.
    let (sin, cos) = libm::sincos(2.399_963_229_728_653);
    let mut direction = (1.0, 0.0);
    for (n, state) in crowd.sample.iter().enumerate() {
        let r = step * (n as f64 + 0.5).sqrt();
        let (x, y) = (at.0 + direction.0 * r, at.1 + direction.1 * r);
        out.extend([x as f32, y as f32, size, CLIENT + f32::from(*state), 1.0]);
        direction = (direction.0 * cos - direction.1 * sin, direction.0 * sin + direction.1 * cos);
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn attempts_and_copies_are_worn_over_the_look() {
        for (kind, attempt, copy, ticks) in [
            (0_u8, 1, false, 0),
            (1, 2, false, 2),
            (1, 9, true, 4),
            (2, 0, true, 0),
            (6, 3, false, 3),
        ] {
            let look = f32::from(kind) + wears(attempt, copy);
            assert_eq!(worn(look), (usize::from(kind), ticks, copy));
        }
        assert_eq!(worn(REFUSED), (9, 0, false));
    }

    #[wasm_bindgen_test]
    fn a_crowd_sits_inside_its_circle() {
        let crowd = Crowd { clients: 500, sample: vec![0; 500], ..Crowd::default() };
        let mut points = Vec::new();
        seat(&crowd, (100.0, 100.0), 60.0, &mut points);
        assert_eq!(points.len(), 500 * STRIDE);
        for p in points.chunks(STRIDE) {
            assert!(libm::hypotf(p[0] - 100.0, p[1] - 100.0) <= 60.0, "{p:?}");
        }
    }
}
