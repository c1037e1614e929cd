//! Which branches are pushed for which, while specs change.

use crate::support::{app::TestApp, spec::Spec};

/// The heads of the open pull requests of a repository, each with its base, in order.
fn heads(app: &TestApp, repo: &str) -> Vec<(String, String)> {
    let pulls = app.world.github.pulls(repo).unwrap();
    let mut heads: Vec<_> = pulls
        .into_iter()
        .filter(|pull| pull.state == "open")
        .map(|pull| (pull.base, pull.head))
        .collect();
    heads.sort();
    heads
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(base, head): &(&str, &str)| ((*base).to_owned(), (*head).to_owned());
    expected.iter().map(pair).collect()
}

#[tokio::test]
async fn a_second_target_branch_renames_nobodys_head() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    app.world.bea_pushes("acme/shop", "release", "RELEASE").await;
    app.publish(&Spec::new("hello").on("acme/shop")).await;
    assert_eq!(heads(&app, "acme/shop"), pairs(&[("main", "drover/hello")]));

    app.publish(&Spec::new("hello").into("acme/shop", &["release", "main"])).await;
    let both = [("main", "drover/hello"), ("release", "drover/hello-release")];
    assert_eq!(heads(&app, "acme/shop"), pairs(&both));

    // One that is left keeps its head, too; the other one comes back as it was.
    app.publish(&Spec::new("hello").into("acme/shop", &["release"])).await;
    assert_eq!(heads(&app, "acme/shop"), pairs(&both[1..]));
    app.publish(&Spec::new("hello").into("acme/shop", &["main", "release"])).await;
    assert_eq!(heads(&app, "acme/shop"), pairs(&both));
    assert_eq!(app.world.github.pulls("acme/shop").unwrap().len(), 2);
}
