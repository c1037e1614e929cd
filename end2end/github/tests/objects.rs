//! Git's objects through the API, files that are written by it, and the bodies that are no JSON.

use crate::support::{ANNA, Answer, BOB, REPO, World};
use reqwest::Method;
use serde_json::{Value, json};

fn path(rest: &str) -> String {
    format!("/repos/{REPO}{rest}")
}

async fn tip(world: &World, branch: &str) -> String {
    world.control().branch_tip(REPO, branch).await.unwrap().expect("the branch is there")
}

async fn get_as(world: &World, rest: &str, media: &str) -> (String, String) {
    let accept = format!("application/vnd.github.{media}");
    let request = world.request(Method::GET, &path(rest), ANNA).header("accept", accept);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{rest} as {media}");
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, answer.text().await.unwrap())
}

#[tokio::test]
async fn objects_are_made_and_read() {
    let world = World::shop().await;
    let made = async |rest: &str, wish: Value| {
        let answer = world.post(&path(&format!("/git/{rest}")), ANNA, wish).await.is(201);
        answer.body["sha"].as_str().unwrap().to_owned()
    };
    let blob = made("blobs", json!({ "content": "AAE=", "encoding": "base64" })).await;
    let main = tip(&world, "main").await;
    let tree = json!({ "base_tree": main, "tree": [
        { "path": "bin/data", "mode": "100644", "type": "blob", "sha": blob },
        { "path": "run", "mode": "100755", "type": "blob", "content": "#!/bin/sh\n" },
        { "path": "README.md", "mode": "100644", "type": "blob", "sha": null },
    ] });
    let tree = made("trees", tree).await;
    let read = world.get(&path(&format!("/git/trees/{tree}?recursive=1")), ANNA).await.is(200);
    let entries = read.body["tree"].as_array().unwrap().clone();
    let shown: Vec<_> = entries.iter().map(|it| format!("{} {}", it["mode"], it["path"])).collect();
    let expected = [
        "\"040000\" \"bin\"",
        "\"100644\" \"bin/data\"",
        "\"100755\" \"run\"",
        "\"040000\" \"src\"",
        "\"100644\" \"src/main.rs\"",
    ];
    assert_eq!(shown, expected);
    let wish = json!({ "message": "Make", "tree": tree, "parents": [main] });
    let commit = made("commits", wish).await;
    let wish = json!({ "tag": "v1", "message": "One", "object": commit, "type": "commit" });
    let tag = made("tags", wish).await;
    let wish = json!({ "ref": "refs/tags/v1", "sha": tag });
    let made_ref = world.post(&path("/git/refs"), ANNA, wish).await.is(201);
    assert_eq!(made_ref.body["object"]["type"], "tag");
    for rest in [
        format!("/git/blobs/{blob}"),
        format!("/git/trees/{main}"),
        "/git/trees/main".to_owned(),
        format!("/git/commits/{commit}"),
        format!("/git/tags/{tag}"),
        "/git/matching-refs/tags/v".to_owned(),
        "/contents/bin/data?ref=v1".to_owned(),
    ] {
        world.get(&path(&rest), ANNA).await.is(200);
    }
    for rest in [format!("/git/blobs/{commit}"), format!("/git/tags/{main}"), "/git/trees/x".into()]
    {
        world.get(&path(&rest), ANNA).await.is(404);
    }
    for (rest, wish) in [
        ("commits", json!({ "message": "x", "tree": commit, "parents": [] })),
        ("commits", json!({ "message": "x", "tree": tree, "parents": [tree] })),
        ("tags", json!({ "tag": "x", "message": "x", "object": "0".repeat(40), "type": "commit" })),
        ("trees", json!({ "tree": [{ "path": "../x", "mode": "100644", "content": "" }] })),
        ("trees", json!({ "tree": [{ "path": "x", "mode": "1", "content": "" }] })),
        ("blobs", json!({ "content": "?", "encoding": "base64" })),
    ] {
        world.post(&path(&format!("/git/{rest}")), ANNA, wish).await.is(422);
    }
    world.post(&path("/git/blobs"), BOB, json!({ "content": "x" })).await.is(403);
    world.conforms();
}

#[tokio::test]
async fn a_file_is_written_changed_and_deleted_on_a_branch() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let put = async |rest: &str, wish: Value| {
        world.send(Method::PUT, &path(&format!("/contents/{rest}")), ANNA, wish).await
    };
    let wish = json!({ "message": "Add", "content": "bmV3Cg==", "branch": "fix" });
    let made = put("docs/new.md", wish.clone()).await.is(201);
    assert_eq!(made.body["content"]["path"], "docs/new.md");
    let pull = world.get(&path(&format!("/pulls/{number}")), ANNA).await.is(200);
    assert_eq!(pull.body["head"]["sha"], made.body["commit"]["sha"], "the pull request follows");
    assert!(put("docs/new.md", wish).await.is(422).message().contains("\"sha\" wasn't supplied."));
    let sha = made.body["content"]["sha"].as_str().unwrap();
    let wrong = json!({ "message": "x", "content": "", "branch": "fix", "sha": "0".repeat(40) });
    let refused = put("docs/new.md", wrong).await.is(409);
    assert_eq!(refused.message(), format!("docs/new.md does not match {}", "0".repeat(40)));
    let wish = json!({
        "message": "Change", "content": "b3RoZXIK", "branch": "fix", "sha": sha,
        "author": { "name": "Zoe", "email": "zoe@acme.example" },
    });
    let changed = put("docs/new.md", wish).await.is(200);
    assert_eq!(changed.body["commit"]["author"]["name"], "Zoe");
    let nowhere = json!({ "message": "x", "content": "", "branch": "nowhere" });
    assert_eq!(put("x", nowhere).await.is(404).message(), "Branch nowhere not found");
    put("x", json!({ "message": "x", "content": "?" })).await.is(422);
    put(".git/config", json!({ "message": "x", "content": "" })).await.is(422);
    let file = path("/contents/docs/new.md");
    let delete = async |sha: &Value| {
        let wish = json!({ "message": "Delete", "branch": "fix", "sha": sha });
        world.send(Method::DELETE, &file, ANNA, wish).await
    };
    delete(&json!("0".repeat(40))).await.is(409);
    let gone = delete(&changed.body["content"]["sha"]).await.is(200);
    assert_eq!(gone.body["content"], Value::Null);
    world.get(&path("/contents/docs/new.md?ref=fix"), ANNA).await.is(404);
    world.conforms();
}

#[tokio::test]
async fn branches_are_merged_and_a_pull_request_catches_up_with_its_base() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let update = path(&format!("/pulls/{number}/update-branch"));
    let catch_up = async |wish: Value| world.send(Method::PUT, &update, ANNA, wish).await;
    let says = |answer: Answer, text: &str| assert_eq!(answer.is(422).message(), text);
    says(catch_up(json!({})).await, "There are no new commits on the base branch.");
    world.push("main", "src/main.rs", "fn main() { }\n").await;
    let stale = json!({ "expected_head_sha": "0".repeat(40) });
    says(catch_up(stale).await, "expected head sha didn’t match current head ref.");
    catch_up(json!({ "expected_head_sha": tip(&world, "fix").await })).await.is(202);
    let pull = world.get(&path(&format!("/pulls/{number}")), ANNA).await.is(200);
    assert_eq!((&pull.body["commits"], &pull.body["changed_files"]), (&json!(2), &json!(1)));
    world.push("main", "README.md", "# Another shop\n").await;
    says(catch_up(json!({})).await, "merge conflict between base and head");
    let merge = async |base: &str, head: &str| {
        world.post(&path("/merges"), ANNA, json!({ "base": base, "head": head })).await
    };
    assert_eq!(merge("main", "fix").await.is(409).message(), "Merge conflict");
    world.push("side", "side", "side\n").await;
    let merged = merge("main", "side").await.is(201);
    assert_eq!(merged.body["sha"], tip(&world, "main").await);
    merge("main", "side").await.is(204);
    assert_eq!(merge("nowhere", "side").await.is(404).message(), "Base does not exist");
    assert_eq!(merge("main", "nowhere").await.is(404).message(), "Head does not exist");
    world.conforms();
}

#[tokio::test]
async fn other_media_types_give_other_bodies_at_the_same_address() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let head = tip(&world, "fix").await;
    for rest in [format!("/pulls/{number}"), "/compare/main...fix".into(), "/commits/fix".into()] {
        let (kind, diff) = get_as(&world, &rest, "v3.diff").await;
        assert_eq!(kind, "application/vnd.github.v3.diff; charset=utf-8");
        assert!(diff.starts_with("diff --git a/README.md b/README.md\n"), "{rest}: {diff}");
        let (_, patch) = get_as(&world, &rest, "patch").await;
        assert!(patch.starts_with(&format!("From {head} ")), "{rest}: {patch}");
        assert!(patch.contains("Subject: [PATCH] Change README.md"), "{rest}: {patch}");
    }
    assert_eq!(get_as(&world, "/commits/fix", "sha").await.1, head);
    assert_eq!(get_as(&world, "/contents/README.md?ref=fix", "raw").await.1, "# The shop\n");
    assert_eq!(get_as(&world, "/readme", "raw+json").await.1, "# Shop\n");
    let (_, listed) = get_as(&world, "/contents/src", "object").await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["entries"][0]["name"], "main.rs");
    assert_eq!(world.get(&path("/readme"), ANNA).await.is(200).body["name"], "README.md");
    world.conforms();
}

#[tokio::test]
async fn what_nobody_knows_is_not_found_in_json() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let pull = path(&format!("/pulls/{number}/nothing"));
    for (method, path) in [
        (Method::GET, "/nowhere"),
        (Method::GET, "/nowhere/at"),
        (Method::GET, "/nowhere/at/all"),
        (Method::GET, "/gists/1"),
        (Method::GET, "/api/v3/nowhere"),
        (Method::GET, &path("/nothing")),
        (Method::PUT, &path("/nothing")),
        (Method::POST, &pull),
        (Method::DELETE, &path("/topics")),
        (Method::PATCH, "/user"),
        (Method::POST, "/"),
        (Method::GET, "/acme/nowhere"),
    ] {
        let refused = world.send(method.clone(), path, ANNA, json!({})).await.is(404);
        assert_eq!(refused.message(), "Not Found", "{method} {path}");
        let kind = refused.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/json"), "{method} {path}: {kind}");
    }
    let page = world.request(Method::GET, "/acme/nowhere", "").header("accept", "text/html");
    let page = page.send().await.unwrap();
    assert!(page.text().await.unwrap().contains("<h1>Not found</h1>"), "people read a page");
    world.conforms();
}
