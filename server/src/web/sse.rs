//! `GET /events?topic=execution:ID`: hints for a page that watches.
//!
//! A message says that something about the topic changed, never what: the page asks again,
//! through the doors that check what its viewer may see.

use crate::state::AppState;
use axum::{
    Extension,
    extract::{Query, State},
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use drover::viewer::Viewer;
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};
use tokio::{sync::broadcast::error::RecvError, time::sleep};

/// At most one hint in this time: a page that reads itself again needs no more.
const HINT_INTERVAL: Duration = Duration::from_millis(300);
/// Proxies cut connections that stay silent for longer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
pub(super) struct Watch {
    topic: String,
}

pub(super) async fn events(
    State(state): State<AppState>,
    Extension(_viewer): Extension<Viewer>,
    Query(watch): Query<Watch>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let receiver = state.hints.subscribe();
    let shutdown = state.shutdown.clone();
    let hints = stream::unfold((receiver, watch.topic), |(mut receiver, topic)| async {
        loop {
            match receiver.recv().await {
                Ok(changed) if changed == topic => break,
                Ok(_) => {}
                // Messages were lost, perhaps ours: a hint too many does no harm.
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return None,
            }
        }
        sleep(HINT_INTERVAL).await;
        // Whatever came meanwhile is told by this one hint.
        while let Ok(_) | Err(tokio::sync::broadcast::error::TryRecvError::Lagged(_)) =
            receiver.try_recv()
        {}
        Some((Ok(Event::default().data("changed")), (receiver, topic)))
    });
    let opening = stream::once(async { Ok(Event::default().retry(Duration::from_secs(2)).data("open")) });
    let events = opening.chain(hints).take_until(shutdown.cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}
