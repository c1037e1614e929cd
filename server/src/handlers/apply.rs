//! Rewires the changesets of a campaign to the spec that was accepted for it.

use crate::{
    jobs::Finish,
    state::AppState,
    store::{
        rewire::{Rewired, rewire},
        timeline::{self, NewEvent},
    },
};
use drover::id::{CampaignId, CampaignSpecId};

pub(super) async fn apply(
    state: &AppState,
    campaign: CampaignId,
    spec: CampaignSpecId,
) -> anyhow::Result<Finish> {
    let mut conn = state.store.conn().await?;
    match rewire(&mut conn, campaign, spec).await? {
        Rewired::Changed(_) | Rewired::Already | Rewired::Superseded => Ok(Finish::Done),
        Rewired::Taken(taken) => {
            let branches: Vec<String> = taken
                .iter()
                .map(|it| format!("`{}` in {} (by {})", it.branch, it.repo, it.by))
                .collect();
            let error = format!(
                "nothing was applied: other campaigns have the branches {}; give this campaign \
                 other branches, or archive theirs",
                branches.join(", ")
            );
            let event = NewEvent {
                actor: None,
                campaign,
                changeset: None,
                text: &error,
                detail: serde_json::json!({ "spec": spec }),
            };
            timeline::insert(&mut conn, event).await?;
            Ok(Finish::Fail { error })
        }
    }
}
