//! What apply would do: the plan of a spec as a whole, with its hash.
//!
//! [`decide`] is `drover::campaign::rewire` over what the store holds, and a plan for each row.
//! The preview's job keeps what it gives, apply compares with it under the campaign's lock, and
//! the job of an apply writes what the same function gives then.

use crate::{
    look::{self, Target},
    state::AppState,
    store::{
        Conn, StoreError, budgets,
        campaign_specs::StoredSpec,
        campaigns::{self, Campaign},
        changeset_specs,
        plans::{self as stored, NewPlan, PlanRow},
        repositories,
        rewire::{self as store, Given, Locking},
    },
};
use drover::{
    budget::{self, Spent, WriteLimits},
    campaign::{
        plan_hash::{PlanRows, RowKey, RowState, plan_hash},
        rewire::{Prospect, Rewiring, Row, Wish, rewire},
    },
    changeset::{
        Capabilities, Observed, Support,
        plan::{Note, Operation, Plan, plan},
        spec::ChangesetSpec,
    },
    diff::DiffStat,
    id::{CampaignId, CampaignSpecId, ChangesetId, ChangesetSpecId, RepoId},
    names::{BranchName, CommitSha, PullNumber, RepoName},
    time::Timestamp,
    view::preview::{NewerApply, PlanHash, PlanTotals, RowEffect, RowKind},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// What one spec would do to its campaign.
pub struct SpecPlan {
    pub campaign: Option<Campaign>,
    pub rows: Vec<PlanRow<PlannedRow>>,
    pub states: PlanRows,
    pub hash: PlanHash,
    pub totals: PlanTotals,
    /// The requests that it costs.
    pub writes: u32,
}

/// One row of a plan, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRow {
    pub spec: Option<ChangesetSpecId>,
    pub changeset: Option<ChangesetId>,
    /// The name that the repository had when the plan was made.
    pub repo: RepoName,
    pub branch: BranchName,
    pub pull: Option<PullNumber>,
    pub operations: Vec<Operation>,
    pub kind: RowKind,
    pub note: Option<String>,
    pub stat: Option<DiffStat>,
}

/// What a kept plan says besides its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub totals: PlanTotals,
    pub writes: u32,
    pub unread: Option<String>,
}

/// Makes the plan of a spec from what is stored now.
pub async fn decide(
    conn: &mut Conn,
    spec: &StoredSpec,
    capabilities: Capabilities,
) -> Result<SpecPlan, StoreError> {
    let campaign = campaigns::find(conn, &spec.namespace.name, &spec.name).await?;
    let id = campaign.as_ref().map(|it| it.id);
    let given = store::load(conn, spec.id, id, Locking::ForShowing).await?;
    let rows = rewire(&given.wishes, &given.changesets, &given.outcomes);
    let names = names(conn, &rows).await?;
    let stats = changeset_specs::list_stats(conn, spec.id).await?;
    let specs: BTreeMap<ChangesetId, ChangesetSpecId> =
        given.changesets.iter().map(|facts| (facts.id, facts.spec_id)).collect();
    let mut made = SpecPlan {
        hash: PlanHash(String::new()),
        campaign,
        rows: Vec::with_capacity(rows.len()),
        states: PlanRows::default(),
        totals: PlanTotals::default(),
        writes: 0,
    };
    for row in &rows {
        let plan = row.prospect.as_ref().map(|it| plan(&it.input(capabilities)));
        let words = row.rewiring.wish().or_else(|| {
            row.rewiring.changeset().and_then(|changeset| specs.get(&changeset).copied())
        });
        let Some(words) = words else { continue };
        let repo = names.get(&row.repo).cloned().unwrap_or_else(|| name(&row.spec));
        let stat = row.rewiring.wish().and_then(|wish| stats.get(&wish).copied());
        made.add(row, plan.unwrap_or_default(), words, repo, stat);
    }
    let applied = made.campaign.as_ref().map(|campaign| campaign.spec);
    made.hash = plan_hash(spec.id, applied, &made.states);
    Ok(made)
}

impl SpecPlan {
    fn add(
        &mut self,
        row: &Row,
        plan: Plan,
        words: ChangesetSpecId,
        repo: RepoName,
        stat: Option<DiffStat>,
    ) {
        let branch = branch(&row.spec);
        let kind = kind(&row.rewiring);
        let notes: Vec<String> = row
            .rewiring
            .explain()
            .into_iter()
            .chain(plan.notes.iter().map(ToString::to_string))
            .collect();
        count(&mut self.totals, kind, &plan, stat);
        self.writes = self.writes.saturating_add(writes(&plan.operations));
        let key = RowKey { repo: row.repo, branch: branch.clone() };
        self.states.0.insert(key, row_state(row, &repo, &plan));
        let row = PlannedRow {
            spec: row.rewiring.wish(),
            changeset: row.rewiring.changeset(),
            repo,
            branch,
            pull: row.prospect.as_ref().and_then(|it| it.observed.pull()).map(|it| it.number),
            operations: plan.operations,
            kind,
            note: (!notes.is_empty()).then(|| notes.join("; ")),
            stat,
        };
        self.rows.push(PlanRow { words, row });
    }

    /// The rows of which nothing can be made, each in a sentence.
    pub fn refused(&self) -> impl Iterator<Item = String> {
        self.rows.iter().filter(|it| it.row.kind == RowKind::Refused).map(|it| {
            let PlannedRow { repo, branch, note, .. } = &it.row;
            format!("`{branch}` of {repo}: {}", note.as_deref().unwrap_or("refused"))
        })
    }

    /// Keeps the plan as the newest one of its spec.
    pub async fn keep(
        &self,
        conn: &mut Conn,
        spec: CampaignSpecId,
        unread: Option<String>,
    ) -> Result<(), StoreError> {
        let summary = Summary { totals: self.totals, writes: self.writes, unread };
        let plan = NewPlan {
            spec,
            hash: &self.hash,
            applied: self.campaign.as_ref().map(|campaign| campaign.spec),
            states: &self.states,
            summary: &summary,
            rows: &self.rows,
        };
        stored::keep(conn, &plan).await
    }
}

/// The names that the repositories have today.
async fn names(conn: &mut Conn, rows: &[Row]) -> Result<BTreeMap<RepoId, RepoName>, StoreError> {
    let ids: Vec<RepoId> = rows.iter().map(|row| row.repo).collect();
    let repos = repositories::list(conn, &ids).await?;
    Ok(repos.into_iter().map(|repo| (repo.id, repo.name)).collect())
}

fn name(spec: &ChangesetSpec) -> RepoName {
    match spec {
        ChangesetSpec::Branch(spec) => spec.repo.clone(),
        ChangesetSpec::Existing { repo, .. } => repo.clone(),
    }
}

fn branch(spec: &ChangesetSpec) -> BranchName {
    match spec {
        ChangesetSpec::Branch(spec) => spec.head.clone(),
        ChangesetSpec::Existing { number, .. } => pull_branch(*number),
    }
}

/// How code hosts name the branch of a pull request by its number.
fn pull_branch(number: PullNumber) -> BranchName {
    #[expect(clippy::expect_used, reason = "digits make a valid branch name")]
    format!("pull/{}", number.0).parse().expect("a valid name")
}

fn kind(rewiring: &Rewiring) -> RowKind {
    match rewiring {
        Rewiring::Create { .. }
        | Rewiring::Keep { .. }
        | Rewiring::Update { .. }
        | Rewiring::Revive { .. } => RowKind::Wanted,
        Rewiring::Hold { .. } => RowKind::Kept,
        Rewiring::Archive { .. } | Rewiring::Detach { .. } => RowKind::Dropped,
        Rewiring::Taken { .. } | Rewiring::Reserved { .. } => RowKind::Refused,
    }
}

fn row_state(row: &Row, repo: &RepoName, plan: &Plan) -> RowState {
    let base = match &row.spec {
        ChangesetSpec::Branch(spec) => Some(spec.base_commit.clone()),
        ChangesetSpec::Existing { .. } => None,
    };
    let observed = row.prospect.as_ref().map(|Prospect { observed, .. }| observed);
    let head: Option<CommitSha> = observed.and_then(Observed::head).cloned();
    let pull = observed.and_then(Observed::pull).map(|pull| (pull.number, pull.state));
    RowState {
        name: repo.clone(),
        decision: row.rewiring.word().to_owned(),
        base,
        pull,
        head,
        operations: plan.operations.clone(),
    }
}

/// Counts a row by what happens to it.
fn count(totals: &mut PlanTotals, kind: RowKind, plan: &Plan, stat: Option<DiffStat>) {
    let counter = match (kind, RowEffect::of(&plan.operations)) {
        (RowKind::Kept, _) => &mut totals.kept,
        (RowKind::Refused, _) => &mut totals.refused,
        (RowKind::Wanted | RowKind::Dropped, RowEffect::Publish) => &mut totals.publish,
        (RowKind::Wanted | RowKind::Dropped, RowEffect::Update) => &mut totals.update,
        (RowKind::Wanted | RowKind::Dropped, RowEffect::Close) => &mut totals.close,
        (RowKind::Wanted | RowKind::Dropped, RowEffect::Other) => &mut totals.other,
        (RowKind::Wanted | RowKind::Dropped, RowEffect::Unchanged) => &mut totals.unchanged,
    };
    *counter += 1;
    if plan.notes.iter().any(|note| matches!(note, Note::Drift { .. })) {
        totals.drift += 1;
    }
    if let Some(stat) = stat {
        totals.stat.files += stat.files;
        totals.stat.added += stat.added;
        totals.stat.removed += stat.removed;
    }
}

/// The requests to the code host that operations cost.
fn writes(operations: &[Operation]) -> u32 {
    let count = operations
        .iter()
        .filter(|operation| match operation {
            Operation::Publish
            | Operation::PublishDraft
            | Operation::Close
            | Operation::Reopen
            | Operation::MarkReady
            | Operation::ConvertToDraft
            | Operation::Update => true,
            Operation::Import
            | Operation::Push
            | Operation::Renew
            | Operation::Archive
            | Operation::Detach
            | Operation::Sync => false,
        })
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Looks at everything that the plan of a spec is about, and writes down what was seen. Gives
/// what could not be read, in a sentence: of that, the plan says what was known before.
pub async fn look(
    state: &AppState,
    spec: CampaignSpecId,
    campaign: Option<CampaignId>,
) -> Result<Option<String>, StoreError> {
    let mut conn = state.store.conn().await?;
    let Given { wishes, changesets, outcomes } =
        store::load(&mut conn, spec, campaign, Locking::ForShowing).await?;
    drop(conn);
    let rows = rewire(&wishes, &changesets, &outcomes);
    // Whoever has a branch that is wanted may be over by now.
    let holders = wishes.values().filter_map(holder);
    let targets: Vec<Target> = rows.iter().map(target).chain(holders).collect();
    let seen = look::look_and_record(state, &targets).await?;
    let unseen: Vec<String> =
        seen.into_iter().filter_map(|it| Some(it.sight.err()?.to_string())).collect();
    Ok(unseen
        .first()
        .map(|reason| format!("{} of {} could not be read: {reason}", unseen.len(), targets.len())))
}

fn target(row: &Row) -> Target {
    let seen = row.prospect.as_ref().and_then(|it| it.observed.pull()).map(|it| it.number);
    match &row.spec {
        ChangesetSpec::Branch(spec) => Target {
            repo: row.repo,
            head: Some(spec.head.clone()),
            base: Some(spec.base.clone()),
            number: seen,
        },
        ChangesetSpec::Existing { number, .. } => {
            Target { repo: row.repo, head: None, base: None, number: Some(*number) }
        }
    }
}

fn holder(wish: &Wish) -> Option<Target> {
    let number = wish.holder.as_ref()?.number?;
    Some(Target { number: Some(number), ..Target::repository(wish.repo) })
}

/// What was applied to the campaign since a plan was made, when that is another spec than the
/// plan was made after. `was`: the spec that the campaign wanted then; `None` when the plan is not
/// known any more.
#[must_use]
pub fn newer(was: Option<Option<CampaignSpecId>>, now: Option<&Campaign>) -> Option<NewerApply> {
    let (was, now) = (was?, now?);
    (was != Some(now.spec)).then(|| NewerApply {
        by: now.applied_by_name.clone(),
        at: now.applied_at,
        spec: now.spec,
    })
}

/// How long so many writes take at the pace that the code host allows, from now.
pub async fn eta(state: &AppState, conn: &mut Conn, writes: u32) -> Result<Duration, StoreError> {
    let now = crate::clock::now();
    if writes == 0 {
        return Ok(Duration::ZERO);
    }
    let Ok(access) = state.hosts.first(conn).await else { return Ok(Duration::ZERO) };
    let spent =
        Spent { writes: budgets::history(conn, access.credential).await?, blocked_until: None };
    let at: Timestamp = budget::eta(writes, &spent, limits(&access.host.limits), now);
    Ok(at.since(now))
}

fn limits(stored: &crate::store::code_hosts::WriteLimits) -> WriteLimits {
    let positive = |number: i32| u32::try_from(number).unwrap_or(0);
    WriteLimits {
        per_minute: positive(stored.per_minute),
        per_hour: positive(stored.per_hour),
        spacing: Duration::from_millis(u64::from(positive(stored.gap_millis))),
    }
}

/// What the code host of the campaign can do; everything, as long as none is set up.
pub async fn capabilities(state: &AppState, conn: &mut Conn) -> Capabilities {
    match state.hosts.first(conn).await {
        Ok(access) => access.api.capabilities(),
        Err(_) => {
            Capabilities { drafts: Support::Yes, conversion: Support::Yes, reopen: Support::Yes }
        }
    }
}
