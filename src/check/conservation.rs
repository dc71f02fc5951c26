//! Every message has exactly one fate: what was sent has ended or is in flight.

use super::{State, Verdict};
use crate::base::time::Time;
use crate::sim::process::Process;
use crate::sim::world::World;

/// The balance of messages at the last look.
#[derive(Clone, Debug, Default)]
pub struct Conservation {
    sent: u64,
    ended: u64,
    in_flight: u64,
    first: Option<Time>,
}

impl Conservation {
    /// Looks at the world, between events.
    pub fn close<P: Process>(&mut self, world: &World<P>) {
        let counts = &world.shared.trace.counts;
        self.count(
            world.shared.now,
            counts.sent,
            counts.ended.iter().sum(),
            world.shared.packets.len(),
        );
    }

    fn count(&mut self, now: Time, sent: u64, ended: u64, in_flight: u32) {
        (self.sent, self.ended, self.in_flight) = (sent, ended, u64::from(in_flight));
        if self.sent != self.ended + self.in_flight {
            self.first.get_or_insert(now);
        }
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let Conservation { sent, ended, in_flight, first } = self;
        let sentence = format!("{sent} sent: {ended} have ended, {in_flight} are in flight.");
        let state = match (first, sent) {
            (Some(_), _) => State::Violated,
            (None, 0) => State::Unknown,
            (None, _) => State::Holds,
        };
        let name = "every message has one fate".to_owned();
        Verdict { name, state, sentence, at: *first, intents: Vec::new(), count: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_without_a_fate_is_noticed_and_not_forgotten() {
        let mut check = Conservation::default();
        assert_eq!(check.verdict().state, State::Unknown);
        check.count(Time(1), 10, 7, 3);
        assert_eq!(check.verdict().state, State::Holds);
        check.count(Time(2), 11, 7, 3);
        check.count(Time(3), 12, 9, 3);
        assert_eq!((check.verdict().state, check.verdict().at), (State::Violated, Some(Time(2))));
    }
}
