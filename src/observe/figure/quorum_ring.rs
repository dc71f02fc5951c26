//! The replicas of a store without a leader on their ring, and an item on it: which of them are
//! its homes, and who of these has what.

use super::{Figure, Pen, around};
use crate::observe::cast::Cast;
use crate::observe::copies::{self, Copies, Holder};
use crate::protocol::Role;
use crate::sim::world::World;

const SIZE: (f64, f64) = (440.0, 216.0);
const MIDDLE: (f64, f64) = (220.0, 108.0);
const RADIUS: f64 = 76.0;

/// A ring for each store whose items have been changed.
pub(super) fn figures(world: &World<Role>, cast: &Cast) -> Vec<Figure> {
    let stores = copies::stores(world, cast);
    stores.iter().filter_map(|store| store.focus.map(|item| figure(store, item))).collect()
}

fn figure(store: &Copies, item: u32) -> Figure {
    let Copies { copies, read, write, .. } = store;
    let column = store.items.iter().position(|shown| *shown == item).unwrap_or(0);
    let held = |holder: &Holder| holder.values.get(column).copied().flatten();
    let homes = store.replicas.iter().filter_map(held);
    let (all, behind) = homes.fold((0, 0), |(all, n), h| (all + 1, n + u32::from(h.behind)));
    let says = match behind {
        0 => format!("All {all} homes of item {item} have its newest value."),
        n => format!("{n} of the {all} homes of item {item} have not its newest value."),
    };
    let row = |holder: &Holder| {
        let what = held(holder).map_or("is no home of it".to_owned(), |h| {
            let behind = if h.behind { ", not the newest" } else { "" };
            format!("has {}{behind}", h.words())
        });
        let hints = match holder.hints {
            0 => String::new(),
            n => format!(", keeps {n} for others"),
        };
        let down = if holder.down { ", down" } else { "" };
        format!("{} {what}{hints}{down}", holder.name)
    };
    Figure {
        title: format!("The ring of {}", store.name),
        svg: draw(store, column, item, &says),
        says: format!(
            "{says} A read waits for {read} of {copies}, a write for {write}; any two such meet \
             {}.",
            if read + write > *copies { "in a home" } else { "only by luck" }
        ),
        key: "Filled: a home that has the newest value. Hollow: a home that lacks it. Small: no \
              home of this item. Crossed: down. The thick arc: its homes, the first clockwise.",
        rows: store.replicas.iter().map(row).collect(),
        wide: false,
    }
}

fn draw(store: &Copies, column: usize, item: u32, says: &str) -> String {
    let count = store.replicas.len().max(1);
    let turn = |n: usize| n as f64 / count as f64;
    let is_home = |n: usize| {
        let holder = &store.replicas[n % count];
        holder.values.get(column).copied().flatten().is_some()
    };
    let mut pen = Pen::new(SIZE, says);
    pen.circle("fig-ring", MIDDLE, RADIUS);
    // From each home to the next: neighbours on the ring.
    let arcs = (0..count).filter(|n| is_home(*n) && is_home(n + 1)).map(|n| {
        let (from, to) = (around(MIDDLE, RADIUS, turn(n)), around(MIDDLE, RADIUS, turn(n + 1)));
        let far = u8::from(count < 2);
        format!("M{:.1} {:.1}A{RADIUS} {RADIUS} 0 {far} 1 {:.1} {:.1}", from.0, from.1, to.0, to.1)
    });
    pen.path("fig-homes", &arcs.collect::<String>());
    for (n, holder) in store.replicas.iter().enumerate() {
        draw_replica(&mut pen, holder, column, turn(n));
    }
    pen.text("fig-strong", "middle", (MIDDLE.0, MIDDLE.1 - 4.0), &format!("item {item}"));
    let needs = format!("R {} · W {} of {}", store.read, store.write, store.copies);
    pen.text("fig-soft", "middle", (MIDDLE.0, MIDDLE.1 + 14.0), &needs);
    pen.done()
}

fn draw_replica(pen: &mut Pen, holder: &Holder, column: usize, turn: f64) {
    let place = around(MIDDLE, RADIUS, turn);
    let (held, name) = (holder.values.get(column).copied().flatten(), &holder.name);
    let (class, radius) = match held {
        None => ("fig-away", 5.0),
        Some(held) if held.behind => ("fig-behind", 10.0),
        Some(_) => ("fig-newest", 10.0),
    };
    pen.circle(class, place, radius);
    if holder.down {
        let (x, y, r) = (place.0, place.1, radius + 3.0);
        let cross = format!(
            "M{:.1} {:.1}L{:.1} {:.1}M{:.1} {:.1}L{:.1} {:.1}",
            x - r,
            y - r,
            x + r,
            y + r,
            x - r,
            y + r,
            x + r,
            y - r
        );
        pen.path("fig-down", &cross);
    }
    let at = around(MIDDLE, RADIUS + 20.0, turn);
    let anchor = match at.0 - MIDDLE.0 {
        dx if dx > 8.0 => "start",
        dx if dx < -8.0 => "end",
        _ => "middle",
    };
    let value = held.map_or(String::new(), |held| format!(": {}", held.words()));
    let hints = if holder.hints > 0 { format!(" (+{} kept)", holder.hints) } else { String::new() };
    pen.text("fig-name", anchor, (at.0, at.1 + 4.0), &format!("{name}{value}{hints}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::copies::Held;

    #[test]
    fn homes_are_told_from_others_and_the_newest_from_the_rest() {
        let replica = |name: &str, held: Option<bool>| Holder {
            name: name.to_owned(),
            down: held.is_none(),
            hints: 2,
            values: vec![held.map(|behind| Held {
                value: 9,
                is_set: false,
                beside: 0,
                behind,
                age: None,
            })],
        };
        let store = Copies {
            name: "db".to_owned(),
            items: vec![7],
            differ: 1,
            focus: Some(7),
            copies: 2,
            read: 1,
            write: 1,
            replicas: vec![
                replica("db-1", Some(false)),
                replica("db-2", Some(true)),
                replica("db-3", None),
            ],
        };
        let figure = figure(&store, 7);
        assert_eq!(
            figure.says,
            "1 of the 2 homes of item 7 have not its newest value. A read waits for 1 of 2, a \
             write for 1; any two such meet only by luck."
        );
        assert_eq!(figure.rows[1], "db-2 has 9 ≠, not the newest, keeps 2 for others");
        assert_eq!(figure.rows[2], "db-3 is no home of it, keeps 2 for others, down");
        for (class, times) in [("fig-newest", 1), ("fig-behind", 1), ("fig-away", 1), ("A76", 1)] {
            assert_eq!(figure.svg.matches(class).count(), times, "{class}");
        }
    }
}
