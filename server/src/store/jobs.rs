//! The table of jobs. Who works them off, and how, is in [`crate::jobs`].

use super::{
    Conn, StoreError,
    sql_types::{Db, integer, timestamptz},
};
use diesel::{
    QueryableByName,
    sql_types::{
        Array, BigInt, Double, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz,
        Uuid as SqlUuid,
    },
};
use diesel_async::RunQueryDsl;
use drover::{id::JobId, job::Job, time::Timestamp};
use serde_json::Value;
use std::time::Duration;

/// A job fails for good after so many attempts, unless it says otherwise.
pub const ATTEMPTS_MAX: i32 = 10;

/// Work to be queued. It runs at once unless `run_at` lies ahead.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    pub kind: String,
    pub payload: Value,
    /// What the job is about: of one key, one job waits and one runs at most.
    pub unique_key: Option<String>,
    /// The smaller, the sooner.
    pub priority: i16,
    pub attempts_max: i32,
    pub run_at: Option<Timestamp>,
}

impl NewJob {
    #[must_use]
    pub fn new(kind: &str, payload: Value) -> Self {
        Self {
            kind: kind.to_owned(),
            payload,
            unique_key: None,
            priority: 0,
            attempts_max: ATTEMPTS_MAX,
            run_at: None,
        }
    }

    #[must_use]
    pub fn unique(self, key: String) -> Self {
        Self { unique_key: Some(key), ..self }
    }

    #[must_use]
    pub fn at(self, run_at: Timestamp) -> Self {
        Self { run_at: Some(run_at), ..self }
    }
}

impl From<Job> for NewJob {
    fn from(job: Job) -> Self {
        // A payload of ids always has a JSON form.
        let payload = serde_json::to_value(job).unwrap_or_default();
        let attempts_max = integer(job.limits().attempts_max);
        Self { attempts_max, ..Self::new(job.kind(), payload) }.unique(job.key())
    }
}

/// What asking for work means to the same work that waits or has failed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A hint: waiting work runs no later than asked, but keeps its pause after a failure.
    Hint,
    /// A decision: attempts start anew, and a pause after a failure ends.
    Decision,
}

/// Queues work in the caller's transaction, in one statement, and wakes the workers.
pub async fn enqueue(conn: &mut Conn, jobs: &[NewJob], ask: Ask) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_str()).collect();
    let payloads: Vec<&Value> = jobs.iter().map(|job| &job.payload).collect();
    let keys: Vec<Option<&str>> = jobs.iter().map(|job| job.unique_key.as_deref()).collect();
    let priorities: Vec<i16> = jobs.iter().map(|job| job.priority).collect();
    let attempts: Vec<i32> = jobs.iter().map(|job| job.attempts_max).collect();
    let times: Vec<_> = jobs.iter().map(|job| job.run_at.map(timestamptz)).collect();
    let on_conflict = match ask {
        Ask::Hint => {
            "run_at = CASE jobs.attempt WHEN 0 THEN least(jobs.run_at, excluded.run_at)
                      ELSE jobs.run_at END"
        }
        Ask::Decision => "run_at = excluded.run_at, attempt = 0, last_error = NULL",
    };
    // Keys are taken in one order, so that two who queue the same do not lock each other out.
    diesel::sql_query(format!(
        "WITH asked AS (
             SELECT DISTINCT ON (coalesce(unique_key, position::text)) * FROM
                 unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
                 AS it (kind, payload, unique_key, priority, attempts_max, run_at, position)
             ORDER BY coalesce(unique_key, position::text)
         ), superseded AS (
             DELETE FROM jobs USING asked
             WHERE jobs.unique_key = asked.unique_key AND jobs.state = 'failed'
         ), queued AS (
             INSERT INTO jobs (kind, payload, unique_key, priority, attempts_max, run_at)
             SELECT kind, payload, unique_key, priority, attempts_max, coalesce(run_at, now())
             FROM asked
             ON CONFLICT (unique_key, state) WHERE unique_key IS NOT NULL AND state <> 'done'
             DO UPDATE SET {on_conflict}
         )
         SELECT pg_notify('drover', 'jobs')"
    ))
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Jsonb>, _>(payloads)
    .bind::<Array<Nullable<Text>>, _>(keys)
    .bind::<Array<SmallInt>, _>(priorities)
    .bind::<Array<Integer>, _>(attempts)
    .bind::<Array<Nullable<Timestamptz>>, _>(times)
    .execute(conn)
    .await?;
    Ok(())
}

/// Proof that a job was claimed: whoever claims it later gets a larger token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    pub(super) job: JobId,
    pub(super) token: i64,
}

impl Fence {
    #[must_use]
    pub fn job(&self) -> JobId {
        self.job
    }
}

/// A job that this server holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedJob {
    pub id: JobId,
    pub kind: String,
    pub payload: Value,
    /// From 1.
    pub attempt: u32,
    pub attempts_max: u32,
    pub fence: Fence,
}

/// Claims up to `limit` jobs of one kind that are due, the most urgent first.
pub async fn claim(
    conn: &mut Conn,
    kind: &str,
    limit: i64,
    by: &str,
    lease: Duration,
) -> Result<Vec<ClaimedJob>, StoreError> {
    let rows: Vec<ClaimRow> = diesel::sql_query(
        "WITH due AS (
             SELECT id FROM jobs it
             WHERE state = 'waiting' AND kind = $1 AND run_at <= now() AND NOT EXISTS (
                 SELECT FROM jobs other
                 WHERE other.unique_key = it.unique_key AND other.state = 'running')
             ORDER BY priority, run_at, id LIMIT $2
             FOR UPDATE SKIP LOCKED
         )
         UPDATE jobs SET state = 'running', attempt = least(attempt + 1, attempts_max),
             leased_by = $3, leased_until = clock_timestamp() + make_interval(secs => $4),
             fence = nextval('job_fences')
         FROM due WHERE jobs.id = due.id
         RETURNING jobs.id, kind, payload, attempt, attempts_max, fence",
    )
    .bind::<Text, _>(kind)
    .bind::<BigInt, _>(limit)
    .bind::<Text, _>(by)
    .bind::<Double, _>(lease.as_secs_f64())
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(ClaimedJob::from).collect())
}

/// Renews leases; gives the jobs that are still held.
pub async fn renew(
    conn: &mut Conn,
    held: &[Fence],
    lease: Duration,
) -> Result<Vec<JobId>, StoreError> {
    let rows: Vec<IdRow> = diesel::sql_query(
        "UPDATE jobs SET leased_until = clock_timestamp() + make_interval(secs => $3)
         FROM unnest($1, $2) AS held (id, fence)
         WHERE jobs.id = held.id AND jobs.fence = held.fence AND state = 'running'
           AND leased_until > clock_timestamp()
         RETURNING jobs.id",
    )
    .bind::<Array<SqlUuid>, _>(held.iter().map(|fence| fence.job.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(held.iter().map(|fence| fence.token).collect::<Vec<_>>())
    .bind::<Double, _>(lease.as_secs_f64())
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id.0).collect())
}

/// What becomes of a job that a server held.
#[derive(Clone, Debug, PartialEq)]
pub enum Finish {
    Done,
    /// It failed and is tried again, as long as attempts are left.
    Retry {
        delay: Duration,
        error: String,
    },
    /// It failed and waits until a person mends something.
    Fail {
        error: String,
    },
    /// It waits until a person chooses what to do about commits of others.
    Drift {
        error: String,
    },
    /// Nothing failed: it goes on later, and this attempt does not count.
    Snooze {
        delay: Duration,
        /// What it waits for, where people are to know.
        waits_for: Option<String>,
    },
}

/// Ends the hold on a job. What was asked for while it ran stands beside it and takes over
/// where this one would wait.
pub async fn finish(conn: &mut Conn, fence: Fence, finish: &Finish) -> Result<(), StoreError> {
    let (action, delay, error) = match finish {
        Finish::Done => ("done", Duration::ZERO, None),
        Finish::Retry { delay, error } => ("retry", *delay, Some(error.as_str())),
        Finish::Fail { error } => ("fail", Duration::ZERO, Some(error.as_str())),
        Finish::Drift { error } => ("drift", Duration::ZERO, Some(error.as_str())),
        Finish::Snooze { delay, waits_for } => ("snooze", *delay, waits_for.as_deref()),
    };
    let finished = diesel::sql_query(
        "WITH held AS (
             SELECT id, unique_key, attempt,
                 CASE WHEN $3 = 'done' THEN 'done'
                      WHEN EXISTS (SELECT FROM jobs twin
                                   WHERE twin.unique_key = it.unique_key
                                     AND twin.state = 'waiting') THEN 'done'
                      WHEN $3 IN ('fail', 'drift')
                           OR $3 = 'retry' AND attempt >= attempts_max THEN 'failed'
                      ELSE 'waiting' END AS next
             FROM jobs it WHERE id = $1 AND fence = $2 AND state = 'running' FOR UPDATE
         ), ended AS (
             UPDATE jobs SET state = held.next,
                 attempt = CASE $3 WHEN 'snooze' THEN jobs.attempt - 1 ELSE jobs.attempt END,
                 run_at = CASE held.next WHEN 'waiting' THEN now() + make_interval(secs => $4)
                          ELSE run_at END,
                 last_error = coalesce($5, CASE $3 WHEN 'done' THEN NULL ELSE last_error END),
                 finished_at = CASE WHEN held.next IN ('done', 'failed') THEN now() END,
                 failure = CASE WHEN held.next = 'failed'
                     THEN CASE $3 WHEN 'drift' THEN 'drift' ELSE 'error' END END,
                 leased_until = NULL, leased_by = NULL, fence = NULL
             FROM held WHERE jobs.id = held.id
             RETURNING jobs.unique_key
         )
         SELECT pg_notify('drover', 'jobs') FROM ended",
    )
    .bind::<SqlUuid, _>(fence.job.0)
    .bind::<BigInt, _>(fence.token)
    .bind::<Text, _>(action)
    .bind::<Double, _>(delay.as_secs_f64())
    .bind::<Nullable<Text>, _>(error)
    .execute(conn)
    .await?;
    if finished == 0 {
        return Err(StoreError::LeaseLost { job: fence.job });
    }
    Ok(())
}

/// Makes sure that a job is still held, and keeps it so until the end of the transaction.
pub async fn hold(conn: &mut Conn, fence: Fence) -> Result<(), StoreError> {
    let held = diesel::sql_query(
        "SELECT FROM jobs WHERE id = $1 AND fence = $2 AND state = 'running'
             AND leased_until > clock_timestamp() FOR SHARE",
    )
    .bind::<SqlUuid, _>(fence.job.0)
    .bind::<BigInt, _>(fence.token)
    .execute(conn)
    .await?;
    if held == 0 {
        return Err(StoreError::LeaseLost { job: fence.job });
    }
    Ok(())
}

/// Lets the work on changesets that waits without a failure go on now, such as when a credential
/// works again.
pub async fn wake_waiting(conn: &mut Conn) -> Result<(), StoreError> {
    diesel::sql_query(
        "WITH woken AS (
             UPDATE jobs SET run_at = now()
             WHERE state = 'waiting' AND kind IN ('reconcile', 'sync') AND attempt = 0
               AND run_at > now()
             RETURNING id
         )
         SELECT pg_notify('drover', 'jobs') FROM woken LIMIT 1",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes jobs back from servers that did not renew their leases; gives how many.
pub async fn rescue(conn: &mut Conn) -> Result<usize, StoreError> {
    give_up(conn, "leased_until < clock_timestamp()", "", "the server that worked on it is gone")
        .await
}

/// Hands back all jobs that a server holds, when it stops; their attempts do not count.
pub async fn hand_back(conn: &mut Conn, by: &str) -> Result<usize, StoreError> {
    give_up(conn, "leased_by = $1", by, "").await
}

/// Ends holds without an outcome. A job whose twin waits is done: the twin does its work.
async fn give_up(conn: &mut Conn, which: &str, by: &str, error: &str) -> Result<usize, StoreError> {
    Ok(diesel::sql_query(format!(
        "WITH lost AS (
             SELECT id,
                 CASE WHEN EXISTS (SELECT FROM jobs twin WHERE twin.unique_key = it.unique_key
                                     AND twin.state = 'waiting') THEN 'done'
                      WHEN $2 <> '' AND attempt >= attempts_max THEN 'failed'
                      ELSE 'waiting' END AS next
             FROM jobs it WHERE state = 'running' AND ($1 IS NOT NULL AND {which})
             FOR UPDATE SKIP LOCKED
         ), ended AS (
             UPDATE jobs SET state = lost.next,
                 attempt = CASE $2 WHEN '' THEN jobs.attempt - 1 ELSE jobs.attempt END,
                 run_at = now(), last_error = coalesce(nullif($2, ''), last_error),
                 finished_at = CASE WHEN lost.next IN ('done', 'failed') THEN now() END,
                 failure = CASE lost.next WHEN 'failed' THEN 'error' END,
                 leased_until = NULL, leased_by = NULL, fence = NULL
             FROM lost WHERE jobs.id = lost.id
             RETURNING jobs.id
         )
         SELECT pg_notify('drover', 'jobs') FROM ended"
    ))
    .bind::<Text, _>(by)
    .bind::<Text, _>(error)
    .execute(conn)
    .await?)
}

/// Runs the failed or waiting job of a key now, with fresh attempts; says whether there is one.
pub async fn retry_now(conn: &mut Conn, unique_key: &str) -> Result<bool, StoreError> {
    let revived = diesel::sql_query(
        "WITH revived AS (
             UPDATE jobs SET state = 'waiting', attempt = 0, run_at = now(), finished_at = NULL,
                 failure = NULL
             WHERE unique_key = $1 AND (state = 'waiting' OR state = 'failed' AND NOT EXISTS (
                 SELECT FROM jobs twin WHERE twin.unique_key = $1 AND twin.state = 'waiting'))
             RETURNING id
         )
         SELECT pg_notify('drover', 'jobs') FROM revived",
    )
    .bind::<Text, _>(unique_key)
    .execute(conn)
    .await?;
    Ok(revived > 0)
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<JobId>,
}

#[derive(QueryableByName)]
struct ClaimRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<JobId>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Jsonb)]
    payload: Value,
    #[diesel(sql_type = Integer)]
    attempt: Db<u32>,
    #[diesel(sql_type = Integer)]
    attempts_max: Db<u32>,
    #[diesel(sql_type = BigInt)]
    fence: i64,
}

impl From<ClaimRow> for ClaimedJob {
    fn from(row: ClaimRow) -> Self {
        let ClaimRow { id, kind, payload, attempt, attempts_max, fence } = row;
        Self {
            id: id.0,
            kind,
            payload,
            attempt: attempt.0,
            attempts_max: attempts_max.0,
            fence: Fence { job: id.0, token: fence },
        }
    }
}
