//! From a spec to pull requests.

use crate::support::{
    app::{BOT, TestApp, World},
    client::row,
    spec::Spec,
};
use drover::{
    changeset::{marker, plan::Operation, status::ChangesetStatus},
    view::preview::Standing,
};
use github_stand_in::Class;

#[tokio::test]
async fn a_spec_becomes_pull_requests_as_it_words_them() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    app.world.repo("acme/web").await;
    let spec = Spec::new("hello").matching("org:acme");
    let preview = app.ada.preview(&spec).await;
    assert_eq!(preview.totals.publish, 2);
    assert_eq!(preview.rows.rows[0].operations, [Operation::Push, Operation::Publish]);
    assert_eq!(app.world.writes(), Vec::<String>::new(), "a preview sends nothing");
    app.ada.apply(&preview).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(page.campaign.counts.open, 2);

    for repo in ["acme/shop", "acme/web"] {
        assert_eq!(row(&page, repo).status, ChangesetStatus::Open);
        let pulls = app.world.github.pulls(repo).unwrap();
        let [pull] = pulls.as_slice() else { panic!("not one pull request: {pulls:#?}") };
        assert_eq!((pull.title.as_str(), pull.author.as_str()), ("Say hello", BOT));
        assert_eq!((pull.head.as_str(), pull.base.as_str()), ("drover/hello", "main"));
        assert!(!pull.draft);
        let body = pull.body.as_deref().unwrap();
        assert_eq!(marker::unmark(body), "So that **everybody** is greeted.");
        assert!(body.contains("<!--"), "the mark is hidden: {body}");
        is_the_commit_of_the_spec(&app.world, repo).await;
    }
    let posts: Vec<String> =
        ["shop", "web"].map(|it| format!("POST /repos/acme/{it}/pulls")).into();
    let mut writes = app.world.writes();
    writes.sort();
    assert_eq!(writes, posts, "one write for each pull request");
}

async fn is_the_commit_of_the_spec(world: &World, repo: &str) {
    let commit = world.on_github(&format!("/repos/{repo}/commits/drover%2Fhello")).await;
    assert_eq!(commit["commit"]["author"]["name"], "Grete Grüßer");
    assert_eq!(commit["commit"]["author"]["email"], "grete@example.org");
    assert_eq!(commit["commit"]["message"], "Say hello\n\nPolitely.");
    let files = world.on_github(&format!("/repos/{repo}/pulls/1/files")).await;
    assert_eq!(files.as_array().map(Vec::len), Some(1));
    assert_eq!((&files[0]["filename"], &files[0]["status"]), (&"HELLO".into(), &"added".into()));
    assert!(files[0]["patch"].as_str().unwrap().contains("+hello"));
}

/// A digest of all that stands about campaigns; reading pull requests again leaves it as it is.
async fn fingerprint(world: &World) -> i64 {
    let tables = [
        "campaigns",
        "campaign_specs",
        "changesets",
        "changeset_specs",
        "branches",
        "effects",
        "timeline",
        "write_spends",
    ];
    let parts: Vec<String> = tables
        .iter()
        .map(|table| {
            format!("(SELECT string_agg(it::text, ';' ORDER BY it::text) FROM {table} it)")
        })
        .chain(
            ["(SELECT count(*)::text FROM jobs WHERE kind IN ('apply', 'reconcile'))".to_owned()],
        )
        .collect();
    world.db.count(&format!("hashtextextended(concat_ws('|', {}), 0)", parts.join(", "))).await
}

#[tokio::test]
async fn the_same_spec_applied_twice_writes_nothing_and_sends_nothing() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    let spec = Spec::new("hello").on("acme/shop");
    let preview = app.ada.preview(&spec).await;
    app.ada.apply(&preview).await;
    app.ada.settled("hello").await;
    let (before, requests) = (fingerprint(&app.world).await, app.world.writes());

    app.ada.apply(&preview).await;
    assert_eq!(app.ada.plan(preview.spec).await.standing, Standing::Applied);
    assert_eq!(fingerprint(&app.world).await, before);
    assert_eq!(app.world.writes(), requests);
    assert_eq!(app.world.requests(Class::GitPush), 1);
}

#[tokio::test]
async fn the_same_text_previewed_and_applied_anew_sends_nothing() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    let spec = Spec::new("hello").on("acme/shop");
    app.publish(&spec).await;
    let tip = app.world.tip("acme/shop", "drover/hello").await;

    let again = app.ada.preview(&spec).await;
    assert_eq!((again.totals.unchanged, again.totals.publish), (1, 0));
    assert!(again.rows.rows[0].operations.is_empty());
    app.ada.apply(&again).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(page.spec, again.spec);
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Open);
    assert_eq!(app.world.writes(), ["POST /repos/acme/shop/pulls"]);
    assert_eq!(app.world.requests(Class::GitPush), 1);
    assert_eq!(app.world.tip("acme/shop", "drover/hello").await, tip);
}

#[tokio::test]
async fn two_branches_of_one_repository_get_a_pull_request_each() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    app.world.bea_pushes("acme/shop", "stable", "STABLE").await;
    let on = serde_json::json!([{ "repository": "acme/shop", "branches": ["main", "stable"] }]);
    let page = app.publish(&Spec::new("hello").set("/on", on)).await;
    assert_eq!(page.campaign.counts.open, 2, "{:#?}", page.changesets.rows);
    let pulls = app.world.github.pulls("acme/shop").unwrap();
    let mut bases: Vec<&str> = pulls.iter().map(|pull| pull.base.as_str()).collect();
    bases.sort_unstable();
    assert_eq!(bases, ["main", "stable"]);
}
