//! Pushes that GitHub declines, and what it says to git and to callers of its API.

use crate::support::{ANNA, Answer, REPO, World, git, worked};
use github_stand_in::Protection;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

async fn cloned(world: &World) -> TempDir {
    let dir = TempDir::new().unwrap();
    let url = world.clone_url(REPO, ANNA);
    worked(&git(dir.path(), &["clone", "--quiet", &url, "."]).await);
    dir
}

/// What git says of a push that fails.
async fn declined(dir: &TempDir, args: &[&str]) -> String {
    let args = [&["push", "origin"], args].concat();
    let pushed = git(dir.path(), &args).await;
    let said = String::from_utf8_lossy(&pushed.stderr).into_owned();
    assert!(!pushed.status.success(), "{said}");
    said
}

async fn tip(world: &World, branch: &str) -> Option<String> {
    world.control().branch_tip(REPO, branch).await.unwrap()
}

#[tokio::test]
async fn names_that_would_be_taken_for_others_are_declined() {
    let world = World::shop().await;
    let dir = cloned(&world).await;
    let sha_like = "ab".repeat(20);
    for (name, text) in [
        (
            "refs/heads/x",
            "GH005: Sorry, branch or tag names starting with 'refs/' are not allowed.",
        ),
        (
            sha_like.as_str(),
            "GH002: Sorry, branch or tag names consisting of 40 hex characters are not allowed.",
        ),
    ] {
        for folder in ["heads", "tags"] {
            let said = declined(&dir, &[&format!("HEAD:refs/{folder}/{name}")]).await;
            assert!(said.contains(text) && said.contains("(pre-receive hook declined)"), "{said}");
        }
        let main = tip(&world, "main").await;
        let wish = json!({ "ref": format!("refs/heads/{name}"), "sha": main });
        let refused = world.post(&format!("/repos/{REPO}/git/refs"), ANNA, wish).await.is(422);
        assert!(text.ends_with(refused.message()), "{}", refused.message());
    }
    worked(&git(dir.path(), &["push", "origin", "HEAD:refs/heads/refs-x"]).await);
    worked(&git(dir.path(), &["push", "origin", "HEAD:refs/heads/x/refs/y"]).await);
    world.conforms();
}

#[tokio::test]
async fn a_branch_and_a_branch_below_it_cannot_both_be() {
    let world = World::shop().await;
    let dir = cloned(&world).await;
    let said = declined(&dir, &["HEAD:refs/heads/fix/more"]).await;
    assert!(said.contains("refs/heads/fix"), "{said}");
    assert!(said.contains("remote rejected"), "{said}");
    let main = tip(&world, "main").await;
    let wish = json!({ "ref": "refs/heads/fix/more", "sha": main });
    world.post(&format!("/repos/{REPO}/git/refs"), ANNA, wish).await.is(422);
    assert_eq!(tip(&world, "fix/more").await, None);
    world.conforms();
}

#[tokio::test]
async fn a_protected_branch_keeps_its_commits() {
    let world = World::shop().await;
    world.control().protect_branch(REPO, "fix", Protection::Rewriting).unwrap();
    let dir = cloned(&world).await;
    let before = tip(&world, "fix").await;
    let head = "GH006: Protected branch update failed for refs/heads/fix.";
    for (args, why) in [
        (&["--force", "origin/main:fix"], "Cannot force-push to this branch"),
        (&["--delete", "fix"], "Cannot delete this branch"),
    ] {
        let said = declined(&dir, args).await;
        for text in [head, why, "(protected branch hook declined)"] {
            assert!(said.contains(text), "{text}: {said}");
        }
    }
    assert_eq!(tip(&world, "fix").await, before);
    worked(&git(dir.path(), &["checkout", "--quiet", "fix"]).await);
    worked(&git(dir.path(), &["commit", "--quiet", "--allow-empty", "-m", "More"]).await);
    worked(&git(dir.path(), &["push", "origin", "fix", "fix:other"]).await);
    assert_ne!(tip(&world, "fix").await, before);
}

#[tokio::test]
async fn a_branch_for_pull_requests_only_takes_no_push_and_other_branches_of_it_go_on() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    world.control().protect_branch(REPO, "main", Protection::Pushes).unwrap();
    let dir = cloned(&world).await;
    let before = tip(&world, "main").await;
    let said = declined(&dir, &["origin/fix:main", "origin/fix:refs/heads/other"]).await;
    assert!(said.contains("- Changes must be made through a pull request."), "{said}");
    assert_eq!(tip(&world, "main").await, before);
    assert!(tip(&world, "other").await.is_some(), "{said}");
    let said =
        declined(&dir, &["--atomic", "origin/fix:main", "origin/fix:refs/heads/third"]).await;
    assert!(said.contains("(protected branch hook declined)"), "{said}");
    assert_eq!(tip(&world, "third").await, None, "all of it or nothing");
    let refs = format!("/repos/{REPO}/git/refs/heads/main");
    let wish = json!({ "sha": tip(&world, "fix").await });
    let says = |answer: Answer, text: &str| assert_eq!(answer.is(422).message(), text);
    let pull_requests_only = "Changes must be made through a pull request.";
    says(world.send(Method::PATCH, &refs, ANNA, wish).await, pull_requests_only);
    let delete = world.send(Method::DELETE, &refs, ANNA, json!({})).await;
    says(delete, "Cannot delete this branch");
    let branch = world.get(&format!("/repos/{REPO}/branches/main"), ANNA).await.is(200);
    assert_eq!(branch.body["protected"], true);
    world.control().merge_pull(REPO, number, "anna").await.unwrap();
    world.control().unprotect_branch(REPO, "main").unwrap();
    worked(&git(dir.path(), &["push", "--force", "origin", "origin/fix:main"]).await);
    world.conforms();
}

#[tokio::test]
async fn the_default_branch_is_not_deleted() {
    let world = World::shop().await;
    let dir = cloned(&world).await;
    let said = declined(&dir, &[":main"]).await;
    assert!(said.contains("refusing to delete the current branch"), "{said}");
    let path = format!("/repos/{REPO}/git/refs/heads/main");
    world.send(Method::DELETE, &path, ANNA, json!({})).await.is(422);
    assert!(tip(&world, "main").await.is_some());
}

#[tokio::test]
async fn an_archived_repository_declines_every_write_with_the_words_of_github() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let dir = cloned(&world).await;
    world.control().archive(REPO).unwrap();
    let said = declined(&dir, &["HEAD:refs/heads/new"]).await;
    assert!(said.contains("remote: This repository was archived so it is read-only."), "{said}");
    assert!(said.contains("error: 403"), "{said}");
    let repo = format!("/repos/{REPO}");
    for (method, rest) in [
        (Method::PATCH, format!("/pulls/{number}")),
        (Method::PATCH, format!("/issues/{number}")),
        (Method::PUT, format!("/pulls/{number}/merge")),
        (Method::PUT, format!("/pulls/{number}/update-branch")),
        (Method::PUT, "/contents/x".to_owned()),
        (Method::POST, "/git/refs".to_owned()),
        (Method::POST, "/git/blobs".to_owned()),
        (Method::POST, "/merges".to_owned()),
        (Method::POST, format!("/issues/{number}/comments")),
    ] {
        let refused = world.send(method, &format!("{repo}{rest}"), ANNA, json!({})).await.is(403);
        assert_eq!(refused.message(), "Repository was archived so is read-only.", "{rest}");
    }
    world.conforms();
}
