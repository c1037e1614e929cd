//! What the real program keeps to itself, and what it leaves when it is killed.

use crate::support::{
    app::{ADA, World},
    client::Client,
    eventually,
    program::Program,
    spec::Spec,
};
use drover::{view::execution::ExecutionState, viewer::Role};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const REPO: &str = "acme/shop";

/// Everything below a folder.
fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .flat_map(|it| {
            let is_dir = it.file_type().is_ok_and(|kind| kind.is_dir());
            let below = if is_dir { walk(&it.path()) } else { Vec::new() };
            [it.path()].into_iter().chain(below)
        })
        .collect()
}

fn runs(argument: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|it| fs::read(it.path().join("cmdline")).ok());
    lines.into_iter().any(|line| line.split(|it| *it == 0).any(|it| it == argument.as_bytes()))
}

#[tokio::test]
async fn what_a_server_makes_is_private_and_swept_after_it_was_killed() {
    let world = World::new().await;
    world.repo(REPO).await;
    let token = world.token_of(ADA, Role::Admin).await;
    let first = Program::start(&world).await;
    let ada = Client::new(&first.url, &token);
    let script = "echo hello > HELLO; mkdir -p d; chmod 777 d HELLO; sleep 611.25";
    ada.start(&Spec::new("hello").on(REPO).run(script)).await;
    eventually("the step runs", async || runs("611.25").then_some(())).await;

    let data = world.data.path();
    let made = walk(data);
    let copies: Vec<&PathBuf> = made.iter().filter(|it| it.ends_with("tree/HELLO")).collect();
    assert_eq!(copies.len(), 1, "{made:#?}");
    for folder in [data.join("work"), data.join("mirrors")] {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    // A step may open what is its own, in folders that nobody else can enter.
    let open = made.iter().filter(|it| !it.components().any(|part| part.as_os_str() == "tree"));
    for path in open {
        let meta = fs::symlink_metadata(path).unwrap();
        let mode = meta.permissions().mode() & 0o077;
        assert!(mode == 0 || meta.is_symlink(), "{} {mode:o}", path.display());
    }

    first.kill().await;
    eventually("the step ends", async || (!runs("611.25")).then_some(())).await;
    let left = copies[0].clone();
    assert!(left.is_file(), "it was killed before it could tidy up");
    world.db.run("UPDATE executions SET state = 'cancelled', finished_at = now()").await;
    let second = Program::start(&world).await;
    assert!(!left.exists(), "the next start sweeps");
    drop(second);
}

#[tokio::test]
async fn workspaces_wait_while_the_disk_is_nearly_full() {
    let app = crate::support::app::TestApp::with(|config| {
        config.executor.disk_headroom_bytes = u64::MAX;
    })
    .await;
    app.world.repo(REPO).await;
    let running = app.ada.start(&Spec::new("hello").on(REPO)).await;
    let log = eventually("the log says why", async || {
        let path = format!("/executions/{}", running.execution);
        let page: drover::view::execution::ExecutionPage = app.ada.get(&path).await;
        let row = page.workspaces.rows.into_iter().next()?;
        assert!(!matches!(page.state, ExecutionState::Done));
        let path = format!("/workspaces/{}/log", row.id);
        let log: drover::view::execution::LogPage = app.ada.get(&path).await;
        (!log.lines.is_empty()).then_some(log)
    })
    .await;
    let words: Vec<&str> = log.lines.iter().map(|line| line.text.as_str()).collect();
    assert!(words[0].starts_with("waits until") && words[0].contains("disk"), "{words:?}");
    assert!(log.open);
}
