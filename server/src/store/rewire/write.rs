//! Writes the decided rows: a statement for each kind of them.

use crate::store::{
    Conn, StoreError,
    jobs::{self, Ask, NewJob},
};
use diesel::sql_types::{Array, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use drover::{
    campaign::rewire::{Prospect, Rewiring, Row, Target},
    changeset::{
        Intent,
        plan::Operation,
        spec::{ChangesetSpec, ContentDigest},
    },
    id::{CampaignId, ChangesetId, ChangesetSpecId, RepoId},
    job::Job,
};
use uuid::Uuid;

/// The changesets that were touched.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) created: Vec<ChangesetId>,
    pub(super) updated: Vec<ChangesetId>,
    pub(super) archived: Vec<ChangesetId>,
    pub(super) detached: Vec<ChangesetId>,
}

/// Rows by what is written about them.
#[derive(Default)]
struct Sorted<'a> {
    new: Vec<(ChangesetSpecId, &'a Row)>,
    met: Vec<(ChangesetId, ChangesetSpecId, &'a Prospect)>,
    renewed: Vec<ChangesetId>,
    aside: Vec<(ChangesetId, Intent)>,
    refused: Vec<(ChangesetSpecId, String)>,
    released: Vec<ChangesetId>,
    spent: Vec<(RepoId, String)>,
    /// To be reconciled although nothing else is wanted than before.
    kept_to_do: Vec<ChangesetId>,
    written: Written,
}

pub(super) async fn write(
    conn: &mut Conn,
    campaign: CampaignId,
    rows: &[Row],
    first: impl Fn(&Row) -> Option<Operation>,
) -> Result<Written, StoreError> {
    let mut sorted = Sorted::default();
    for row in rows {
        sorted.add(row, first(row));
    }
    let Sorted { new, met, renewed, aside, refused, released, spent, kept_to_do, mut written } =
        sorted;
    release(conn, &released).await?;
    spend(conn, &spent).await?;
    follow(conn, &met).await?;
    renew(conn, &renewed).await?;
    put_aside(conn, &aside).await?;
    written.created = create(conn, campaign, &new).await?;
    leave_out(conn, campaign, &refused).await?;
    let Written { created, updated, archived, detached } = &written;
    let jobs: Vec<NewJob> = [created, updated, archived, detached, &kept_to_do]
        .into_iter()
        .flatten()
        .map(|&changeset| NewJob::from(Job::Reconcile { changeset }))
        .collect();
    jobs::enqueue(conn, &jobs, Ask::Decision).await?;
    Ok(written)
}

impl<'a> Sorted<'a> {
    fn add(&mut self, row: &'a Row, first: Option<Operation>) {
        self.released.extend(row.releases);
        if let Some(Target::Branch(repo, branch)) = &row.spends {
            self.spent.push((*repo, branch.to_string()));
        }
        match (&row.rewiring, &row.prospect) {
            (Rewiring::Create { wish }, _) => self.new.push((*wish, row)),
            (Rewiring::Keep { changeset, wish }, Some(prospect)) => {
                self.met.push((*changeset, *wish, prospect));
                if first.is_some() {
                    self.kept_to_do.push(*changeset);
                }
                self.renew(row, *changeset, first);
            }
            (
                Rewiring::Update { changeset, wish } | Rewiring::Revive { changeset, wish },
                Some(prospect),
            ) => {
                self.met.push((*changeset, *wish, prospect));
                self.written.updated.push(*changeset);
                self.renew(row, *changeset, first);
            }
            (Rewiring::Archive { changeset }, _) => {
                self.aside.push((*changeset, Intent::Archive));
                self.written.archived.push(*changeset);
            }
            (Rewiring::Detach { changeset }, _) => {
                self.aside.push((*changeset, Intent::Detach));
                self.written.detached.push(*changeset);
            }
            (Rewiring::Taken { wish, .. } | Rewiring::Reserved { wish, .. }, _) => {
                let reason = row.rewiring.explain().unwrap_or_default();
                self.refused.push((*wish, reason));
            }
            // Not a column of it is written.
            (Rewiring::Hold { .. }, _) => {}
            // Whatever meets a changeset says how it will stand.
            (Rewiring::Keep { .. } | Rewiring::Update { .. } | Rewiring::Revive { .. }, None) => {}
        }
    }
}

impl<'a> Sorted<'a> {
    /// Starting anew is a matter of the database alone, so it is done at once: nobody sees the
    /// pull request that is over as that of the new wish.
    fn renew(&mut self, row: &'a Row, changeset: ChangesetId, first: Option<Operation>) {
        if first != Some(Operation::Renew) {
            return;
        }
        self.renewed.push(changeset);
        if let Target::Branch(repo, branch) = row.target() {
            self.spent.push((repo, branch.to_string()));
        }
    }
}

async fn renew(conn: &mut Conn, changesets: &[ChangesetId]) -> Result<(), StoreError> {
    if changesets.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "UPDATE changesets SET pull_id = NULL, reconciled_spec_id = NULL, reopen = 'not_asked',
             released_at = NULL, updated_at = now()
         WHERE id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids(changesets))
    .execute(conn)
    .await?;
    Ok(())
}

async fn release(conn: &mut Conn, changesets: &[ChangesetId]) -> Result<(), StoreError> {
    if changesets.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "UPDATE changesets SET released_at = now(), updated_at = now() WHERE id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids(changesets))
    .execute(conn)
    .await?;
    Ok(())
}

/// Our commits on these branches stay ours, and hold what is wanted no more.
async fn spend(conn: &mut Conn, branches: &[(RepoId, String)]) -> Result<(), StoreError> {
    if branches.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "WITH spent AS (
             SELECT * FROM unnest($1, $2) AS it (repo, name)
         ), attempts AS (
             UPDATE branch_attempts a SET content = $3 FROM spent
             WHERE a.repository_id = spent.repo AND a.branch = spent.name
         )
         UPDATE branches b SET pushed_content = CASE WHEN pushed_commit IS NOT NULL THEN $3 END
         FROM spent WHERE b.repository_id = spent.repo AND b.name = spent.name",
    )
    .bind::<Array<SqlUuid>, _>(branches.iter().map(|(repo, _)| repo.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(branches.iter().map(|(_, name)| name).collect::<Vec<_>>())
    .bind::<Text, _>(ContentDigest::spent().0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives changesets their wishes. Where the wish says what is in place already, it counts as the
/// one that was reached.
async fn follow(
    conn: &mut Conn,
    met: &[(ChangesetId, ChangesetSpecId, &Prospect)],
) -> Result<(), StoreError> {
    if met.is_empty() {
        return Ok(());
    }
    let (mut all, mut wishes) = (Vec::new(), Vec::new());
    let (mut closing, mut reached) = (Vec::new(), Vec::new());
    for (changeset, wish, prospect) in met {
        all.push(changeset.0);
        wishes.push(wish.0);
        closing.push(prospect.desired.intent == Intent::Close);
        reached.push((prospect.previous.as_ref() == Some(&prospect.current)).then_some(wish.0));
    }
    diesel::sql_query(
        "UPDATE changesets c
         SET spec_id = it.wish, archived_at = NULL, updated_at = now(),
             reconciled_spec_id = coalesce(it.reached, c.reconciled_spec_id),
             intent = CASE WHEN it.closing THEN 'close' ELSE 'publish' END
         FROM unnest($1, $2, $3, $4) AS it (id, wish, closing, reached)
         WHERE c.id = it.id",
    )
    .bind::<Array<SqlUuid>, _>(all)
    .bind::<Array<SqlUuid>, _>(wishes)
    .bind::<Array<Bool>, _>(closing)
    .bind::<Array<Nullable<SqlUuid>>, _>(reached)
    .execute(conn)
    .await?;
    Ok(())
}

async fn put_aside(conn: &mut Conn, aside: &[(ChangesetId, Intent)]) -> Result<(), StoreError> {
    if aside.is_empty() {
        return Ok(());
    }
    let archive: Vec<bool> = aside.iter().map(|(_, it)| *it == Intent::Archive).collect();
    diesel::sql_query(
        "UPDATE changesets c
         SET intent = CASE WHEN it.archive THEN 'archive' ELSE 'detach' END, updated_at = now()
         FROM unnest($1, $2) AS it (id, archive) WHERE c.id = it.id",
    )
    .bind::<Array<SqlUuid>, _>(aside.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(archive)
    .execute(conn)
    .await?;
    Ok(())
}

async fn create(
    conn: &mut Conn,
    campaign: CampaignId,
    new: &[(ChangesetSpecId, &Row)],
) -> Result<Vec<ChangesetId>, StoreError> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let created: Vec<ChangesetId> = new.iter().map(|_| ChangesetId(Uuid::new_v4())).collect();
    let pulls: Vec<Option<Uuid>> = new
        .iter()
        .map(|(_, row)| match (&row.spec, &row.prospect) {
            (ChangesetSpec::Existing { .. }, Some(it)) => it.pull.map(|id| id.0),
            (ChangesetSpec::Existing { .. }, None) | (ChangesetSpec::Branch(_), _) => None,
        })
        .collect();
    diesel::sql_query(
        "INSERT INTO changesets
             (id, campaign_id, repository_id, kind, branch, number, spec_id, pull_id)
         SELECT it.id, $1, s.repository_id, s.kind, s.head, s.number, s.id, it.pull
         FROM unnest($2, $3, $4) AS it (id, wish, pull)
         JOIN changeset_specs s ON s.id = it.wish",
    )
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<Array<SqlUuid>, _>(ids(&created))
    .bind::<Array<SqlUuid>, _>(new.iter().map(|(wish, _)| wish.0).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(pulls)
    .execute(conn)
    .await?;
    Ok(created)
}

/// Keeps the wishes of which nothing was made, with the reason, in place of those of before.
async fn leave_out(
    conn: &mut Conn,
    campaign: CampaignId,
    refused: &[(ChangesetSpecId, String)],
) -> Result<(), StoreError> {
    diesel::sql_query("DELETE FROM left_out WHERE campaign_id = $1")
        .bind::<SqlUuid, _>(campaign.0)
        .execute(conn)
        .await?;
    if refused.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "INSERT INTO left_out (campaign_id, changeset_spec_id, reason)
         SELECT $1, it.wish, it.reason FROM unnest($2, $3) AS it (wish, reason)",
    )
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<Array<SqlUuid>, _>(refused.iter().map(|(wish, _)| wish.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(refused.iter().map(|(_, reason)| reason).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

fn ids(changesets: &[ChangesetId]) -> Vec<Uuid> {
    changesets.iter().map(|id| id.0).collect()
}
