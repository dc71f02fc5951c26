//! A launch by a learning management system, from the address to its last statement.

use super::browser::Browser;
use super::server::{self, Answer, Request};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// What the system has been told, in its order.
type Statements = Arc<Mutex<Vec<Value>>>;

/// A system that takes everything: `tests/embed` holds what is said against the specification.
fn system() -> (String, Statements) {
    let statements = Statements::default();
    let taken = statements.clone();
    let answer = move |request: &Request| {
        let (status, body) = match request.method.as_str() {
            "OPTIONS" => ("204 No Content", Value::Null),
            "POST" if request.target.contains("token") => ("200 OK", json!({"auth-token": "c2V0"})),
            "POST" if request.target.contains("statements") => {
                let said: Value = serde_json::from_str(&request.body).expect("statements in JSON");
                let said = said.as_array().cloned().expect("a list of statements");
                taken.lock().expect("nobody else panicked").extend(said);
                ("200 OK", json!([]))
            }
            "GET" if request.target.contains("LMS.LaunchData") => {
                let launch = json!({"launchMode": "Normal", "contextTemplate": {"extensions": {}}});
                ("200 OK", launch)
            }
            "GET" => ("404 Not Found", Value::Null),
            _ => ("204 No Content", Value::Null),
        };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Answer { status, kind: "application/json", body, open: true }
    };
    (server::serve(answer), statements)
}

fn verbs(statements: &Statements) -> Vec<String> {
    let statements = statements.lock().expect("nobody else panicked");
    let verb = |s: &Value| {
        s["verb"]["id"].as_str().and_then(|id| id.rsplit('/').next()).map(str::to_owned)
    };
    statements.iter().filter_map(verb).collect()
}

/// What a system adds to the address.
fn launch(system: &str) -> String {
    let actor = "%7B%22objectType%22%3A%22Agent%22%7D";
    format!(
        "lms=cmi5&endpoint={system}xapi&fetch={system}token&actor={actor}\
         &registration=r&activityId=x"
    )
}

#[test]
fn only_runs_of_what_was_launched_are_reported() {
    let (system, statements) = system();
    let browser = Browser::open(&format!("s/double-charge/?{}#speed=1000", launch(&system)));
    browser.wait_for_text(".reporter", "Your course records this");
    browser.script(
        "history.pushState(null, '', '../four-fates/' + location.search + '#speed=1000');
         dispatchEvent(new PopStateEvent('popstate'))",
    );
    browser.wait_for_text("h1", "fates");
    browser.click(".bet-choice");
    browser.click("button.play");
    browser.wait_for_text(".reporter", "not recorded");
    assert_eq!(verbs(&statements), ["initialized"]);
    // Settings do not make it another one.
    browser.script(
        "history.pushState(null, '', '../double-charge/' + location.search \
         + '#shop.calls.bank.retry.attempts=1&speed=1000');
         dispatchEvent(new PopStateEvent('popstate'))",
    );
    browser.wait_for_text("h1", "Charged twice");
    browser.click(".bet-choice");
    browser.click("button.play");
    browser.wait_for_text(".reporter", "✓ Recorded");
    assert_eq!(verbs(&statements)[..2], ["initialized", "completed"]);
}

#[test]
fn a_launch_that_names_no_run_says_so() {
    let (system, _) = system();
    let browser = Browser::open(&format!("?{}", launch(&system)));
    browser.wait_for_text(".notice", "the launch names no run");
}

#[test]
fn a_bet_and_a_run_to_its_end_are_reported() {
    let (system, statements) = system();
    let browser = Browser::open(&format!("s/double-charge/?{}#speed=1000", launch(&system)));
    browser.wait_for_text(".reporter", "Your course records this");
    assert_eq!(verbs(&statements), ["initialized"]);
    assert!(browser.find_all(".notice").is_empty(), "what the system adds to the address is known");
    browser.click(".bet-choice");
    browser.click("button.play");
    browser.wait_for_text(".reporter", "Recorded");
    assert_eq!(verbs(&statements), ["initialized", "completed"]);
    // Charged twice: it could be mended until now.
    browser.click(".reporter button");
    browser.wait_for_text(".reporter", "Handed in");
    assert_eq!(verbs(&statements), ["initialized", "completed", "failed", "terminated"]);
    let last = statements.lock().expect("nobody else panicked")[2].clone();
    assert_eq!(last["object"]["id"], "x");
    assert_eq!(last["actor"]["objectType"], "Agent");
    assert!(last["result"]["score"]["scaled"].as_f64().is_some_and(|n| n < 1.0), "{last}");
}

#[test]
fn what_cannot_be_recorded_is_told_to_the_learner() {
    let browser = Browser::open("s/double-charge/?lms=cmi5");
    browser.wait_for_text(".reporter", "Not recorded: the launch does not say endpoint");
}

#[test]
fn nobody_else_loads_the_reporter() {
    let browser = Browser::open("s/double-charge/");
    browser.find("output.clock");
    assert!(browser.find_all("script[src*='cmi5']").is_empty());
    browser.assert_calm();
}
