//! The private PostgreSQL.

use crate::support::{eventually, program::signal};
use drover_server::postgres::{Database, Postgres, PostgresError, Restarts};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// How long a process may take to end before a test calls it lost.
const END_MAX: Duration = Duration::from_secs(90);

async fn select(url: &str, sql: &str) -> i32 {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let number = client.query_one(sql, &[]).await.unwrap().get(0);
    drop(client);
    connection.await.unwrap().unwrap();
    number
}

fn pid(dir: &Path) -> String {
    let text = fs::read_to_string(dir.join("postgres/data/postmaster.pid")).unwrap();
    text.lines().next().unwrap().to_owned()
}

fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + END_MAX;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_starts_stops_and_keeps_what_it_holds() {
    let dir = TempDir::new().unwrap();
    let first = Postgres::start(dir.path(), None).await.unwrap();
    let written = "WITH kept AS (SELECT lo_create(4242)) SELECT count(*)::int FROM kept";
    assert_eq!(select(first.url(), written).await, 1);
    first.stop().await;
    let second = Postgres::start(dir.path(), None).await.unwrap();
    let kept = "SELECT count(*)::int FROM pg_largeobject_metadata WHERE oid = 4242";
    assert_eq!(select(second.url(), kept).await, 1);
    second.stop().await;
}

#[tokio::test]
async fn two_servers_cannot_share_a_directory() {
    let dir = TempDir::new().unwrap();
    let first = Postgres::start(dir.path(), None).await.unwrap();
    let second = Postgres::start(dir.path(), None).await;
    assert!(matches!(second, Err(PostgresError::InUse { .. })));
    first.stop().await;
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_no_hindrance() {
    let dir = TempDir::new().unwrap();
    let long = dir.path().join("x".repeat(100));
    let postgres = Postgres::start(&long, None).await.unwrap();
    assert_eq!(select(postgres.url(), "SELECT 1").await, 1);
    postgres.stop().await;
}

#[tokio::test]
async fn nobody_else_can_enter_the_directory() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let postgres = Postgres::start(dir.path(), None).await.unwrap();
    for path in ["postgres", "postgres/data", "postgres/socket"] {
        let mode = fs::metadata(dir.path().join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path} has mode {mode:o}");
    }
    postgres.stop().await;
}

#[tokio::test]
async fn a_cluster_of_another_version_is_refused_by_name() {
    let dir = TempDir::new().unwrap();
    Postgres::start(dir.path(), None).await.unwrap().stop().await;
    fs::write(dir.path().join("postgres/data/PG_VERSION"), "9\n").unwrap();
    let error = Postgres::start(dir.path(), None).await.err().unwrap();
    assert!(matches!(error, PostgresError::Version { cluster: 9, .. }), "{error}");
}

#[tokio::test]
async fn an_unreachable_database_is_named_without_its_password() {
    let dir = TempDir::new().unwrap();
    let url = "postgres://me:secret@127.0.0.1:1/drover";
    let error = Database::open(Some(url), dir.path(), None).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the database at 127.0.0.1:1, database drover, user me cannot be reached"
    );
}

#[tokio::test]
async fn a_stale_process_number_is_no_hindrance() {
    let dir = TempDir::new().unwrap();
    Postgres::start(dir.path(), None).await.unwrap().stop().await;
    let stale = format!("{}\n", std::process::id());
    fs::write(dir.path().join("postgres/data/postmaster.pid"), stale).unwrap();
    let postgres = Postgres::start(dir.path(), None).await.unwrap();
    assert_eq!(select(postgres.url(), "SELECT 1").await, 1);
    postgres.stop().await;
}

/// Whether a database answers.
async fn answers(url: &str) -> Option<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
    let _ends_with_the_client = tokio::spawn(connection);
    client.query_one("SELECT 1", &[]).await.ok().map(drop)
}

const SOON: Restarts = Restarts { max: 6, pause: Duration::from_millis(200) };

#[tokio::test]
async fn a_private_server_that_is_killed_is_started_again() {
    let dir = TempDir::new().unwrap();
    let mut database = Database::open(None, dir.path(), None).await.unwrap();
    let (url, killed) = (database.url().to_owned(), pid(dir.path()));
    signal(killed.parse().unwrap(), "KILL").await;
    let back = eventually("a server that answers", async || {
        let is_new = fs::exists(dir.path().join("postgres/data/postmaster.pid")).unwrap()
            && pid(dir.path()) != killed;
        if is_new { answers(&url).await } else { None }
    });
    tokio::select! {
        lost = database.keep(&SOON) => panic!("{lost}"),
        () = back => {}
    }
    database.stop().await;
}

#[tokio::test]
async fn a_private_server_that_cannot_be_started_again_is_given_up_with_its_log() {
    let dir = TempDir::new().unwrap();
    let mut database = Database::open(None, dir.path(), None).await.unwrap();
    fs::remove_file(dir.path().join("postgres/data/global/pg_control")).unwrap();
    signal(pid(dir.path()).parse().unwrap(), "KILL").await;
    let lost = database.keep(&SOON).await.to_string();
    assert!(lost.contains("times") && lost.contains("pg_control"), "{lost}");
    database.stop().await;
}

/// Not a test: the Drover that [`after_kill_9_the_next_start_has_everything`] kills.
#[tokio::test]
#[ignore = "it is started, and killed, by another test"]
async fn serve_until_killed() {
    #[expect(clippy::disallowed_methods, reason = "a child process is told by its environment")]
    let dir = std::env::var("DROVER_TEST_DIR").unwrap();
    let postgres = Postgres::start(Path::new(&dir), None).await.unwrap();
    select(postgres.url(), "SELECT 1").await;
    fs::write(Path::new(&dir).join("ready"), "").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn after_kill_9_the_next_start_has_everything() {
    let dir = TempDir::new().unwrap();
    let mut server = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "postgres::serve_until_killed"])
        .env("DROVER_TEST_DIR", dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the server did not start", || dir.path().join("ready").exists()).await;
    let old = pid(dir.path());
    server.kill().unwrap();
    server.wait().unwrap();

    let postgres = Postgres::start(dir.path(), None).await.unwrap();
    assert_ne!(pid(dir.path()), old);
    assert!(!is_alive(&old), "the old server still runs");
    assert_eq!(select(postgres.url(), "SELECT 1").await, 1);
    postgres.stop().await;
}

#[tokio::test]
async fn a_private_server_dies_with_its_drover() {
    let dir = TempDir::new().unwrap();
    let mut server = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "postgres::serve_until_killed"])
        .env("DROVER_TEST_DIR", dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the server did not start", || dir.path().join("ready").exists()).await;
    let postgres = pid(dir.path());
    server.kill().unwrap();
    server.wait().unwrap();
    wait_until("PostgreSQL outlived its Drover", || !is_alive(&postgres)).await;
}
