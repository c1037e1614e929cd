//! The schema goes up, down and up again, with rows in it.

use crate::support::{
    builders::{World, on_branch, tracking},
    db,
};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::MigrationHarness;
use drover_server::store::{Conn, MIGRATIONS, migrations, rewire};
use std::{fs, path::Path};

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
    let _ = rewire::rewire(&mut *world.db.conn().await, campaign, spec).await.unwrap();

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
