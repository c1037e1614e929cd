//! A database per test, copied from a migrated template.
//!
//! One private PostgreSQL serves the whole binary and dies with it; its directory stays among
//! the build's temporary files, so that the next run starts at once. `TEST_DATABASE_URL` names
//! another one, whose role may create databases.

use diesel_async::AsyncConnection;
use diesel_async::SimpleAsyncConnection;
use drover_server::{
    postgres::{Postgres, PostgresError},
    store::{Conn, PooledConn, Store, migrations},
};
use std::path::Path;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Test binaries that run at once, each with a directory of its own.
const SERVERS_MAX: u32 = 8;
const TEMPLATE: &str = "drover_template";

struct Server {
    admin: String,
    _own: Option<Postgres>,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();

/// A migrated, empty database; dropped with this value.
pub(crate) struct TestDb {
    pub(crate) store: Store,
    name: String,
    admin: String,
}

impl TestDb {
    pub(crate) async fn new() -> Self {
        let server = SERVER.get_or_init(start).await;
        let name = format!("drover_test_{}", Uuid::new_v4().simple());
        run(&server.admin, &format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
        let store = Store::new(&with_database(&server.admin, &name)).unwrap();
        Self { store, name, admin: server.admin.clone() }
    }

    pub(crate) fn url(&self) -> String {
        with_database(&self.admin, &self.name)
    }

    pub(crate) async fn conn(&self) -> PooledConn {
        self.store.conn().await.unwrap()
    }

    /// Runs SQL as it stands.
    pub(crate) async fn run(&self, sql: &str) {
        self.conn().await.batch_execute(sql).await.unwrap();
    }

    /// Reads one number.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        count(&mut *self.conn().await, sql).await
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        // A runtime cannot be entered from within another one, so a thread has its own.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")));
        })
        .join();
        assert!(dropped.is_ok() || std::thread::panicking(), "could not drop the database");
    }
}

/// A database without a schema; dropped with the server.
pub(crate) async fn empty_database() -> String {
    let server = SERVER.get_or_init(start).await;
    let name = format!("drover_test_{}", Uuid::new_v4().simple());
    run(&server.admin, &format!("CREATE DATABASE {name}")).await;
    with_database(&server.admin, &name)
}

/// Reads one number by SQL.
pub(crate) async fn count(conn: &mut Conn, sql: &str) -> i64 {
    use diesel_async::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let row: Row = diesel::sql_query(format!("SELECT ({sql})::bigint AS count"))
        .get_result(conn)
        .await
        .unwrap();
    row.count
}

async fn start() -> Server {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration of their own")]
    let named = std::env::var("TEST_DATABASE_URL").ok();
    let own = match &named {
        Some(_) => None,
        None => Some(start_own().await),
    };
    let admin = named.unwrap_or_else(|| with_database(own.as_ref().unwrap().url(), "postgres"));
    if own.is_some() {
        // Nothing here outlives a crash of the machine.
        run(&admin, "ALTER SYSTEM SET fsync = off").await;
        run(&admin, "ALTER SYSTEM SET synchronous_commit = off").await;
        run(&admin, "SELECT pg_reload_conf()").await;
        drop_leftovers(&admin).await;
    }
    run(&admin, &format!("DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")).await;
    run(&admin, &format!("CREATE DATABASE {TEMPLATE}")).await;
    migrations::run(&with_database(&admin, TEMPLATE)).await.unwrap();
    Server { admin, _own: own }
}

async fn start_own() -> Postgres {
    for number in 0..SERVERS_MAX {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("drover-{number}"));
        match Postgres::start(&dir, None).await {
            Err(PostgresError::InUse { .. }) => {}
            started => return started.unwrap(),
        }
    }
    panic!("{SERVERS_MAX} test binaries run already");
}

/// Drops the databases of tests that were killed.
async fn drop_leftovers(admin: &str) {
    use diesel_async::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    let mut conn = Conn::establish(admin).await.unwrap();
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT datname::text AS name FROM pg_database WHERE datname LIKE 'drover_test_%'",
    )
    .load(&mut conn)
    .await
    .unwrap();
    for Row { name } in rows {
        conn.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    }
}

async fn run(url: &str, sql: &str) {
    Conn::establish(url).await.unwrap().batch_execute(sql).await.unwrap();
}

fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}
