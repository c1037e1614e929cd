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
    jobs::{self, Finish},
    store::{
        branches::{self, SeenBranch},
        changeset_specs, pulls,
    },
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
    names::{BranchName, CommitSha},
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
        let mut conn = self.state.store.conn().await?;
        let bases = branches::list_bases(&mut conn, self.facts.repo).await?;
        drop(conn);
        let target = match self.push_target(&spec, &bases)? {
            Ok(target) => target,
            Err(refusal) => {
                return Ok(Step::Finish(Finish::Fail { error: refusal.to_string() }));
            }
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
        match mirror.push(&push.commit, &target, &expected).await {
            Ok(PushOutcome::Pushed | PushOutcome::AlreadyThere) => {
                self.pushed(&spec, &push).await?;
                Ok(Step::Again)
            }
            Ok(PushOutcome::LeaseLost { at }) => {
                self.head_moved(&spec, at.as_ref()).await?;
                self.obstacle = Some(match at {
                    Some(_) => format!("the branch `{}` moved while Drover pushed", spec.head),
                    None => deleted(&spec.head),
                });
                // Deleted or moved by somebody: what became of the pull request is read.
                Ok(self.look().await?.map_or(Step::Again, Step::Finish))
            }
            Ok(PushOutcome::Blocked { by }) => {
                Ok(Step::Finish(Finish::Fail { error: blocked(&spec.head, &by) }))
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
        let fence = self.job.fence;
        let seen =
            [SeenBranch { repo: self.facts.repo, name: spec.head.clone(), head: at.cloned() }];
        conn.transaction(async |conn| {
            jobs::hold(conn, fence).await?;
            branches::record_heads(conn, &seen).await?;
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

fn deleted(head: &BranchName) -> String {
    format!(
        "somebody deleted the branch `{head}` of the pull request: restore it on the code host and \
         retry, or close the pull request"
    )
}

fn blocked(head: &BranchName, by: &BranchName) -> String {
    format!(
        "the branch `{by}` is in the way: git cannot keep `{by}` and `{head}` at once; delete or \
         rename `{by}` and retry, or give the campaign another branch"
    )
}
