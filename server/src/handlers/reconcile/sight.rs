//! The first act of a job: a look at what it is about. Nothing is written to the code host on
//! what was believed an hour ago.

use super::Round;
use crate::{
    code_host::{
        CodeHostError, PullInfo,
        look::{Part, Sight},
        probe::{Probe, probe},
    },
    handlers::retry,
    jobs::{self, Finish},
    look::{self, Target, Unseen},
    store::credentials,
};
use anyhow::Context;
use diesel_async::AsyncConnection;
use drover::{
    campaign::spec::query::Activity,
    changeset::{
        Filing, Intent, Observed, PullState,
        plan::Operation,
        push_target::{BranchFacts, NoTarget, Protection, PushTarget, TipOf},
        spec::{BranchSpec, ChangesetSpec},
    },
    names::{BranchName, PullNumber},
};

impl Round<'_> {
    /// Whether what is to be done concerns the database alone.
    pub(super) fn is_local(&self) -> bool {
        match (self.facts.desired.intent, self.facts.filing) {
            (Intent::Detach, _) | (Intent::Archive, Filing::Archived) => true,
            (Intent::Publish | Intent::Close, _)
            | (Intent::Archive, Filing::Active | Filing::Detached) => false,
        }
    }

    /// Looks, and writes down what is seen. Gives how the job ends when nothing can be planned on
    /// what was seen.
    pub(super) async fn look(&mut self) -> anyhow::Result<Option<Finish>> {
        let mut look = look::look(self.state, &[self.target()]).await?;
        let mut conn = self.state.store.conn().await?;
        let fence = self.job.fence;
        conn.transaction(async |conn| {
            jobs::hold(conn, fence).await?;
            look.record(conn).await.map(drop)
        })
        .await?;
        drop(conn);
        self.load_again().await?;
        let seen = look.seen.pop().context("a look gives an answer for each target")?;
        match seen.sight {
            Ok(sight) => self.saw(sight).await,
            Err(Unseen::NoAccess(error)) => {
                Ok(Some(retry::after(&retry::of_hosts(&error), self.job)))
            }
            Err(Unseen::CodeHost(error)) => self.refused(error).await.map(Some),
            Err(error @ Unseen::NoRepository) => Err(error.into()),
        }
    }

    fn target(&self) -> Target {
        let (head, base, tracked) = match &self.facts.spec {
            ChangesetSpec::Branch(spec) => (Some(spec.head.clone()), Some(spec.base.clone()), None),
            ChangesetSpec::Existing { number, .. } => (None, None, Some(*number)),
        };
        Target { repo: self.facts.repo, head, base, number: self.number().or(tracked) }
    }

    async fn saw(&mut self, sight: Sight) -> anyhow::Result<Option<Finish>> {
        self.repo = sight.repo.name.clone();
        let unknowns = [unknown(&sight.pull), unknown(&sight.head), unknown(&sight.open)];
        if let Some(error) = unknowns.into_iter().flatten().next() {
            return self.refused(error.clone()).await.map(Some);
        }
        if let (Part::Absent, Observed::Pull(pull)) = (&sight.pull, &self.facts.observed)
            && pull.state != PullState::Deleted
        {
            return Ok(Some(Finish::Fail { error: out_of_reach(pull.number) }));
        }
        if let (Some(info), None) = (self.lost_pull(&sight), self.facts.pull) {
            self.record_pull(&info, "found").await?;
            self.load_again().await?;
        }
        self.sight = Some(sight);
        Ok(None)
    }

    /// A pull request with our mark that an earlier attempt opened and did not record.
    fn lost_pull(&self, sight: &Sight) -> Option<PullInfo> {
        let (ChangesetSpec::Branch(spec), Part::Found(open)) = (&self.facts.spec, &sight.open)
        else {
            return None;
        };
        match probe(open, &spec.head, &spec.base, self.facts.id) {
            Probe::Found(info) => Some(*info),
            Probe::Absent | Probe::Foreign { .. } => None,
        }
    }

    /// How the job goes on after the code host refused or did not answer.
    pub(super) async fn refused(&self, error: CodeHostError) -> anyhow::Result<Finish> {
        let mut conn = self.state.store.conn().await?;
        if let CodeHostError::RateLimited { until, .. } = &error {
            credentials::pause(&mut conn, self.access.credential, *until).await?;
        }
        if let CodeHostError::Unauthorized { .. } = &error {
            credentials::mark_refused(&mut conn, self.access.credential).await?;
            return Ok(retry::waits_for_credential());
        }
        Ok(retry::after(&retry::of_code_host(error), self.job))
    }

    /// What the repository is archived for ends here, as nothing can be written to it.
    pub(super) fn is_read_only(&self, operation: Operation) -> bool {
        let is_archived =
            self.sight.as_ref().is_some_and(|it| it.repo.activity == Activity::Archived);
        let is_write = match operation {
            Operation::Archive
            | Operation::Detach
            | Operation::Import
            | Operation::Renew
            | Operation::Sync => false,
            Operation::Push
            | Operation::Publish
            | Operation::PublishDraft
            | Operation::Close
            | Operation::Reopen
            | Operation::MarkReady
            | Operation::ConvertToDraft
            | Operation::Update => true,
        };
        is_archived && is_write
    }

    /// The branch as a target of a push, if it is nobody's, by what this job has read.
    pub(super) fn push_target(
        &self,
        spec: &BranchSpec,
        bases: &[BranchName],
    ) -> anyhow::Result<Result<PushTarget, NoTarget>> {
        let sight = self.sight.as_ref().context("a push comes after a look")?;
        let tip = sight.head.found();
        let is_somebodys = tip.is_some_and(|tip| self.facts.ours.find(&tip.commit).is_none());
        Ok(PushTarget::check(
            &spec.head,
            &BranchFacts {
                default_branch: sight.repo.default_branch.as_ref(),
                base: &spec.base,
                bases,
                protection: tip.map_or(Protection::Open, |tip| tip.protection),
                tip: if is_somebodys { TipOf::Somebody } else { TipOf::NobodyElse },
            },
        ))
    }
}

fn unknown<T>(part: &Part<T>) -> Option<&CodeHostError> {
    match part {
        Part::Unknown(error) => Some(error),
        Part::NotAsked | Part::Found(_) | Part::Absent => None,
    }
}

fn out_of_reach(number: PullNumber) -> String {
    format!(
        "the code host does not show pull request {number} any more: it is gone, or Drover's token \
         may not see it; nothing is done about it, and Drover looks again by itself"
    )
}
