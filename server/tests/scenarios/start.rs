//! A program that cannot start says why, and what to do.

use crate::support::{
    app::World,
    program::{self, Program},
};
use std::{net::TcpListener, process::Stdio};

/// The command line, with other values for some flags.
fn line(world: &World, changes: &[(&str, &str)]) -> Vec<String> {
    let mut line = world.command_line().split_off(1);
    for (flag, value) in changes {
        let at = line.iter().position(|word| word == flag).expect("it has this flag");
        line[at + 1] = (*value).to_owned();
    }
    line
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let world = World::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = program::run(&line(&world, &[("--port", &port)])).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.error.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{}", ended.error);
    assert!(ended.error.contains("--port"), "{}", ended.error);
}

#[tokio::test]
async fn a_postgresql_that_is_not_there_is_named_without_its_password() {
    let world = World::new().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://drover:canary@127.0.0.1:{free}/drover");
    let ended = program::run(&line(&world, &[("--database-url", &url)])).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.error.contains("database"), "{}", ended.error);
    assert!(!ended.error.contains("canary"), "{}", ended.error);
}

fn without_token(mut line: Vec<String>) -> Vec<String> {
    let at = line.iter().position(|word| word == "--github-token").expect("it has this flag");
    line.drain(at..at + 2);
    line
}

#[tokio::test]
async fn another_github_than_the_one_that_is_stored_is_refused() {
    let world = World::new().await;
    let new = program::run(&without_token(line(&world, &[]))).await;
    assert_eq!(new.code, Some(1));
    assert!(new.error.contains("without a token"), "{}", new.error);

    Program::start(&world).await.kill().await;
    let other = line(&world, &[("--github-url", "https://github.example/api/v3")]);
    for line in [without_token(other.clone()), other] {
        let ended = program::run(&line).await;
        assert_eq!(ended.code, Some(1));
        let says = "`--github-url http://127.0.0.1:";
        assert!(ended.error.contains(says) && ended.error.contains("choose"), "{}", ended.error);
    }
    let stored = line(&world, &[])
        .into_iter()
        .map(|word| if word.starts_with("http://") { format!("{word}/") } else { word })
        .collect();
    Program::start_with(&without_token(stored), Stdio::inherit()).await.kill().await;
}
