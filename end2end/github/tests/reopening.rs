//! What closes a pull request by itself, and what can be opened again.

use crate::support::{ANNA, Answer, REPO, World, git, worked};
use github_stand_in::PullSummary;
use reqwest::Method;
use serde_json::json;

async fn tip(world: &World, branch: &str) -> String {
    world.control().branch_tip(REPO, branch).await.unwrap().expect("the branch is there")
}

fn pull(world: &World, number: u64) -> PullSummary {
    let pulls = world.control().pulls(REPO).unwrap();
    pulls.into_iter().find(|pull| pull.number == number).expect("the pull request is there")
}

async fn reopen(world: &World, number: u64) -> Answer {
    let path = format!("/repos/{REPO}/pulls/{number}");
    world.send(Method::PATCH, &path, ANNA, json!({ "state": "open" })).await
}

#[track_caller]
fn says(refused: Answer, why: &str) {
    let refused = refused.is(422);
    assert_eq!(refused.message(), format!("state cannot be changed. {why}"));
    assert_eq!(refused.body["errors"][0]["field"], "state");
}

/// A closed pull request from `fix`, whose head was the returned commit.
async fn closed() -> (World, u64, String) {
    let world = World::shop().await;
    let number = world.open_pull().await;
    world.control().close_pull(REPO, number, "anna").await.unwrap();
    let head = tip(&world, "fix").await;
    (world, number, head)
}

#[tokio::test]
async fn commits_on_top_of_the_head_at_the_close_are_taken() {
    let (world, number, head) = closed().await;
    let more = world.push("fix", "more", "more\n").await;
    assert_eq!(pull(&world, number).head_sha, head, "what is closed keeps its head");
    let opened = reopen(&world, number).await.is(200);
    assert_eq!(opened.body["head"]["sha"], more.as_str());
    world.conforms();
}

#[tokio::test]
async fn a_branch_that_was_pushed_by_force_is_final_until_the_old_head_is_back() {
    let (world, number, head) = closed().await;
    let control = world.control();
    control.force_push(REPO, "fix", "main", "anna").await.unwrap();
    world.push("fix", "other", "other\n").await;
    assert_eq!(pull(&world, number).head_sha, head);
    says(reopen(&world, number).await, "The fix branch was force-pushed or recreated.");
    control.force_push(REPO, "fix", &head, "anna").await.unwrap();
    reopen(&world, number).await.is(200);
    world.conforms();
}

#[tokio::test]
async fn a_branch_that_is_gone_or_made_anew_is_refused() {
    let (world, number, head) = closed().await;
    let control = world.control();
    control.delete_branch(REPO, "fix", "anna").await.unwrap();
    says(reopen(&world, number).await, "The fix branch has been deleted.");
    world.push("fix", "other", "other\n").await;
    says(reopen(&world, number).await, "The fix branch was force-pushed or recreated.");
    control.delete_branch(REPO, "fix", "anna").await.unwrap();
    control.force_push(REPO, "fix", &head, "anna").await.unwrap();
    reopen(&world, number).await.is(200);
    world.conforms();
}

#[tokio::test]
async fn a_branch_without_a_commit_of_its_own_closes_its_pull_request_unmerged() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let head = tip(&world, "fix").await;
    world.control().force_push(REPO, "fix", "main", "anna").await.unwrap();
    assert_eq!(pull(&world, number).state, "closed");
    says(reopen(&world, number).await, "There are no new commits on the fix branch.");
    let path = format!("/repos/{REPO}/pulls/{number}");
    assert_eq!(world.get(&path, ANNA).await.is(200).body["merged"], false);
    world.control().force_push(REPO, "fix", &head, "anna").await.unwrap();
    assert_eq!(reopen(&world, number).await.is(200).body["commits"], 1);
    world.conforms();
}

#[tokio::test]
async fn what_was_closed_and_whose_commits_are_in_the_base_is_not_reopened() {
    let (world, number, _) = closed().await;
    world.control().force_push(REPO, "main", "fix", "anna").await.unwrap();
    assert_eq!(pull(&world, number).state, "closed", "only open ones are merged by a push");
    says(reopen(&world, number).await, "There are no new commits on the fix branch.");
    world.conforms();
}

#[tokio::test]
async fn a_base_that_is_deleted_closes_what_goes_into_it() {
    let world = World::shop().await;
    world.push("next", "next", "next\n").await;
    let next = tip(&world, "next").await;
    let control = world.control();
    let number = control.open_pull(REPO, "anna", "Fix", "fix", "next").await.unwrap();
    let other = world.open_pull().await;
    control.delete_branch(REPO, "next", "anna").await.unwrap();
    assert_eq!(pull(&world, number).state, "closed");
    assert_eq!(pull(&world, other).state, "open");
    says(reopen(&world, number).await, "The next branch has been deleted.");
    control.force_push(REPO, "next", &next, "anna").await.unwrap();
    reopen(&world, number).await.is(200);
    world.conforms();
}

#[tokio::test]
async fn a_merged_pull_request_takes_texts_and_is_never_reopened() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    world.control().merge_pull(REPO, number, "anna").await.unwrap();
    says(reopen(&world, number).await, "The pull request cannot be reopened.");
    let path = format!("/repos/{REPO}/pulls/{number}");
    let edit = json!({ "title": "Done", "state": "closed" });
    let edited = world.send(Method::PATCH, &path, ANNA, edit).await.is(200);
    assert_eq!((&edited.body["title"], &edited.body["merged"]), (&json!("Done"), &json!(true)));
    world.conforms();
}

#[tokio::test]
async fn an_issue_that_is_closed_or_opened_is_the_pull_request() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let issue = format!("/repos/{REPO}/issues/{number}");
    let set = async |state: &str| {
        let wish = json!({ "state": state });
        world.send(Method::PATCH, &issue, ANNA, wish).await
    };
    assert_eq!(set("closed").await.is(200).body["state"], "closed");
    assert_eq!(pull(&world, number).state, "closed");
    assert_eq!(set("open").await.is(200).body["state"], "open");
    assert_eq!(pull(&world, number).state, "open");
    set("closed").await.is(200);
    world.control().force_push(REPO, "fix", "main", "anna").await.unwrap();
    world.push("fix", "other", "other\n").await;
    says(set("open").await, "The fix branch was force-pushed or recreated.");
    set("done").await.is(422);
    world.conforms();
}

#[tokio::test]
async fn landing_by_hand_merges_even_when_the_branch_goes_with_the_same_push() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let dir = tempfile::TempDir::new().unwrap();
    let url = world.clone_url(REPO, ANNA);
    worked(&git(dir.path(), &["clone", "--quiet", &url, "."]).await);
    worked(&git(dir.path(), &["push", "origin", "origin/fix:main", ":fix"]).await);
    assert_eq!(pull(&world, number).state, "merged");
    world.conforms();
}
