//! The bodies fit the types of the client that Drover's server uses.

use crate::support::{ANNA, World};
use github_stand_in::{Fault, Rule};
use octocrab::{Octocrab, params};

fn client(world: &World, path: &str) -> Octocrab {
    let uri = format!("{}{path}", world.stand_in.url());
    let builder = Octocrab::builder().base_uri(uri).unwrap().personal_token(ANNA.to_owned());
    builder
        .add_retry_config(octocrab::service::middleware::retry::RetryConfig::None)
        .build()
        .unwrap()
}

#[tokio::test]
async fn octocrab_reads_what_it_is_sent() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let world = World::shop().await;
    for (path, branch) in [("", "fix"), ("/api/v3", "fix-2")] {
        world.push(branch, "new", "new\n").await;
        let client = client(&world, path);
        let (repos, pulls) = (client.repos("acme", "shop"), client.pulls("acme", "shop"));
        let made = pulls.create("Fix", branch, "main").body("Text").send().await.unwrap();
        assert_eq!(made.user.unwrap().login, "anna");
        let read = pulls.get(made.number).await.unwrap();
        assert_eq!(read.head.repo.unwrap().full_name.unwrap(), "acme/shop");
        let listed = pulls.list().state(params::State::All).per_page(1).send().await.unwrap();
        assert_eq!(listed.items.len(), 1);
        assert_eq!(repos.get().await.unwrap().default_branch.unwrap(), "main");
        repos.get_ref(&params::repos::Reference::Branch(branch.to_owned())).await.unwrap();
        assert!(!repos.list_branches().send().await.unwrap().items.is_empty());
        assert!(!repos.list_commits().send().await.unwrap().items.is_empty());
        repos.get_content().path("README.md").send().await.unwrap();
        client.commits("acme", "shop").compare("main", branch).send().await.unwrap();
        assert_eq!(client.current().user().await.unwrap().login, "anna");
        let found = client.search().repositories("org:acme shop").send().await.unwrap();
        assert_eq!(found.items.len(), 1);
        let issues = client.issues("acme", "shop");
        let labels = vec!["campaign".to_owned()];
        let edited = issues.update(made.number).labels(&labels).send().await.unwrap();
        assert_eq!(edited.labels[0].name, "campaign");
        issues.create_comment(made.number, "Good.").await.unwrap();
        assert_eq!(issues.list_comments(made.number).send().await.unwrap().items.len(), 1);
        client.ratelimit().get().await.unwrap();
        assert!(pulls.merge(made.number).send().await.unwrap().merged);
    }
    world.conforms();
}

#[tokio::test]
async fn octocrab_without_retry_sends_a_post_once() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let world = World::shop().await;
    world.control().fault(Rule::once("POST", "/repos/*/*/pulls", Fault::CutAfter));
    let client = client(&world, "");
    client.pulls("acme", "shop").create("Fix", "fix", "main").send().await.unwrap_err();
    assert_eq!(world.control().count_requests("POST", "/pulls"), 1);
    assert_eq!(world.control().pulls("acme/shop").unwrap().len(), 1);
}
