//! Starts the private server again when it has ended.
//!
//! It may be killed by a person, by a machine without memory, or end by itself when its disk is
//! full. Nothing of Drover works without it, so it is started again at once, then after longer
//! and longer pauses; when that does not help, the whole program ends, and whoever keeps the
//! program sees that.

use super::{Place, Postgres, PostgresError, orphan, process};
use std::time::{Duration, Instant};

/// One that has answered for so long is in order: what ended it was something new.
const STEADY_MIN: Duration = Duration::from_secs(5);
/// The pauses double up to this one.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How often and how soon a server is started again that ends at once each time.
#[derive(Clone, Copy, Debug)]
pub struct Restarts {
    pub max: u32,
    /// The pause before the second restart; there is none before the first.
    pub pause: Duration,
}

impl Default for Restarts {
    fn default() -> Self {
        Self { max: 7, pause: Duration::from_secs(1) }
    }
}

impl Restarts {
    /// How long to wait before a restart, counted from 1 since all was in order; `None`: no more.
    fn before(&self, restart: u32) -> Option<Duration> {
        match restart {
            0 | 1 if self.max > 0 => Some(Duration::ZERO),
            more if more <= self.max => {
                let doubled = self.pause.saturating_mul(1 << more.saturating_sub(2).min(16));
                Some(doubled.min(PAUSE_MAX))
            }
            _ => None,
        }
    }
}

impl Postgres {
    /// Starts the server again whenever it ends; returns when that does not help.
    pub async fn keep(&mut self, restarts: &Restarts) -> PostgresError {
        let mut restart = 0;
        loop {
            let up = Instant::now();
            self.process.ended().await;
            if up.elapsed() >= STEADY_MIN {
                restart = 0;
            }
            loop {
                restart += 1;
                let Some(pause) = restarts.before(restart) else {
                    let log = process::log_tail(&self.place.log);
                    return PostgresError::GivenUp { times: restart, log };
                };
                tracing::error!(restart, ?pause, "the private PostgreSQL ended; starting it again");
                tokio::time::sleep(pause).await;
                match self.restart().await {
                    Ok(()) => break,
                    Err(error) => tracing::error!(%error, "that did not help"),
                }
            }
            tracing::warn!("the private PostgreSQL answers again");
        }
    }

    async fn restart(&mut self) -> Result<(), PostgresError> {
        let Place { cluster, .. } = &self.place;
        orphan::stop(cluster).await?;
        self.process = self.place.spawn(&self.socket)?;
        self.wait_until_ready().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_come_at_once_then_later_and_then_no_more() {
        let restarts = Restarts { max: 7, pause: Duration::from_secs(1) };
        for (restart, secs) in [
            (1, Some(0)),
            (2, Some(1)),
            (3, Some(2)),
            (4, Some(4)),
            (6, Some(16)),
            (7, Some(30)),
            (8, None),
        ] {
            assert_eq!(restarts.before(restart), secs.map(Duration::from_secs), "{restart}");
        }
        let none = Restarts { max: 0, pause: Duration::ZERO };
        assert_eq!(none.before(1), None);
    }
}
