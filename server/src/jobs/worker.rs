//! Works jobs off: claims them with a lease, runs the handler, renews, ends the hold.

use super::hints::{self, Hints, Topic};
use crate::store::{
    Store, StoreError,
    jobs::{self, ClaimedJob, Fence, Finish},
};
use drover::{
    id::JobId,
    job::{HEARTBEAT, LEASE},
};
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// How often to look for work without a hint: for what comes due, and for lost hints.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long running jobs have to end after the server was told to stop; then they are dropped
/// and handed back.
const STOP_MAX: Duration = Duration::from_secs(20);
/// A lease that was not renewed for so long is given up here, well before others may take it.
const LOCAL_LEASE: Duration = Duration::from_secs(LEASE.as_secs() - 6);
/// The wait after the first attempt whose handler gave up without saying what next; it doubles
/// with every further one.
const BACKOFF_FIRST: Duration = Duration::from_secs(5);
const BACKOFF_MAX: Duration = Duration::from_secs(15 * 60);

/// How many jobs of each kind one server works on at once. Kinds that are not named are left to
/// other servers.
pub type Limits = BTreeMap<&'static str, u32>;

/// One server's hands.
pub struct Worker {
    store: Store,
    hints: Hints,
    /// Names this server in the leases.
    name: String,
    limits: Limits,
    held: Arc<Held>,
}

/// The jobs that this server holds now.
#[derive(Default)]
struct Held {
    jobs: Mutex<Vec<Hold>>,
    /// Wakes the worker when a job has ended.
    ended: Notify,
}

struct Hold {
    kind: String,
    fence: Fence,
    /// Cancelled when the lease is lost.
    lost: CancellationToken,
    /// Before the database was asked for the lease that holds now.
    renewed_at: Instant,
}

impl Worker {
    #[must_use]
    pub fn new(store: Store, hints: Hints, name: String, limits: Limits) -> Self {
        Self { store, hints, name, limits, held: Arc::default() }
    }

    /// Works until `stop`, then lets running jobs end and hands back those that do not.
    ///
    /// A handler that fails without saying what next is tried again later. The token that it
    /// gets is cancelled when the server stops or the lease is lost.
    pub async fn run<H, F>(&self, handler: H, stop: CancellationToken)
    where
        H: Fn(ClaimedJob, CancellationToken) -> F + Clone + Send + 'static,
        F: Future<Output = anyhow::Result<Finish>> + Send + 'static,
    {
        let mut hints = self.hints.subscribe();
        let mut running = JoinSet::new();
        let heart = CancellationToken::new();
        let beating = heart.clone();
        let (store, held) = (self.store.clone(), self.held.clone());
        let beat = tokio::task::spawn(async move { beat(&store, &held, beating).await });
        while !stop.is_cancelled() {
            let claimed_at = Instant::now();
            for job in self.claim().await {
                self.start(&mut running, (job, claimed_at), handler.clone(), &stop);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.held.ended.notified() => {}
                _ = hints::next(&mut hints, |topic| topic == Topic::Jobs) => {}
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
            while running.try_join_next().is_some() {}
        }
        self.wind_up(running).await;
        heart.cancel();
        if let Err(error) = beat.await {
            tracing::error!(%error, "the heartbeat of jobs ended badly");
        }
    }

    /// Claims as much of each kind as there is room for.
    async fn claim(&self) -> Vec<ClaimedJob> {
        let mut claimed = Vec::new();
        for (kind, limit) in &self.limits {
            let room = i64::from(*limit) - self.held.count(kind);
            if room <= 0 {
                continue;
            }
            match self.claim_kind(kind, room).await {
                Ok(jobs) => claimed.extend(jobs),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "no jobs claimed");
                    return claimed;
                }
            }
        }
        claimed
    }

    async fn claim_kind(&self, kind: &str, room: i64) -> Result<Vec<ClaimedJob>, StoreError> {
        jobs::claim(&mut *self.store.conn().await?, kind, room, &self.name, LEASE).await
    }

    fn start<H, F>(
        &self,
        running: &mut JoinSet<()>,
        (job, claimed_at): (ClaimedJob, Instant),
        handler: H,
        stop: &CancellationToken,
    ) where
        H: Fn(ClaimedJob, CancellationToken) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<Finish>> + Send + 'static,
    {
        let token = stop.child_token();
        self.held.insert(&job, token.clone(), claimed_at);
        let (store, held) = (self.store.clone(), self.held.clone());
        running.spawn(async move {
            let (fence, attempt) = (job.fence, job.attempt);
            // A panic in a handler is a failure of its job and of nothing else.
            let outcome = AbortOnDropHandle::new(tokio::task::spawn(handler(job, token))).await;
            let finish = match outcome {
                Ok(Ok(finish)) => finish,
                Ok(Err(error)) => retry(attempt, format!("{error:#}")),
                Err(error) => retry(attempt, format!("the job ended badly: {error}")),
            };
            held.remove(fence);
            end(&store, fence, &finish).await;
            held.ended.notify_one();
        });
    }

    /// Waits for the running jobs, and hands back what is still held after the wait.
    async fn wind_up(&self, mut running: JoinSet<()>) {
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_MAX, all).await.is_err() {
            tracing::warn!("jobs did not end in time; handing them back");
        }
        running.shutdown().await;
        let handed_back =
            async { jobs::hand_back(&mut *self.store.conn().await?, &self.name).await };
        if let Err(error) = handed_back.await {
            // The rescuer of another server takes them when their leases have run out.
            tracing::warn!(%error, "could not hand jobs back");
        }
    }
}

impl Held {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Hold>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, kind: &str) -> i64 {
        let count = self.lock().iter().filter(|hold| hold.kind == kind).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    fn insert(&self, job: &ClaimedJob, lost: CancellationToken, renewed_at: Instant) {
        self.lock().push(Hold { kind: job.kind.clone(), fence: job.fence, lost, renewed_at });
    }

    fn remove(&self, fence: Fence) {
        self.lock().retain(|hold| hold.fence != fence);
    }

    fn fences(&self) -> Vec<Fence> {
        self.lock().iter().map(|hold| hold.fence).collect()
    }

    /// Notes which of the leases that were asked for were renewed; the others are lost.
    fn note(&self, asked: &[Fence], renewed: &[JobId], asked_at: Instant) {
        for hold in self.lock().iter_mut().filter(|hold| asked.contains(&hold.fence)) {
            if renewed.contains(&hold.fence.job()) {
                hold.renewed_at = asked_at;
            } else {
                hold.lost.cancel();
            }
        }
    }

    /// Gives up leases that the database could not renew, before it counts them as lost.
    fn cancel_stale(&self) {
        for hold in self.lock().iter().filter(|hold| hold.renewed_at.elapsed() > LOCAL_LEASE) {
            hold.lost.cancel();
        }
    }
}

/// Renews the leases until `stop`.
async fn beat(store: &Store, held: &Held, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
        let fences = held.fences();
        if fences.is_empty() {
            continue;
        }
        let asked_at = Instant::now();
        let renewed = async { jobs::renew(&mut *store.conn().await?, &fences, LEASE).await };
        match renewed.await {
            Ok(renewed) => held.note(&fences, &renewed, asked_at),
            Err(error) => tracing::warn!(%error, "could not renew the leases of jobs"),
        }
        held.cancel_stale();
    }
}

/// Ends the hold on a job. When even that fails, the lease runs out and the job runs again.
async fn end(store: &Store, fence: Fence, finish: &Finish) {
    let ended = async { jobs::finish(&mut *store.conn().await?, fence, finish).await };
    match ended.await {
        Ok(()) => log(fence, finish),
        Err(error) => tracing::warn!(job = %fence.job(), %error, "could not end a job"),
    }
}

fn log(fence: Fence, finish: &Finish) {
    let job = fence.job();
    match finish {
        Finish::Done | Finish::Snooze { .. } => {}
        Finish::Retry { error, .. } => tracing::warn!(%job, error, "a job failed; it is retried"),
        Finish::Fail { error } => tracing::warn!(%job, error, "a job failed; it needs a person"),
        Finish::Drift { error } => tracing::info!(%job, error, "a job waits for a choice"),
    }
}

fn retry(attempt: u32, error: String) -> Finish {
    let doubled = BACKOFF_FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    Finish::Retry { delay: doubled.min(BACKOFF_MAX), error }
}
