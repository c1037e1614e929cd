//! Rewires the changesets of a campaign to the spec that was accepted for it.

use crate::{
    commands::plans,
    jobs::Finish,
    state::AppState,
    store::rewire::{Rewired, rewire},
};
use drover::id::{CampaignId, CampaignSpecId};

pub(super) async fn apply(
    state: &AppState,
    campaign: CampaignId,
    spec: CampaignSpecId,
) -> anyhow::Result<Finish> {
    // The last word of an apply is about what is there now. What cannot be read is looked at
    // again by the job of its changeset, before it writes anything.
    if let Some(unread) = plans::look(state, spec, Some(campaign)).await? {
        tracing::warn!(%campaign, %spec, unread, "an apply could not look at everything");
    }
    let mut conn = state.store.conn().await?;
    let capabilities = plans::capabilities(state, &mut conn).await;
    let (Rewired::Changed(_) | Rewired::Already | Rewired::Superseded) =
        rewire(&mut conn, campaign, spec, capabilities).await?;
    Ok(Finish::Done)
}
