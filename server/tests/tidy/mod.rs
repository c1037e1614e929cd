//! The rules of the house that a compiler does not know.
//!
//! Each rule is a function from a file to findings; the tests here run all of them over the tree,
//! and the tests beside each rule plant a fault and see it found. A finding says where, which
//! rule, and what to do. `clippy` holds what it can (`Cargo.toml`, `.clippy.toml`) and is not
//! repeated here. Nothing is skipped by a comment in the code: where a rule is wrong, it is
//! changed, for everybody.

mod arrows;
mod packages;
mod sizes;
mod source;
mod tree;
mod words;

use source::Source;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A place that breaks a rule.
struct Finding {
    path: String,
    line: usize,
    /// Which rule is broken, and what to do.
    text: String,
}

impl Finding {
    fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// A file of the tree, by its path from the root.
struct File {
    path: String,
    text: String,
}

/// Folders that hold what was built or fetched, and no sources.
const SKIPPED_FOLDERS: [&str; 5] =
    [".git", "target", "node_modules", "test-results", "playwright-report"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every text file of the tree, in the order of their paths.
fn files() -> Vec<File> {
    let mut folders = vec![PathBuf::new()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(root().join(&folder));
        for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            let path = folder.join(entry.file_name());
            let skipped = SKIPPED_FOLDERS.iter().any(|it| entry.file_name() == *it);
            if skipped {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
                files.push(File { path: path.display().to_string(), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn rust_files() -> Vec<Source> {
    let is_rust = |file: &File| Path::new(&file.path).extension().is_some_and(|it| it == "rs");
    let mut sources: Vec<Source> =
        files().iter().filter(|it| is_rust(it)).map(|it| Source::new(&it.path, &it.text)).collect();
    let test_modules: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        let path = source.path.trim_end_matches(".rs");
        source.is_test |= test_modules.iter().any(|module| {
            path.strip_prefix(module.as_str())
                .is_some_and(|it| it.is_empty() || it.starts_with('/'))
        });
    }
    sources
}

#[track_caller]
fn assert_tidy(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
}

/// Runs a rule over one planted file and compares the lines that it finds.
#[track_caller]
fn check(rule: impl Fn(&Source) -> Vec<Finding>, path: &str, text: &str, lines: &[usize]) {
    let findings = rule(&Source::new(path, text));
    let seen: Vec<usize> = findings.iter().map(|it| it.line).collect();
    let said: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(seen, lines, "{path}:\n{text}\nfindings:\n{}", said.join("\n"));
}

#[test]
fn the_tree_has_sources() {
    assert!(rust_files().iter().any(|it| it.path == "src/lib.rs"), "{}", root().display());
}

#[test]
fn crates_and_modules_know_only_what_they_may() {
    assert_tidy(&rust_files().iter().flat_map(arrows::findings).collect::<Vec<_>>());
    assert_tidy(&files().iter().flat_map(arrows::manifest_findings).collect::<Vec<_>>());
}

#[test]
fn files_and_functions_are_short() {
    assert_tidy(&files().iter().flat_map(sizes::file_findings).collect::<Vec<_>>());
    assert_tidy(&rust_files().iter().flat_map(sizes::function_findings).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_over() {
    assert_tidy(&rust_files().iter().flat_map(words::leftover_findings).collect::<Vec<_>>());
}

#[test]
fn names_and_comments_say_something() {
    assert_tidy(&rust_files().iter().flat_map(words::name_findings).collect::<Vec<_>>());
    assert_tidy(&rust_files().iter().flat_map(words::phrase_findings).collect::<Vec<_>>());
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    assert_tidy(&files().iter().flat_map(words::place_findings).collect::<Vec<_>>());
}

#[test]
fn the_tree_has_its_shape() {
    assert_tidy(&files().iter().flat_map(tree::findings).collect::<Vec<_>>());
    assert_tidy(&tree::migration_findings(&files()));
}
