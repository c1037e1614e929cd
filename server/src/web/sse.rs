//! `GET /events?topic=execution:ID`: hints for a page that watches.
//!
//! A message says that something about the topic changed, never what: the page asks again,
//! through the doors that check what its viewer may see.

use crate::{
    jobs::{Topic, hints},
    state::AppState,
};
use axum::{
    Extension,
    extract::{Query, State},
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use drover::{id::ExecutionId, viewer::Viewer};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};

/// At most one hint in this time: a page that reads itself again needs no more.
const HINT_INTERVAL: Duration = Duration::from_millis(300);
/// Proxies cut connections that stay silent for longer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a browser waits before it connects again.
const RECONNECT: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
pub(super) struct Watch {
    topic: String,
}

/// What a page wants to hear of.
#[derive(Clone, Copy)]
enum Wanted {
    One(Topic),
    /// The steps of a spec, and the lines that they write: those of other executions wake it too.
    Execution(ExecutionId),
    /// The list of campaigns.
    Campaigns,
    /// A plan: the execution behind it, and the campaigns that it would change.
    Plan,
    /// A page of a newer server, or none of ours.
    Nothing,
}

impl Wanted {
    fn parse(topic: &str) -> Self {
        match (topic, topic.split_once(':')) {
            ("home", _) => Self::Campaigns,
            (_, Some(("preview", _))) => Self::Plan,
            _ => match Topic::parse(topic) {
                Some(Topic::Execution(id)) => Self::Execution(id),
                topic => topic.map_or(Self::Nothing, Self::One),
            },
        }
    }

    fn fits(self, topic: Topic) -> bool {
        match self {
            Self::One(one) => one == topic,
            Self::Execution(id) => {
                topic == Topic::Execution(id) || matches!(topic, Topic::Workspace(_))
            }
            Self::Campaigns => matches!(topic, Topic::Campaign(_)),
            Self::Plan => matches!(topic, Topic::Campaign(_) | Topic::Execution(_)),
            Self::Nothing => false,
        }
    }
}

pub(super) async fn events(
    State(state): State<AppState>,
    Extension(_viewer): Extension<Viewer>,
    Query(watch): Query<Watch>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let wanted = Wanted::parse(&watch.topic);
    let changes = stream::unfold(state.hints.subscribe(), move |mut receiver| async move {
        hints::next(&mut receiver, |topic| wanted.fits(topic)).await?;
        tokio::time::sleep(HINT_INTERVAL).await;
        // Whatever came meanwhile is told by this one hint.
        let receiver = receiver.resubscribe();
        Some((Ok(Event::default().data("changed")), receiver))
    });
    let opening = Event::default().retry(RECONNECT).data("open");
    let events = stream::once(async { Ok(opening) })
        .chain(changes)
        .take_until(state.shutdown.clone().cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}
