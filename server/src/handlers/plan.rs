//! Makes the plan of a spec, from a look at everything that it is about.

use crate::{
    commands::plans,
    jobs::Finish,
    state::AppState,
    store::{campaign_specs, campaigns},
};
use drover::id::CampaignSpecId;

pub(super) async fn make(state: &AppState, id: CampaignSpecId) -> anyhow::Result<Finish> {
    let mut conn = state.store.conn().await?;
    let spec = campaign_specs::load(&mut conn, id).await?;
    let campaign = campaigns::find(&mut conn, &spec.namespace.name, &spec.name).await?;
    drop(conn);
    let unread = plans::look(state, id, campaign.map(|campaign| campaign.id)).await?;
    let mut conn = state.store.conn().await?;
    let capabilities = plans::capabilities(state, &mut conn).await;
    let plan = plans::decide(&mut conn, &spec, capabilities).await?;
    plan.keep(&mut conn, id, unread).await?;
    Ok(Finish::Done)
}
