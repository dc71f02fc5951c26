//! The account of one intent: what was tried, where each message died, how often it was done, and
//! what its owner believes.

use super::event::{Cargo, Event, Fact};
use super::explain::{answer_words, belief, length, no_retry, wish};
use super::scene::Scene;
use super::topic::fate_words;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::note::{Found, NoRetry, Note, Step};
use crate::protocol::rpc::{Answer, Ending, Op, Outcome, Refusal};
use crate::sim::trace::Fate;
use serde::Serialize;

/// What became of one intent, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Account {
    /// Its number in the run.
    pub intent: u64,
    /// The population and the client that wanted it, when, what, and of which item.
    pub wanted: Option<(NodeId, u32, Time, Op, u32)>,
    /// Every request sent for it, at every hop, in order.
    pub attempts: Vec<Attempt>,
    /// When and where it changed data.
    pub applied: Vec<(Time, NodeId)>,
    /// When and where a crash undid that.
    pub undone: Vec<(Time, NodeId)>,
    /// When and where the money was given back, since the other side could not be done.
    pub returned: Vec<(Time, NodeId)>,
    /// When and where a failover threw it away.
    pub truncated: Vec<(Time, NodeId)>,
    /// When and where a repetition was recognised by its key.
    pub recognised: Vec<(Time, NodeId, Found)>,
    /// Copies of its messages that the network made.
    pub copies: u32,
    /// What the client believes, since when, and after how long.
    pub believes: Option<(Ending, Time, Span)>,
    /// Why there was no further attempt, the last time one was considered.
    pub no_retry: Option<(NodeId, NoRetry)>,
    /// Where in logs it changed data.
    places: Vec<u64>,
}

/// One request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Attempt {
    /// Who sent it.
    pub caller: NodeId,
    /// To whom.
    pub target: NodeId,
    /// Counting from one, for each caller.
    pub number: u8,
    /// Sent while an earlier one was outstanding.
    pub hedge: bool,
    /// When.
    pub sent: Time,
    /// What the caller saw, and after how long.
    pub outcome: Option<(Outcome, Span)>,
    /// How its request was lost, if it was: also behind a balancer.
    pub request_lost: Option<Fate>,
    /// How its answer was lost, if it was.
    pub reply_lost: Option<Fate>,
    /// The answer that came when nobody waited any more.
    pub late: Option<(Time, Answer)>,
    /// Why a server turned it away.
    pub refused: Option<Refusal>,
}

impl Account {
    /// From the events of the intent, in order.
    pub fn of(intent: u64, events: &[Event]) -> Account {
        let mut account = Account { intent, ..Account::default() };
        for event in events {
            match &event.fact {
                Fact::Note { node, note } | Fact::Repeated { node, note, .. } => {
                    account.note(event.at, *node, note);
                }
                Fact::Sent { copy, .. } => account.copies += u32::from(*copy),
                Fact::Ended { source, target, fate, cargo, .. } => {
                    account.lost(*source, *target, *fate, *cargo);
                }
                Fact::Node { .. } | Fact::Fault { .. } | Fact::Deferred { .. } => {}
            }
        }
        account
    }

    fn note(&mut self, at: Time, node: NodeId, note: &Note) {
        match *note {
            Note::Began { client, op, item, .. } => {
                self.wanted = Some((node, client, at, op, item))
            }
            Note::Sent { attempt, target, hedge, .. } => self.attempts.push(Attempt {
                caller: node,
                target,
                number: attempt,
                hedge,
                sent: at,
                outcome: None,
                request_lost: None,
                reply_lost: None,
                late: None,
                refused: None,
            }),
            Note::Answered { attempt, outcome, took, .. } => {
                if let Some(a) = self.find(node, attempt) {
                    a.outcome = Some((outcome, took));
                }
            }
            Note::Late { attempt, answer, .. } => {
                if let Some(a) = self.find(node, attempt) {
                    a.late = Some((at, answer));
                }
            }
            Note::Refused { why, .. } if !why.is_local() => {
                let to_it = |a: &&mut Attempt| a.target == node && a.outcome.is_none();
                if let Some(a) = self.attempts.iter_mut().rev().find(to_it) {
                    a.refused = Some(why);
                }
            }
            Note::NoRetry { why, .. } => self.no_retry = Some((node, why)),
            Note::Ended { ending, took, .. } => self.believes = Some((ending, at, took)),
            // Of the two sides of a transfer, the one that pays counts.
            Note::Applied { op, .. } | Note::Undone { op, .. }
                if !op.side().map_or(!op.holds(), |delta| delta < 0) => {}
            // A new primary tells again of what the last one may not have told.
            Note::Applied { position, .. } if self.places.contains(&position) => {}
            Note::Applied { position, .. } => {
                self.applied.push((at, node));
                self.places.extend((position > 0).then_some(position));
            }
            Note::Transfer { step: Step::Undone, .. } => self.returned.push((at, node)),
            Note::Undone { .. } => self.undone.push((at, node)),
            Note::Truncated { led: true, .. } => self.truncated.push((at, node)),
            Note::Recognised { found, .. } => self.recognised.push((at, node, found)),
            Note::Waits { .. }
            | Note::Breaker { .. }
            | Note::Arrived { .. }
            | Note::Refused { .. }
            | Note::Worked { .. }
            | Note::Stamped { .. }
            | Note::Cached { .. }
            | Note::Fallback { .. }
            | Note::Truncated { .. }
            | Note::Leads { .. }
            | Note::StepsDown { .. }
            | Note::Suspects { .. }
            | Note::Transfer { .. }
            | Note::Held { .. }
            | Note::Remapped { .. }
            | Note::Letter { .. }
            | Note::Scaled { .. }
            | Note::Deploys { .. }
            | Note::Deployed { .. }
            | Note::RolledBack { .. }
            | Note::Duty { .. }
            | Note::Ejected { .. }
            | Note::Readmitted { .. }
            | Note::Backup { .. } => {}
        }
    }

    /// The attempt of that caller and number; behind a balancer, which copies the number, that of
    /// whoever sent it.
    fn find(&mut self, caller: NodeId, number: u8) -> Option<&mut Attempt> {
        let exact = self.attempts.iter().rposition(|a| (a.caller, a.number) == (caller, number));
        let place = exact.or_else(|| self.attempts.iter().rposition(|a| a.number == number))?;
        self.attempts.get_mut(place)
    }

    fn lost(&mut self, source: NodeId, target: NodeId, fate: Fate, cargo: Cargo) {
        match cargo {
            Cargo::Request { attempt, .. } => {
                if let Some(a) = self.find(source, attempt) {
                    a.request_lost = Some(fate);
                }
            }
            Cargo::Reply { attempt, .. } => {
                if let Some(a) = self.find(target, attempt) {
                    a.reply_lost = Some(fate);
                }
            }
            Cargo::Probe | Cargo::Store { .. } => {}
        }
    }

    /// How often it is done, what crashes and failovers undid taken off.
    pub fn times_done(&self) -> usize {
        let undone = self.undone.len() + self.returned.len() + self.truncated.len();
        self.applied.len().saturating_sub(undone)
    }

    /// In one sentence: what was wanted, what its owner believes, what is true.
    pub fn title(&self, scene: &Scene) -> String {
        let Some((node, client, _, op, item)) = self.wanted else { return self.end_only() };
        let what = format!("Client {client} of {} wanted to {}", scene.name(node), wish(op, item));
        let believes = match self.believes {
            Some((ending, ..)) => belief(ending, op),
            None => "still waits",
        };
        let truth = match self.times_done() {
            0 if op == Op::Read => "",
            0 if self.believes.is_none() => "; it is not done yet",
            0 => "; it was not done",
            1 => "; it was done once",
            2 => "; it was done twice",
            n => return format!("{what} and {believes}; it was done {n} times"),
        };
        format!("{what} and {believes}{truth}")
    }

    /// The same of an intent whose beginning is forgotten: nothing is said that is not known.
    fn end_only(&self) -> String {
        let ends = if !self.truncated.is_empty() {
            "a failover threw it away"
        } else if !self.undone.is_empty() {
            "a crash undid it"
        } else if self.believes.is_some_and(|(ending, ..)| !ending.is_good()) {
            "its client was not told that it is done"
        } else {
            "its beginning is too long ago"
        };
        let number = self.intent & 0xff_ffff_ffff;
        format!("Of request {number} only the end is remembered: {ends}")
    }

    /// What a person asks first.
    pub fn rows(&self, scene: &Scene) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        row("Intent", format!("{}", self.intent & 0xff_ffff_ffff));
        if let Some((node, client, at, op, item)) = self.wanted {
            row("Client", format!("{client} of {}", scene.name(node)));
            row("Wanted", format!("{} at {at}", wish(op, item)));
        }
        for attempt in &self.attempts {
            let (caller, target) = (scene.name(attempt.caller), scene.name(attempt.target));
            let hedge = if attempt.hedge { ", a hedge" } else { "" };
            let name = format!("Attempt {}, {caller} → {target}{hedge}", attempt.number);
            row(&name, format!("sent at {}, {}", attempt.sent, attempt.words()));
        }
        if self.copies > 0 {
            row("Copies made by the network", self.copies.to_string());
        }
        let places = |list: &[(Time, NodeId)]| {
            let each = list.iter().map(|(at, node)| format!("by {} at {at}", scene.name(*node)));
            each.collect::<Vec<_>>().join(", ")
        };
        if !self.applied.is_empty() {
            row("Done", places(&self.applied));
        }
        if !self.undone.is_empty() {
            row("Undone by a crash", places(&self.undone));
        }
        if !self.returned.is_empty() {
            row("Given back", places(&self.returned));
        }
        if !self.truncated.is_empty() {
            row("Thrown away at a failover", places(&self.truncated));
        }
        for (at, node, found) in &self.recognised {
            let what = match found {
                Found::Answer => "gave the earlier answer",
                Found::AtWork => "found the first request still at work",
                Found::OtherRequest => "refused the key of another request",
            };
            row("Recognised", format!("{} {what} at {at}", scene.name(*node)));
        }
        if let Some((ending, at, took)) = self.believes {
            row("Client believes", format!("{} at {at}, after {}", ending.word(), length(took)));
            if let Some((node, why)) = self.no_retry.filter(|_| !ending.is_good()) {
                row("No further attempt", format!("{}: {}", scene.name(node), no_retry(why)));
            }
        }
        rows
    }
}

impl Attempt {
    /// What became of it. A lost request, a lost answer, a late answer and a refusal all look the
    /// same to a caller that hears nothing; here they are told apart.
    pub fn words(&self) -> String {
        let seen = match self.outcome {
            Some((Outcome::Answered(answer), took)) => {
                return format!("answered after {}: {}", length(took), answer_words(answer));
            }
            Some((Outcome::TimedOut, took)) => format!("timed out after {}: ", length(took)),
            None => String::new(),
        };
        if let Some((at, answer)) = self.late {
            return format!("{seen}its answer ({}) came too late, at {at}", answer_words(answer));
        }
        if let Some(fate) = self.request_lost {
            return format!("{seen}the request was lost ({})", fate_words(fate));
        }
        if let Some(fate) = self.reply_lost {
            return format!("{seen}the answer was lost ({})", fate_words(fate));
        }
        match (self.refused, self.outcome) {
            (Some(why), _) => format!("{seen}turned away ({})", why.words()),
            (None, Some(_)) => format!("{seen}there is no answer yet"),
            (None, None) => "not answered yet".to_owned(),
        }
    }
}
