use crate::support::{ANNA, REPO, World};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_pull_request_has_a_page_that_shows_it_and_runs_nothing_of_it() {
    let world = World::shop().await;
    world.push("fix", "evil.html", "<script>alert(1)</script>\n").await;
    let wish = json!({
        "title": "Fix <b>it</b>", "body": "<img src=x onerror=alert(1)>", "head": "fix",
        "base": "main",
    });
    let made = world.post(&format!("/repos/{REPO}/pulls"), ANNA, wish).await.is(201);
    let link = made.body["html_url"].as_str().unwrap();
    let page = world.get(link.strip_prefix(&world.stand_in.url()).unwrap(), "").await.is(200);
    let html = page.body.as_str().unwrap();
    for shown in ["Fix &lt;b&gt;it", "&lt;img", "Change evil.html", "+&lt;script&gt;", "Open"] {
        assert!(html.contains(shown), "{shown} in {html}");
    }
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    for (path, shown) in [("/", "/acme/shop"), ("/acme", "shop"), ("/acme/shop", "Fix &lt;b&gt;")] {
        let page = world.get(path, "").await.is(200);
        assert!(page.body.as_str().unwrap().contains(shown), "{path}");
    }
    world.get("/acme/none", "").await.is(404);
    world.get("/acme/shop/pull/99", "").await.is(404);
    world.get("/_avatar/anna", "").await.is(200);
}

#[tokio::test]
async fn links_to_files_and_diffs_lead_to_them() {
    let world = World::shop().await;
    world.push("topic/with/slash", "docs/a b.md", "text\n").await;
    let number = world.open_pull().await;
    let file = "/repos/acme/shop/contents/docs/a%20b.md?ref=topic/with/slash";
    let link = world.get(file, ANNA).await.is(200).body["download_url"].clone();
    let pull = world.get(&format!("/repos/acme/shop/pulls/{number}"), ANNA).await.is(200).body;
    for (link, text) in [
        (&link, "text"),
        (&pull["diff_url"], "diff --git a/README.md b/README.md"),
        (&pull["patch_url"], "Subject: [PATCH] Change README.md"),
    ] {
        let path = link.as_str().unwrap().trim_start_matches(&world.stand_in.url()).to_owned();
        let shown = world.get(&path, "").await.is(200);
        assert!(shown.body.as_str().is_some_and(|body| body.contains(text)), "{path}");
    }
    world.get("/acme/shop/raw/main/nothing", "").await.is(404);
    world.get("/acme/shop/pull/1.pdf", "").await.is(404);
}

#[tokio::test]
async fn no_input_breaks_it() {
    let world = World::shop().await;
    for path in [
        "/repos/..%2f..%2fetc/passwd",
        "/repos/acme/shop/contents/..%2f..%2f..%2fetc%2fpasswd",
        "/repos/acme/shop/contents/%00",
        "/repos/acme/shop/commits/--output=x",
        "/repos/acme/shop/compare/--a...--b",
        "/repos/acme/shop/branches/%ff",
        "/repos/acme/shop/pulls/99999999999999999999999",
        "/acme/shop.git/info/refs?service=git-upload-pack%00",
        "/acme/..%2fshop.git/info/refs",
        "/%ff/%00",
    ] {
        let answer = world.get(path, ANNA).await;
        assert!(answer.status.as_u16() < 500, "{path}: {} {}", answer.status, answer.body);
    }
    let huge =
        world.request(Method::POST, "/repos/acme/shop/pulls", ANNA).body(vec![b' '; 5 << 20]);
    assert_eq!(huge.send().await.unwrap().status(), 413);
    let deep =
        world.request(Method::POST, "/repos/acme/shop/pulls", ANNA).body("[".repeat(100_000));
    assert!(deep.send().await.unwrap().status().is_client_error());
    let page = world.get("/user/repos?page=99999999999999999999&per_page=-1", ANNA).await;
    page.is(200);
}
