//! Looks that are asked for at once are one request.
//!
//! While a request is under way, whoever else asks waits and is collected; the first of those who
//! wait asks for all of them. So a hundred jobs cost three requests and not a hundred, and nobody
//! waits longer than for one request before its own.

use super::{
    CodeHost, CodeHostError,
    look::{LOOK_TARGETS_MAX, LookTarget, Looked},
};
use futures::future::join_all;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot::{self, error::TryRecvError};

/// How long the first waits for others to come.
const COLLECT: Duration = Duration::from_millis(5);

/// The looks of one credential.
pub struct Looker {
    api: Arc<dyn CodeHost>,
    asked: Mutex<VecDeque<Asked>>,
    /// Held by who asks.
    turn: tokio::sync::Mutex<()>,
}

struct Asked {
    targets: Vec<LookTarget>,
    tell: oneshot::Sender<Vec<Looked>>,
}

impl Looker {
    #[must_use]
    pub fn new(api: Arc<dyn CodeHost>) -> Self {
        Self { api, asked: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Looks at all targets and answers for each, in their order.
    pub async fn look(&self, targets: &[LookTarget]) -> Vec<Looked> {
        let parts = targets.chunks(LOOK_TARGETS_MAX).map(|some| self.look_at_some(some));
        join_all(parts).await.into_iter().flatten().collect()
    }

    async fn look_at_some(&self, targets: &[LookTarget]) -> Vec<Looked> {
        let (tell, mut told) = oneshot::channel();
        self.lock().push_back(Asked { targets: targets.to_vec(), tell });
        let _turn = self.turn.lock().await;
        let mut is_first = true;
        loop {
            match told.try_recv() {
                // Whoever had the turn before may have asked for this one too.
                Ok(looked) => return looked,
                Err(TryRecvError::Closed) => {
                    let message = "the look was cut off".to_owned();
                    return vec![Err(CodeHostError::Unavailable { message }); targets.len()];
                }
                Err(TryRecvError::Empty) => {}
            }
            if std::mem::take(&mut is_first) {
                tokio::time::sleep(COLLECT).await;
            }
            self.ask().await;
        }
    }

    /// Asks for the first of those who wait, as many as fit into one request.
    async fn ask(&self) {
        let (mut all, mut tell) = (Vec::new(), Vec::new());
        {
            let mut asked = self.lock();
            while let Some(next) =
                asked.pop_front_if(|it| all.len() + it.targets.len() <= LOOK_TARGETS_MAX)
            {
                tell.push((next.targets.len(), next.tell));
                all.extend(next.targets);
            }
        }
        let mut looked = self.api.look(&all).await.into_iter();
        for (count, tell) in tell {
            // One that does not wait any more wants no answer.
            drop(tell.send(looked.by_ref().take(count).collect()));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
