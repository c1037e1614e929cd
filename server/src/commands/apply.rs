//! Accepting a plan. The work itself is a job, so the answer comes at once.

use super::{error::Answer, plans};
use crate::{
    state::AppState,
    store::{
        campaign_specs,
        campaigns::{self, Accepted},
        executions,
        jobs::{self, Ask, NewJob},
        plans as stored_plans,
    },
};
use diesel_async::AsyncConnection;
use drover::{
    campaign::plan_hash::{PlanRows, moved},
    id::{CampaignId, CampaignSpecId},
    job::Job,
    view::{execution::ExecutionState, preview::PlanHash},
    viewer::Viewer,
};
use drover_app::error::ApiError;
use uuid::Uuid;

/// The taken branches that a refusal names, at most.
const TAKEN_MAX: usize = 10;

/// Makes the spec the one that its campaign wants, if the plan is still the one that was seen.
pub async fn apply(
    state: &AppState,
    viewer: &Viewer,
    id: CampaignSpecId,
    seen: &PlanHash,
) -> Result<(), ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let spec = campaign_specs::load(&mut conn, id).await.answer()?;
    viewer.may_change(&spec.namespace, "apply a campaign")?;
    let execution = executions::find_of_spec(&mut conn, id).await.answer()?;
    check_finished(execution.as_ref().map(|it| &it.state))?;
    let capabilities = plans::capabilities(state, &mut conn).await;
    let plan = plans::load(&mut conn, &spec, capabilities).await.answer()?;
    if plan.campaign.as_ref().is_some_and(|campaign| campaign.spec == id) {
        return Ok(());
    }
    if plan.hash != *seen {
        let was = stored_plans::find(&mut conn, id, seen).await.answer()?;
        let moved = moved(&was.unwrap_or_else(PlanRows::default), &plan.states);
        return Err(ApiError::PlanMoved { moved });
    }
    let taken: Vec<String> =
        plan.rows.iter().filter_map(plans::Row::taken).take(TAKEN_MAX).collect();
    if !taken.is_empty() {
        let message = format!(
            "Nothing was applied: {}. Give this campaign another branch, or archive the other.",
            taken.join("; ")
        );
        return Err(ApiError::Refused { message });
    }
    conn.transaction(async |conn| {
        let new = CampaignId(Uuid::new_v4());
        match campaigns::accept(conn, new, id, viewer.id).await? {
            Accepted::Already => Ok(()),
            Accepted::Now(campaign) => {
                let job = Job::Apply { campaign, spec: id };
                jobs::enqueue(conn, &[NewJob::from(job)], Ask::Decision).await
            }
        }
    })
    .await
    .answer()
}

fn check_finished(state: Option<&ExecutionState>) -> Result<(), ApiError> {
    let message = match state {
        Some(ExecutionState::Done) => return Ok(()),
        Some(ExecutionState::Resolving | ExecutionState::Running) => {
            "The steps still run. Apply when they are done.".to_owned()
        }
        Some(ExecutionState::Failed { reason }) => {
            format!("The execution failed, so there is nothing to apply: {reason}")
        }
        Some(ExecutionState::Cancelled) => {
            "The execution was cancelled. Preview the spec again, then apply.".to_owned()
        }
        None => "The spec was never executed. Preview it again, then apply.".to_owned(),
    };
    Err(ApiError::Refused { message })
}
