//! Every hint leads out: what it proposes is taken, and what it names is there.

use super::{CampaignSpec, SpecProblem, render_problems};

fn problems(text: &str) -> Vec<SpecProblem> {
    CampaignSpec::parse(text.as_bytes()).err().unwrap_or_default()
}

/// Expects problems in this order: line, column, and a part of the message and of the hint.
#[track_caller]
fn check(text: &str, expected: &[(u32, u32, &str, &str)]) {
    let problems = problems(text);
    let shown = render_problems(text, &problems, "spec");
    assert_eq!(problems.len(), expected.len(), "{shown}");
    for (problem, (line, column, message, hint)) in problems.iter().zip(expected) {
        assert_eq!((problem.line, problem.column), (*line, *column), "{shown}");
        assert!(problem.message.contains(message), "{message:?} in\n{shown}");
        assert!(problem.hint.as_deref().unwrap_or_default().contains(hint), "{hint:?} in\n{shown}");
    }
}

/// A spec with one step and these lines of `on` and of the template.
fn spec(on: &str, template: &str) -> String {
    format!(
        "name: camp\non:\n{on}steps:\n  - run: make\nchangesetTemplate:\n  title: T\n{template}"
    )
}

const ONE: &str = "  - repository: zoo/one\n";

/// What a hint proposes in place of what was written.
fn proposal(problem: &SpecProblem) -> Option<&str> {
    let hint = problem.hint.as_deref()?;
    let (_, rest) = hint.split_once("did you mean `")?;
    rest.split_once("`?").map(|(proposal, _)| proposal)
}

/// Values that are wrong at most places of a spec.
const WRONG: &[&str] = &[
    "'x-${{ repository.name }}'",
    "'x-${{ github.ref }}'",
    "refs/heads/fix",
    "refs/heads/refs/heads/fix",
    "refs/tags/v1",
    "gh-readonly-queue/main/x",
    "0123456789abcdef0123456789abcdef01234567",
    "'has space'",
    "' x '",
    "\"a\\u200bb\"",
    "\"a\\u00a0b\"",
    "\"zoo/one\\u200b\"",
    "https://github.com/zoo/one",
    "https://github.com/zoo/one/tree/main",
    "https://github.com/zoo/one.git?tab=readme",
    "https://github.com/zoo",
    "git@github.com:zoo/one.git",
    "ssh://git@github.com/zoo/one",
    "github.com/zoo/one",
    "zoo/one/",
    "zoo/one.git",
    "zoo/one/two",
    "zoo",
    "'org:zoo visibility:private'",
    "'repo:^github.com/zoo/one$'",
    "'r:zoo/.*'",
    "'user:zoo'",
    "'ogr:zoo'",
    "'ogr:zoo,two'",
    "'-user:zoo org:a'",
    "'lagnuage:\"a b\"'",
    "titel",
    "Title",
    "published\u{a0}",
    "'publish ed'",
    "1a",
    "A-B",
    "alpine 3",
];

/// Whoever follows a hint is not refused at the same place again.
#[test]
fn what_a_hint_proposes_is_taken() {
    let with = |on: &str, template: &str| spec(on, template);
    let templates = [
        (with("  - repository: @\n", ""), "repository"),
        (with("  - repository: zoo/one\n    branch: @\n", ""), "branch"),
        (with("  - repositoriesMatchingQuery: @\n", ""), "query"),
        (with(ONE, "  branch: @\n"), "branch"),
        (with(ONE, "  @: true\n"), "key"),
        (with(ONE, "").replace("name: camp", "name: @"), "name"),
        (with(ONE, "").replace("- run: make", "- run: make\n    container: @"), "image"),
        (with(ONE, "").replace("- run: make", "- run: make\n    env: {@: x}"), "variable"),
    ];
    let mut followed = 0;
    for (template, _) in &templates {
        for value in WRONG {
            let text = template.replace('@', value);
            for problem in problems(&text) {
                let Some(proposal) = proposal(&problem) else { continue };
                let proposal = proposal.replace('\'', "''");
                let is_term = problem.message.starts_with("unknown term");
                let better = if is_term {
                    template.replace('@', &format!("'* {proposal}'"))
                } else {
                    template.replace('@', &format!("'{proposal}'"))
                };
                let again: Vec<_> =
                    problems(&better).into_iter().filter(|it| it.line == problem.line).collect();
                assert!(
                    again.iter().all(|it| it.message.contains("twice")),
                    "{}\nis refused after\n{}",
                    render_problems(&better, &again, "spec"),
                    render_problems(&text, &[problem], "spec")
                );
                followed += 1;
            }
        }
    }
    assert!(followed > 60, "{followed} hints were followed");
}

#[test]
fn an_expression_in_a_name_is_one_problem() {
    check(
        &spec(ONE, "  branch: \"x-${{ repository.name }}\"\n"),
        &[(8, 14, "`${{ repository.name }}` is not filled in", "write the words out")],
    );
    check(
        &spec(ONE, "  branch: \"x-${{ github.ref }}\"\n"),
        &[(8, 11, "is not a branch name", "nothing is filled in here")],
    );
}

#[test]
fn every_expression_is_a_problem_at_its_own_line() {
    let lines = |from: u32, to: u32| {
        (from..=to).map(|it| format!("      echo line {it}\n")).collect::<String>()
    };
    let run = format!(
        "- run: |\n{}      echo '${{{{ repository.name }}}}' ${{{{ github.ref }}}} ${{{{ step.stdout }}}}\n{}      echo \
         ${{{{ repository.branch }}}}\n",
        lines(1, 40),
        lines(41, 42)
    );
    let name = "`${{ repository.name }}`";
    let (stdout, branch) = ("`${{ step.stdout }}`", "`${{ repository.branch }}`");
    check(
        &spec(ONE, "").replace("- run: make\n", &run),
        &[(46, 13, name, ""), (46, 55, stdout, ""), (49, 12, branch, "")],
    );
    let body = "  body: >-\n    a ${{ repository.name }}\n    b\n    c ${{ step.stdout }}\n";
    check(&spec(ONE, body), &[(9, 7, name, ""), (11, 7, stdout, "")]);
    let body = "  body: \"a\n    b ${{ repository.name }}\"\n";
    check(&spec(ONE, body), &[(9, 7, name, "")]);
    let body = "  body: a\n    b ${{ repository.name }}\n";
    check(&spec(ONE, body), &[(9, 7, name, "")]);
    // Where escapes hide the place, it is that of the text.
    let body = "  body: \"a\\n\\x24{{ repository.name }}\"\n";
    check(&spec(ONE, body), &[(8, 9, name, "")]);
    // What an alias repeats is said once.
    let body = "  body: &it ${{ repository.name }}\n  commit: {message: *it}\n";
    check(&spec(ONE, body), &[(8, 13, name, "")]);
}

#[test]
fn expressions_of_workflows_pass_in_steps_and_bodies() {
    let workflow = "- run: |\n      cat > ci.yml <<'EOF'\n      on: push\n      jobs:\n        a:\n          \
                    runs-on: ${{ matrix.os }}\n          steps:\n            - run: echo ${{ github.ref }}\n      EOF\n    \
                    env: {REF: \"${{ github.ref }}\"}\n";
    let body =
        "  body: Uses `${{ secrets.TOKEN }}` from now on.\n  commit: {message: \"${{ env.X }}\"}\n";
    let text = spec(ONE, body).replace("- run: make\n", workflow);
    check(&text, &[]);
    let parsed = CampaignSpec::parse(text.as_bytes()).unwrap();
    assert!(parsed.steps[0].run.contains("echo ${{ github.ref }}\n"));
    assert_eq!(parsed.changeset_template.unwrap().body, "Uses `${{ secrets.TOKEN }}` from now on.");
}

#[test]
fn what_nobody_sees_is_named() {
    let named = "U+00A0 (no-break space)";
    check(
        &spec("\u{a0} - repository: zoo/one\n", ""),
        &[
            (3, 1, "unknown key `<U+00A0> - repository`", named),
            (4, 1, "no repositories in `on`", ""),
        ]
        .map(|it| if it.0 == 4 { (5, 3, it.2, it.3) } else { it }),
    );
    check(
        &spec("  -\u{a0}repository: zoo/one\n", ""),
        &[(3, 3, "expected a list, found a map", named)],
    );
    check(
        &spec("  - repository: zoo/one\u{200b}\n", ""),
        &[(3, 17, "`zoo/one<U+200B>`", "zero width")],
    );
    check(
        &spec(ONE, "  branch: \"fix\\u200b\"\n"),
        &[(8, 11, "`fix<U+200B>`", "did you mean `fix`?")],
    );
    check(&spec(ONE, "  published: true\u{200b}\n"), &[(8, 14, "`true<U+200B>`", "zero width")]);
    check(&spec(ONE, "  published\u{a0}: true\n"), &[(8, 3, "`published<U+00A0>`", named)]);
    check(
        &spec(ONE, "  title\u{3000}: x\n\u{a0} body: y\n"),
        &[(8, 3, "", "U+3000"), (9, 1, "", named)],
    );
    check(&spec("\t- repository: zoo/one\n", ""), &[(3, 2, "not valid YAML", "U+0009 (tab)")]);
    // In a text, they may be meant.
    check(
        &spec(ONE, "  body: a\u{a0}b\u{200b}\n").replace("title: T", "title: 👩\u{200d}🚀\u{a0}T"),
        &[],
    );
}

#[test]
fn texts_that_must_be_quoted_are_told() {
    let title = |title: &str| spec(ONE, "").replace("title: T", &format!("title: {title}"));
    for (text, sign) in [
        ("Fix: a thing", "a colon"),
        ("@acme do it", "`@` at its start"),
        ("`x` is old", "a backquote"),
        ("%x", "`%` at its start"),
        ("[x] done", "`[` at its start"),
        ("{x} done", "`{` at its start"),
    ] {
        let text = title(text);
        let problems = problems(&text);
        let shown = render_problems(&text, &problems, "spec");
        assert!(problems.len() == 1 && shown.contains(sign), "{shown}");
        assert!(shown.contains("line 7") && shown.contains("`title: \"…\"`"), "{shown}");
    }
}

#[test]
fn branches_that_github_blocks_are_refused() {
    let below = "GitHub takes no branch `refs/heads/fix`: its name begins with `refs/`";
    check(&spec(ONE, "  branch: refs/heads/fix\n"), &[(8, 11, below, "did you mean `fix`?")]);
    check(
        &spec("  - repository: zoo/one\n    branches: [refs/heads/fix]\n", ""),
        &[(4, 16, below, "did you mean `fix`?")],
    );
    let sha = "0123456789abcdef0123456789ABCDEF01234567";
    check(
        &spec(ONE, &format!("  branch: {sha}\n")),
        &[(8, 11, "40 hexadecimal digits", &format!("did you mean `branch-{sha}`?"))],
    );
}

#[test]
fn a_branch_that_pull_requests_go_into_is_not_pushed_to() {
    let into = "pull requests go into `main`, so Drover cannot push to it";
    let other = "choose another `branch` in `changesetTemplate`, such as `drover/camp`";
    let on = |branches: &str| format!("  - repository: zoo/one\n    {branches}\n");
    check(&spec(&on("branch: main"), "  branch: main\n"), &[(9, 11, into, other)]);
    check(&spec(&on("branches: [main]"), "  branch: main\n"), &[(9, 11, into, other)]);
    check(&spec(&on("branches: [dev, main]"), "  branch: main\n"), &[(9, 11, into, other)]);
    // Of another repository as well.
    let both = format!("  - repository: zoo/two\n{}", on("branch: main"));
    check(&spec(&both, "  branch: main\n"), &[(10, 11, into, other)]);
    // The branch that is made up of two.
    check(
        &spec(&on("branches: [x-b, b]"), "  branch: x\n"),
        &[(4, 21, "pull requests go into `x-b`", other)],
    );
    // The default.
    check(
        &spec(&on("branch: drover/camp"), ""),
        &[(4, 13, "pull requests go into `drover/camp`", "choose another `branch`")],
    );
    check(
        &spec(&on("branch: release"), "  branch: release/fix\n"),
        &[(9, 11, "cannot have a branch `release/fix` beside the branch `release`", other)],
    );
}

#[test]
fn two_branches_that_give_one_head_are_refused() {
    let both = "`release/1` and `release-1` would both get the branch `camp/f58-release-1`";
    let on = "  - repository: zoo/one\n    branches: [release/1, release-1]\n";
    let template = "  branch: camp/f58\n  published: true\n";
    check(&spec(on, template), &[(4, 27, both, "two campaigns")]);
    // In two entries, and whatever the case of the repository's name.
    let on = "  - repository: zoo/one\n    branch: release/1\n  - repository: Zoo/One\n    branch: release-1\n";
    check(&spec(on, template), &[(6, 13, both, "two campaigns")]);
    let long = "b".repeat(240);
    check(
        &spec(&format!("  - repository: zoo/one\n    branches: [a, {long}]\n"), template),
        &[(4, 19, "needs a branch of its own", "choose a shorter `branch`")],
    );
}
