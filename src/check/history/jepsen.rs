//! Histories as Jepsen writes them, in EDN and in JSON: a line for each invocation and completion,
//! so that Knossos, Elle and porcupine can judge a history of ours, and theirs be judged here.
//!
//! `{:process 0, :type :invoke, :f :cas, :value [7 [1 2]], :time 1500}`: process 0 wants item 7
//! changed from 1 to 2; `:time` is in nanoseconds. A completion is `:ok`, `:fail` (did not happen)
//! or `:info` (nobody knows). A value without an item is about item 0.

use super::form::{Form, Value, at, in_order, maps};
use super::operation::{Action, Operation, Outcome, Output};
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Time;
use std::collections::BTreeMap;

/// A history and where it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Numbered from zero, in the order of their calls.
    pub ops: Vec<Operation>,
    /// The line of the invocation of each.
    pub lines: Vec<u32>,
}

/// An invocation and what completed it, if anything did.
pub struct Pair {
    /// Who.
    pub process: u64,
    /// Which operation.
    pub f: String,
    /// The invocation.
    pub invoked: Form,
    /// When.
    pub call: Time,
    /// The completion and when it came.
    pub completed: Option<(Completion, Form, Time)>,
}

/// How an operation was completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// It happened.
    Ok,
    /// It did not.
    Fail,
    /// Nobody knows.
    Info,
}

/// Reads a history; every problem has the number of its line.
pub fn read(text: &str) -> Result<History, Diagnostics> {
    let mut problems = Diagnostics::default();
    let pairs = pairs(text, &mut problems);
    let mut history = History::default();
    for pair in &pairs {
        let id = history.ops.len() as u64;
        if let Some(op) = operation(id, pair, &mut problems) {
            history.ops.push(op);
            history.lines.push(pair.invoked.line);
        }
    }
    if pairs.is_empty() && problems.is_empty() {
        problems.error("", "there is no operation in it", "write a line for each event");
    }
    if problems.has_errors() { Err(in_order(problems)) } else { Ok(history) }
}

/// Invocations with their completions, in the order of the invocations.
pub fn pairs(text: &str, problems: &mut Diagnostics) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let mut open: BTreeMap<u64, usize> = BTreeMap::new();
    let mut clock = Clock::default();
    for form in maps(text, problems) {
        // What the tester did to the system is no operation of a client.
        if form.get("process").is_some_and(|process| process.word().is_some()) {
            continue;
        }
        let Some((process, kind, f)) = head(&form, problems) else { continue };
        let now = clock.tick(&form, kind.is_none(), problems);
        let place = at(form.line);
        let pending = open.remove(&process).and_then(|n| pairs.get_mut(n));
        match (kind, pending) {
            (None, pending) => {
                if let Some(pending) = pending {
                    let text = format!("process {process} has not ended its {} yet", pending.f);
                    let remedy = format!("end what line {} began first", pending.invoked.line);
                    problems.error(place, text, remedy);
                }
                open.insert(process, pairs.len());
                pairs.push(Pair { process, f, invoked: form, call: now, completed: None });
            }
            (Some(_), None) => {
                let text = format!("process {process} ends a {f} that it has not begun");
                problems.error(place, text, "put the :invoke before it");
            }
            (Some(_), Some(pair)) if pair.f != f => {
                let text = format!("process {process} ends a {f}, but it began a {}", pair.f);
                problems.error(place, text, format!("compare with line {}", pair.invoked.line));
            }
            (Some(kind), Some(pair)) => pair.completed = Some((kind, form, now)),
        }
    }
    pairs
}

/// Gives every event an instant: events in a file are in order, however coarse their times are.
#[derive(Default)]
struct Clock {
    now: Time,
    /// The last event was a completion: an invocation after it does not overlap it.
    completed: bool,
    nanoseconds: u64,
}

impl Clock {
    fn tick(&mut self, form: &Form, invokes: bool, problems: &mut Diagnostics) -> Time {
        let mut problem = |text, remedy| problems.error(at(form.line), text, remedy);
        if let Some(time) = form.get("time") {
            match time.int().and_then(|ns| u64::try_from(ns).ok()) {
                Some(ns) if ns < self.nanoseconds => {
                    problem("time goes back", "sort the events, or leave :time out");
                }
                Some(ns) => self.nanoseconds = ns,
                None => problem(":time is not a whole number", "give nanoseconds, or leave it out"),
            }
        }
        let apart = u64::from(invokes && self.completed);
        self.now = Time((self.nanoseconds / 1_000).max(self.now.0 + apart));
        self.completed = !invokes;
        self.now
    }
}

/// Process, completion (none if it is an invocation) and operation of an event.
fn head(form: &Form, problems: &mut Diagnostics) -> Option<(u64, Option<Completion>, String)> {
    let place = at(form.line);
    let process = form.get("process").and_then(Form::int).and_then(|n| u64::try_from(n).ok());
    let f = form.get("f").and_then(Form::word);
    let kind = match form.get("type").and_then(Form::word) {
        Some("invoke") => Some(None),
        Some("ok") => Some(Some(Completion::Ok)),
        Some("fail") => Some(Some(Completion::Fail)),
        Some("info") => Some(Some(Completion::Info)),
        Some(other) => {
            let text = format!(":type `{other}` is not known");
            problems.error(place.clone(), text, "it is invoke, ok, fail or info");
            return None;
        }
        None => None,
    };
    let missing = [(":process", process.is_none()), (":type", kind.is_none()), (":f", f.is_none())];
    for (name, _) in missing.iter().filter(|(_, missing)| *missing) {
        let remedy = "an event has :process, :type, :f and :value";
        problems.error(place.clone(), format!("has no {name}"), remedy);
    }
    Some((process?, kind?, f?.to_owned()))
}

fn operation(id: u64, pair: &Pair, problems: &mut Diagnostics) -> Option<Operation> {
    let line = pair.invoked.line;
    let Some((item, action)) = action(&pair.f, &pair.invoked) else {
        let (text, remedy) = match known(&pair.f) {
            Some(takes) => (format!(":value of {} is not {takes}", pair.f), takes),
            None => (format!(":f `{}` is not known", pair.f), NAMES),
        };
        problems.error(at(line), text, format!("give {remedy}"));
        return None;
    };
    let outcome = match &pair.completed {
        None => Outcome::Unknown { at: None },
        Some((Completion::Fail, _, now)) => Outcome::Failed { at: *now },
        Some((Completion::Info, _, now)) => Outcome::Unknown { at: Some(*now) },
        Some((Completion::Ok, form, now)) => {
            // What cannot be read, or is left out, contradicts nothing.
            let other = self::action(&pair.f, form).filter(|(said, done)| {
                form.get("value").is_some_and(|value| value.value != Value::Nil)
                    && (*done != action || said.is_some_and(|said| said != item.unwrap_or(0)))
            });
            if other.is_some() {
                let text = format!("the :value of {} is not that of its invocation", pair.f);
                problems.error(at(form.line), text, format!("compare with line {line}"));
                return None;
            }
            let Some(output) = output(action, form) else {
                let text = format!("{} says neither a number nor nil", pair.f);
                problems.error(at(form.line), text, "give what came back, as :value [item value]");
                return None;
            };
            let version = form.get("version").and_then(Form::int).unwrap_or(0);
            Outcome::Ok { at: *now, output, version: u64::try_from(version).unwrap_or(0) }
        }
    };
    let (process, call, item) = (pair.process, pair.call, item.unwrap_or(0));
    Some(Operation { id, process, item, call, action, outcome })
}

const NAMES: &str = "read, write, cas, add, insert, remove, enqueue, dequeue, charge or transfer";

/// What an operation takes, if it is known here.
fn known(f: &str) -> Option<&'static str> {
    Some(match f {
        "read" | "r" | "dequeue" | "deq" => "nil, or [item nil]",
        "write" | "w" | "add" | "inc" | "increment" | "enqueue" | "enq" | "charge" | "withdraw" => {
            "a number, or [item number]"
        }
        "insert" | "remove" => "a number from 0 to 62, or [item number]",
        "cas" => "[from to], or [item [from to]]",
        "transfer" => "{:from item, :to item, :amount number}",
        _ => return None,
    })
}

/// The item an operation is about, if it says so, and what is wanted of it.
fn action(f: &str, event: &Form) -> Option<(Option<i64>, Action)> {
    const NIL: Form = Form { line: 0, value: Value::Nil };
    let whole = event.get("value").unwrap_or(&NIL);
    if f == "transfer" {
        let of = |key| whole.get(key).and_then(Form::int);
        return Some((
            Some(of("from")?),
            Action::Transfer { to: of("to")?, amount: of("amount")? },
        ));
    }
    // A pair is an item and a value, but for two numbers to compare and set.
    let (item, value) = match whole.list() {
        Some([item, value]) if f != "cas" || value.list().is_some() => (Some(item.int()?), value),
        Some(_) if f != "cas" => return None,
        _ => (None, whole),
    };
    let number = || value.int();
    let action = match f {
        "read" | "r" => Action::Read,
        "write" | "w" => Action::Write(number()?),
        "cas" => match value.list()? {
            [from, to] => Action::CompareAndSet { from: from.int()?, to: to.int()? },
            _ => return None,
        },
        "add" | "inc" | "increment" => Action::Add(number()?),
        "insert" | "remove" => {
            let member = number().and_then(|n| u8::try_from(n).ok()).filter(|n| *n < 63)?;
            if f == "insert" { Action::Insert(member) } else { Action::Remove(member) }
        }
        "enqueue" | "enq" => Action::Enqueue(number()?),
        "dequeue" | "deq" => Action::Dequeue,
        "charge" | "withdraw" => Action::Charge(number()?),
        _ => return None,
    };
    Some((item, action))
}

fn output(action: Action, form: &Form) -> Option<Output> {
    let said = |value: &Form| match value.value {
        Value::Nil => Some(Output::Value(None)),
        Value::Int(n) => Some(Output::Value(Some(n))),
        _ => None,
    };
    match action {
        Action::Read | Action::Dequeue => match form.get("value") {
            // In Clojure a key that is not there is nil, and Knossos takes it so.
            None => Some(Output::Value(None)),
            Some(value) => match value.list() {
                Some([_, value]) => said(value),
                Some(_) => None,
                None => said(value),
            },
        },
        _ => form.get("result").map_or(Some(Output::Nothing), said),
    }
}

/// In which of the two languages to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// What Jepsen, Knossos and Elle read.
    Edn,
    /// What everything else reads.
    Json,
}

/// Writes a history as Jepsen does. A process that goes on after an operation of unknown end does
/// so under a new number, as those checkers want it; and an answer that nothing was changed is a
/// `:fail`, of which they do not learn what was there.
pub fn write(ops: &[Operation], language: Language) -> String {
    let events = events(ops);
    let lines: Vec<String> =
        events.iter().map(|e| line(e.op, e.process, e.at, e.ends, language)).collect();
    match language {
        Language::Edn => lines.join("\n") + "\n",
        Language::Json => format!("[\n{}\n]\n", lines.join(",\n")),
    }
}

/// A line to be written.
struct Event<'a> {
    at: Time,
    /// Among those of the same instant: an even number for an invocation, an odd one for a
    /// completion.
    turn: u32,
    /// The turn of the invocation.
    op_turn: u32,
    ends: bool,
    process: u64,
    op: &'a Operation,
}

/// Invocations and completions in order. At the same instant invocations come first, for then
/// operations overlap; but a process ends one before it begins the next.
fn events(ops: &[Operation]) -> Vec<Event<'_>> {
    let stride = ops.iter().map(|op| op.process).max().unwrap_or(0).saturating_add(1);
    let mut events: Vec<Event<'_>> = Vec::new();
    // The number that each process goes by, and its last completion.
    let mut known: BTreeMap<u64, (u64, Option<usize>)> = BTreeMap::new();
    let mut by_call: Vec<&Operation> = ops.iter().collect();
    by_call.sort_by_key(|op| (op.call, op.id));
    for op in by_call {
        let (process, last) = known.entry(op.process).or_insert((op.process, None));
        let before = last.and_then(|n| events.get_mut(n)).filter(|end| end.at == op.call);
        let turn = before.map_or(0, |end| {
            let began = if end.op.call == end.at { end.op_turn } else { 0 };
            end.turn = began + 1;
            began + 2
        });
        let own = *process;
        let end = match op.outcome {
            Outcome::Ok { at, .. } | Outcome::Failed { at } => Some(at),
            Outcome::Unknown { at } => {
                *process = own.saturating_add(stride);
                at
            }
        };
        events.push(Event { at: op.call, turn, op_turn: turn, ends: false, process: own, op });
        *last = end.map(|at| {
            events.push(Event { at, turn: u32::MAX, op_turn: turn, ends: true, process: own, op });
            events.len() - 1
        });
    }
    events.sort_by_key(|e| (e.at, e.turn, e.op.id));
    events
}

fn line(op: &Operation, process: u64, time: Time, ends: bool, language: Language) -> String {
    let observed_only = op.observes() && op.action != Action::Read;
    let kind = match op.outcome {
        _ if !ends => "invoke",
        Outcome::Ok { .. } if observed_only => "fail",
        Outcome::Ok { .. } => "ok",
        Outcome::Failed { .. } => "fail",
        Outcome::Unknown { .. } => "info",
    };
    let is_ok = kind == "ok";
    let output = match op.output() {
        Some(Output::Value(value)) if is_ok => Some(value),
        _ => None,
    };
    let nil = if language == Language::Edn { "nil" } else { "null" };
    let text = |value: Option<i64>| value.map_or(nil.to_owned(), |n| n.to_string());
    let (f, value) = match op.action {
        Action::Read => ("read", text(output.flatten())),
        Action::Write(value) => ("write", value.to_string()),
        Action::CompareAndSet { from, to } => ("cas", list(&[from, to], language)),
        Action::Add(amount) => ("add", amount.to_string()),
        Action::Insert(member) => ("insert", member.to_string()),
        Action::Remove(member) => ("remove", member.to_string()),
        Action::Enqueue(value) => ("enqueue", value.to_string()),
        Action::Dequeue => ("dequeue", text(output.flatten())),
        Action::Charge(amount) => ("charge", amount.to_string()),
        Action::Transfer { .. } => ("transfer", String::new()),
    };
    let comma = if language == Language::Edn { " " } else { ", " };
    let value = match op.action {
        Action::Transfer { to, amount } => {
            let entries = [("from", op.item), ("to", to), ("amount", amount)];
            map(&entries.map(|(key, n)| (key, n.to_string())), language)
        }
        _ => format!("[{}{comma}{value}]", op.item),
    };
    let word = |word: &str| match language {
        Language::Edn => format!(":{word}"),
        Language::Json => format!("\"{word}\""),
    };
    let mut entries = vec![
        ("process", process.to_string()),
        ("type", word(kind)),
        ("f", word(f)),
        ("value", value),
        ("time", (u128::from(time.0) * 1_000).to_string()),
    ];
    let changes = !matches!(op.action, Action::Read | Action::Dequeue);
    entries.extend(output.filter(|_| changes).map(|value| ("result", text(value))));
    if is_ok && op.version() > 0 {
        entries.push(("version", op.version().to_string()));
    }
    map(&entries, language)
}

fn list(items: &[i64], language: Language) -> String {
    let items: Vec<String> = items.iter().map(i64::to_string).collect();
    format!("[{}]", items.join(if language == Language::Edn { " " } else { ", " }))
}

fn map(entries: &[(&str, String)], language: Language) -> String {
    let entry = |(key, value): &(&str, String)| match language {
        Language::Edn => format!(":{key} {value}"),
        Language::Json => format!("\"{key}\": {value}"),
    };
    format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_jepsen_writes() {
        let text = "\
{:process 0, :type :invoke, :f :write, :value [7 1], :index 0}
{:process :nemesis, :type :info, :f :start, :value nil}
{:process 1, :type :invoke, :f :cas, :value [7 [1 2]]}
{:process 0, :type :ok, :f :write, :value [7 1]}
{:process 1, :type :fail, :f :cas, :value [7 [1 2]]}
{:process 2, :type :invoke, :f :read, :value [7 nil]}
{:process 3, :type :invoke, :f :cas, :value [3 4]}
{:process 2, :type :ok, :f :read, :value [7 1]}
{:process 3, :type :info, :f :cas, :value [3 4], :error :timeout}
{:process 4, :type :invoke, :f :read}
";
        let history = read(text).expect("it is sound");
        let ops = &history.ops;
        assert_eq!(history.lines, [1, 3, 6, 7, 10]);
        assert_eq!((ops[0].item, ops[0].action), (7, Action::Write(1)));
        assert!(ops[0].precedes(&ops[2]) && !ops[0].precedes(&ops[1]));
        assert!(matches!(ops[1].outcome, Outcome::Failed { .. }));
        assert_eq!(ops[2].value_read(), Some(Some(1)));
        assert_eq!((ops[3].item, ops[3].action), (0, Action::CompareAndSet { from: 3, to: 4 }));
        assert!(matches!(ops[3].outcome, Outcome::Unknown { at: Some(_) }));
        assert_eq!(ops[4].outcome, Outcome::Unknown { at: None });
    }

    #[test]
    fn an_answer_that_contradicts_its_question_is_refused() {
        let pair = |f: &str, began: &str, ended: &str| {
            let event =
                |kind, value| format!("{{:process 0, :type :{kind}, :f :{f}, :value {value}}}\n");
            read(&(event("invoke", began) + &event("ok", ended)))
        };
        for (f, began, ended) in [
            ("write", "1", "2"),
            ("write", "[7 1]", "[8 1]"),
            ("cas", "[7 [1 2]]", "[7 [1 3]]"),
            ("read", "[7 nil]", "[8 1]"),
            ("transfer", "{:from 1, :to 2, :amount 3}", "{:from 1, :to 3, :amount 3}"),
        ] {
            let problems = pair(f, began, ended).expect_err(ended).to_string();
            let says = format!(
                "line 2: the :value of {f} is not that of its invocation (compare with line 1)"
            );
            assert!(problems.contains(&says), "{problems}");
        }
        for (f, began, ended) in [
            ("write", "[7 1]", "[7 1]"),
            ("write", "[7 1]", "1"),
            ("write", "1", "nil"),
            ("cas", "[1 2]", "[1 2]"),
            ("read", "[7 nil]", "5"),
            ("read", "nil", "nil"),
        ] {
            assert!(pair(f, began, ended).is_ok(), "{f} {began} {ended}");
        }
    }

    #[test]
    fn every_problem_has_its_line_and_a_remedy() {
        let text = "\
{:process 0, :type :invoke, :f :write, :value 1, :time 10}
{:process 0, :type :invoke, :f :write, :value 2, :time 5}
{:process 1, :type :ok, :f :read, :value 1, :time 20}
{:process 0, :type :ok, :f :read, :value 1, :time 20}
{:process 2, :type :begin, :f :read}
{:process 3, :f :read}
{:process 4, :type :invoke, :f :frobnicate, :value 1}
{:process 5, :type :invoke, :f :cas, :value 1}
{:process 6, :type :invoke, :f :read
";
        let problems = read(text).expect_err("it is damaged");
        let said = problems.to_string();
        for line in [
            "line 2: process 0 has not ended its write yet (end what line 1 began first)",
            "line 2: time goes back (sort",
            "line 3: process 1 ends a read that it has not begun (put the :invoke",
            "line 4: process 0 ends a read, but it began a write (compare with line 2",
            "line 5: :type `begin` is not known (it is invoke",
            "line 6: has no :type (an event has",
            "line 7: :f `frobnicate` is not known (give read, write",
            "line 8: :value of cas is not [from to], or [item [from to]] (give [from to]",
            "ends in the middle of a form (is the file complete?)",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
        assert_eq!(problems.problems.len(), 9, "{said}");
        assert!(read("").is_err() && read("[]").is_err());
    }

    /// One operation of a process after the other, as a history that a file can hold.
    fn history() -> impl Strategy<Value = Vec<Operation>> {
        let one = (0..4u64, -3..3i64, (0..30u64, 0..30u64), 0..10u8, -9..9i64, 0..5u8, 0..3u64);
        proptest::collection::vec(one, 0..40).prop_map(|draws| {
            let mut free = [Some(0); 4];
            let mut ops = Vec::new();
            for (process, item, (wait, took), what, n, fate, version) in draws {
                let Some(from) = free[process as usize] else { continue };
                let (call, at) = (Time(from + wait), Time(from + wait + took));
                let (action, output) = match what {
                    0 => (Action::Read, Output::Value((n > 0).then_some(n))),
                    1 => (Action::Write(n), Output::Nothing),
                    2 => (Action::CompareAndSet { from: n, to: 1 - n }, Output::Nothing),
                    3 => (Action::Add(n), Output::Value(Some(-n))),
                    4 => (Action::Enqueue(n), Output::Nothing),
                    5 => (Action::Dequeue, Output::Value(Some(n))),
                    6 => (Action::Charge(n), Output::Value(Some(n))),
                    7 => (Action::Insert(n.unsigned_abs() as u8), Output::Value(Some(n))),
                    8 => (Action::Remove(n.unsigned_abs() as u8), Output::Nothing),
                    _ => (Action::Transfer { to: n, amount: 3 }, Output::Nothing),
                };
                let outcome = match fate {
                    0 => Outcome::Unknown { at: Some(at) },
                    1 => Outcome::Failed { at },
                    _ => Outcome::Ok { at, output, version },
                };
                // After an answer, so that the next call does not touch it.
                free[process as usize] = (fate > 0).then_some(at.0 + 1);
                ops.push(Operation { id: 0, process, item, call, action, outcome });
            }
            ops.sort_by_key(|op| op.call);
            (0..).zip(&mut ops).for_each(|(n, op)| op.id = n);
            ops
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ops in history()) {
            for language in [Language::Edn, Language::Json] {
                let text = write(&ops, language);
                match read(&text) {
                    Ok(back) => prop_assert_eq!(&back.ops, &ops, "{}", text),
                    Err(problems) => prop_assert!(ops.is_empty(), "{}\n{}", problems, text),
                }
            }
        }

        /// Clients that ask again at once, and operations that take no time.
        #[test]
        fn a_client_ends_one_before_it_begins_the_next(ops in history()) {
            let coarse = |op: &Operation| {
                let round = |at: Time| Time(at.0 / 8);
                let outcome = match op.outcome {
                    Outcome::Ok { at, output, version } => {
                        Outcome::Ok { at: round(at), output, version }
                    }
                    Outcome::Failed { at } => Outcome::Failed { at: round(at) },
                    Outcome::Unknown { at } => Outcome::Unknown { at: at.map(round) },
                };
                Operation { call: round(op.call), outcome, ..*op }
            };
            let coarse: Vec<Operation> = ops.iter().map(coarse).collect();
            let text = write(&coarse, Language::Edn);
            match read(&text) {
                Ok(back) => prop_assert_eq!(back.ops.len(), ops.len(), "{}", text),
                Err(problems) => prop_assert!(ops.is_empty(), "{}\n{}", problems, text),
            }
        }

        #[test]
        fn no_event_is_too_strange(
            words in proptest::collection::vec(
                "(:process|:type|:f|:value|:time|:invoke|:ok|:read|:cas|[{}]|\\[|\\]|-?[0-9]{1,20}|\n){1,3}",
                0..30,
            ),
        ) {
            drop(read(&words.join(" ")));
        }
    }
}
