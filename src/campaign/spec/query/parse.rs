//! From the text of a query to its terms.

use super::{Archived, NamePattern, QueryProblem, RepoQuery, Term};
use crate::campaign::spec::{
    limits::{QUERY_BYTES_MAX, QUERY_TERMS_MAX},
    suggest::nearest,
};

const KEYS: [&str; 6] = ["name", "org", "topic", "language", "lang", "archived"];

/// Keys of other search languages, and what is to be written here.
const FOREIGN: [(&str, &str); 14] = [
    ("repo", "write the name alone, or `name:acme/web`"),
    ("r", "write the name alone, or `name:acme/web`"),
    ("user", "write `org:name`"),
    ("owner", "write `org:name`"),
    ("organisation", "write `org:name`"),
    ("organization", "write `org:name`"),
    ("l", "write `language:name`"),
    ("file", "Drover does not search in files yet: test for the file in a step"),
    ("path", "Drover does not search in files yet: test for the file in a step"),
    ("content", "Drover does not search in files yet: use grep in a step"),
    ("fork", "Drover does not know forks yet"),
    ("type", "queries always give repositories"),
    ("count", "queries always give every match"),
    ("patterntype", "use `*` and `?` in names"),
];

/// A term as it was written.
struct Word<'a> {
    offset: usize,
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
    let mut query = RepoQuery {
        text: text.to_owned(),
        include: Vec::new(),
        exclude: Vec::new(),
        archived: Archived::No,
    };
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
    Ok(Word { offset, negated, key, value })
}

fn add(query: &mut RepoQuery, word: &Word<'_>) -> Result<(), QueryProblem> {
    let Word { offset, negated, key, value } = *word;
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
        Some(other) => return Err(unknown_key(offset, other)),
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

fn unknown_key(offset: usize, key: &str) -> QueryProblem {
    let foreign = FOREIGN.iter().find(|(name, _)| *name == key);
    let hint = match (foreign, nearest(key, &KEYS)) {
        (Some((_, instead)), _) => (*instead).to_owned(),
        (None, Some(near)) => format!("did you mean `{near}:`?"),
        (None, None) => "a value with a colon must be quoted".to_owned(),
    };
    let message = format!(
        "unknown term `{key}:`; expected a name, `org:`, `topic:`, `language:` or `archived:`"
    );
    problem(offset, message, hint)
}
