//! The rules of the house, as tests. Each names the file and the line that breaks it, and each is
//! tried on a snippet that must fail.
//!
//! To add one: a function from a [`Source`] to [`Finding`]s in a sibling file, a test here that
//! runs it over the tree, and a test beside it with a snippet that breaks it.

mod imports;
mod lines;
mod reach;
mod source;

use source::Source;
use std::fmt;
use std::path::{Path, PathBuf};

/// Something that is not as agreed, and where.
#[derive(Debug, PartialEq)]
pub struct Finding {
    path: String,
    line: usize,
    says: String,
}

impl Finding {
    fn new(source: &Source, line: usize, says: impl Into<String>) -> Finding {
        Finding { path: source.path.clone(), line, says: says.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.says)
    }
}

#[test]
fn modules_use_only_what_lies_below_them() {
    hold(imports::check);
}

#[test]
fn rust_lines_fit_a_hundred_columns() {
    hold(lines::too_wide);
}

#[test]
fn files_stay_readable_in_one_sitting() {
    hold(lines::too_long);
}

#[test]
fn things_are_named_where_they_live() {
    hold(lines::re_exports);
}

#[test]
fn nothing_is_put_off() {
    hold(lines::put_off);
}

#[test]
fn colours_come_from_the_tokens() {
    hold(lines::colours);
}

#[test]
fn no_path_of_one_machine() {
    hold(lines::machine_paths);
}

#[test]
fn every_file_is_compiled() {
    report(reach::unreachable(&tree()));
}

/// Runs a rule over every file of the tree.
fn hold(rule: fn(&Source) -> Vec<Finding>) {
    report(tree().iter().flat_map(rule).collect());
}

fn report(findings: Vec<Finding>) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

/// Every text file a person writes, by path.
fn tree() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    let sources: Vec<Source> = files
        .iter()
        .filter_map(|file| {
            let text = std::fs::read_to_string(file).ok()?;
            let path = file.strip_prefix(root).expect("collected below the root");
            Some(Source::new(&path.to_string_lossy().replace('\\', "/"), &text))
        })
        .collect();
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "the tree was not found");
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    const SKIPPED: [&str; 7] =
        [".git", ".tools", "target", "dist", "Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT"];
    for entry in std::fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        if SKIPPED.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
