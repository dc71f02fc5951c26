//! Retry, backoff and budget facts of several libraries, one section each.

mod aws;
mod budgets;
mod waits;

use super::section::Section;
use super::{Cases, Verdict, parse, same};
use crate::protocol::policy::retry::amplification;
use serde::Deserialize;
use serde_json::Value;

/// The sections by which such a file is known.
pub(super) const SECTIONS: [&str; 11] = [
    "aws_standard",
    "aws_adaptive",
    "grpc_a6",
    "finagle",
    "envoy",
    "google_sre",
    "polly_v8",
    "failsafe",
    "resilience4j",
    "finagle_backoff",
    "amplification",
];

pub(super) fn replay(file: &Value, cases: &mut Cases<'_>) {
    let Some(mut file) = Section::new("", file, cases) else { return };
    for (key, replay) in [
        ("aws_standard", aws::standard as fn(Section<'_>, &mut Cases<'_>)),
        ("aws_adaptive", aws::adaptive),
        ("grpc_a6", budgets::grpc),
        ("finagle", budgets::finagle),
        ("envoy", budgets::envoy),
        ("google_sre", budgets::sre),
        ("polly_v8", waits::polly),
        ("failsafe", waits::failsafe),
        ("resilience4j", waits::resilience4j),
        ("finagle_backoff", waits::finagle),
    ] {
        if let Some(section) = file.inner(key, cases) {
            replay(section, cases);
        }
    }
    file.list("amplification", cases, amplified);
    file.close(cases);
}

fn amplified(value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        layers: u32,
        attempts_each: u32,
        total: u64,
    }
    let case: Case = parse(value, "case")?;
    same("total", case.total, amplification(case.attempts_each, case.layers))
}
