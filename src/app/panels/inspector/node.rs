//! A node: how it is, how full, how its breakers are, what it reports of itself.

use super::{Actions, span};
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::panels::parts::Rows;
use crate::app::state::{Lab, Selection};
use crate::app::views::scale;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::observe::frame::{BreakerView, Condition, Crowd, Duty, Gauge, Kind, NodeView};
use leptos::prelude::*;

/// The card of a node.
pub fn NodeCard(
    // Which.
    id: NodeId,
) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let node = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| f.nodes.get(id.index()).cloned())
    });
    let rows = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_session(|s| s.node_details(id))
    });
    let read = move |pick: fn(&NodeView) -> String| {
        node.with(|n| n.as_ref().map(pick)).unwrap_or_default()
    };
    let condition = Memo::new(move |_| {
        lab.slow_tick.track();
        let now = lab.with_frame(|f| f.at);
        node.with(|n| n.as_ref().map(|n| condition_words(n, now)))
    });
    let queue = Memo::new(move |_| node.with(|n| n.as_ref().and_then(|n| n.queue)));
    let workers = Memo::new(move |_| node.with(|n| n.as_ref().and_then(|n| n.workers)));
    let crowd = Memo::new(move |_| node.with(|n| n.as_ref().and_then(|n| n.crowd.clone())));
    let breakers = Memo::new(move |_| {
        node.with(|n| n.as_ref().map(|n| n.breakers.clone()).unwrap_or_default())
    });
    (
        html("header")
            .class("inspector-head")
            .child(html("h3").child(move || read(|n| n.name.clone())))
            .child(
                html("span")
                    .class("inspector-kind")
                    .child(move || read(|n| kind_word(n.kind).to_owned())),
            )
            .child(
                html("span")
                    .class(move || condition.get().map_or("plaque", |c| c.0))
                    .child(move || condition.get().map(|c| c.1)),
            ),
        html("p").class("inspector-line").child(move || read(|n| n.line.clone())),
        Actions(Selection::Node(id)),
        GaugeBar("Queue", queue.into()),
        GaugeBar("Workers busy", workers.into()),
        move || crowd.get().map(CrowdBar),
        move || breakers.get().into_iter().map(Breaker).collect::<View>(),
        Rows(rows.into()),
    )
}

/// How full something is, in words and as a bar.
fn GaugeBar(name: &'static str, gauge: Signal<Option<Gauge>>) -> impl Into<View> {
    let bounded = move || gauge.get().filter(|g| g.limit < u32::MAX);
    let said = move || {
        gauge.get().map(|g| match g.limit {
            u32::MAX => g.level.to_string(),
            limit => format!("{} of {limit}", g.level),
        })
    };
    let part =
        move || bounded().map_or(0.0, |g| f64::from(g.level) / f64::from(g.limit.max(1)) * 100.0);
    let full = move || part() >= 100.0;
    show(
        move || gauge.get().is_some(),
        move || {
            html("div")
                .class("gauge")
                .class_when("gauge-full", full)
                .child(html("span").class("gauge-name").child(name))
                .child(html("span").class("gauge-said").child(said))
                .child(html("span").class("gauge-bar").attr("aria-hidden", "true").child(
                    html("span").attr("style", move || format!("width: {:.1}%", part().min(100.0))),
                ))
        },
    )
}

/// How the clients of a population are.
fn CrowdBar(crowd: Crowd) -> impl Into<View> {
    const WORDS: [(&str, &str); 7] = [
        ("idle", "--line"),
        ("waiting", "--accent"),
        ("retrying", "--retry"),
        ("backing off", "--probe"),
        ("served", "--ok"),
        ("degraded", "--degraded"),
        ("failed", "--bad"),
    ];
    let parts = WORDS.into_iter().zip(crowd.counts).filter(|(_, count)| *count > 0);
    let part = |((_, colour), count): ((&str, &'static str), u32)| {
        html("span").attr("style", format!("flex-grow: {count}; background: var({colour})"))
    };
    let word = |((word, colour), count): ((&'static str, &'static str), u32)| {
        let key = format!("background: var({colour})");
        html("li")
            .child(html("span").class("mix-key").attr("style", key))
            .child(word)
            .child(" ")
            .child(html("b").child(count))
    };
    html("div")
        .class("mix")
        .child(
            html("p")
                .class("gauge-name")
                .child(scale::short(f64::from(crowd.clients)))
                .child(" clients"),
        )
        .child(
            html("div")
                .class("mix-bar")
                .attr("aria-hidden", "true")
                .child(parts.clone().map(part).collect::<View>()),
        )
        .child(html("ul").class("mix-words").child(parts.map(word).collect::<View>()))
}

/// A breaker (or the breakers of many clients) towards one target, in words.
fn Breaker(breaker: BreakerView) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let all = breaker.closed + breaker.open + breaker.half_open;
    let (class, shape) = match (breaker.open, breaker.half_open) {
        (0, 0) => ("plaque plaque-ok", "—"),
        (0, _) => ("plaque plaque-warn", "~"),
        _ => ("plaque plaque-bad", "/"),
    };
    let state = match (all, breaker.open, breaker.half_open) {
        (_, 0, 0) => "closed".to_owned(),
        (1, 1, _) => "open".to_owned(),
        (1, _, 1) => "half-open: probing".to_owned(),
        (_, open, half) => format!("{open} of {all} open, {half} half-open"),
    };
    let probe = breaker.probe_at;
    let wait = move || {
        lab.slow_tick.track();
        let now = lab.with_frame(|f| f.at);
        probe.filter(|at| *at > now).map(|at| format!("next probe in {}", span(at.since(now))))
    };
    html("div")
        .class("breaker-row")
        .child(
            html("span")
                .class(class)
                .child(html("span").attr("aria-hidden", "true").child(shape).child(" "))
                .child(state),
        )
        .child(html("span").child(format!("breaker to {}", breaker.target)))
        .child(html("span").class("breaker-wait").child(wait))
}

/// How a node is, as the class of a chip and words: `✕ down 3.1 s`. A replica that a fleet has not
/// asked to serve is not simply up.
pub fn condition_words(node: &NodeView, now: Time) -> (&'static str, String) {
    let since = now.since(node.since);
    let duty = node.duty.map(|(duty, _)| duty).filter(|duty| *duty != Duty::Serving);
    match node.condition {
        Condition::Up => match duty {
            Some(duty) => ("plaque", duty.word().to_owned()),
            None => ("plaque plaque-ok", "✓ up".to_owned()),
        },
        Condition::Slow(k) => {
            ("plaque plaque-warn", format!("◷ {}× slower", scale::short(f64::from(k) / 1e3)))
        }
        Condition::Paused => ("plaque plaque-warn", format!("❚❚ paused {}", span(since))),
        Condition::Down => ("plaque plaque-bad", format!("✕ down {}", span(since))),
    }
}

/// What a kind of node is called.
pub fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Clients => "clients",
        Kind::Balancer => "load balancer",
        Kind::Names => "name server",
        Kind::Broker => "message broker",
        Kind::Service => "service",
        Kind::Cache => "cache",
        Kind::Store => "store",
        Kind::Backup => "backup",
        Kind::Fleet => "fleet",
    }
}
