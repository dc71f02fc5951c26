//! Two runs side by side: the one on stage, A, and the same with one difference, B.

use super::headline::percent;
use super::parts::reading_pace;
use crate::app::chrome;
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::{Lab, Place};
use crate::app::views::scale;
use crate::app::widgets::button::{Button, Look};
use crate::base::time::Time;
use crate::check::{State, Verdict};
use crate::observe::totals::Totals;
use crate::scenario::{link, presets};
use crate::session::Session;
use crate::session::twin::Changes;
use leptos::prelude::*;
use serde_json::Value;

const NOTHING: &str = "B would be the preset as it was, and no setting tells this run from it. \
    Change one, or press Compare at one of the things to try.";

/// Puts a run with these changes beside the one on stage; what is wrong with them is shown.
pub fn compare(lab: Lab, changes: Changes) {
    if !chrome::may_set() {
        lab.refuse();
        return;
    }
    match lab.update_session(|s| s.compare(changes)) {
        Some(Err(problems)) => lab.problems.set(problems),
        _ => lab.announced.set("Two runs are compared: see the charts.".to_owned()),
    }
    lab.told.set("");
    lab.after_change();
}

/// Begins a comparison with the preset as it is, or ends the one there is.
pub fn toggle(lab: Lab) {
    if lab.place.get_untracked() == Place::Embed {
        return;
    }
    if lab.with_session(|s| s.twin().is_some()) {
        if !chrome::may_set() {
            lab.refuse();
            return;
        }
        lab.update_session(Session::stop_comparing);
        return lab.after_change();
    }
    let preset = lab.preset.get_untracked().and_then(|id| presets::find(&id));
    let changes = preset.and_then(|preset| {
        lab.with_session(|s| {
            let mut base = preset.scenario.clone();
            // Another seed is another run, not another setting.
            base.seed = s.scenario().seed;
            base.view = s.scenario().view.clone();
            link::differences(s.scenario(), &base)
        })
    });
    match changes.filter(|changes| !changes.is_empty()) {
        Some(changes) => compare(lab, changes),
        None => lab.told.set(NOTHING),
    }
}

/// What is measured, of A and of B.
type Rows = Vec<(&'static str, String, String)>;
/// A measure of a run, in words.
type Measure = (&'static str, fn(&Totals) -> String);

const MEASURES: [Measure; 7] = [
    ("Answered well", |t| scale::short(t.good() as f64)),
    ("Ended badly or unknown", |t| scale::short((t.ended() - t.good()) as f64)),
    ("Of those that ended, well", |t| share(t.good(), t.ended())),
    ("Attempts per intent", |t| format!("{}×", scale::short(t.amplification))),
    ("p50, p99", |t| format!("{}, {}", scale::millis(t.p50), scale::millis(t.p99))),
    ("Work for nobody", |t| share(t.wasted, t.worked)),
    ("Changes made twice", |t| scale::short(t.double_effects as f64)),
];

fn share(part: u64, of: u64) -> String {
    if of > 0 { percent(part as f64 / of as f64) } else { "–".to_owned() }
}

/// Both runs in numbers, while two are compared.
pub fn Compare() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let on = Memo::new(move |_| {
        lab.opened.track();
        lab.slow_tick.track();
        lab.with_session(|s| s.twin().is_some())
    });
    show(move || on.get(), move || Sides(lab))
}

fn Sides(lab: Lab) -> impl Into<View> {
    let pace = reading_pace(lab);
    // Both sides at one instant, or what was seen last.
    let seen = Memo::new(move |before: Option<&Rows>| {
        pace.get();
        lab.opened.track();
        let now = lab.with_session(|s| s.is_abreast().then(|| rows(s)).flatten());
        now.or_else(|| before.cloned()).unwrap_or_default()
    });
    let said = Memo::new(move |_| {
        lab.opened.track();
        lab.with_session(|s| s.twin().map(|twin| difference(twin.changes()))).unwrap_or_default()
    });
    let apart = Memo::new(move |before: Option<&Option<Time>>| {
        pace.get();
        lab.with_session(|s| if s.is_abreast() { s.apart() } else { before.copied().flatten() })
    });
    let behind = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| {
            let at = s.twin().filter(|_| !s.is_abreast())?.session().now();
            Some(format!("B is on its way: at {}.", scale::clock(at.as_secs())))
        })
    });
    let missing = Memo::new(move |_| {
        pace.get();
        lab.opened.track();
        lab.with_session(|s| s.twin().map(|twin| only_in_a(twin.missing()))).unwrap_or_default()
    });
    let row = |(name, a, b): (&'static str, String, String)| {
        html("tr")
            .class_when("compare-same", a == b)
            .child(html("th").attr("scope", "row").child(name))
            .child(html("td").child(a))
            .child(html("td").child(b))
    };
    let head = |side: &'static str| html("th").attr("scope", "col").child(side);
    html("section")
        .class("compare")
        .attr("aria-label", "Comparison")
        .child(
            html("p")
                .class("compare-said")
                .child(html("b").child("A"))
                .child(" is on stage. ")
                .child(html("b").class("compare-b").child("B"))
                .child(" is the same run with ")
                .child(html("code").child(said))
                .child("; in the charts it is the dashed line."),
        )
        .child(html("p").class("compare-said").attr("role", "status").child(missing))
        .child(
            html("table")
                .class("compare-table")
                .child(
                    html("thead")
                        .child(html("tr").child(head("So far")).child(head("A")).child(head("B"))),
                )
                .child(
                    html("tbody").child(move || seen.get().into_iter().map(row).collect::<View>()),
                ),
        )
        .child(html("p").class("compare-apart").attr("role", "status").child(move || {
            match apart.get() {
                _ if behind.with(Option::is_some) => behind.get().unwrap_or_default(),
                Some(at) => {
                    format!("Message for message the same until {}.", scale::clock(at.as_secs()))
                }
                None => "Message for message the same so far.".to_owned(),
            }
        }))
        .child(Deeds(lab, apart))
}

/// What can be done with a comparison.
fn Deeds(lab: Lab, apart: Memo<Option<Time>>) -> impl Into<View> {
    let go = move || {
        if let Some(at) = apart.get_untracked() {
            lab.seek(at);
        }
    };
    html("div")
        .class("compare-deeds")
        .child(show(
            move || apart.get().is_some(),
            move || Button(Look::Plain, "Go where they part", go),
        ))
        .child(chrome::may_set().then(|| Take(lab)))
}

/// What changes what is compared.
fn Take(lab: Lab) -> impl Into<View> {
    (
        Button(Look::Plain, "Show B alone", move || {
            lab.update_session(Session::take_other_side);
            lab.after_change();
        }),
        Button(Look::Quiet, "Stop comparing", move || toggle(lab)),
    )
}

/// The measures of both sides; nothing without a comparison.
fn rows(session: &Session) -> Option<Rows> {
    let (a, b) = (&session.metrics().totals, &session.twin()?.session().metrics().totals);
    let mut rows: Vec<_> = MEASURES.iter().map(|(name, read)| (*name, read(a), read(b))).collect();
    let other = session.twin()?.session().verdicts();
    let broken =
        |verdicts: &[Verdict]| verdicts.iter().filter(|v| v.state == State::Violated).count();
    let own = session.verdicts();
    rows.push(("Checks that do not hold", broken(&own).to_string(), broken(&other).to_string()));
    Some(rows)
}

/// What is said of nodes that something was done to, and that B does not have.
fn only_in_a(missing: &[String]) -> String {
    let (exist, them) = match missing.len() {
        0 => return String::new(),
        1 => ("does", "it"),
        _ => ("do", "them"),
    };
    let names = missing.join(", ");
    format!("{names} {exist} not exist in B: what was done to {them} was done in A only.")
}

/// Settings in a line.
fn difference(changes: &[(String, Value)]) -> String {
    let one = |(path, value): &(String, Value)| match value {
        Value::String(text) => format!("{path} = {text}"),
        value => format!("{path} = {value}"),
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}
