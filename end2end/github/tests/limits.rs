//! What GitHub counts, and how it refuses what is too much.

use crate::support::{ANNA, BOB, REPO, World, git, worked};
use github_stand_in::{Resource, Strictness};
use reqwest::{Method, header::HeaderMap};
use serde_json::json;

#[track_caller]
fn told(headers: &HeaderMap, name: &str) -> String {
    headers[&format!("x-ratelimit-{name}")].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_resource_is_counted_by_itself_and_git_costs_nothing() {
    let world = World::shop().await;
    let repo = format!("/repos/{REPO}");
    let core = world.get(&repo, ANNA).await.is(200).headers;
    assert_eq!((told(&core, "resource"), told(&core, "used")), ("core".into(), "1".into()));
    let search = world.get("/search/repositories?q=shop", ANNA).await.is(200).headers;
    assert_eq!((told(&search, "resource"), told(&search, "limit")), ("search".into(), "30".into()));
    let dir = tempfile::TempDir::new().unwrap();
    worked(&git(dir.path(), &["clone", "--quiet", &world.clone_url(REPO, ANNA), "."]).await);
    worked(&git(dir.path(), &["push", "origin", "HEAD:refs/heads/new"]).await);
    let page = world.get(&format!("/{REPO}"), ANNA).await.is(200).headers;
    assert!(!page.contains_key("x-ratelimit-limit"));
    let counted = world.get("/rate_limit", ANNA).await.is(200).body;
    for (resource, used) in [("core", 1), ("search", 1), ("graphql", 0), ("code_search", 0)] {
        assert_eq!(counted["resources"][resource]["used"], used, "{resource}");
    }
    world.conforms();
}

#[tokio::test]
async fn a_limit_that_is_asked_for_is_held_until_it_is_taken_back() {
    let world = World::shop().await;
    let path = format!("/repos/{REPO}");
    world.control().limit(Resource::Core, 2, 600);
    for remaining in ["1", "0"] {
        let headers = world.get(&path, ANNA).await.is(200).headers;
        assert_eq!(told(&headers, "remaining"), remaining);
    }
    let refused = world.get(&path, ANNA).await.is(403);
    assert_eq!(refused.message(), "API rate limit exceeded.");
    assert_eq!(told(&refused.headers, "remaining"), "0");
    world.get(&path, BOB).await.is(200);
    world.get("/search/repositories?q=shop", ANNA).await.is(200);
    let dir = tempfile::TempDir::new().unwrap();
    worked(&git(dir.path(), &["clone", "--quiet", &world.clone_url(REPO, ANNA), "."]).await);
    world.control().limit(Resource::Graphql, 0, 600);
    let query = json!({ "query": "{ viewer { login } }" });
    let refused = world.post("/graphql", ANNA, query).await.is(200);
    assert_eq!(refused.body["errors"][0]["type"], "RATE_LIMITED");
    world.control().clear_limits();
    world.get(&path, ANNA).await.is(200);
    world.conforms();
}

#[tokio::test]
async fn who_is_strict_refuses_what_is_written_too_fast() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let act = json!({ "do": "be", "strictness": "strict" });
    world.post("/_control/actions", "", act).await.is(200);
    let path = format!("/repos/{REPO}/issues/{number}/comments");
    let write = async || world.post(&path, ANNA, json!({ "body": "x" })).await;
    for _ in 0..80 {
        write().await.is(201);
    }
    let refused = write().await.is(403);
    assert!(refused.message().contains("secondary rate limit"), "{}", refused.message());
    assert_eq!(refused.headers["retry-after"], "60");
    world.get(&path, ANNA).await.is(200);
    world.control().be(Strictness::Lenient);
    write().await.is(201);
    world.conforms();
}

#[tokio::test]
async fn only_our_own_hosts_are_served() {
    let world = World::shop().await;
    for path in ["/", "/user", "/_control/requests", &format!("/{REPO}.git/info/refs")] {
        let request = world.request(Method::GET, path, ANNA).header("host", "evil.test");
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 421, "{path}");
        let said = refused.text().await.unwrap();
        assert!(said.contains("does not answer for `evil.test`"), "{said}");
    }
    let port = world.stand_in.address().port();
    let request = world.request(Method::GET, "/user", ANNA);
    let request = request.header("host", format!("localhost:{port}"));
    assert_eq!(request.send().await.unwrap().status(), 200);
}
