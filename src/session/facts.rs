//! What a run says of itself as plain data, for pages and programs that look at it from outside.
//! Times are in simulated seconds; what cannot be measured is null.

use super::Session;
use crate::base::time::{Span, Time};
use crate::check::{State, Verdict};
use crate::observe::line::{Line, Tone};
use crate::observe::totals::Totals;
use crate::scenario::v1::Scenario;
use serde_json::Value;

/// The stretch of time that "now" means.
const WINDOW: Span = Span::secs(2);

/// An object with these fields, in their order.
pub fn object(fields: Vec<(&str, Value)>) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Adds a field to an object.
pub fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

/// Numbers of the last seconds, and under `total` those of the whole run. Rates are per second,
/// latencies in milliseconds, `errors` and `wasted` are shares of one.
pub fn metrics(session: &Session) -> Value {
    let metrics = session.metrics();
    let bin = metrics.series.first().map_or(WINDOW, |series| series.bin).0.max(1);
    let from = Time(metrics.now.0.saturating_sub(WINDOW.0) / bin * bin);
    let window = metrics.now.since(from);
    let mut now = counted(&metrics.between(from, metrics.now), window);
    now.push(("t", metrics.now.as_secs().into()));
    now.push(("window", window.as_secs().into()));
    let mut total = counted(&metrics.totals, metrics.now.since(Time::ZERO));
    let t = &metrics.totals;
    let counts = [
        ("begun", t.offered),
        ("ok", t.ok),
        ("degraded", t.degraded),
        ("rejected", t.rejected),
        ("failed", t.failed),
        ("timed_out", t.timed_out),
        ("done_twice", t.double_effects),
    ];
    total.extend(counts.map(|(name, count)| (name, count.into())));
    now.push(("total", object(total)));
    object(now)
}

fn counted(totals: &Totals, span: Span) -> Vec<(&'static str, Value)> {
    let rate = |count: u64| count as f64 / span.as_secs();
    let share = |part: u64, of: u64| part as f64 / of as f64;
    let numbers = [
        ("offered", rate(totals.offered)),
        ("goodput", rate(totals.good())),
        ("errors", share(totals.ended() - totals.good(), totals.ended())),
        ("p50", totals.p50),
        ("p99", totals.p99),
        ("amplification", share(totals.attempts, totals.offered)),
        ("wasted", share(totals.wasted, totals.worked)),
    ];
    // A number that is none becomes null.
    numbers.map(|(name, number)| (name, number.into())).into()
}

/// A check: whether it holds (null while it cannot be said), why, and the instant to look at.
pub fn check(verdict: &Verdict) -> Value {
    let pass = match verdict.state {
        State::Holds => Some(true),
        State::Violated => Some(false),
        State::Unknown => None,
    };
    let t = verdict.at.map(|at| at.as_secs());
    object(vec![
        ("id", verdict.name.as_str().into()),
        ("pass", pass.into()),
        ("value", verdict.sentence.as_str().into()),
        ("t", t.into()),
    ])
}

/// A line of the log.
pub fn event(session: &Session, line: &Line) -> Value {
    let tone = match line.tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Warning => "warning",
        Tone::Bad => "bad",
    };
    let node = line.node.map(|node| session.run().plan.name(node));
    object(vec![
        ("t", line.at.as_secs().into()),
        ("text", line.text.as_str().into()),
        ("tone", tone.into()),
        ("node", node.into()),
    ])
}

/// The scenario as it is set now, with its nodes where they were put.
pub fn scenario(session: &Session) -> Scenario {
    Scenario { view: session.origin().view.clone(), ..session.scenario().clone() }
}

/// What tells one scenario from another, whatever is set and done in it: its preset, or where it
/// was fetched from, and its title.
pub fn subject(session: &Session) -> String {
    let source = session.source.as_ref().map_or("", |source| source.address.as_str());
    [session.preset().unwrap_or_default(), source, session.origin().title.as_str()].join("\n")
}

/// What came of a run that is at its end: the checks that the scenario asks for, which share of
/// them holds, and whether all do. One that cannot be said does not hold. Score and `passed` are
/// null where the scenario asks for none.
pub fn result(session: &Session) -> Value {
    // What every run is watched for is no merit of whoever has set it up.
    let verdicts = session.run().course.checks.verdicts();
    let held = verdicts.iter().filter(|v| v.state == State::Holds).count();
    let of = verdicts.len();
    object(vec![
        ("preset", session.preset().into()),
        ("seed", session.origin().seed.into()),
        ("passed", (of > 0).then_some(held == of).into()),
        ("score", (of > 0).then(|| held as f64 / of as f64).into()),
        ("checks", verdicts.iter().map(check).collect::<Vec<_>>().into()),
    ])
}

/// Every measure over time as comma-separated values, a row for each bin that is over. The first
/// column is the instant at which the bin began, in seconds.
pub fn csv(session: &Session) -> String {
    let series = &session.metrics().series;
    let name = |name: &str, unit: &str| {
        let title = if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") };
        format!(",\"{}\"", title.replace('"', "\"\""))
    };
    let mut text = "t (s)".to_owned();
    text.extend(series.iter().map(|s| name(&s.name, s.unit)));
    let rows = series.iter().map(|s| s.values.len()).max().unwrap_or(0);
    for row in 0..rows {
        let bin = series.first().map_or(Span::ZERO, |s| s.bin);
        text += &format!("\n{}", Span(bin.0 * row as u64).as_secs());
        for series in series {
            let value = series.values.get(row).filter(|value| value.is_finite());
            text.push(',');
            text.extend(value.map(f32::to_string));
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::link;
    use crate::session::command::Command;
    use serde_json::json;

    fn session(preset: &str, fragment: &str) -> Session {
        Session::open(link::open(Some(preset), fragment).0)
    }

    #[test]
    fn numbers_are_those_of_the_run() {
        let session = session("retry-storm", "t=20s");
        let (facts, totals) = (metrics(&session), &session.metrics().totals);
        assert_eq!(facts["t"], 20.0);
        assert_eq!(facts["window"], 2.0);
        assert_eq!(facts["total"]["begun"], totals.offered);
        assert_eq!(facts["total"]["goodput"], totals.good() as f64 / 20.0);
        assert!(facts["amplification"].as_f64().is_some_and(|n| n > 1.5), "{facts}");
        let before = metrics(&self::session("retry-storm", ""));
        assert!(before["goodput"].is_null() && before["p99"].is_null(), "{before}");
    }

    #[test]
    fn a_run_passes_when_what_its_scenario_asks_for_holds() {
        let end = |preset: &str, fragment: &str| {
            let mut session = session(preset, fragment);
            session.seek(session.end());
            result(&session)
        };
        let charged = end("double-charge", "");
        assert_eq!(charged["passed"], false, "{charged:?}");
        let score = charged["score"].as_f64().expect("a share");
        let checks = charged["checks"].as_array().expect("a list");
        let held = checks.iter().filter(|check| check["pass"] == true).count();
        assert!(held < checks.len());
        assert!((score - held as f64 / checks.len() as f64).abs() < 1e-9);
        // Nothing was done, so nothing can be said: that is no pass.
        let nobody = end("double-charge", "seed=7&people.load.rate=0.001/s&people.count=1");
        assert_eq!((&nobody["seed"], &nobody["passed"]), (&json!(7), &json!(false)), "{nobody:?}");
        let preset = crate::scenario::presets::find("double-charge").expect("a preset");
        let key = preset.tries[0].set.iter();
        let set = key.map(|(path, value)| (path.to_owned(), value.clone()));
        let mut mended = session("double-charge", "");
        mended.begin_with(preset.scenario.clone(), set).expect("a change to try");
        mended.seek(mended.end());
        let mended = result(&mended);
        assert_eq!((&mended["score"], &mended["passed"]), (&json!(1.0), &json!(true)));
    }

    #[test]
    fn a_scenario_stays_the_same_one_whatever_is_set_in_it() {
        let mut one = session("double-charge", "");
        let plain = subject(&one);
        assert_ne!(plain, subject(&session("retry-storm", "")));
        let path = "shop.calls.bank.retry.attempts".to_owned();
        one.command(Command::Set { path, value: json!(1) }).expect("a setting");
        one.put("shop", (0.1, 0.0));
        assert_eq!(subject(&one), plain);
        assert_eq!(scenario(&one).view.moved.0, one.moved());
        let file = Session::start(one.origin().clone()).expect("a scenario that runs");
        assert_ne!(subject(&file), plain, "a copy of it is another one");
    }

    #[test]
    fn a_table_has_a_row_for_each_bin_and_a_column_for_each_measure() {
        let session = session("retry-storm", "t=5s");
        let series = &session.metrics().series;
        assert!(series.iter().all(|s| s.bin == series[0].bin), "one column of instants for all");
        let text = csv(&session);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 1 + series[0].values.len());
        assert!(rows[0].starts_with("t (s),\"") && rows[0].contains("\"goodput (/s)\""));
        for row in &rows[1..] {
            assert_eq!(row.split(',').count(), 1 + series.len(), "{row}");
        }
    }

    #[test]
    fn a_line_says_where_it_happened() {
        let session = session("retry-storm", "at=1s:kill:api-1&t=2s");
        let lines = session.log(500);
        let line = lines.iter().find(|line| line.node.is_some()).expect("a line of a node");
        let told = event(&session, line);
        assert_eq!(told["text"], line.text);
        assert!(told["node"].as_str().is_some_and(|name| !name.is_empty()), "{told}");
    }
}
