use crate::support::{ANNA, BOB, REPO, World, eventually, git, worked};
use std::path::PathBuf;
use tempfile::TempDir;

async fn cloned(world: &World, token: &str) -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let url = world.clone_url(REPO, token);
    worked(&git(dir.path(), &["clone", "--quiet", &url, "work"]).await);
    let work = dir.path().join("work");
    (dir, work)
}

async fn commit_file(work: &std::path::Path, path: &str, content: &[u8]) -> String {
    std::fs::write(work.join(path), content).unwrap();
    worked(&git(work, &["add", "."]).await);
    worked(&git(work, &["commit", "--quiet", "-m", "Change"]).await);
    worked(&git(work, &["rev-parse", "HEAD"]).await)
}

#[tokio::test]
async fn a_clone_and_a_push_of_a_large_file_work() {
    let world = World::shop().await;
    let (_dir, work) = cloned(&world, ANNA).await;
    // Large enough that git sends the pack in chunks, and compressible enough for gzip.
    let content: Vec<u8> = (0..3_000_000_u32).map(|it| (it * it % 251) as u8).collect();
    let sha = commit_file(&work, "data.bin", &content).await;
    worked(&git(&work, &["push", "--quiet", "origin", "HEAD:main"]).await);
    assert_eq!(world.control().branch_tip(REPO, "main").await.unwrap(), Some(sha));
}

#[tokio::test]
async fn a_partial_clone_works() {
    let world = World::shop().await;
    let dir = TempDir::new().unwrap();
    let url = world.clone_url(REPO, "");
    let args = ["clone", "--quiet", "--mirror", "--filter=blob:none", &url, "mirror"];
    worked(&git(dir.path(), &args).await);
    let mirror = dir.path().join("mirror");
    assert_eq!(worked(&git(&mirror, &["show", "main:README.md"]).await), "# Shop");
}

#[tokio::test]
async fn a_push_needs_a_token_that_may_write() {
    let world = World::shop().await;
    let (_dir, work) = cloned(&world, "").await;
    commit_file(&work, "x", b"x").await;
    for (token, said) in
        [("", "could not read Username"), ("unknown", "Authentication failed"), (BOB, "403")]
    {
        let url = world.clone_url(REPO, token);
        let pushed = git(&work, &["push", &url, "HEAD:main"]).await;
        let error = String::from_utf8_lossy(&pushed.stderr);
        assert!(!pushed.status.success() && error.contains(said), "{token}: {error}");
    }
    let path = format!("/{REPO}.git/info/refs?service=git-receive-pack");
    let refused = world.get(&path, "").await.is(401);
    assert!(refused.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn an_archived_repository_takes_no_push() {
    let world = World::shop().await;
    let (_dir, work) = cloned(&world, ANNA).await;
    commit_file(&work, "x", b"x").await;
    world.control().archive(REPO).unwrap();
    assert!(!git(&work, &["push", "origin", "HEAD:main"]).await.status.success());
}

#[tokio::test]
async fn a_lease_on_an_old_commit_is_refused() {
    let world = World::shop().await;
    let (_dir, work) = cloned(&world, ANNA).await;
    let old = worked(&git(&work, &["rev-parse", "origin/fix"]).await);
    let theirs = world.push("fix", "README.md", "# Somebody else's\n").await;
    commit_file(&work, "x", b"x").await;
    let lease = format!("--force-with-lease=refs/heads/fix:{old}");
    let pushed = git(&work, &["push", &lease, "origin", "HEAD:refs/heads/fix"]).await;
    assert!(!pushed.status.success());
    assert_eq!(world.control().branch_tip(REPO, "fix").await.unwrap(), Some(theirs));
}

#[tokio::test]
async fn the_head_of_a_pull_request_follows_its_branch_at_once() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let (_dir, work) = cloned(&world, ANNA).await;
    worked(&git(&work, &["checkout", "--quiet", "fix"]).await);
    let sha = commit_file(&work, "more", b"more").await;
    worked(&git(&work, &["push", "--quiet", "origin", "fix"]).await);
    let pull = world.get(&format!("/repos/{REPO}/pulls/{number}"), ANNA).await.is(200);
    assert_eq!(pull.body["head"]["sha"], sha.as_str());
    assert_eq!(pull.body["commits"], 2);
    world.conforms();
}

#[tokio::test]
async fn pushing_a_head_into_its_base_merges_the_pull_request() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let (_dir, work) = cloned(&world, ANNA).await;
    worked(&git(&work, &["push", "--quiet", "origin", "origin/fix:main"]).await);
    let path = format!("/repos/{REPO}/pulls/{number}");
    let pull = world.get(&path, ANNA).await.is(200);
    assert_eq!((&pull.body["merged"], &pull.body["state"]), (&true.into(), &"closed".into()));
    world.get(&format!("{path}/merge"), ANNA).await.is(204);
    world.conforms();
}

#[tokio::test]
async fn deleting_a_head_branch_closes_its_pull_request() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let (_dir, work) = cloned(&world, ANNA).await;
    worked(&git(&work, &["push", "--quiet", "origin", ":fix"]).await);
    let path = format!("/repos/{REPO}/pulls/{number}");
    let state = eventually(|| async {
        let pull = world.get(&path, ANNA).await;
        pull.body["state"].as_str().map(str::to_owned)
    });
    assert_eq!(state.await, "closed");
    let reopened = world
        .send(reqwest::Method::PATCH, &path, ANNA, serde_json::json!({ "state": "open" }))
        .await
        .is(422);
    assert!(reopened.message().contains("has been deleted"));
}
