//! Hints that something changed: one LISTEN connection for the whole server.
//!
//! A hint says what changed and not how; who gets one reads the truth. Hints get lost when the
//! connection is cut or a reader is slow, so a reader reads at intervals as well, and at once
//! after [`Topic::Everything`].

use drover::id::{CampaignId, ChangesetId, ExecutionId, WorkspaceId};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_postgres::{AsyncMessage, NoTls};
use tokio_util::sync::CancellationToken;

/// The channel on which all servers notify.
const CHANNEL: &str = "drover";
/// Hints that a slow reader may be behind before it is told that it missed some.
const BACKLOG_MAX: usize = 1_024;
/// How long to wait before a cut connection is made again.
const RECONNECT_INTERVAL: Duration = Duration::from_secs(1);

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Jobs,
    Campaign(CampaignId),
    Changeset(ChangesetId),
    Execution(ExecutionId),
    Workspace(WorkspaceId),
    /// Hints may have been lost: anything may have changed.
    Everything,
}

impl Topic {
    /// Reads a payload such as `campaign:<id>`. One of a newer server is none of ours.
    #[must_use]
    pub fn parse(payload: &str) -> Option<Self> {
        let (kind, id) = payload.split_once(':').unwrap_or((payload, ""));
        Some(match kind {
            "jobs" => Self::Jobs,
            "campaign" => Self::Campaign(id.parse().ok()?),
            "changeset" => Self::Changeset(id.parse().ok()?),
            "execution" => Self::Execution(id.parse().ok()?),
            "workspace" => Self::Workspace(id.parse().ok()?),
            _ => return None,
        })
    }
}

/// Hands hints to whoever subscribes.
#[derive(Clone, Debug)]
pub struct Hints {
    topics: broadcast::Sender<Topic>,
}

impl Default for Hints {
    fn default() -> Self {
        Self { topics: broadcast::channel(BACKLOG_MAX).0 }
    }
}

impl Hints {
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Topic> {
        self.topics.subscribe()
    }

    /// Listens until `stop`, and connects again whenever the connection is cut.
    pub async fn run(&self, url: &str, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                ended = self.listen(url) => if let Err(error) = ended {
                    tracing::warn!(%error, "the connection for hints is cut; connecting again");
                },
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RECONNECT_INTERVAL) => {}
            }
        }
    }

    async fn listen(&self, url: &str) -> Result<(), tokio_postgres::Error> {
        let (client, mut connection) = tokio_postgres::connect(url, NoTls).await?;
        let command = format!("LISTEN {CHANNEL}");
        let mut listening = std::pin::pin!(client.batch_execute(&command));
        let mut started = false;
        loop {
            tokio::select! {
                result = &mut listening, if !started => {
                    result?;
                    started = true;
                    self.send(Topic::Everything);
                }
                message = std::future::poll_fn(|cx| connection.poll_message(cx)) => {
                    let Some(message) = message else { return Ok(()) };
                    if let AsyncMessage::Notification(note) = message?
                        && let Some(topic) = Topic::parse(note.payload())
                    {
                        self.send(topic);
                    }
                }
            }
        }
    }

    fn send(&self, topic: Topic) {
        // An error says that nobody listens, which is fine.
        self.topics.send(topic).ok();
    }
}

/// Waits for the next hint that `wanted` picks. Missed hints count as [`Topic::Everything`];
/// `None` when the server stops.
pub async fn next(
    hints: &mut broadcast::Receiver<Topic>,
    wanted: impl Fn(Topic) -> bool,
) -> Option<Topic> {
    loop {
        match hints.recv().await {
            Ok(Topic::Everything) | Err(broadcast::error::RecvError::Lagged(_)) => {
                return Some(Topic::Everything);
            }
            Ok(topic) if wanted(topic) => return Some(topic),
            Ok(_) => {}
            Err(broadcast::error::RecvError::Closed) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn payloads_are_read_as_topics() {
        let id = Uuid::from_u128(7);
        for (payload, topic) in [
            ("jobs".to_owned(), Some(Topic::Jobs)),
            (format!("campaign:{id}"), Some(Topic::Campaign(CampaignId(id)))),
            (format!("workspace:{id}"), Some(Topic::Workspace(WorkspaceId(id)))),
            ("campaign:x".to_owned(), None),
            ("news:1".to_owned(), None),
        ] {
            assert_eq!(Topic::parse(&payload), topic, "{payload}");
        }
    }
}
