//! Texts that mean harm, and texts with random damage: no panic, and every refusal is a problem
//! with a place, a message and, for the text as a whole, a hint.

use super::{CampaignSpec, limits::PROBLEMS_MAX, render_problems};
use crate::{campaign::SAMPLE, random::Random};
use std::time::{Duration, Instant};

/// Parses and renders; whatever is said must be fit to be shown.
fn survive(bytes: &[u8]) {
    let Err(problems) = CampaignSpec::parse(bytes) else { return };
    let text = String::from_utf8_lossy(bytes);
    assert!(!problems.is_empty() && problems.len() <= PROBLEMS_MAX + 1);
    for problem in &problems {
        assert!(problem.line >= 1 && problem.column >= 1, "{problem:?}");
        assert!(!problem.message.is_empty() && problem.message.len() < 1_000, "{problem:?}");
        assert!(!problem.message.contains(['\n', '\u{1b}', '\0']), "{problem:?}");
    }
    let shown = render_problems(&text, &problems, "spec.yaml");
    assert!(!shown.contains(['\u{1b}', '\0', '\u{202e}']), "{shown:?}");
}

/// Texts that stand where a spec has one.
const SCALARS: &[&str] = &[
    "''",
    "\"\"",
    "~",
    "null",
    "[]",
    "{}",
    "[[]]",
    "{a: b}",
    "1",
    "-1",
    "0x10",
    "0o7",
    "1e999",
    ".nan",
    ".inf",
    "-.inf",
    "1_000",
    "true",
    "no",
    "on",
    "2001-12-14",
    "12:30:45",
    "99999999999999999999999999999999",
    "\"\\0\"",
    "\"\\x1b[31mred\"",
    "\"\\u202eevil\"",
    "\"a\\nb\"",
    "\"\\ud800\"",
    "'\u{feff}'",
    "\u{85}",
    "\u{2028}",
    "\u{200b}",
    "ünï",
    "日本",
    "🦀",
    "../../etc/passwd",
    "/",
    "//",
    "a/b/c",
    "-rf",
    "--upload-pack=x",
    "$(id)",
    "`id`",
    "; id",
    "ext::sh -c id",
    "a\\b",
    "%00",
    "<script>alert(1)</script>",
    "${{ secrets }}",
    "${HOME}",
    "{{ x }}",
    "!!binary aGk=",
    "!!python/object x",
    "!include x",
    "!!int x",
    "!!float x",
    "!!null x",
    "!!map x",
    "!!seq x",
    "!!set {a}",
    "!!str 1",
    "!<tag:x> y",
    "!",
    "!!",
    "&a x",
    "*a",
    "&a *a",
    "&a [*a]",
    "<<",
    "=",
    "? x",
    "? [a, b]",
    "|",
    ">",
    "|9\n   x",
    "|-\n  x",
    ">+\n  x\n\n",
    "[",
    "]",
    "{",
    "}",
    "[a",
    "{a: b",
    "{a: b, a: c}",
    "{? : }",
    "[,]",
    "\"",
    "'",
    "'a''b'",
    "\"a",
    "%YAML 1.1",
    "%TAG ! x",
    "---",
    "...",
    "--- a\n--- b",
    "@x",
    "%x",
    "- a",
    "a: b: c",
    "\ta",
    "a #b",
    "#",
    "refs/heads/x",
    "HEAD",
    "@",
    "x.lock",
    ".git",
    "a..b",
];

/// Shapes that are too much of something.
fn shapes() -> Vec<String> {
    let nested = |open: &str, count: usize| format!("name: {}", open.repeat(count));
    let mut shapes: Vec<String> = [1, 31, 32, 33, 255, 256, 1_000, 100_000]
        .into_iter()
        .flat_map(|count| [nested("[", count), nested("{a: ", count), nested("- ", count)])
        .collect();
    let deep = |count: usize| (0..count).map(|it| format!("{}a:\n", " ".repeat(it))).collect();
    shapes.extend([10, 32, 33, 64, 500].map(deep));
    shapes.extend([
        "[".to_owned() + &"a,".repeat(200_000) + "]",
        "a: ".to_owned() + &"x".repeat(300_000),
        "k".repeat(5_000) + ": x",
        "? ".repeat(2_000),
        "- ".repeat(2_000) + "x",
        "&a ".repeat(500),
        "a: &a x\n".repeat(200),
        "name: x\n".repeat(2_000),
        "<<: {a: b}\n".repeat(200),
        "a: &a {x: y}\n".to_owned() + &"b: {<<: *a}\n".repeat(60),
        "---\n".repeat(5_000),
        "#".repeat(500_000),
        "\n".repeat(500_000),
        " ".repeat(500_000),
        "\"".to_owned() + &"\\u0041".repeat(50_000) + "\"",
        "%TAG !a! tag:x:\n".repeat(100) + "--- x",
        "\u{0}".repeat(100),
        "\r".repeat(1_000),
        "on: {repository: a/b}\nsteps: {run: x}\nname: [x]\nchangesetTemplate: [x]\n".to_owned(),
        "1: 2\ntrue: x\n~: y\n[a]: b\n{c: d}: e\n".to_owned(),
        "1: a\n0x1: b\n1: c\n".to_owned(),
        bomb(9, 9),
        bomb(50, 2),
        alias_chain(49),
    ]);
    shapes
}

/// Each level stands for several of the level before: "a billion laughs".
fn bomb(levels: usize, width: usize) -> String {
    let level =
        |it: usize| format!("a{}: &a{} [{}]\n", it + 1, it + 1, format!("*a{it},").repeat(width));
    "a0: &a0 [x]\n".to_owned() + &(0..levels).map(level).collect::<String>()
}

fn alias_chain(length: usize) -> String {
    let link = |it: usize| format!("a{}: &a{} [[[[[*a{it}]]]]]\n", it + 1, it + 1);
    "a0: &a0 [x]\n".to_owned() + &(0..length).map(link).collect::<String>()
}

/// Bytes that are no text.
const BYTES: &[&[u8]] = &[
    b"\xff",
    b"\xc0\x80",
    b"name: \xed\xa0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xff\xfe",
    b"\xfe\xff\0a",
    b"a\xe2\x82",
    b"\xef\xbb\xbf",
    b"\xef\xbb\xbf\xef\xbb\xbf",
    b"\0",
    b"\0\0\0n",
    b"\x7f",
    b"\x1b[2J",
];

#[test]
fn no_hostile_text_gets_through_or_panics() {
    let places = [
        "@",
        "name: @",
        "on: @",
        "on: [@]",
        "on: [{repository: @}]",
        "steps: [{run: @}]",
        "on: [{repositoriesMatchingQuery: @}]",
        "steps: [{run: a, env: {A: @}}]",
        "@: x",
        "changesetTemplate: {title: a, branch: @}",
        "changesetTemplate: {published: @}",
    ];
    let mut cases = 0;
    let mut try_one = |bytes: &[u8]| {
        survive(bytes);
        cases += 1;
    };
    for scalar in SCALARS {
        for place in places {
            try_one(place.replace('@', scalar).as_bytes());
        }
    }
    for shape in shapes() {
        try_one(shape.as_bytes());
    }
    for bytes in BYTES {
        try_one(bytes);
    }
    assert!(cases >= 1_000, "{cases} cases");
}

#[test]
fn random_damage_is_survived() {
    let seed = 7;
    let mut random = Random(seed);
    let started = Instant::now();
    let mut rounds = 0_u32;
    while started.elapsed() < Duration::from_millis(1_200) && rounds < 20_000 {
        let bytes = damage(SAMPLE.as_bytes(), &mut random);
        let outcome = std::panic::catch_unwind(|| survive(&bytes));
        assert!(
            outcome.is_ok(),
            "seed {seed}, round {rounds}: {:?}",
            String::from_utf8_lossy(&bytes)
        );
        rounds += 1;
    }
    assert!(rounds > 10, "only {rounds} rounds");
}

/// Cuts, doubles and replaces pieces.
fn damage(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            2 => {
                let scalar = random.pick(SCALARS).as_bytes().to_vec();
                drop(bytes.splice(at..at, scalar));
            }
            3 => {
                let signs = b":-[]{}&*!|>'\"#%@`\n\t \0\xff,?~";
                drop(bytes.splice(at..end.min(at + 1), [random.pick(signs)]));
            }
            _ => bytes.truncate(at.max(1)),
        }
        if bytes.is_empty() {
            bytes.push(b'x');
        }
    }
    bytes
}
