//! What applying a spec does to the changesets of a campaign: the one place that decides it.
//!
//! The preview shows these rows, the plan hash covers them, and apply writes them. Nothing is
//! sent here: every changeset for which there is something to do is reconciled then.
//!
//! - A wish meets the changeset that the campaign has in its repository and branch already.
//! - What was archived comes back when it is wanted again, unless its pull request is over: then
//!   a new changeset is made, because a merged pull request cannot be opened again.
//! - What is wanted no more is archived, and closed where it is open, if the campaign opened it
//!   itself or may have; it is detached if nothing was ever sent, or if others made it.
//! - Unknown is not "no": where the spec has no result for a repository, or its list of
//!   repositories was cut short, every changeset there stays exactly as it is.
//! - What a person closed, here or on the code host, stays closed: a new spec changes what is
//!   wanted of the changeset and not whether it is wanted.
//! - A branch belongs to one live changeset, whichever campaign that is of; one that is over
//!   gives it away.
//! - No campaign has the default branch of a repository, a protected one, or one that pull
//!   requests go into.

#[cfg(test)]
mod tests;

use crate::{
    campaign::outcome::{Outcomes, Verdict},
    changeset::{
        Closer, Desired, DriftChoice, Filing, Intent, Observed, Ours, Pull, PullState, Reopen,
        Reopening, Tip,
        facts::{Facts, Hold, Outstanding},
        plan::PlanInput,
        spec::ChangesetSpec,
    },
    id::{ChangesetId, ChangesetSpecId, PullId, RepoId},
    names::{BranchName, CampaignName, PullNumber},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What a changeset is about. A campaign has one live changeset for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A branch that the campaign pushes.
    Branch(RepoId, BranchName),
    /// A pull request that others made.
    Pull(RepoId, PullNumber),
}

impl Target {
    /// By the repository's id: its name may be another tomorrow.
    #[must_use]
    pub fn of(repo: RepoId, spec: &ChangesetSpec) -> Self {
        match spec {
            ChangesetSpec::Branch(spec) => Self::Branch(repo, spec.head.clone()),
            ChangesetSpec::Existing { number, .. } => Self::Pull(repo, *number),
        }
    }
}

/// A wish of the spec that is applied, with what is known of its branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub id: ChangesetSpecId,
    pub repo: RepoId,
    pub spec: ChangesetSpec,
    pub based_at: Option<Timestamp>,
    pub ours: Ours,
    pub tip: Tip,
    /// The pull request that is to be tracked, if it was read before.
    pub tracked: Option<(PullId, Pull)>,
    /// The live changeset of another campaign that has the branch.
    pub holder: Option<Holder>,
    /// Why the branch can be no campaign's.
    pub reserved: Option<Reserved>,
}

/// Who has a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub changeset: ChangesetId,
    pub campaign: CampaignName,
    /// The state of its pull request, as it was read last.
    pub pull: Option<PullState>,
    pub number: Option<PullNumber>,
}

/// A branch that pull requests go into, so that none may come from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reserved {
    Default,
    Protected,
    /// The pull request itself would go into it.
    OwnBase,
    /// Pull requests of a campaign go into it.
    BaseOf(CampaignName),
}

impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("it is the repository's default branch"),
            Self::Protected => f.write_str("the code host protects it"),
            Self::OwnBase => f.write_str("it is the branch that the pull request goes into"),
            Self::BaseOf(campaign) => {
                write!(f, "pull requests of the campaign {campaign} go into it")
            }
        }
    }
}

/// What becomes of a wish or of a changeset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rewiring {
    Create {
        wish: ChangesetSpecId,
    },
    /// The changeset wants this very thing already.
    Keep {
        changeset: ChangesetId,
        wish: ChangesetSpecId,
    },
    /// The changeset follows the new wish.
    Update {
        changeset: ChangesetId,
        wish: ChangesetSpecId,
    },
    /// The changeset was archived, and follows the new wish.
    Revive {
        changeset: ChangesetId,
        wish: ChangesetSpecId,
    },
    /// There is no new result, so nothing changes.
    Hold {
        changeset: ChangesetId,
        reason: String,
    },
    Archive {
        changeset: ChangesetId,
    },
    Detach {
        changeset: ChangesetId,
    },
    /// The branch belongs to another campaign: nothing is made of the wish.
    Taken {
        wish: ChangesetSpecId,
        by: CampaignName,
    },
    /// The branch can be no campaign's: nothing is made of the wish.
    Reserved {
        wish: ChangesetSpecId,
        because: Reserved,
    },
}

impl Rewiring {
    #[must_use]
    pub fn wish(&self) -> Option<ChangesetSpecId> {
        match self {
            Self::Create { wish }
            | Self::Keep { wish, .. }
            | Self::Update { wish, .. }
            | Self::Revive { wish, .. }
            | Self::Taken { wish, .. }
            | Self::Reserved { wish, .. } => Some(*wish),
            Self::Hold { .. } | Self::Archive { .. } | Self::Detach { .. } => None,
        }
    }

    #[must_use]
    pub fn changeset(&self) -> Option<ChangesetId> {
        match self {
            Self::Keep { changeset, .. }
            | Self::Update { changeset, .. }
            | Self::Revive { changeset, .. }
            | Self::Hold { changeset, .. }
            | Self::Archive { changeset }
            | Self::Detach { changeset } => Some(*changeset),
            Self::Create { .. } | Self::Taken { .. } | Self::Reserved { .. } => None,
        }
    }

    /// The word for it, which the plan hash covers.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Keep { .. } => "keep",
            Self::Update { .. } => "update",
            Self::Revive { .. } => "revive",
            Self::Hold { .. } => "hold",
            Self::Archive { .. } => "archive",
            Self::Detach { .. } => "detach",
            Self::Taken { .. } => "taken",
            Self::Reserved { .. } => "reserved",
        }
    }

    /// What a person has to know about it, if anything.
    #[must_use]
    pub fn explain(&self) -> Option<String> {
        match self {
            Self::Create { .. } | Self::Keep { .. } | Self::Update { .. } => None,
            Self::Revive { .. } => Some("comes back: it was archived".to_owned()),
            Self::Hold { reason, .. } => Some(format!("kept: no new result, because {reason}")),
            Self::Archive { .. } | Self::Detach { .. } => {
                Some("the spec does not want it any more".to_owned())
            }
            Self::Taken { by, .. } => Some(format!(
                "refused: the branch belongs to the campaign {by}; give this campaign another \
                 branch, or archive the other"
            )),
            Self::Reserved { because, .. } => Some(format!(
                "refused: no pull request can come from this branch, because {because}; give the \
                 campaign another branch"
            )),
        }
    }
}

/// A row of the plan: what is decided, and the facts as they will be then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub rewiring: Rewiring,
    pub repo: RepoId,
    /// The wish that will be in force; of a row that is refused, the one that is not.
    pub spec: ChangesetSpec,
    /// `None` for a row that is refused: there is no changeset to plan.
    pub prospect: Option<Prospect>,
    /// The changeset of another campaign that gives its branch to this one.
    pub releases: Option<ChangesetId>,
    /// Our commits on the branch were merged, and hold nothing for a new pull request.
    pub spends: Option<Target>,
}

impl Row {
    #[must_use]
    pub fn target(&self) -> Target {
        Target::of(self.repo, &self.spec)
    }
}

/// The facts of a changeset as they will be when the spec is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prospect {
    pub previous: Option<ChangesetSpec>,
    pub current: ChangesetSpec,
    pub desired: Desired,
    pub observed: Observed,
    pub ours: Ours,
    pub tip: Tip,
    pub closed_by: Closer,
    pub reopening: Reopening,
    pub based_at: Option<Timestamp>,
    pub pull: Option<PullId>,
}

impl Prospect {
    #[must_use]
    pub fn input(&self, capabilities: crate::changeset::Capabilities) -> PlanInput<'_> {
        PlanInput {
            previous: self.previous.as_ref(),
            current: &self.current,
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

    /// A changeset as it stands, with another intent.
    fn of(facts: &Facts, intent: Intent) -> Self {
        Self {
            previous: facts.previous.clone(),
            current: facts.spec.clone(),
            desired: Desired { intent, ..facts.desired.clone() },
            observed: facts.observed.clone(),
            ours: facts.ours.clone(),
            tip: facts.tip.clone(),
            closed_by: facts.closed_by,
            reopening: facts.reopening,
            based_at: facts.based_at,
            pull: facts.pull,
        }
    }

    /// A changeset that follows a new wish. A person's close outlives it; nothing else does.
    fn following(facts: &Facts, wish: &Wish) -> Self {
        let intent = match facts.desired.intent {
            Intent::Close => Intent::Close,
            Intent::Publish | Intent::Archive | Intent::Detach => Intent::Publish,
        };
        let (current, based_at) = (wish.spec.clone(), wish.based_at);
        Self { current, based_at, ..Self::of(facts, intent) }
    }

    /// A changeset that is made for a wish.
    fn new(wish: &Wish, ours: Ours) -> Self {
        let (observed, pull) = match (&wish.tracked, &wish.tip) {
            (Some((id, pull)), _) => (Observed::Pull(pull.clone()), Some(*id)),
            (None, Tip::At(head)) => (Observed::Unpublished { head: Some(head.clone()) }, None),
            (None, Tip::Absent | Tip::Unread) => (Observed::Unpublished { head: None }, None),
        };
        Self {
            previous: None,
            current: wish.spec.clone(),
            desired: Desired {
                intent: Intent::Publish,
                publication: None,
                reopen: Reopen::NotAsked,
                drift: DriftChoice::Wait,
            },
            observed,
            ours,
            tip: wish.tip.clone(),
            closed_by: Closer::Person,
            reopening: Reopening::Untried,
            based_at: wish.based_at,
            pull,
        }
    }
}

/// The wishes of a spec by what they are about: the database lets none be wished for twice.
pub type Wishes = BTreeMap<Target, Wish>;

/// Decides about every wish and every changeset of the campaign, ordered by repository and
/// branch. `changesets` are the live and the archived ones, the newest last.
#[must_use]
pub fn rewire(wishes: &Wishes, changesets: &[Facts], outcomes: &Outcomes) -> Vec<Row> {
    let mut candidates: BTreeMap<Target, Candidates<'_>> = BTreeMap::new();
    for facts in changesets {
        candidates.entry(Target::of(facts.repo, &facts.spec)).or_default().add(facts);
    }
    let mut rows: Vec<Row> = wishes
        .iter()
        .map(|(target, wish)| meet(target, wish, &candidates.remove(target).unwrap_or_default()))
        .collect();
    // What no wish has met is not wanted any more, or not known to be.
    let unmet = candidates.into_values().filter_map(|it| it.live);
    rows.extend(unmet.map(|facts| leave(facts, outcomes)));
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    rows
}

/// The changesets about one thing: at most one lives.
#[derive(Default)]
struct Candidates<'a> {
    live: Option<&'a Facts>,
    /// The newest that can come back.
    archived: Option<&'a Facts>,
    /// The newest that was merged.
    merged: Option<&'a Facts>,
}

impl<'a> Candidates<'a> {
    fn add(&mut self, facts: &'a Facts) {
        match (facts.filing, facts.state()) {
            (Filing::Active, _) => self.live = Some(facts),
            (Filing::Archived, Some(PullState::Merged)) => self.merged = Some(facts),
            (Filing::Archived, Some(PullState::Deleted)) | (Filing::Detached, _) => {}
            (
                Filing::Archived,
                None
                | Some(PullState::Draft | PullState::Open | PullState::Closed | PullState::ReadOnly),
            ) => self.archived = Some(facts),
        }
    }
}

fn order(row: &Row) -> (&str, &str, i64, Option<ChangesetId>) {
    let id = row.rewiring.changeset();
    match &row.spec {
        ChangesetSpec::Branch(spec) => (spec.repo.as_str(), spec.head.as_str(), 0, id),
        ChangesetSpec::Existing { repo, number } => (repo.as_str(), "", number.0, id),
    }
}

/// What becomes of a wish.
fn meet(target: &Target, wish: &Wish, candidates: &Candidates<'_>) -> Row {
    let row = |rewiring, prospect| Row {
        rewiring,
        repo: wish.repo,
        spec: wish.spec.clone(),
        prospect,
        releases: None,
        spends: None,
    };
    if let Some(because) = &wish.reserved {
        return row(Rewiring::Reserved { wish: wish.id, because: because.clone() }, None);
    }
    // Nobody takes the branch from a live changeset that still has it.
    let holds = candidates.live.is_some_and(|facts| facts.hold == Hold::Held);
    let releases = match &wish.holder {
        Some(holder) if !holds && !is_over(holder.pull) => {
            return row(Rewiring::Taken { wish: wish.id, by: holder.campaign.clone() }, None);
        }
        Some(holder) if !holds => Some(holder.changeset),
        Some(_) | None => None,
    };
    let Some(facts) = candidates.live.or(candidates.archived) else {
        let spends = candidates.merged.map(|_| target.clone());
        let ours = if spends.is_some() { wish.ours.spent() } else { wish.ours.clone() };
        let create = row(Rewiring::Create { wish: wish.id }, Some(Prospect::new(wish, ours)));
        return Row { releases, spends, ..create };
    };
    let (changeset, wish_id) = (facts.id, wish.id);
    let rewiring = match facts.filing {
        Filing::Archived | Filing::Detached => Rewiring::Revive { changeset, wish: wish_id },
        Filing::Active if facts.spec == wish.spec => Rewiring::Keep { changeset, wish: wish_id },
        Filing::Active => Rewiring::Update { changeset, wish: wish_id },
    };
    Row { releases, ..row(rewiring, Some(Prospect::following(facts, wish))) }
}

/// What is over needs its branch no more.
fn is_over(pull: Option<PullState>) -> bool {
    match pull {
        Some(PullState::Merged | PullState::Deleted) => true,
        Some(PullState::Draft | PullState::Open | PullState::Closed | PullState::ReadOnly)
        | None => false,
    }
}

/// What becomes of a live changeset that no wish is about.
fn leave(facts: &Facts, outcomes: &Outcomes) -> Row {
    let changeset = facts.id;
    let (rewiring, intent) = match (unknown(facts, outcomes), may_be_ours(facts)) {
        (Some(reason), _) => (Rewiring::Hold { changeset, reason }, facts.desired.intent),
        (None, true) => (Rewiring::Archive { changeset }, Intent::Archive),
        (None, false) => (Rewiring::Detach { changeset }, Intent::Detach),
    };
    Row {
        rewiring,
        repo: facts.repo,
        spec: facts.spec.clone(),
        prospect: Some(Prospect::of(facts, intent)),
        releases: None,
        spends: None,
    }
}

/// Why it is not known whether the spec wants a changeset, if so.
fn unknown(facts: &Facts, outcomes: &Outcomes) -> Option<String> {
    match &facts.spec {
        // The spec itself names them; no step has to give them.
        ChangesetSpec::Existing { .. } => None,
        ChangesetSpec::Branch(spec) => match outcomes.verdict(facts.repo, &spec.repo, &spec.base) {
            Verdict::Kept { reason } => Some(reason.to_owned()),
            Verdict::Dropped => None,
        },
    }
}

/// Whether the campaign opened a pull request, or may have: then it has to close it.
fn may_be_ours(facts: &Facts) -> bool {
    match &facts.spec {
        ChangesetSpec::Existing { .. } => false,
        ChangesetSpec::Branch(_) => {
            facts.pull.is_some()
                || facts.ours != Ours::default()
                || facts.outstanding == Outstanding::Write
        }
    }
}
