use crate::support::{ANNA, BOB, REPO, World};
use github_stand_in::{FileContent, NewRepo, fixtures};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Instant;

fn names(repos: &Value) -> Vec<&str> {
    let repos = repos.as_array().expect("a list");
    repos.iter().filter_map(|repo| repo["name"].as_str()).collect()
}

#[tokio::test]
async fn tokens_and_rights_decide_as_on_github() {
    let world = World::shop().await;
    let secret = NewRepo {
        owner: "acme".to_owned(),
        name: "secret".to_owned(),
        private: true,
        files: vec![FileContent::new("x", "x")],
        ..NewRepo::default()
    };
    world.control().create_repo(secret).await.unwrap();
    let wish = || json!({ "title": "x", "head": "fix", "base": "main" });
    let pulls = format!("/repos/{REPO}/pulls");
    world.get("/user", "").await.is(401);
    world.get("/user", ANNA).await.is(200);
    world.get(&format!("/repos/{REPO}"), "").await.is(200);
    world.get("/repos/acme/secret", ANNA).await.is(404);
    world.post(&pulls, BOB, wish()).await.is(403);
    let unknown = world.get(&format!("/repos/{REPO}"), "unknown").await.is(401);
    assert_eq!(unknown.message(), "Bad credentials");
    world.control().revoke_token(ANNA).unwrap();
    world.post(&pulls, ANNA, wish()).await.is(401);
    world.control().grant_token(ANNA, "anna").unwrap();
    world.control().archive(REPO).unwrap();
    let archived = world.post(&pulls, ANNA, wish()).await.is(403);
    assert_eq!(archived.message(), "Repository was archived so is read-only.");
    world.conforms();
}

#[tokio::test]
async fn every_read_holds_against_githubs_description() {
    let world = World::shop().await;
    let sha = world.control().branch_tip(REPO, "fix").await.unwrap().unwrap();
    world.push("topic/with/slash", "docs/a b.md", "text\n").await;
    for prefix in ["", "/api/v3"] {
        for path in [
            "/user",
            "/users/anna",
            "/orgs/acme",
            "/orgs/acme/repos?type=all",
            "/user/repos",
            "/user/orgs",
            "/users/anna/repos",
            "/rate_limit",
            "/search/repositories?q=shop",
        ] {
            world.get(&format!("{prefix}{path}"), ANNA).await.is(200);
        }
        for rest in [
            "",
            "/topics",
            "/languages",
            "/git/ref/heads/main",
            "/git/ref/heads/topic/with/slash",
            "/git/matching-refs/heads/",
            "/branches",
            "/branches/topic/with/slash",
            "/commits",
            "/commits?sha=fix&path=README.md",
            "/commits/fix",
            &format!("/commits/{sha}"),
            "/contents/",
            "/contents/README.md",
            "/contents/src?ref=fix",
            "/contents/docs/a%20b.md?ref=topic/with/slash",
            "/compare/main...fix",
            "/compare/main...topic/with/slash",
            "/pulls",
            "/hooks",
        ] {
            world.get(&format!("{prefix}/repos/{REPO}{rest}"), ANNA).await.is(200);
        }
    }
    for rest in ["/git/ref/heads/x", "/branches/x", "/contents/x", "/compare/main...x", "/pulls/9"]
    {
        world.get(&format!("/repos/{REPO}{rest}"), ANNA).await.is(404);
    }
    world.conforms();
}

#[tokio::test]
async fn addresses_lead_back_to_the_door_that_was_used() {
    let world = World::shop().await;
    let url = world.stand_in.url();
    let repo = world.get(&format!("/api/v3/repos/{REPO}"), ANNA).await.is(200);
    assert_eq!(repo.body["url"], format!("{url}/api/v3/repos/{REPO}"));
    assert_eq!(repo.body["clone_url"], format!("{url}/{REPO}.git"));
    assert_eq!(repo.body["html_url"], format!("{url}/{REPO}"));
}

#[tokio::test]
async fn refs_are_made_moved_and_deleted() {
    let world = World::shop().await;
    let refs = format!("/repos/{REPO}/git/refs");
    let main = world.control().branch_tip(REPO, "main").await.unwrap().unwrap();
    let fix = world.control().branch_tip(REPO, "fix").await.unwrap().unwrap();
    let wish = json!({ "ref": "refs/heads/new/one", "sha": main });
    world.post(&refs, ANNA, wish.clone()).await.is(201);
    world.post(&refs, ANNA, wish).await.is(422);
    world.post(&refs, ANNA, json!({ "ref": "refs/heads/a..b", "sha": main })).await.is(422);
    let one = format!("{refs}/heads/new/one");
    world.send(Method::PATCH, &one, ANNA, json!({ "sha": fix })).await.is(200);
    world.send(Method::PATCH, &one, ANNA, json!({ "sha": main })).await.is(422);
    world.send(Method::PATCH, &one, ANNA, json!({ "sha": main, "force": true })).await.is(200);
    world.send(Method::DELETE, &one, ANNA, json!({})).await.is(204);
    world.send(Method::DELETE, &one, ANNA, json!({})).await.is(422);
    world.conforms();
}

#[tokio::test]
async fn a_list_has_pages_and_a_read_that_is_known_costs_nothing() {
    let world = World::shop().await;
    for number in 0..5 {
        world.push(&format!("b{number}"), "x", "x\n").await;
    }
    let path = format!("/repos/{REPO}/branches?per_page=3&page=2");
    let page = world.get(&path, ANNA).await.is(200);
    assert_eq!(names(&page.body), ["b3", "b4", "fix"]);
    let link = page.headers["link"].to_str().unwrap();
    for rel in ["prev", "next", "last", "first"] {
        assert!(link.contains(&format!("rel=\"{rel}\"")), "{link}");
    }
    let tag = page.headers["etag"].clone();
    let used = |headers: &reqwest::header::HeaderMap| headers["x-ratelimit-used"].clone();
    let again = world.request(Method::GET, &path, ANNA).header("if-none-match", tag);
    let again = again.send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(used(again.headers()), used(&page.headers));
    world.conforms();
}

#[tokio::test]
async fn the_demo_is_quick_searchable_and_the_same_every_time() {
    let world = World::new().await;
    let began = Instant::now();
    let demo = fixtures::demo(&world.control()).await.unwrap();
    let took = began.elapsed();
    assert!(took.as_secs() < 20, "the demo took {took:?}");
    fixtures::demo(&world.control()).await.unwrap();
    let search = async |query: &str| {
        let path = format!("/search/repositories?per_page=100&q={query}");
        let found = world.get(&path, demo.token).await.is(200);
        names(&found.body["items"]).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(search("org:acme+org:globex").await.len(), 12);
    assert_eq!(search("org:acme+archived:true").await, ["ledger-legacy"]);
    assert_eq!(search("topic:frontend+language:TypeScript").await, ["checkout-web"]);
    assert_eq!(search("store+in:name").await, ["storefront"]);
    assert_eq!(search("org:acme+-topic:backend").await, ["checkout-web", "handbook"]);
    world.get("/search/repositories?q=org:nobody", demo.token).await.is(422);
    world.get("/search/repositories", demo.token).await.is(422);
    let shown = world.get("/repos/globex/catalogue/commits/main", demo.token).await.is(200);
    assert_eq!(shown.body["files"].as_array().unwrap().len(), 2_000);
    let tip = world.control().branch_tip("acme/billing", "main").await.unwrap().unwrap();
    assert_eq!(tip, "BILLING_SHA");
    world.conforms();
}
