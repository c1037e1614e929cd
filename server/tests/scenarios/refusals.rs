//! Requests that are refused: bad specs, people without a right, pages of other sites.

use crate::support::{app::TestApp, client::Client, spec::Spec};
use drover_server::api::wire::{ErrorBody, Problems, ROOT};
use reqwest::Method;

#[tokio::test]
async fn a_bad_spec_is_refused_with_its_problems_and_stores_nothing() {
    let app = TestApp::new().await;
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &(1..9)
            .map(|it| {
                let (new, old) = (char::from(b'a' + it), char::from(b'a' + it - 1));
                format!("{new}: &{new} [{}]\n", vec![format!("*{old}"); 9].join(","))
            })
            .collect::<String>();
    for (name, text, part) in [
        ("no UTF-8", b"name: \xff\xfe".to_vec(), "UTF-8"),
        ("empty", Vec::new(), "empty"),
        ("anchors", bomb.into_bytes(), "alias"),
        ("unknown key", b"version: 1\nnane: x\n".to_vec(), "nane"),
        ("a name with spaces", Spec::new("my campaign").text().into_bytes(), "name"),
    ] {
        let problems: Problems = app.ada.post_spec(text).await.is(422).json();
        let first = problems.problems.first().unwrap_or_else(|| panic!("{name}: no problem"));
        assert!(first.line >= 1, "{name}");
        let says = problems
            .problems
            .iter()
            .any(|it| format!("{it:?}").to_lowercase().contains(&part.to_lowercase()));
        assert!(says, "{name}: {:#?}", problems.problems);
    }
    let huge = vec![b'#'; (1 << 20) + 1];
    app.ada.post_spec(huge).await.is(422).says("1 MiB");
    app.ada.post_spec(vec![b'#'; 5 << 20]).await.is(413);
    for table in ["campaign_specs", "executions", "jobs WHERE kind = 'execute'"] {
        assert_eq!(app.world.db.count(&format!("SELECT count(*) FROM {table}")).await, 0);
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let app = TestApp::new().await;
    let paths = [
        "/viewer".to_owned(),
        format!("/specs/{}/preview", uuid::Uuid::nil()),
        format!("/executions/{}", uuid::Uuid::nil()),
        format!("/executions/{}/workspaces", uuid::Uuid::nil()),
        format!("/workspaces/{}/log", uuid::Uuid::nil()),
        "/campaigns/ada/hello".to_owned(),
    ];
    for path in paths {
        let request = app.ada.bare(Method::GET, &format!("{ROOT}{path}"));
        let refusal: ErrorBody = Client::send(request).await.is(401).json();
        assert!(refusal.error.hint.is_some_and(|hint| hint.contains("Bearer")), "{path}");
    }
    let stranger = Client::new(app.ada.url(), "drv_nobody");
    stranger.post_spec(Spec::new("hello").text()).await.is(401);
}

#[tokio::test]
async fn a_namespace_of_somebody_else_is_not_changed() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    let carl = app.user("carl").await;
    let spec = Spec::new("hello").on("acme/shop");
    let into_hers = carl.request(Method::POST, &format!("{ROOT}/specs?namespace=ada"));
    Client::send(into_hers.body(spec.text())).await.is(403);
    let preview = app.ada.preview(&spec).await;
    carl.try_apply(&preview).await.is(403);
    assert_eq!(app.world.db.count("SELECT count(*) FROM campaigns").await, 0);
}

#[tokio::test]
async fn every_post_that_names_no_origin_of_ours_is_refused() {
    let app = TestApp::new().await;
    let functions: Vec<String> = leptos::server_fn::axum::server_fn_paths()
        .filter(|(_, method)| *method != Method::GET)
        .map(|(path, _)| path.to_owned())
        .collect();
    assert!(functions.len() >= 6, "{functions:?}");
    let nil = uuid::Uuid::nil();
    let api = ["/specs".to_owned(), "/specs/validate".to_owned(), format!("/specs/{nil}/apply")];
    let api = api.map(|path| format!("{ROOT}{path}"));
    for path in functions.iter().chain(&api) {
        let bare = || app.ada.bare(Method::POST, path).form(&[("x", "y")]);
        Client::send(bare()).await.is(403).says("another site");
        let foreign = bare().header("origin", "https://evil.example");
        Client::send(foreign).await.is(403);
        let foreign = bare().header("sec-fetch-site", "cross-site");
        Client::send(foreign).await.is(403);
    }
}
