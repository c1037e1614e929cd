use crate::support::{ANNA, Answer, BOB, REPO, World, eventually, git, worked};
use reqwest::Method;
use serde_json::{Value, json};

fn path(rest: &str) -> String {
    format!("/repos/{REPO}{rest}")
}

async fn merge(world: &World, number: u64, body: Value) -> Answer {
    world.send(Method::PUT, &path(&format!("/pulls/{number}/merge")), ANNA, body).await
}

#[tokio::test]
async fn a_pull_request_is_opened_read_listed_and_changed() {
    let world = World::shop().await;
    let wish = json!({ "title": "Fix", "head": "acme:fix", "base": "main", "draft": true });
    let opened = world.post(&path("/pulls"), ANNA, wish).await.is(201);
    assert_eq!(opened.body["draft"], true);
    assert_eq!(opened.body["changed_files"], 1);
    let found = world.get(&path("/pulls?head=acme:fix&state=all"), ANNA).await.is(200);
    assert_eq!(found.body[0]["number"], 1);
    assert_eq!(world.get(&path("/pulls?head=acme:other"), ANNA).await.body, json!([]));
    let edit = json!({ "title": "Mend", "draft": false });
    let edited = world.send(Method::PATCH, &path("/pulls/1"), ANNA, edit).await.is(200);
    assert_eq!((&edited.body["title"], &edited.body["draft"]), (&json!("Mend"), &json!(true)));
    let files = world.get(&path("/pulls/1/files"), ANNA).await.is(200);
    assert_eq!(files.body[0]["patch"], "@@ -1 +1 @@\n-# Shop\n+# The shop");
    let commits = world.get(&path("/pulls/1/commits"), ANNA).await.is(200);
    assert_eq!(commits.body[0]["commit"]["message"], "Change README.md");
    world.conforms();
}

#[tokio::test]
async fn what_github_refuses_is_refused_in_its_words() {
    let world = World::shop().await;
    world.open_pull().await;
    let check = async |wish: Value, said: &str| {
        let refused = world.post(&path("/pulls"), ANNA, wish).await.is(422);
        assert_eq!(refused.body["message"], "Validation Failed");
        assert_eq!(refused.message(), said);
    };
    let second = json!({ "title": "x", "head": "fix", "base": "main" });
    check(second, "A pull request already exists for acme:fix.").await;
    let nothing = json!({ "title": "x", "head": "main", "base": "fix" });
    check(nothing, "No commits between fix and main").await;
    let missing = json!({ "title": "x", "head": "nowhere", "base": "main" });
    let refused = world.post(&path("/pulls"), ANNA, missing).await.is(422);
    assert_eq!(refused.body["errors"][0]["field"], "head");
    let unreadable = world.request(Method::POST, &path("/pulls"), ANNA).body("{");
    assert_eq!(unreadable.send().await.unwrap().status(), 400);
    let wrong = json!({ "title": 1 });
    world.post(&path("/pulls"), ANNA, wrong).await.is(422);
    world.conforms();
}

#[tokio::test]
async fn whether_a_pull_request_merges_is_unknown_at_first() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let pull = world.get(&path(&format!("/pulls/{number}")), ANNA).await;
    assert_eq!(pull.body["mergeable"], Value::Null);
    assert_eq!(pull.body["mergeable_state"], "unknown");
    let mergeable = eventually(|| async {
        world.get(&path(&format!("/pulls/{number}")), ANNA).await.body["mergeable"].as_bool()
    });
    assert!(mergeable.await);
    world.conforms();
}

#[tokio::test]
async fn a_conflict_is_no_longer_mergeable_and_merging_answers_405() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    world.push("main", "README.md", "# Another shop\n").await;
    let mergeable = eventually(|| async {
        world.get(&path(&format!("/pulls/{number}")), ANNA).await.body["mergeable"].as_bool()
    });
    assert!(!mergeable.await);
    let refused = merge(&world, number, json!({})).await.is(405);
    assert_eq!(refused.message(), "Pull Request is not mergeable");
    world.conforms();
}

#[tokio::test]
async fn a_merge_with_a_stale_head_answers_409_and_a_blocked_branch_405() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let stale = json!({ "sha": "0".repeat(40) });
    merge(&world, number, stale).await.is(409);
    let reason = "Required status check \"ci\" is expected.";
    world.control().block_branch(REPO, "main", reason).unwrap();
    assert_eq!(merge(&world, number, json!({})).await.is(405).message(), reason);
    world.conforms();
}

#[tokio::test]
async fn the_three_ways_to_merge_make_the_commits_that_github_makes() {
    for (method, parents, ahead) in [("merge", 2, 3), ("squash", 1, 1), ("rebase", 1, 2)] {
        let world = World::shop().await;
        let head = world.push("fix", "more", "more\n").await;
        let base = world.push("main", "src/main.rs", "fn main() { }\n").await;
        let number = world.open_pull().await;
        let wish = json!({ "merge_method": method, "sha": head });
        let merged = merge(&world, number, wish).await.is(200);
        let sha = merged.body["sha"].as_str().unwrap();
        let commit = world.get(&path(&format!("/commits/{sha}")), ANNA).await.is(200);
        assert_eq!(commit.body["parents"].as_array().unwrap().len(), parents, "{method}");
        let compared = world.get(&path(&format!("/compare/{base}...main")), ANNA).await.is(200);
        assert_eq!(compared.body["ahead_by"], ahead, "{method}");
        let pull = world.get(&path(&format!("/pulls/{number}")), ANNA).await.is(200);
        assert_eq!(pull.body["merge_commit_sha"], sha, "{method}");
        merge(&world, number, json!({})).await.is(405);
        world.conforms();
    }
}

#[tokio::test]
async fn nobody_approves_his_own_pull_request() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let reviews = path(&format!("/pulls/{number}/reviews"));
    world.post(&reviews, ANNA, json!({ "event": "APPROVE" })).await.is(422);
    world.post(&reviews, BOB, json!({ "event": "APPROVE", "body": "" })).await.is(200);
    let listed = world.get(&reviews, ANNA).await.is(200);
    assert_eq!(listed.body[0]["state"], "APPROVED");
    world.conforms();
}

#[tokio::test]
async fn labels_assignees_and_comments_are_kept() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let issue = path(&format!("/issues/{number}"));
    let edit = json!({ "labels": ["campaign", "x y"], "assignees": ["bob", "nobody"] });
    let edited = world.send(Method::PATCH, &issue, ANNA, edit).await.is(200);
    assert_eq!(edited.body["labels"][0]["name"], "campaign");
    assert_eq!(edited.body["assignees"].as_array().unwrap().len(), 1);
    let comments = format!("{issue}/comments");
    world.post(&comments, BOB, json!({ "body": "Good." })).await.is(201);
    world.post(&comments, BOB, json!({ "body": "" })).await.is(422);
    assert_eq!(world.get(&comments, ANNA).await.is(200).body[0]["body"], "Good.");
    let pull = world.get(&path(&format!("/pulls/{number}")), ANNA).await.is(200);
    assert_eq!(
        (&pull.body["comments"], &pull.body["assignee"]["login"]),
        (&json!(1), &json!("bob"))
    );
    world.conforms();
}

#[tokio::test]
async fn a_draft_becomes_ready_and_back_through_graphql() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let pull = world.get(&path(&format!("/pulls/{number}")), ANNA).await;
    let id = pull.body["node_id"].clone();
    for (door, mutation, is_draft) in [
        ("/graphql", "convertPullRequestToDraft", true),
        ("/api/graphql", "markPullRequestReadyForReview", false),
    ] {
        let query = format!(
            "mutation($id: ID!) {{ {mutation}(input: {{pullRequestId: $id}}) {{ \
             pullRequest {{ id isDraft number }} }} }}"
        );
        let body = json!({ "query": query, "variables": { "id": id } });
        let answer = world.post(door, ANNA, body.clone()).await.is(200);
        assert_eq!(answer.body["data"][mutation]["pullRequest"]["isDraft"], is_draft);
        let refused = world.post(door, BOB, body).await.is(200);
        assert_eq!(refused.body["errors"][0]["type"], "FORBIDDEN");
        let pull = world.get(&path(&format!("/pulls/{number}")), ANNA).await;
        assert_eq!(pull.body["draft"], is_draft);
        if is_draft {
            merge(&world, number, json!({})).await.is(405);
        }
    }
}

#[tokio::test]
async fn a_closed_pull_request_makes_room_and_cannot_come_back_beside_another() {
    let world = World::shop().await;
    let first = world.open_pull().await;
    world.control().close_pull(REPO, first, "anna").await.unwrap();
    let second = world.open_pull().await;
    assert_ne!(first, second);
    let reopen = json!({ "state": "open" });
    let refused =
        world.send(Method::PATCH, &path(&format!("/pulls/{first}")), ANNA, reopen).await.is(422);
    let text = "state cannot be changed. There is already an open pull request from fix to main.";
    assert_eq!(refused.message(), text);
}

#[tokio::test]
async fn texts_bases_states_and_orders_that_github_does_not_take_are_refused() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let pull = path(&format!("/pulls/{number}"));
    let edit = async |wish: Value| world.send(Method::PATCH, &pull, ANNA, wish).await.is(422);
    for titled in [path("/pulls"), pull.clone(), path(&format!("/issues/{number}"))] {
        let method = if titled.ends_with("/pulls") { Method::POST } else { Method::PATCH };
        let wish = json!({ "title": " ", "head": "fix", "base": "main" });
        let refused = world.send(method, &titled, ANNA, wish).await.is(422);
        let expected = json!({ "resource": "Issue", "field": "title", "code": "missing_field" });
        assert_eq!(refused.body["errors"][0], expected, "{titled}");
    }
    let refused = edit(json!({ "base": "fix" })).await;
    let text = "There are no new commits between base branch 'fix' and head branch 'fix'";
    assert_eq!(refused.message(), text);
    let refused = edit(json!({ "base": "nowhere" })).await;
    assert_eq!(refused.message(), "Proposed base branch 'nowhere' was not found");
    edit(json!({ "state": "merged" })).await;
    let same = json!({ "title": "x", "head": "main", "base": "main" });
    let refused = world.post(&path("/pulls"), ANNA, same).await.is(422);
    assert_eq!(refused.message(), "No commits between main and main");
    for query in ["state=merged", "sort=name", "direction=up"] {
        world.get(&path(&format!("/pulls?{query}")), ANNA).await.is(422);
    }
    for query in ["state=all", "sort=long-running", "sort=updated&direction=desc"] {
        let found = world.get(&path(&format!("/pulls?{query}")), ANNA).await.is(200);
        assert_eq!(found.body[0]["number"], number, "{query}");
    }
    world.control().close_pull(REPO, number, "anna").await.unwrap();
    world.push("next", "x", "x\n").await;
    let refused = edit(json!({ "base": "next", "state": "open" })).await;
    assert_eq!(refused.message(), "Cannot change the base branch of a closed pull request.");
    let read = world.get(&pull, ANNA).await.is(200);
    assert_eq!((&read.body["state"], &read.body["title"]), (&json!("closed"), &json!("Fix")));
    world.conforms();
}

#[tokio::test]
async fn the_merge_that_is_tried_can_be_fetched_and_no_ref_of_a_pull_request_be_pushed() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let dir = tempfile::TempDir::new().unwrap();
    let url = world.clone_url(REPO, ANNA);
    worked(&git(dir.path(), &["clone", "--quiet", &url, "."]).await);
    let name = format!("refs/pull/{number}/merge");
    let merge_sha = async || {
        let pull = world.get(&path(&format!("/pulls/{number}")), ANNA).await.is(200);
        pull.body["mergeable"].as_bool()?;
        pull.body["merge_commit_sha"].as_str().map(str::to_owned)
    };
    let first = eventually(&merge_sha).await;
    worked(&git(dir.path(), &["fetch", "--quiet", "origin", &name]).await);
    assert_eq!(worked(&git(dir.path(), &["rev-parse", "FETCH_HEAD"]).await), first);
    let main = world.control().branch_tip(REPO, "main").await.unwrap().unwrap();
    let head = world.control().branch_tip(REPO, "fix").await.unwrap().unwrap();
    let shown = git(dir.path(), &["show", "--no-patch", "--format=%P %s", "FETCH_HEAD"]).await;
    assert_eq!(worked(&shown), format!("{main} {head} Merge {head} into {main}"));
    let pushed = git(dir.path(), &["push", "origin", &format!("HEAD:{name}")]).await;
    let said = String::from_utf8_lossy(&pushed.stderr);
    assert!(said.contains("deny updating a hidden ref"), "{said}");
    world.push("fix", "more", "more\n").await;
    let second = eventually(async || merge_sha().await.filter(|sha| *sha != first)).await;
    let listed = world.get(&path("/pulls"), ANNA).await.is(200);
    assert_eq!(listed.body[0]["merge_commit_sha"], second);
    let merged = merge(&world, number, json!({})).await.is(200);
    let listed = world.get(&path("/pulls?state=closed"), ANNA).await.is(200);
    assert_eq!(listed.body[0]["merge_commit_sha"], merged.body["sha"]);
    let refs = worked(&git(dir.path(), &["ls-remote", "origin", "refs/pull/*"]).await);
    assert!(refs.ends_with("refs/pull/1/head") && !refs.contains("merge"), "{refs}");
    world.conforms();
}
