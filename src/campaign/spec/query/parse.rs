//! From the text of a query to its terms.

use super::{Archived, NamePattern, QueryProblem, RepoQuery, Term};
use crate::{
    campaign::spec::{
        characters::{invisible, shown},
        limits::{QUERY_BYTES_MAX, QUERY_TERMS_MAX},
        suggest::nearest,
    },
    names::RepoName,
};

const KEYS: [&str; 6] = ["name", "org", "topic", "language", "lang", "archived"];

/// What to write instead of a key of another search language.
#[derive(Clone, Copy)]
enum Instead {
    /// The same value under this key.
    Key(&'static str),
    /// There, the value is a regular expression over full names.
    Pattern,
    Words(&'static str),
}

const NOT_KNOWN: Instead = Instead::Words(
    "leave the term out: of a repository, Drover knows the name, topics, language and whether it \
     is archived",
);
const NOT_SEARCHED: Instead =
    Instead::Words("Drover does not search in files yet: test for the file in a step");
const NOT_ORDERED: Instead = Instead::Words("leave the term out: queries give every match");

/// Keys of other search languages.
const FOREIGN: [(&str, Instead); 34] = [
    ("case", Instead::Words("leave the term out: letters match in either case")),
    ("content", Instead::Words("Drover does not search in files yet: use grep in a step")),
    ("context", NOT_KNOWN),
    ("count", NOT_ORDERED),
    ("created", NOT_KNOWN),
    ("f", NOT_SEARCHED),
    ("file", NOT_SEARCHED),
    ("fork", Instead::Words("leave the term out: Drover does not know forks yet")),
    ("forks", NOT_KNOWN),
    ("in", NOT_KNOWN),
    ("is", NOT_KNOWN),
    ("l", Instead::Key("language")),
    ("license", NOT_KNOWN),
    ("mirror", NOT_KNOWN),
    ("organisation", Instead::Key("org")),
    ("organization", Instead::Key("org")),
    ("owner", Instead::Key("org")),
    ("path", NOT_SEARCHED),
    ("patterntype", Instead::Words("leave the term out: `*` and `?` match in names")),
    ("pushed", NOT_KNOWN),
    ("r", Instead::Pattern),
    ("repo", Instead::Pattern),
    ("repohasfile", NOT_SEARCHED),
    ("rev", Instead::Words("name the repository by `repository:`, and the branch by `branch:`")),
    ("select", NOT_ORDERED),
    ("size", NOT_KNOWN),
    ("sort", NOT_ORDERED),
    ("stars", NOT_KNOWN),
    ("template", NOT_KNOWN),
    ("topics", Instead::Key("topic")),
    ("type", Instead::Words("leave the term out: queries always give repositories")),
    ("updated", NOT_KNOWN),
    ("user", Instead::Key("org")),
    ("visibility", NOT_KNOWN),
];

/// A term as it was written.
#[derive(Clone, Copy)]
struct Word<'a> {
    offset: usize,
    /// All of it.
    text: &'a str,
    negated: bool,
    key: Option<&'a str>,
    value: &'a str,
}

pub(super) fn parse(text: &str) -> Result<RepoQuery, Vec<QueryProblem>> {
    if text.len() > QUERY_BYTES_MAX {
        let message =
            format!("the query has {} bytes; at most {QUERY_BYTES_MAX} are taken", text.len());
        return Err(vec![problem(0, message, "make several entries of it")]);
    }
    let words = words(text).map_err(|problem| vec![problem])?;
    let mut query = empty(text);
    let mut problems = Vec::new();
    for word in &words {
        if let Err(problem) = add(&mut query, word) {
            problems.push(problem);
        }
    }
    if words.len() > QUERY_TERMS_MAX {
        let message =
            format!("the query has {} terms; at most {QUERY_TERMS_MAX} are taken", words.len());
        problems.push(problem(0, message, "make several entries of it"));
    }
    if problems.is_empty() && query.include.is_empty() {
        let hint = "write `*` for every repository, or `org:acme` for those of an organisation";
        problems.push(problem(0, "the query does not say what to match", hint));
    }
    if problems.is_empty() { Ok(query) } else { Err(problems) }
}

fn empty(text: &str) -> RepoQuery {
    RepoQuery {
        text: text.to_owned(),
        include: Vec::new(),
        exclude: Vec::new(),
        archived: Archived::No,
    }
}

fn problem(offset: usize, message: impl Into<String>, hint: impl Into<String>) -> QueryProblem {
    QueryProblem { offset, message: message.into(), hint: hint.into() }
}

/// Splits at spaces that stand outside of quotes.
fn words(text: &str) -> Result<Vec<Word<'_>>, QueryProblem> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    for (offset, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c, start) {
            ('"', _) => {
                start = start.or(Some(offset));
                quote = if quote.is_some() { None } else { Some(offset) };
            }
            (c, Some(from)) if c.is_whitespace() && quote.is_none() => {
                words.push(word(from, &text[from..offset])?);
                start = None;
            }
            (c, None) if !c.is_whitespace() => start = Some(offset),
            (_, _) => {}
        }
    }
    match quote {
        Some(offset) => Err(problem(offset, "this quote is never closed", "add a `\"`")),
        None => Ok(words),
    }
}

fn word(offset: usize, text: &str) -> Result<Word<'_>, QueryProblem> {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let negated = rest.len() < text.len();
    let (key, value) = match rest.split_once(':') {
        Some((key, value)) if !key.contains('"') => (Some(key), value),
        Some(_) | None => (None, rest),
    };
    let value = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(value);
    if value.contains('"') {
        let hint = "quotes stand around a whole value, as in `language:\"jupyter notebook\"`";
        return Err(problem(offset, format!("`{text}` has a quote inside"), hint));
    }
    Ok(Word { offset, text, negated, key, value })
}

fn add(query: &mut RepoQuery, word: &Word<'_>) -> Result<(), QueryProblem> {
    let Word { offset, text, negated, key, value } = *word;
    if let Some((at, c)) = text.char_indices().find(|(_, c)| invisible(*c).is_some()) {
        let message = format!("`{}` has a character that nobody sees", shown(text));
        let hint = format!("remove U+{:04X} ({})", u32::from(c), invisible(c).unwrap_or("mark"));
        return Err(problem(offset + at, message, hint));
    }
    if value.is_empty() {
        let message = format!("`{}` has no value", key.unwrap_or("-"));
        return Err(problem(offset, message, "write the value without a space before it"));
    }
    let term = match key.map(str::to_lowercase).as_deref() {
        None if matches!(value, "OR" | "AND" | "NOT" | "or" | "and" | "not") => {
            let hint = "terms are joined by a space, left out by `-`; for `OR` make two entries";
            return Err(problem(offset, format!("`{value}` joins nothing here"), hint));
        }
        None | Some("name") => name(offset, value)?,
        Some("org") => Term::Organisation(owner(offset, value)?),
        Some("topic") => Term::Topic(value.to_lowercase()),
        Some("language" | "lang") => Term::Language(value.to_lowercase()),
        Some("archived") => return archived(query, word),
        Some(other) => return Err(unknown_key(word, other)),
    };
    if negated {
        query.exclude.push(term);
    } else {
        query.include.push(term);
    }
    Ok(())
}

fn name(offset: usize, value: &str) -> Result<Term, QueryProblem> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/*?".contains(c);
    match value.chars().find(|&c| !allowed(c)) {
        None => Ok(Term::Name(NamePattern::new(value))),
        Some(c) => {
            let message = format!("no repository has `{c}` in its name");
            Err(problem(
                offset,
                message,
                "names have letters, digits, `.`, `_`, `-`; `*` and `?` match any",
            ))
        }
    }
}

fn owner(offset: usize, value: &str) -> Result<String, QueryProblem> {
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return Ok(value.to_lowercase());
    }
    let hint = "write one organisation, such as `org:acme`; repeat the term for several";
    Err(problem(offset, format!("`{value}` is no name of an organisation"), hint))
}

fn archived(query: &mut RepoQuery, word: &Word<'_>) -> Result<(), QueryProblem> {
    query.archived = match (word.negated, word.value.to_lowercase().as_str()) {
        (false, "no") => Archived::No,
        (false, "yes") => Archived::Yes,
        (false, "only") => Archived::Only,
        (true, _) | (false, _) => {
            let message = "expected `archived:yes`, `archived:no` or `archived:only`";
            return Err(problem(word.offset, message, "archived repositories are left out anyway"));
        }
    };
    Ok(())
}

fn unknown_key(word: &Word<'_>, key: &str) -> QueryProblem {
    let foreign = FOREIGN.iter().find(|(name, _)| *name == key).map(|(_, instead)| *instead);
    let near = || nearest(key, &KEYS).map(Instead::Key);
    let hint = match foreign.or_else(near).unwrap_or(NOT_KNOWN) {
        Instead::Key(known) => did_you_mean(word, known, word.value),
        Instead::Pattern => instead_of_pattern(word),
        Instead::Words(words) => words.to_owned(),
    };
    let message = format!(
        "unknown term `{}:`; expected a name, `org:`, `topic:`, `language:` or `archived:`",
        shown(key)
    );
    problem(word.offset, message, hint)
}

/// Proposes a term that is taken; what would be refused again is explained at once.
fn did_you_mean(word: &Word<'_>, key: &str, value: &str) -> String {
    let sign = if word.negated { "-" } else { "" };
    match add(&mut empty(""), &Word { key: Some(key), value, ..*word }) {
        Ok(()) if value.contains(char::is_whitespace) => {
            format!("did you mean `{sign}{key}:\"{value}\"`?")
        }
        Ok(()) => format!("did you mean `{sign}{key}:{value}`?"),
        Err(QueryProblem { offset: _, message, hint }) => {
            format!("the key is `{key}:`; then, {message}: {hint}")
        }
    }
}

/// A regular expression over full names, as a name of ours where it is no more than that.
fn instead_of_pattern(word: &Word<'_>) -> String {
    let from_start = word.value.strip_prefix('^');
    let rest = from_start.unwrap_or(word.value);
    let to_end = rest.strip_suffix('$');
    let plain = to_end
        .unwrap_or(rest)
        .replace(".*", "*")
        .replace("\\.", ".")
        .replace("\\-", "-")
        .replace("\\/", "/");
    let name = match plain.split_once('/') {
        Some((host, name))
            if host.contains('.') && (name.contains('/') || from_start.is_some()) =>
        {
            name
        }
        Some(_) | None => &plain,
    };
    let is_whole = from_start.is_some() && to_end.is_some() && !word.negated;
    if is_whole && name.parse::<RepoName>().is_ok() {
        return format!("in place of the query, write an entry with `repository: {name}`");
    }
    let globs = name.contains(['*', '?']);
    let [before, behind] =
        [from_start, to_end].map(|end| if globs && end.is_none() { "*" } else { "" });
    let pattern = format!("{before}{name}{behind}").replace("**", "*");
    match add(&mut empty(""), &Word { key: None, value: &pattern, ..*word }) {
        Ok(()) => did_you_mean(word, "name", &pattern),
        Err(_) => "regular expressions are not taken: write a name, in which `*` and `?` match any"
            .to_owned(),
    }
}
