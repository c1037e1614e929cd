//! A diff becomes a commit on a branch, if the branch still stands where it is expected.

use super::{Round, Step};
use crate::{
    git::{
        commit::CommitRequest,
        error::GitError,
        mirror::Mirror,
        patch::Diff,
        push::{Expected, PushOutcome},
    },
    handlers::retry,
    jobs,
    store::{branches, changeset_specs, pulls},
};
use diesel_async::AsyncConnection;
use drover::{
    campaign::spec::{AUTHOR_EMAIL_DEFAULT, AUTHOR_NAME_DEFAULT},
    changeset::{
        Pushed,
        plan::{Lease, Plan},
        spec::{Author, BranchSpec, ChangesetSpec},
        sync::AFTER_WRITE,
    },
    names::CommitSha,
};
use serde_json::json;

impl Round<'_> {
    pub(super) async fn push(&mut self, plan: &Plan) -> anyhow::Result<Step> {
        let ChangesetSpec::Branch(spec) = self.facts.spec.clone() else {
            anyhow::bail!("only branches of the campaign are pushed")
        };
        let expected = match &plan.lease {
            Some(Lease::Absent) => Expected::Absent,
            Some(Lease::At(commit)) => Expected::At(commit.clone()),
            None => anyhow::bail!("a push was planned without a lease"),
        };
        let mirror = match self.state.mirrors.open(self.access.remote(&self.repo)).await {
            Ok(mirror) => mirror,
            Err(error) => return Ok(self.failed(retry::of_git(&error))),
        };
        let commit = match self.commit(&mirror, &spec).await? {
            Ok(commit) => commit,
            Err(error) => return Ok(self.failed(retry::of_git(&error))),
        };
        let push = Pushed { commit, content: spec.content() };
        let mut conn = self.state.store.conn().await?;
        let (repo, fence) = (self.facts.repo, self.job.fence);
        conn.transaction(async |conn| {
            jobs::hold(conn, fence).await?;
            branches::record_attempt(conn, repo, &spec.head, &push).await
        })
        .await?;
        drop(conn);
        match mirror.push(&push.commit, &spec.head, &expected).await {
            Ok(PushOutcome::Pushed | PushOutcome::AlreadyThere) => {
                self.pushed(&spec, &push).await?;
                Ok(Step::Again)
            }
            Ok(PushOutcome::LeaseLost { at }) => {
                self.head_moved(&spec, at.as_ref()).await?;
                Ok(Step::Again)
            }
            // Repeated, it is found at the tip: the same wish makes the same commit.
            Err(error) => Ok(self.failed(retry::of_git(&error))),
        }
    }

    /// The same wish makes the same commit, however often it is tried.
    async fn commit(
        &self,
        mirror: &Mirror,
        spec: &BranchSpec,
    ) -> anyhow::Result<Result<CommitSha, GitError>> {
        let mut conn = self.state.store.conn().await?;
        let (text, at) = changeset_specs::load_dated_diff(&mut conn, self.facts.spec_id).await?;
        drop(conn);
        let made = async {
            let diff = Diff::parse(text)?.ok_or_else(|| GitError::DoesNotApply {
                detail: "the stored diff is empty".to_owned(),
            })?;
            mirror.ensure_commit(&spec.base_commit).await?;
            let committer = Author {
                name: AUTHOR_NAME_DEFAULT.to_owned(),
                email: AUTHOR_EMAIL_DEFAULT.to_owned(),
            };
            let request = CommitRequest {
                base: &spec.base_commit,
                diff: &diff,
                message: &spec.commit.message,
                author: &spec.commit.author,
                committer: &committer,
                at,
            };
            mirror.commit(&request).await
        };
        Ok(made.await)
    }

    async fn pushed(&self, spec: &BranchSpec, push: &Pushed) -> anyhow::Result<()> {
        let mut conn = self.state.store.conn().await?;
        let (repo, fence) = (self.facts.repo, self.job.fence);
        let known = match self.facts.pull {
            Some(pull) => Some(pulls::load(&mut conn, pull).await?),
            None => None,
        };
        conn.transaction(async |conn| {
            jobs::hold(conn, fence).await?;
            branches::record_pushed(conn, repo, &spec.head, push).await?;
            if let Some(mut pull) = known {
                // The code host needs a moment to notice; what it will say is known.
                pull.seen.pull.head = push.commit.clone();
                pull.seen.next_sync_at = Some(crate::clock::now() + AFTER_WRITE);
                pulls::upsert(conn, &pull.seen).await?;
            }
            let text = format!("pushed {} to `{}`", push.commit.short(), spec.head);
            self.note(conn, &text, json!({ "commit": push.commit })).await
        })
        .await?;
        Ok(())
    }

    /// Somebody's commit is at the tip, or the branch is gone.
    async fn head_moved(&self, spec: &BranchSpec, at: Option<&CommitSha>) -> anyhow::Result<()> {
        let mut conn = self.state.store.conn().await?;
        let (repo, fence) = (self.facts.repo, self.job.fence);
        let known = match self.facts.pull {
            Some(pull) => Some(pulls::load(&mut conn, pull).await?),
            None => None,
        };
        conn.transaction(async |conn| {
            jobs::hold(conn, fence).await?;
            branches::record_head(conn, repo, &spec.head, at).await?;
            if let (Some(mut pull), Some(at)) = (known, at) {
                pull.seen.pull.head = at.clone();
                pulls::upsert(conn, &pull.seen).await?;
            }
            let text = match at {
                Some(at) => format!("found `{}` at {}, not where expected", spec.head, at.short()),
                None => format!("found no branch `{}`", spec.head),
            };
            self.note(conn, &text, json!({ "commit": at })).await
        })
        .await?;
        Ok(())
    }
}
