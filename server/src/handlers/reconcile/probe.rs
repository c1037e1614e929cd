//! What became of a write whose answer was lost: the code host is asked before anything else.
//!
//! A reading that shows what was written settles it at once. One that does not is no answer
//! before [`SETTLE`]: the write may still be on its way.

use super::{Round, Step};
use crate::{
    code_host::{PullInfo, probe::Probe},
    jobs::{self, Finish},
    look,
    store::{
        changesets::{self, Record},
        effects::{self, Effect, Outcome},
        pulls,
    },
};
use diesel_async::AsyncConnection;
use drover::changeset::{Pull, PullState, plan::Operation, words::Words};
use serde_json::json;
use std::time::Duration;

/// How long a code host may need until its reads show what it wrote. Before that, "it is not
/// there" is no answer.
const SETTLE: Duration = Duration::from_secs(10);
/// The wait between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Round<'_> {
    pub(super) async fn probe(&mut self, effect: &Effect) -> anyhow::Result<Step> {
        let operation: Option<Operation> = request(effect, "operation");
        match (operation, self.number()) {
            (Some(operation @ (Operation::Publish | Operation::PublishDraft)), None) => {
                self.probe_publish(operation, effect).await
            }
            (operation, Some(number)) => match self.access.api.get_pull(&self.repo, number).await {
                Ok(info) => self.probed(operation, effect, &info).await,
                Err(error) => Ok(Step::Finish(self.refused(error).await?)),
            },
            (_, None) => self.resolve(effect, Outcome::Failed).await,
        }
    }

    /// Tells from a pull request whether an operation on it was done.
    async fn probed(
        &mut self,
        operation: Option<Operation>,
        effect: &Effect,
        info: &PullInfo,
    ) -> anyhow::Result<Step> {
        let words = request(effect, "words").unwrap_or_default();
        let stored = look::stored(self.facts.repo, info, None);
        let shows = operation.is_none_or(|it| shows(it, &words, &stored.pull));
        if !shows && self.is_fresh(effect) {
            return Ok(wait());
        }
        let outcome = if shows { Outcome::Done } else { Outcome::Failed };
        let mut conn = self.state.store.conn().await?;
        let (id, fence) = (self.facts.id, self.job.fence);
        conn.transaction(async |conn| {
            jobs::hold(conn, fence).await?;
            let pull = pulls::upsert(conn, &stored).await?;
            match (operation, outcome) {
                // What Drover intended is a fact that outlives the answer.
                (Some(Operation::Close), Outcome::Done)
                    if stored.pull.state == PullState::Closed =>
                {
                    pulls::mark_closed_by_drover(conn, pull).await?;
                }
                (Some(Operation::Reopen), Outcome::Done) => {
                    pulls::unmark_closing(conn, pull).await?;
                    changesets::record(conn, id, &Record::Reopened).await?;
                }
                (_, Outcome::Done | Outcome::Failed | Outcome::Unknown) => {}
            }
            let text = format!("looked again at pull request {}", info.pull.number);
            self.note(conn, &text, json!({ "operation": operation, "done": shows })).await
        })
        .await?;
        drop(conn);
        self.resolve(effect, outcome).await
    }

    async fn probe_publish(
        &mut self,
        operation: Operation,
        effect: &Effect,
    ) -> anyhow::Result<Step> {
        match self.look_for_pull().await {
            Ok(Probe::Found(info)) => {
                self.done(operation, effect.id, &info).await?;
                Ok(Step::Again)
            }
            Ok(Probe::Absent) if self.is_fresh(effect) => Ok(wait()),
            Ok(Probe::Absent | Probe::Foreign { .. }) => {
                self.resolve(effect, Outcome::Failed).await
            }
            Err(error) => Ok(Step::Finish(self.refused(error).await?)),
        }
    }

    fn is_fresh(&self, effect: &Effect) -> bool {
        crate::clock::now().since(effect.created_at) < SETTLE
    }

    async fn resolve(&self, effect: &Effect, outcome: Outcome) -> anyhow::Result<Step> {
        let mut conn = self.state.store.conn().await?;
        let detail = json!({ "probed": true });
        effects::finish(&mut conn, self.job.fence, effect.id, outcome, &detail).await?;
        Ok(Step::Again)
    }
}

fn wait() -> Step {
    Step::Finish(Finish::Snooze { delay: LOOK_AGAIN, waits_for: None })
}

fn request<T: serde::de::DeserializeOwned>(effect: &Effect, key: &str) -> Option<T> {
    effect.request.get(key).and_then(|it| serde_json::from_value(it.clone()).ok())
}

/// Whether a pull request looks as it does after an operation.
fn shows(operation: Operation, words: &Words, pull: &Pull) -> bool {
    let is_open = matches!(pull.state, PullState::Open | PullState::Draft);
    match operation {
        Operation::Close => !is_open,
        // What is over is not asked about again.
        Operation::Reopen => pull.state != PullState::Closed,
        Operation::MarkReady => pull.state != PullState::Draft,
        Operation::ConvertToDraft => pull.state != PullState::Open,
        Operation::Update => words.are_in(pull),
        Operation::Publish
        | Operation::PublishDraft
        | Operation::Import
        | Operation::Push
        | Operation::Archive
        | Operation::Detach
        | Operation::Renew
        | Operation::Sync => true,
    }
}
