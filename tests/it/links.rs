//! Links that were ever given out open for ever, and mean what they meant.

use netsplit::scenario::link::{ENGINE, Opened, encode, open};

/// One link a line: the preset, what stands after `#`, what it must open. New lines are added at
/// the end; no line is ever changed.
const LINKS: &str = include_str!("../links/for-ever.txt");

/// What a link opens, in a line: the pairs that lead there again. A scenario that starts from no
/// preset is told by a checksum of all that it says; what it leaves unsaid is a default of the
/// format, and those are frozen by a test of their own.
fn summary(opened: &Opened) -> String {
    // Lines that name no engine were written when there was one only.
    let opened = Opened { engine: opened.engine.or(Some(1)), ..opened.clone() };
    let (_, fragment) = encode(&opened);
    if opened.preset.is_some() {
        return fragment;
    }
    let said = serde_json::to_string(&opened.scenario).expect("a scenario is JSON");
    let sum = said.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let rest: Vec<&str> = fragment.split('&').filter(|pair| !pair.starts_with("z=")).collect();
    format!("{sum:016x} {}", rest.join("&"))
}

#[test]
fn old_links_open_for_ever() {
    let lines = LINKS.lines().filter(|line| !line.is_empty() && !line.starts_with("//"));
    let (mut count, mut changed) = (0, Vec::new());
    for line in lines {
        let parts: Vec<&str> = line.split(" | ").collect();
        let [preset, fragment, expected] = parts.as_slice() else { panic!("not a link: {line}") };
        let (opened, mut problems) = open(Some(preset), fragment);
        if opened.engine.is_some_and(|engine| engine < ENGINE) {
            // Said, and no more than that: everything else means what it meant.
            assert!(problems.problems.iter().any(|problem| problem.path == "v"), "{line}");
            problems.problems.retain(|problem| problem.path != "v");
        }
        assert!(problems.is_empty(), "{line}\n{problems}");
        let asked = Some(*preset).filter(|preset| *preset != "custom");
        assert_eq!(opened.preset.as_deref(), asked, "{line}");
        let now = summary(&opened);
        if now != *expected {
            changed.push(format!("{line}\n  opens {now}"));
        }
        count += 1;
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
    assert!(count >= 15, "only {count} links were found");
}

#[test]
fn a_command_says_what_to_do_with_a_link_that_starts_from_a_file_elsewhere() {
    let link = "/s/retry-storm/#src=https:%2F%2Fexample.org%2Fshop.json&seed=4";
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_netsplit"));
    let answer = command.args(["run", link]).output().expect("the command that was just built");
    let said = String::from_utf8_lossy(&answer.stderr);
    assert_eq!(answer.status.code(), Some(2), "{said}");
    assert!(answer.stdout.is_empty(), "nothing else is run in its place");
    assert!(said.contains("save \"https://example.org/shop.json\""), "{said}");
}
