use crate::support::{ANNA, REPO, World};
use github_stand_in::{Config, DataDir};
use tempfile::TempDir;

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let dir = TempDir::new().unwrap();
    let config =
        || Config { data_dir: DataDir::At(dir.path().join("data")), ..Config::conforming() };
    let world = World::with(config()).await;
    world.furnish().await;
    let number = world.open_pull().await;
    world.stand_in.shutdown().await;
    let world = World::with(config()).await;
    let pull = world.get(&format!("/repos/{REPO}/pulls/{number}"), ANNA).await.is(200);
    assert_eq!(pull.body["title"], "Fix");
    world.control().close_pull(REPO, number, "anna").await.unwrap();
    assert_eq!(world.open_pull().await, number + 1);
    world.conforms();
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let first = World::new().await;
    let listen = first.stand_in.url().trim_start_matches("http://").parse().unwrap();
    let second = github_stand_in::StandIn::start(Config { listen, ..Config::default() }).await;
    let error = second.err().expect("the port is taken").to_string();
    assert!(error.contains("is the port taken?"), "{error}");
}
