//! What a person would notice of what happens, and what belongs together when it happens often.

use super::event::{Cargo, Event, Fact};
use super::explain::no_retry;
use super::scene::Scene;
use crate::base::id::{LinkId, NodeId};
use crate::protocol::note::{Hold, Lookup, NoRetry, Note, Phase, Post, Step};
use crate::protocol::rpc::{Ending, Op, Outcome, Refusal};
use crate::sim::trace::Fate;

/// Events that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A fault, or a node that changes its condition: every one counts.
    Once,
    /// A breaker changes its state.
    Breaker { node: NodeId, stack: u8, to: Phase },
    /// An attempt was not answered in time.
    TimedOut { node: NodeId },
    /// A further attempt.
    Retry { node: NodeId },
    /// No further attempt, though attempts are left.
    NoRetry { node: NodeId, why: NoRetry },
    /// An intent ended badly.
    Ended { node: NodeId, ending: Ending },
    /// An answer came too late.
    Late { node: NodeId },
    /// A request was turned away or held back.
    Refused { node: NodeId, why: Refusal },
    /// A change was made once more than wanted.
    Repeated { node: NodeId },
    /// A crash undid a change.
    Undone { node: NodeId },
    /// A replica threw away a part of its log.
    Truncated { node: NodeId },
    /// A store asks what was decided.
    InDoubt { node: NodeId },
    /// A transfer between shards is not done.
    Transfer { node: NodeId, step: Step },
    /// A key was recognised.
    Recognised { node: NodeId },
    /// An answer without an optional dependency.
    Fallback { node: NodeId, dependency: u8 },
    /// A cache served what is out of date, or lost what it had confirmed.
    Cached { node: NodeId, how: Lookup },
    /// A message of a broker was handed out again, or a consumer failed at it.
    Letter { node: NodeId, group: u8, step: Mail },
    /// A backend was taken out.
    Ejected { node: NodeId },
    /// A backend is used again.
    Readmitted { node: NodeId },
    /// A message was lost.
    Lost { source: NodeId, target: NodeId, fate: Fate, cargo: Lost },
    /// The network copied a message.
    Copied { link: LinkId },
}

/// What went wrong with a message of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mail {
    /// It was handed out again.
    Again,
    /// A consumer failed at it.
    Returned,
    /// A consumer did not say anything.
    Expired,
    /// It is a dead letter.
    Dead,
    /// It is no dead letter any more.
    Redriven,
    /// It was too old.
    Dropped,
    /// A crash has undone it.
    Lost,
}

impl Mail {
    fn of(step: Post) -> Option<Mail> {
        Some(match step {
            Post::HandedOut { attempt, .. } if attempt > 1 => Mail::Again,
            Post::Returned => Mail::Returned,
            Post::Expired => Mail::Expired,
            Post::Dead { .. } => Mail::Dead,
            Post::Redriven => Mail::Redriven,
            Post::Dropped => Mail::Dropped,
            Post::Lost => Mail::Lost,
            Post::Kept | Post::HandedOut { .. } | Post::Acknowledged { .. } => return None,
        })
    }

    /// So many more messages of `me` for `to`, in words.
    fn more(self, n: u64, me: &str, to: &str) -> String {
        match self {
            Mail::Again => format!("{me} hands {n} more messages for {to} out again"),
            Mail::Returned => format!("{to} failed at {n} more messages of {me}"),
            Mail::Expired => format!("{me} has waited long enough for {n} more messages at {to}"),
            Mail::Dead => format!("{me} has {n} more dead letters for {to}"),
            Mail::Redriven => format!("{me} puts {n} more dead letters for {to} back"),
            Mail::Dropped => format!("{me} drops {n} more messages for {to}"),
            Mail::Lost => format!("{me} came back without {n} more messages"),
        }
    }
}

/// What a lost message was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// A request.
    Request,
    /// An answer.
    Answer,
    /// What replicas say to each other.
    Other,
}

impl Topic {
    /// What an event belongs to; none for what goes as it should.
    pub fn of(event: &Event) -> Option<Topic> {
        match event.fact {
            Fact::Note { node, note } => Topic::of_note(node, &note),
            Fact::Repeated { node, .. } => Some(Topic::Repeated { node }),
            Fact::Sent { link, copy: true, .. } => Some(Topic::Copied { link }),
            Fact::Ended { fate: Fate::Delivered, .. }
            | Fact::Sent { .. }
            | Fact::Deferred { .. } => None,
            Fact::Ended { source, target, fate, cargo, .. } => {
                let cargo = match cargo {
                    Cargo::Reply { .. } => Lost::Answer,
                    Cargo::Request { .. } | Cargo::Probe => Lost::Request,
                    Cargo::Store { .. } => Lost::Other,
                };
                Some(Topic::Lost { source, target, fate, cargo })
            }
            Fact::Node { .. } | Fact::Fault { .. } => Some(Topic::Once),
        }
    }

    fn of_note(node: NodeId, note: &Note) -> Option<Topic> {
        Some(match *note {
            Note::Sent { attempt, .. } if attempt > 1 => Topic::Retry { node },
            Note::Answered { outcome: Outcome::TimedOut, .. } => Topic::TimedOut { node },
            Note::NoRetry { why: why @ (NoRetry::Budget | NoRetry::Deadline), .. } => {
                Topic::NoRetry { node, why }
            }
            Note::Ended { ending, .. } if !ending.is_good() => Topic::Ended { node, ending },
            Note::Late { .. } => Topic::Late { node },
            Note::Breaker { stack, to, .. } => Topic::Breaker { node, stack, to },
            Note::Refused { why, .. } => Topic::Refused { node, why },
            Note::Undone { .. } => Topic::Undone { node },
            Note::Truncated { .. } => Topic::Truncated { node },
            Note::Applied { op: Op::Erase, .. }
            | Note::Leads { .. }
            | Note::StepsDown { .. }
            | Note::Suspects { .. }
            | Note::Remapped { .. }
            | Note::Backup { .. }
            | Note::Scaled { .. }
            | Note::Deploys { .. }
            | Note::Deployed { .. }
            | Note::RolledBack { .. }
            | Note::Duty { .. }
            | Note::Transfer { step: Step::GivenUp, .. } => Topic::Once,
            Note::Held { hold: Hold::Asks, .. } => Topic::InDoubt { node },
            Note::Transfer { step: step @ (Step::Aborts | Step::TurnsBack), .. } => {
                Topic::Transfer { node, step }
            }
            Note::Recognised { .. } => Topic::Recognised { node },
            Note::Fallback { dependency, .. } => Topic::Fallback { node, dependency },
            Note::Cached { how: how @ (Lookup::Stale | Lookup::Lost), .. } => {
                Topic::Cached { node, how }
            }
            Note::Letter { group, step, .. } => {
                Topic::Letter { node, group, step: Mail::of(step)? }
            }
            Note::Ejected { .. } => Topic::Ejected { node },
            Note::Readmitted { .. } => Topic::Readmitted { node },
            Note::Began { .. }
            | Note::Sent { .. }
            | Note::Answered { .. }
            | Note::Waits { .. }
            | Note::NoRetry { .. }
            | Note::Ended { .. }
            | Note::Arrived { .. }
            | Note::Worked { .. }
            | Note::Stamped { .. }
            | Note::Transfer { .. }
            | Note::Held { .. }
            | Note::Cached { .. }
            | Note::Applied { .. } => return None,
        })
    }

    /// So many more of it, in words.
    pub fn more(self, n: u64, scene: &Scene) -> String {
        let name = |node| scene.name(node);
        let target = |node, stack| scene.stack(node, stack).map_or("?", |s| s.target.as_str());
        match self {
            Topic::Once => format!("{n} more"),
            Topic::Breaker { node, stack, to } => {
                let (me, target) = (name(node), target(node, stack));
                let what = match to {
                    Phase::Open => "open",
                    Phase::HalfOpen => "let probes through",
                    Phase::Closed => "close",
                };
                format!("{n} more breakers of {me} to {target} {what}")
            }
            Topic::TimedOut { node } => format!("{n} more attempts of {} timed out", name(node)),
            Topic::Retry { node } => format!("{n} more retries by {}", name(node)),
            Topic::NoRetry { node, why } => {
                format!("{n} times more {} does not try again: {}", name(node), no_retry(why))
            }
            Topic::Ended { node, ending } => {
                format!("{n} more intents of {} ended: {}", name(node), ending.word())
            }
            Topic::Late { node } => format!("{n} more answers reach {} too late", name(node)),
            Topic::Refused { node, why } if why.is_local() => {
                format!("{} holds {n} more requests back: {}", name(node), why.words())
            }
            Topic::Refused { node, why } => {
                format!("{} turns {n} more requests away: {}", name(node), why.words())
            }
            Topic::Repeated { node } => {
                format!("{} does {n} more things again that were done already", name(node))
            }
            Topic::InDoubt { node } => format!("{} asked about {n} more locks", name(node)),
            Topic::Transfer { node, step: Step::Aborts } => {
                format!("{} aborted {n} more transfers", name(node))
            }
            Topic::Transfer { node, .. } => {
                format!("{} turned back with {n} more transfers", name(node))
            }
            Topic::Undone { node } => format!("{} lost {n} more changes", name(node)),
            Topic::Truncated { node } => {
                format!("{} throws away {n} more entries of its log", name(node))
            }
            Topic::Recognised { node } => format!("{} knows {n} more keys", name(node)),
            Topic::Fallback { node, dependency } => {
                let without = target(node, dependency);
                format!("{} answers {n} times more without {without}", name(node))
            }
            Topic::Cached { node, how } => cached(name(node), how, n),
            Topic::Letter { node, group, step } => step.more(n, name(node), target(node, group)),
            Topic::Ejected { node } => {
                format!("{} stops using a backend {n} times more", name(node))
            }
            Topic::Readmitted { node } => {
                format!("{} uses a backend again {n} times more", name(node))
            }
            Topic::Lost { source, target, fate, cargo } => {
                let what = match cargo {
                    Lost::Request => "requests",
                    Lost::Answer => "answers",
                    Lost::Other => "other messages",
                };
                let (source, target) = (name(source), name(target));
                format!("{n} more {what} from {source} to {target} are lost: {}", fate_words(fate))
            }
            Topic::Copied { link } => {
                let ends = scene.ends(link).map(|(a, b)| (name(a), name(b)));
                let (source, target) = ends.unwrap_or(("?", "?"));
                format!("{n} more copies of messages from {source} to {target}")
            }
        }
    }
}

/// The same of a cache.
fn cached(name: &str, how: Lookup, n: u64) -> String {
    match how {
        Lookup::Lost => format!("{name} lost {n} more confirmed writes"),
        _ => format!("{name} serves {n} more items though their time is over"),
    }
}

/// How a message ended, in two or three words.
pub fn fate_words(fate: Fate) -> &'static str {
    match fate {
        Fate::Delivered => "delivered",
        Fate::LostInFlight => "lost on the way",
        Fate::LinkCut => "link cut",
        Fate::TargetDown => "target down",
        Fate::NoRoute => "no link",
    }
}
