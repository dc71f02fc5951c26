//! A node: how it is, how full, how its breakers are, what it reports of itself.

use super::{Actions, span};
use crate::app::panels::parts::Rows;
use crate::app::state::{Lab, Selection};
use crate::app::views::scale;
use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::observe::frame::{BreakerView, Condition, Crowd, Gauge, Kind, NodeView};
use leptos::prelude::*;

/// The card of a node.
#[component]
pub fn NodeCard(
    /// Which.
    id: NodeId,
) -> impl IntoView {
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
        node.with(|n| n.as_ref().map(|n| condition_words(n.condition, now.since(n.since))))
    });
    let queue = Memo::new(move |_| node.with(|n| n.as_ref().and_then(|n| n.queue)));
    let workers = Memo::new(move |_| node.with(|n| n.as_ref().and_then(|n| n.workers)));
    let crowd = Memo::new(move |_| node.with(|n| n.as_ref().and_then(|n| n.crowd.clone())));
    let breakers = Memo::new(move |_| {
        node.with(|n| n.as_ref().map(|n| n.breakers.clone()).unwrap_or_default())
    });
    view! {
        <header class="inspector-head">
            <h3>{move || read(|n| n.name.clone())}</h3>
            <span class="inspector-kind">{move || read(|n| kind_word(n.kind).to_owned())}</span>
            <span class=move || condition.get().map_or("plaque", |c| c.0)>
                {move || condition.get().map(|c| c.1)}
            </span>
        </header>
        <p class="inspector-line">{move || read(|n| n.line.clone())}</p>
        <Actions of=Selection::Node(id) />
        <GaugeBar name="Queue" gauge=queue />
        <GaugeBar name="Workers busy" gauge=workers />
        {move || crowd.get().map(|crowd| view! { <CrowdBar crowd=crowd /> })}
        {move || breakers.get().into_iter().map(|b| view! { <Breaker breaker=b /> }).collect_view()}
        <Rows rows=rows />
    }
}

/// How full something is, in words and as a bar.
#[component]
fn GaugeBar(name: &'static str, #[prop(into)] gauge: Signal<Option<Gauge>>) -> impl IntoView {
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
    view! {
        <Show when=move || gauge.get().is_some()>
            <div class="gauge" class:gauge-full=full>
                <span class="gauge-name">{name}</span>
                <span class="gauge-said">{said}</span>
                <span class="gauge-bar" aria-hidden="true">
                    <span style=move || format!("width: {:.1}%", part().min(100.0))></span>
                </span>
            </div>
        </Show>
    }
}

/// How the clients of a population are.
#[component]
fn CrowdBar(crowd: Crowd) -> impl IntoView {
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
        view! { <span style=format!("flex-grow: {count}; background: var({colour})")></span> }
    };
    let word = |((word, colour), count): ((&'static str, &'static str), u32)| {
        let key = format!("background: var({colour})");
        view! { <li><span class="mix-key" style=key></span>{word}" "<b>{count}</b></li> }
    };
    view! {
        <div class="mix">
            <p class="gauge-name">{scale::short(f64::from(crowd.clients))}" clients"</p>
            <div class="mix-bar" aria-hidden="true">{parts.clone().map(part).collect_view()}</div>
            <ul class="mix-words">{parts.map(word).collect_view()}</ul>
        </div>
    }
}

/// A breaker (or the breakers of many clients) towards one target, in words.
#[component]
fn Breaker(breaker: BreakerView) -> impl IntoView {
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
    view! {
        <div class="breaker-row">
            <span class=class><span aria-hidden="true">{shape}" "</span>{state}</span>
            <span>{format!("breaker to {}", breaker.target)}</span>
            <span class="breaker-wait">{wait}</span>
        </div>
    }
}

/// A condition as the class of a chip and words: `▼ down 3.1 s`.
pub fn condition_words(condition: Condition, since: Span) -> (&'static str, String) {
    match condition {
        Condition::Up => ("plaque plaque-ok", "✓ up".to_owned()),
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
        Kind::Service => "service",
        Kind::Store => "store",
    }
}
