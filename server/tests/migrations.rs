//! The schema goes up, down and up again, with rows in it.

use crate::support::{
    builders::{ALL, World, on_branch, tracking},
    db,
};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::MigrationHarness;
use drover::id::{ExecutionId, WorkspaceId};
use drover_server::store::{
    Conn, MIGRATIONS, executions, logs, migrations, rewire,
    workspaces::{self, NewWorkspace},
};
use std::{fs, path::Path};
use uuid::Uuid;

async fn migrate<R: Send + 'static>(
    conn: Conn,
    step: impl FnOnce(&mut AsyncMigrationHarness<Conn>) -> R + Send + 'static,
) -> (Conn, R) {
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        let result = step(&mut harness);
        (harness.into_inner(), result)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn the_schema_goes_down_and_up_again_with_rows_in_it() {
    let world = World::new().await;
    let repos = world.repos(&["acme/web", "acme/api"]).await;
    let wishes = [on_branch(&repos[0], "drover/x", "Title"), tracking(&repos[1], 7)];
    let spec = world.spec("x", &wishes).await;
    let campaign = world.accept(spec).await;
    let _ = rewire::rewire(&mut *world.db.conn().await, campaign, spec, ALL).await.unwrap();

    let conn = Conn::establish(world.db.store.url()).await.unwrap();
    let (mut conn, reverted) =
        migrate(conn, |it| it.revert_all_migrations(MIGRATIONS).map(|all| all.len()).unwrap())
            .await;
    assert!(reverted > 0);
    let left = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public' AND c.relname NOT LIKE '\\_\\_diesel%'";
    assert_eq!(db::count(&mut conn, left).await, 0, "something is left behind");
    let (_, applied) =
        migrate(conn, |it| it.run_pending_migrations(MIGRATIONS).map(|all| all.len()).unwrap())
            .await;
    assert_eq!(applied, reverted);
}

#[tokio::test]
async fn lines_of_logs_become_chunks_and_lines_again() {
    let world = World::new().await;
    let repos = world.repos(&["acme/web"]).await;
    let spec = world.bare_spec("x").await;
    let mut conn = Conn::establish(world.db.store.url()).await.unwrap();
    let (execution, id) = (ExecutionId(Uuid::new_v4()), WorkspaceId(Uuid::new_v4()));
    executions::insert(&mut conn, execution, spec).await.unwrap();
    let branch = "main".parse().unwrap();
    let new = NewWorkspace { id, repo: repos[0].id, branch, base_commit: None };
    workspaces::insert(&mut conn, execution, 1, &[new]).await.unwrap();

    let back = async |mut conn: Conn| loop {
        (conn, _) =
            migrate(conn, |it| it.revert_last_migration(MIGRATIONS).map(|_| ()).unwrap()).await;
        if db::count(&mut conn, "SELECT count(*) FROM pg_class WHERE relname = 'log_lines'").await
            > 0
        {
            return conn;
        }
    };
    let mut conn = back(conn).await;
    diesel::sql_query(
        "INSERT INTO log_lines (workspace_id, step, stream, text)
         SELECT w.id, it.step, stream, text FROM workspaces w,
             (SELECT 1 AS step, 'stdout' AS stream, 'line ' || n AS text, n
                  FROM generate_series(1, 20000) AS n
              UNION ALL VALUES (0, 'drover', E'why:\nbecause', 20001), (2, 'stderr', '', 20002),
                  (1, 'stdout', 'late', 20003) ORDER BY n) AS it",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    let (mut conn, _) =
        migrate(conn, |it| it.run_pending_migrations(MIGRATIONS).map(|_| ()).unwrap()).await;
    let chunks = db::count(&mut conn, "SELECT count(*) FROM log_chunks").await;
    assert!((4..=9).contains(&chunks), "{chunks}");
    let page = logs::read(&mut conn, id, 19_999).await.unwrap();
    let texts: Vec<&str> = page.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["line 20000", "why:", "because", "", "late"]);
    let mut conn = back(conn).await;
    let lines = "SELECT count(*) FROM log_lines WHERE text LIKE 'line %' AND stream = 'stdout'";
    assert_eq!(db::count(&mut conn, lines).await, 20_000);
    assert_eq!(db::count(&mut conn, "SELECT count(*) FROM log_lines").await, 20_004);
}

#[tokio::test]
async fn servers_that_start_at_once_migrate_once() {
    let url = db::empty_database().await;
    let (first, second) = tokio::join!(migrations::run(&url), migrations::run(&url));
    first.unwrap();
    second.unwrap();
}

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

#[tokio::test]
async fn the_tables_that_diesel_knows_are_those_of_the_database() {
    let world = World::new().await;
    let columns: Vec<Column> = diesel::sql_query(
        "SELECT table_name || '.' || column_name || ' ' ||
                CASE is_nullable WHEN 'YES' THEN 'Nullable<' ELSE '' END ||
                CASE udt_name WHEN 'uuid' THEN 'Uuid' WHEN 'text' THEN 'Text'
                    WHEN 'timestamptz' THEN 'Timestamptz' WHEN 'int2' THEN 'Int2'
                    WHEN 'int4' THEN 'Int4' WHEN 'int8' THEN 'Int8' WHEN 'bool' THEN 'Bool'
                    WHEN 'bytea' THEN 'Bytea' WHEN 'jsonb' THEN 'Jsonb'
                    WHEN '_text' THEN 'Array<Text>' END ||
                CASE is_nullable WHEN 'YES' THEN '>' ELSE '' END AS line
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'
         ORDER BY table_name, ordinal_position",
    )
    .load(&mut *world.db.conn().await)
    .await
    .unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/schema.rs");
    let page = fs::read_to_string(path).unwrap();
    let mut table = "";
    let mut lines = Vec::new();
    for line in page.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_suffix(") {").and_then(|it| it.split_once(" (")) {
            table = name;
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            lines.push(format!("{table}.{name} {kind}"));
        }
    }
    let columns: Vec<String> = columns.into_iter().map(|column| column.line).collect();
    assert_eq!(lines, columns);
}
