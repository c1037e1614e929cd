//! Reads single values, and says what is wrong with them in words that do not vary.

use super::{
    ContainerImage, EnvName, SpecProblem,
    characters::{invisible, made_visible, moves_the_cursor, shown},
    expressions::{self, OPENING},
    heads::Target,
    keys::{FOREIGN, Key, MAPS},
    limits::ENV_MAX,
    suggest::nearest,
    tree::{Node, Value},
};
use crate::names::{BranchName, CampaignName, NameError, RepoName};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    str::FromStr,
};

/// What was written, and the problems so far.
pub(super) struct Reader<'a> {
    pub(super) source: &'a str,
    pub(super) line_starts: Vec<usize>,
    pub(super) problems: Vec<SpecProblem>,
    /// Where in the source there are expressions that were refused.
    pub(super) expressions: BTreeSet<usize>,
    /// The branches that pull requests go into.
    pub(super) targets: Vec<Target>,
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
pub(super) type Place = (u32, u32);

/// A name that knows itself what is valid.
pub(super) trait SpecName: FromStr<Err = NameError> {
    /// Why a name that is valid cannot be used, and what is left of it without the cause.
    fn refusal(&self) -> Option<(String, String)> {
        None
    }
}

impl SpecName for CampaignName {}
impl SpecName for RepoName {}
impl SpecName for EnvName {}
impl SpecName for ContainerImage {}

impl SpecName for BranchName {
    fn refusal(&self) -> Option<(String, String)> {
        let text = self.as_str();
        let visible = made_visible(text);
        if visible != text {
            let message = format!("`{}` has a character that nobody sees", shown(text));
            return Some((message, visible));
        }
        let blocked = self.blocked()?;
        let rest = ["refs/heads/", "refs/", "gh-readonly-queue/"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .map_or_else(|| format!("branch-{text}"), str::to_owned);
        Some((format!("GitHub takes no branch `{}`: {blocked}", shown(text)), rest))
    }
}

/// "did you mean …?", if that would be taken.
fn did_you_mean<T: SpecName>(better: &str) -> Option<String> {
    let is_taken =
        !better.contains(OPENING) && better.parse::<T>().is_ok_and(|name| name.refusal().is_none());
    is_taken.then(|| format!("did you mean `{better}`?"))
}

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
        let breaks = source.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            source,
            line_starts: std::iter::once(0).chain(breaks).collect(),
            problems: Vec::new(),
            expressions: BTreeSet::new(),
            targets: Vec::new(),
        }
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
        if let Some(c) = text.chars().find(|&c| lines == Lines::One && moves_the_cursor(c)) {
            let message = format!(
                "expected one line of printable text, found U+{:04X} ({})",
                u32::from(c),
                invisible(c).unwrap_or("mark")
            );
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

    /// A name.
    pub(super) fn parsed<T: SpecName>(&mut self, node: &Node, path: &str) -> Option<T> {
        let text = self.text(node, path, Lines::Many, usize::MAX)?;
        self.name(node, path, &text, None)
    }

    fn name<T: SpecName>(
        &mut self,
        node: &Node,
        path: &str,
        text: &str,
        hint: Option<String>,
    ) -> Option<T> {
        // What is to be filled in was refused already, and a better name is not known.
        if expressions::foreign(text).next().is_some() {
            return None;
        }
        let (message, hint) = match text.parse::<T>().map(|name| (name.refusal(), name)) {
            Ok((None, name)) => return Some(name),
            Ok((Some((message, better)), _)) => (message, did_you_mean::<T>(&better)),
            Err(NameError { text, expected }) => {
                let better = made_visible(&text).replace(char::is_whitespace, "-");
                let hint = hint.or_else(|| did_you_mean::<T>(&better).filter(|_| better != text));
                (format!("`{}` is not {expected}", shown(&text)), hint)
            }
        };
        let hint = hint.or_else(|| {
            text.contains(OPENING).then(|| "nothing is filled in here: write the name".to_owned())
        });
        self.problem((node.line, node.column), path, message, hint);
        None
    }

    /// A repository; addresses of web pages and of git are recognised and a name is proposed.
    pub(super) fn repository(&mut self, node: &Node, path: &str) -> Option<RepoName> {
        let text = self.text(node, path, Lines::Many, usize::MAX)?;
        let hint = did_you_mean::<RepoName>(&name_in_address(&made_visible(&text)));
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

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The first two parts of a path behind the name of a host.
fn name_in_address(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(it, rest)| (Some(it), rest));
    // `git@host:owner/name`, as ssh writes it.
    let path = match (scheme, rest.split_once(':')) {
        (None, Some((_, path))) => path,
        (_, _) => rest,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let has_host = scheme.is_some() || (parts.len() > 2 && parts[0].contains('.'));
    if has_host && !parts.is_empty() {
        parts.remove(0);
    }
    parts.truncate(2);
    let name = parts.join("/");
    name.strip_suffix(".git").map_or(name.clone(), str::to_owned)
}
