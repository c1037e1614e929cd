use super::*;

fn facts(name: &RepoName, matching: impl Fn(&RepoFacts<'_>) -> bool) -> bool {
    let topics = ["cli".to_owned(), "Web".to_owned()];
    let activity = if name.name() == "old" { Activity::Archived } else { Activity::Active };
    matching(&RepoFacts { name, language: Some("Go"), topics: &topics, activity })
}

fn check(query: &str, matching: &[&str]) {
    let parsed = RepoQuery::parse(query).unwrap();
    let all = ["acme/web", "acme/api", "acme/old", "globex/web-shop", "initech/tool"];
    let found: Vec<&str> = all
        .into_iter()
        .filter(|name| facts(&name.parse().unwrap(), |repo| parsed.matches(repo)))
        .collect();
    assert_eq!(found, matching, "{query}");
}

#[test]
fn words_match_a_part_and_globs_a_whole_name() {
    check("web", &["acme/web", "globex/web-shop"]);
    check("WEB", &["acme/web", "globex/web-shop"]);
    check("acme/", &["acme/web", "acme/api"]);
    check("web*", &["acme/web", "globex/web-shop"]);
    check("we?", &["acme/web"]);
    check("*/web*", &["acme/web", "globex/web-shop"]);
    check("acme/*", &["acme/web", "acme/api"]);
    check("name:tool", &["initech/tool"]);
    check("*", &["acme/web", "acme/api", "globex/web-shop", "initech/tool"]);
    check("web shop", &["globex/web-shop"]);
}

#[test]
fn one_of_several_organisations_is_enough_and_all_topics_are_needed() {
    check("org:acme", &["acme/web", "acme/api"]);
    check("org:acme org:GLOBEX", &["acme/web", "acme/api", "globex/web-shop"]);
    check("org:acme topic:cli topic:web", &["acme/web", "acme/api"]);
    check("org:acme topic:cli topic:other", &[]);
    check("org:acme language:go", &["acme/web", "acme/api"]);
    check("org:acme lang:rust lang:go", &["acme/web", "acme/api"]);
    check("org:acme lang:rust", &[]);
}

#[test]
fn terms_are_left_out_by_a_minus() {
    check("org:acme -web", &["acme/api"]);
    check("* -org:acme -topic:other", &["globex/web-shop", "initech/tool"]);
    check("* -topic:cli", &[]);
}

#[test]
fn archived_repositories_are_left_out_unless_asked_for() {
    check("org:acme archived:no", &["acme/web", "acme/api"]);
    check("org:acme archived:yes", &["acme/web", "acme/api", "acme/old"]);
    check("org:acme archived:only", &["acme/old"]);
}

#[test]
fn values_with_spaces_are_quoted() {
    let query = RepoQuery::parse("language:\"Jupyter Notebook\" org:acme").unwrap();
    assert_eq!(query.include[0], Term::Language("jupyter notebook".to_owned()));
    assert_eq!(query.organisations(), ["acme"]);
}

#[test]
fn every_problem_has_its_place_and_a_hint() {
    let check = |text: &str, expected: &[(usize, &str, &str)]| {
        let problems = RepoQuery::parse(text).unwrap_err();
        assert_eq!(problems.len(), expected.len(), "{text}: {problems:?}");
        for (problem, (offset, message, hint)) in problems.iter().zip(expected) {
            assert_eq!(problem.offset, *offset, "{text}: {problem:?}");
            assert!(problem.message.contains(message), "{text}: {problem:?}");
            assert!(problem.hint.contains(hint), "{text}: {problem:?}");
        }
    };
    check("", &[(0, "does not say", "`*`")]);
    check("  ", &[(0, "does not say", "`*`")]);
    check("-web", &[(0, "does not say", "`*`")]);
    check("archived:only", &[(0, "does not say", "`*`")]);
    check("org:", &[(0, "no value", "without a space")]);
    check("a -", &[(2, "no value", "")]);
    check("a ogr:acme tpoic:x", &[(2, "`ogr:`", "`org:acme`"), (11, "`tpoic:`", "`topic:x`")]);
    check("repo:acme/web", &[(0, "`repo:`", "did you mean `name:acme/web`?")]);
    check("repo:^github.com/zoo/one$", &[(0, "`repo:`", "an entry with `repository: zoo/one`")]);
    check("a r:^github\\.com/zoo/.*-api$", &[(2, "`r:`", "did you mean `name:zoo/*-api`?")]);
    check("a -repo:^github\\.com/zoo/one$", &[(2, "`repo:`", "did you mean `-name:zoo/one`?")]);
    check("repo:zoo/(one|two)$", &[(0, "`repo:`", "regular expressions are not taken")]);
    check("user:zoo", &[(0, "`user:`", "did you mean `org:zoo`?")]);
    check("ogr:zoo,acme", &[(0, "`ogr:`", "the key is `org:`; then, `zoo,acme` is no name")]);
    check("l:\"jupyter notebook\"", &[(0, "`l:`", "`language:\"jupyter notebook\"`")]);
    check("a visibility:private", &[(2, "`visibility:`", "leave the term out")]);
    check("a foo:bar", &[(2, "`foo:`", "leave the term out")]);
    check("a \"foo:bar\"", &[(2, "no repository has `:`", "names have letters")]);
    check("a org:zoo\u{200b}", &[(9, "`org:zoo<U+200B>`", "remove U+200B (zero width space)")]);
    check("file:go.mod", &[(0, "`file:`", "files yet")]);
    check("a OR b", &[(2, "joins nothing", "two entries")]);
    check("a \"b", &[(2, "never closed", "add")]);
    check("a b\"c\"", &[(2, "quote inside", "whole value")]);
    check("a[bc]", &[(0, "`[`", "match any")]);
    check("org:acme,globex", &[(0, "no name", "repeat")]);
    check("archived:maybe", &[(0, "archived:only", "anyway")]);
    check("-archived:yes", &[(0, "archived:only", "anyway")]);
    check("ä", &[(0, "`ä`", "letters")]);
    check(&"x ".repeat(60), &[(0, "60 terms", "several")]);
    check(&"x".repeat(3000), &[(0, "3000 bytes", "several")]);
}

#[test]
fn no_pattern_is_slow() {
    let repo: RepoName = format!("a/{}b", "a".repeat(90)).parse().unwrap();
    let query = RepoQuery::parse(&format!("{}c", "*a".repeat(100))).unwrap();
    assert!(!facts(&repo, |repo| query.matches(repo)));
}
