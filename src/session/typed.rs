//! What a person types instead of pointing: the words of a link, meant for now.
//!
//! ```text
//! typed = pair *( "&" pair ) | act *( "," act ) | "go to" span
//! pair  = "t=" span | "speed=" n | path "=" value      as in links
//! act   = a step of a script without its instant: kill:api-1, cut:a~b, slow:db+5, heal
//! ```

use super::Session;
use super::command::Command;
use super::share;
use crate::base::diagnostics::Diagnostics;
use crate::base::time::{Span, Time};
use crate::scenario::link::script;

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Typed {
    /// Go to this instant.
    pub t: Option<Time>,
    /// Let so many simulated seconds pass in one.
    pub speed: Option<f64>,
    /// Do this, as one deed.
    pub commands: Vec<Command>,
}

/// Whether a text may be meant as words of a link.
pub fn is_meant(text: &str) -> bool {
    text.contains(['=', ':']) || text.trim() == "heal" || went(text).is_some()
}

/// Reads what was typed. Settings are judged when they are made.
///
/// # Errors
/// What means nothing, by its own words.
pub fn read(session: &Session, text: &str) -> Result<Typed, Diagnostics> {
    let (mut typed, mut problems) = (Typed::default(), Diagnostics::default());
    if let Some(at) = went(text) {
        return Ok(Typed { t: Some(at), ..typed });
    }
    let text: String = text.split_whitespace().collect();
    let acts = !text.contains('=');
    for part in text.split(if acts { ',' } else { '&' }).filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("t", at)) => typed.t = span(at, &mut problems),
            Some(("speed", speed)) => {
                typed.speed = speed.parse().ok().filter(|s| (0.001..=1_000.0).contains(s));
                if typed.speed.is_none() {
                    let remedy = "write a number from 0.001 to 1000";
                    problems.error("speed", format!("`{part}` means nothing"), remedy);
                }
            }
            // Commas divide the steps of a script, so a list is written as its arguments are.
            Some((path, value)) => {
                let act = format!("set:{path}+{}", value.replace(',', "+"));
                typed.commands.extend(step(session, &act, &mut problems));
            }
            None => typed.commands.extend(step(session, part, &mut problems)),
        }
    }
    if problems.is_empty() { Ok(typed) } else { Err(problems) }
}

/// `go to 12 s`, or just the instant.
fn went(text: &str) -> Option<Time> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("go").map_or(text.as_str(), str::trim_start);
    let text = text.strip_prefix("to ").unwrap_or(text);
    let Span(at) = text.split_whitespace().collect::<String>().parse().ok()?;
    Some(Time(at))
}

fn span(text: &str, problems: &mut Diagnostics) -> Option<Time> {
    match text.parse() {
        Ok(Span(at)) => Some(Time(at)),
        Err(message) => {
            problems.error("t", message, "write t=12.4s");
            None
        }
    }
}

/// A step of a script, done now.
fn step(session: &Session, act: &str, problems: &mut Diagnostics) -> Vec<Command> {
    let mut found = Diagnostics::default();
    let plan = &session.run().plan;
    let steps = script::read(&format!("{}us:{act}", session.now().0), plan, &mut found);
    // What a link would set aside with a warning is refused here: there is nothing else to do.
    problems.problems.extend(found.problems.into_iter().map(|mut problem| {
        problem.path = act.to_owned();
        problem
    }));
    share::commands(&steps, plan).into_iter().map(|timed| timed.what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::link;

    fn session(fragment: &str) -> Session {
        Session::open(link::open(Some("retry-storm"), fragment).0)
    }

    #[test]
    fn an_instant_can_be_written_in_several_ways() {
        let session = session("");
        for text in ["go to 12 s", "Go to 12s", "go 12s", "12 s", "t=12s", "t = 12s"] {
            assert!(is_meant(text), "{text}");
            let typed = read(&session, text).expect(text);
            assert_eq!(typed, Typed { t: Some(Time(12_000_000)), ..Typed::default() }, "{text}");
        }
        assert!(!is_meant("go to the start") && !is_meant("metastable"));
        assert!(read(&session, "t=soon").is_err());
    }

    #[test]
    fn what_is_typed_does_what_a_link_does() {
        for (typed, script) in [
            ("kill:api-1", "4s:kill:api-1"),
            ("cut:people~api-1, slow:api-2+5", "4s:cut:people~api-1,4s:slow:api-2+5"),
            ("people.retry.attempts=1", "4s:set:people.retry.attempts+1"),
            (
                "people.retry.attempts=1&api.queue=5",
                "4s:set:people.retry.attempts+1,4s:set:api.queue+5",
            ),
        ] {
            let mut by_hand = session("t=4s");
            let wanted = read(&by_hand, typed).expect(typed);
            by_hand.deed(wanted.commands).expect(typed);
            let mut linked = session(&format!("at={script}&t=4s"));
            assert_eq!(by_hand.commands(), linked.commands(), "{typed}");
            let to = Time(9_000_000);
            by_hand.seek(to);
            linked.seek(to);
            assert_eq!(by_hand.digest(), linked.digest(), "{typed}");
        }
    }

    #[test]
    fn what_means_nothing_is_named() {
        let session = session("");
        for text in ["kill:nobody", "speed=fast", "dance:api-1", "12s:kill:api-1"] {
            let problems = read(&session, text).expect_err(text).problems;
            assert_eq!(problems.len(), 1, "{text}");
            assert!(!problems[0].message.is_empty() && !problems[0].remedy.is_empty());
        }
    }
}
