//! Words that are left over, say nothing, or name a place that only one machine has.

use super::{
    File, Finding,
    source::{Source, lines_with},
};

/// What is written while working and not meant to stay, and what to do instead.
const LEFTOVERS: [(&str, &str); 7] = [
    ("todo!", "do it, or open an issue and leave it out"),
    ("unimplemented!", "do it, or open an issue and leave it out"),
    ("dbg!", "remove it"),
    (".unwrap()", "return the error, or match"),
    ("panic!", "return an error; `assert!` is for our own mistakes"),
    ("#[ignore]", "mend the test, or say in the attribute why it is not run"),
    ("#[should_panic", "return an error and compare it"),
];

/// Marks of unfinished work, in a comment.
const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// Parts of names that do not tell what the thing is for.
const WEAK_NAMES: [&str; 13] = [
    "common",
    "dto",
    "factory",
    "handler2",
    "helper",
    "helpers",
    "legacy",
    "manager",
    "misc",
    "stuff",
    "util",
    "utilities",
    "utils",
];

/// What comments say when they say nothing, or what texts say when they help nobody.
const WEAK_PHRASES: [&str; 10] = [
    "comprehensive",
    "for now",
    "invalid input",
    "just in case",
    "robust",
    "should work",
    "simply",
    "something went wrong",
    "temporary hack",
    "unexpected error",
];

/// Hosts of package registries, in two parts, so that this list names none of them itself: they
/// differ from machine to machine, and only lock files may know them.
const HOSTS: [(&str, &str); 7] = [
    ("crates.io", "/api"),
    ("deb.", "debian.org"),
    ("index.", "crates.io"),
    ("pypi", ".org"),
    ("registry.", "npmjs.org"),
    ("static.", "crates.io"),
    ("static.", "rust-lang.org"),
];
/// Folders of one machine, in two parts for the same reason.
const FOLDERS: [(&str, &str); 2] = [("/root", "/."), ("/work", "/")];

/// The folder of the rules, which has to name what it forbids.
const RULES: &str = "server/tests/tidy/";

pub(super) fn leftover_findings(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let code = source.product_code();
    for (word, cure) in LEFTOVERS {
        let text = if word.starts_with("#[") { &source.code } else { &code };
        for (line, _) in lines_with(text, word) {
            findings.push(Finding::new(&source.path, line, format!("`{word}`: {cure}")));
        }
    }
    for mark in MARKS.iter().filter(|_| !source.path.starts_with(RULES)) {
        for (line, _) in lines_with(&source.comments, mark) {
            let text = format!("`{mark}`: do it, or open an issue and leave it out");
            findings.push(Finding::new(&source.path, line, text));
        }
    }
    findings
}

/// Weak words in the names that a file gives, and in its own name.
pub(super) fn name_findings(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let stem = source.path.trim_end_matches(".rs").split('/').collect::<Vec<_>>();
    let names = stem.iter().map(|it| (1, *it)).chain(defined_names(&source.code));
    for (line, name) in names {
        for word in parts(name).filter(|it| WEAK_NAMES.contains(&it.as_str())) {
            let text = format!("`{word}` in `{name}` tells nothing: name what it is for");
            findings.push(Finding::new(&source.path, line, text));
        }
    }
    findings
}

/// The names that follow a keyword which gives a name, with their lines.
fn defined_names(code: &str) -> impl Iterator<Item = (usize, &str)> {
    const KEYWORDS: [&str; 9] =
        ["const", "enum", "fn", "let", "mod", "static", "struct", "trait", "type"];
    let is_end = |it: char| !(it.is_alphanumeric() || it == '_');
    code.lines().enumerate().flat_map(move |(index, line)| {
        let mut words = line.split(is_end).filter(|it| !it.is_empty() && *it != "mut");
        let mut names = Vec::new();
        while let Some(word) = words.next() {
            if KEYWORDS.contains(&word) {
                names.extend(words.next().map(|name| (index + 1, name)));
            }
        }
        names
    })
}

/// The words that a name is made of: `PoolManager` and `pool_manager` are `pool` and `manager`.
fn parts(name: &str) -> impl Iterator<Item = String> {
    let mut spread = String::new();
    for char in name.chars() {
        if char.is_uppercase() {
            spread.push('_');
        }
        spread.extend(char.to_lowercase());
    }
    spread.split('_').map(ToOwned::to_owned).collect::<Vec<_>>().into_iter()
}

pub(super) fn phrase_findings(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in [&source.comments, &source.strings] {
        let text = text.to_lowercase();
        for phrase in WEAK_PHRASES.iter().filter(|_| !source.path.starts_with(RULES)) {
            for (line, _) in lines_with(&text, phrase) {
                let text = format!("`{phrase}`: say what, which, and what to do, or leave it out");
                findings.push(Finding::new(&source.path, line, text));
            }
        }
    }
    findings
}

pub(super) fn place_findings(file: &File) -> Vec<Finding> {
    let places = HOSTS.into_iter().chain(FOLDERS).map(|(start, end)| format!("{start}{end}"));
    let mut findings = Vec::new();
    for place in places {
        for (index, _) in file.text.lines().enumerate().filter(|(_, line)| line.contains(&place)) {
            let text =
                format!("`{place}` is a place that others do not have: take it as a setting");
            findings.push(Finding::new(&file.path, index + 1, text));
        }
    }
    findings
}

mod tests {
    use super::super::{File, check};
    use super::{leftover_findings, name_findings, phrase_findings, place_findings};

    #[test]
    fn leftovers_are_found_outside_of_tests() {
        check(leftover_findings, "src/a.rs", "a.unwrap();\nb.unwrap_or(1);", &[1]);
        check(leftover_findings, "src/a.rs", "#[test]\nfn a() { b.unwrap(); }", &[]);
        check(
            leftover_findings,
            "server/tests/a.rs",
            "a.unwrap();\n#[ignore]\n#[ignore = \"b\"]",
            &[2],
        );
        check(leftover_findings, "src/a.rs", "// TODO: b\nlet s = \"TODO\";", &[1]);
    }

    #[test]
    fn weak_names_are_found_where_they_are_given() {
        check(name_findings, "src/a.rs", "struct PoolManager;\nuse x::PoolManager;", &[1]);
        check(name_findings, "src/a.rs", "fn a() { let mut my_helper = 1; }", &[1]);
        check(name_findings, "src/utils.rs", "", &[1]);
        check(name_findings, "src/a.rs", "fn community() {}", &[]);
    }

    #[test]
    fn weak_phrases_are_found_in_comments_and_texts() {
        check(phrase_findings, "src/a.rs", "// Works for now.\nlet for_now = 1;", &[1]);
        check(phrase_findings, "app/src/a.rs", "\"Something went wrong\"", &[1]);
    }

    #[test]
    fn places_of_one_machine_are_found() {
        let lines =
            |text: &str| place_findings(&File { path: "a".into(), text: text.into() }).len();
        assert_eq!(lines(&format!("cd {}/x", "/work")), 1);
        assert_eq!(lines("mount at /workspace/repository"), 0);
        assert_eq!(lines(&format!("curl registry.{}", "npmjs.org")), 1);
    }
}
