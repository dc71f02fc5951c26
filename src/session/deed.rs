//! What a person does at once, and the way back: one undo takes back what one click did.

use super::command::{Command, Timed};
use super::moved::runs_as;
use super::run::Run;
use super::{Branch, Session, share};
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Time;
use crate::scenario::compile::{self, Plan};
use crate::scenario::v1::Scenario;
use std::sync::Arc;

/// Deeds that can be taken back one by one.
const MOST: usize = 100;

/// All of a session that a deed changes; everything else follows from it.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) origin: Arc<Scenario>,
    pub(super) commands: Arc<Vec<Timed<Command>>>,
    branches: Vec<Branch>,
}

/// A way to another past, or future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Before the last deed.
    Undo,
    /// After the deed that was taken back last.
    Redo,
    /// To a branch that was left.
    Branch(usize),
}

/// From when on a deed changes the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From the instant at which it was done.
    Now,
    /// From the first instant: who there is cannot change while the run goes on.
    Beginning,
}

impl Session {
    /// Does something now, wherever it has come to. In the past, the future that was is kept as a
    /// branch.
    ///
    /// # Errors
    /// What is wrong with a setting.
    pub fn command(&mut self, command: Command) -> Result<Since, Diagnostics> {
        self.deed([command])
    }

    /// Does several things now as one: all of them or none, and one undo takes them back.
    ///
    /// # Errors
    /// What is wrong with a setting.
    pub fn deed(
        &mut self,
        commands: impl IntoIterator<Item = Command>,
    ) -> Result<Since, Diagnostics> {
        let (before, mut since) = (self.past(), Since::Now);
        for (n, command) in commands.into_iter().enumerate() {
            if n > 0 {
                // All of them at one instant.
                self.arrive();
            }
            match self.perform(command) {
                Ok(Since::Now) => {}
                Ok(Since::Beginning) => since = Since::Beginning,
                Err(problems) => {
                    if !self.is_at(&before) {
                        self.go_to(before);
                    }
                    return Err(problems);
                }
            }
        }
        self.remember(before);
        Ok(since)
    }

    /// Begins again with another scenario, and these settings changed at its first instant. What
    /// was set and done before is left as a branch; one undo goes back to it.
    ///
    /// # Errors
    /// What is wrong with the scenario or a setting.
    pub fn begin_with(
        &mut self,
        origin: Scenario,
        settings: impl IntoIterator<Item = (String, serde_json::Value)>,
    ) -> Result<(), Diagnostics> {
        let (before, run) = (self.past(), Run::new(origin.clone())?);
        self.leave(Time::ZERO);
        self.commands = Arc::default();
        self.begin(Arc::new(origin), run, Time::ZERO);
        for (path, value) in settings {
            if let Err(problems) = self.perform(Command::Set { path, value }) {
                self.go_to(before);
                return Err(problems);
            }
        }
        self.remember(before);
        Ok(())
    }

    /// The scenario as it is set from the beginning to the end; nothing if a setting changes on
    /// the way.
    pub fn set_throughout(&self) -> Option<Scenario> {
        let mut scenario = (*self.origin).clone();
        for command in self.commands.iter() {
            if let Command::Set { path, value } = &command.what {
                let from_start = command.at == Time::ZERO;
                from_start.then(|| compile::change(&mut scenario, path, value))?.ok()?;
            }
        }
        Some(scenario)
    }

    pub(super) fn perform(&mut self, command: Command) -> Result<Since, Diagnostics> {
        if let Command::Set { path, value } = &command
            && !self.run.can_set(path, value)?
        {
            self.set_from_start(path, value)?;
            return Ok(Since::Beginning);
        }
        self.halt();
        // Everything due at this instant happens first, so that a replay finds the same order.
        self.advance(self.now(), u32::MAX);
        self.run.apply(&command)?;
        self.run.applied = Some(self.now());
        self.fork();
        let done = Timed { at: self.now(), what: command };
        Arc::make_mut(&mut self.commands).push(done);
        Ok(Since::Now)
    }

    /// Leaves what was to come for another future.
    fn fork(&mut self) {
        let now = self.now();
        self.leave(now);
        Arc::make_mut(&mut self.commands).retain(|c| c.at <= now);
        self.history.cut_from(now);
        self.newest = now;
    }

    /// Keeps this future as a branch, if something is known of it beyond `at`.
    fn leave(&mut self, at: Time) {
        if self.newest > at {
            let (origin, commands) = (self.origin.clone(), self.commands.clone());
            self.branches.push(Branch { at, newest: self.newest, origin, commands });
        }
    }

    /// A change of the cast itself: the run begins again with it, and comes back to now.
    fn set_from_start(&mut self, path: &str, value: &serde_json::Value) -> Result<(), Diagnostics> {
        let mut origin = (*self.origin).clone();
        compile::set(&mut origin, path, value)?;
        let run = Run::new(origin.clone())?;
        let names = |plan: &Plan| plan.nodes.iter().map(|n| n.name.clone()).collect::<Vec<_>>();
        if names(&self.run.plan) != names(&run.plan) {
            // Nodes have other numbers now: what was done to one is done to who has its name.
            let named = share::steps(&self.commands, &self.run.plan);
            self.commands = Arc::new(share::commands(&named, &run.plan));
        }
        self.begin(Arc::new(origin), run, self.bound_for());
        Ok(())
    }

    /// Whether a way changes only what is broken, or where nodes stand: no setting. What a link did
    /// is not known as a deed, so that there is no such way back before it.
    pub fn is_of_faults(&self, way: Way) -> bool {
        let there = match way {
            Way::Undo => self.done.last().map(|past| (&past.origin, &past.commands)),
            Way::Redo => self.undone.last().map(|past| (&past.origin, &past.commands)),
            Way::Branch(n) => self.branches.get(n).map(|left| (&left.origin, &left.commands)),
        };
        let sets = |c: &&Timed<Command>| matches!(c.what, Command::Set { .. });
        there.is_some_and(|(origin, commands)| {
            runs_as(&self.origin, origin)
                && self.commands.iter().filter(sets).eq(commands.iter().filter(sets))
        })
    }

    /// Goes a way; false if there is no such way.
    pub fn go(&mut self, way: Way) -> bool {
        match way {
            Way::Undo => self.undo(),
            Way::Redo => self.redo(),
            Way::Branch(branch) => self.switch(branch),
        }
    }

    /// Takes the last deed back; false if there is none. What a link did is taken back instant by
    /// instant: it does not say what was one deed.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.done.pop().or_else(|| self.before_last()) else { return false };
        self.undone.push(self.past());
        self.go_to(before);
        true
    }

    fn before_last(&self) -> Option<Past> {
        let last = self.commands.last()?.at;
        let mut past = self.past();
        Arc::make_mut(&mut past.commands).retain(|c| c.at < last);
        Some(past)
    }

    /// Does the last deed again that was taken back; false if there is none.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.undone.pop() else { return false };
        self.done.push(self.past());
        self.go_to(after);
        true
    }

    /// Goes over to a branch that was left; the one that is left becomes a branch.
    pub fn switch(&mut self, branch: usize) -> bool {
        if branch >= self.branches.len() {
            return false;
        }
        let before = self.past();
        let Branch { at, mut origin, commands, .. } = self.branches.remove(branch);
        if origin.view != self.origin.view {
            // Nodes stand where they stand: it is another future, not another picture.
            Arc::make_mut(&mut origin).view = self.origin.view.clone();
        }
        let (newest, left) = (self.newest, self.past());
        self.branches.push(Branch { at, newest, origin: left.origin, commands: left.commands });
        self.go_to(Past { origin, commands, branches: self.branches.clone() });
        self.remember(before);
        true
    }

    /// Goes over to another scenario with its commands. One undo goes back.
    pub(super) fn replace(&mut self, origin: Arc<Scenario>, commands: Arc<Vec<Timed<Command>>>) {
        let before = self.past();
        let branches = self.branches.clone();
        self.go_to(Past { origin, commands, branches });
        self.remember(before);
    }

    pub(super) fn past(&self) -> Past {
        let (origin, commands) = (self.origin.clone(), self.commands.clone());
        Past { origin, commands, branches: self.branches.clone() }
    }

    /// Whether nothing has been done since.
    fn is_at(&self, past: &Past) -> bool {
        Arc::ptr_eq(&self.origin, &past.origin) && Arc::ptr_eq(&self.commands, &past.commands)
    }

    pub(super) fn remember(&mut self, before: Past) {
        if self.done.len() == MOST {
            self.done.remove(0);
        }
        self.done.push(before);
        self.undone.clear();
    }

    /// Makes what was done be this, and comes back to now.
    fn go_to(&mut self, past: Past) {
        let same = runs_as(&self.origin, &past.origin);
        let done = Arc::ptr_eq(&self.commands, &past.commands);
        (self.commands, self.branches) = (past.commands, past.branches);
        if same {
            self.show_as(past.origin);
            if !done {
                self.replay_from_start();
            }
        } else if let Ok(run) = Run::new((*past.origin).clone()) {
            self.begin(past.origin, run, self.bound_for());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Since};
    use crate::base::id::NodeId;
    use crate::base::time::Time;
    use crate::observe::frame::{Condition, Frame};
    use crate::scenario::{compile, link, presets, read};
    use crate::session::Session;
    use crate::session::share::LinkOptions;
    use serde_json::{Value, json};

    fn session(fragment: &str) -> Session {
        Session::open(link::open(Some("retry-storm"), fragment).0)
    }

    fn set(path: &str, value: Value) -> Command {
        Command::Set { path: path.to_owned(), value }
    }

    fn cut(source: u32, target: u32) -> Command {
        Command::Cut { source: NodeId(source), target: NodeId(target) }
    }

    fn node(session: &Session, name: &str) -> NodeId {
        session.run().plan.find(name)[0]
    }

    #[test]
    fn one_undo_takes_back_what_one_deed_did() {
        let mut session = session("t=2s");
        let before = session.digest();
        session.deed([cut(0, 1), cut(1, 0)]).expect("links");
        session.seek(Time(3_000_000));
        let after = session.digest();
        assert_eq!(session.commands().len(), 2);
        assert!(session.undo() && !session.undo());
        assert!(session.commands().is_empty());
        session.seek(Time(2_000_000));
        assert_eq!(session.digest(), before);
        assert!(session.redo() && !session.redo());
        session.seek(Time(3_000_000));
        assert_eq!((session.commands().len(), session.digest()), (2, after));
    }

    #[test]
    fn a_deed_is_done_whole_or_not_at_all() {
        let mut session = session("t=2s");
        let before = session.digest();
        let half = [cut(0, 1), set("api.workers", json!("many"))];
        assert!(session.deed(half).is_err());
        assert!(session.commands().is_empty() && session.branches().is_empty());
        assert_eq!((session.digest(), session.undo()), (before, false));
    }

    #[test]
    fn a_change_of_who_there_is_can_be_taken_back_and_done_again() {
        let mut session = session("t=2s");
        let (before, count) = (session.digest(), session.origin().clone());
        let kill = Command::Kill(node(&session, "api"));
        assert_eq!(session.command(kill), Ok(Since::Now));
        assert_eq!(session.command(set("people.count", json!(10))), Ok(Since::Beginning));
        let fewer = session.digest();
        assert_ne!(fewer, before);
        assert!(session.undo());
        assert_eq!((session.origin(), session.commands().len()), (&count, 1));
        assert!(session.undo() && !session.undo());
        assert_eq!(session.digest(), before);
        assert!(session.redo() && session.redo() && !session.redo());
        assert_eq!(session.digest(), fewer);
        // Another deed, also one from the beginning, leaves nothing to do again.
        assert!(session.undo());
        session.command(set("seed", json!(77))).expect("a seed");
        assert!(!session.redo());
        assert_eq!(session.origin().seed, 77);
    }

    #[test]
    fn healing_everything_mends_nodes_and_links() {
        let mut session = session("t=2s");
        assert!(!session.is_broken());
        let api = node(&session, "api");
        for broken in [vec![Command::Kill(api)], vec![Command::Pause(api), cut(0, 1)]] {
            session.deed(broken).expect("a node and a link");
            assert!(session.is_broken());
            session.command(Command::HealAll).expect("nothing to refuse");
            assert!(!session.is_broken());
            let mut frame = Frame::default();
            session.frame(&mut frame);
            assert_eq!(frame.nodes[api.index()].condition, Condition::Up);
            assert!(!frame.links.iter().any(|link| link.cut));
        }
    }

    #[test]
    fn what_was_done_to_a_node_stays_with_its_name() {
        let nodes = json!({
            "people": {"clients": {"to": "api"}},
            "api": {"service": {"replicas": 2, "calls": {"db": {}}}},
            "db": {"ledger": {}},
        });
        let text = json!({"duration": "9s", "nodes": nodes}).to_string();
        let mut session = Session::start(read::text(&text).expect("a scenario")).expect("a run");
        session.seek(Time(2_000_000));
        session.command(Command::Kill(node(&session, "db"))).expect("a node");
        session.command(Command::Kill(node(&session, "api-2"))).expect("a node");
        session.command(set("api.replicas", json!(3))).expect("replicas");
        let done = |session: &Session| -> Vec<Command> {
            session.commands().iter().map(|c| c.what.clone()).collect()
        };
        let named = |session: &Session, names: &[&str]| -> Vec<Command> {
            names.iter().map(|name| Command::Kill(node(session, name))).collect()
        };
        assert_eq!(done(&session), named(&session, &["db", "api-2"]));
        // A branch belongs to the cast that it had.
        session.seek(Time(1_000_000));
        session.command(Command::Kill(node(&session, "api-3"))).expect("a node");
        session.command(set("api.replicas", json!(2))).expect("a replica");
        assert!(session.commands().is_empty(), "nobody has that name now");
        assert!(session.switch(0));
        assert_eq!(done(&session), named(&session, &["db", "api-2"]));
        assert_eq!(session.run().plan.find("api").len(), 3);
    }

    #[test]
    fn taking_back_what_was_done_in_the_past_brings_its_future_back() {
        let mut session = session("t=2s");
        session.command(cut(0, 1)).expect("a link");
        session.seek(Time(4_000_000));
        session.seek(Time(1_000_000));
        session.command(cut(1, 0)).expect("a link");
        assert_eq!((session.commands().len(), session.branches().len()), (1, 1));
        assert!(session.undo());
        assert_eq!((session.commands()[0].at, session.branches().len()), (Time(2_000_000), 0));
        assert!(session.redo());
        assert_eq!((session.commands().len(), session.branches().len()), (1, 1));
        assert!(session.switch(0));
        assert_eq!(session.commands()[0].at, Time(2_000_000));
        assert!(session.undo());
        assert_eq!(session.commands()[0].at, Time(1_000_000));
    }

    #[test]
    fn what_a_link_did_is_taken_back_instant_by_instant() {
        let mut session = session("at=1s:cut:people~api-1,2s:kill:api-1&t=3s");
        assert_eq!(session.commands().len(), 3);
        assert!(session.undo());
        assert_eq!(session.commands().len(), 2);
        assert!(session.undo() && !session.undo());
        assert!(session.commands().is_empty());
        assert!(session.redo() && session.redo() && !session.redo());
        assert_eq!(session.commands().len(), 3);
    }

    #[test]
    fn another_beginning_takes_the_place_of_what_was_set_and_done() {
        let mut session = session("seed=5&t=4s");
        session.deed([set("people.retry.attempts", json!(2)), cut(0, 1)]).expect("a deed");
        let mut base = link::open(Some("retry-storm"), "").0.scenario;
        base.seed = session.origin().seed;
        let tried = |settings: &[(&str, Value)]| {
            let settings: Vec<_> =
                settings.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
            move |session: &mut Session| session.begin_with(base.clone(), settings.clone())
        };
        let one = tried(&[("people.retry.attempts", json!(1))]);
        one(&mut session).expect("a beginning");
        assert_eq!((session.now(), session.commands().len()), (Time::ZERO, 1));
        let once = session.set_throughout().expect("the same throughout");
        // Its link says the same.
        let fragment = session.link(LinkOptions { instant: false });
        assert_eq!(self::session(&fragment).set_throughout(), Some(once.clone()));
        session.seek(Time(1_000_000));
        session.command(set("people.retry.attempts", json!(3))).expect("a setting");
        assert_eq!(session.set_throughout(), None);
        assert!(session.undo());
        assert_eq!(session.set_throughout(), Some(once));
        assert!(session.undo());
        assert_eq!((session.commands().len(), session.branches().len()), (2, 0));
    }

    #[test]
    fn every_change_of_every_preset_is_seen_to_be_tried_also_by_its_link() {
        for preset in presets::all() {
            let mut session = Session::start(preset.scenario.clone()).expect(&preset.id);
            session.preset = Some(preset.id.clone());
            for attempt in &preset.tries {
                let settings = attempt.set.iter().map(|(path, v)| (path.to_owned(), v.clone()));
                session.begin_with(preset.scenario.clone(), settings).expect(&attempt.label);
                let mut tried = preset.scenario.clone();
                for (path, value) in attempt.set.iter() {
                    compile::change(&mut tried, path, value).expect(path);
                }
                assert_eq!(session.set_throughout().as_ref(), Some(&tried), "{}", attempt.label);
                let fragment = session.link(LinkOptions { instant: false });
                let again = Session::open(link::open(Some(&preset.id), &fragment).0);
                assert_eq!(again.set_throughout(), Some(tried), "{}: {fragment}", preset.id);
            }
        }
    }

    #[test]
    fn a_way_that_changes_a_setting_is_told_from_one_that_mends() {
        use super::Way;
        let mut session = session("at=1s:kill:api-2&t=2s");
        assert!(!session.is_of_faults(Way::Undo), "the link did it");
        session.command(Command::Kill(NodeId(1))).expect("a node");
        assert!(session.is_of_faults(Way::Undo) && !session.is_of_faults(Way::Redo));
        session.put("people", (0.1, 0.1));
        assert!(session.is_of_faults(Way::Undo));
        session.command(set("people.count", json!(9))).expect("a setting");
        assert!(!session.is_of_faults(Way::Undo));
        assert!(session.undo() && !session.is_of_faults(Way::Redo));
        assert!(session.is_of_faults(Way::Undo), "the move");
        // Another future is left by a fault, and a third by a setting.
        session.seek(Time(9_000_000));
        session.seek(Time(5_000_000));
        session.command(Command::Kill(NodeId(2))).expect("a node");
        assert!(session.is_of_faults(Way::Branch(0)) && !session.is_of_faults(Way::Branch(1)));
        session.command(set("api.queue", json!(9))).expect("a setting");
        assert!(!session.is_of_faults(Way::Branch(0)));
    }

    #[test]
    fn nodes_stay_where_they_were_put_when_another_future_is_gone_to() {
        let mut session = session("t=5s");
        session.seek(Time(2_000_000));
        session.command(Command::Kill(NodeId(1))).expect("a node");
        session.put("people", (0.1, 0.2));
        assert!(session.switch(0));
        assert_eq!(session.moved(), [("people".to_owned(), (0.1, 0.2))]);
        assert!(session.commands().is_empty());
    }

    #[test]
    fn what_is_due_at_the_instant_of_an_event_is_done_when_events_are_looked_for() {
        // Some event happens at 3 s, and a node is crashed right after it.
        let mut session = session("t=3s");
        let at = loop {
            let next = session.run.course.world.next_at().expect("an event");
            if next > Time(4_000_000) {
                break next;
            }
            session.seek(next);
        };
        let link = format!("at={}us:kill:api-1&t=3s", at.0);
        let mut looking = self::session(&link);
        let mut counted = self::session(&link);
        looking.seek_event();
        while looking.now() <= at {
            looking.seek_event();
        }
        while !counted.advance(looking.now(), 1) {}
        let mut sought = self::session(&link);
        sought.seek(looking.now());
        assert_eq!(looking.digest(), sought.digest());
        assert_eq!(counted.digest(), sought.digest());
        let mut frame = Frame::default();
        looking.frame(&mut frame);
        assert_eq!(frame.nodes[1].condition, Condition::Down);
    }
}
