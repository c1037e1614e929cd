//! One write to the code host, by the effect protocol: budget, intent, one request, record.

use super::{Round, Step};
use crate::{
    code_host::{
        CodeHostError, NewPull, PullChange, PullInfo, Readiness, Rejection,
        probe::{Probe, probe},
    },
    handlers::retry,
    jobs::{self, Finish},
    look,
    store::{
        StoreError,
        budgets::{self, Spend},
        changesets::{self, Record},
        effects::{self, Begin, EffectId, Outcome},
        pulls,
    },
};
use diesel_async::AsyncConnection;
use drover::{
    changeset::{
        Observed, marker,
        plan::Operation,
        spec::{BranchSpec, ChangesetSpec},
        words::{self, Words},
    },
    names::PullNumber,
};
use serde_json::{Value, json};
use std::time::Duration;

/// A wait for the budget that is this short is waited out here; a longer one gives the worker
/// to others.
const WAIT_HERE_MAX: Duration = Duration::from_secs(2);

impl Round<'_> {
    pub(super) async fn write(&mut self, operation: Operation) -> anyhow::Result<Step> {
        if let Some(finish) = self.spend().await? {
            return Ok(Step::Finish(finish));
        }
        let mut conn = self.state.store.conn().await?;
        let words = (operation == Operation::Update).then(|| self.words());
        let mut request = json!({ "operation": operation, "pull": self.number() });
        if let Some(words) = &words {
            request["words"] = json!(words);
        }
        let kind = operation.label();
        let begun = conn
            .transaction(async |conn| {
                // What Drover intends is on record before it is sent.
                if let (Operation::Close, Some(pull)) = (operation, self.facts.pull) {
                    pulls::mark_closing(conn, pull).await?;
                }
                effects::begin(conn, self.job, self.facts.id, kind, &request).await
            })
            .await?;
        drop(conn);
        let effect = match begun {
            Begin::Intended(effect) => effect,
            Begin::Unresolved(effect) => {
                // Nothing was sent, so the same may be planned again.
                self.performed = None;
                return self.probe(&effect).await;
            }
        };
        match self.send(operation, words.unwrap_or_default()).await {
            Ok(info) => {
                self.done(operation, effect, &info).await?;
                Ok(Step::Again)
            }
            Err(error) => self.not_done(operation, effect, error).await,
        }
    }

    /// The words that the spec changed since it was in place last, and no others.
    fn words(&self) -> Words {
        match (&self.facts.previous, &self.facts.spec, &self.facts.observed) {
            (previous, ChangesetSpec::Branch(spec), Observed::Pull(pull)) => {
                let previous = match previous {
                    Some(ChangesetSpec::Branch(previous)) => Some(previous),
                    Some(ChangesetSpec::Existing { .. }) | None => None,
                };
                words::missing(previous, spec, pull)
            }
            (_, ChangesetSpec::Existing { .. }, _) | (_, _, Observed::Unpublished { .. }) => {
                Words::default()
            }
        }
    }

    /// Counts the write, or says when to come back.
    async fn spend(&self) -> anyhow::Result<Option<Finish>> {
        let (credential, limits) = (self.access.credential, self.access.host.limits);
        loop {
            let mut conn = self.state.store.conn().await?;
            let spend = budgets::spend_write(&mut conn, credential, limits).await?;
            drop(conn);
            let Spend::WaitUntil(at) = spend else { return Ok(None) };
            let now = crate::clock::now();
            let wait = at.since(now);
            if wait > WAIT_HERE_MAX {
                return Ok(Some(retry::snooze_until(at, now)));
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn send(&self, operation: Operation, words: Words) -> Result<PullInfo, CodeHostError> {
        let (api, repo) = (&self.access.api, &self.repo);
        match (operation, self.number(), &self.facts.spec) {
            (Operation::Publish, _, ChangesetSpec::Branch(spec)) => {
                api.create_pull(&self.new_pull(spec, Readiness::Ready)).await
            }
            (Operation::PublishDraft, _, ChangesetSpec::Branch(spec)) => {
                api.create_pull(&self.new_pull(spec, Readiness::Draft)).await
            }
            (Operation::Update, Some(number), ChangesetSpec::Branch(_)) => {
                api.update_pull(repo, number, &self.change(words)).await
            }
            (Operation::Close, Some(number), _) => api.close_pull(repo, number).await,
            (Operation::Reopen, Some(number), _) => api.reopen_pull(repo, number).await,
            (Operation::MarkReady, Some(number), _) => api.mark_ready(repo, number).await,
            (Operation::ConvertToDraft, Some(number), _) => {
                api.convert_to_draft(repo, number).await
            }
            (operation, _, _) => Err(CodeHostError::Rejected {
                reason: Rejection::Validation,
                message: format!("{operation:?} was planned for what it does not fit"),
            }),
        }
    }

    fn new_pull(&self, spec: &BranchSpec, readiness: Readiness) -> NewPull {
        NewPull {
            repo: self.repo.clone(),
            head: spec.head.clone(),
            base: spec.base.clone(),
            title: spec.title.clone(),
            body: marker::mark(&spec.body, self.facts.id),
            readiness,
        }
    }

    fn change(&self, words: Words) -> PullChange {
        let Words { title, body, base } = words;
        PullChange { title, body: body.map(|body| marker::mark(&body, self.facts.id)), base }
    }

    /// Records that it was done, with what the code host has now.
    pub(super) async fn done(
        &self,
        operation: Operation,
        effect: EffectId,
        info: &PullInfo,
    ) -> anyhow::Result<()> {
        let mut conn = self.state.store.conn().await?;
        let (id, fence) = (self.facts.id, self.job.fence);
        let stored = look::stored(self.facts.repo, info, Some(crate::clock::now()));
        conn.transaction(async |conn| {
            effects::finish(conn, fence, effect, Outcome::Done, &json!({ "url": info.url }))
                .await?;
            let pull = pulls::upsert(conn, &stored).await?;
            changesets::record(conn, id, &Record::Pull(pull)).await?;
            match operation {
                Operation::Close => pulls::mark_closed_by_drover(conn, pull).await?,
                Operation::Reopen => {
                    pulls::unmark_closing(conn, pull).await?;
                    changesets::record(conn, id, &Record::Reopened).await?;
                }
                Operation::Publish
                | Operation::PublishDraft
                | Operation::MarkReady
                | Operation::ConvertToDraft
                | Operation::Update
                | Operation::Import
                | Operation::Push
                | Operation::Archive
                | Operation::Detach
                | Operation::Renew
                | Operation::Sync => {}
            }
            let text = past(operation, info.pull.number);
            self.note(conn, &text, json!({ "url": info.url })).await
        })
        .await?;
        Ok(())
    }

    async fn not_done(
        &mut self,
        operation: Operation,
        effect: EffectId,
        error: CodeHostError,
    ) -> anyhow::Result<Step> {
        let outcome = match &error {
            CodeHostError::UnknownOutcome { .. } => Outcome::Unknown,
            CodeHostError::NotFound { .. }
            | CodeHostError::Unauthorized { .. }
            | CodeHostError::Forbidden { .. }
            | CodeHostError::Rejected { .. }
            | CodeHostError::RateLimited { .. }
            | CodeHostError::Unavailable { .. } => Outcome::Failed,
        };
        let mut conn = self.state.store.conn().await?;
        let detail = json!({ "error": error.to_string() });
        conn.transaction(async |conn| {
            if let (Operation::Close, Outcome::Failed, Some(pull)) =
                (operation, outcome, self.facts.pull)
            {
                pulls::unmark_closing(conn, pull).await?;
            }
            effects::finish(conn, self.job.fence, effect, outcome, &detail).await
        })
        .await?;
        drop(conn);
        let exists =
            matches!(&error, CodeHostError::Rejected { reason: Rejection::AlreadyExists, .. });
        if exists {
            return self.adopt().await;
        }
        let refused = matches!(
            (operation, &error, self.facts.pull),
            (Operation::Reopen, CodeHostError::Rejected { .. }, Some(_))
        );
        if refused && let Some(pull) = self.facts.pull {
            // The branch was replaced or deleted while it was closed: a new one takes its place.
            let mut conn = self.state.store.conn().await?;
            pulls::mark_reopen_refused(&mut conn, pull).await?;
            return Ok(Step::Again);
        }
        Ok(Step::Finish(self.refused(error).await?))
    }

    /// The code host says that there is a pull request already: is it ours?
    async fn adopt(&mut self) -> anyhow::Result<Step> {
        match self.look_for_pull().await {
            Ok(Probe::Found(info)) => {
                self.record_pull(&info, "found").await?;
                Ok(Step::Again)
            }
            Ok(Probe::Foreign { number }) => Ok(Step::Finish(Finish::Fail {
                error: format!(
                    "pull request {number} from the same branch is open already, and Drover did \
                     not make it: close it, or give the campaign another branch"
                ),
            })),
            Ok(Probe::Absent) => {
                let reason = "the code host says that there is a pull request and shows none";
                let failure =
                    drover::changeset::retry::Failure::Unavailable { reason: reason.to_owned() };
                Ok(self.failed(failure))
            }
            Err(error) => Ok(Step::Finish(self.refused(error).await?)),
        }
    }

    /// Looks for our pull request by its branch and mark, in whatever state it is.
    pub(super) async fn look_for_pull(&self) -> Result<Probe, CodeHostError> {
        let ChangesetSpec::Branch(spec) = &self.facts.spec else { return Ok(Probe::Absent) };
        let pulls =
            self.access.api.find_pull_by_head(&self.repo, self.repo.owner(), &spec.head).await?;
        Ok(probe(&pulls, &spec.head, &spec.base, self.facts.id))
    }

    /// Stores a pull request that was read, as this changeset's.
    pub(super) async fn record_pull(&self, info: &PullInfo, word: &str) -> anyhow::Result<()> {
        let mut conn = self.state.store.conn().await?;
        let stored = look::stored(self.facts.repo, info, None);
        let (id, fence) = (self.facts.id, self.job.fence);
        conn.transaction(async |conn| {
            jobs::hold(conn, fence).await?;
            let pull = pulls::upsert(conn, &stored).await?;
            changesets::record(conn, id, &Record::Pull(pull)).await?;
            let text = format!("{word} pull request {}", info.pull.number);
            self.note(conn, &text, Value::Null).await
        })
        .await
        .map_err(|error: StoreError| error.into())
    }
}

/// What was done, in words.
fn past(operation: Operation, number: PullNumber) -> String {
    let what = match operation {
        Operation::Publish => "opened",
        Operation::PublishDraft => "opened the draft",
        Operation::Close => "closed",
        Operation::Reopen => "reopened",
        Operation::MarkReady => "marked ready:",
        Operation::ConvertToDraft => "made a draft of",
        Operation::Update => "updated",
        Operation::Import | Operation::Sync => "read",
        Operation::Push => "pushed to",
        Operation::Renew => "left behind",
        Operation::Archive => "archived",
        Operation::Detach => "detached",
    };
    format!("{what} pull request {number}")
}
