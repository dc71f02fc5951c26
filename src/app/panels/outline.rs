//! The stage as a table: the same nodes and links, the same things to do.

use crate::app::actions::{Action, link_actions, node_actions, perform};
use crate::app::stage::node::role;
use crate::app::state::{Lab, Selection};
use crate::base::id::{LinkId, NodeId};
use crate::observe::frame::{Condition, Frame, LinkView, NodeView};
use leptos::prelude::*;

#[derive(Clone, PartialEq)]
struct Row {
    selection: Selection,
    cells: Vec<String>,
    actions: Vec<Action>,
}

/// The outline.
#[component]
pub fn Outline() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let nodes = Memo::new(move |_| {
        lab.slow_tick.track();
        let rows = lab.with_frame(|f| f.nodes.iter().map(node_cells).collect::<Vec<_>>());
        let row = |(id, cells)| Row {
            selection: Selection::Node(id),
            cells,
            actions: node_actions(lab, id),
        };
        rows.into_iter().map(row).collect::<Vec<_>>()
    });
    let links = Memo::new(move |_| {
        lab.slow_tick.track();
        let rows = lab.with_frame(|f| f.links.iter().map(|l| link_cells(f, l)).collect::<Vec<_>>());
        let row = |(id, cells)| Row {
            selection: Selection::Link(id),
            cells,
            actions: link_actions(lab, id),
        };
        rows.into_iter().map(row).collect::<Vec<_>>()
    });
    let faults = move || {
        lab.slow_tick.track();
        let list =
            lab.with_frame(|f| f.faults.iter().map(|f| f.sentence.clone()).collect::<Vec<_>>());
        if list.is_empty() {
            view! { <p class="quiet">"Nothing is broken."</p> }.into_any()
        } else {
            let item = |text: String| view! { <li>{text}</li> };
            view! { <ul>{list.into_iter().map(item).collect_view()}</ul> }.into_any()
        }
    };
    let summary = move || {
        lab.slow_tick.track();
        lab.with_frame(|f| {
            format!(
                "At {:.2} s: {} nodes, {} links, {} messages in flight.",
                f.at.as_secs(),
                f.nodes.len(),
                f.links.len(),
                f.packets.total
            )
        })
    };
    view! {
        <div class="outline">
            <p>{summary}</p>
            <h3>"Nodes"</h3>
            {table(lab, ["name", "what", "state", "now"], nodes)}
            <h3>"Links"</h3>
            {table(lab, ["from", "to", "state", "in flight"], links)}
            <h3>"Faults"</h3>
            {faults}
        </div>
    }
}

fn node_cells(node: &NodeView) -> (NodeId, Vec<String>) {
    let state = match node.condition {
        Condition::Up => "up".to_owned(),
        Condition::Slow(n) => format!("{}× slower", f64::from(n) / 1e3),
        Condition::Paused => "paused".to_owned(),
        Condition::Down => "down".to_owned(),
    };
    (node.id, vec![node.name.clone(), role(node.kind).to_owned(), state, node.line.clone()])
}

fn link_cells(frame: &Frame, link: &LinkView) -> (LinkId, Vec<String>) {
    let name = |id: NodeId| frame.nodes.get(id.index()).map(|n| n.name.clone()).unwrap_or_default();
    let mut state = Vec::new();
    if link.cut {
        state.push("cut".to_owned());
    }
    if link.slow.0 > 0 {
        state.push(format!("+{}", link.slow));
    }
    if link.loss_ppm > 0 {
        state.push(format!("{} % lost", f64::from(link.loss_ppm) / 1e4));
    }
    let state = if state.is_empty() { "working".to_owned() } else { state.join(", ") };
    let cells = vec![name(link.source), name(link.target), state, link.in_flight.to_string()];
    (link.id, cells)
}

fn table(lab: Lab, heads: [&'static str; 4], rows: Memo<Vec<Row>>) -> impl IntoView {
    let head = |text| view! { <th scope="col">{text}</th> };
    let indices =
        Memo::new(move |_| rows.with(|r| r.iter().map(|r| r.selection).collect::<Vec<_>>()));
    let line = move |n: usize, selection: Selection| {
        let cells = move || rows.with(|r| r.get(n).map(|r| r.cells.clone()).unwrap_or_default());
        let actions = Memo::new(move |_| {
            rows.with(|r| r.get(n).map(|r| r.actions.clone()).unwrap_or_default())
        });
        let acts = move || actions.get().into_iter().map(|a| act(lab, a)).collect_view();
        let choose = move |_| lab.selected.set(selection);
        view! {
            <tr aria-selected=move || (lab.selected.get() == selection).to_string()>
                {(0..4)
                    .map(|c| {
                        let text = move || cells().get(c).cloned();
                        if c == 0 {
                            view! {
                                <th scope="row">
                                    <button class="cell" on:click=choose>
                                        {text}
                                    </button>
                                </th>
                            }
                            .into_any()
                        } else {
                            view! { <td>{text}</td> }.into_any()
                        }
                    })
                    .collect_view()}
                <td class="acts">{acts}</td>
            </tr>
        }
    };
    view! {
        <table>
            <thead>
                <tr>{heads.map(head).collect_view()} <th scope="col">"do"</th></tr>
            </thead>
            <tbody>
                {move || {
                    indices.get().into_iter().enumerate().map(|(n, s)| line(n, s)).collect_view()
                }}
            </tbody>
        </table>
    }
}

fn act(lab: Lab, action: Action) -> impl IntoView {
    let (label, harm) = (action.label.clone(), action.harm);
    let run = move |_| perform(lab, &action);
    view! {
        <button class="button-small" class:harm=harm on:click=run>
            {label}
        </button>
    }
}
