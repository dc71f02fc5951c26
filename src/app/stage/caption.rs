//! What is going on, in a sentence: the active faults, and the last thing worth knowing.

use crate::app::state::Lab;
use leptos::prelude::*;

/// The caption above the stage.
#[component]
pub fn Caption() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let faults = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| f.faults.iter().map(|f| f.sentence.clone()).collect::<Vec<_>>())
    });
    let last = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_session(|s| s.log(1)).pop().map(|l| (l.at, l.tone, l.text))
    });
    let chips = move || {
        let faults = faults.get();
        let more = faults.len().saturating_sub(2);
        let chip = |text: String| view! { <li class="chip">{text}</li> };
        let rest = (more > 0).then(|| view! { <li class="chip">{format!("and {more} more")}</li> });
        view! { {faults.into_iter().take(2).map(chip).collect_view()} {rest} }
    };
    let sentence = move || {
        last.get().map(|(at, tone, text)| {
            view! {
                <p class=format!("said {}", format!("{tone:?}").to_lowercase())>
                    <time>{format!("{:.1} s", at.as_secs())}</time>
                    " "
                    {text}
                </p>
            }
        })
    };
    view! {
        <div class="caption">
            {sentence}
            <ul class="chips" aria-label="Active faults">{chips}</ul>
        </div>
    }
}
