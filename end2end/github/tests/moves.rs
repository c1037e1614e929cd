//! Repositories that are renamed, transferred, made anew, hidden or deleted.

use crate::support::{ANNA, BOB, REPO, World, git, worked};
use github_stand_in::{FileContent, NewRepo, Visibility};
use reqwest::{Client, Method, Response, redirect::Policy};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Asks without following where the answer leads.
async fn ask(world: &World, method: Method, path: &str) -> Response {
    let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let url = format!("{}{path}", world.stand_in.url());
    client.request(method, url).bearer_auth(ANNA).send().await.unwrap()
}

async fn id_of(world: &World, repo: &str) -> Value {
    world.get(&format!("/repos/{repo}"), ANNA).await.is(200).body["id"].clone()
}

async fn new_repo(world: &World, owner: &str, name: &str) {
    let files = vec![FileContent::new("README.md", "# New\n")];
    let (owner, name) = (owner.to_owned(), name.to_owned());
    let wish = NewRepo { owner, name, files, ..NewRepo::default() };
    world.control().create_repo(wish).await.unwrap();
}

#[tokio::test]
async fn an_old_name_leads_to_the_number_until_somebody_takes_it() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let id = id_of(&world, REPO).await;
    world.control().rename_repo(REPO, "store").await.unwrap();
    for (prefix, method, status) in
        [("", Method::GET, 301), ("/api/v3", Method::GET, 301), ("", Method::PATCH, 307)]
    {
        let path = format!("{prefix}/repos/{REPO}/pulls/{number}?x=1");
        let answer = ask(&world, method, &path).await;
        assert_eq!(answer.status(), status);
        let to = format!("{}{prefix}/repositories/{id}/pulls/{number}?x=1", world.stand_in.url());
        assert_eq!(answer.headers()["location"], to.as_str());
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["message"], &body["url"]), (&json!("Moved Permanently"), &json!(to)));
    }
    let followed = world.get(&format!("/repos/{REPO}/pulls/{number}"), ANNA).await.is(200);
    assert_eq!(followed.body["base"]["repo"]["full_name"], "acme/store");
    let edit = json!({ "title": "By number" });
    let path = format!("/repositories/{id}/pulls/{number}");
    assert_eq!(
        world.send(Method::PATCH, &path, ANNA, edit).await.is(200).body["title"],
        "By number"
    );
    world.get(&format!("/repositories/{id}"), ANNA).await.is(200);
    world.get("/repositories/999", ANNA).await.is(404);
    new_repo(&world, "acme", "shop").await;
    assert_ne!(id_of(&world, REPO).await, id, "a name that is taken again is another repository");
    world.get(&format!("/repos/{REPO}/pulls/{number}"), ANNA).await.is(404);
    assert_eq!(id_of(&world, "acme/store").await, id);
    world.conforms();
}

#[tokio::test]
async fn git_goes_on_at_the_new_name() {
    let world = World::shop().await;
    let dir = TempDir::new().unwrap();
    let url = world.clone_url(REPO, "");
    worked(&git(dir.path(), &["clone", "--quiet", &url, "."]).await);
    world.control().transfer_repo(REPO, "anna").await.unwrap();
    worked(&git(dir.path(), &["fetch", "origin"]).await);
    let header = format!("http.extraHeader=Authorization: Bearer {ANNA}");
    let push = ["-c", header.as_str(), "push", "origin", "HEAD:refs/heads/moved"];
    worked(&git(dir.path(), &push).await);
    assert!(world.control().branch_tip("anna/shop", "moved").await.unwrap().is_some());
    let page = ask(&world, Method::GET, &format!("/{REPO}")).await;
    assert_eq!(
        (page.status().as_u16(), &page.headers()["location"]),
        (301, &{
            let url = format!("{}/anna/shop", world.stand_in.url());
            reqwest::header::HeaderValue::from_str(&url).unwrap()
        })
    );
}

#[tokio::test]
async fn names_are_changed_by_the_api_and_not_to_one_that_is_taken() {
    let world = World::shop().await;
    new_repo(&world, "acme", "store").await;
    let path = format!("/repos/{REPO}");
    let rename = async |name: &str, token| {
        world.send(Method::PATCH, &path, token, json!({ "name": name })).await
    };
    rename("x", BOB).await.is(403);
    assert_eq!(
        rename("Store", ANNA).await.is(422).message(),
        "name already exists on this account"
    );
    rename("a b", ANNA).await.is(422);
    let renamed = rename("Market", ANNA).await.is(200);
    assert_eq!(renamed.body["full_name"], "acme/Market");
    let owner = json!({ "new_owner": "anna", "new_name": "bazaar" });
    let moved = world.post("/repos/acme/market/transfer", ANNA, owner).await.is(202);
    assert_eq!(moved.body["full_name"], "anna/bazaar");
    for old in [REPO, "acme/market"] {
        let read = world.get(&format!("/repos/{old}"), ANNA).await.is(200);
        assert_eq!(read.body["full_name"], "anna/bazaar", "{old}");
    }
    world.control().rename_repo("anna/bazaar", "shop").await.unwrap();
    world.control().transfer_repo("anna/shop", "acme").await.unwrap();
    assert_eq!(ask(&world, Method::GET, &path).await.status(), 200, "back where it was");
    world.conforms();
}

#[tokio::test]
async fn a_default_branch_must_be_there_and_is_what_a_clone_begins_with() {
    let world = World::shop().await;
    let path = format!("/repos/{REPO}");
    let set = async |branch: &str| {
        world.send(Method::PATCH, &path, ANNA, json!({ "default_branch": branch })).await
    };
    set("nowhere").await.is(422);
    assert_eq!(set("fix").await.is(200).body["default_branch"], "fix");
    let dir = TempDir::new().unwrap();
    worked(&git(dir.path(), &["clone", "--quiet", &world.clone_url(REPO, ""), "."]).await);
    assert_eq!(worked(&git(dir.path(), &["branch", "--show-current"]).await), "fix");
    world.conforms();
}

#[tokio::test]
async fn what_is_hidden_or_deleted_is_not_there() {
    let world = World::shop().await;
    let path = format!("/repos/{REPO}");
    world.control().set_visibility(REPO, Visibility::Private).unwrap();
    world.get(&path, BOB).await.is(404);
    world.get(&path, "").await.is(404);
    assert_eq!(world.get(&path, ANNA).await.is(200).body["visibility"], "private");
    world.control().rename_repo(REPO, "secret").await.unwrap();
    world.get(&path, BOB).await.is(404);
    let open = json!({ "private": false });
    world.send(Method::PATCH, "/repos/acme/secret", ANNA, open).await.is(200);
    world.get("/repos/acme/secret", BOB).await.is(200);
    world.send(Method::DELETE, "/repos/acme/secret", BOB, json!({})).await.is(403);
    world.send(Method::DELETE, "/repos/acme/secret", ANNA, json!({})).await.is(204);
    for gone in [path.as_str(), "/repos/acme/secret"] {
        world.get(gone, ANNA).await.is(404);
    }
    world.control().delete_repo("acme/secret").await.unwrap_err();
    world.conforms();
}

#[tokio::test]
async fn other_processes_do_the_same() {
    let world = World::shop().await;
    let act = async |action: Value| world.post("/_control/actions", "", action).await;
    act(json!({ "do": "set_permission", "repo": REPO, "login": "bob", "access": "write" }))
        .await
        .is(200);
    act(json!({ "do": "rename_repo", "repo": REPO, "name": "store" })).await.is(200);
    act(json!({ "do": "transfer_repo", "repo": "acme/store", "owner": "nobody" })).await.is(404);
    act(json!({ "do": "transfer_repo", "repo": "acme/store", "owner": "bob" })).await.is(200);
    act(json!({ "do": "set_visibility", "repo": "bob/store", "visibility": "private" }))
        .await
        .is(200);
    let push = json!({
        "do": "force_push", "repo": "bob/store", "branch": "fix", "to": "main", "by": "bob",
    });
    act(push).await.is(200);
    let against = json!({
        "do": "protect_branch", "repo": "bob/store", "branch": "main", "against": "pushes",
    });
    act(against).await.is(200);
    act(json!({ "do": "delete_repo", "repo": "bob/store" })).await.is(200);
    world.get("/repos/bob/store", BOB).await.is(404);
}

#[tokio::test]
async fn old_names_are_kept_over_a_restart() {
    let dir = TempDir::new().unwrap();
    let data_dir = || github_stand_in::DataDir::At(dir.path().join("data"));
    let config = || github_stand_in::Config {
        data_dir: data_dir(),
        ..github_stand_in::Config::conforming()
    };
    let world = World::with(config()).await;
    world.furnish().await;
    world.control().rename_repo(REPO, "store").await.unwrap();
    world.stand_in.shutdown().await;
    let world = World::with(config()).await;
    let read = world.get(&format!("/repos/{REPO}"), ANNA).await.is(200);
    assert_eq!(read.body["full_name"], "acme/store");
    assert!(world.control().branch_tip("acme/store", "fix").await.unwrap().is_some());
}
