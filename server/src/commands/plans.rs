//! What apply would do: the plan of a spec as a whole, with its hash.

use crate::{
    state::AppState,
    store::{
        Conn, StoreError, budgets,
        campaign_specs::StoredSpec,
        campaigns::{self, Campaign},
        changesets::{self, Facts},
        previews::{self, Matched},
    },
};
use drover::{
    budget::{self, Spent, WriteLimits},
    campaign::plan_hash::{PlanRows, RowState, plan_hash},
    changeset::{
        Capabilities, Closer, Desired, DriftChoice, Filing, Intent, Observed, Ours, Reopen,
        Reopening, Support, Tip,
        plan::{Operation, Plan, PlanInput, plan},
        spec::ChangesetSpec,
    },
    diff::DiffStat,
    id::{ChangesetId, ChangesetSpecId},
    names::{BranchName, CampaignName, CommitSha, PullNumber, RepoName},
    time::Timestamp,
    view::preview::{PlanHash, PlanTotals, RowKind},
};
use std::{collections::BTreeMap, time::Duration};

/// The rows of one plan, at most: it is made and hashed as a whole.
pub const PLAN_ROWS_MAX: i64 = 100_000;

/// What one spec would do to its campaign.
pub struct SpecPlan {
    pub campaign: Option<Campaign>,
    pub rows: Vec<Row>,
    pub states: PlanRows,
    pub hash: PlanHash,
}

/// One changeset of the plan.
pub struct Row {
    /// `None` for one that the spec wants no more.
    pub spec_id: Option<ChangesetSpecId>,
    /// `None` for one that does not exist yet.
    pub changeset: Option<ChangesetId>,
    pub repo: RepoName,
    pub spec: ChangesetSpec,
    pub pull: Option<PullNumber>,
    pub plan: Plan,
    pub stat: Option<DiffStat>,
    /// Another campaign that has the branch: apply refuses.
    pub taken_by: Option<CampaignName>,
}

/// Makes the plan of a spec from what is there now.
pub async fn load(
    conn: &mut Conn,
    spec: &StoredSpec,
    capabilities: Capabilities,
) -> Result<SpecPlan, StoreError> {
    let campaign = campaigns::find(conn, &spec.namespace.name, &spec.name).await?;
    let matched = previews::list_all(conn, spec.id, PLAN_ROWS_MAX).await?;
    let mut live: BTreeMap<ChangesetId, Facts> = match &campaign {
        Some(campaign) => changesets::list_live(conn, campaign.id, PLAN_ROWS_MAX)
            .await?
            .into_iter()
            .map(|facts| (facts.id, facts))
            .collect(),
        None => BTreeMap::new(),
    };
    let mut states = PlanRows::default();
    let mut rows = Vec::with_capacity(matched.len());
    for wish in matched {
        let facts = wish.changeset.and_then(|id| live.remove(&id));
        rows.push(wanted(wish, facts, capabilities, &mut states));
    }
    // What no wish has met is wanted no more.
    rows.extend(live.into_values().map(|facts| unwanted(facts, capabilities, &mut states)));
    rows.sort_by_key(Row::key);
    let hash = plan_hash(spec.id, &states);
    Ok(SpecPlan { campaign, rows, states, hash })
}

fn wanted(
    wish: Matched,
    facts: Option<Facts>,
    capabilities: Capabilities,
    states: &mut PlanRows,
) -> Row {
    let Matched { spec_id, spec, repo_name, stat, changeset, taken_by, .. } = wish;
    let new = Prospect::of(facts.as_ref());
    let plan = plan(&new.input(&spec, capabilities));
    let row = Row {
        spec_id: Some(spec_id),
        changeset,
        repo: repo_name,
        spec,
        pull: new.pull(),
        plan,
        stat,
        taken_by,
    };
    row.note_state(&new.observed, states);
    row
}

fn unwanted(facts: Facts, capabilities: Capabilities, states: &mut PlanRows) -> Row {
    let mut new = Prospect::of(Some(&facts));
    let untouched = facts.pull.is_none() && facts.ours == Ours::default();
    new.desired.intent = match &facts.spec {
        ChangesetSpec::Branch(_) if !untouched => Intent::Archive,
        ChangesetSpec::Branch(_) | ChangesetSpec::Existing { .. } => Intent::Detach,
    };
    let plan = plan(&new.input(&facts.spec, capabilities));
    let repo = match &facts.spec {
        ChangesetSpec::Branch(spec) => spec.repo.clone(),
        ChangesetSpec::Existing { repo, .. } => repo.clone(),
    };
    let row = Row {
        spec_id: None,
        changeset: Some(facts.id),
        repo,
        spec: facts.spec.clone(),
        pull: new.pull(),
        plan,
        stat: None,
        taken_by: None,
    };
    row.note_state(&new.observed, states);
    row
}

/// The facts of a changeset as they will be when the spec is applied.
struct Prospect {
    previous: Option<ChangesetSpec>,
    desired: Desired,
    observed: Observed,
    ours: Ours,
    tip: Tip,
    closed_by: Closer,
    reopening: Reopening,
    based_at: Option<Timestamp>,
}

impl Prospect {
    fn of(facts: Option<&Facts>) -> Self {
        let Some(facts) = facts else { return Self::new() };
        let mut desired = facts.desired.clone();
        // A person's close outlives a new spec; nothing else does.
        desired.intent = match desired.intent {
            Intent::Close => Intent::Close,
            Intent::Publish | Intent::Archive | Intent::Detach => Intent::Publish,
        };
        Self {
            previous: facts.previous.clone(),
            desired,
            observed: facts.observed.clone(),
            ours: facts.ours.clone(),
            tip: facts.tip.clone(),
            reopening: facts.reopening,
            based_at: facts.based_at,
            closed_by: facts.closed_by,
        }
    }

    fn new() -> Self {
        Self {
            previous: None,
            desired: Desired {
                intent: Intent::Publish,
                publication: None,
                reopen: Reopen::NotAsked,
                drift: DriftChoice::Wait,
            },
            observed: Observed::Unpublished { head: None },
            ours: Ours::default(),
            tip: Tip::Unread,
            reopening: Reopening::Untried,
            based_at: None,
            closed_by: Closer::Person,
        }
    }

    fn input<'a>(
        &'a self,
        current: &'a ChangesetSpec,
        capabilities: Capabilities,
    ) -> PlanInput<'a> {
        PlanInput {
            previous: self.previous.as_ref(),
            current,
            desired: &self.desired,
            filing: Filing::Active,
            observed: &self.observed,
            ours: &self.ours,
            tip: &self.tip,
            closed_by: self.closed_by,
            reopening: self.reopening,
            based_at: self.based_at,
            capabilities,
        }
    }

    fn pull(&self) -> Option<PullNumber> {
        match &self.observed {
            Observed::Pull(pull) => Some(pull.number),
            Observed::Unpublished { .. } => None,
        }
    }
}

impl Row {
    /// The name of the row in lists that are read by key.
    #[must_use]
    pub fn key(&self) -> (RepoName, BranchName, String) {
        let id = self.spec_id.map(|id| id.to_string()).or(self.changeset.map(|id| id.to_string()));
        (self.repo.clone(), self.branch(), id.unwrap_or_default())
    }

    #[must_use]
    pub fn branch(&self) -> BranchName {
        match &self.spec {
            ChangesetSpec::Branch(spec) => spec.head.clone(),
            ChangesetSpec::Existing { number, .. } => pull_branch(*number),
        }
    }

    #[must_use]
    pub fn taken(&self) -> Option<String> {
        let by = self.taken_by.as_ref()?;
        Some(format!(
            "the branch `{}` of {} belongs to the campaign {by}",
            self.branch(),
            self.repo
        ))
    }

    fn note_state(&self, observed: &Observed, states: &mut PlanRows) {
        let base = match &self.spec {
            ChangesetSpec::Branch(spec) => Some(spec.base_commit.clone()),
            ChangesetSpec::Existing { .. } => None,
        };
        let (pull, head): (_, Option<CommitSha>) = match observed {
            Observed::Pull(pull) => (Some((pull.number, pull.state)), Some(pull.head.clone())),
            Observed::Unpublished { head } => (None, head.clone()),
        };
        let state = RowState { base, pull, head, operations: self.plan.operations.clone() };
        states.0.insert((self.repo.clone(), self.branch()), state);
    }
}

/// How code hosts name the branch of a pull request by its number.
fn pull_branch(number: PullNumber) -> BranchName {
    #[expect(clippy::expect_used, reason = "digits make a valid branch name")]
    format!("pull/{}", number.0).parse().expect("a valid name")
}

/// Counts the rows of a plan by what happens to them.
#[must_use]
pub fn totals(rows: &[Row]) -> PlanTotals {
    let mut totals = PlanTotals::default();
    for row in rows {
        let count = match RowKind::of(&row.plan.operations) {
            RowKind::Publish => &mut totals.publish,
            RowKind::Update => &mut totals.update,
            RowKind::Close => &mut totals.close,
            RowKind::Other => &mut totals.other,
            RowKind::Unchanged => &mut totals.unchanged,
        };
        *count += 1;
        if let Some(stat) = row.stat {
            totals.stat.files += stat.files;
            totals.stat.added += stat.added;
            totals.stat.removed += stat.removed;
        }
    }
    totals
}

/// The requests to the code host that operations cost.
#[must_use]
pub fn writes<'a>(operations: impl Iterator<Item = &'a Operation>) -> u32 {
    let count = operations
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
