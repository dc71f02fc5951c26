//! What was found, for a terminal.

use super::availability::{Expected, expected};
use super::proof::{Proof, prove};
use super::{Element, Finding, Redundancy, analyse};
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Span;
use crate::scenario::compile::compile;
use crate::scenario::v1::Scenario;
use serde::Serialize;
use std::fmt::{self, Write};

/// Pairs that are written out.
const PAIRS_TOLD: usize = 20;

/// What was found, what is expected, and what runs of the losses showed.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// By looking.
    pub found: Redundancy,
    /// By computing.
    pub expected: Vec<Expected>,
    /// By running the loss of every single thing: its name, and what became of each journey.
    pub proofs: Vec<(String, Vec<Proof>)>,
}

impl Report {
    /// Of a scenario. With `patience`, the loss of each single element is run, and so long is
    /// waited for others to notice before it is counted what still succeeds.
    ///
    /// # Errors
    /// Everything that is wrong with the scenario.
    pub fn of(scenario: &Scenario, patience: Option<Span>) -> Result<Report, Diagnostics> {
        let plan = compile(scenario)?;
        let mut proofs = Vec::new();
        if let Some(patience) = patience {
            for element in super::elements(&plan) {
                let proof = prove(scenario, std::slice::from_ref(&element), patience)?;
                proofs.push((called(&element), proof));
            }
        }
        Ok(Report { found: analyse(&plan), expected: expected(scenario, &plan), proofs })
    }
}

/// An element with its kind.
pub fn called(element: &Element) -> String {
    format!("{} {}", element.kind.word(), element.name)
}

/// A finding as a sentence.
pub fn sentence(finding: &Finding) -> String {
    let lost: Vec<String> = finding.lost.iter().map(called).collect();
    format!("{}: {} no more; {}", lost.join(" and "), finding.stops.join(", "), finding.reason)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Redundancy { journeys, elements, broken, single, pairs } = &self.found;
        writeln!(f, "{} of {elements} things stop one of: {}", single.len(), journeys.join(", "))?;
        for (journey, why) in broken {
            writeln!(f, "  nothing need be lost: {journey} not at all; {why}")?;
        }
        for finding in single {
            writeln!(f, "  {}", sentence(finding))?;
        }
        match pairs {
            None => writeln!(f, "Too many things to try them in pairs.")?,
            Some(pairs) => {
                writeln!(f, "{} pairs stop one only together", pairs.len())?;
                for finding in pairs.iter().take(PAIRS_TOLD) {
                    writeln!(f, "  {}", sentence(finding))?;
                }
                if pairs.len() > PAIRS_TOLD {
                    writeln!(f, "  and {} more", pairs.len() - PAIRS_TOLD)?;
                }
            }
        }
        for Expected { journey, independent, shared } in &self.expected {
            let percent = |share: f64| format!("{:.4} %", share * 100.0);
            writeln!(
                f,
                "{journey}: {} of the time if nodes failed independently, {} with what fails \
                 together",
                percent(*independent),
                percent(*shared)
            )?;
        }
        if !self.proofs.is_empty() {
            writeln!(f, "Run and lost: requests a second that end well, intact and with the loss")?;
        }
        for (lost, proofs) in &self.proofs {
            let mut line = String::new();
            for Proof { journey, intact, lost } in proofs {
                write!(line, "  {journey} {intact:.1} → {lost:.1}")?;
            }
            writeln!(f, "  {lost:<24}{line}")?;
        }
        Ok(())
    }
}
