//! Everything that a rewiring is decided from.

use crate::store::{
    Conn, StoreError,
    changesets::{self, Lock, OursColumns},
    outcomes,
    sql_types::Db,
};
use diesel::{
    QueryableByName,
    sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    campaign::{
        outcome::{Outcomes, Resolution},
        rewire::{Holder, Reserved, Target, Wish, Wishes},
    },
    changeset::{
        Pull, PullState, Tip,
        facts::Facts,
        spec::{BranchSpec, ChangesetSpec},
    },
    id::{CampaignId, CampaignSpecId, ChangesetId, ChangesetSpecId, PullId, RepoId},
    names::{BranchName, CampaignName, CommitSha, PullNumber},
    time::Timestamp,
};

/// The rows of one plan, at most: it is decided and hashed as a whole.
const PLAN_ROWS_MAX: i64 = 100_000;

pub struct Given {
    pub wishes: Wishes,
    /// The live and the archived ones, the newest last.
    pub changesets: Vec<Facts>,
    pub outcomes: Outcomes,
}

/// Whether the changesets stay as they were read until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locking {
    ForShowing,
    ForWriting,
}

/// Loads what applying a spec is decided from.
pub async fn load(
    conn: &mut Conn,
    spec: CampaignSpecId,
    campaign: Option<CampaignId>,
    locking: Locking,
) -> Result<Given, StoreError> {
    let wishes = wishes(conn, spec, campaign).await?;
    let lock = match locking {
        Locking::ForShowing => Lock::None,
        Locking::ForWriting => Lock::Held,
    };
    let changesets = match campaign {
        Some(campaign) => changesets::list_all(conn, campaign, lock, PLAN_ROWS_MAX).await?,
        None => Vec::new(),
    };
    // Without a finished execution nothing is known to be left out.
    let outcomes = outcomes::find(conn, spec).await?.unwrap_or_else(|| Outcomes {
        resolution: Resolution::Partial { reason: "the steps did not run to the end".to_owned() },
        repositories: Vec::new(),
    });
    Ok(Given { wishes, changesets, outcomes })
}

async fn wishes(
    conn: &mut Conn,
    spec: CampaignSpecId,
    campaign: Option<CampaignId>,
) -> Result<Wishes, StoreError> {
    let rows: Vec<Row> = diesel::sql_query(WISHES)
        .bind::<SqlUuid, _>(spec.0)
        .bind::<Nullable<SqlUuid>, _>(campaign.map(|id| id.0))
        .bind::<BigInt, _>(PLAN_ROWS_MAX)
        .load(conn)
        .await?;
    let pair = |row: Row| {
        let wish = Wish::from(row);
        (Target::of(wish.repo, &wish.spec), wish)
    };
    Ok(rows.into_iter().map(pair).collect())
}

/// The wishes of a spec, with what is known of their branches and who else has them.
const WISHES: &str = "
    WITH bases AS (
        SELECT DISTINCT ON (c.repository_id, s.base) c.repository_id, s.base, m.name
        FROM changesets c
        JOIN changeset_specs s ON s.id = c.spec_id
        JOIN campaigns m ON m.id = c.campaign_id
        WHERE s.base IS NOT NULL AND c.archived_at IS NULL AND c.detached_at IS NULL
          AND c.repository_id IN (
              SELECT repository_id FROM changeset_specs WHERE campaign_spec_id = $1)
        ORDER BY c.repository_id, s.base, m.name
    ), own AS (
        SELECT DISTINCT repository_id, base FROM changeset_specs
        WHERE campaign_spec_id = $1 AND base IS NOT NULL
    )
    SELECT s.id, s.repository_id, s.spec, cs.created_at AS based_at,
           r.default_branch = s.head AS is_default, own.base IS NOT NULL AS is_own_base,
           bases.name AS base_of, b.head AS branch_head, b.head_read_at IS NOT NULL AS branch_read,
           b.pushed_commit, b.pushed_content,
           ARRAY(SELECT a.commit || ' ' || a.content FROM branch_attempts a
                 WHERE a.repository_id = s.repository_id AND a.branch = s.head
                 ORDER BY a.at DESC, a.commit LIMIT 50) AS attempts,
           other.id AS holder, om.name AS held_by, op.state AS held_pull,
           op.number AS held_number,
           p.id AS pull_id, p.number, p.state, p.title, p.body, p.base, p.head, p.merged_at
    FROM changeset_specs s
    JOIN campaign_specs cs ON cs.id = s.campaign_spec_id
    JOIN repositories r ON r.id = s.repository_id
    LEFT JOIN own ON own.repository_id = s.repository_id AND own.base = s.head
    LEFT JOIN bases ON bases.repository_id = s.repository_id AND bases.base = s.head
    LEFT JOIN branches b ON b.repository_id = s.repository_id AND b.name = s.head
    LEFT JOIN changesets other ON s.kind = 'branch' AND other.kind = 'branch'
         AND other.repository_id = s.repository_id AND other.branch = s.head
         AND other.archived_at IS NULL AND other.detached_at IS NULL
         AND other.released_at IS NULL AND other.campaign_id IS DISTINCT FROM $2
    LEFT JOIN campaigns om ON om.id = other.campaign_id
    LEFT JOIN pulls op ON op.id = other.pull_id
    LEFT JOIN pulls p ON p.repository_id = s.repository_id AND p.number = s.number
    WHERE s.campaign_spec_id = $1
    ORDER BY s.id LIMIT $3";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ChangesetSpecId>,
    #[diesel(sql_type = SqlUuid)]
    repository_id: Db<RepoId>,
    #[diesel(sql_type = Jsonb)]
    spec: Db<ChangesetSpec>,
    #[diesel(sql_type = Timestamptz)]
    based_at: Db<Timestamp>,
    #[diesel(sql_type = Nullable<Bool>)]
    is_default: Option<bool>,
    #[diesel(sql_type = Bool)]
    is_own_base: bool,
    #[diesel(sql_type = Nullable<Text>)]
    base_of: Option<Db<CampaignName>>,
    #[diesel(sql_type = Nullable<Text>)]
    branch_head: Option<Db<CommitSha>>,
    #[diesel(sql_type = Nullable<Bool>)]
    branch_read: Option<bool>,
    #[diesel(embed)]
    ours: OursColumns,
    #[diesel(embed)]
    holder: HolderColumns,
    #[diesel(embed)]
    pull: PullColumns,
}

#[derive(QueryableByName)]
struct HolderColumns {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    holder: Option<Db<ChangesetId>>,
    #[diesel(sql_type = Nullable<Text>)]
    held_by: Option<Db<CampaignName>>,
    #[diesel(sql_type = Nullable<Text>)]
    held_pull: Option<Db<PullState>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    held_number: Option<Db<PullNumber>>,
}

#[derive(QueryableByName)]
struct PullColumns {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pull_id: Option<Db<PullId>>,
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
    fn pull(self) -> Option<(PullId, Pull)> {
        let pull = Pull {
            number: self.number?.0,
            state: self.state?.0,
            title: self.title?,
            body: self.body?,
            base: self.base?.0,
            head: self.head?.0,
            merged_at: self.merged_at.map(|it| it.0),
        };
        Some((self.pull_id?.0, pull))
    }
}

impl Row {
    fn reserved(&self) -> Option<Reserved> {
        let own = match &self.spec.0 {
            ChangesetSpec::Branch(BranchSpec { head, base, .. }) => head == base,
            ChangesetSpec::Existing { .. } => return None,
        };
        match (self.is_default, own || self.is_own_base, &self.base_of) {
            (Some(true), _, _) => Some(Reserved::Default),
            (_, true, _) => Some(Reserved::OwnBase),
            (_, false, Some(Db(campaign))) => Some(Reserved::BaseOf(campaign.clone())),
            (Some(false) | None, false, None) => None,
        }
    }
}

impl From<Row> for Wish {
    fn from(row: Row) -> Self {
        let reserved = row.reserved();
        let HolderColumns { holder, held_by, held_pull, held_number } = row.holder;
        Self {
            id: row.id.0,
            repo: row.repository_id.0,
            spec: row.spec.0,
            based_at: Some(row.based_at.0),
            ours: row.ours.into(),
            tip: match (row.branch_head, row.branch_read) {
                (Some(Db(head)), _) => Tip::At(head),
                (None, Some(true)) => Tip::Absent,
                (None, Some(false) | None) => Tip::Unread,
            },
            tracked: row.pull.pull(),
            holder: holder.zip(held_by).map(|(Db(changeset), Db(campaign))| Holder {
                changeset,
                campaign,
                pull: held_pull.map(|it| it.0),
                number: held_number.map(|it| it.0),
            }),
            reserved,
        }
    }
}
