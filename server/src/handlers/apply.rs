//! Rewires the changesets of a campaign to the spec that was accepted for it.

use crate::{
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
    let mut conn = state.store.conn().await?;
    let (Rewired::Changed(_) | Rewired::Already | Rewired::Superseded) =
        rewire(&mut conn, campaign, spec).await?;
    Ok(Finish::Done)
}
