//! `netsplit check`: the verdict on a history in a file.

use super::{Answer, print, read_text, save};
use netsplit::check::State;
use netsplit::check::history::jepsen::{self, History};
use netsplit::check::history::model::Named;
use netsplit::check::history::{linearizable, sequential, serializable, transaction};
use netsplit::observe::operations;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a history is to be judged.
pub struct Asked {
    pub model: Option<String>,
    pub steps: u64,
    pub sequential: bool,
    pub svg: Option<PathBuf>,
}

/// Reads a history and prints the verdict on it.
pub fn check(out: &mut impl Write, file: &str, asked: &Asked) -> Answer {
    let text = read_text(file).map_err(|error| format!("{file}: {error}"))?;
    if asked.model.is_none() && transaction::is_of(&text) {
        let of_operations = [("--svg", asked.svg.is_some()), ("--sequential", asked.sequential)];
        if let Some((option, _)) = of_operations.iter().find(|(_, is_asked)| *is_asked) {
            return Err(format!(
                "{file}: {option} is for operations, and these are transactions: leave it out, \
                 and it is told whether they are serializable"
            ));
        }
        return check_transactions(out, file, &text);
    }
    let history = jepsen::read(&text).map_err(|problems| format!("{file}:\n{problems}"))?;
    let (verdict, what) = if asked.sequential {
        let verdict = sequential::check(&history.ops, asked.steps);
        (verdict, "sequentially consistent".to_owned())
    } else {
        let model = model(file, &history, asked.model.as_deref())?;
        let verdict = linearizable::check(&history.ops, model, asked.steps);
        (verdict, format!("linearizable (as a {})", model.name()))
    };
    print(out, &format!("{}{what}: {}", word(verdict.state), verdict.sentence))?;
    for (op, line) in history.ops.iter().zip(&history.lines) {
        if verdict.proof.contains(&op.id) {
            let (process, item) = (op.process, op.item);
            print(out, &format!("  line {line}: client {process} {op} on item {item}"))?;
        }
    }
    if let Some(path) = &asked.svg {
        let proof = verdict.proof.iter().copied().collect();
        let picture = operations::of_history(&history.ops, &proof, verdict.sentence);
        save(path, &picture.svg_file())?;
    }
    Ok(code(verdict.state))
}

/// The model that is asked for, or the simplest that knows every action.
fn model(file: &str, history: &History, name: Option<&str>) -> Result<Named, String> {
    let actions = history.ops.iter().map(|op| op.action);
    let guessed = || {
        Named::guess(actions.clone())
            .ok_or_else(|| format!("{file}: no model knows both queues and values; use two files"))
    };
    let model = name.and_then(Named::find).map_or_else(guessed, Ok)?;
    let strange = history.ops.iter().zip(&history.lines).find(|(op, _)| !model.knows(op.action));
    match strange {
        Some((op, line)) => {
            let name = model.name();
            Err(format!("{file}: line {line}: a {name} knows nothing of \"{op}\""))
        }
        None => Ok(model),
    }
}

fn check_transactions(out: &mut impl Write, file: &str, text: &str) -> Answer {
    let (transactions, lines) =
        transaction::read(text).map_err(|problems| format!("{file}:\n{problems}"))?;
    let (verdict, _) = serializable::check(&transactions);
    print(out, &format!("{}serializable: {}", word(verdict.state), verdict.sentence))?;
    for (transaction, line) in transactions.iter().zip(&lines) {
        if verdict.proof.contains(&transaction.id) {
            print(out, &format!("  line {line}: transaction {}", transaction.id))?;
        }
    }
    Ok(code(verdict.state))
}

/// What stands before the name of a property.
fn word(state: State) -> &'static str {
    match state {
        State::Holds => "",
        State::Violated => "not ",
        State::Unknown => "unknown whether ",
    }
}

fn code(state: State) -> ExitCode {
    match state {
        State::Holds => ExitCode::SUCCESS,
        State::Violated => ExitCode::FAILURE,
        State::Unknown => ExitCode::from(3),
    }
}
