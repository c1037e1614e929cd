//! The search for repositories, with the qualifiers that GitHub has for them.

use super::page::Page;
use crate::{
    call::Call,
    error::{ApiError, FieldError},
    json,
    state::{Accounts, Repo},
};
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// GitHub's own limits.
const QUERY_CHARS_MAX: usize = 256;
const RESULTS_MAX: usize = 1_000;

pub(super) async fn repositories(call: Call, page: Page) -> Result<Response, ApiError> {
    let text = page.query("q").ok_or_else(|| ApiError::missing("Search", "q"))?;
    if text.chars().count() > QUERY_CHARS_MAX {
        let message = "The search is longer than 256 characters.".to_owned();
        let (resource, field, code) = ("Search", Some("q"), "invalid");
        return Err(ApiError::Invalid(FieldError {
            resource,
            field,
            code,
            message: Some(message),
        }));
    }
    if page.reaches_beyond(RESULTS_MAX) {
        let text = "Only the first 1000 search results are available";
        return Err(ApiError::Unprocessable(text.to_owned()));
    }
    let query = Query::parse(text);
    let accounts = call.github.store.accounts();
    refuse_unknown_owners(&query, &accounts)?;
    let mut found = call.github.store.list();
    found.retain(|repo| call.may_read(repo) && query.fits(repo));
    sort(&mut found, page.query("sort"), page.query("order"));
    let total = found.len();
    let viewer = call.login.as_deref();
    let (skip, size) = (page.skip(), page.size());
    let items: Vec<_> = found
        .iter()
        .skip(skip)
        .take(size)
        .map(|repo| json::repo_found(repo, &accounts, &call.urls, viewer))
        .collect();
    let body = json!({ "total_count": total, "incomplete_results": false, "items": items });
    Ok(page.answer(&call.urls, total.min(RESULTS_MAX), body))
}

/// All terms must hold; owners and languages are alternatives among themselves, as on GitHub.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    words: Vec<Term>,
    owners: Vec<String>,
    repos: Vec<String>,
    languages: Vec<String>,
    others: Vec<(Qualifier, Term)>,
    fields: Fields,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    text: String,
    wanted: Wanted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Qualifier {
    Owner,
    Repo,
    Language,
    Topic,
    Archived,
    Is,
}

/// Where words are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fields {
    #[default]
    NameDescriptionTopics,
    Name,
    Description,
    Topics,
}

impl Query {
    fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for part in parts(text) {
            let (wanted, part) = match part.strip_prefix('-') {
                Some(rest) if rest.contains(':') => (Wanted::No, rest),
                Some(_) | None => (Wanted::Yes, part.as_str()),
            };
            match part.split_once(':') {
                Some((key, value)) => query.add(key, value, wanted),
                None if part == "NOT" => (),
                None => query.words.push(Term { text: part.to_lowercase(), wanted }),
            }
        }
        query
    }

    fn add(&mut self, key: &str, value: &str, wanted: Wanted) {
        let text = value.to_lowercase();
        let qualifier = match key.to_lowercase().as_str() {
            "org" | "user" => Qualifier::Owner,
            "repo" => Qualifier::Repo,
            "language" => Qualifier::Language,
            "topic" => Qualifier::Topic,
            "archived" => Qualifier::Archived,
            "is" => Qualifier::Is,
            "in" => {
                self.fields = fields(&text);
                return;
            }
            // GitHub takes a qualifier that it does not know for a word.
            _ => {
                self.words.push(Term { text: format!("{key}:{text}"), wanted });
                return;
            }
        };
        match (qualifier, wanted) {
            (Qualifier::Owner, Wanted::Yes) => self.owners.push(text),
            (Qualifier::Repo, Wanted::Yes) => self.repos.push(text),
            (Qualifier::Language, Wanted::Yes) => self.languages.push(text),
            (_, _) => self.others.push((qualifier, Term { text, wanted })),
        }
    }

    fn fits(&self, repo: &Repo) -> bool {
        let place_fits = (self.owners.is_empty() && self.repos.is_empty())
            || self.owners.iter().any(|text| Qualifier::Owner.holds(text, repo))
            || self.repos.iter().any(|text| Qualifier::Repo.holds(text, repo));
        let language_fits = self.languages.is_empty()
            || self.languages.iter().any(|text| Qualifier::Language.holds(text, repo));
        let others_fit = self.others.iter().all(|(qualifier, term)| {
            qualifier.holds(&term.text, repo) == (term.wanted == Wanted::Yes)
        });
        let words_fit = self.words.iter().all(|term| self.fields.contain(&term.text, repo));
        place_fits && language_fits && others_fit && words_fit
    }
}

impl Qualifier {
    fn holds(self, text: &str, repo: &Repo) -> bool {
        match self {
            Self::Owner => repo.owner.eq_ignore_ascii_case(text),
            Self::Repo => repo.key().as_str() == text,
            Self::Language => repo.main_language().is_some_and(|it| it.to_lowercase() == text),
            Self::Topic => repo.topics.contains(text),
            Self::Archived => repo.is_archived() == (text == "true"),
            Self::Is => match text {
                "private" => repo.is_private(),
                "public" => !repo.is_private(),
                "archived" => repo.is_archived(),
                _ => true,
            },
        }
    }
}

impl Fields {
    fn contain(self, word: &str, repo: &Repo) -> bool {
        let name = || repo.name.to_lowercase().contains(word);
        let description =
            || repo.description.as_ref().is_some_and(|text| text.to_lowercase().contains(word));
        let topics = || repo.topics.contains(word);
        match self {
            Self::NameDescriptionTopics => name() || description() || topics(),
            Self::Name => name(),
            Self::Description => description(),
            Self::Topics => topics(),
        }
    }
}

fn fields(text: &str) -> Fields {
    match text {
        "name" => Fields::Name,
        "description" => Fields::Description,
        "topics" => Fields::Topics,
        _ => Fields::NameDescriptionTopics,
    }
}

/// Splits at blanks that do not stand in quotes, and takes the quotes away.
fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' | '+' if !quoted => parts.push(std::mem::take(&mut part)),
            _ => part.push(letter),
        }
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    parts
}

/// GitHub refuses a search among owners that do not exist.
fn refuse_unknown_owners(query: &Query, accounts: &Accounts) -> Result<(), ApiError> {
    if query.owners.is_empty() || query.owners.iter().any(|owner| accounts.find(owner).is_some()) {
        return Ok(());
    }
    let message = "The listed users and repositories cannot be searched either because the \
                   resources do not exist or you do not have permission to view them.";
    let (resource, field, code) = ("Search", Some("q"), "invalid");
    let message = Some(message.to_owned());
    Err(ApiError::Invalid(FieldError { resource, field, code, message }))
}

fn sort(repos: &mut [Arc<Repo>], by: Option<&str>, order: Option<&str>) {
    match by {
        Some("updated") => repos.sort_by_key(|repo| repo.pushed_at),
        // There are no stars here, and every match is as good as the other.
        Some(_) | None => return,
    }
    if order != Some("asc") {
        repos.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_taken_apart_at_blanks_outside_of_quotes() {
        let query = Query::parse("web language:\"Emacs Lisp\" org:Acme -topic:old in:name");
        assert_eq!(query.languages, ["emacs lisp"]);
        assert_eq!(query.owners, ["acme"]);
        assert_eq!(query.fields, Fields::Name);
        let old = Term { text: "old".to_owned(), wanted: Wanted::No };
        assert_eq!(query.others, [(Qualifier::Topic, old)]);
        assert_eq!(query.words, [Term { text: "web".to_owned(), wanted: Wanted::Yes }]);
    }
}
