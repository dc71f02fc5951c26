//! Every queue adds up, by Little's law: the mean number of requests in a house is the rate at
//! which they leave it times the mean time they stay, L = λW (Little 1961). The number is
//! integrated over time from arrivals and departures; the stays are what the station itself says.
//!
//! The two sides differ by the time that those still in the house have been there, and by nothing
//! when it is empty. A crash empties a house and begins a new account of it.

use super::{State, Verdict};
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::Role;
use crate::protocol::note::Note;
use crate::sim::trace::{Change, Record, What};

/// The two sides may differ by so many parts of a thousand.
const TOLERANCE: u64 = 5;

/// The account of one house.
#[derive(Clone, Copy, Debug, Default)]
struct House {
    inside: u64,
    /// The integral of the number inside, in request-microseconds, up to `at`.
    area: u64,
    at: Time,
    since: Time,
    left: u64,
    /// The sum of the stays of those who left, in microseconds.
    stays: u64,
    /// It was empty once, and the two sides were equal.
    proved: bool,
    used: bool,
}

/// The accounts of all houses.
#[derive(Clone, Debug)]
pub struct Queues {
    houses: Vec<House>,
    wrong: Option<(NodeId, Time)>,
}

impl House {
    fn pass(&mut self, now: Time) {
        self.area += self.inside * now.since(self.at).0;
        self.at = now;
    }

    fn agrees(&self) -> bool {
        let gap = self.area.abs_diff(self.stays);
        u128::from(gap) * 1_000 <= u128::from(self.area) * u128::from(TOLERANCE)
    }
}

impl Queues {
    /// Of so many nodes, all empty.
    pub fn new(nodes: usize) -> Queues {
        Queues { houses: vec![House::default(); nodes], wrong: None }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        match &record.what {
            What::Note { node, note } => match *note {
                Note::Arrived { .. } => {
                    let Some(house) = self.houses.get_mut(node.index()) else { return };
                    house.pass(record.at);
                    house.inside += 1;
                    house.used = true;
                }
                Note::Worked { stayed, .. } => self.leaves(*node, record.at, stayed.0),
                Note::Refused { why, stayed, .. } if !why.is_local() && !why.is_at_the_door() => {
                    self.leaves(*node, record.at, stayed.0);
                }
                _ => {}
            },
            What::Node { node, change: Change::Crashed } => {
                let Some(house) = self.houses.get_mut(node.index()) else { return };
                let House { used, proved, .. } = *house;
                *house =
                    House { at: record.at, since: record.at, used, proved, ..House::default() };
            }
            _ => {}
        }
    }

    fn leaves(&mut self, node: NodeId, now: Time, stayed: u64) {
        let Some(house) = self.houses.get_mut(node.index()) else { return };
        house.pass(now);
        house.left += 1;
        house.stays += stayed;
        match house.inside.checked_sub(1) {
            Some(inside) => house.inside = inside,
            None => {
                self.wrong.get_or_insert((node, now));
            }
        }
        if house.inside == 0 {
            if house.agrees() {
                house.proved = true;
            } else {
                self.wrong.get_or_insert((node, now));
            }
        }
    }

    /// What is known.
    pub fn verdict(&self, now: Time) -> Verdict {
        let mut houses: Vec<House> = self.houses.iter().copied().filter(|h| h.used).collect();
        houses.iter_mut().for_each(|h| h.pass(now));
        let open = houses.iter().filter(|h| !h.proved && !h.agrees()).count();
        // Those who left cannot have stayed longer in all than the house was occupied.
        let impossible = houses.iter().any(|h| !h.agrees() && h.stays > h.area);
        let state = match (self.wrong, open) {
            (Some(_), _) => State::Violated,
            _ if impossible => State::Violated,
            _ if houses.is_empty() || open > 0 => State::Unknown,
            _ => State::Holds,
        };
        let busiest = houses.iter().filter(|h| h.left > 0).max_by_key(|h| h.area);
        let sentence = match busiest {
            None => "No request has left a queue yet.".to_owned(),
            Some(house) => {
                let seconds = now.since(house.since).as_secs();
                let inside = house.area as f64 / 1e6 / seconds;
                let rate = house.left as f64 / seconds;
                let stay = house.stays as f64 / 1e3 / house.left as f64;
                format!("In the fullest house: {inside:.3} inside, {rate:.2}/s × {stay:.2} ms.")
            }
        };
        let name = "every queue adds up (L = λW)".to_owned();
        let (at, intents) = (self.wrong.map(|w| w.1), Vec::new());
        Verdict { name, state, sentence, at, intents, count: None }
    }
}
