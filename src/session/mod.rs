//! One run being watched: play, step, seek, change, fork.
//!
//! A run is a scenario and a list of commands, nothing else; everything on screen is worked out
//! from those. Going back is going forward again from an earlier snapshot, so what is seen at an
//! instant never depends on how one came there.

pub mod capacity;
pub mod command;
pub mod deed;
pub mod facts;
pub mod history;
pub mod moved;
mod prices;
pub mod report;
pub mod run;
pub mod share;
pub mod sweep;
pub mod timeline;
mod transcript;
pub mod twin;
pub mod typed;

use crate::base::diagnostics::Diagnostics;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::check::Verdict;
use crate::check::recovery::Measured;
use crate::observe::copies::Copies;
use crate::observe::cost::{self, Cost};
use crate::observe::figure::Figure;
use crate::observe::frame::Frame;
use crate::observe::line::{Line, Story};
use crate::observe::metrics::Metrics;
use crate::observe::operations::Operations;
use crate::observe::replicas::Store;
use crate::observe::shards::Sharding;
use crate::observe::{copies, figure, held, inspect, picture, proof, replicas, shards};
use crate::scenario::link::{self, Opened, Source};
use crate::scenario::redundancy::availability::Expected;
use crate::scenario::redundancy::{self, Redundancy};
use crate::scenario::v1::Scenario;
use command::{Command, Timed};
use deed::Past;
use history::History;
use prices::prices;
use run::Run;
use share::LinkOptions;
use std::sync::Arc;
use timeline::Mark;
use twin::Twin;

/// How long the end of a message stays in the frame, in simulated time.
const FADE: Span = Span::secs(2);

/// A run that can go forward, back, and elsewhere.
#[derive(Clone, Debug)]
pub struct Session {
    /// The preset it came from.
    preset: Option<String>,
    /// Or the scenario from elsewhere.
    source: Option<Arc<Source>>,
    /// What the link says the digest is at an instant.
    expected: Option<(Time, u64)>,
    /// The scenario as opened, with the settings that apply from the beginning.
    origin: Arc<Scenario>,
    /// What was done, in order of time.
    commands: Arc<Vec<Timed<Command>>>,
    /// How it was before each deed, the last deed last.
    done: Vec<Past>,
    /// How it was before each undo, the last undo last.
    undone: Vec<Past>,
    /// Where the run forked, and what had been done after that.
    branches: Vec<Branch>,
    twin: Option<Twin>,
    /// Whether it is itself the other side of a comparison.
    is_other: bool,
    /// Why there is none any more, until it is said.
    no_twin: Option<Diagnostics>,
    run: Run,
    history: History,
    newest: Time,
    /// Where it is on its way to.
    goal: Option<Time>,
    /// Whether it stops on the way at the next event that a person would notice.
    looks: bool,
    /// Whether ways are gone in steps, by whoever has other things to do meanwhile.
    in_steps: bool,
}

/// A future that was left for another.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Where the other one began.
    pub at: Time,
    /// How far this one had gone.
    pub newest: Time,
    /// The scenario that it began with.
    pub origin: Arc<Scenario>,
    /// What had been done in it, from the beginning.
    pub commands: Arc<Vec<Timed<Command>>>,
}

impl Session {
    /// Opens what a link says, at the instant it names. It is a scenario that compiles: links
    /// set aside what does not.
    pub fn open(opened: Opened) -> Session {
        let mut session = Session::opening(opened);
        session.arrive();
        Session { in_steps: false, ..session }
    }

    /// Opens what a link says and sets out for the instant it names: [`Session::approach`] goes
    /// there. So it is with every way of this session from then on.
    pub fn opening(opened: Opened) -> Session {
        let mut session = match Session::start(opened.scenario) {
            Ok(session) => session,
            Err(problems) => panic!("a link opened what does not compile: {problems}"),
        };
        session.preset = opened.preset;
        session.source = opened.source;
        session.expected = opened.t.zip(opened.digest);
        session.commands = Arc::new(share::commands(&opened.script, &session.run.plan));
        session.apply_due(Time::ZERO);
        session.in_steps = true;
        session.seek(opened.t.unwrap_or(Time::ZERO));
        if !opened.b.is_empty() {
            // The link has tried them together, and set aside what makes no sense.
            let _ = session.compare(link::changes(&opened.b));
        }
        session
    }

    /// The same session, from now on with ways that are gone in steps.
    pub fn in_steps(self) -> Session {
        Session { in_steps: true, ..self }
    }

    /// A run of a scenario, at its beginning.
    ///
    /// # Errors
    /// Everything that is wrong with the scenario.
    pub fn start(origin: Scenario) -> Result<Session, Diagnostics> {
        let run = Run::new(origin.clone())?;
        Ok(Session {
            preset: None,
            source: None,
            expected: None,
            origin: Arc::new(origin),
            commands: Arc::default(),
            done: Vec::new(),
            undone: Vec::new(),
            branches: Vec::new(),
            twin: None,
            is_other: false,
            no_twin: None,
            history: History::new(&run),
            run,
            newest: Time::ZERO,
            goal: None,
            looks: false,
            in_steps: false,
        })
    }

    /// Whether the run is the one that the link was made from; nothing when the link did not say,
    /// or when this is another instant.
    pub fn is_as_linked(&self) -> Option<bool> {
        let (at, digest) = self.expected?;
        (at == self.now()).then(|| digest == self.digest())
    }

    /// The preset it came from, if it came from one.
    pub fn preset(&self) -> Option<&str> {
        self.preset.as_deref()
    }

    /// The scenario with the changes that apply from the beginning.
    pub fn origin(&self) -> &Scenario {
        &self.origin
    }

    /// The part of a link after `#`: settings, what was done, and the instant.
    pub fn link(&self, options: LinkOptions) -> String {
        share::fragment(self, options)
    }

    /// A link to this instant with something done to it that has not been done yet.
    pub fn link_with(&self, commands: &[Command]) -> String {
        share::fragment_with(self, commands)
    }

    /// The scenario as it is set now, as text of a file.
    pub fn file(&self) -> String {
        share::file(self)
    }

    /// The scenario with every change that is in force now.
    pub fn scenario(&self) -> &Scenario {
        &self.run.scenario
    }

    /// The run at this instant.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Simulated time.
    pub fn now(&self) -> Time {
        self.run.course.now()
    }

    /// When the run is over.
    pub fn end(&self) -> Time {
        Time::ZERO + self.run.plan.duration
    }

    /// The furthest instant that this branch has been to.
    pub fn newest(&self) -> Time {
        self.newest
    }

    /// Goes forward to `until` or the end, handling at most `events`; true if it got there.
    pub fn advance(&mut self, until: Time, events: u32) -> bool {
        let until = until.min(self.end());
        let last = self.run.course.events() + u64::from(events);
        loop {
            let next = self.next_due();
            let stop = until.min(next.unwrap_or(Time::NEVER));
            // No further at once than snapshots are apart: a jump leaves as many as playing does.
            let left = last.saturating_sub(self.run.course.events()).min(history::GAP);
            let reached = self.run.course.advance(stop, left);
            if reached && Some(stop) == next {
                self.apply_due(stop);
            }
            self.newest = self.newest.max(self.run.course.now());
            self.history.offer(&self.run, self.sides());
            if reached && stop == until {
                return true;
            }
            if self.run.course.events() >= last {
                return false;
            }
        }
    }

    /// When the next command is due that has not been applied.
    fn next_due(&self) -> Option<Time> {
        self.commands.iter().map(|c| c.at).find(|at| Some(*at) > self.run.applied)
    }

    /// How many runs share the memory there is for snapshots.
    fn sides(&self) -> u64 {
        if self.is_other || self.twin.is_some() { 2 } else { 1 }
    }

    /// Applies the commands of this very instant; they were checked when they were given.
    fn apply_due(&mut self, at: Time) {
        self.run.applied = Some(at);
        for command in self.commands.iter().filter(|c| c.at == at) {
            let _ = self.run.apply(&command.what);
        }
    }

    /// Goes to an instant, before or after now; a session with ways in steps sets out for it.
    pub fn seek(&mut self, at: Time) {
        (self.goal, self.looks) = (Some(at.min(self.end())), false);
        if !self.in_steps {
            self.arrive();
        }
    }

    /// Goes to the next event that a person would notice, or to the end if there is none; a session
    /// with ways in steps sets out for it.
    pub fn seek_event(&mut self) {
        (self.goal, self.looks) = (Some(self.end()), true);
        if !self.in_steps {
            self.arrive();
        }
    }

    /// Whether it is looking for an event: its goal is as far as it looks.
    pub fn is_looking(&self) -> bool {
        self.goal.is_some() && self.looks
    }

    /// The event that it has just come to, if it was one that a person would notice.
    pub fn noticed(&self) -> Option<Line> {
        let course = &self.run.course;
        course.noticed().then(|| course.watch.noticed()).flatten()
    }

    /// Where it is on its way to, if it is.
    pub fn goal(&self) -> Option<Time> {
        self.goal
    }

    /// Goes on towards its goal, handling at most `events`; true if it is there, or has none.
    pub fn approach(&mut self, events: u32) -> bool {
        let Some(at) = self.goal else { return true };
        if self.looks {
            let found = self.look_on(at, events);
            self.goal = self.goal.filter(|_| !found);
            return found;
        }
        if at < self.now() || self.history.nearest(at).is_some_and(|r| r.course.now() > self.now())
        {
            self.restore(at);
        }
        let there = self.advance(at, events);
        if there {
            self.goal = None;
        }
        there
    }

    /// Looks through at most `events` for one that a person would notice; true if one was found, or
    /// there is none before `end`.
    fn look_on(&mut self, end: Time, events: u32) -> bool {
        for _ in 0..events {
            let next = self.next_due();
            let stop = end.min(next.unwrap_or(Time::NEVER));
            let stepped = self.run.course.step(stop);
            if !stepped && Some(stop) == next {
                self.apply_due(stop);
            }
            self.newest = self.newest.max(self.run.course.now());
            self.history.offer(&self.run, self.sides());
            if stepped && self.run.course.noticed() {
                // What else happens at this instant belongs to it.
                self.advance(self.now(), u32::MAX);
                return true;
            }
            if !stepped && stop == end {
                return true;
            }
        }
        false
    }

    /// Goes all the way to its goal.
    pub fn arrive(&mut self) {
        while !self.approach(u32::MAX) {}
    }

    /// Gives its goal up and stays where it has come to.
    pub fn halt(&mut self) {
        self.goal = None;
    }

    /// Where it is, or will be once it is there.
    fn bound_for(&self) -> Time {
        self.goal.filter(|_| !self.looks).unwrap_or(self.now())
    }

    /// Goes back to the last snapshot at or before `at`.
    fn restore(&mut self, at: Time) {
        if let Some(snapshot) = self.history.nearest(at) {
            self.run.clone_from(snapshot);
        }
        if self.run.course.now() == Time::ZERO {
            // The snapshot of the beginning is from before anything was done.
            self.apply_due(Time::ZERO);
        }
    }

    /// Puts another run in the place of this one, and goes to an instant of it.
    fn begin(&mut self, origin: Arc<Scenario>, run: Run, at: Time) {
        self.history = History::new(&run);
        self.origin = origin;
        self.run = run;
        self.newest = Time::ZERO;
        self.apply_due(Time::ZERO);
        self.seek(at);
    }

    fn replay_from_start(&mut self) {
        let at = self.bound_for();
        self.history.cut_from(Time(1));
        self.newest = Time::ZERO;
        self.restore(Time::ZERO);
        self.seek(at);
    }

    /// Whether anything is broken now that [`Command::HealAll`] would mend.
    pub fn is_broken(&self) -> bool {
        !self.run.course.world.shared.active.is_empty()
    }

    /// What was done, in order of time.
    pub fn commands(&self) -> &[Timed<Command>] {
        &self.commands
    }

    /// Futures that were left.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// Fills the picture of this instant.
    pub fn frame(&self, frame: &mut Frame) {
        picture::fill(&self.run.course.world, &self.run.course.cast, frame);
        let since = Time(self.now().0.saturating_sub(FADE.0));
        frame.ends.clear();
        frame.ends.extend(self.run.course.ends(since).cloned());
    }

    /// Numbers of the run so far.
    pub fn metrics(&self) -> &Metrics {
        &self.run.course.watch.metrics
    }

    /// The newest lines of the log, the newest first.
    pub fn log(&self, newest: usize) -> Vec<Line> {
        self.run.course.watch.lines(newest)
    }

    /// The logs of every store with replicas.
    pub fn stores(&self) -> Vec<Store> {
        replicas::stores(&self.run.course.world, &self.run.course.cast)
    }

    /// Pictures of what the run has shown and of what it holds.
    pub fn figures(&self) -> Vec<Figure> {
        let course = &self.run.course;
        figure::figures(&course.world, &course.cast, &course.checks)
    }

    /// What the replicas of every store hold.
    pub fn copies(&self) -> Vec<Copies> {
        let (world, cast) = (&self.run.course.world, &self.run.course.cast);
        let mut stores = copies::stores(world, cast);
        stores.extend(held::stores(world, cast));
        stores
    }

    /// Every router and its shards.
    pub fn shardings(&self) -> Vec<Sharding> {
        shards::shardings(&self.run.course.world, &self.run.course.cast)
    }

    /// What it costs by the hour.
    pub fn cost(&self) -> Cost {
        let prices = prices(&self.run);
        cost::cost(&self.run.course.world, &self.run.course.cast, &prices)
    }

    /// What is left of services when a domain is lost.
    pub fn capacity(&self) -> Vec<capacity::Left> {
        capacity::left(&self.run)
    }

    /// What can be lost, and what stops then.
    pub fn redundancy(&self) -> Redundancy {
        redundancy::analyse(&self.run.plan)
    }

    /// How available each journey should be, if things break as often as the scenario says.
    pub fn expected(&self) -> Vec<Expected> {
        redundancy::availability::expected(&self.run.scenario, &self.run.plan)
    }

    /// What the checks say so far.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let checks = &self.run.course.checks;
        checks.verdicts().into_iter().chain(checks.self_checks()).collect()
    }

    /// Of each of the verdicts, in their order, the operations that prove it, if some do.
    pub fn proofs(&self) -> Vec<Option<Operations>> {
        let course = &self.run.course;
        let show = |proof| proof::of_proof(proof, &course.watch.scene, &course.faults);
        course.checks.proofs().map(|proof| proof.map(show)).collect()
    }

    /// What a disaster has cost, where a check asks for that.
    pub fn recovery(&self) -> Option<Measured> {
        self.run.course.checks.recovery()
    }

    /// What to show on the time axis.
    pub fn marks(&self) -> Vec<Mark> {
        timeline::marks(&self.run, &self.commands)
    }

    /// What there is to say about a node.
    pub fn node_details(&self, node: NodeId) -> Vec<(String, String)> {
        inspect::node(&self.run.course.world, &self.run.course.cast, node)
    }

    /// What became of a message and of what it serves.
    pub fn packet_story(&self, packet: u64) -> Option<Story> {
        let run = &self.run;
        let Some(intent) = run.course.intent_of(packet) else {
            return run.course.watch.lost_story(packet);
        };
        let mut story = run.course.watch.story(intent)?;
        if let Some(rows) = inspect::packet(&run.course.world, &run.course.cast, packet) {
            story.rows.splice(0..0, rows);
        }
        Some(story)
    }

    /// What an intent is called: its number among those of its clients.
    pub fn intent_name(&self, intent: u64) -> String {
        let people = self.run.course.cast.name(NodeId((intent >> 40) as u32));
        format!("request {} of {people}", intent & 0xff_ffff_ffff)
    }

    /// Everything that became of one intent.
    pub fn intent_story(&self, intent: u64) -> Option<Story> {
        self.run.course.watch.story(intent)
    }

    /// Intents worth asking about, the latest first.
    pub fn recent_failures(&self) -> Vec<(u64, Line)> {
        self.run.course.watch.notable()
    }

    /// A number that two runs share only if the same things happened at the same times.
    pub fn digest(&self) -> u64 {
        self.run.course.world.shared.trace.digest()
    }
}
