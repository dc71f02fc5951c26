//! Rules that look at the lines of one file.

use super::Finding;
use super::source::{Kind, Source, Token};

const COLUMNS: usize = 100;

/// Rust lines wider than a hundred columns, not counting what stands in strings: neither a path of
/// an icon nor a sentence is easier to read in pieces.
pub fn too_wide(source: &Source) -> Vec<Finding> {
    if !source.path.ends_with(".rs") {
        return Vec::new();
    }
    let finding = |(number, line): (usize, &str)| {
        let width = line.chars().count();
        if width <= COLUMNS {
            return None;
        }
        let code = width.saturating_sub(text_width(source, number, width));
        let says = format!("{code} columns; at most {COLUMNS}");
        (code > COLUMNS).then(|| Finding::new(source, number, says))
    };
    source.lines().filter_map(finding).collect()
}

/// How many columns of a line stand in strings.
fn text_width(source: &Source, number: usize, width: usize) -> usize {
    let inside = |token: &Token| match &token.kind {
        Kind::Text(_, end) if token.line < number && number <= *end => width,
        Kind::Text(text, _) if token.line == number => {
            text.lines().next().unwrap_or_default().chars().count()
        }
        Kind::Text(..) | Kind::Word(_) | Kind::Sign(_) => 0,
    };
    source.tokens.iter().map(inside).sum()
}

/// Files with more code than a reader holds in mind. Docs and tests beside the code are free.
pub fn too_long(source: &Source) -> Vec<Finding> {
    let cap = match source.path.as_str() {
        path if !path.ends_with(".rs") => return Vec::new(),
        path if path.starts_with("src/app/") && !path.ends_with("tests.rs") => 300,
        _ => 500,
    };
    let tests = source.test_modules();
    let counts = |(number, line): &(usize, &str)| {
        let line = line.trim_start();
        let doc = line.starts_with("///") || line.starts_with("//!");
        !doc && !tests.iter().any(|(first, last)| (first..=last).contains(&number))
    };
    let count = source.lines().filter(counts).count();
    let says = || format!("{count} lines without docs and tests; at most {cap}, so split it");
    if count > cap { vec![Finding::new(source, 1, says())] } else { Vec::new() }
}

/// `pub use` outside `lib.rs`: a name has one home.
pub fn re_exports(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.path.starts_with("src/") || source.path == "src/lib.rs" {
        return findings;
    }
    for index in 0..source.tokens.len() {
        // `pub use`, or `pub(crate) use`.
        let after = if source.is(index + 1, '(') { index + 4 } else { index + 1 };
        if source.word(index) == Some("pub") && source.word(after) == Some("use") {
            let says = "a re-export; let people name it where it lives";
            findings.push(Finding::new(source, source.tokens[index].line, says));
        }
    }
    findings
}

/// Notes to do something later.
pub fn put_off(source: &Source) -> Vec<Finding> {
    let marks = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];
    let holds = |line: &str| words(line).any(|word| marks.contains(&word));
    let finding = |(number, _)| Finding::new(source, number, "do it now, or say why it is so");
    source.lines().filter(|(_, line)| holds(line)).map(finding).collect()
}

/// Colours written out anywhere but in the tokens.
pub fn colours(source: &Source) -> Vec<Finding> {
    let says = "a literal colour; give it a name in style/tokens.css and use that";
    if source.path.ends_with(".css") && source.path != "style/tokens.css" {
        let text = without_css_comments(&source.text);
        let coloured = |(_, line): &(usize, &str)| has_colour(line) || has_colour_name(line);
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(coloured).map(|(line, _)| Finding::new(source, line, says)).collect()
    } else if source.path.starts_with("src/") {
        let coloured = source.tokens.iter().filter(|token| match &token.kind {
            Kind::Text(text, _) => has_colour(text),
            Kind::Word(_) | Kind::Sign(_) => false,
        });
        coloured.map(|token| Finding::new(source, token.line, says)).collect()
    } else {
        Vec::new()
    }
}

/// `#a1b2c3`, or a call such as `rgb(…)`.
fn has_colour(text: &str) -> bool {
    const CALLS: [&str; 10] =
        ["rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch", "color"];
    let called = text.match_indices('(').any(|(at, _)| {
        let word = words(&text[..at]).last().unwrap_or_default();
        text[..at].ends_with(word) && CALLS.contains(&word)
    });
    let hex = text.match_indices('#').any(|(at, _)| {
        let word = words(&text[at + 1..]).next().unwrap_or_default();
        let digits = word.chars().all(|c| c.is_ascii_hexdigit());
        text[at + 1..].starts_with(word) && digits && matches!(word.len(), 3 | 4 | 6 | 8)
    });
    called || hex
}

/// A property whose value names a colour: `color: red`.
fn has_colour_name(line: &str) -> bool {
    const NAMES: [&str; 16] = [
        "black", "white", "gray", "grey", "red", "green", "blue", "yellow", "orange", "purple",
        "pink", "brown", "cyan", "magenta", "silver", "navy",
    ];
    let value = line.split_once(':').map_or("", |(_, value)| value);
    words(value).any(|word| NAMES.contains(&word))
}

fn without_css_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        let (comment, next) = after.split_once("*/").unwrap_or((after, ""));
        kept.push_str(before);
        kept.extend(comment.chars().filter(|&c| c == '\n'));
        rest = next;
    }
    kept + rest
}

/// Absolute paths that exist on one machine only.
pub fn machine_paths(source: &Source) -> Vec<Finding> {
    let roots =
        [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/t", "mp/"), concat!("/ho", "me/")];
    let starts = |line: &str, root: &str| {
        line.match_indices(root).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '}' | ')'))
        })
    };
    let holds = |line: &str| roots.iter().any(|root| starts(line, root));
    let finding = |(number, _)| Finding::new(source, number, "a path of one machine");
    source.lines().filter(|(_, line)| holds(line)).map(finding).collect()
}

/// Runs of letters, digits, `_` and `-`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines at which a rule finds something.
    fn lines(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        rule(&Source::new(path, text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn width_counts_code_and_forgives_text() {
        let long = "x".repeat(101);
        assert_eq!(lines(too_wide, "src/a.rs", &format!("\n// {long}")), [2]);
        assert_eq!(lines(too_wide, "src/a.rs", &format!("let {long} = \"a\";")), [1]);
        assert_eq!(lines(too_wide, "src/a.rs", &format!("let a = \"{long}\";")), [0; 0]);
        assert_eq!(lines(too_wide, "src/a.rs", &"é".repeat(100)), [0; 0]);
        assert_eq!(lines(too_wide, "src/a.rs", &format!("f(\n    \"{long}\",\n)")), [0; 0]);
        assert_eq!(lines(too_wide, "src/a.rs", &format!("f(r\"\n{long}\n\")")), [0; 0]);
        assert_eq!(lines(too_wide, "README.md", &long), [0; 0]);
    }

    #[test]
    fn length_leaves_docs_and_tests_out() {
        let code = "fn a() {}\n".repeat(301);
        assert_eq!(lines(too_long, "src/app/a.rs", &code), [1]);
        assert_eq!(lines(too_long, "src/sim/a.rs", &code), [0; 0]);
        assert_eq!(lines(too_long, "src/sim/a.rs", &code.repeat(2)), [1]);
        let docs = "/// What it is.\n".repeat(400);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
        assert_eq!(lines(too_long, "src/app/a.rs", &(docs + "fn a() {}\n" + &tests)), [0; 0]);
    }

    #[test]
    fn re_exports_have_no_place_but_the_root() {
        assert_eq!(lines(re_exports, "src/a.rs", "use b::C;\npub use b::D;"), [2]);
        assert_eq!(lines(re_exports, "src/a.rs", "pub(crate) use b::D;"), [1]);
        assert_eq!(lines(re_exports, "src/lib.rs", "pub use b::D;"), [0; 0]);
    }

    #[test]
    fn marks_of_unfinished_work_are_seen() {
        assert_eq!(lines(put_off, "a.css", concat!("/* FIX", "ME: x */\nfixme_later")), [1]);
        assert_eq!(lines(put_off, "src/a.rs", concat!("\n// TO", "DO(me)")), [2]);
    }

    #[test]
    fn colours_are_seen_in_styles_and_in_strings() {
        for bad in ["a { color: #fff; }", "a { border: 1px solid red }", "a { fill: rgb(1 2 3) }"] {
            assert_eq!(lines(colours, "style/a.css", &format!("\n{bad}")), [2], "{bad}");
            assert_eq!(lines(colours, "style/tokens.css", bad), [0; 0], "{bad}");
        }
        assert_eq!(lines(colours, "src/a.rs", "let a = \"#a1b2c3\";"), [1]);
        assert_eq!(lines(colours, "src/a.rs", "f(\n\"oklch(0.7 0.1 200)\")"), [2]);
        for good in [
            "/* a red\nherring: #fff */",
            "a { white-space: pre; color: var(--ink) }",
            "#stage { color: color-mix(in oklch, var(--red), transparent) }",
            "a:hover { background: currentColor }",
        ] {
            assert_eq!(lines(colours, "style/a.css", good), [0; 0], "{good}");
        }
        assert_eq!(lines(colours, "src/a.rs", "// #fff\nf(\"#faults\", \"{:#x}\")"), [0; 0]);
    }

    #[test]
    fn paths_of_a_machine_are_seen() {
        assert_eq!(lines(machine_paths, "README.md", concat!("\nsee /ro", "ot/x")), [2]);
        assert_eq!(
            lines(machine_paths, "README.md", concat!("src/wo", "rk/x and ~/t", "mp/x")),
            [1]
        );
        assert_eq!(lines(machine_paths, "README.md", concat!("src/wo", "rk/x")), [0; 0]);
    }
}
