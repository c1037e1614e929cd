//! Apply of many rows at once, against the same rows inserted one by one.

use super::{Figure, Goal};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use drover::{
    changeset::{Capabilities, Support},
    id::{CampaignId, CampaignSpecId},
};
use drover_server::{
    postgres::Postgres,
    store::{Store, StoreError, migrations, rewire},
};
use std::time::Instant;
use uuid::Uuid;

const ROWS: u32 = 10_000;

const ALL: Capabilities =
    Capabilities { drafts: Support::Yes, conversion: Support::Yes, reopen: Support::Yes };

/// A wish as it is stored; the branch of each repository is its own.
const WISH: &str = r#"{"branch": {"repo": "many/r", "base": "main",
    "base_commit": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "head": "x", "title": "Title",
    "body": "Body", "commit": {"message": "Message", "author": {"name": "A", "email": "a@b"}},
    "published": "published", "diff_digest": "00"}}"#;

pub(crate) async fn apply() -> anyhow::Result<Vec<Figure>> {
    let dir = tempfile::tempdir()?;
    let postgres = Postgres::start(dir.path(), None).await?;
    migrations::run(postgres.url()).await?;
    let store = Store::new(postgres.url())?;
    let conn = &mut *store.conn().await?;
    let (campaign, spec) = fill(conn).await?;
    let begun = Instant::now();
    let rewired = rewire::rewire(conn, campaign, spec, ALL).await?;
    let set_based = begun.elapsed().as_secs_f64();
    anyhow::ensure!(
        matches!(&rewired, rewire::Rewired::Changed(changes) if changes.created == ROWS as usize),
        "apply made other rows: {rewired:?}"
    );
    let begun = Instant::now();
    one_by_one(conn, campaign).await?;
    let ratio = begun.elapsed().as_secs_f64() / set_based;
    postgres.stop().await;
    Ok(vec![
        Figure { id: "apply_10k_rows", measured: set_based, unit: "s", goal: Goal::AtMost(2.0) },
        Figure {
            id: "apply_vs_one_by_one", measured: ratio, unit: "×", goal: Goal::AtLeast(20.0)
        },
    ])
}

/// Two specs of so many wishes: one to be applied, one whose rows are inserted by hand.
async fn fill(conn: &mut AsyncPgConnection) -> anyhow::Result<(CampaignId, CampaignSpecId)> {
    let [user, namespace, host, spec, campaign] = std::array::from_fn(|_| Uuid::new_v4());
    let sql = format!(
        "INSERT INTO users (id, role) VALUES ('{user}', 'admin');
         INSERT INTO namespaces (id, name, user_id) VALUES ('{namespace}', 'bench', '{user}');
         INSERT INTO code_hosts (id, kind, api_url, git_url, web_url, writes_per_minute,
                                 writes_per_hour, write_gap_millis)
         VALUES ('{host}', 'github', 'http://h', 'http://h', 'http://h', 80, 500, 0);
         INSERT INTO repositories (id, code_host_id, name, default_branch, archived, topics)
         SELECT gen_random_uuid(), '{host}', 'many/r' || n, 'main', false, '{{}}'
         FROM generate_series(1, {ROWS}) n;
         INSERT INTO campaign_specs (id, namespace_id, author_id, name, text, description,
                                     expires_at)
         VALUES ('{spec}', '{namespace}', '{user}', 'many', 'x', '', now() + interval '1 day');
         INSERT INTO changeset_specs (id, campaign_spec_id, repository_id, spec, diff, files,
                                      added, removed, expires_at)
         SELECT gen_random_uuid(), '{spec}', id, '{WISH}', 'diff', 1, 1, 1,
                now() + interval '1 day' FROM repositories;
         INSERT INTO campaigns (id, namespace_id, name, spec_id, applied_by, applied_at)
         VALUES ('{campaign}', '{namespace}', 'many', '{spec}', '{user}', now());
         ANALYZE"
    );
    conn.batch_execute(&sql).await?;
    Ok((CampaignId(campaign), CampaignSpecId(spec)))
}

/// The same rows of changesets, jobs and timeline, a statement each, in one transaction.
async fn one_by_one(conn: &mut AsyncPgConnection, campaign: CampaignId) -> anyhow::Result<()> {
    conn.batch_execute(
        "UPDATE changesets SET intent = 'detach', detached_at = now();
         DELETE FROM jobs",
    )
    .await?;
    let done: Result<(), StoreError> = conn
        .transaction(async |conn| {
            for row in 1..=ROWS {
                let id = Uuid::new_v4();
                let changeset = format!(
                    "INSERT INTO changesets (id, campaign_id, repository_id, kind, branch, spec_id)
                 SELECT '{id}', '{campaign}', r.id, 'branch', 'x', s.id FROM repositories r
                 JOIN changeset_specs s ON s.repository_id = r.id WHERE r.name = 'many/r{row}'"
                );
                let job = format!(
                    "INSERT INTO jobs (kind, payload, unique_key, attempts_max)
                 VALUES ('reconcile', '{{}}', 'reconcile:{id}', 10)"
                );
                let event = format!(
                    "INSERT INTO timeline (campaign_id, changeset_id, text)
                 VALUES ('{campaign}', '{id}', 'wanted by a new spec')"
                );
                for statement in [changeset, job, event] {
                    conn.batch_execute(&statement).await?;
                }
            }
            Ok(())
        })
        .await;
    Ok(done?)
}
