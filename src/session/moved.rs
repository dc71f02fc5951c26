//! Nodes that were moved by hand. Where they stand is part of the scenario, so links and files keep
//! it and undo takes it back; nothing of the run depends on it, so the run stays as it is.

use super::Session;
use crate::scenario::v1::Scenario;
use std::sync::Arc;

/// To the right and down, in shares of a wide stage.
pub type Shift = (f64, f64);

/// Whether one scenario runs as the other: at most they are shown in different ways.
pub(super) fn runs_as(one: &Arc<Scenario>, other: &Arc<Scenario>) -> bool {
    Arc::ptr_eq(one, other) || Scenario { view: other.view.clone(), ..(**one).clone() } == **other
}

impl Session {
    /// How far nodes were moved from where they would stand, by name.
    pub fn moved(&self) -> &[(String, Shift)] {
        &self.origin.view.moved.0
    }

    /// Moves a node so far from where it would stand. One undo takes it back, and every move of
    /// the same node before it.
    pub fn put(&mut self, name: &str, by: Shift) {
        let short = |share: f64| (share * 1e3).round() / 1e3;
        let by = (short(by.0), short(by.1));
        let mut origin = (*self.origin).clone();
        let moved = &mut origin.view.moved.0;
        moved.retain(|(known, _)| known != name);
        if by != (0.0, 0.0) {
            // In the order of their names, as a link has them.
            let place = moved.partition_point(|(known, _)| known.as_str() < name);
            moved.insert(place, (name.to_owned(), by));
        }
        let (before, again) = (self.past(), self.has_just_put(name));
        self.show_as(Arc::new(origin));
        if again {
            self.undone.clear();
        } else {
            self.remember(before);
        }
    }

    /// Whether the last deed was to move this node.
    fn has_just_put(&self, name: &str) -> bool {
        let others = |scenario: &Scenario| {
            let moved = scenario.view.moved.0.iter();
            moved.filter(|(known, _)| known != name).cloned().collect::<Vec<_>>()
        };
        self.done.last().is_some_and(|last| {
            Arc::ptr_eq(&last.commands, &self.commands)
                && runs_as(&last.origin, &self.origin)
                && others(&last.origin) == others(&self.origin)
        })
    }

    /// Puts a scenario that runs as this one in its place.
    pub(super) fn show_as(&mut self, origin: Arc<Scenario>) {
        if let Some(twin) = &mut self.twin {
            twin.show_as(&self.origin, &origin);
        }
        self.origin = origin;
    }
}

#[cfg(test)]
mod tests {
    use crate::base::id::NodeId;
    use crate::scenario::link;
    use crate::scenario::read;
    use crate::session::Session;
    use crate::session::command::Command;
    use crate::session::share::LinkOptions;

    fn session(fragment: &str) -> Session {
        let (opened, problems) = link::open(Some("retry-storm"), fragment);
        assert!(problems.is_empty(), "{problems}");
        Session::open(opened)
    }

    #[test]
    fn a_link_and_a_file_keep_where_nodes_were_put_and_the_run_stays_the_same() {
        let mut session = session("seed=5&t=3s");
        let plain = session.digest();
        session.put("people", (0.123_456, -0.5));
        session.put("api-2", (-0.25, 0.1));
        let link = session.link(LinkOptions::default());
        assert!(link.contains("view.moved.api-2=-0.25,0.1&view.moved.people=0.123,-0.5"), "{link}");
        let again = self::session(&link);
        assert_eq!(again.moved(), session.moved());
        assert_eq!((again.is_as_linked(), again.digest()), (Some(true), plain));
        let file = read::text(&session.file()).expect("a file that was just written");
        assert_eq!(file.view.moved.0, session.moved());
        session.put("people", (0.0, 0.0));
        session.put("api-2", (0.000_1, 0.0));
        assert!(!session.link(LinkOptions::default()).contains("moved"));
    }

    #[test]
    fn one_undo_takes_a_move_back_and_leaves_the_run_where_it_is() {
        let mut session = session("t=2s");
        session.command(Command::Kill(NodeId(1))).expect("a node");
        session.advance(crate::base::time::Time(4_000_000), u32::MAX);
        let (now, digest) = (session.now(), session.digest());
        let bare = session.moved().to_vec();
        session.put("people", (0.1, 0.1));
        session.put("people", (0.2, 0.1));
        session.put("api-1", (0.1, 0.0));
        assert_eq!(session.moved().len(), 2);
        assert!(session.branches().is_empty(), "nothing of the future is lost");
        for (count, undone) in [(1, true), (0, true)] {
            assert_eq!((session.undo(), session.moved().len()), (undone, count));
            assert_eq!((session.now(), session.digest()), (now, digest));
        }
        assert_eq!((session.moved(), session.commands().len()), (&bare[..], 1));
        assert!(session.redo());
        assert_eq!(session.moved(), [("people".to_owned(), (0.2, 0.1))]);
        assert_eq!((session.now(), session.digest()), (now, digest));
        // The deed before it is taken back by itself.
        assert!(session.undo() && session.undo());
        assert!(session.commands().is_empty());
    }

    #[test]
    fn the_other_side_of_a_comparison_goes_on_beside_a_node_that_is_moved() {
        let mut both = session("b.people.retry.attempts=1&t=5s");
        while !both.keep_abreast(u32::MAX) {}
        both.put("people", (0.1, 0.0));
        assert!(both.is_abreast(), "it need not begin again");
        assert!(both.undo() && both.is_abreast());
        both.put("people", (0.1, 0.0));
        assert!(both.take_other_side());
        assert_eq!(both.moved().len(), 1);
    }
}
