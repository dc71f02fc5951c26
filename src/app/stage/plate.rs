//! What is written at a node: its name, what it is and how it stands, its condition when it is not
//! well, and a mark when its queue is full.

use super::Scene;
use super::geometry::Spot;
use super::node::{is_box, role};
use crate::app::dom::svg;
use crate::app::dom::view::View;
use crate::base::id::NodeId;
use crate::observe::frame::{ClientState, Condition, Crowd, Duty, Kind};
use crate::observe::picture::rank;
use leptos::prelude::*;

/// The width of a letter under a node, and how far a line may stick out, in pixels.
const LETTER: f64 = 6.2;
const BESIDE: f64 = 24.0;

/// The name under or in a node, and its condition when it is not well.
pub fn Names(
    kind: Kind,
    name: String,
    spot: Memo<Option<Spot>>,
    badge: Memo<Option<(String, bool)>>,
    second: Memo<Option<String>>,
) -> impl Into<View> {
    let half = move || spot.get().map_or(30.0, |s| s.half.1);
    let boxed = is_box(kind);
    let under = move || half() + if boxed { 4.0 } else { 16.0 };
    let scene = expect_context::<Scene>();
    // Under a name that stands outside it needs more room.
    let least = if boxed { 0.6 } else { 0.87 };
    let scale = move || scene.geometry.with(|g| g.scale.clamp(least, 1.0));
    let line = move |text: String| {
        svg("text")
            .class("line")
            .attr("y", move || under() + if boxed { 12.0 } else { 15.0 } * scale())
            .attr("style", move || format!("font-size:{:.1}px", 12.0 * scale().max(0.8)))
            .child(text)
    };
    (
        (!boxed).then(|| svg("text").class("name").attr("y", under).child(name)),
        move || second.get().map(line),
        move || {
            badge.get().map(|(text, small)| {
                // Where there is little room, on the edge: the name stays in sight.
                let (class, size, above) =
                    if small { ("badge small", 0.7, 1.0) } else { ("badge", 0.85, 6.0) };
                let width = text.chars().count() as f64 * 6.6 + 16.0;
                let on_top = move || format!("translate(0 {:.1}) scale({size})", -half() - above);
                svg("g")
                    .class(class)
                    .attr("transform", on_top)
                    .child(
                        svg("rect")
                            .attr("x", -width / 2.0)
                            .attr("y", "-10")
                            .attr("width", width)
                            .attr("height", "20")
                            .attr("rx", "10"),
                    )
                    .child(svg("text").attr("dy", "0.35em").child(text))
            })
        },
    )
}

/// How a crowd or a replica is, or what a store has locked, in a few words; none for other nodes.
pub fn second_line(scene: Scene, id: NodeId) -> Memo<Option<String>> {
    Memo::new(move |_| {
        scene.lab.slow_tick.track();
        scene.lab.with_frame(|f| {
            let node = f.nodes.get(id.index())?;
            let standing = node.replica.as_ref().filter(|_| node.condition != Condition::Down);
            let locks = (node.locks > 0).then(|| format!("{} locked", node.locks));
            let keeps = node.keeps.clone();
            let version = node.duty.filter(|(state, version)| *version > 1 && *state != Duty::Off);
            let version = version.map(|(_, version)| format!("version {version}"));
            let told = node.crowd.as_ref().map(words).or(keeps).or(locks).or(version);
            let half = scene.geometry.with(|g| g.spot(id).map_or(0.0, |s| s.half.0));
            let room = ((2.0 * half + BESIDE) / LETTER) as usize;
            Some(beside_role(node.kind, told.or_else(|| standing.map(rank)), room))
        })
    })
}

/// What a node is, in a word that fits under it.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Balancer => "balancer",
        Kind::Names => "names",
        Kind::Broker => "broker",
        _ => role(kind),
    }
}

/// What a node is, and what is told of it if there is room for both; a crowd tells its role.
fn beside_role(kind: Kind, told: Option<String>, room: usize) -> String {
    match told {
        None => word(kind).to_owned(),
        Some(told) if kind == Kind::Clients => told,
        Some(told) => {
            let both = format!("{} · {told}", word(kind));
            if both.chars().count() <= room { both } else { told }
        }
    }
}

fn words(crowd: &Crowd) -> String {
    let count = |state: ClientState| crowd.counts[state as usize];
    let retrying = count(ClientState::Retrying) + count(ClientState::BackingOff);
    let failed = count(ClientState::Failed);
    let told = [(failed, "failed"), (retrying, "retrying")];
    let worst = told.iter().filter(|t| t.0 > 0).map(|t| format!("{} {}", t.0, t.1));
    let all = std::iter::once(format!("{} clients", crowd.clients));
    all.chain(worst).take(2).collect::<Vec<_>>().join(" · ")
}

/// A full queue: a mark on the corner.
pub fn alarm(spot: Option<Spot>) -> impl Into<View> {
    let (w, h) = spot.map_or((30.0, 30.0), |s| s.half);
    svg("g")
        .class("alarm")
        .attr("transform", format!("translate({:.1} {:.1})", w - 3.0, 3.0 - h))
        .child(svg("circle").attr("r", "9"))
        .child(svg("text").attr("dy", "0.36em").child("!"))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn the_role_stands_beside_what_is_told_where_there_is_room() {
        assert_eq!(beside_role(Kind::Service, None, 0), "service");
        assert_eq!(beside_role(Kind::Store, Some("follows".to_owned()), 20), "store · follows");
        let long = "follows, 1234 to apply";
        assert_eq!(beside_role(Kind::Store, Some(long.to_owned()), 20), long);
        assert_eq!(beside_role(Kind::Clients, Some("200 clients".to_owned()), 40), "200 clients");
    }
}
