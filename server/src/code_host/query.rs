//! Which repositories of a listing are meant.
//!
//! Code hosts list the repositories of an owner with all that is asked for here, so a search is
//! a few pages of a listing and a look at each row: no request per repository, and no search
//! index that lags behind.

use super::RepoInfo;

/// Every part that is set must hold. Comparisons ignore case, as code hosts do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoQuery {
    /// A user or an organisation. `None`: whatever the token sees.
    pub owner: Option<String>,
    /// A part of the name behind the slash; `*` stands for any characters, and then the whole
    /// name must fit.
    pub name: Option<String>,
    pub topic: Option<String>,
    pub language: Option<String>,
    pub archived: Archived,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Archived {
    #[default]
    LeaveOut,
    Only,
    Include,
}

impl RepoQuery {
    #[must_use]
    pub fn matches(&self, repo: &RepoInfo) -> bool {
        let Self { owner, name, topic, language, archived } = self;
        let same = |wanted: &String, found: &str| wanted.eq_ignore_ascii_case(found);
        owner.as_ref().is_none_or(|owner| same(owner, repo.name.owner()))
            && name.as_ref().is_none_or(|name| name_fits(name, repo.name.name()))
            && topic.as_ref().is_none_or(|topic| repo.topics.iter().any(|one| same(topic, one)))
            && language.as_ref().is_none_or(|language| {
                repo.language.as_ref().is_some_and(|one| same(language, one))
            })
            && match archived {
                Archived::LeaveOut => !repo.archived,
                Archived::Only => repo.archived,
                Archived::Include => true,
            }
    }
}

fn name_fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else { return name.contains(&pattern) };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo() -> RepoInfo {
        RepoInfo {
            name: "Acme/web-shop".parse().unwrap(),
            default_branch: "main".parse().unwrap(),
            archived: false,
            language: Some("Rust".to_owned()),
            topics: vec!["backend".to_owned(), "shop".to_owned()],
            can_push: true,
            clone_url: "https://github.com/Acme/web-shop.git".parse().unwrap(),
        }
    }

    fn check(query: &RepoQuery, expected: bool) {
        assert_eq!(query.matches(&repo()), expected, "{query:?}");
    }

    #[test]
    fn names_fit_by_part_or_by_pattern() {
        for (name, expected) in [
            ("web", true),
            ("SHOP", true),
            ("api", false),
            ("web-*", true),
            ("*shop", true),
            ("w*-s*p", true),
            ("*", true),
            ("shop*", false),
            ("*web", false),
            ("web-shop*p", false),
            ("*o*o*", false),
        ] {
            check(&RepoQuery { name: Some(name.to_owned()), ..RepoQuery::default() }, expected);
        }
    }

    #[test]
    fn every_part_that_is_set_must_hold() {
        let text = |text: &str| Some(text.to_owned());
        let all = RepoQuery {
            owner: text("acme"),
            name: text("web"),
            topic: text("Backend"),
            language: text("rust"),
            archived: Archived::Include,
        };
        check(&all, true);
        check(&RepoQuery { owner: text("acm"), ..all.clone() }, false);
        check(&RepoQuery { topic: text("back"), ..all.clone() }, false);
        check(&RepoQuery { language: text("go"), ..all.clone() }, false);
        check(&RepoQuery { archived: Archived::Only, ..all }, false);
    }

    #[test]
    fn archived_repositories_are_left_out_unless_asked_for() {
        let archived = RepoInfo { archived: true, ..repo() };
        for (wanted, expected) in
            [(Archived::LeaveOut, false), (Archived::Only, true), (Archived::Include, true)]
        {
            let query = RepoQuery { archived: wanted, ..RepoQuery::default() };
            assert_eq!(query.matches(&archived), expected, "{wanted:?}");
        }
    }
}
