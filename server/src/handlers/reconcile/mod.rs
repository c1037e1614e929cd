//! Moves one pull request towards what is desired.
//!
//! - [`push`]: a diff becomes a commit on a branch
//! - [`mod@write`]: one write to the code host, by the effect protocol
//! - [`probe`]: what became of a write whose answer was lost
//!
//! In rounds: load the facts, plan, perform the first operation, record what was seen, and plan
//! again. A crash at any point is just "plan again". Nothing new is sent for a changeset while
//! the outcome of an earlier write is not known.

mod probe;
mod push;
mod write;

use super::retry;
use crate::{
    hosts::Access,
    jobs::{self, ClaimedJob, Finish},
    state::AppState,
    store::{
        Conn, StoreError, branches,
        changesets::{self, Facts, Record},
        effects, pulls, repositories,
        timeline::{self, NewEvent},
    },
};
use diesel_async::AsyncConnection;
use drover::{
    changeset::{
        Observed, PullState, Reopen,
        plan::{Note, Operation, Plan, plan},
        spec::ChangesetSpec,
    },
    id::ChangesetId,
    names::{PullNumber, RepoName},
};
use serde_json::json;

/// The rounds of one job: every changeset is at rest after fewer, unless others keep changing it.
const ROUNDS_MAX: u32 = 12;

/// One changeset with all that a round needs.
pub(super) struct Round<'a> {
    state: &'a AppState,
    job: &'a ClaimedJob,
    facts: Facts,
    repo: RepoName,
    access: Access,
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
    for _ in 0..ROUNDS_MAX {
        match round.run().await? {
            Step::Again => round.look_again().await?,
            Step::Finish(finish) => return Ok(finish),
        }
    }
    let error = format!("not at rest after {ROUNDS_MAX} rounds");
    Ok(Finish::Retry { delay: std::time::Duration::from_secs(60), error })
}

impl<'a> Round<'a> {
    async fn load(
        state: &'a AppState,
        job: &'a ClaimedJob,
        id: ChangesetId,
    ) -> anyhow::Result<Result<Self, Finish>> {
        let mut conn = state.store.conn().await?;
        let facts = changesets::load(&mut conn, id).await?;
        let repo = repositories::load(&mut conn, facts.repo).await?;
        Ok(match state.hosts.open(&mut conn, repo.code_host).await {
            Ok(access) => Ok(Self { state, job, facts, repo: repo.name, access }),
            Err(error) => Err(retry::after(&retry::of_hosts(&error), job)),
        })
    }

    async fn look_again(&mut self) -> Result<(), StoreError> {
        let mut conn = self.state.store.conn().await?;
        self.facts = changesets::load(&mut conn, self.facts.id).await?;
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
            let record = Record::Reached(Some(self.facts.spec_id));
            changesets::record(&mut conn, self.facts.id, &record).await?;
        }
        drop(conn);
        match plan.operations.first() {
            None => Ok(Step::Finish(match plan.drift() {
                Some(head) => {
                    Finish::Drift { error: Note::Drift { head: head.clone() }.to_string() }
                }
                None => Finish::Done,
            })),
            Some(operation) => self.perform(*operation, &plan).await,
        }
    }

    /// What the tip of the branch tells about a push whose end was not seen.
    async fn learn(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let head = match &self.facts.observed {
            Observed::Unpublished { head } => head.as_ref(),
            Observed::Pull(pull) => Some(&pull.head),
        };
        let arrived = self.facts.ours.attempted.take_if(|it| head == Some(&it.commit));
        if let (Some(arrived), ChangesetSpec::Branch(spec)) = (arrived, &self.facts.spec) {
            branches::record_pushed(conn, self.facts.repo, &spec.head, &arrived).await?;
            self.facts.ours.pushed = Some(arrived);
        }
        if let Observed::Pull(pull) = &self.facts.observed
            && pull.state == PullState::Open
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

    /// Reads a pull request that the campaign tracks.
    async fn import(&mut self) -> anyhow::Result<Step> {
        let ChangesetSpec::Existing { number, .. } = self.facts.spec else {
            anyhow::bail!("only tracked pull requests are imported")
        };
        match self.access.api.get_pull(&self.repo, number).await {
            Ok(info) => {
                self.record_pull(&info, "found").await?;
                Ok(Step::Again)
            }
            Err(error) => Ok(self.failed(retry::of_code_host(error))),
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
