//! Snapshots of a run, so that going back costs a short replay.

use super::run::Run;
use crate::base::time::Time;
use std::collections::BTreeMap;

/// Events between two snapshots in the beginning: replaying so many takes under 50 ms in a browser.
pub(super) const GAP: u64 = 50_000;
/// Snapshots kept at most, of a world of ordinary size.
const KEPT: usize = 96;
/// Memory for the snapshots of all runs on screen, in bytes, roughly.
const MEMORY: u64 = 480 << 20;

/// Snapshots by time. When there are too many, every second one is dropped and the gap doubled.
#[derive(Clone, Debug)]
pub struct History {
    snapshots: BTreeMap<Time, Run>,
    gap: u64,
}

impl History {
    /// With the beginning as its first snapshot.
    pub fn new(start: &Run) -> History {
        History { snapshots: BTreeMap::from([(start.course.now(), start.clone())]), gap: GAP }
    }

    /// Keeps a snapshot of `run`, if enough has happened since the last one before it. So many runs
    /// share the memory.
    pub fn offer(&mut self, run: &Run, runs: u64) {
        let before = self.snapshots.range(..=run.course.now()).next_back();
        let events = before.map_or(0, |(_, snapshot)| snapshot.course.events());
        if run.course.events() < events + self.gap {
            return;
        }
        self.snapshots.insert(run.course.now(), run.clone());
        self.fit(run, runs);
    }

    /// Drops what is too much for the share of one of so many runs.
    pub fn fit(&mut self, run: &Run, runs: u64) {
        let kept = (MEMORY / runs / run.weight().max(1)).clamp(3, KEPT as u64) as usize;
        while self.snapshots.len() > kept {
            self.gap *= 2;
            let mut count = 0;
            self.snapshots.retain(|_, _| {
                count += 1;
                count % 2 == 1
            });
        }
    }

    /// The last snapshot at or before `at`.
    pub fn nearest(&self, at: Time) -> Option<&Run> {
        self.snapshots.range(..=at).next_back().map(|(_, run)| run)
    }

    /// Forgets everything from `at` on, but for the beginning: the run goes on differently there.
    pub fn cut_from(&mut self, at: Time) {
        self.snapshots.retain(|&time, _| time < at || time == Time::ZERO);
    }

    /// How many snapshots there are.
    pub fn len(&self) -> usize {
        self.snapshots.len()
    }

    /// Never: the beginning is always there.
    pub fn is_empty(&self) -> bool {
        self.snapshots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{GAP, KEPT, MEMORY};
    use crate::scenario::link;
    use crate::session::Session;

    #[test]
    fn a_jump_leaves_as_many_snapshots_as_playing_does() {
        let mut session = Session::open(link::open(Some("retry-storm"), "duration=10m").0);
        session.seek(session.end());
        assert!(session.run.course.events() > 3 * GAP);
        assert!(session.history.len() as u64 >= session.run.course.events() / GAP);
    }

    #[test]
    fn looking_for_events_leaves_as_many_as_well() {
        let mut session = Session::open(link::open(Some("retry-storm"), "duration=10m").0);
        while session.now() < session.end() {
            session.seek_event();
        }
        assert!(session.run.course.events() > 3 * GAP);
        assert!(session.history.len() as u64 >= session.run.course.events() / GAP);
    }

    #[test]
    fn two_runs_that_are_compared_share_the_memory() {
        let mut both = Session::open(link::open(Some("retry-storm"), "duration=10m").0);
        assert_eq!(both.sides(), 1);
        both.compare(vec![("people.retry.attempts".to_owned(), 1.into())]).expect("a comparison");
        assert_eq!((both.sides(), both.twin().expect("a comparison").session().sides()), (2, 2));
        both.seek(both.end());
        let before = both.history.len();
        assert!(before > 3 && before <= KEPT);
        // As if so many shared it that there is room for the fewest only.
        both.history.fit(&both.run, MEMORY);
        assert!(both.history.len() <= 3, "{} of {before}", both.history.len());
        both.stop_comparing();
        assert_eq!(both.sides(), 1);
    }
}
