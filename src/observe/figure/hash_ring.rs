//! The ring on which keys are dealt out to shards (Karger et al. 1997), and how warm each part is.

use super::{Figure, Pen, around};
use crate::base::id::NodeId;
use crate::observe::cast::Cast;
use crate::observe::shards::{Sharding, says, sharding};
use crate::protocol::Role;
use crate::protocol::router::map::{Arc, Placement};
use crate::sim::world::World;

const SIZE: (f64, f64) = (440.0, 240.0);
const MIDDLE: (f64, f64) = (120.0, 120.0);
/// Where an arc begins, from the middle, and how much farther the hottest goes.
const INNER: f64 = 60.0;
const COLD: f64 = 8.0;
const HEAT: f64 = 44.0;
/// Shards that are told apart by their looks; others share them.
const LOOKS: usize = 6;

/// A ring for each router that deals keys out on one.
pub(super) fn figures(world: &World<Role>, cast: &Cast) -> Vec<Figure> {
    let nodes = (0..).map(NodeId).zip(&world.processes);
    let rings = nodes.filter_map(|(node, role)| match role {
        Role::Router(router) => {
            let map = &router.book.map;
            let on_a_ring = matches!(map.placement, Placement::Ring { .. });
            let shards = || sharding(world, cast, cast.name(node), router);
            on_a_ring.then(|| figure(&shards(), &map.arcs()))
        }
        _ => None,
    });
    rings.collect()
}

fn figure(sharding: &Sharding, arcs: &[Arc]) -> Figure {
    let shards = &sharding.shards;
    // Warm is what gets more requests than its part of the keys.
    let warmth = |keys: u32, requests: u32| f64::from(requests) / f64::from(keys.max(1));
    let hottest = shards.iter().max_by(|a, b| {
        let [a, b] = [a, b].map(|s| warmth(s.keys.1, s.requests.1));
        a.total_cmp(&b)
    });
    let hot = hottest.filter(|s| s.requests.0 > 0);
    let told = match hot {
        Some(s) => format!(
            "{} is the warmest: {:.1} times the requests that its part of the keys would have.",
            s.name,
            warmth(s.keys.1, s.requests.1)
        ),
        None => "Nothing was asked for in the last second.".to_owned(),
    };
    let heats: Vec<f64> = shards.iter().map(|s| warmth(s.keys.1, s.requests.1)).collect();
    Figure {
        title: format!("The ring of {}", sharding.name),
        svg: draw(sharding, arcs, &heats, &told),
        says: told,
        key: "The ring is the space of hashes, each arc the shard that has its keys. The farther \
              it reaches outward, the more requests for its part of the keys.",
        rows: shards.iter().map(|s| format!("{}: {}", s.name, says(s))).collect(),
        wide: false,
    }
}

fn draw(sharding: &Sharding, arcs: &[Arc], heats: &[f64], title: &str) -> String {
    let hottest = heats.iter().copied().fold(1.0, f64::max);
    let mut pen = Pen::new(SIZE, title);
    pen.circle("fig-ring", MIDDLE, INNER);
    for (n, shard) in sharding.shards.iter().enumerate() {
        let heat = heats.get(n).copied().unwrap_or(0.0) / hottest;
        let outer = INNER + COLD + HEAT * heat;
        let own = arcs.iter().filter(|arc| arc.shard as usize == n);
        let sectors: String = own.map(|arc| sector(arc, outer)).collect();
        let class = format!("fig-shard fig-shard-{}", n % LOOKS);
        pen.path(&class, &sectors);
        let y = 26.0 + n as f64 * 18.0;
        if y < SIZE.1 {
            pen.path(&class, &format!("M252 {}h10v10h-10z", y - 9.0));
            pen.text("fig-name", "start", (268.0, y), &format!("{}: {heat:.2}", shard.name));
        }
    }
    pen.text("fig-soft", "start", (252.0, 10.0), "requests for its keys, hottest = 1");
    pen.text("fig-soft", "middle", (MIDDLE.0, MIDDLE.1 + 4.0), &format!("{} arcs", arcs.len()));
    pen.done()
}

/// A piece of the ring, from the inside to `outer`.
fn sector(arc: &Arc, outer: f64) -> String {
    let [a, b] = [arc.from, arc.until].map(|turn| around(MIDDLE, INNER, turn));
    let [c, d] = [arc.until, arc.from].map(|turn| around(MIDDLE, outer, turn));
    let far = u8::from(arc.until - arc.from > 0.5);
    format!(
        "M{:.1} {:.1}A{INNER} {INNER} 0 {far} 1 {:.1} {:.1}L{:.1} {:.1}A{outer:.0} {outer:.0} 0 \
         {far} 0 {:.1} {:.1}z",
        a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;
    use crate::observe::shards::Shard;

    #[test]
    fn the_warmest_part_reaches_out_the_farthest() {
        let shard = |name: &str, keys, requests| Shard {
            name: name.to_owned(),
            keys: (keys, keys),
            requests: (requests, requests),
            sent: 0,
            queue: 0,
            locks: 0,
            oldest: Span::ZERO,
        };
        let sharding = Sharding {
            name: "router".to_owned(),
            version: 0,
            to_move: 0,
            waiting: 0,
            transfers: Vec::new(),
            shards: vec![shard("one", 750, 500), shard("two", 250, 500)],
        };
        let arcs =
            [Arc { from: 0.0, until: 0.75, shard: 0 }, Arc { from: 0.75, until: 1.0, shard: 1 }];
        let figure = figure(&sharding, &arcs);
        assert!(figure.says.starts_with("two is the warmest: 2.0 times"), "{}", figure.says);
        let reach = format!("A{:.0} ", INNER + COLD + HEAT);
        assert_eq!(figure.svg.matches(&reach).count(), 1, "{}", figure.svg);
        assert_eq!(figure.rows[0], "one: 75.0 % of keys, 50.0 % of requests");
    }
}
