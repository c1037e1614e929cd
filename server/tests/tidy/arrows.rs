//! Who may know whom: `src` ← `app` ← `server`, and between the modules of `server`.
//!
//! The words that a crate may not use and the table of modules are the whole rule. A module that
//! is not in the table is a finding, so that a new one gets its row on the day that it comes.

use super::{
    File, Finding,
    source::{Source, lines_with},
};

/// What the code under a folder may not name, and why.
const FORBIDDEN_WORDS: [(&str, &[&str], &str); 3] = [
    (
        "src/",
        &[
            "async fn",
            "axum",
            "chrono",
            "diesel",
            "drover_app",
            "drover_server",
            "getrandom",
            "HashMap",
            "HashSet",
            "Instant",
            "leptos",
            "octocrab",
            "rand",
            "reqwest",
            "std::env",
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "SystemTime",
            "tokio",
        ],
        "the domain is pure: take what you need as an argument, or decide in `src` and act in \
         `server`; ordered maps make runs repeat exactly",
    ),
    (
        "app/src/",
        &[
            "chrono",
            "diesel",
            "diesel_async",
            "drover_server",
            "octocrab",
            "reqwest",
            "std::env",
            "std::fs",
            "std::net",
            "std::process",
            "tokio",
        ],
        "`app` shows pages; ask for what they need in the trait `Backend`",
    ),
    (
        "end2end/github/src/",
        &["drover", "drover_app", "drover_server"],
        "the stand-in behaves like GitHub and so knows nothing of Drover",
    ),
];

/// The packages that the manifest of a crate may not ask for, except for its tests.
const FORBIDDEN_PACKAGES: [(&str, &[&str]); 3] = [
    ("Cargo.toml", &["axum", "chrono", "diesel", "leptos", "octocrab", "rand", "reqwest", "tokio"]),
    ("app/Cargo.toml", &["chrono", "diesel", "diesel-async", "drover-server", "octocrab", "tokio"]),
    ("end2end/github/Cargo.toml", &["drover", "drover-app", "drover-server"]),
];

/// The modules of `server`, and what each of them may use; `clock` and `secret` are for all.
const SERVER_ARROWS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("secret", &[]),
    ("git", &[]),
    ("executor", &[]),
    ("postgres", &[]),
    ("markdown", &[]),
    ("code_host", &[]),
    ("store", &[]),
    ("api", &[]),
    ("cli", &["api"]),
    ("highlight", &[]),
    ("diff_view", &["git", "highlight"]),
    ("jobs", &["store"]),
    ("hosts", &["code_host", "git", "store"]),
    ("work_dir", &["git"]),
    ("config", &["cli", "code_host", "executor", "git", "hosts", "store"]),
    ("state", &["config", "executor", "git", "hosts", "jobs", "store", "work_dir"]),
    ("accounts", &["state", "store"]),
    ("look", &["code_host", "hosts", "state", "store"]),
    ("commands", &["hosts", "jobs", "look", "state", "store"]),
    (
        "handlers",
        &["code_host", "commands", "executor", "git", "hosts", "jobs", "look", "state", "store"],
    ),
    ("ui", &["accounts", "commands", "diff_view", "git", "markdown", "state", "store"]),
    // The router, which knows every door.
    ("web", &["accounts", "api", "commands", "config", "jobs", "state", "store", "ui"]),
    // They put the house together: they start everything, and nothing may use them.
    ("serve", &["*"]),
    ("demo", &["*"]),
];

/// What every module of `server` may use.
const FOR_ALL: [&str; 2] = ["clock", "secret"];

/// The arrows of one file that are not allowed.
pub(super) fn findings(source: &Source) -> Vec<Finding> {
    let mut findings = forbidden_words(source);
    findings.extend(server_arrows(source));
    findings
}

/// Programs that lie beside the pure code that they drive; they read clocks and write files.
const PROGRAMS: [&str; 1] = ["src/merge_queue/simulation/program/"];

fn forbidden_words(source: &Source) -> Vec<Finding> {
    if PROGRAMS.iter().any(|program| source.path.starts_with(program)) {
        return Vec::new();
    }
    let code = source.product_code();
    let mut findings = Vec::new();
    for (folder, words, cure) in FORBIDDEN_WORDS {
        for word in words.iter().filter(|_| source.path.starts_with(folder)) {
            for (line, _) in lines_with(&code, word) {
                let text = format!("`{word}` is not for `{folder}`: {cure}");
                findings.push(Finding::new(&source.path, line, text));
            }
        }
    }
    findings
}

/// The packages of a manifest that its crate may not know.
pub(super) fn manifest_findings(file: &File) -> Vec<Finding> {
    let Some((_, forbidden)) = FORBIDDEN_PACKAGES.iter().find(|(path, _)| *path == file.path)
    else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let mut section = "";
    for (index, line) in file.text.lines().enumerate() {
        if line.starts_with('[') {
            section = line;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        let asks = section.contains("dependencies")
            && !section.contains("workspace")
            && !section.contains("dev-dependencies");
        if asks && forbidden.contains(&name) {
            let text = format!("the package `{name}` is not for this crate; see `tidy/arrows.rs`");
            findings.push(Finding::new(&file.path, index + 1, text));
        }
    }
    findings
}

fn server_arrows(source: &Source) -> Vec<Finding> {
    let Some(module) = server_module(&source.path) else { return Vec::new() };
    let Some((_, allowed)) = SERVER_ARROWS.iter().find(|(name, _)| *name == module) else {
        let text = format!("module `{module}` has no row in the table of `tidy/arrows.rs`: add it");
        return vec![Finding::new(&source.path, 1, text)];
    };
    let may = |used: &str| {
        used == module || allowed.contains(&used) || allowed == &["*"] || FOR_ALL.contains(&used)
    };
    used_modules(&source.product_code(), &source.path)
        .into_iter()
        .filter(|(_, used)| !may(used))
        .map(|(line, used)| {
            let text = format!(
                "`{module}` may not use `{used}`: let the caller hand over what is needed, or \
                 change the table in `tidy/arrows.rs` and say why"
            );
            Finding::new(&source.path, line, text)
        })
        .collect()
}

/// The module of `server` that a path belongs to; none for the files that list the modules.
fn server_module(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("server/src/")?;
    let module = inner.split('/').next()?.trim_end_matches(".rs");
    (!matches!(module, "lib" | "main" | "bin")).then_some(module)
}

/// The modules at the root of the crate that a file names, each with its line.
fn used_modules(code: &str, path: &str) -> Vec<(usize, String)> {
    let depth = path.trim_end_matches("/mod.rs").matches('/').count() - 1;
    let to_root = "super::".repeat(depth);
    let mut used = Vec::new();
    for prefix in ["crate::", &to_root] {
        for (at, _) in code.match_indices(prefix) {
            let joined = code[..at].chars().next_back().is_some_and(|it| it == ':' || it == '$');
            let line = code[..at].matches('\n').count() + 1;
            if !joined {
                let names = names_of(&code[at + prefix.len()..]);
                used.extend(names.into_iter().map(|name| (line, name)));
            }
        }
    }
    // Names with a capital are what `lib.rs` defines itself.
    used.retain(|(_, name)| {
        name.starts_with(|it: char| it.is_ascii_lowercase()) && name != "super"
    });
    used.sort();
    used.dedup();
    used
}

/// The first names of a path or of a group of paths: `a::b` or `{a, b::{c, d}}`.
fn names_of(rest: &str) -> Vec<String> {
    let is_name = |it: &char| it.is_alphanumeric() || *it == '_';
    if !rest.starts_with('{') {
        return vec![rest.chars().take_while(is_name).collect()];
    }
    let (mut names, mut depth, mut first) = (Vec::new(), 0_u32, String::new());
    for char in rest.chars() {
        match char {
            '{' => depth += 1,
            '}' | ',' if depth == 1 => names.push(std::mem::take(&mut first).trim().to_owned()),
            _ if depth == 1 => first.push(char),
            _ => {}
        }
        if char == '}' {
            depth -= 1;
            if depth == 0 {
                break;
            }
        }
    }
    names.iter().filter_map(|it| it.split("::").next()).map(ToOwned::to_owned).collect()
}

mod tests {
    use super::super::{File, check};
    use super::{findings, manifest_findings};

    #[test]
    fn the_domain_has_no_clock_and_no_world() {
        check(findings, "src/a.rs", "fn a(brand: u8) {}\nuse std::fs;", &[2]);
        check(findings, "src/a.rs", "let now = SystemTime::now();", &[1]);
        check(findings, "src/a.rs", "// tokio\n\"tokio\"", &[]);
        check(findings, "src/a.rs", "#[cfg(test)]\nmod tests { use std::fs; }", &[]);
    }

    #[test]
    fn pages_and_the_stand_in_know_their_place() {
        check(findings, "app/src/pages/a.rs", "use diesel::prelude::*;", &[1]);
        check(findings, "end2end/github/src/a.rs", "use drover::names::RepoName;", &[1]);
    }

    #[test]
    fn a_module_of_the_server_uses_what_its_row_allows() {
        let store = "server/src/store/jobs.rs";
        check(findings, store, "use crate::clock::Clock;\nuse crate::code_host::Host;", &[2]);
        check(findings, store, "use crate::{clock, store::{a, git}, git::Mirror};", &[1]);
        check(findings, store, "use super::super::git;\nuse super::git;", &[1]);
        check(findings, "server/src/web/a.rs", "fn a() {\n  crate::git::run()\n}", &[2]);
        check(findings, "server/src/serve.rs", "use crate::{git, store};", &[]);
        check(findings, "server/src/commands.rs", "use crate::{store, web};", &[1]);
    }

    #[test]
    fn a_module_without_a_row_is_found() {
        check(findings, "server/src/novelty/mod.rs", "", &[1]);
        check(findings, "server/src/lib.rs", "pub mod store;", &[]);
    }

    #[test]
    fn a_manifest_asks_for_nothing_forbidden() {
        let text = "[workspace.dependencies]\ntokio = \"1\"\n[dev-dependencies]\ntokio = \"1\"\n[dependencies]\ntokio.workspace = true";
        let found = manifest_findings(&File { path: "Cargo.toml".into(), text: text.into() });
        assert_eq!(found.iter().map(|it| it.line).collect::<Vec<_>>(), [6]);
    }
}
