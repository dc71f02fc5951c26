//! Timeouts in a line, of which only the first has a timer.
//!
//! Nearly everything that waits has its answer long before it times out. With a timer for each,
//! a good part of all events would be reminders of what is over, and the event queue would hold
//! one for everything that was sent within the length of a timeout. What is sent later times out
//! later, as long as the timeout stays the same; so they stand in line, and whoever has been
//! answered leaves from the front unheard. One that would have to stand further ahead gets a
//! timer of its own.

use super::rpc::Ticket;
use super::{Cx, Timer};
use crate::base::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// So many that are over leave for each that joins: the line cannot grow with what is over.
const LEAVE: usize = 2;
/// So many leave at most when the timer goes off: one event must not take long.
const SWEEP: usize = 64;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Waiting {
    at: Time,
    /// What it waits because of, for the trace.
    cause: u64,
    who: Ticket,
}

/// Attempts in the order in which they time out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Timeouts {
    /// Who has the timer; nobody only when nobody is in line.
    timed: Option<Ticket>,
    /// When the last of them times out.
    last: Time,
    line: VecDeque<Waiting>,
}

impl Timeouts {
    /// Puts one that times out at `at` in line. `waits` says who is not over yet, `timer` what to
    /// be reminded by.
    pub(super) fn add(
        &mut self,
        at: Time,
        who: Ticket,
        cx: &mut Cx<'_>,
        waits: impl Fn(Ticket) -> bool,
        timer: fn(Ticket) -> Timer,
    ) {
        if self.timed.is_none() {
            (self.timed, self.last) = (Some(who), at);
            return cx.set_timer_at(at, timer(who));
        }
        if at < self.last {
            return cx.set_timer_at(at, timer(who));
        }
        self.last = at;
        self.sweep(LEAVE, waits);
        self.line.push_back(Waiting { at, cause: cx.cause(), who });
    }

    /// The timer of `who` has gone off: if it was that of the line, the next gets it.
    pub(super) fn came(
        &mut self,
        who: Ticket,
        cx: &mut Cx<'_>,
        waits: impl Fn(Ticket) -> bool,
        timer: fn(Ticket) -> Timer,
    ) {
        if self.timed != Some(who) {
            return;
        }
        self.sweep(SWEEP, waits);
        let next = self.line.pop_front();
        self.timed = next.map(|next| next.who);
        if let Some(Waiting { at, cause, who }) = next {
            cx.set_timer_because(cause, at, timer(who));
        }
    }

    /// How many are in line, some of whom may be over.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.line.len()
    }

    /// Forgets everyone; timers do not survive what forgets them.
    pub(super) fn clear(&mut self) {
        *self = Timeouts::default();
    }

    fn sweep(&mut self, most: usize, waits: impl Fn(Ticket) -> bool) {
        for _ in 0..most {
            if self.line.front().is_none_or(|first| waits(first.who)) {
                return;
            }
            self.line.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::NodeId;
    use crate::base::time::Span;
    use crate::protocol::note::Note;
    use crate::protocol::rpc::{Op, Outcome};
    use crate::protocol::worlds::{CLIENTS, SERVER, calls, clients, run, service, world};
    use crate::protocol::{Role, Settings};
    use crate::sim::fault::Fault;
    use crate::sim::network::LinkSettings;
    use crate::sim::trace::{Level, What};
    use std::collections::BTreeMap;

    fn lined_up(world: &crate::sim::world::World<Role>) -> usize {
        match &world.processes[CLIENTS.index()] {
            Role::Clients(population) => population.caller.timeouts.len(),
            _ => 0,
        }
    }

    /// With answers lost, servers slow, deadlines that end attempts early, and another timeout
    /// halfway: every attempt that is not answered times out at its own instant.
    #[test]
    fn every_attempt_times_out_when_its_time_has_come() {
        let mut settings = calls(SERVER, 300, 3);
        settings.timeout.deadline = Some(Span::millis(500));
        let people = |calls| Settings::Clients(clients(400.0, Op::Read, calls));
        let link = LinkSettings { loss: crate::base::unit::Chance(100_000), ..Default::default() };
        let mut world = world(&[people(settings.clone()), service(4_000.0, 2, 200)], &link);
        let (mut sent, mut late, mut timed_out) = (BTreeMap::new(), 0, 0);
        for (until, timeout) in [(10, 300), (20, 120), (30, 450)] {
            settings.timeout.attempt = Some(Span::millis(timeout));
            let now = people(settings.clone());
            world.with(CLIENTS, |role, cx| role.configure(&now, cx));
            run(
                &mut world,
                Time(until * 1_000_000),
                Span::secs(1),
                |record| match record.what {
                    What::Note { note: Note::Began { intent, .. }, .. } => {
                        sent.insert((intent, 0), (record.at, timeout));
                    }
                    What::Note { note: Note::Sent { intent, attempt, .. }, .. } => {
                        sent.insert((intent, attempt), (record.at, timeout));
                    }
                    What::Note {
                        note: Note::Answered { intent, attempt, outcome, took }, ..
                    } => {
                        let (began, _) = sent[&(intent, 0)];
                        let (at, timeout) = sent[&(intent, attempt)];
                        let due = (at + Span::millis(timeout)).min(began + Span::millis(500));
                        assert_eq!(record.at, at + took);
                        if outcome == Outcome::TimedOut {
                            timed_out += 1;
                            assert_eq!(record.at, due);
                        } else {
                            late += u32::from(record.at > due);
                        }
                    }
                    _ => {}
                },
                |_| {},
            );
        }
        assert!(timed_out > 1_000 && late == 0, "{timed_out} timed out, {late} answered too late");
    }

    #[test]
    fn the_line_is_as_long_as_what_waits_and_a_timer_has_the_cause_of_its_attempt() {
        let people = Settings::Clients(clients(1_000.0, Op::Read, calls(SERVER, 1_000, 1)));
        let link = LinkSettings::default();
        let mut world = world(&[people, service(500.0, 2, 100)], &link);
        world.shared.trace.level = Level::All;
        world
            .begin(Fault::Cut { links: vec![(SERVER, CLIENTS)], hold: false }, Some(Span::secs(2)));
        let (mut notes, mut right) = (BTreeMap::new(), 0);
        let mut cause = 0;
        run(
            &mut world,
            Time(2_000_000),
            Span::secs(1),
            |record| match record.what {
                What::Timer { node: CLIENTS, .. } => cause = record.cause,
                What::Note { node: CLIENTS, note: Note::Sent { intent, .. } } => {
                    notes.insert(intent, record.cause);
                }
                What::Note { node: NodeId(0), note: Note::Answered { intent, outcome, .. } } => {
                    assert_eq!((outcome, cause), (Outcome::TimedOut, notes[&intent]));
                    right += 1;
                }
                _ => {}
            },
            |_| {},
        );
        assert!(right > 500, "{right}");
        run(&mut world, Time(10_000_000), Span::secs(1), |_| {}, |_| {});
        assert!(lined_up(&world) < 20, "{} in line, of whom few wait", lined_up(&world));
    }
}
