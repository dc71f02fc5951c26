//! Files no `mod` line leads to: dead code the compiler never sees.

use super::Finding;
use super::source::{Kind, Source};
use std::collections::{BTreeMap, BTreeSet};

/// Every Rust file that no target of Cargo.toml reaches.
pub fn unreachable(tree: &[Source]) -> Vec<Finding> {
    let by_path: BTreeMap<&str, &Source> =
        tree.iter().map(|source| (source.path.as_str(), source)).collect();
    let manifest = by_path.get("Cargo.toml").map_or("", |source| source.text.as_str());
    let mut left = vec!["src/lib.rs".to_owned(), "src/engine.rs".to_owned()];
    left.extend(target_paths(manifest));
    let roots: BTreeSet<String> = left.iter().cloned().collect();
    let mut reached = BTreeSet::new();
    while let Some(path) = left.pop() {
        if let Some(source) = by_path.get(path.as_str())
            && reached.insert(path.clone())
        {
            left.extend(children(source, roots.contains(&path)));
        }
    }
    let dead = |source: &&Source| source.path.ends_with(".rs") && !reached.contains(&source.path);
    let says = "no `mod` line leads here, so it is never compiled";
    tree.iter().filter(dead).map(|source| Finding::new(source, 1, says)).collect()
}

/// The `path = "….rs"` lines of the manifest.
fn target_paths(manifest: &str) -> impl Iterator<Item = String> {
    let value = |line: &str| line.strip_prefix("path = \"")?.strip_suffix('"').map(str::to_owned);
    manifest.lines().filter_map(value)
}

/// Where the `mod name;` lines of a file may lead.
fn children(source: &Source, root: bool) -> Vec<String> {
    let (folder, name) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let stem = name.trim_end_matches(".rs");
    let below = if root || stem == "mod" { folder.to_owned() } else { format!("{folder}/{stem}") };
    let mut found = Vec::new();
    let mut given: Option<String> = None;
    for (index, token) in source.tokens.iter().enumerate() {
        if let Kind::Text(path, _) = &token.kind
            && index > 3
            && source.is(index - 4, '#')
            && source.word(index - 2) == Some("path")
        {
            given = Some(joined(folder, path));
        }
        if source.word(index) == Some("mod") && source.is(index + 2, ';') {
            let child = source.word(index + 1).unwrap_or_default();
            match given.take() {
                Some(path) => found.push(path),
                None => {
                    found.push(format!("{below}/{child}.rs"));
                    found.push(format!("{below}/{child}/mod.rs"));
                }
            }
        }
    }
    found
}

/// `a/b` and `../c.rs` give `a/c.rs`.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_mod_line_is_dead() {
        let tree = [
            ("Cargo.toml", "[[test]]\npath = \"tests/t/main.rs\""),
            ("src/lib.rs", "pub mod a;\n// mod dead;"),
            ("src/a/mod.rs", "const A: B = f(path, \"x\"); const path: &str = \"y\"; mod b;"),
            ("src/a/b.rs", "mod c;"),
            ("src/a/b/c.rs", ""),
            ("src/dead.rs", ""),
            ("tests/t/main.rs", "#[path = \"../u/v.rs\"]\nmod v;\nmod w;"),
            ("tests/u/v.rs", ""),
            ("tests/t/w.rs", ""),
            ("tests/u/w.rs", ""),
        ]
        .map(|(path, text)| Source::new(path, text));
        let dead: Vec<String> =
            unreachable(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(dead, ["src/dead.rs", "tests/u/w.rs"]);
    }
}
