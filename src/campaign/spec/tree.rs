//! YAML as a tree in which every key and value knows its place.
//!
//! The parser's budgets keep the tree small. What is wrong with the YAML itself ends the
//! reading: behind a syntax error nothing is where it seems to be.

use super::{
    SpecProblem,
    characters::{first_invisible, shown},
    limits::{ALIAS_DEPTH_MAX, ALIAS_EVENTS_MAX, ALIASES_MAX, DEPTH_MAX, NODES_MAX},
};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{
    Error, Location, NonFiniteFloatPolicy, Options, Spanned,
    budget::BudgetBreach,
    options::{DuplicateKeyPolicy, MergeKeyPolicy},
};
use std::{fmt, ops::Range};

/// A key or a value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: u32,
    pub(super) column: u32,
    /// Where its text stands in the source. Empty where the parser does not say.
    pub(super) bytes: Range<usize>,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A plain number; its text is in the source.
    Number,
    Text(String),
    List(Vec<Node>),
    /// In the order of the text; a key may be there twice.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a yes/no value",
            Self::Number => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Parses one YAML document.
pub(super) fn parse(text: &str) -> Result<Node, SpecProblem> {
    let node: Node = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| explain(text, &error))?;
    if matches!(node.value, Value::Null) {
        return Err(SpecProblem::whole("the spec is empty").hint("start with `name: my-campaign`"));
    }
    Ok(node)
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 4 * NODES_MAX,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_documents: 2,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: ALIAS_EVENTS_MAX,
            max_replay_stack_depth: ALIAS_DEPTH_MAX,
        },
        // Maps then hand over every entry, and the reader sees all that are doubled.
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

fn explain(text: &str, error: &Error) -> SpecProblem {
    let place = error.location().unwrap_or(Location::UNKNOWN);
    let (line, column) = place_of(&place);
    let (message, hint) = words_for(error.without_snippet(), text, line);
    SpecProblem { line, column, ..SpecProblem::whole(message) }.hint(hint)
}

fn words_for(error: &Error, text: &str, line: u32) -> (String, String) {
    let pair = |message: String, hint: &str| (message, hint.to_owned());
    match error {
        Error::Budget { breach, .. } => breach_words(breach),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => pair(
            format!(
                "aliases make the spec too large: they may add {ALIAS_EVENTS_MAX} nodes and stand \
                 {ALIAS_DEPTH_MAX} deep in each other"
            ),
            "write the repeated parts out, or move them into a script in the repositories",
        ),
        Error::AliasError { error, .. } => words_for(error, text, line),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            pair("this alias stands within what it stands for".to_owned(), "write the part out")
        }
        Error::UnknownAnchor { .. } => pair(
            "this alias (`*name`) has no anchor (`&name`) before it".to_owned(),
            "a text that starts with `*` must be quoted",
        ),
        Error::MultipleDocuments { .. } => pair(
            "a second document starts here; a spec is one YAML document".to_owned(),
            "remove the line `---`, or keep each campaign in a file of its own",
        ),
        Error::Eof { .. } => pair("the spec is empty".to_owned(), "start with `name: my-campaign`"),
        other => (
            format!("this is not valid YAML: {}", first_line(&other.to_string())),
            syntax_hint(text, line),
        ),
    }
}

/// What is most often wrong where a text is not valid YAML: on the line of the error, or on the
/// one before it, where the parser notices late.
fn syntax_hint(text: &str, line: u32) -> String {
    let until = usize::try_from(line).unwrap_or(usize::MAX);
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).take(until).collect();
    let near = lines.iter().rev().filter(|(_, line)| !line.trim().is_empty()).take(2);
    for (number, line) in near {
        if let Some(character) = first_invisible(line).filter(|_| *number < until) {
            // On the line itself, it is named anyhow.
            return format!(
                "line {number} has the invisible character {character}: write an ordinary space, \
                 or nothing, in its place"
            );
        }
        if let Some((key, value)) = line.split_once(": ")
            && let Some(sign) = unquoted(value.trim())
        {
            let key = shown(key.trim_start_matches([' ', '-']));
            return format!(
                "in line {number}, a text with {sign} in it must be quoted, as in \
                 `{key}: \"…\"`"
            );
        }
    }
    "check the indentation and the quotes of this line and of those around it".to_owned()
}

/// The sign because of which a text cannot stand without quotes.
fn unquoted(value: &str) -> Option<&'static str> {
    let first = value.chars().next()?;
    match first {
        '"' | '\'' | '#' => None,
        '@' => Some("`@` at its start"),
        '`' => Some("a backquote at its start"),
        '%' => Some("`%` at its start"),
        '*' => Some("`*` at its start"),
        '&' => Some("`&` at its start"),
        '!' => Some("`!` at its start"),
        '[' if !value.ends_with(']') => Some("`[` at its start"),
        '{' if !value.ends_with('}') => Some("`{` at its start"),
        '[' | '{' => None,
        _ if value.contains(": ") || value.ends_with(':') => Some("a colon"),
        _ => None,
    }
}

fn breach_words(breach: &BudgetBreach) -> (String, String) {
    let pair = |message: String, hint: &str| (message, hint.to_owned());
    let short = "a spec is meant to be read by people: move long parts into the repositories";
    match breach {
        BudgetBreach::Depth { .. } => pair(
            format!("lists and maps stand deeper than {DEPTH_MAX} in each other"),
            "no key of a spec needs more than 4",
        ),
        BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. } => {
            pair(format!("there are more than {ALIASES_MAX} anchors or aliases"), short)
        }
        BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => {
            pair(format!("there are more than {NODES_MAX} keys and values"), short)
        }
        BudgetBreach::Documents { .. } => pair(
            "a spec is one YAML document".to_owned(),
            "keep each campaign in a file of its own",
        ),
        other => pair(format!("the spec goes over a limit of the YAML parser: {other:?}"), short),
    }
}

/// The parser's words without the place that it repeats and the lines that follow.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let end = line.find(" at line ").unwrap_or(line.len());
    line[..end].to_owned()
}

fn place_of(location: &Location) -> (u32, u32) {
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).max(1);
    (number(location.line()), number(location.column()))
}

fn bytes_of(location: &Location) -> Range<usize> {
    let span = location.span();
    let (Some(start), Some(len)) = (span.byte_offset(), span.byte_len()) else { return 0..0 };
    let start = usize::try_from(start).unwrap_or(0);
    start..start.saturating_add(usize::try_from(len).unwrap_or(0))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let (line, column) = place_of(&spanned.referenced);
        Ok(Self { line, column, bytes: bytes_of(&spanned.defined), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Map(entries))
    }
}
