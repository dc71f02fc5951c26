//! How long to wait: for one attempt, and in all. Deadlines that go along with a request are those
//! of gRPC (guide "Deadlines") and of the SRE book, chapter 22, "Deadline propagation".

use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// How long to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeoutSettings {
    /// For the answer to one attempt; without, for ever.
    pub attempt: Option<Span>,
    /// For the call, retries and waits included; without, for ever.
    pub deadline: Option<Span>,
}

impl TimeoutSettings {
    /// Hystrix gives a command one second in all.
    pub const HYSTRIX: TimeoutSettings =
        TimeoutSettings { attempt: None, deadline: Some(Span::secs(1)) };

    /// When an attempt sent at `now` is given up, never later than the call's own deadline.
    pub fn attempt_ends(&self, now: Time, deadline: Time) -> Time {
        self.attempt.map_or(Time::NEVER, |span| now + span).min(deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_never_outlives_its_call() {
        let settings = TimeoutSettings { attempt: Some(Span(100)), deadline: None };
        assert_eq!(settings.attempt_ends(Time(50), Time::NEVER), Time(150));
        assert_eq!(settings.attempt_ends(Time(50), Time(120)), Time(120));
        assert_eq!(TimeoutSettings::default().attempt_ends(Time(50), Time(70)), Time(70));
    }
}
