//! Starting to preview a spec, and cancelling that.

use super::error::Answer;
use crate::{
    state::AppState,
    store::{
        Conn, StoreError,
        campaign_specs::{self, NewCampaignSpec},
        drafts,
        executions::{self, Moved},
        jobs::{self, Ask, NewJob},
        users, workspaces,
    },
};
use diesel_async::AsyncConnection;
use drover::{
    campaign::spec::{CampaignSpec, SpecProblem},
    id::{CampaignSpecId, DraftId, ExecutionId},
    job::Job,
    names::NamespaceName,
    view::execution::ExecutionState,
    viewer::{Namespace, Viewer},
};
use drover_app::error::ApiError;
use uuid::Uuid;

/// A spec that was accepted, and its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub spec: CampaignSpecId,
    pub execution: ExecutionId,
}

/// Stores a spec and starts to execute it; a spec with problems stores nothing.
pub async fn start(
    state: &AppState,
    viewer: &Viewer,
    namespace: &NamespaceName,
    bytes: &[u8],
) -> Result<Accepted, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let namespace = find_namespace(&mut conn, viewer, namespace, "preview a campaign").await?;
    let spec = parse(bytes)?;
    let text = String::from_utf8_lossy(bytes);
    let accepted =
        Accepted { spec: CampaignSpecId(Uuid::new_v4()), execution: ExecutionId(Uuid::new_v4()) };
    let row = NewCampaignSpec {
        id: accepted.spec,
        namespace: namespace.id,
        author: viewer.id,
        name: &spec.name,
        text: &text,
        description: &spec.description,
    };
    conn.transaction(async |conn| {
        campaign_specs::insert(conn, &row).await?;
        executions::insert(conn, accepted.execution, accepted.spec).await?;
        let job = Job::Execute { execution: accepted.execution };
        jobs::enqueue(conn, &[NewJob::from(job)], Ask::Decision).await
    })
    .await
    .answer()?;
    Ok(accepted)
}

/// Keeps a text that has problems, so that its author finds it again.
pub async fn keep_draft(
    state: &AppState,
    viewer: &Viewer,
    namespace: &NamespaceName,
    text: &str,
) -> Result<DraftId, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let namespace = find_namespace(&mut conn, viewer, namespace, "write a campaign").await?;
    let id = DraftId(Uuid::new_v4());
    // What is larger than a spec can be is kept as far as the column takes it.
    let kept = &text[..text.floor_char_boundary(drover::campaign::spec::SPEC_BYTES_MAX)];
    drafts::insert(&mut conn, id, viewer.id, namespace.id, &kept.replace('\0', "\u{fffd}"))
        .await
        .answer()?;
    Ok(id)
}

/// Stops the execution; what was found so far stays readable.
pub async fn cancel(state: &AppState, viewer: &Viewer, id: ExecutionId) -> Result<(), ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let execution = executions::load(&mut conn, id).await.answer()?;
    let spec = campaign_specs::load(&mut conn, execution.spec).await.answer()?;
    viewer.may_change(&spec.namespace, "cancel an execution")?;
    let moved = conn
        .transaction(async |conn| {
            let moved = executions::update_state(conn, id, &ExecutionState::Cancelled).await?;
            workspaces::cancel_all(conn, id).await?;
            Ok::<_, StoreError>(moved)
        })
        .await
        .answer()?;
    match moved {
        Moved::Yes => Ok(()),
        Moved::No => {
            Err(ApiError::Refused { message: "The execution is over already.".to_owned() })
        }
    }
}

fn parse(bytes: &[u8]) -> Result<CampaignSpec, ApiError> {
    CampaignSpec::parse(bytes).map_err(|problems: Vec<SpecProblem>| ApiError::Spec { problems })
}

/// Finds a namespace that the viewer may change.
pub(super) async fn find_namespace(
    conn: &mut Conn,
    viewer: &Viewer,
    name: &NamespaceName,
    action: &str,
) -> Result<Namespace, ApiError> {
    let namespace = users::find_namespace(conn, name)
        .await
        .answer()?
        .ok_or_else(|| ApiError::NotFound { what: format!("namespace `{name}`") })?;
    viewer.may_change(&namespace, action)?;
    Ok(namespace)
}
