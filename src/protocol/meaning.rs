//! What the end of an attempt means: to the breaker, to the budget, to the retry policy, and to
//! whoever wanted it.

use super::note::{Note, Phase};
use super::policy::breaker::{BreakerState, CallResult};
use super::policy::budget::FailureKind;
use super::policy::retry::RetrySettings;
use super::rpc::{Answer, Ending, Outcome, Refusal, Reply};

/// The state of a breaker as people speak of it.
pub fn phase(state: BreakerState) -> Phase {
    match state {
        BreakerState::Closed | BreakerState::Disabled | BreakerState::MetricsOnly => Phase::Closed,
        BreakerState::Open | BreakerState::ForcedOpen => Phase::Open,
        BreakerState::HalfOpen => Phase::HalfOpen,
    }
}

/// An answer that nobody waited for.
pub(super) fn late(reply: &Reply) -> Note {
    Note::Late { intent: reply.intent, attempt: reply.ticket.attempt, answer: reply.answer }
}

pub(super) fn result(outcome: Outcome) -> CallResult {
    match outcome {
        Outcome::Answered(answer) => match answer {
            Answer::Done { .. }
            | Answer::Degraded
            | Answer::Stale { .. }
            | Answer::Conflict
            | Answer::KeyReused => CallResult::Success,
            Answer::Refused(why) if why.is_local() => CallResult::Ignored,
            Answer::Refused(_) | Answer::Error | Answer::Unsure => CallResult::Failure,
        },
        Outcome::TimedOut => CallResult::Failure,
    }
}

pub(super) fn failure(outcome: Outcome) -> FailureKind {
    match outcome {
        Outcome::TimedOut => FailureKind::Timeout,
        Outcome::Answered(Answer::Refused(_)) => FailureKind::Refused,
        Outcome::Answered(Answer::Conflict) => FailureKind::Conflict,
        Outcome::Answered(_) => FailureKind::Error,
    }
}

pub(super) fn retryable(retry: &RetrySettings, outcome: Outcome) -> bool {
    match outcome {
        Outcome::TimedOut => retry.on.timeout,
        Outcome::Answered(answer) => match answer {
            Answer::Refused(Refusal::BreakerOpen) => retry.on.breaker_open,
            Answer::Refused(Refusal::Throttled) => false,
            Answer::Refused(_) => retry.on.refused,
            Answer::Error => retry.on.error,
            Answer::Conflict => retry.on.conflict,
            // As little is known as after a timeout.
            Answer::Unsure => retry.on.timeout,
            Answer::KeyReused | Answer::Done { .. } | Answer::Degraded | Answer::Stale { .. } => {
                false
            }
        },
    }
}

/// What the owner may believe. An earlier attempt that was never answered may have been applied,
/// whatever became of the last one.
pub(super) fn ending(outcome: Outcome, unanswered: bool) -> Ending {
    match outcome {
        Outcome::Answered(Answer::Done { .. }) => Ending::Ok,
        Outcome::Answered(Answer::Degraded | Answer::Stale { .. }) => Ending::Degraded,
        Outcome::TimedOut | Outcome::Answered(Answer::Unsure) => Ending::Unknown,
        Outcome::Answered(_) if unanswered => Ending::Unknown,
        Outcome::Answered(Answer::Refused(_)) => Ending::Rejected,
        Outcome::Answered(Answer::Error | Answer::Conflict | Answer::KeyReused) => Ending::Failed,
    }
}
