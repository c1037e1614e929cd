//! Reads single values, and says what is wrong with them in words that do not vary.

use super::{
    EnvName, SpecProblem,
    keys::{FOREIGN, Key, MAPS},
    limits::{ENV_MAX, SCALAR_BYTES_MAX},
    problem::moves_the_cursor,
    suggest::nearest,
    tree::{Node, Value},
};
use crate::names::{NameError, RepoName};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    str::FromStr,
};

/// What was written, and the problems so far.
pub(super) struct Reader<'a> {
    source: &'a str,
    pub(super) problems: Vec<SpecProblem>,
}

/// A map whose keys are known, with the path that it stands at.
pub(super) struct Map<'a> {
    path: String,
    line: u32,
    column: u32,
    entries: BTreeMap<&'static str, &'a Node>,
}

/// Whether a text may have several lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    One,
    Many,
}

/// A line and a column.
type Place = (u32, u32);

impl<'a> Map<'a> {
    pub(super) fn empty() -> Self {
        Self { path: String::new(), line: 1, column: 1, entries: BTreeMap::new() }
    }

    /// The value of a key with its path. A key without a value is not there.
    pub(super) fn get(&self, key: &'static str) -> Option<(&'a Node, String)> {
        let node = *self.entries.get(key)?;
        (!matches!(node.value, Value::Null)).then(|| (node, join(&self.path, key)))
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, problems: Vec::new() }
    }

    pub(super) fn problem(
        &mut self,
        (line, column): Place,
        path: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let (path, message) = (path.to_owned(), message.into());
        self.problems.push(SpecProblem { line, column, path, message, hint });
    }

    pub(super) fn hinted(
        &mut self,
        node: &Node,
        path: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problem((node.line, node.column), path, message, Some(hint.into()));
    }

    /// What the node looks like in the text.
    pub(super) fn source(&self, node: &Node) -> &'a str {
        self.source.get(node.bytes.clone()).unwrap_or_default().trim()
    }

    /// The value in words: "the number 2", "a list".
    pub(super) fn found(&self, node: &Node) -> String {
        match &node.value {
            Value::Number => format!("the number {}", shown(self.source(node))),
            Value::Bool(value) => format!("`{value}`"),
            Value::Text(text) => format!("the text `{}`", shown(text)),
            Value::Null | Value::List(_) | Value::Map(_) => node.value.kind().to_owned(),
        }
    }

    /// The place of a part of a text that was written on one line; else where the text starts.
    pub(super) fn within(&self, node: &Node, text: &str, offset: usize) -> Place {
        let source = self.source.get(node.bytes.clone()).unwrap_or_default();
        let Some(start) = source.find(text.trim_end()) else { return (node.line, node.column) };
        let before = &source[..start];
        if before.contains('\n') {
            return (node.line, node.column);
        }
        let chars = before.chars().count() + text[..offset.min(text.len())].chars().count();
        (node.line, node.column.saturating_add(u32::try_from(chars).unwrap_or(0)))
    }

    /// Refuses in all texts what no text may have.
    pub(super) fn check_texts(&mut self, node: &Node, path: &str) {
        match &node.value {
            Value::Text(text) => self.check_text(node, path, text),
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.check_texts(item, &format!("{path}[{index}]"));
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    let Value::Text(name) = &key.value else { continue };
                    self.check_texts(value, &join(path, name));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number => {}
        }
    }

    fn check_text(&mut self, node: &Node, path: &str, text: &str) {
        if text.len() > SCALAR_BYTES_MAX {
            let message =
                format!("this text has {} bytes; at most {SCALAR_BYTES_MAX} are taken", text.len());
            self.hinted(node, path, message, "keep long texts in a file of a repository");
        }
        if text.contains('\0') {
            self.hinted(node, path, "this text has a NUL character", "remove `\\0`");
        }
        if let Some(at) = text.find("${{") {
            let place = self.within(node, text, at);
            let hint = "Drover does not take Sourcegraph's template expressions yet; a script \
                        writes these characters by `printf '$%s' '{{ … }}'`";
            self.problem(place, path, "`${{ … }}` is not filled in", Some(hint.to_owned()));
        }
    }

    /// Takes a node as a map of these keys, and refuses all others.
    pub(super) fn map<'n>(&mut self, node: &'n Node, path: &str, keys: &[Key]) -> Option<Map<'n>> {
        let Value::Map(items) = &node.value else {
            let message = format!("expected {}, found {}", expected_keys(keys), self.found(node));
            let hint = format!("write `{}: …`", keys.first().map_or("key", |key| key.name));
            self.hinted(node, path, message, hint);
            return None;
        };
        let mut entries: BTreeMap<&'static str, &Node> = BTreeMap::new();
        let mut lines: BTreeMap<&'static str, u32> = BTreeMap::new();
        for (key_node, value) in items {
            let Some(known) = self.key(key_node, path, keys) else { continue };
            if let Some(first) = lines.insert(known.name, key_node.line) {
                let message = format!("`{}` is there twice; first on line {first}", known.name);
                self.hinted(key_node, &join(path, known.name), message, "keep one of them");
                continue;
            }
            entries.insert(known.name, value);
        }
        Some(Map { path: path.to_owned(), line: node.line, column: node.column, entries })
    }

    fn key<'k>(&mut self, node: &Node, path: &str, keys: &'k [Key]) -> Option<&'k Key> {
        let name = match &node.value {
            Value::Text(name) => name.as_str(),
            Value::Number | Value::Bool(_) => self.source(node),
            Value::Null | Value::List(_) | Value::Map(_) => {
                let message = format!("a key cannot be {}", node.value.kind());
                self.hinted(node, path, message, format!("expected {}", expected_keys(keys)));
                return None;
            }
        };
        let known = keys.iter().find(|key| key.name == name);
        if known.is_none() {
            let message =
                format!("unknown key `{}`; expected {}", shown(name), expected_keys(keys));
            let hint = hint_for_key(name, keys);
            self.problem((node.line, node.column), &join(path, &shown(name)), message, hint);
        }
        known
    }

    /// The value of a key that must be there.
    pub(super) fn required<'n>(
        &mut self,
        map: &Map<'n>,
        key: &'static str,
    ) -> Option<(&'n Node, String)> {
        let found = map.get(key);
        if found.is_none() {
            let place =
                map.entries.get(key).map_or((map.line, map.column), |at| (at.line, at.column));
            let message = format!("`{key}` is missing");
            self.problem(place, &join(&map.path, key), message, Some(format!("add `{key}: …`")));
        }
        found
    }

    /// The items of a list that can be read; none when the key is not there.
    pub(super) fn list<T>(
        &mut self,
        map: &Map<'_>,
        key: &'static str,
        items_max: usize,
        read: impl Fn(&mut Self, &Node, &str) -> Option<T>,
    ) -> Vec<T> {
        let Some((node, path)) = map.get(key) else { return Vec::new() };
        let Value::List(items) = &node.value else {
            let message = format!("expected a list, found {}", self.found(node));
            self.hinted(node, &path, message, "start each item with `- `");
            return Vec::new();
        };
        if items.len() > items_max {
            let message = format!("there are {} items; at most {items_max} are taken", items.len());
            self.hinted(node, &path, message, "make several campaigns of it");
            return Vec::new();
        }
        let numbered = items.iter().enumerate();
        numbered.filter_map(|(index, item)| read(self, item, &format!("{path}[{index}]"))).collect()
    }

    /// A text. Numbers and yes/no values are taken as they are written.
    pub(super) fn text(
        &mut self,
        node: &Node,
        path: &str,
        lines: Lines,
        chars_max: usize,
    ) -> Option<String> {
        let text = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Number | Value::Bool(_) => self.source(node).to_owned(),
            Value::Null | Value::List(_) | Value::Map(_) => {
                let message = format!("expected a text, found {}", self.found(node));
                self.hinted(node, path, message, "put the text in quotes");
                return None;
            }
        };
        let text = if lines == Lines::One { text.trim().to_owned() } else { text };
        let length = text.chars().count();
        if length > chars_max {
            let message =
                format!("this text has {length} characters; at most {chars_max} are taken");
            self.hinted(node, path, message, "make it shorter");
            return None;
        }
        if lines == Lines::One && text.chars().any(moves_the_cursor) {
            let message = "expected one line of printable text";
            self.hinted(node, path, message, "remove line breaks and control characters");
            return None;
        }
        Some(text)
    }

    /// A text that says something.
    pub(super) fn filled(
        &mut self,
        node: &Node,
        path: &str,
        lines: Lines,
        chars_max: usize,
    ) -> Option<String> {
        let text = self.text(node, path, lines, chars_max)?;
        if text.trim().is_empty() {
            self.hinted(node, path, "this text is empty", "write something");
            return None;
        }
        Some(text)
    }

    /// A name that knows itself what is valid.
    pub(super) fn parsed<T: FromStr<Err = NameError>>(
        &mut self,
        node: &Node,
        path: &str,
    ) -> Option<T> {
        let text = self.text(node, path, Lines::Many, usize::MAX)?;
        self.name(node, path, &text, None)
    }

    fn name<T: FromStr<Err = NameError>>(
        &mut self,
        node: &Node,
        path: &str,
        text: &str,
        hint: Option<String>,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(NameError { text, expected }) => {
                let hint = hint.or_else(|| {
                    let better = text.trim().replace(char::is_whitespace, "-");
                    (better != text && better.parse::<T>().is_ok())
                        .then(|| format!("did you mean `{better}`?"))
                });
                let message = format!("`{}` is not {expected}", shown(&text));
                self.problem((node.line, node.column), path, message, hint);
                None
            }
        }
    }

    /// A repository; addresses of web pages are recognised and a name is proposed.
    pub(super) fn repository(&mut self, node: &Node, path: &str) -> Option<RepoName> {
        let text = self.text(node, path, Lines::Many, usize::MAX)?;
        let parts: Vec<&str> =
            text.trim().trim_end_matches('/').trim_end_matches(".git").rsplit(['/', ':']).collect();
        let proposal = match parts.as_slice() {
            [name, owner, _, ..] => format!("{owner}/{name}"),
            [_] | [_, _] | [] => String::new(),
        };
        let hint = proposal.parse::<RepoName>().ok().map(|repo| format!("did you mean `{repo}`?"));
        self.name(node, path, &text, hint)
    }

    /// Environment variables: a map of names to texts.
    pub(super) fn env(&mut self, node: &Node, path: &str) -> BTreeMap<EnvName, String> {
        let mut env = BTreeMap::new();
        let Value::Map(items) = &node.value else {
            let message = format!("expected a map of names and texts, found {}", self.found(node));
            let hint =
                "write `NAME: text`; variables of Drover's own environment are not passed on";
            self.hinted(node, path, message, hint);
            return env;
        };
        if items.len() > ENV_MAX {
            let message =
                format!("there are {} variables; at most {ENV_MAX} are taken", items.len());
            self.hinted(node, path, message, "set the others in the script");
            return env;
        }
        for (key, value) in items {
            let Some(name) = self.parsed::<EnvName>(key, path) else { continue };
            let path = join(path, name.as_str());
            let text = if matches!(value.value, Value::Null) {
                Some(String::new())
            } else {
                self.text(value, &path, Lines::Many, usize::MAX)
            };
            match (env.entry(name), text) {
                (Entry::Occupied(_), _) => {
                    self.hinted(key, &path, "this variable is there twice", "keep one of them");
                }
                (Entry::Vacant(place), Some(text)) => drop(place.insert(text)),
                (Entry::Vacant(_), None) => {}
            }
        }
        env
    }
}

fn expected_keys(keys: &[Key]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    match names.as_slice() {
        [only] => format!("the key {only}"),
        [] | [_, ..] => format!("the keys {}", names.join(", ")),
    }
}

fn hint_for_key(name: &str, keys: &[Key]) -> Option<String> {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    if name == "<<" {
        return Some("merge keys are not taken: write the keys out".to_owned());
    }
    if let Some((_, instead)) = FOREIGN.iter().find(|(foreign, _)| *foreign == name) {
        let known = "is a key of Sourcegraph's language that Drover does not take yet";
        return Some(format!("`{name}` {known}: {instead}"));
    }
    if let Some(near) = nearest(name, &names) {
        return Some(format!("did you mean `{near}`?"));
    }
    let home = MAPS.iter().find(|(_, keys)| keys.iter().any(|key| key.name == name));
    home.map(|(place, _)| format!("`{name}` belongs to {place}"))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Characters of a text that are repeated in a message.
const SHOWN_CHARS_MAX: usize = 60;

fn shown(text: &str) -> String {
    let clean: String = text
        .chars()
        .take(SHOWN_CHARS_MAX)
        .map(|c| if moves_the_cursor(c) { '\u{fffd}' } else { c })
        .collect();
    if text.chars().count() > SHOWN_CHARS_MAX { format!("{clean}…") } else { clean }
}
