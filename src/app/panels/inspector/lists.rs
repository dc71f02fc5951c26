//! Everything there is, as lists: nodes, links, and the requests that failed, each with its way to
//! the explanation. What can be reached on the stage can be reached from here by keyboard.

use super::node::{condition_words, kind_word};
use crate::app::panels::parts::{Instant, ToneMark, reading_pace};
use crate::app::state::{Lab, Selection};
use crate::observe::frame::LinkView;
use leptos::prelude::*;

/// The lists.
#[component]
pub fn Overview() -> impl IntoView {
    view! {
        <Failures />
        <Nodes />
        <Links />
    }
}

/// Recent failed intents, each with the question it raises.
#[component]
fn Failures() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let failures = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| s.recent_failures()).into_iter().take(6).collect::<Vec<_>>()
    });
    view! {
        <section class="list">
            <h3>"What went wrong lately"</h3>
            <ul>
                <For
                    each=move || failures.get()
                    key=|(intent, line)| (*intent, line.seq)
                    let((intent, line))
                >
                    <li class="failure">
                        <Instant at=line.at />
                        <ToneMark tone=line.tone />
                        <span>{line.text.clone()}</span>
                        <button
                            type="button"
                            class="button button-small"
                            aria-label=format!("Why? {}", line.text)
                            on:click=move |_| lab.selected.set(Selection::Intent(intent))
                        >
                            "Why?"
                        </button>
                    </li>
                </For>
            </ul>
            <Show when=move || failures.with(Vec::is_empty)>
                <p class="empty">"Nothing has failed so far."</p>
            </Show>
        </section>
    }
}

#[component]
fn Nodes() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let count = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| {
            f.nodes.iter().map(|n| (n.id, n.name.clone(), n.kind)).collect::<Vec<_>>()
        })
    });
    view! {
        <section class="list">
            <h3>"Nodes"</h3>
            <ul>
                <For each=move || count.get() key=|n| (n.0, n.1.clone()) let((id, name, kind))>
                    <li>
                        <button
                            type="button"
                            class="entry"
                            on:click=move |_| lab.selected.set(Selection::Node(id))
                        >
                            <span class="entry-name">{name}</span>
                            <span class="entry-kind">{kind_word(kind)}</span>
                            {move || {
                                lab.slow_tick.track();
                                let (class, said, line) = lab.with_frame(|f| {
                                    let node = f.nodes.get(id.index())?;
                                    let (class, said) =
                                        condition_words(node.condition, f.at.since(node.since));
                                    Some((class, said, node.line.clone()))
                                })?;
                                Some(view! {
                                    <span class=class>{said}</span>
                                    <span class="entry-line">{line}</span>
                                })
                            }}
                        </button>
                    </li>
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Links() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let links = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| f.links.iter().map(|l| (l.id, link_words(l))).collect::<Vec<_>>())
    });
    let name = move |id| {
        let ends = lab.link_ends(id);
        ends.map(|(a, b)| format!("{} → {}", lab.node_name(a), lab.node_name(b)))
    };
    view! {
        <details class="list">
            <summary>"Links"</summary>
            <ul>
                <For each=move || links.get() key=|l| *l let((id, (class, said)))>
                    <li>
                        <button
                            type="button"
                            class="entry"
                            on:click=move |_| lab.selected.set(Selection::Link(id))
                        >
                            <span class="entry-name">{name(id)}</span>
                            <span class=class>{said}</span>
                        </button>
                    </li>
                </For>
            </ul>
        </details>
    }
}

fn link_words(link: &LinkView) -> (&'static str, &'static str) {
    match link {
        LinkView { cut: true, .. } => ("plaque plaque-bad", "✕ cut"),
        l if l.loss_ppm > 0 => ("plaque plaque-warn", "∴ lossy"),
        l if l.slow.0 > 0 => ("plaque plaque-warn", "◷ slow"),
        _ => ("plaque plaque-ok", "✓ ok"),
    }
}
