//! Desired: what campaigns want in repositories and branches.

use super::{
    Conn, StoreError,
    error::Found,
    sql_types::{Db, Word, drift_columns},
};
use diesel::{
    QueryableByName,
    sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    changeset::{
        Closer, Desired, DriftChoice, Filing, Intent, Observed, Ours, Publication, Pull, PullState,
        Pushed, Reopen, Reopening, Tip,
        facts::{Hold, Outstanding},
        spec::{ChangesetSpec, ContentDigest},
    },
    id::{CampaignId, ChangesetId, ChangesetSpecId, PullId, RepoId, UserId},
    names::{BranchName, CommitSha, PullNumber},
    time::Timestamp,
};

pub use drover::changeset::facts::Facts;

/// Loads what a plan is made from.
pub async fn load(conn: &mut Conn, id: ChangesetId) -> Result<Facts, StoreError> {
    diesel::sql_query(format!("{SELECT} WHERE c.id = $1"))
        .bind::<SqlUuid, _>(id.0)
        .get_result::<Row>(conn)
        .await
        .map(Facts::from)
        .found("changeset")
}

/// The same, and nobody else writes the changeset until the transaction ends.
pub async fn lock(conn: &mut Conn, id: ChangesetId) -> Result<Facts, StoreError> {
    diesel::sql_query(format!("{SELECT} WHERE c.id = $1 FOR UPDATE OF c"))
        .bind::<SqlUuid, _>(id.0)
        .get_result::<Row>(conn)
        .await
        .map(Facts::from)
        .found("changeset")
}

/// Whether rows are locked until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    None,
    Held,
}

/// Loads what the plans of all changesets of a campaign are made from that are not detached, at
/// most `limit`, the newest last.
pub async fn list_all(
    conn: &mut Conn,
    campaign: CampaignId,
    lock: Lock,
    limit: i64,
) -> Result<Vec<Facts>, StoreError> {
    let lock = match lock {
        Lock::None => "",
        Lock::Held => "FOR UPDATE OF c",
    };
    let rows: Vec<Row> = diesel::sql_query(format!(
        "{SELECT} WHERE c.campaign_id = $1 AND c.detached_at IS NULL
         ORDER BY c.created_at, c.id LIMIT $2 {lock}"
    ))
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Facts::from).collect())
}

/// A person's decision about a changeset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Intent(Intent),
    Publication(Publication),
    Reopen(Reopen),
    Drift(DriftChoice),
}

/// Writes a decision down; whoever calls queues the work in the same transaction.
pub async fn decide(
    conn: &mut Conn,
    id: ChangesetId,
    decision: &Decision,
) -> Result<(), StoreError> {
    let (set, word, head) = match decision {
        Decision::Intent(intent) => ("intent = $2", intent.word(), None),
        Decision::Publication(publication) => ("publication = $2", publication.word(), None),
        Decision::Reopen(reopen) => ("reopen = $2", reopen.word(), None),
        Decision::Drift(choice) => {
            let (word, head) = drift_columns(choice);
            ("drift = $2, drift_head = $3", word, head)
        }
    };
    update(conn, id, set, Some(word), head).await
}

/// Something that the reconciler did or saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// This is the changeset's pull request.
    Pull(PullId),
    /// A person's wish to reopen was carried out.
    Reopened,
    /// The wish that is in place.
    Reached(ChangesetSpecId),
    /// The intent to archive was carried out: the branch is free for others.
    Archived,
    /// The intent to detach was carried out.
    Detached,
    /// The pull request is over and left behind: what is wanted starts anew.
    Renewed,
}

/// Writes down what the reconciler did or saw. The caller holds the job in the same
/// transaction, so that one who lost it writes nothing.
pub async fn record(conn: &mut Conn, id: ChangesetId, record: &Record) -> Result<(), StoreError> {
    match record {
        Record::Pull(pull) => {
            update(conn, id, "pull_id = $2::uuid", Some(&pull.to_string()), None).await
        }
        Record::Reopened => update(conn, id, "reopen = 'not_asked'", None, None).await,
        Record::Reached(spec) => {
            let set = "reconciled_spec_id = $2::uuid, reached_at = now()";
            update(conn, id, set, Some(&spec.to_string()), None).await
        }
        Record::Archived => update(conn, id, "archived_at = now()", None, None).await,
        Record::Detached => update(conn, id, "detached_at = now()", None, None).await,
        Record::Renewed => renew(conn, id).await,
    }
}

/// Our commits on the branch stay ours, and hold what is wanted no more.
async fn renew(conn: &mut Conn, id: ChangesetId) -> Result<(), StoreError> {
    diesel::sql_query(
        "WITH attempts AS (
             UPDATE branch_attempts a SET content = $2 FROM changesets c
             WHERE c.id = $1 AND a.repository_id = c.repository_id AND a.branch = c.branch
         )
         UPDATE branches b SET pushed_content = CASE WHEN pushed_commit IS NOT NULL THEN $2 END
         FROM changesets c
         WHERE c.id = $1 AND b.repository_id = c.repository_id AND b.name = c.branch",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<Text, _>(ContentDigest::spent().0)
    .execute(conn)
    .await?;
    // Where another campaign has taken the branch, the unique index refuses.
    let set = "pull_id = NULL, reconciled_spec_id = NULL, reopen = 'not_asked', released_at = NULL";
    update(conn, id, set, None, None).await
}

/// Sets columns by `$2` and `$3`, and wakes those who watch.
async fn update(
    conn: &mut Conn,
    id: ChangesetId,
    set: &str,
    first: Option<&str>,
    second: Option<&str>,
) -> Result<(), StoreError> {
    let updated = diesel::sql_query(format!(
        "WITH changed AS (
             UPDATE changesets SET {set}, updated_at = now() WHERE id = $1
             RETURNING id, campaign_id
         )
         SELECT pg_notify('drover', 'changeset:' || id),
                pg_notify('drover', 'campaign:' || campaign_id) FROM changed",
    ))
    .bind::<SqlUuid, _>(id.0)
    .bind::<Nullable<Text>, _>(first)
    .bind::<Nullable<Text>, _>(second)
    .execute(conn)
    .await?;
    if updated == 0 {
        return Err(StoreError::NotFound { what: "changeset" });
    }
    Ok(())
}

const SELECT: &str = "
    SELECT c.id, c.campaign_id, m.applied_by, c.repository_id, c.spec_id, s.spec,
           old.spec AS reconciled, c.intent, c.publication, c.reopen, c.drift, c.drift_head,
           b.head AS branch_head, b.head_read_at IS NOT NULL AS branch_read, b.pushed_commit,
           b.pushed_content,
           -- The newest; more are never open at once.
           ARRAY(SELECT a.commit || ' ' || a.content FROM branch_attempts a
                 WHERE a.repository_id = c.repository_id AND a.branch = c.branch
                 ORDER BY a.at DESC, a.commit LIMIT 50) AS attempts, c.pull_id, p.closed_by, p.number, p.state, p.title, p.body, p.base,
           p.head, p.merged_at, p.reopen_refused, cs.created_at AS based_at,
           c.archived_at IS NOT NULL AS archived, c.detached_at IS NOT NULL AS detached,
           c.released_at IS NOT NULL AS released,
           EXISTS (SELECT FROM effects e WHERE e.changeset_id = c.id
                   AND e.state IN ('intended', 'unknown')) AS unresolved
    FROM changesets c
    JOIN campaigns m ON m.id = c.campaign_id
    JOIN changeset_specs s ON s.id = c.spec_id
    LEFT JOIN campaign_specs cs ON cs.id = s.campaign_spec_id
    LEFT JOIN changeset_specs old ON old.id = c.reconciled_spec_id
    LEFT JOIN branches b ON b.repository_id = c.repository_id AND b.name = c.branch
    LEFT JOIN pulls p ON p.id = c.pull_id";

super::sql_types::word_enum! {
    DriftWord { Wait = "wait", Adopt = "adopt", Overwrite = "overwrite" }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ChangesetId>,
    #[diesel(sql_type = SqlUuid)]
    campaign_id: Db<CampaignId>,
    #[diesel(sql_type = SqlUuid)]
    applied_by: Db<UserId>,
    #[diesel(sql_type = SqlUuid)]
    repository_id: Db<RepoId>,
    #[diesel(sql_type = SqlUuid)]
    spec_id: Db<ChangesetSpecId>,
    #[diesel(sql_type = Jsonb)]
    spec: Db<ChangesetSpec>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    reconciled: Option<Db<ChangesetSpec>>,
    #[diesel(sql_type = Text)]
    intent: Db<Intent>,
    #[diesel(sql_type = Nullable<Text>)]
    publication: Option<Db<Publication>>,
    #[diesel(sql_type = Text)]
    reopen: Db<Reopen>,
    #[diesel(sql_type = Text)]
    drift: DriftWord,
    #[diesel(sql_type = Nullable<Text>)]
    drift_head: Option<Db<CommitSha>>,
    #[diesel(sql_type = Nullable<Text>)]
    branch_head: Option<Db<CommitSha>>,
    #[diesel(sql_type = Nullable<Bool>)]
    branch_read: Option<bool>,
    #[diesel(embed)]
    ours: OursColumns,
    #[diesel(sql_type = Nullable<Text>)]
    closed_by: Option<Db<Closer>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pull_id: Option<Db<PullId>>,
    #[diesel(sql_type = Bool)]
    archived: bool,
    #[diesel(sql_type = Bool)]
    detached: bool,
    #[diesel(sql_type = Bool)]
    released: bool,
    #[diesel(sql_type = Bool)]
    unresolved: bool,
    #[diesel(sql_type = Nullable<Bool>)]
    reopen_refused: Option<bool>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    based_at: Option<Db<Timestamp>>,
    #[diesel(embed)]
    pull: PullColumns,
}

#[derive(QueryableByName)]
pub(super) struct OursColumns {
    #[diesel(sql_type = Nullable<Text>)]
    pushed_commit: Option<Db<CommitSha>>,
    #[diesel(sql_type = Nullable<Text>)]
    pushed_content: Option<String>,
    /// Commit and content, the newest first.
    #[diesel(sql_type = Array<Text>)]
    attempts: Vec<String>,
}

impl From<OursColumns> for Ours {
    fn from(row: OursColumns) -> Self {
        let OursColumns { pushed_commit, pushed_content, attempts } = row;
        let pushed = pushed_commit.zip(pushed_content);
        let attempt = |text: String| {
            let (commit, content) = text.split_once(' ')?;
            Some(Pushed {
                commit: commit.parse().ok()?,
                content: ContentDigest(content.to_owned()),
            })
        };
        Self {
            pushed: pushed
                .map(|(Db(commit), content)| Pushed { commit, content: ContentDigest(content) }),
            attempted: attempts.into_iter().filter_map(attempt).collect(),
        }
    }
}

/// A pull request's columns, all there or all absent.
#[derive(QueryableByName)]
struct PullColumns {
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<Db<PullNumber>>,
    #[diesel(sql_type = Nullable<Text>)]
    state: Option<Db<PullState>>,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    body: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    base: Option<Db<BranchName>>,
    #[diesel(sql_type = Nullable<Text>)]
    head: Option<Db<CommitSha>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    merged_at: Option<Db<Timestamp>>,
}

impl PullColumns {
    fn pull(self) -> Option<Pull> {
        Some(Pull {
            number: self.number?.0,
            state: self.state?.0,
            title: self.title?,
            body: self.body?,
            base: self.base?.0,
            head: self.head?.0,
            merged_at: self.merged_at.map(|it| it.0),
        })
    }
}

impl From<Row> for Facts {
    fn from(row: Row) -> Self {
        let drift = match (row.drift, row.drift_head) {
            (DriftWord::Adopt, Some(Db(head))) => DriftChoice::Adopt { head },
            (DriftWord::Overwrite, Some(Db(head))) => DriftChoice::Overwrite { head },
            // The schema lets no choice stand without its commit.
            (DriftWord::Wait | DriftWord::Adopt | DriftWord::Overwrite, _) => DriftChoice::Wait,
        };
        let desired = Desired {
            intent: row.intent.0,
            publication: row.publication.map(|it| it.0),
            reopen: row.reopen.0,
            drift,
        };
        let head = row.branch_head.map(|it| it.0);
        let tip = match (&head, row.branch_read) {
            (Some(head), _) => Tip::At(head.clone()),
            (None, Some(true)) => Tip::Absent,
            (None, Some(false) | None) => Tip::Unread,
        };
        let observed = match row.pull.pull() {
            Some(pull) => Observed::Pull(pull),
            None => Observed::Unpublished { head },
        };
        let filing = match (row.archived, row.detached) {
            (_, true) => Filing::Detached,
            (true, false) => Filing::Archived,
            (false, false) => Filing::Active,
        };
        Self {
            id: row.id.0,
            campaign: row.campaign_id.0,
            applied_by: row.applied_by.0,
            repo: row.repository_id.0,
            spec_id: row.spec_id.0,
            spec: row.spec.0,
            previous: row.reconciled.map(|it| it.0),
            desired,
            filing,
            hold: if row.released { Hold::Released } else { Hold::Held },
            observed,
            ours: row.ours.into(),
            tip,
            closed_by: row.closed_by.map_or(Closer::Person, |it| it.0),
            reopening: match row.reopen_refused {
                Some(true) => Reopening::Refused,
                Some(false) | None => Reopening::Untried,
            },
            based_at: row.based_at.map(|it| it.0),
            pull: row.pull_id.map(|it| it.0),
            outstanding: if row.unresolved { Outstanding::Write } else { Outstanding::Nothing },
        }
    }
}
