//! What became of a write whose answer was lost: the code host is asked before anything else.

use super::{Round, Step};
use crate::{
    code_host::probe::Probe,
    handlers::retry,
    jobs::Finish,
    store::effects::{self, Effect, Outcome},
};
use drover::changeset::plan::Operation;
use serde_json::json;
use std::time::Duration;

/// How long a code host may need until its reads show what it wrote. Before that, "it is not
/// there" is no answer.
const SETTLE: Duration = Duration::from_secs(10);
/// The wait between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Round<'_> {
    pub(super) async fn probe(&mut self, effect: &Effect) -> anyhow::Result<Step> {
        let operation: Option<Operation> =
            effect.request.get("operation").and_then(|it| serde_json::from_value(it.clone()).ok());
        match (operation, self.number()) {
            (Some(operation @ (Operation::Publish | Operation::PublishDraft)), None) => {
                self.probe_publish(operation, effect).await
            }
            (_, Some(number)) => match self.access.api.get_pull(&self.repo, number).await {
                // Whatever was written last, this is how it stands: plan again from it.
                Ok(info) => {
                    self.record_pull(&info, "looked again at").await?;
                    self.resolve(effect, Outcome::Done).await
                }
                Err(error) => Ok(self.failed(retry::of_code_host(error))),
            },
            (_, None) => self.resolve(effect, Outcome::Failed).await,
        }
    }

    async fn probe_publish(
        &mut self,
        operation: Operation,
        effect: &Effect,
    ) -> anyhow::Result<Step> {
        match self.look().await {
            Ok(Probe::Found(info)) => {
                self.done(operation, effect.id, &info).await?;
                Ok(Step::Again)
            }
            Ok(Probe::Absent) if self.is_fresh(effect) => {
                Ok(Step::Finish(Finish::Snooze { delay: LOOK_AGAIN }))
            }
            Ok(Probe::Absent | Probe::Foreign { .. }) => {
                self.resolve(effect, Outcome::Failed).await
            }
            Err(error) => Ok(self.failed(retry::of_code_host(error))),
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
