//! The other side of a comparison: the same run, begun with some settings changed. It has the same
//! seed, so it makes the same draws. What was done in the one is done in the other; what is
//! compared stays as it is there.

use super::command::{Command, Timed};
use super::{Session, share};
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Time;
use crate::scenario::compile::{self, Plan};
use crate::scenario::v1::Scenario;
use serde_json::Value;
use std::sync::Arc;

/// Paths, as in a link, and values.
pub type Changes = Vec<(String, Value)>;

/// The other side.
#[derive(Clone, Debug)]
pub struct Twin {
    changes: Changes,
    other: Box<Session>,
    /// Nodes that something was done to on the first side, and that are not on this one.
    missing: Vec<String>,
    /// The scenario and the commands of the first side that this is beside.
    origin: Arc<Scenario>,
    commands: Arc<Vec<Timed<Command>>>,
}

impl Twin {
    /// Begins it.
    fn beside(session: &Session, changes: Changes) -> Result<Twin, Diagnostics> {
        let mut scenario = (*session.origin).clone();
        for (path, value) in &changes {
            compile::change(&mut scenario, path, value)?;
        }
        let mut other = Session { is_other: true, ..Session::start(scenario)?.in_steps() };
        let (origin, commands) = (session.origin.clone(), session.commands.clone());
        // Nodes may have other numbers on this side: what is done to one is done to its name.
        let named = share::steps(&commands, &session.run.plan);
        let named = share::commands(&named, &other.run.plan);
        other.commands = Arc::new(shared(&named, &changes, &other.origin));
        other.apply_due(Time::ZERO);
        let missing = missing(&commands, &session.run.plan, &other.run.plan);
        Ok(Twin { changes, other: Box::new(other), missing, origin, commands })
    }

    /// What differs from the first side.
    pub fn changes(&self) -> &[(String, Value)] {
        &self.changes
    }

    /// Nodes that are not on this side, though something was done to them on the first: of that,
    /// nothing was done here.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// The run on this side. While it goes on it may be behind the first.
    pub fn session(&self) -> &Session {
        &self.other
    }

    /// The first side is shown in another way.
    pub(super) fn show_as(&mut self, before: &Arc<Scenario>, now: &Arc<Scenario>) {
        if Arc::ptr_eq(&self.origin, before) {
            self.origin = now.clone();
        }
    }

    fn is_beside(&self, session: &Session) -> bool {
        Arc::ptr_eq(&self.origin, &session.origin) && Arc::ptr_eq(&self.commands, &session.commands)
    }

    /// Where it should be: a run that is shorter waits at its end.
    fn goal(&self, session: &Session) -> Time {
        session.now().min(self.other.end())
    }
}

/// The nodes of one plan that `commands` are done to and that are not in the other, each once.
fn missing(commands: &[Timed<Command>], plan: &Plan, other: &Plan) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    for node in commands.iter().flat_map(|command| command.what.nodes()) {
        let name = plan.name(node);
        if other.find(name).is_empty() && !missing.iter().any(|known| known == name) {
            missing.push(name.to_owned());
        }
    }
    missing
}

/// What the other side shares of `commands`. One that sets only what is compared is left out; after
/// one that sets other things as well, what is compared is set again.
fn shared(
    commands: &[Timed<Command>],
    changes: &[(String, Value)],
    origin: &Scenario,
) -> Vec<Timed<Command>> {
    let (mut now, mut shared) = (origin.clone(), Vec::new());
    for command in commands {
        let Command::Set { path, value } = &command.what else {
            shared.push(command.clone());
            continue;
        };
        let mut after = now.clone();
        if compile::change(&mut after, path, value).is_err() {
            continue;
        }
        let mut again = Vec::new();
        for (path, value) in changes {
            let before = after.clone();
            // What cannot be set now stays as the command has left it.
            if compile::change(&mut after, path, value).is_ok() && after != before {
                let what = Command::Set { path: path.clone(), value: value.clone() };
                again.push(Timed { at: command.at, what });
            }
        }
        if after != now {
            shared.push(command.clone());
            shared.extend(again);
            now = after;
        }
    }
    shared
}

impl Session {
    /// Puts the same run with these changes beside this one. [`Session::keep_abreast`] brings it to
    /// the same instant.
    ///
    /// # Errors
    /// What is wrong with the changes.
    pub fn compare(&mut self, changes: Changes) -> Result<(), Diagnostics> {
        self.twin = Some(Twin::beside(self, changes)?);
        self.history.fit(&self.run, self.sides());
        Ok(())
    }

    /// Ends the comparison.
    pub fn stop_comparing(&mut self) {
        self.twin = None;
    }

    /// The other side of the comparison, if there is one.
    pub fn twin(&self) -> Option<&Twin> {
        self.twin.as_ref()
    }

    /// Brings the other side to the instant of this one, handling at most `events`; true if it is
    /// there, or there is none. What was done meanwhile is done there as well. A comparison that
    /// makes no sense any more is over, see [`Session::why_no_twin`].
    pub fn keep_abreast(&mut self, events: u32) -> bool {
        let Some(mut twin) = self.twin.take() else { return true };
        if !twin.is_beside(self) {
            match Twin::beside(self, std::mem::take(&mut twin.changes)) {
                Ok(again) => twin = again,
                Err(problems) => {
                    self.no_twin = Some(problems);
                    return true;
                }
            }
        }
        let goal = twin.goal(self);
        if twin.other.bound_for() != goal {
            twin.other.seek(goal);
        }
        let there = twin.other.approach(events);
        self.twin = Some(twin);
        there
    }

    /// Why a comparison is over that nobody ended. It is said once.
    pub fn why_no_twin(&mut self) -> Option<Diagnostics> {
        self.no_twin.take()
    }

    /// Whether the other side has come to the instant of this one, if there is one.
    pub fn is_abreast(&self) -> bool {
        let there =
            |t: &Twin| t.is_beside(self) && t.other.goal.is_none() && t.other.now() == t.goal(self);
        self.twin.as_ref().is_none_or(there)
    }

    /// Since when the two sides of a comparison differ: the end of the last stretch of time at
    /// which all that had happened was the same on both. None while all of it is.
    pub fn apart(&self) -> Option<Time> {
        let other = &self.twin.as_ref()?.other;
        let (until, differs) = self.metrics().same_until(other.metrics());
        let now = other.now() == self.now() && other.digest() != self.digest();
        (differs || now).then_some(until)
    }

    /// Goes over to the other side: it is on screen from now on, alone. One undo goes back.
    pub fn take_other_side(&mut self) -> bool {
        let Some(twin) = self.twin.take() else { return false };
        let (mut origin, commands) = (twin.other.origin.clone(), twin.other.commands.clone());
        Arc::make_mut(&mut origin).view = self.origin.view.clone();
        self.replace(origin, commands);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Command;
    use crate::base::id::NodeId;
    use crate::base::time::Time;
    use crate::scenario::link;
    use crate::session::Session;
    use crate::session::share::LinkOptions;
    use serde_json::{Value, json};

    fn session(fragment: &str) -> Session {
        let (opened, problems) = link::open(Some("retry-storm"), fragment);
        assert!(problems.is_empty(), "{problems}");
        Session::open(opened)
    }

    fn abreast(session: &mut Session) {
        while !session.keep_abreast(10_000) {}
    }

    fn digests(session: &mut Session) -> (u64, u64) {
        abreast(session);
        let other = session.twin().expect("a comparison").session();
        assert_eq!(other.now(), session.now());
        (session.digest(), other.digest())
    }

    fn set(path: &str, value: Value) -> Command {
        Command::Set { path: path.to_owned(), value }
    }

    #[test]
    fn the_other_side_is_the_run_that_its_own_link_opens() {
        let mut both = session("seed=9&b.people.retry.attempts=1&t=20s");
        let (a, b) = digests(&mut both);
        assert_eq!(a, session("seed=9&t=20s").digest());
        assert_eq!(b, session("seed=9&people.retry.attempts=1&t=20s").digest());
        assert_ne!(a, b);
        // Back and forth, and with a command on the way, done to both.
        both.seek(Time(5_000_000));
        both.command(Command::Kill(NodeId(1))).expect("a node");
        both.seek(Time(12_000_000));
        let (a, b) = digests(&mut both);
        let killed = "at=5s:kill:api-1&t=12s";
        assert_eq!(a, session(&format!("seed=9&{killed}")).digest());
        assert_eq!(b, session(&format!("seed=9&people.retry.attempts=1&{killed}")).digest());
    }

    #[test]
    fn it_is_told_since_when_they_differ() {
        // Before anything fails nobody tries again, so how often does not matter.
        let mut both = session("b.people.retry.attempts=1&t=3s");
        let (a, b) = digests(&mut both);
        assert_eq!((a, both.apart()), (b, None));
        both.seek(Time(40_000_000));
        abreast(&mut both);
        let apart = both.apart().expect("a storm on one side only");
        both.seek(apart);
        let (a, b) = digests(&mut both);
        assert_eq!(a, b, "the same up to {apart}");
        both.seek(Time(apart.0 + 1_000_000));
        let (a, b) = digests(&mut both);
        assert_ne!(a, b, "not the same after {apart}");
    }

    #[test]
    fn what_is_compared_stays_different_and_other_settings_are_shared() {
        let mut both = session("b.people.retry.attempts=1&t=2s");
        both.command(set("people.retry.attempts", json!(5))).expect("a setting");
        both.command(set("people.count", json!(100))).expect("people");
        both.seek(Time(15_000_000));
        let (_, b) = digests(&mut both);
        let alone = session("people.count=100&people.retry.attempts=1&t=15s");
        assert_eq!(b, alone.digest());
        // The same by another name, and as a part of something larger.
        let whole = json!({ "attempts": 7, "backoff": "fixed", "base": "2s" });
        both.command(set("nodes.people.clients.retry.attempts", json!(6))).expect("a setting");
        both.command(set("people.retry", whole.clone())).expect("settings");
        both.seek(Time(25_000_000));
        let (_, b) = digests(&mut both);
        let mut alone = session("people.count=100&people.retry.attempts=1&t=15s");
        alone.command(set("people.retry", whole)).expect("settings");
        alone.command(set("people.retry.attempts", json!(1))).expect("a setting");
        alone.seek(Time(25_000_000));
        assert_eq!(b, alone.digest());
        (0..4).for_each(|_| assert!(both.undo()));
        abreast(&mut both);
        assert_eq!(both.twin().expect("still compared").changes().len(), 1);
    }

    #[test]
    fn a_link_keeps_both_sides_and_one_undo_comes_back_from_the_other() {
        let mut both = session("b.people.retry.attempts=1&t=9s");
        let fragment = both.link(LinkOptions::default());
        assert!(fragment.contains("b.people.retry.attempts=1"), "{fragment}");
        let (a, b) = digests(&mut both);
        assert_eq!(digests(&mut session(&fragment)), (a, b));
        assert!(both.take_other_side() && both.twin().is_none());
        both.arrive();
        assert_eq!(both.digest(), b);
        assert!(both.undo());
        both.arrive();
        assert_eq!(both.digest(), a);
    }

    #[test]
    fn a_shorter_side_waits_at_its_end_and_changes_may_make_sense_together_only() {
        let mut both = session("b.duration=10s&t=12s");
        abreast(&mut both);
        assert!(
            both.is_abreast() && both.twin().expect("a comparison").session().now().0 == 10_000_000
        );
        let pairs = "b.db.election_max=400ms&b.db.election_min=200ms";
        let (opened, problems) = link::open(Some("raft-election"), pairs);
        assert!(problems.is_empty(), "{problems}");
        let mut both = Session::open(opened);
        both.seek(Time(3_000_000));
        let (_, b) = digests(&mut both);
        let alone = pairs.replace("b.db", "db") + "&t=3s";
        assert_eq!(b, Session::open(link::open(Some("raft-election"), &alone).0).digest());
    }

    #[test]
    fn what_is_done_to_a_node_that_the_other_side_lacks_is_named() {
        let mut both = session("b.api.replicas=2&at=1s:kill:api-4,1s:kill:api-1&t=3s");
        abreast(&mut both);
        let missing = |both: &Session| both.twin().expect("a comparison").missing().to_vec();
        assert_eq!(missing(&both), ["api-4"]);
        let (three, four) = (NodeId(3), NodeId(4));
        both.command(Command::Cut { source: three, target: four }).expect("nodes");
        both.command(Command::Kill(three)).expect("a node");
        abreast(&mut both);
        assert_eq!(missing(&both).len(), 2, "each once: {:?}", missing(&both));
        let done = both.twin().expect("a comparison").session().commands().len();
        assert_eq!(done, 1, "one of them is there");
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_run_stays() {
        let mut alone = session("t=2s");
        for (path, value) in [("people.nothing", json!(1)), ("api.workers", json!("many"))] {
            let found = alone.compare(vec![(path.to_owned(), value)]);
            assert!(found.is_err() && alone.twin().is_none(), "{path}");
        }
    }
}
