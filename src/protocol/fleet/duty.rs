//! What a replica of a service does when a fleet says which replicas run: it is off, starts,
//! serves, or finishes what it has.

use super::{FleetMessage, FleetTimer, Order, Report};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::note::Note;
use crate::protocol::service::Service;
use crate::protocol::station::StationSettings;
use crate::protocol::{Cx, Message, Timer};
use serde::{Deserialize, Serialize};

/// What a replica has to know of its fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DutySettings {
    /// Whose orders it takes.
    pub fleet: NodeId,
    /// Whether it serves in the beginning.
    pub serves: bool,
    /// From an order until it serves.
    pub start_up: Dist,
    /// How long it may take to finish what it has.
    pub drain: Span,
    /// What is different in the second version.
    pub next: Option<VersionSettings>,
}

/// What is different in another version of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionSettings {
    /// The chance that the work fails.
    pub error: Chance,
    /// How long the work takes.
    pub time: Dist,
    /// Whether it ever comes to serve.
    pub starts: bool,
}

/// Whether a replica serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It answers nothing.
    Off,
    /// It will serve, and answers nothing yet.
    Starting,
    /// It serves.
    Serving,
    /// It takes nothing new and finishes what it has.
    Draining,
}

impl State {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            State::Off => "off",
            State::Starting => "starting",
            State::Serving => "serving",
            State::Draining => "draining",
        }
    }
}

/// What a replica does at the command of a fleet. All of it but the requests it has survives a
/// crash: whoever keeps it running starts it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Duty {
    /// What it has to know.
    pub settings: DutySettings,
    /// Whether it serves.
    pub state: State,
    /// Which version it runs, or ran last.
    pub version: u8,
    /// The version that is to run, or none.
    wanted: Option<u8>,
    /// The last order taken.
    order: u32,
    /// Reports made.
    serial: u32,
    /// States entered: a timer of an earlier one is void.
    turn: u32,
    /// How busy it was between the last two orders, if it served all that time.
    usage: Option<Chance>,
    times: Stream,
    /// How long it was not off, up to when it entered its state.
    ran: Span,
    since: Time,
}

impl Duty {
    /// Of a replica at the beginning of a run.
    pub fn new(settings: DutySettings, seed: u64, node: NodeId) -> Duty {
        Duty {
            state: if settings.serves { State::Serving } else { State::Off },
            version: 1,
            wanted: settings.serves.then_some(1),
            order: 0,
            serial: 0,
            turn: 0,
            usage: None,
            times: Stream::new(seed, "start-up", u64::from(node.0)),
            ran: Span::ZERO,
            since: Time::ZERO,
            settings,
        }
    }

    /// How long it has not been off: what it is paid for, down or not.
    pub fn ran(&self, now: Time) -> Span {
        let span = if self.state == State::Off { Span::ZERO } else { now.since(self.since) };
        self.ran + span
    }

    /// True if there is nobody who could answer.
    pub fn is_away(&self) -> bool {
        matches!(self.state, State::Off | State::Starting)
    }

    /// How the version that runs works.
    pub fn station(&self, settings: &StationSettings) -> StationSettings {
        match &self.settings.next {
            Some(VersionSettings { error, time, .. }) if self.version > 1 => {
                StationSettings { error: *error, time: time.clone(), ..settings.clone() }
            }
            _ => settings.clone(),
        }
    }

    fn starts(&self) -> bool {
        self.version == 1 || self.settings.next.as_ref().is_none_or(|next| next.starts)
    }
}

impl Service {
    /// The fleet has said what is to run. Every order is answered, once.
    pub(in crate::protocol) fn ordered(&mut self, source: NodeId, order: Order, cx: &mut Cx<'_>) {
        let Some(duty) = &mut self.duty else { return };
        if source != duty.settings.fleet || order.number <= duty.order {
            return;
        }
        duty.order = order.number;
        duty.wanted = order.run;
        let usage = self.station.meter.read(cx.now(), self.station.settings.workers);
        duty.usage = usage.filter(|_| duty.state == State::Serving);
        match (duty.state, order.run) {
            (State::Starting | State::Serving, Some(version)) if version == duty.version => {}
            (State::Off | State::Starting, Some(version)) => self.start(version, cx),
            (State::Starting, None) => self.enter(State::Off, cx),
            (State::Serving, _) => self.drain(cx),
            (State::Off, None) | (State::Draining, _) => {}
        }
        self.report(cx);
    }

    /// A time is over that this replica has set itself.
    pub(in crate::protocol) fn duty_timer(&mut self, timer: FleetTimer, cx: &mut Cx<'_>) {
        let Some(duty) = &self.duty else { return };
        match (timer, duty.state) {
            (FleetTimer::Started { turn }, State::Starting) if turn == duty.turn => {
                let version = duty.version;
                // What cannot start is started again and again.
                if duty.starts() {
                    self.serve(cx)
                } else {
                    self.start(version, cx)
                }
                self.report(cx);
            }
            (FleetTimer::Drained { turn }, State::Draining) if turn == duty.turn => {
                self.abandon(cx);
                self.emptied(cx);
                self.report(cx);
            }
            _ => {}
        }
    }

    /// Goes on if all that it had is finished.
    fn emptied(&mut self, cx: &mut Cx<'_>) -> bool {
        let Some(duty) = &self.duty else { return false };
        if duty.state != State::Draining || self.station.in_house() > 0 {
            return false;
        }
        match duty.wanted {
            Some(version) => self.start(version, cx),
            None => self.enter(State::Off, cx),
        }
        true
    }

    /// Something has happened that may have finished the last of what it had.
    pub(in crate::protocol) fn finished(&mut self, cx: &mut Cx<'_>) {
        if self.emptied(cx) {
            self.report(cx);
        }
    }

    /// It runs again after a crash: what ran is started again, by whoever keeps it running.
    pub(in crate::protocol) fn resume(&mut self, cx: &mut Cx<'_>) {
        let Some(duty) = &self.duty else { return };
        match duty.state {
            State::Off => {}
            State::Starting | State::Serving => self.start(duty.wanted.unwrap_or(1), cx),
            State::Draining => drop(self.emptied(cx)),
        }
        self.report(cx);
    }

    fn enter(&mut self, state: State, cx: &mut Cx<'_>) {
        let Some(duty) = &mut self.duty else { return };
        (duty.ran, duty.since) = (duty.ran(cx.now()), cx.now());
        duty.state = state;
        duty.turn += 1;
        duty.usage = None;
        cx.note(Note::Duty { state, version: duty.version });
    }

    fn start(&mut self, version: u8, cx: &mut Cx<'_>) {
        let Some(duty) = &mut self.duty else { return };
        duty.version = version;
        let span = duty.settings.start_up.sample(&mut duty.times);
        self.enter(State::Starting, cx);
        let turn = self.duty.as_ref().map_or(0, |duty| duty.turn);
        cx.set_timer(cx.work(span), Timer::Fleet(FleetTimer::Started { turn }));
    }

    fn serve(&mut self, cx: &mut Cx<'_>) {
        self.enter(State::Serving, cx);
        self.station.closed = false;
        self.station.meter.begin(cx.now());
        let settings = self.station_settings();
        self.station.configure(settings, cx);
    }

    fn drain(&mut self, cx: &mut Cx<'_>) {
        self.enter(State::Draining, cx);
        self.station.closed = true;
        if let Some(duty) = &self.duty {
            let turn = duty.turn;
            cx.set_timer(duty.settings.drain, Timer::Fleet(FleetTimer::Drained { turn }));
        }
        self.emptied(cx);
    }

    /// Says to the fleet how it is.
    fn report(&mut self, cx: &mut Cx<'_>) {
        let Some(duty) = &mut self.duty else { return };
        duty.serial += 1;
        let report = Report {
            number: duty.order,
            serial: duty.serial,
            state: duty.state,
            version: duty.version,
            usage: duty.usage,
            ended: self.station.meter.ended,
            failed: self.station.meter.failed,
        };
        cx.send(duty.settings.fleet, Message::Fleet(Box::new(FleetMessage::Report(report))));
    }
}
