//! What people choose for one changeset.

use super::error::Answer;
use crate::{
    state::AppState,
    store::{
        StoreError, campaigns,
        changesets::{self, Decision},
        jobs::{self, Ask, NewJob},
        timeline::{self, NewEvent},
    },
};
use diesel_async::AsyncConnection;
use drover::{
    changeset::{
        DriftChoice, Intent, Publication, Reopen,
        choice::{Overtaken, Shown, still_holds},
    },
    id::ChangesetId,
    job::Job,
    names::CommitSha,
    view::changeset::ChangesetChoice,
    viewer::Viewer,
};
use drover_app::error::ApiError;

/// Writes the choice down and starts the work that follows from it, if the changeset stands as it
/// was shown.
pub async fn choose(
    state: &AppState,
    viewer: &Viewer,
    id: ChangesetId,
    choice: ChangesetChoice,
    shown: &Shown,
) -> Result<(), ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let facts = changesets::load(&mut conn, id).await.answer()?;
    let campaign = campaigns::find_by_id(&mut conn, facts.campaign)
        .await
        .answer()?
        .ok_or_else(|| ApiError::NotFound { what: "such campaign".to_owned() })?;
    viewer.may_change(&campaign.namespace, "change a changeset")?;
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
    let chosen = conn.transaction(async |conn| {
        // Read under the lock: of two people who choose at once, the second chooses about what
        // the first has left.
        let facts = changesets::lock(conn, id).await?;
        let decisions = match still_holds(choice, shown, &Shown::of(&facts)) {
            Ok(()) => decisions(choice, shown),
            Err(overtaken) => return Ok(Err(overtaken)),
        };
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
        jobs::enqueue(conn, &[NewJob::from(job)], Ask::Decision).await?;
        Ok::<_, StoreError>(Ok(()))
    });
    let refused = |overtaken: Overtaken| ApiError::Refused { message: overtaken.to_string() };
    chosen.await.answer()?.map_err(refused)
}

/// At most two decisions come of a choice. One about somebody's commits needs a commit.
fn decisions(choice: ChangesetChoice, shown: &Shown) -> Vec<Decision> {
    let drift = |choice: fn(CommitSha) -> DriftChoice| {
        shown.head.clone().map(|head| Decision::Drift(choice(head))).into_iter().collect()
    };
    match choice {
        ChangesetChoice::Retry | ChangesetChoice::Sync => Vec::new(),
        ChangesetChoice::Publish => vec![Decision::Publication(Publication::Published)],
        ChangesetChoice::PublishDraft => vec![Decision::Publication(Publication::Draft)],
        ChangesetChoice::Close => vec![Decision::Intent(Intent::Close)],
        ChangesetChoice::Reopen => {
            vec![Decision::Intent(Intent::Publish), Decision::Reopen(Reopen::Asked)]
        }
        ChangesetChoice::Adopt => drift(|head| DriftChoice::Adopt { head }),
        ChangesetChoice::Overwrite => drift(|head| DriftChoice::Overwrite { head }),
        ChangesetChoice::Detach => vec![Decision::Intent(Intent::Detach)],
    }
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
