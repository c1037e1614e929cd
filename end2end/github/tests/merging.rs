//! What merges say and who makes them, by the settings of a repository.

use crate::support::{ANNA, Answer, REPO, World};
use github_stand_in::NewCommit;
use reqwest::Method;
use serde_json::{Value, json};

fn path(rest: &str) -> String {
    format!("/repos/{REPO}{rest}")
}

async fn merge(world: &World, number: u64, wish: Value) -> Answer {
    world.send(Method::PUT, &path(&format!("/pulls/{number}/merge")), ANNA, wish).await
}

async fn set(world: &World, settings: Value) -> Value {
    world.send(Method::PATCH, &path(""), ANNA, settings).await.is(200).body
}

/// Message, author and committer of what a merge made.
async fn made(world: &World, number: u64, wish: Value) -> (String, String, String) {
    let merged = merge(world, number, wish).await.is(200);
    let sha = merged.body["sha"].as_str().unwrap();
    let commit = world.get(&path(&format!("/commits/{sha}")), ANNA).await.is(200).body;
    let text = |of: &str, field: &str| commit["commit"][of][field].as_str().unwrap().to_owned();
    let message = commit["commit"]["message"].as_str().unwrap().to_owned();
    (message, text("author", "name"), text("committer", "name"))
}

/// A pull request of Anna's with these commits of Bob's.
async fn pull(world: &World, branch: &str, messages: &[&str]) -> u64 {
    for (index, message) in messages.iter().enumerate() {
        let path = format!("{branch}-{index}");
        let commit = NewCommit {
            repo: REPO.to_owned(),
            branch: branch.to_owned(),
            by: "bob".to_owned(),
            message: (*message).to_owned(),
            files: vec![github_stand_in::FileContent::new(&path, "x\n")],
        };
        world.control().commit(&commit).await.unwrap();
    }
    let wish = json!({ "title": "Title", "body": "Body", "head": branch, "base": "main" });
    let made = world.post(&path("/pulls"), ANNA, wish).await.is(201);
    made.body["number"].as_u64().unwrap()
}

const TRAILER: &str = "Co-authored-by: bob <bob@users.noreply.github.com>";

#[tokio::test]
async fn each_method_has_its_texts_and_authors() {
    let world = World::shop().await;
    let check = async |messages: &[&str], wish: Value, expected: (&str, &str, &str)| {
        let branch = format!("b{}", world.control().pulls(REPO).unwrap().len());
        let number = pull(&world, &branch, messages).await;
        let (message, author, committer) = made(&world, number, wish).await;
        let message = message.replace(&format!("#{number}"), "#N").replace(&branch, "branch");
        assert_eq!((message.as_str(), author.as_str(), committer.as_str()), expected);
    };
    let one = ["Subject\n\nWhy."].as_slice();
    let two = ["First", "Second\n\nWhy."].as_slice();
    let text = "Merge pull request #N from acme/branch\n\nTitle";
    check(two, json!({}), (text, "anna", "GitHub")).await;
    let squash = || json!({ "merge_method": "squash" });
    let text = format!("Subject (#N)\n\nWhy.\n\n{TRAILER}");
    check(one, squash(), (&text, "anna", "GitHub")).await;
    let text = format!("Title (#N)\n\n* First\n\n* Second\n\nWhy.\n\n{TRAILER}");
    check(two, squash(), (&text, "anna", "GitHub")).await;
    check(one, json!({ "merge_method": "rebase" }), ("Subject\n\nWhy.", "bob", "anna")).await;
    let own = json!({ "merge_method": "squash", "commit_title": "Own", "commit_message": "" });
    check(one, own, ("Own", "anna", "GitHub")).await;
    let settings = json!({
        "merge_commit_title": "PR_TITLE", "merge_commit_message": "BLANK",
        "squash_merge_commit_title": "PR_TITLE", "squash_merge_commit_message": "PR_BODY",
    });
    let shown = set(&world, settings).await;
    assert_eq!(shown["squash_merge_commit_message"], "PR_BODY");
    check(one, json!({}), ("Title (#N)", "anna", "GitHub")).await;
    let text = format!("Title (#N)\n\nBody\n\n{TRAILER}");
    check(one, squash(), (&text, "anna", "GitHub")).await;
    world.conforms();
}

#[tokio::test]
async fn a_method_that_is_not_allowed_is_refused() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    for (setting, method, text) in [
        ("allow_merge_commit", "merge", "Merge commits are not allowed on this repository."),
        ("allow_squash_merge", "squash", "Squash merges are not allowed on this repository."),
        ("allow_rebase_merge", "rebase", "Rebase merges are not allowed on this repository."),
    ] {
        assert_eq!(set(&world, json!({ setting: false })).await[setting], false);
        let refused = merge(&world, number, json!({ "merge_method": method })).await.is(405);
        assert_eq!(refused.message(), text);
    }
    assert_eq!(
        set(&world, json!({ "allow_rebase_merge": true })).await["allow_rebase_merge"],
        true
    );
    merge(&world, number, json!({ "merge_method": "rebase" })).await.is(200);
    world.conforms();
}

#[tokio::test]
async fn a_merged_branch_goes_when_the_repository_says_so_and_what_stood_on_it_moves_on() {
    let world = World::shop().await;
    let first = world.open_pull().await;
    let control = world.control();
    control.force_push(REPO, "next", "fix", "anna").await.unwrap();
    world.push("next", "next", "next\n").await;
    let second = control.open_pull(REPO, "anna", "Next", "next", "fix").await.unwrap();
    set(&world, json!({ "delete_branch_on_merge": true })).await;
    merge(&world, first, json!({})).await.is(200);
    assert_eq!(control.branch_tip(REPO, "fix").await.unwrap(), None);
    let pull = world.get(&path(&format!("/pulls/{second}")), ANNA).await.is(200);
    assert_eq!((&pull.body["state"], &pull.body["base"]["ref"]), (&json!("open"), &json!("main")));
    assert_eq!(pull.body["commits"], 1);
    merge(&world, second, json!({ "merge_method": "squash" })).await.is(200);
    assert_eq!(control.branch_tip(REPO, "next").await.unwrap(), None);
    world.conforms();
}
