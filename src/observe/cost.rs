//! What a run costs: what runs by the hour, and the messages that cross borders by weight.

use super::cast::Cast;
use super::frame::Kind;
use crate::base::domain::{DISTANCES, Distance};
use crate::base::order;
use crate::base::time::Time;
use crate::protocol::Role;
use crate::sim::world::World;
use serde::Serialize;

/// What things cost. All prices are in prices of one server of a service for an hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// Each node, by the hour.
    pub nodes: Vec<f64>,
    /// What a message weighs, in gigabytes.
    pub message: f64,
    /// A gigabyte, by distance, in the order of [`DISTANCES`].
    pub gigabyte: [f64; DISTANCES.len()],
}

/// What a run costs, by the hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// In all.
    pub per_hour: f64,
    /// What runs.
    pub nodes: f64,
    /// What crosses borders.
    pub traffic: f64,
    /// Where it comes from, the dearest first.
    pub items: Vec<Item>,
}

/// A part of what a run costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// What: the name of a group, or how far messages go.
    pub name: String,
    /// How much of it: `3 replicas`, `7.2 GB an hour`.
    pub amount: String,
    /// What that costs an hour.
    pub per_hour: f64,
}

/// What the run has cost so far, as if every hour were like that. Clients are people: free.
pub fn cost(world: &World<Role>, cast: &Cast, prices: &Prices) -> Cost {
    let mut items = groups(world, cast, prices);
    let sum = |items: &[Item]| items.iter().map(|item| item.per_hour).fold(0.0, |a, b| a + b);
    let nodes = sum(&items);
    let borders = traffic(world, cast, prices);
    let traffic = sum(&borders);
    items.extend(borders);
    order::by(&mut items, |a, b| b.per_hour.total_cmp(&a.per_hour));
    Cost { per_hour: nodes + traffic, nodes, traffic, items }
}

/// The share of the run for which a node is paid: a replica that is off costs nothing.
fn share(role: Option<&Role>, now: Time) -> f64 {
    match role {
        Some(Role::Service(service)) => match &service.duty {
            Some(duty) if now > Time::ZERO => duty.ran(now).as_secs() / now.as_secs(),
            _ => 1.0,
        },
        _ => 1.0,
    }
}

fn groups(world: &World<Role>, cast: &Cast, prices: &Prices) -> Vec<Item> {
    let mut items: Vec<(Item, u32, f64)> = Vec::new();
    for ((n, member), price) in (0..).zip(&cast.members).zip(&prices.nodes) {
        if member.kind == Kind::Clients {
            continue;
        }
        let share = share(world.processes.get(n), world.shared.now);
        match items.last_mut() {
            Some((item, count, ran)) if item.name == member.group => {
                item.per_hour += price * share;
                *count += 1;
                *ran += share;
            }
            _ => {
                let (name, amount) = (member.group.clone(), String::new());
                items.push((Item { name, amount, per_hour: price * share }, 1, share));
            }
        }
    }
    let said = |(item, count, ran): (Item, u32, f64)| {
        let amount = match count {
            1 => "1 node".to_owned(),
            _ if ran < f64::from(count) - 0.05 => format!("{ran:.1} of {count} replicas"),
            _ => format!("{count} replicas"),
        };
        Item { amount, ..item }
    };
    items.into_iter().map(said).collect()
}

fn traffic(world: &World<Role>, cast: &Cast, prices: &Prices) -> Vec<Item> {
    let hours = world.shared.now.as_secs() / 3_600.0;
    if cast.domains.all.is_empty() || hours <= 0.0 {
        return Vec::new();
    }
    let mut sent = [0u64; DISTANCES.len()];
    for link in &world.shared.network.links {
        let distance = cast.domains.distance(link.source, link.target);
        // What comes in from outside is free everywhere.
        let inbound = cast.domains.of.get(link.source.index()).is_some_and(Option::is_none);
        if !(inbound && distance == Distance::Outside) {
            sent[distance as usize] += link.sent;
        }
    }
    let item = |distance: Distance| {
        let gigabytes = sent[distance as usize] as f64 * prices.message / hours;
        let per_hour = gigabytes * prices.gigabyte[distance as usize];
        let amount = format!("{gigabytes:.2} GB an hour");
        Item { name: format!("messages {}", distance.words()), amount, per_hour }
    };
    DISTANCES.into_iter().map(item).filter(|item| item.per_hour > 0.0).collect()
}
