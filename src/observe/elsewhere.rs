//! A history from elsewhere, judged: its verdict, a sentence, and the operations that prove it.

use super::operations::{Operations, of_history};
use crate::base::diagnostics::Diagnostics;
use crate::check::State;
use crate::check::history::{jepsen, linearizable};

/// What can be said of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Elsewhere {
    /// What was asked: that it is linearizable, and as what.
    pub name: String,
    /// Whether it is.
    pub state: State,
    /// Why.
    pub sentence: String,
    /// What proves it, or what happened to the first item. Instants are those of the file.
    pub shown: Operations,
}

/// True if a text is meant as a history, whether or not it can be read as one.
pub fn is_history(text: &str) -> bool {
    text.contains(":process") || text.contains("\"process\"")
}

/// Judges a history of operations as Jepsen writes them, in EDN or JSON.
///
/// # Errors
/// Everything that is wrong with it, with the line.
pub fn judge(text: &str) -> Result<Elsewhere, Diagnostics> {
    let history = jepsen::read(text)?;
    let model = history.model(None).map_err(|text| {
        let mut problems = Diagnostics::default();
        problems.error("", text, "use two files");
        problems
    })?;
    let judged = linearizable::check(&history.ops, model, linearizable::BUDGET / 8);
    let proof = judged.proof.iter().copied().collect();
    let mut shown = of_history(&history.ops, &proof, judged.sentence.clone());
    for bar in &mut shown.bars {
        let line = bar.id.and_then(|id| history.lines.get(id as usize));
        bar.text = line.map_or(bar.text.clone(), |line| format!("line {line}: {}", bar.text));
    }
    let name = format!("linearizable, as a {}", model.name());
    Ok(Elsewhere { name, state: judged.state, sentence: judged.sentence, shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALE: &str = "{:process 1 :type :invoke :f :write :value 7}\n\
        {:process 1 :type :ok :f :write :value 7}\n\
        {:process 2 :type :invoke :f :read :value nil}\n\
        {:process 2 :type :ok :f :read :value nil}\n";

    #[test]
    fn a_history_is_told_from_a_scenario_and_judged() {
        let scenario = "{ \"nodes\": {}, \"checks\": [{ \"processed\": {} }] }";
        assert!(is_history(STALE) && !is_history(scenario));
        let judged = judge(STALE).expect("a history");
        assert_eq!((judged.state, judged.shown.bars.len()), (State::Violated, 2));
        assert_eq!(judged.shown.bars[1].text, "line 3: client 2 read nothing");
        let fresh = judge(&STALE.replace(":read :value nil}\n{", ":read :value 7}\n{"));
        assert!(fresh.is_ok());
        let wrong = judge(&STALE.replace(":type :ok :f :write", ":type :done :f :write"));
        let problems = wrong.expect_err("not a history").to_string();
        assert!(problems.contains("line 2"), "{problems}");
    }
}
