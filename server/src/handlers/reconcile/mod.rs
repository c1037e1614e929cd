//! Moves one pull request towards what is desired.
//!
//! - [`sight`]: the first act of a job, a look at what it is about
//! - [`push`]: a diff becomes a commit on a branch
//! - [`mod@write`]: one write to the code host, by the effect protocol
//! - [`probe`]: what became of a write whose answer was lost
//!
//! Look, and then in rounds: load the facts, plan, perform the first operation, record what was
//! seen, and plan again. A crash at any point is just "plan again". Nothing new is sent for a
//! changeset while the outcome of an earlier write is not known, and no operation is performed
//! twice on the same facts: a round that changed nothing says why instead of being repeated.

mod probe;
mod push;
mod sight;
mod write;

use super::retry;
use crate::{
    code_host::look::Sight,
    hosts::Access,
    jobs::{self, ClaimedJob, Finish},
    state::AppState,
    store::{
        Conn, StoreError, branches,
        changesets::{self, Facts, Record},
        credentials, effects, pulls, repositories,
        timeline::{self, NewEvent},
    },
};
use diesel_async::AsyncConnection;
use drover::{
    changeset::{
        Observed, Ours, PullState, Pushed, Reopen,
        plan::{Lease, Note, Operation, Plan, plan},
        spec::ChangesetSpec,
        words,
    },
    id::ChangesetId,
    names::{PullNumber, RepoName},
};
use serde_json::json;

/// The rounds of one job: every changeset is at rest after fewer, unless others keep changing it.
const ROUNDS_MAX: u32 = 12;
/// The wait until a changeset is taken up again that others kept changing.
const CROWDED_WAIT: std::time::Duration = std::time::Duration::from_secs(60);

/// One changeset with all that a round needs.
pub(super) struct Round<'a> {
    state: &'a AppState,
    job: &'a ClaimedJob,
    facts: Facts,
    repo: RepoName,
    access: Access,
    /// What this job has read last.
    sight: Option<Sight>,
    /// The operation that was performed last, and the facts that it was planned from.
    performed: Option<Performed>,
    /// Why the operation that was performed last did not come about, where it says so.
    obstacle: Option<String>,
}

#[derive(PartialEq, Eq)]
struct Performed {
    operation: Operation,
    lease: Option<Lease>,
    observed: Observed,
    pushed: Option<Pushed>,
}

/// How a round ended.
pub(super) enum Step {
    /// Something is other than before: plan again.
    Again,
    Finish(Finish),
}

pub(super) async fn reconcile(
    state: &AppState,
    job: &ClaimedJob,
    id: ChangesetId,
) -> anyhow::Result<Finish> {
    let mut round = match Round::load(state, job, id).await? {
        Ok(round) => round,
        Err(finish) => return Ok(finish),
    };
    if !round.is_local()
        && let Some(finish) = round.look().await?
    {
        return Ok(finish);
    }
    for _ in 0..ROUNDS_MAX {
        match round.run().await? {
            Step::Again => round.load_again().await?,
            Step::Finish(finish) => return Ok(finish),
        }
    }
    let error = "others keep changing the branch or the pull request while Drover works on it";
    Ok(Finish::Retry { delay: CROWDED_WAIT, error: error.to_owned() })
}

impl<'a> Round<'a> {
    async fn load(
        state: &'a AppState,
        job: &'a ClaimedJob,
        id: ChangesetId,
    ) -> anyhow::Result<Result<Self, Finish>> {
        let mut conn = state.store.conn().await?;
        let facts = load_facts(&mut conn, id).await?;
        let repo = repositories::load(&mut conn, facts.repo).await?;
        let access = match state.hosts.open(&mut conn, repo.code_host).await {
            Ok(access) => access,
            Err(error) => return Ok(Err(retry::after(&retry::of_hosts(&error), job))),
        };
        if credentials::refused_at(&mut conn, access.credential).await?.is_some() {
            return Ok(Err(retry::waits_for_credential()));
        }
        let (sight, performed, obstacle) = (None, None, None);
        let repo = repo.name;
        Ok(Ok(Self { state, job, facts, repo, access, sight, performed, obstacle }))
    }

    async fn load_again(&mut self) -> Result<(), StoreError> {
        let mut conn = self.state.store.conn().await?;
        self.facts = load_facts(&mut conn, self.facts.id).await?;
        Ok(())
    }

    async fn run(&mut self) -> anyhow::Result<Step> {
        let mut conn = self.state.store.conn().await?;
        if let Some(effect) = effects::find_unresolved(&mut conn, self.facts.id).await? {
            drop(conn);
            return self.probe(&effect).await;
        }
        self.learn(&mut conn).await?;
        let plan = plan(&self.facts.input(self.access.api.capabilities()));
        if plan.reached && self.facts.previous.as_ref() != Some(&self.facts.spec) {
            let record = Record::Reached(self.facts.spec_id);
            changesets::record(&mut conn, self.facts.id, &record).await?;
        }
        drop(conn);
        let Some(operation) = plan.operations.first().copied() else {
            return Ok(Step::Finish(match plan.drift() {
                Some(head) => {
                    Finish::Drift { error: Note::Drift { head: head.clone() }.to_string() }
                }
                None => Finish::Done,
            }));
        };
        if self.is_read_only(operation) {
            // The status says so, at each apply anew and without an error.
            return Ok(Step::Finish(Finish::Done));
        }
        if let Some(finish) = self.stands_still(operation, &plan) {
            return Ok(Step::Finish(finish));
        }
        self.perform(operation, &plan).await
    }

    /// The same operation on the same facts would give the same end once more.
    fn stands_still(&mut self, operation: Operation, plan: &Plan) -> Option<Finish> {
        let (observed, pushed) = (self.facts.observed.clone(), self.facts.ours.pushed.clone());
        let now = Performed { operation, lease: plan.lease.clone(), observed, pushed };
        if self.performed.as_ref() != Some(&now) {
            self.performed = Some(now);
            return None;
        }
        let error = self.obstacle.take().unwrap_or_else(|| {
            format!(
                "`{}` changed nothing on the code host; look there, then retry",
                operation.label()
            )
        });
        Some(Finish::Fail { error })
    }

    /// What the tip of the branch tells about pushes whose ends were not seen.
    async fn learn(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let head = match &self.facts.observed {
            Observed::Unpublished { head } => head.as_ref(),
            Observed::Pull(pull) => Some(&pull.head),
        };
        let arrived = head.and_then(|head| self.facts.ours.arrived(head)).cloned();
        if let (Some(arrived), ChangesetSpec::Branch(spec)) = (arrived, &self.facts.spec) {
            branches::record_pushed(conn, self.facts.repo, &spec.head, &arrived).await?;
            self.facts.ours = Ours { pushed: Some(arrived), attempted: Vec::new() };
        }
        if let Observed::Pull(pull) = &self.facts.observed
            && matches!(pull.state, PullState::Open | PullState::Draft)
            && self.facts.desired.reopen == Reopen::Asked
        {
            changesets::record(conn, self.facts.id, &Record::Reopened).await?;
            self.facts.desired.reopen = Reopen::NotAsked;
        }
        Ok(())
    }

    async fn perform(&mut self, operation: Operation, plan: &Plan) -> anyhow::Result<Step> {
        match operation {
            Operation::Push => self.push(plan).await,
            Operation::Import => self.import().await,
            Operation::Sync => self.sync_soon().await,
            Operation::Renew => self.put_aside(Record::Renewed, "started anew").await,
            Operation::Archive => self.put_aside(Record::Archived, "archived").await,
            Operation::Detach => self.put_aside(Record::Detached, "detached").await,
            Operation::Publish
            | Operation::PublishDraft
            | Operation::Close
            | Operation::Reopen
            | Operation::MarkReady
            | Operation::ConvertToDraft
            | Operation::Update => self.write(operation).await,
        }
    }

    /// Takes up a pull request that the campaign tracks: the look has read it.
    async fn import(&mut self) -> anyhow::Result<Step> {
        let ChangesetSpec::Existing { number, .. } = self.facts.spec else {
            anyhow::bail!("only tracked pull requests are imported")
        };
        match self.sight.as_ref().and_then(|sight| sight.pull.found()).cloned() {
            Some(info) => {
                self.record_pull(&info, "found").await?;
                Ok(Step::Again)
            }
            None => {
                let what = format!("pull request {number} in `{}`", self.repo);
                Ok(self.failed(drover::changeset::retry::Failure::NotFound { what }))
            }
        }
    }

    async fn sync_soon(&mut self) -> anyhow::Result<Step> {
        let mut conn = self.state.store.conn().await?;
        if let Some(number) = self.number() {
            pulls::make_due(&mut conn, self.facts.repo, &[number]).await?;
        }
        Ok(Step::Finish(Finish::Done))
    }

    async fn put_aside(&mut self, record: Record, word: &str) -> anyhow::Result<Step> {
        let mut conn = self.state.store.conn().await?;
        let (id, fence) = (self.facts.id, self.job.fence);
        conn.transaction(async |conn| {
            jobs::hold(conn, fence).await?;
            changesets::record(conn, id, &record).await?;
            self.note(conn, word, json!({})).await
        })
        .await?;
        Ok(Step::Again)
    }

    fn number(&self) -> Option<PullNumber> {
        match &self.facts.observed {
            Observed::Pull(pull) => Some(pull.number),
            Observed::Unpublished { .. } => None,
        }
    }

    /// How the job goes on after a failure.
    fn failed(&self, failure: drover::changeset::retry::Failure) -> Step {
        Step::Finish(retry::after(&failure, self.job))
    }

    /// A line of the timeline: Drover did this.
    async fn note(
        &self,
        conn: &mut Conn,
        text: &str,
        detail: serde_json::Value,
    ) -> Result<(), StoreError> {
        let (campaign, changeset) = (self.facts.campaign, Some(self.facts.id));
        timeline::insert(conn, NewEvent { actor: None, campaign, changeset, text, detail }).await
    }
}

/// Loads the facts. Words that Drover sent since the wish was in place last count as in place
/// where the code host has them, and not as a person's.
async fn load_facts(conn: &mut Conn, id: ChangesetId) -> Result<Facts, StoreError> {
    let mut facts = changesets::load(conn, id).await?;
    if let (Some(ChangesetSpec::Branch(previous)), Observed::Pull(pull)) =
        (&mut facts.previous, &facts.observed)
    {
        let sent = effects::list_sent_words(conn, id).await?;
        *previous = words::in_place(previous, &sent, pull);
    }
    Ok(facts)
}
