//! Afterglow: where messages were in the pictures just before. At speeds where a message crosses
//! its link within a few pictures, single dots would only flicker; with their afterglow the links
//! show what runs over them and how much.

use super::points::STRIDE;
use std::collections::VecDeque;

/// How many pictures glow on.
const PICTURES: usize = 7;
/// With more messages than this there is nothing single to follow.
const MESSAGES_MAX: usize = 4_000;

/// The messages of the last pictures.
#[derive(Debug, Default)]
pub struct Trail {
    before: VecDeque<Vec<f32>>,
}

impl Trail {
    /// Takes in the messages of a new picture.
    pub fn follow(&mut self, messages: &[f32]) {
        let mut kept = if self.before.len() > PICTURES { self.before.pop_back() } else { None }
            .unwrap_or_default();
        kept.clear();
        if messages.len() <= MESSAGES_MAX * STRIDE {
            kept.extend_from_slice(messages);
        }
        self.before.push_front(kept);
    }

    /// Forgets everything: time stands still or jumped.
    pub fn forget(&mut self) {
        self.before.clear();
    }

    /// Puts the afterglow into `points` at `place`, beneath the messages that stand there.
    pub fn draw(&self, place: usize, points: &mut Vec<f32>) {
        let glow = self.before.iter().enumerate().skip(1).rev().flat_map(|(age, picture)| {
            let share = 1.0 - age as f32 / (PICTURES + 1) as f32;
            picture
                .chunks_exact(STRIDE)
                .flat_map(move |p| [p[0], p[1], p[2] * (0.45 + 0.4 * share), p[3], 0.34 * share])
        });
        let glow: Vec<f32> = glow.collect();
        points.splice(place..place, glow);
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn only_earlier_pictures_glow() {
        let mut trail = Trail::default();
        let mut points = vec![1.0, 1.0, 8.0, 0.0, 1.0];
        trail.follow(&points.clone());
        trail.draw(0, &mut points);
        assert_eq!(points.len(), STRIDE);
        trail.follow(&[2.0, 1.0, 8.0, 0.0, 1.0]);
        let mut points = vec![2.0, 1.0, 8.0, 0.0, 1.0];
        trail.draw(0, &mut points);
        assert_eq!(points.len(), 2 * STRIDE);
        assert!(points[4] < 0.5 && points[0] < 1.5, "{points:?}");
    }
}
