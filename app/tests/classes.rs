//! Every class in the markup is one: of Tailwind, or of our own style sheet.
//!
//! A misspelt class fails silently in a browser. tailwind-rs reads Tailwind's language, so it
//! says which words are none; the style sheet itself says which are ours.

use std::{collections::BTreeSet, fs, io, path::Path};
use tailwind_rs::TailwindBuilder;

/// Words that Tailwind 4 knows and tailwind-rs 0.2 does not.
const NEWER: [&str; 3] = ["sr-only", "font-mono", "font-serif"];

#[test]
fn every_class_in_the_markup_is_known() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sheet = fs::read_to_string(root.join("../style/tailwind.css")).unwrap();
    let (own, colours) = (words_behind(&sheet, "."), words_behind(&sheet, "--color-"));
    let mut used = BTreeSet::new();
    collect(&root.join("src"), &mut used).unwrap();
    assert!(used.len() > 50, "the markup was not read: {used:?}");
    let unknown = used
        .iter()
        .filter(|class| !own.contains(*class) && !NEWER.contains(&class.as_str()))
        .filter(|class| !is_tailwind(class, &colours))
        .collect::<Vec<_>>();
    assert_eq!(unknown, Vec::<&String>::new());
}

#[test]
fn a_misspelt_class_is_found() {
    let colours = BTreeSet::from(["faint".to_owned()]);
    for (class, expected) in
        [("text-faint", true), ("flex", true), ("text-fainn", false), ("flax", false)]
    {
        assert_eq!(is_tailwind(class, &colours), expected, "{class}");
    }
}

/// The words that stand behind a prefix, such as the classes of a style sheet behind a dot.
fn words_behind(sheet: &str, prefix: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let word = |rest: &str| rest.chars().take_while(|c| is_word(*c)).collect::<String>();
    sheet.split(prefix).skip(1).map(word).filter(|word| !word.is_empty()).collect()
}

/// The words of all `class="…"` in the sources.
fn collect(folder: &Path, used: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, used)?;
            continue;
        }
        let source = fs::read_to_string(&path)?;
        let classes = source.split("class=\"").skip(1).filter_map(|rest| rest.split('"').next());
        used.extend(classes.flat_map(str::split_whitespace).map(str::to_owned));
    }
    Ok(())
}

/// Our own colours are read as one of Tailwind's.
fn is_tailwind(class: &str, colours: &BTreeSet<String>) -> bool {
    let class = class.rsplit(':').next().unwrap_or(class);
    let colour = class.split_once('-').filter(|(_, name)| colours.contains(*name));
    let class = colour.map_or(class.to_owned(), |(property, _)| format!("{property}-red-500"));
    TailwindBuilder::default().trace(&class, false).is_ok()
}
