//! The stage as a table: the same nodes and links, the same things to do.

use crate::app::actions::{Action, actions, perform};
use crate::app::dom::html;
use crate::app::dom::view::{IntoView, View};
use crate::app::stage::node::role;
use crate::app::state::{Lab, Selection};
use crate::base::id::{LinkId, NodeId};
use crate::observe::frame::{Condition, Frame, LinkView, NodeView};
use leptos::ev;
use leptos::prelude::*;

#[derive(Clone, PartialEq)]
struct Row {
    selection: Selection,
    cells: Vec<String>,
    actions: Vec<Action>,
}

/// The outline.
pub fn Outline() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let nodes = Memo::new(move |_| {
        lab.slow_tick.track();
        let rows = lab.with_frame(|f| f.nodes.iter().map(node_cells).collect::<Vec<_>>());
        rows.into_iter().map(|(id, cells)| row(lab, Selection::Node(id), cells)).collect::<Vec<_>>()
    });
    let links = Memo::new(move |_| {
        lab.slow_tick.track();
        let rows = lab.with_frame(|f| f.links.iter().map(|l| link_cells(f, l)).collect::<Vec<_>>());
        rows.into_iter().map(|(id, cells)| row(lab, Selection::Link(id), cells)).collect::<Vec<_>>()
    });
    let faults = move || {
        lab.slow_tick.track();
        let list =
            lab.with_frame(|f| f.faults.iter().map(|f| f.sentence.clone()).collect::<Vec<_>>());
        if list.is_empty() {
            html("p").class("quiet").child("Nothing is broken.").into_view()
        } else {
            let item = |text: String| html("li").child(text);
            html("ul").child(list.into_iter().map(item).collect::<View>()).into_view()
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
    html("div")
        .class("outline")
        .child(html("p").child(summary))
        .child(html("h3").child("Nodes"))
        .child(table(lab, ["name", "what", "state", "now"], nodes))
        .child(html("h3").child("Links"))
        .child(table(lab, ["from", "to", "state", "in flight"], links))
        .child(html("h3").child("Faults"))
        .child(faults)
}

fn row(lab: Lab, selection: Selection, cells: Vec<String>) -> Row {
    Row { selection, cells, actions: actions(lab, selection) }
}

fn node_cells(node: &NodeView) -> (NodeId, Vec<String>) {
    let state = match node.condition {
        Condition::Up => node.duty.map_or("up", |(duty, _)| duty.word()).to_owned(),
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

fn table(lab: Lab, heads: [&'static str; 4], rows: Memo<Vec<Row>>) -> impl Into<View> {
    let head = |text| html("th").attr("scope", "col").child(text);
    let indices =
        Memo::new(move |_| rows.with(|r| r.iter().map(|r| r.selection).collect::<Vec<_>>()));
    let line = move |n: usize, selection: Selection| {
        let cells = move || rows.with(|r| r.get(n).map(|r| r.cells.clone()).unwrap_or_default());
        let actions = Memo::new(move |_| {
            rows.with(|r| r.get(n).map(|r| r.actions.clone()).unwrap_or_default())
        });
        let acts = move || actions.get().into_iter().map(|a| act(lab, a)).collect::<View>();
        let choose = move |_| lab.selected.set(selection);
        html("tr")
            .attr("aria-selected", move || (lab.selected.get() == selection).to_string())
            .child(
                (0..4)
                    .map(|c| {
                        let text = move || cells().get(c).cloned();
                        if c == 0 {
                            html("th")
                                .attr("scope", "row")
                                .child(
                                    html("button").class("cell").on(ev::click, choose).child(text),
                                )
                                .into_view()
                        } else {
                            html("td").child(text).into_view()
                        }
                    })
                    .collect::<View>(),
            )
            .child(html("td").class("acts").child(acts))
    };
    html("table")
        .child(html("thead").child(
            html("tr").child(heads.map(head)).child(html("th").attr("scope", "col").child("do")),
        ))
        .child(html("tbody").child(move || {
            indices.get().into_iter().enumerate().map(|(n, s)| line(n, s)).collect::<View>()
        }))
}

fn act(lab: Lab, action: Action) -> impl Into<View> {
    let (label, harm) = (action.label.clone(), action.harm);
    let run = move |_| perform(lab, &action);
    html("button").class("button-small").class_when("harm", harm).on(ev::click, run).child(label)
}
