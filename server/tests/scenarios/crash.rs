//! A server that is killed at any step of publishing goes on after the restart and doubles
//! nothing.
//!
//! The steps are held from outside: the stand-in hangs before or after it did what was asked
//! for, and the database makes a statement wait on a lock that nobody gives away.

use crate::support::{
    app::{ADA, World, until},
    client::Client,
    eventually,
    program::Program,
    spec::Spec,
};
use drover::{changeset::marker, viewer::Role};
use github_stand_in::{Class, Fault, Rule};

const REPO: &str = "acme/shop";

/// Where the server is killed.
enum At {
    /// The code host was asked so, and does not answer.
    Request(&'static str, &'static str, Fault),
    /// A statement on this table waits, within the transaction that it belongs to.
    Statement { table: &'static str, event: &'static str, when: &'static str },
}

async fn check(at: At) {
    let world = World::new().await;
    world.repo(REPO).await;
    let token = world.token_of(ADA, Role::Admin).await;
    let first = Program::start(&world).await;
    let ada = Client::new(&first.url, &token);
    let preview = ada.preview(&Spec::new("hello").on(REPO)).await;
    hold(&world, &at).await;
    ada.apply(&preview).await;
    arrive(&world, &at).await;
    first.kill().await;
    release(&world, &at).await;

    let second = Program::start(&world).await;
    let ada = Client::new(&second.url, &token);
    let page = ada.settled("hello").await;
    assert_eq!(page.campaign.counts.open, 1, "{:#?}", page.changesets.rows);
    let pulls = world.github.pulls(REPO).unwrap();
    let [pull] = pulls.as_slice() else { panic!("not one pull request: {pulls:#?}") };
    assert_eq!((pull.state, pull.title.as_str()), ("open", "Say hello"));
    assert_eq!(marker::unmark(pull.body.as_deref().unwrap()), "So that **everybody** is greeted.");
    assert_eq!(world.tip(REPO, "drover/hello").await, Some(pull.head_sha.clone()));
    nothing_is_left_open(&world).await;
    let posts = world.github.count_requests("POST", "/pulls");
    let repeated = matches!(at, At::Request("POST", _, Fault::Hang)) && posts == 2;
    assert!(posts == 1 || repeated, "{:?}", world.writes());
    drop(second);
}

async fn nothing_is_left_open(world: &World) {
    for (what, sql) in [
        ("changesets", "SELECT count(*) - 1 FROM changesets"),
        ("pull requests", "SELECT count(*) - 1 FROM pulls"),
        ("writes", "SELECT count(*) FROM effects WHERE state IN ('intended', 'unknown')"),
        ("writes that were done", "SELECT count(*) - 1 FROM effects WHERE state = 'done'"),
        ("attempts", "SELECT count(*) FROM branch_attempts"),
        (
            "jobs",
            "SELECT count(*) FROM jobs WHERE kind IN ('apply', 'reconcile')
             AND state IN ('failed', 'waiting')",
        ),
    ] {
        assert_eq!(world.db.count(sql).await, 0, "{what}");
    }
}

async fn hold(world: &World, at: &At) {
    match at {
        At::Request(method, path, fault) => {
            world.github.fault(Rule::once(method, path, fault.clone()));
        }
        At::Statement { table, event, when } => {
            let sql = format!(
                "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
                 CREATE TRIGGER hold AFTER {event} ON {table} FOR EACH ROW
                 WHEN ({when}) EXECUTE FUNCTION hold()"
            );
            world.db.run(&sql).await;
        }
    }
}

/// Waits until the server is where it is to be killed.
async fn arrive(world: &World, at: &At) {
    match at {
        At::Request(method, path, fault) => {
            let end = path.rsplit('*').next().unwrap_or_default();
            eventually("the request", async || {
                let requests = world.github.requests();
                let held = requests.iter().find(|it| {
                    it.method == *method && it.path.ends_with(end) && it.fault.is_some()
                });
                held.map(drop)
            })
            .await;
            if *fault == Fault::HangAfter {
                until_done(world, *method == "POST" && end == "/pulls").await;
            }
        }
        At::Statement { .. } => {
            let held = "SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event = 'PgSleep'";
            until(world, "the statement", held).await;
        }
    }
}

/// Waits until the stand-in has done what it does not tell.
async fn until_done(world: &World, is_pull: bool) {
    eventually("the effect", async || {
        let done = if is_pull {
            !world.github.pulls(REPO).unwrap().is_empty()
        } else {
            world.tip(REPO, "drover/hello").await.is_some()
        };
        done.then_some(())
    })
    .await;
}

/// Ends what the dead server left waiting, and lets time pass.
async fn release(world: &World, at: &At) {
    if let At::Statement { table, .. } = at {
        let end = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()
                     AND wait_event = 'PgSleep'";
        world.db.count(end).await;
        world.db.run(&format!("DROP TRIGGER hold ON {table}")).await;
    }
    world.leases_run_out().await;
    world.time_passes().await;
    assert!(world.requests(Class::GitPush) <= 1);
}

fn statement(table: &'static str, event: &'static str, when: &'static str) -> At {
    At::Statement { table, event, when }
}

#[tokio::test]
async fn killed_while_it_accepts_the_plan() {
    check(statement("changesets", "INSERT", "true")).await;
}

#[tokio::test]
async fn killed_before_it_records_what_it_will_push() {
    check(statement("branch_attempts", "INSERT", "true")).await;
}

#[tokio::test]
async fn killed_before_the_push() {
    check(At::Request("POST", "/*/*/git-receive-pack", Fault::Hang)).await;
}

#[tokio::test]
async fn killed_after_the_push() {
    check(At::Request("POST", "/*/*/git-receive-pack", Fault::HangAfter)).await;
}

#[tokio::test]
async fn killed_before_it_records_the_push() {
    check(statement("branches", "INSERT", "NEW.pushed_commit IS NOT NULL")).await;
}

#[tokio::test]
async fn killed_before_it_records_the_intent() {
    check(statement("effects", "INSERT", "true")).await;
}

#[tokio::test]
async fn killed_before_the_pull_request_is_made() {
    check(At::Request("POST", "/repos/*/*/pulls", Fault::Hang)).await;
}

#[tokio::test]
async fn killed_after_the_pull_request_was_made() {
    check(At::Request("POST", "/repos/*/*/pulls", Fault::HangAfter)).await;
}

#[tokio::test]
async fn killed_before_it_records_the_pull_request() {
    check(statement("pulls", "INSERT", "true")).await;
}

#[tokio::test]
async fn killed_before_the_job_ends() {
    check(statement("jobs", "UPDATE", "NEW.kind = 'reconcile' AND NEW.state = 'done'")).await;
}
