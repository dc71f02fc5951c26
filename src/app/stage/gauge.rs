//! How full a node is: waiting requests as slots that fill, workers as dots.

use crate::observe::frame::Gauge;
use leptos::prelude::*;

/// The most slots and dots drawn one by one; above it they become a bar.
const SLOTS_MAX: u32 = 30;
const DOTS_MAX: u32 = 12;

fn share(gauge: Option<Gauge>) -> f64 {
    let Some(Gauge { level, limit }) = gauge else { return 0.0 };
    let level = f64::from(level);
    if limit == u32::MAX {
        // Without a limit the bar gets longer ever more slowly.
        level / (level + 30.0)
    } else {
        (level / f64::from(limit.max(1))).min(1.0)
    }
}

fn heat(gauge: Option<Gauge>) -> &'static str {
    match share(gauge) {
        s if s >= 0.999 => "full",
        s if s >= 0.6 => "high",
        _ => "calm",
    }
}

/// The queue: slots from left to right.
#[component]
pub fn Slots(
    queue: Memo<Option<Gauge>>,
    left: f64,
    width: f64,
    y: f64,
    height: f64,
) -> impl IntoView {
    let limit = queue.with_untracked(|q| q.map_or(0, |q| q.limit));
    let slots = (limit > 1 && limit <= SLOTS_MAX).then(|| width / f64::from(limit));
    let level = move || format!("{:.1}", width * share(queue.get()));
    let right = left + width;
    let middle = y + height / 2.0;
    view! {
        <g class=move || format!("queue {}", heat(queue.get()))>
            <rect class="track" x=left y=y width=width height=height rx="2" />
            <rect class="level" x=left y=y width=level height=height rx="2" />
            {slots
                .map(|slot| {
                    view! {
                        <path
                            class="slots"
                            d=format!("M{:.2} {middle}H{:.2}", left + slot - 0.75, right - slot / 2.0)
                            stroke-width=height + 1.0
                            stroke-dasharray=format!("1.5 {:.3}", slot - 1.5)
                        />
                    }
                })}
        </g>
    }
}

/// The workers: a dot each, filled when busy.
#[component]
pub fn Workers(
    workers: Memo<Option<Gauge>>,
    left: f64,
    width: f64,
    y: f64,
    scale: f64,
) -> impl IntoView {
    let all = workers.with_untracked(|w| w.map_or(0, |w| w.limit));
    let size = 7.0 * scale;
    if all > DOTS_MAX {
        let level = move || format!("{:.1}", width * share(workers.get()));
        return view! {
            <g class="workers">
                <rect class="track" x=left y=y - 2.0 width=width height="4" rx="2" />
                <rect class="busy-bar" x=left y=y - 2.0 width=level height="4" rx="2" />
            </g>
        }
        .into_any();
    }
    let dots = (0..all)
        .map(|n| {
            let busy = move || workers.get().is_some_and(|w| n < w.level);
            let x = left + size / 2.0 + f64::from(n) * (size + 3.0 * scale);
            view! { <circle class="worker" class:busy=busy cx=x cy=y r=size / 2.0 /> }
        })
        .collect_view();
    view! { <g class="workers">{dots}</g> }.into_any()
}
