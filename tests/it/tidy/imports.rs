//! Who may use whom. Packages could make the compiler hold only a part of this; this test holds it.

use super::Finding;
use super::source::Source;

/// Each module of the crate and the others it may name.
const TABLE: [(&str, &[&str]); 10] = [
    ("base", &[]),
    ("sim", &["base"]),
    ("protocol", &["base", "sim"]),
    ("check", &["base", "sim", "protocol"]),
    ("observe", &["base", "sim", "protocol", "check"]),
    ("scenario", &["base", "sim", "protocol", "check"]),
    ("conform", &["base", "sim", "protocol", "check", "observe", "scenario"]),
    ("session", &["base", "sim", "protocol", "check", "observe", "scenario"]),
    ("swarm", &["base", "check", "scenario", "session"]),
    ("app", &["base", "check", "observe", "scenario", "session"]),
];

/// What the two programs may name.
const PROGRAMS: [(&str, &[&str]); 3] = [
    ("src/bin/app.rs", &["app"]),
    // And what the commands share, which has no module of its own.
    ("src/bin/netsplit/check.rs", &["check", "observe", "Answer", "print", "read_text", "save"]),
    (
        "src/bin/netsplit.rs",
        &["base", "sim", "protocol", "check", "observe", "scenario", "conform", "session", "swarm"],
    ),
];

/// Crates that know a browser: for the page alone.
const BROWSER: [&str; 5] =
    ["leptos", "web_sys", "js_sys", "wasm_bindgen", "console_error_panic_hook"];

/// Every `crate::`, `super::` or `netsplit::` path that leads where it must not.
pub fn check(source: &Source) -> Vec<Finding> {
    let Some(inside) = source.path.strip_prefix("src/") else { return Vec::new() };
    let room = inside.split(['/', '.']).next().unwrap_or_default();
    // The two roots name every module below them.
    if !inside.ends_with(".rs") || ["lib.rs", "engine.rs"].contains(&inside) {
        return Vec::new();
    }
    let allowed =
        TABLE.iter().chain(&PROGRAMS).find(|(name, _)| *name == room || *name == source.path);
    let Some((_, allowed)) = allowed else {
        return vec![Finding::new(source, 1, format!("`{room}` is not in the table of modules"))];
    };
    let list =
        if allowed.is_empty() { "none of the others".to_owned() } else { allowed.join(", ") };
    let mut found = targets(source);
    found.dedup();
    let foreign =
        found.iter().filter(|(_, target)| target != room && !allowed.contains(&target.as_str()));
    let says = |target: &str| format!("{room} may not use {target}; it may use {list}");
    let finding = |(line, target): &(usize, String)| Finding::new(source, *line, says(target));
    let mut findings: Vec<Finding> = foreign.map(finding).collect();
    if room != "app" && source.path != "src/bin/app.rs" {
        findings.extend(browser_crates(source, room));
    }
    findings
}

fn browser_crates(source: &Source, room: &str) -> Vec<Finding> {
    let named = |index: &usize| {
        source.word(*index).is_some_and(|word| BROWSER.contains(&word))
            && source.is_path_sign(index + 1)
    };
    let says = |index: usize| {
        let says = format!("{room} may not know a browser; that is for app alone");
        Finding::new(source, source.tokens[index].line, says)
    };
    (0..source.tokens.len()).filter(named).map(says).collect()
}

/// The module each path of the file leads to, with its line.
fn targets(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut module = module_path(&source.path);
    // The depth of braces at which each inline module opened.
    let mut inline: Vec<usize> = Vec::new();
    let mut depth = 0;
    let mut index = 0;
    while index < source.tokens.len() {
        if source.is(index, '{') {
            depth += 1;
        } else if source.is(index, '}') {
            depth -= 1;
            if inline.last() == Some(&depth) {
                inline.pop();
                module.pop();
            }
        } else if source.word(index) == Some("mod") && source.is(index + 2, '{') {
            inline.push(depth);
            module.push(source.word(index + 1).unwrap_or_default().to_owned());
        } else if starts_path(source, index) {
            index = follow(source, index, &[], &module, &mut found);
            continue;
        }
        index += 1;
    }
    found
}

fn starts_path(source: &Source, index: usize) -> bool {
    let inside = index >= 2 && source.is_path_sign(index - 2);
    matches!(source.word(index), Some("crate" | "super" | "self" | "netsplit"))
        && source.is_path_sign(index + 1)
        && !inside
}

/// Reads one path or tree of paths from `index` on, notes the module of each, and returns where
/// it ends.
fn follow(
    source: &Source,
    mut index: usize,
    before: &[String],
    module: &[String],
    found: &mut Vec<(usize, String)>,
) -> usize {
    let line = source.tokens[index].line;
    let mut path = before.to_vec();
    loop {
        if source.is(index, '{') {
            index += 1;
            while index < source.tokens.len() && !source.is(index, '}') {
                let next = follow(source, index, &path, module, found);
                index = if source.is(next, ',') { next + 1 } else { next.max(index + 1) };
            }
            return index + 1;
        }
        let Some(word) = source.word(index) else { return index };
        path.push(word.to_owned());
        index += 1;
        if !source.is_path_sign(index) {
            break;
        }
        index += 2;
    }
    found.extend(top(&path, module).map(|target| (line, target)));
    while source.word(index).is_some() {
        index += 1; // `as name`
    }
    index
}

/// The first module below the root that a path names, seen from `module`.
fn top(path: &[String], module: &[String]) -> Option<String> {
    let mut at = module.to_vec();
    for segment in path {
        match segment.as_str() {
            "crate" | "netsplit" => at.clear(),
            "super" => drop(at.pop()),
            "self" => {}
            name => at.push(name.to_owned()),
        }
    }
    at.into_iter().next()
}

/// `src/a/b.rs` is `a::b`; `src/a/mod.rs` is `a`.
fn module_path(path: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    if inside.starts_with("bin/") {
        return Vec::new();
    }
    inside.split('/').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Source::new(path, text)).iter().map(Finding::to_string).collect()
    }

    fn breaks(path: &str, text: &str, line: usize, target: &str) {
        let got = found(path, text);
        let start = format!("{path}:{line}: ");
        assert!(
            got.len() == 1 && got[0].starts_with(&start) && got[0].contains(target),
            "{text}: {got:?}"
        );
    }

    #[test]
    fn names_the_line_that_reaches_up() {
        breaks("src/sim/x.rs", "\nuse crate::protocol::client;\n", 2, "use protocol");
        breaks("src/sim/x.rs", "fn a() { crate::check::all(); }", 1, "use check");
        breaks(
            "src/base/x.rs",
            "use crate::{\n    base::id,\n    sim::{queue, World},\n};",
            3,
            "use sim",
        );
        breaks("src/base/x.rs", "use super::super::sim;", 1, "use sim");
        breaks("src/base/x.rs", "use super::{id, super::sim::World as W};", 1, "use sim");
        breaks("src/base/mod.rs", "mod t { use super::super::sim::World; }", 1, "use sim");
        breaks("src/app/x.rs", "use crate::sim::World;", 1, "use sim");
        breaks("src/bin/netsplit.rs", "use netsplit::app::App;", 1, "use app");
        breaks("src/sim/x.rs", "use leptos::prelude::*;", 1, "know a browser");
        breaks("src/elsewhere/x.rs", "", 1, "not in the table");
    }

    #[test]
    fn leaves_what_is_below_alone() {
        for (path, text) in [
            ("src/sim/x.rs", "use crate::base::{id::NodeId, time::{Span, Time}}; use super::y;"),
            ("src/protocol/policy/x.rs", "use super::super::rpc; pub(crate) fn f() {}"),
            ("src/base/x.rs", "mod tests { use super::*; use super::super::id; }"),
            ("src/sim/x.rs", "// crate::protocol\nconst A: &str = \"crate::app\";"),
            ("src/app/x.rs", "use crate::session::Session; use leptos::prelude::*;"),
            ("src/bin/app.rs", "use netsplit::app; fn main() { app::mount(); }"),
        ] {
            assert_eq!(found(path, text), [""; 0], "{text}");
        }
    }
}
