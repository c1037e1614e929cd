//! Brings the database to the schema that this program was built with.

use super::{Conn, MIGRATIONS};
use anyhow::{Context, anyhow, ensure};
use diesel::{QueryableByName, sql_types::Integer};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::MigrationHarness;

/// Servers that start at once take turns: the advisory lock of migrations.
const MIGRATION_LOCK: i64 = 0x6472_6f76_6572;
/// PostgreSQL 15: `NULLS NOT DISTINCT`.
const SERVER_VERSION_MIN: i32 = 150_000;

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// Runs the migrations that the database has not seen, one server at a time.
pub async fn run(url: &str) -> anyhow::Result<()> {
    let mut conn = Conn::establish(url).await.context("could not connect to the database")?;
    let version: Version =
        diesel::sql_query("SELECT current_setting('server_version_num')::int AS number")
            .get_result(&mut conn)
            .await?;
    ensure!(
        version.number >= SERVER_VERSION_MIN,
        "the database is PostgreSQL {}: Drover needs 15 or newer",
        version.number / 10_000
    );
    // The lock belongs to the connection and goes with it, whatever happens.
    conn.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
    tokio::task::spawn_blocking(move || {
        AsyncMigrationHarness::new(conn)
            .run_pending_migrations(MIGRATIONS)
            .map(|done| tracing::info!(count = done.len(), "migrations are up to date"))
            .map_err(|error| anyhow!("a migration failed: {error}"))
    })
    .await?
}
