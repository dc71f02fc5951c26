//! What came of a run: the bet that was placed on it, and what its checks say at its end.

use super::facts;
use super::tells::{Told, clock};
use crate::app::state::Lab;
use crate::scenario::presets;
use crate::session::Session;
use crate::session::facts::{self as run, object, put};
use crate::session::share::LinkOptions;
use leptos::prelude::*;
use serde_json::Value;

/// The bet, and whether it is right once the run has shown it.
fn placed(lab: Lab, session: &Session) -> Option<(usize, Option<bool>)> {
    let choice = lab.bet.get_untracked()?;
    let preset = session.preset().and_then(presets::find)?;
    let over = session.newest() >= session.end();
    Some((choice, over.then_some(choice == preset.question.answer as usize)))
}

/// The bet, when it is placed and when it is known how it ended.
pub fn bet(lab: Lab, session: &Session, told: &mut Told) -> Vec<Value> {
    let now = placed(lab, session);
    if now == told.bet {
        return Vec::new();
    }
    told.bet = now;
    let Some((choice, correct)) = now else { return Vec::new() };
    let preset = session.preset().and_then(presets::find);
    let text = preset.and_then(|preset| preset.question.choices.get(choice));
    vec![object(vec![
        ("choice", choice.into()),
        ("text", text.map(String::as_str).into()),
        ("correct", correct.into()),
    ])]
}

/// What came of the run, whenever it is at its end in another way.
pub fn result(lab: Lab, session: &Session, told: &mut Told) -> Vec<Value> {
    if session.goal().is_some() || session.now() < session.end() {
        return Vec::new();
    }
    let bet = placed(lab, session);
    let mut now = run::result(session);
    let complete = bet.is_some() || lab.preset.with_untracked(Option::is_none);
    let say = |(choice, correct): (usize, Option<bool>)| {
        object(vec![("choice", choice.into()), ("correct", correct.into())])
    };
    put(&mut now, "complete", complete.into());
    put(&mut now, "bet", bet.map(say).into());
    put(&mut now, "launched", (told.launched == Some(run::subject(session))).into());
    // Another run may end alike; how one is looked at is no other way to end.
    put(&mut now, "url", session.link(LinkOptions::default()).into());
    if now == told.result {
        return Vec::new();
    }
    told.result = now.clone();
    put(&mut now, "url", facts::url(lab));
    put(&mut now, "ms", clock().round().into());
    vec![now]
}
