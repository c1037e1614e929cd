//! A program that cannot start says why, and what to do.

use crate::support::{app::World, program};
use std::net::TcpListener;

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
