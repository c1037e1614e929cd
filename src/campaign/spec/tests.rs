use super::*;
use crate::campaign::SAMPLE;

fn parse(text: &str) -> CampaignSpec {
    CampaignSpec::parse(text.as_bytes())
        .unwrap_or_else(|problems| panic!("{}", render_problems(text, &problems, "spec")))
}

/// A spec with nothing wrong, to which a test adds what it is about.
const HEAD: &str = "name: x\non:\n  - repository: acme/web\nsteps:\n  - run: make\n";
const TEMPLATE: &str = "changesetTemplate:\n  title: T\n";

/// Expects problems in this order: line, column, path, and a part of the message and the hint.
fn check(text: &str, expected: &[(u32, u32, &str, &str, &str)]) {
    let problems = CampaignSpec::parse(text.as_bytes()).unwrap_err();
    let shown = render_problems(text, &problems, "spec");
    assert_eq!(problems.len(), expected.len(), "{shown}");
    for (problem, (line, column, path, message, hint)) in problems.iter().zip(expected) {
        assert_eq!((problem.line, problem.column), (*line, *column), "{shown}");
        assert_eq!(problem.path, *path, "{shown}");
        assert!(problem.message.contains(message), "{message:?} in\n{shown}");
        assert!(problem.hint.as_deref().unwrap_or_default().contains(hint), "{hint:?} in\n{shown}");
    }
}

#[test]
fn the_sample_is_a_spec_over_both_organisations() {
    let spec = parse(SAMPLE);
    let [On::Query(query)] = spec.on.as_slice() else { panic!("{:?}", spec.on) };
    assert_eq!(query.organisations(), ["acme", "globex"]);
    assert_eq!(spec.steps.len(), 2);
    assert_eq!(spec.changeset_template.unwrap().published, Some(Publication::Published));
}

#[test]
fn what_is_left_out_has_a_default() {
    let spec = parse(&format!("{HEAD}{TEMPLATE}"));
    let template = spec.changeset_template.unwrap();
    assert_eq!(template.branch.as_str(), "drover/x");
    assert_eq!(template.commit.message, "T");
    assert_eq!(template.commit.author.email, AUTHOR_EMAIL_DEFAULT);
    assert_eq!((template.body.as_str(), template.published), ("", None));
    let [On::Repository { branches, .. }] = spec.on.as_slice() else { panic!() };
    assert_eq!(*branches, Branches::Default);
    assert_eq!(parse("name: x\n").steps, []);
}

#[test]
fn everything_can_be_said() {
    let spec = parse(
        "version: 1\nname: a.b\ndescription: d\non:\n- repository: a/b\n  branches: [main, v1.10]\n\
         - repository: a/c\n  branch: x\n- repositoriesMatchingQuery: lang:go org:a\nsteps:\n\
         - run: |\n    a\n    b\n  env: {PORT: 8080, DEBUG: no, RATIO: 1.10, T: true, E: }\n  \
         container: ghcr.io/a/b:1@sha256:ab\nchangesetTemplate:\n  title: ' t '\n  body: b\n  \
         branch: y/z\n  commit:\n    message: m\n    author: {name: n, email: e@f}\n  \
         published: draft\n",
    );
    let env = |name: &str| spec.steps[0].env[&name.parse().unwrap()].clone();
    assert_eq!(["PORT", "DEBUG", "RATIO", "T", "E"].map(env), ["8080", "no", "1.10", "true", ""]);
    assert_eq!(spec.steps[0].run, "a\nb\n");
    assert_eq!(spec.steps[0].container.as_ref().unwrap().as_str(), "ghcr.io/a/b:1@sha256:ab");
    let template = spec.changeset_template.unwrap();
    assert_eq!((template.title.as_str(), template.published), ("t", Some(Publication::Draft)));
    assert_eq!(template.commit.author.email, "e@f");
    let branches = |on: &On| match on {
        On::Repository { branches: Branches::Named(names), .. } => names.len(),
        On::Repository { branches: Branches::Default, .. } | On::Query(_) => 0,
    };
    assert_eq!(spec.on.iter().map(branches).collect::<Vec<_>>(), [2, 1, 0]);
}

#[test]
fn on_is_a_key_and_no_is_a_text() {
    assert_eq!(parse("name: no\n").name.as_str(), "no");
    assert_eq!(parse("name: yes\nsteps:\non: []\n").on, []);
}

#[test]
fn aliases_stand_for_what_they_name() {
    let on = "on:\n- repository: &repo a/b\n- repository: *repo\n  branch: x\n";
    let spec = parse(&format!("name: x\n{on}steps: [run: a]\n{TEMPLATE}"));
    assert_eq!(spec.on.len(), 2);
}

#[test]
fn all_problems_are_found_at_once_in_the_order_of_the_text() {
    check(
        "version: 2\nname: has space\nstpes: []\non:\n  - repository: acme\n  - {}\nsteps:\n  - \
         run: \"\"\n    env: {1a: x}\nchangesetTemplate:\n  tilte: T\n  published: maybe\n",
        &[
            (1, 10, "version", "expected the version 1, found the number 2", "version: 1"),
            (2, 7, "name", "`has space` is not a campaign name", "did you mean `has-space`?"),
            (3, 1, "stpes", "unknown key `stpes`", "did you mean `steps`?"),
            (5, 17, "on[0].repository", "`acme` is not a repository", ""),
            (6, 5, "on[1]", "names no repository", "repositoriesMatchingQuery"),
            (8, 10, "steps[0].run", "this text is empty", ""),
            (9, 11, "steps[0].env", "`1a` is not the name of a variable", ""),
            (11, 3, "changesetTemplate.tilte", "unknown key `tilte`", "did you mean `title`?"),
            (11, 3, "changesetTemplate.title", "`title` is missing", "add `title: …`"),
            (12, 14, "changesetTemplate.published", "found the text `maybe`", "leave the key out"),
        ],
    );
}

#[test]
fn keys_of_sourcegraph_are_refused_by_name() {
    for (key, _) in keys::FOREIGN {
        let text = format!("{HEAD}{TEMPLATE}{key}: x\n");
        check(&text, &[(8, 1, key, "unknown key", "that Drover does not take yet")]);
    }
    check(
        &format!("{HEAD}{TEMPLATE}  fork: true\n"),
        &[(8, 3, "changesetTemplate.fork", "expected the keys `title`", "`fork` is a key of")],
    );
}

#[test]
fn keys_that_stand_elsewhere_are_sent_home() {
    check(
        &format!("{HEAD}{TEMPLATE}title: x\nrun: y\n"),
        &[
            (8, 1, "title", "unknown key `title`", "belongs to changesetTemplate"),
            (9, 1, "run", "unknown key `run`", "belongs to steps[]"),
        ],
    );
}

#[test]
fn doubled_keys_are_problems_at_every_depth() {
    check(
        &format!("{HEAD}  - run: a\n    run: b\n    env: {{A: 1, A: 2}}\n{TEMPLATE}name: y\n"),
        &[
            (7, 5, "steps[1].run", "first on line 6", "keep one"),
            (8, 17, "steps[1].env.A", "there twice", "keep one"),
            (11, 1, "name", "first on line 1", "keep one"),
        ],
    );
}

#[test]
fn parts_of_a_spec_need_each_other() {
    check(
        "name: x\nsteps: [{run: a}]\n",
        &[
            (2, 8, "steps", "no `changesetTemplate`", "add `changesetTemplate:`"),
            (2, 8, "steps", "no repositories in `on`", "add `on:`"),
        ],
    );
    check(
        &format!("name: x\n{TEMPLATE}"),
        &[(3, 3, "changesetTemplate", "but no `steps`", "add `steps:`")],
    );
    check("name: x\non: [{repository: a/b}]\n", &[(2, 5, "on", "but no `steps`", "remove `on`")]);
    check("description: x\n", &[(1, 1, "name", "`name` is missing", "add `name: …`")]);
    check("name:\n", &[(1, 5, "name", "`name` is missing", "add `name: …`")]);
}

#[test]
fn repositories_and_branches_are_checked() {
    let on = |entries: &str| format!("name: x\non:\n{entries}steps: [{{run: a}}]\n{TEMPLATE}");
    check(
        &on("- repository: https://github.com/acme/web.git\n"),
        &[(3, 15, "on[0].repository", "is not a repository", "did you mean `acme/web`?")],
    );
    check(
        &on("- repository: git@github.com:acme/web.git\n"),
        &[(3, 15, "on[0].repository", "is not a repository", "did you mean `acme/web`?")],
    );
    check(
        &on("- repository: a/b\n  branch: x\n  branches: [y]\n"),
        &[(5, 13, "on[0].branches", "stand in one entry", "keep one")],
    );
    check(
        &on("- repository: a/b\n  branches: [x, -y, x]\n"),
        &[
            (4, 17, "on[0].branches[1]", "`-y` is not a branch name", ""),
            (4, 21, "on[0].branches[2]", "`x` is named twice", "keep one"),
        ],
    );
    check(
        &on("- repository: a/b\n  branches: []\n"),
        &[(4, 13, "on[0].branches", "is empty", "default branch")],
    );
    check(
        &on("- repository: a/b\n  repositoriesMatchingQuery: a\n"),
        &[(4, 30, "on[0].repository", "stand in one entry", "two entries")],
    );
    check(
        &on("- repositoriesMatchingQuery: a\n  branch: x\n"),
        &[(4, 11, "on[0].branch", "not with a query", "`repository:`")],
    );
    check(
        &on("- acme/web\n"),
        &[(3, 3, "on[0]", "found the text `acme/web`", "write `repository: …`")],
    );
}

#[test]
fn problems_of_a_query_stand_at_their_term() {
    let on = |query: &str| {
        format!(
            "name: x\non:\n- repositoriesMatchingQuery: {query}\nsteps: [{{run: a}}]\n{TEMPLATE}"
        )
    };
    let path = "on[0].repositoriesMatchingQuery";
    check(
        &on("org:acme langauge:go"),
        &[(3, 39, path, "`langauge:`", "did you mean `language:go`?")],
    );
    check(&on("'org:acme  file:go.mod'"), &[(3, 41, path, "`file:`", "files yet")]);
    check(&on("\"\""), &[(3, 30, path, "does not say", "`*`")]);
}

#[test]
fn texts_have_limits() {
    let long = "x".repeat(257);
    check(
        &format!("{HEAD}changesetTemplate:\n  title: {long}\n"),
        &[(7, 10, "changesetTemplate.title", "257 characters; at most 256", "shorter")],
    );
    check(
        &format!("{HEAD}changesetTemplate:\n  title: \"a\\nb\"\n"),
        &[(7, 10, "changesetTemplate.title", "one line", "line breaks")],
    );
    check(
        &format!("{HEAD}    env: {{A: \"a\\0\"}}\n{TEMPLATE}"),
        &[(6, 14, "steps[0].env.A", "NUL", "")],
    );
    let commit = "  commit: {author: {name: a, email: b}}\n";
    check(
        &format!("{HEAD}{TEMPLATE}{commit}"),
        &[(8, 37, "changesetTemplate.commit.author.email", "no address", "ada@example.org")],
    );
    check(
        &format!("{HEAD}    container: a b\n{TEMPLATE}"),
        &[(6, 16, "steps[0].container", "is not a container image", "`a-b`")],
    );
}

#[test]
fn published_takes_three_values() {
    let with = |value: &str| format!("{HEAD}{TEMPLATE}  published: {value}\n");
    let path = "changesetTemplate.published";
    check(&with("\"true\""), &[(8, 14, path, "found the text `true`", "without quotes")]);
    check(&with("no"), &[(8, 14, path, "found the text `no`", "write `false`")]);
    check(&with("1"), &[(8, 14, path, "found the number 1", "leave")]);
    check(&with("[{'*': true}]"), &[(8, 14, path, "found a list", "one value")]);
}

#[test]
fn a_text_that_is_no_spec_has_one_clear_problem() {
    let check_bytes = |bytes: &[u8], line: u32, message: &str| {
        let problems = CampaignSpec::parse(bytes).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].line, line, "{problems:?}");
        assert!(problems[0].message.contains(message), "{message:?}: {problems:?}");
        assert!(problems[0].hint.is_some(), "{problems:?}");
    };
    check_bytes(b"", 1, "the spec is empty");
    check_bytes(b" \n\n", 1, "the spec is empty");
    check_bytes(b"# only a comment\n", 1, "the spec is empty");
    check_bytes(b"name: x\nb: \xff\n", 2, "not UTF-8: the byte 0xff at offset 11");
    check_bytes(b"\xff\xfen\0a\0", 1, "not UTF-8");
    check_bytes(&b"a".repeat(SPEC_BYTES_MAX + 1), 1, "1 MiB");
    check_bytes(b"just a text", 1, "expected the keys");
    check_bytes(b"- a\n", 1, "expected the keys");
    check_bytes(b"name: x\n---\nname: y\n", 3, "second document");
    check_bytes(b"name: [x\n", 1, "not valid YAML");
    check_bytes(b"name: x\n\tb: y\n", 1, "not valid YAML");
    check_bytes(b"name: *x\n", 1, "has no anchor");
    check_bytes(b"name: &a [*a]\n", 1, "stands within");
    check_bytes(b"name: !thing x\n", 1, "not valid YAML");
    check_bytes(
        ("x: ".to_owned() + &"[".repeat(40) + &"]".repeat(40)).as_bytes(),
        1,
        "deeper than 32",
    );
    check_bytes(("x: [".to_owned() + &"a,".repeat(10_001) + "]").as_bytes(), 1, "10000 keys");
    let aliases = "a: &a x\nb: [".to_owned() + &"*a,".repeat(51) + "]";
    check_bytes(aliases.as_bytes(), 2, "50 anchors or aliases");
}

#[test]
fn anchors_that_explode_are_one_problem() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..6 {
        let uses = format!("*a{},", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{uses}]\n"));
    }
    let problems = CampaignSpec::parse(text.as_bytes()).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains("aliases make the spec too large"), "{problems:?}");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_taken() {
    let text = format!("\u{feff}{HEAD}{TEMPLATE}").replace('\n', "\r\n");
    assert_eq!(parse(&text).steps[0].run, "make");
}

#[test]
fn a_text_full_of_problems_lists_the_first_hundred() {
    let text = (0..300).map(|index| format!("key{index}: x\n")).collect::<String>();
    let problems = CampaignSpec::parse(text.as_bytes()).unwrap_err();
    assert_eq!(problems.len(), limits::PROBLEMS_MAX + 1);
    assert!(problems.last().unwrap().message.contains("201 more problems"));
}
