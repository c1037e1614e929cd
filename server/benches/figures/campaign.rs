//! The sample campaign on the demo's repositories, and what the engine adds to bare git.

use super::{Figure, Goal, house::House};
use anyhow::Context;
use drover::campaign::SAMPLE;
use github_stand_in::{Access, Class, FileContent, NewRepo, fixtures};
use std::{path::Path, process::Command, time::Instant};

const TOKEN: &str = "bench-token";
/// The repositories of the comparison with a shell loop.
const REPOS: u32 = 40;

/// How long the preview and the opening of the sample campaign take.
pub(crate) async fn sample() -> anyhow::Result<Vec<Figure>> {
    let house = House::start("demo-token-of-the-stand-in").await?;
    fixtures::demo(&house.stand_in.control()).await?;
    let begun = Instant::now();
    let preview = house.preview(SAMPLE).await?;
    let previewed = begun.elapsed();
    house.stand_in.control().clear_requests();
    let request = house.apply(&preview).await?;
    let applied = Instant::now();
    house.wait_for_open(&preview, preview.totals.publish).await?;
    let opened = applied.elapsed();
    let counts = house.stand_in.control().request_counts();
    let writes = u32::try_from(counts.get(&Class::ContentWrite).copied().unwrap_or_default())?;
    let published = f64::from(preview.totals.publish);
    house.stop().await?;
    let seconds = |id, measured: std::time::Duration, most| Figure {
        id,
        measured: measured.as_secs_f64(),
        unit: "s",
        goal: Goal::AtMost(most),
    };
    Ok(vec![
        seconds("sample_preview", previewed, 10.0),
        seconds("sample_open_after_apply", opened, 15.0),
        Figure {
            id: "apply_request",
            measured: request.as_secs_f64() * 1_000.0,
            unit: "ms",
            goal: Goal::AtMost(300.0),
        },
        Figure {
            id: "writes_per_changeset",
            measured: f64::from(writes) / published,
            unit: "",
            goal: Goal::AtMost(1.0),
        },
    ])
}

/// Time per published changeset, as a ratio to a shell loop that commits and pushes the same
/// with bare git and opens the pull request with curl.
pub(crate) async fn overhead() -> anyhow::Result<Figure> {
    let house = House::start(TOKEN).await?;
    let control = house.stand_in.control();
    control.create_user("bench", TOKEN)?;
    control.create_organisation("bench-org")?;
    for number in 0..REPOS {
        let name = format!("bench-org/r{number}");
        let repo = NewRepo {
            owner: "bench-org".to_owned(),
            name: format!("r{number}"),
            description: None,
            private: false,
            topics: Vec::new(),
            default_branch: None,
            files: vec![FileContent::new("README.md", "hello\n")],
            committed_at: None,
        };
        control.create_repo(repo).await?;
        control.grant(&name, "bench", Access::Write)?;
    }
    let preview = house.preview(&spec("drover")).await?;
    let begun = Instant::now();
    house.apply(&preview).await?;
    house.wait_for_open(&preview, REPOS).await?;
    let engine = begun.elapsed();
    let dir = tempfile::tempdir()?;
    let shell = shell_loop(dir.path(), &house.stand_in.url())?;
    house.stop().await?;
    Ok(Figure {
        id: "publish_vs_shell_loop",
        measured: engine.as_secs_f64() / shell,
        unit: "×",
        goal: Goal::AtMost(1.5),
    })
}

fn spec(name: &str) -> String {
    format!(
        "name: {name}\non:\n  - repositoriesMatchingQuery: org:bench-org\nsteps:\n  - run: echo \
         more >> README.md\nchangesetTemplate:\n  title: More\n  body: More\n  branch: {name}\n  \
         commit:\n    message: More\n  published: true\n"
    )
}

/// Mirrors are made before the clock starts, as Drover has them from the preview. Seconds.
fn shell_loop(dir: &Path, url: &str) -> anyhow::Result<f64> {
    let patch = "diff --git a/README.md b/README.md\n--- a/README.md\n+++ b/README.md\n@@ -1 +1,2 \
                 @@\n hello\n+more\n";
    std::fs::write(dir.join("patch"), patch)?;
    let address = url.replacen("://", &format!("://x:{TOKEN}@"), 1);
    let prepare = format!(
        "for n in $(seq 0 {last}); do git clone -q --bare {address}/bench-org/r$n.git r$n; done",
        last = REPOS - 1
    );
    bash(dir, &prepare)?;
    let work = format!(
        "for n in $(seq 0 {last}); do
             cd {dir}/r$n
             export GIT_INDEX_FILE=$PWD/shell-index
             git read-tree HEAD && git apply --cached {dir}/patch
             commit=$(git commit-tree $(git write-tree) -p HEAD -m More)
             git push -q {address}/bench-org/r$n.git $commit:refs/heads/shell
             curl -sf -o /dev/null -H 'Authorization: Bearer {TOKEN}' \
                 -d '{{\"title\":\"More\",\"head\":\"shell\",\"base\":\"main\"}}' \
                 {url}/repos/bench-org/r$n/pulls
         done",
        last = REPOS - 1,
        dir = dir.display(),
    );
    let begun = Instant::now();
    bash(dir, &work)?;
    Ok(begun.elapsed().as_secs_f64())
}

fn bash(dir: &Path, script: &str) -> anyhow::Result<()> {
    let status = Command::new("bash")
        .args(["-e", "-c", script])
        .current_dir(dir)
        .envs([
            ("GIT_AUTHOR_NAME", "Bench"),
            ("GIT_AUTHOR_EMAIL", "bench@example.org"),
            ("GIT_COMMITTER_NAME", "Bench"),
            ("GIT_COMMITTER_EMAIL", "bench@example.org"),
        ])
        .status()
        .context("bash is not there")?;
    anyhow::ensure!(status.success(), "the shell loop failed: {status}");
    Ok(())
}
