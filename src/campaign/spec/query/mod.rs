//! The language of `repositoriesMatchingQuery`.
//!
//! ```text
//! query     = term { space term }
//! term      = [ "-" ] ( word | key ":" value )
//! key       = "name" | "org" | "topic" | "language" | "lang" | "archived"
//! word      = characters without spaces, `"` and `:`
//! value     = word | '"' any characters but `"` '"'
//! archived  = "yes" | "no" | "only"
//! ```
//!
//! - A word, or `name:`, matches a part of `owner/name`. With `*` (any characters) or `?` (one)
//!   it is a pattern that matches as a whole: the name, or `owner/name` when it has a slash.
//! - `org:acme` matches the owner. Of several `org:` one must match; so it is with `language:`
//!   (`lang:`), because a repository has one owner and one main language.
//! - `topic:cli` matches a topic. Of several, all must match; so it is with words.
//! - `-` before a term leaves out what it matches.
//! - Archived repositories are left out; `archived:yes` takes them in, `archived:only` takes
//!   nothing else.
//! - Capital and small letters are the same. A query has at least one term that is not left out;
//!   `*` stands for every repository.
//!
//! There is no `OR`: two entries of `on` say the same and read better.

mod parse;
mod pattern;
#[cfg(test)]
mod tests;

pub use pattern::NamePattern;

use crate::names::RepoName;

/// A query that is known to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoQuery {
    /// As it was written.
    pub text: String,
    /// All of these match, except that one of several organisations or languages is enough.
    pub include: Vec<Term>,
    /// None of these matches.
    pub exclude: Vec<Term>,
    pub archived: Archived,
}

/// What a repository is asked for. Texts are in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    Name(NamePattern),
    Organisation(String),
    Topic(String),
    Language(String),
}

/// Whether archived repositories match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archived {
    /// Left out.
    No,
    /// Taken in.
    Yes,
    /// Nothing else.
    Only,
}

/// One thing that is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryProblem {
    /// Where in the text, in bytes.
    pub offset: usize,
    pub message: String,
    pub hint: String,
}

/// What a query can ask about a repository.
#[derive(Clone, Copy, Debug)]
pub struct RepoFacts<'a> {
    pub name: &'a RepoName,
    /// The main language, where the code host names one.
    pub language: Option<&'a str>,
    pub topics: &'a [String],
    pub activity: Activity,
}

/// Whether a repository can still be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Active,
    Archived,
}

impl RepoQuery {
    /// Parses a query, or says everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<QueryProblem>> {
        parse::parse(text)
    }

    #[must_use]
    pub fn matches(&self, repo: &RepoFacts<'_>) -> bool {
        let archived_fits = match (self.archived, repo.activity) {
            (Archived::Yes, _)
            | (Archived::No, Activity::Active)
            | (Archived::Only, Activity::Archived) => true,
            (Archived::No, Activity::Archived) | (Archived::Only, Activity::Active) => false,
        };
        let organisation_fits = self.one_fits(repo, |term| matches!(term, Term::Organisation(_)));
        let language_fits = self.one_fits(repo, |term| matches!(term, Term::Language(_)));
        archived_fits
            && organisation_fits
            && language_fits
            && self.include.iter().filter(|term| term.is_repeatable()).all(|it| it.matches(repo))
            && !self.exclude.iter().any(|term| term.matches(repo))
    }

    /// The organisations that are asked for, so that only their repositories need be listed.
    /// Empty: all.
    #[must_use]
    pub fn organisations(&self) -> Vec<&str> {
        let owner = |term: &'_ Term| matches!(term, Term::Organisation(_));
        self.include.iter().filter(|term| owner(term)).map(Term::text).collect()
    }

    /// Whether one of the wanted terms of a kind matches, or there is none.
    fn one_fits(&self, repo: &RepoFacts<'_>, of_kind: impl Fn(&Term) -> bool) -> bool {
        let mut terms = self.include.iter().filter(|term| of_kind(term)).peekable();
        terms.peek().is_none() || terms.any(|term| term.matches(repo))
    }
}

impl Term {
    fn matches(&self, repo: &RepoFacts<'_>) -> bool {
        match self {
            Self::Name(pattern) => pattern.matches(repo.name),
            Self::Organisation(owner) => repo.name.owner().eq_ignore_ascii_case(owner),
            Self::Topic(topic) => repo.topics.iter().any(|it| it.to_lowercase() == *topic),
            Self::Language(language) => {
                repo.language.is_some_and(|it| it.to_lowercase() == *language)
            }
        }
    }

    /// Whether a repository can match several of the kind at once.
    fn is_repeatable(&self) -> bool {
        match self {
            Self::Name(_) | Self::Topic(_) => true,
            Self::Organisation(_) | Self::Language(_) => false,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Name(pattern) => pattern.as_str(),
            Self::Organisation(text) | Self::Topic(text) | Self::Language(text) => text,
        }
    }
}
