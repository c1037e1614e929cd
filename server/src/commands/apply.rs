//! Accepting a plan. The work itself is a job, so the answer comes at once.

use super::{
    error::Answer,
    plans::{self, SpecPlan},
};
use crate::{
    state::AppState,
    store::{
        Conn, StoreError, campaign_specs,
        campaigns::{self, Accepted},
        executions,
        jobs::{self, Ask, NewJob},
        plans as stored_plans,
    },
};
use diesel_async::AsyncConnection;
use drover::{
    campaign::plan_hash,
    id::{CampaignId, CampaignSpecId},
    job::Job,
    view::{execution::ExecutionState, preview::PlanHash},
    viewer::Viewer,
};
use drover_app::error::ApiError;
use uuid::Uuid;

/// The rows that a refusal names, at most.
const REFUSED_MAX: usize = 10;

/// Makes the spec the one that its campaign wants, if the plan is still the one that was seen.
///
/// The check and the acceptance are one transaction under a lock of the campaign's name, so of
/// two people who apply at once the second is told what the first has done.
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
    let accepted = conn
        .transaction(async |conn| {
            campaigns::lock_name(conn, &spec.namespace, &spec.name).await?;
            let plan = plans::decide(conn, &spec, capabilities).await?;
            if plan.campaign.as_ref().is_some_and(|campaign| campaign.spec == id) {
                return Ok(Judged::Accepted);
            }
            if plan.hash != *seen {
                return Ok(Judged::Moved(Box::new(plan)));
            }
            let refused: Vec<String> = plan.refused().take(REFUSED_MAX).collect();
            if !refused.is_empty() {
                return Ok(Judged::Refused(refused));
            }
            let new = CampaignId(Uuid::new_v4());
            if let Accepted::Now(campaign) = campaigns::accept(conn, new, id, viewer.id).await? {
                let job = Job::Apply { campaign, spec: id };
                jobs::enqueue(conn, &[NewJob::from(job)], Ask::Decision).await?;
            }
            Ok::<_, StoreError>(Judged::Accepted)
        })
        .await
        .answer()?;
    match accepted {
        Judged::Accepted => Ok(()),
        Judged::Refused(refused) => Err(ApiError::Refused {
            message: format!("Nothing was applied: {}.", refused.join("; ")),
        }),
        Judged::Moved(plan) => Err(moved(&mut conn, id, seen, &plan).await?),
    }
}

/// What became of the wish to apply.
enum Judged {
    /// Now, or before.
    Accepted,
    Moved(Box<SpecPlan>),
    Refused(Vec<String>),
}

/// Keeps the new plan, so that it can be looked at and applied, and says what moved.
async fn moved(
    conn: &mut Conn,
    id: CampaignSpecId,
    seen: &PlanHash,
    plan: &SpecPlan,
) -> Result<ApiError, ApiError> {
    plan.keep(conn, id, None).await.answer()?;
    let was = stored_plans::find(conn, id, seen).await.answer()?;
    let newer = plans::newer(was.as_ref().map(|was| was.applied), plan.campaign.as_ref());
    let was = was.map(|was| was.states).unwrap_or_default();
    Ok(ApiError::PlanMoved { moved: plan_hash::moved(&was, &plan.states), newer })
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
