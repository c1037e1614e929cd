//! What people choose for one changeset.

use super::error::Answer;
use crate::{
    state::AppState,
    store::{
        campaigns,
        changesets::{self, Decision, Facts},
        jobs::{self, Ask, NewJob},
        timeline::{self, NewEvent},
    },
};
use diesel_async::AsyncConnection;
use drover::{
    changeset::{DriftChoice, Intent, Observed, Publication, Reopen},
    id::ChangesetId,
    job::Job,
    names::CommitSha,
    view::changeset::ChangesetChoice,
    viewer::Viewer,
};
use drover_app::error::ApiError;

/// Writes the choice down and starts the work that follows from it.
pub async fn choose(
    state: &AppState,
    viewer: &Viewer,
    id: ChangesetId,
    choice: ChangesetChoice,
) -> Result<(), ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let facts = changesets::load(&mut conn, id).await.answer()?;
    let campaign = campaigns::find_by_id(&mut conn, facts.campaign)
        .await
        .answer()?
        .ok_or_else(|| ApiError::NotFound { what: "such campaign".to_owned() })?;
    viewer.may_change(&campaign.namespace, "change a changeset")?;
    let decisions = decisions(choice, &facts)?;
    let job = match choice {
        ChangesetChoice::Sync => Job::Sync { changeset: id },
        ChangesetChoice::Retry
        | ChangesetChoice::Publish
        | ChangesetChoice::PublishDraft
        | ChangesetChoice::Close
        | ChangesetChoice::Reopen
        | ChangesetChoice::Adopt
        | ChangesetChoice::Overwrite
        | ChangesetChoice::Detach => Job::Reconcile { changeset: id },
    };
    conn.transaction(async |conn| {
        for decision in &decisions {
            changesets::decide(conn, id, decision).await?;
        }
        let event = NewEvent {
            actor: Some(viewer.id),
            campaign: facts.campaign,
            changeset: Some(id),
            text: words(choice),
            detail: serde_json::json!({ "choice": choice }),
        };
        timeline::insert(conn, event).await?;
        jobs::enqueue(conn, &[NewJob::from(job)], Ask::Decision).await
    })
    .await
    .answer()
}

/// At most two decisions come of a choice.
fn decisions(choice: ChangesetChoice, facts: &Facts) -> Result<Vec<Decision>, ApiError> {
    Ok(match choice {
        ChangesetChoice::Retry | ChangesetChoice::Sync => Vec::new(),
        ChangesetChoice::Publish => vec![Decision::Publication(Publication::Published)],
        ChangesetChoice::PublishDraft => vec![Decision::Publication(Publication::Draft)],
        ChangesetChoice::Close => vec![Decision::Intent(Intent::Close)],
        ChangesetChoice::Reopen => {
            vec![Decision::Intent(Intent::Publish), Decision::Reopen(Reopen::Asked)]
        }
        ChangesetChoice::Adopt => vec![Decision::Drift(DriftChoice::Adopt { head: tip(facts)? })],
        ChangesetChoice::Overwrite => {
            vec![Decision::Drift(DriftChoice::Overwrite { head: tip(facts)? })]
        }
        ChangesetChoice::Detach => vec![Decision::Intent(Intent::Detach)],
    })
}

/// The commit that a choice about drift is about.
fn tip(facts: &Facts) -> Result<CommitSha, ApiError> {
    let head = match &facts.observed {
        Observed::Pull(pull) => Some(pull.head.clone()),
        Observed::Unpublished { head } => head.clone(),
    };
    head.ok_or_else(|| ApiError::Refused {
        message: "There is no branch on the code host to choose about.".to_owned(),
    })
}

fn words(choice: ChangesetChoice) -> &'static str {
    match choice {
        ChangesetChoice::Retry => "asked to try again",
        ChangesetChoice::Publish => "asked to open the pull request",
        ChangesetChoice::PublishDraft => "asked to open a draft",
        ChangesetChoice::Close => "asked to close the pull request",
        ChangesetChoice::Reopen => "asked to reopen the pull request",
        ChangesetChoice::Adopt => "chose to keep the commits of others",
        ChangesetChoice::Overwrite => "chose to overwrite the commits of others",
        ChangesetChoice::Detach => "asked to let the pull request go",
        ChangesetChoice::Sync => "asked to read the pull request again",
    }
}
