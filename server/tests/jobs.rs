//! The queue: claims, leases, fences, retries, hints.

use crate::support::db::TestDb;
use drover_server::{
    jobs::{Hints, Limits, Topic, Worker, hints},
    store::{
        StoreError,
        jobs::{self, Ask, ClaimedJob, Finish, NewJob},
    },
};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LEASE: Duration = Duration::from_secs(30);
/// A test that waits longer has failed.
const WAIT_MAX: Duration = Duration::from_secs(60);

fn job(key: &str) -> NewJob {
    NewJob::new("work", json!({ "key": key })).unique(key.to_owned())
}

async fn enqueue(db: &TestDb, job: NewJob, ask: Ask) {
    jobs::enqueue(&mut *db.conn().await, &[job], ask).await.unwrap();
}

async fn claim(db: &TestDb, by: &str) -> Vec<ClaimedJob> {
    jobs::claim(&mut *db.conn().await, "work", 10, by, LEASE).await.unwrap()
}

async fn claim_one(db: &TestDb, by: &str) -> ClaimedJob {
    claim(db, by).await.pop().expect("a job is due")
}

async fn finish(db: &TestDb, job: &ClaimedJob, finish: Finish) -> Result<(), StoreError> {
    jobs::finish(&mut *db.conn().await, job.fence, &finish).await
}

async fn states(db: &TestDb, key: &str) -> String {
    use diesel_async::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        states: String,
    }
    let row: Row = diesel::sql_query(format!(
        "SELECT coalesce(string_agg(state, ' ' ORDER BY state), '') AS states
         FROM jobs WHERE unique_key = '{key}'"
    ))
    .get_result(&mut *db.conn().await)
    .await
    .unwrap();
    row.states
}

#[tokio::test]
async fn work_that_waits_already_is_queued_once() {
    let db = TestDb::new().await;
    enqueue(&db, job("a"), Ask::Hint).await;
    enqueue(&db, job("a"), Ask::Decision).await;
    assert_eq!(states(&db, "a").await, "waiting");
}

#[tokio::test]
async fn two_claims_at_once_get_different_jobs() {
    let db = TestDb::new().await;
    for number in 0..8 {
        enqueue(&db, job(&number.to_string()), Ask::Hint).await;
    }
    let (one, two, three) = tokio::join!(claim(&db, "1"), claim(&db, "2"), claim(&db, "3"));
    let mut all: Vec<_> = [one, two, three].concat().iter().map(|job| job.id).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 8);
}

#[tokio::test]
async fn what_is_asked_for_while_it_runs_runs_afterwards() {
    let db = TestDb::new().await;
    enqueue(&db, job("a"), Ask::Hint).await;
    let first = claim_one(&db, "1").await;
    enqueue(&db, job("a"), Ask::Hint).await;
    assert!(claim(&db, "2").await.is_empty(), "one key ran twice at once");
    finish(&db, &first, Finish::Done).await.unwrap();
    let second = claim_one(&db, "2").await;
    assert_ne!(second.id, first.id);
    assert_eq!(states(&db, "a").await, "done running");
}

#[tokio::test]
async fn a_failed_attempt_leaves_its_work_to_a_twin_that_waits() {
    let db = TestDb::new().await;
    enqueue(&db, job("a"), Ask::Hint).await;
    let first = claim_one(&db, "1").await;
    enqueue(&db, job("a"), Ask::Hint).await;
    let retry = Finish::Retry { delay: LEASE, error: "no".to_owned() };
    finish(&db, &first, retry).await.unwrap();
    assert_eq!(states(&db, "a").await, "done waiting");
}

#[tokio::test]
async fn attempts_end_and_a_person_starts_them_anew() {
    let db = TestDb::new().await;
    enqueue(&db, NewJob { attempts_max: 2, ..job("a") }, Ask::Hint).await;
    for attempt in 1..=2 {
        let claimed = claim_one(&db, "1").await;
        assert_eq!(claimed.attempt, attempt);
        let retry = Finish::Retry { delay: Duration::ZERO, error: "no".to_owned() };
        finish(&db, &claimed, retry).await.unwrap();
    }
    assert_eq!(states(&db, "a").await, "failed");
    assert!(jobs::retry_now(&mut *db.conn().await, "a").await.unwrap());
    assert_eq!(claim_one(&db, "1").await.attempt, 1);
}

#[tokio::test]
async fn a_decision_takes_the_place_of_a_failure() {
    let db = TestDb::new().await;
    enqueue(&db, job("a"), Ask::Hint).await;
    let claimed = claim_one(&db, "1").await;
    finish(&db, &claimed, Finish::Drift { error: "theirs".to_owned() }).await.unwrap();
    assert_eq!(states(&db, "a").await, "failed");
    enqueue(&db, job("a"), Ask::Decision).await;
    assert_eq!(states(&db, "a").await, "waiting");
}

#[tokio::test]
async fn a_hint_does_not_end_the_pause_after_a_failure_and_a_decision_does() {
    let db = TestDb::new().await;
    enqueue(&db, job("a"), Ask::Hint).await;
    let claimed = claim_one(&db, "1").await;
    let retry = Finish::Retry { delay: LEASE, error: "no".to_owned() };
    finish(&db, &claimed, retry).await.unwrap();
    enqueue(&db, job("a"), Ask::Hint).await;
    assert!(claim(&db, "1").await.is_empty());
    enqueue(&db, job("a"), Ask::Decision).await;
    assert_eq!(claim_one(&db, "1").await.attempt, 1);
}

#[tokio::test]
async fn who_lost_the_lease_can_neither_finish_nor_write() {
    let db = TestDb::new().await;
    enqueue(&db, job("a"), Ask::Hint).await;
    let old = claim_one(&db, "1").await;
    db.run("UPDATE jobs SET leased_until = now() - interval '1 second'").await;
    assert_eq!(jobs::rescue(&mut *db.conn().await).await.unwrap(), 1);
    let new = claim_one(&db, "2").await;
    assert_eq!(new.attempt, 2);
    let conn = &mut *db.conn().await;
    assert!(matches!(jobs::hold(conn, old.fence).await, Err(StoreError::LeaseLost { .. })));
    assert!(matches!(finish(&db, &old, Finish::Done).await, Err(StoreError::LeaseLost { .. })));
    assert!(jobs::renew(conn, &[old.fence], LEASE).await.unwrap().is_empty());
    assert_eq!(jobs::renew(conn, &[new.fence], LEASE).await.unwrap(), [new.id]);
    jobs::hold(conn, new.fence).await.unwrap();
}

#[tokio::test]
async fn a_server_that_stops_hands_its_jobs_back_without_counting_the_attempt() {
    let db = TestDb::new().await;
    enqueue(&db, job("a"), Ask::Hint).await;
    claim_one(&db, "1").await;
    assert_eq!(jobs::hand_back(&mut *db.conn().await, "2").await.unwrap(), 0);
    assert_eq!(jobs::hand_back(&mut *db.conn().await, "1").await.unwrap(), 1);
    assert_eq!(claim_one(&db, "2").await.attempt, 1);
}

#[tokio::test]
async fn a_worker_runs_what_is_queued_and_stops_cleanly() {
    let db = TestDb::new().await;
    let hints = Hints::default();
    let stop = CancellationToken::new();
    let (sender, mut ran) = tokio::sync::mpsc::unbounded_channel();
    let worker =
        Worker::new(db.store.clone(), hints.clone(), "me".to_owned(), Limits::from([("work", 2)]));
    let listening = tokio::spawn({
        let (url, stop) = (db.store.url().to_owned(), stop.clone());
        async move { hints.run(&url, stop).await }
    });
    let working = tokio::spawn({
        let stop = stop.clone();
        let handler = move |job: ClaimedJob, _: CancellationToken| {
            let sender = sender.clone();
            async move {
                sender.send(job.payload["key"].clone())?;
                assert_ne!(job.payload["key"], json!("panics"), "a handler may panic");
                Ok(Finish::Done)
            }
        };
        async move { worker.run(handler, stop).await }
    });
    for key in ["a", "panics", "b"] {
        enqueue(&db, job(key), Ask::Hint).await;
    }
    for _ in 0..3 {
        tokio::time::timeout(WAIT_MAX, ran.recv()).await.unwrap().unwrap();
    }
    stop.cancel();
    tokio::time::timeout(WAIT_MAX, working).await.unwrap().unwrap();
    listening.await.unwrap();
    assert_eq!(states(&db, "a").await, "done");
    assert_eq!(states(&db, "panics").await, "waiting");
}

#[tokio::test]
async fn hints_arrive_and_come_back_after_a_cut_connection() {
    let db = TestDb::new().await;
    let (all, stop) = (Hints::default(), CancellationToken::new());
    let mut reader = all.subscribe();
    let listening = tokio::spawn({
        let (url, stop) = (db.store.url().to_owned(), stop.clone());
        async move { all.run(&url, stop).await }
    });
    for _ in 0..2 {
        let next = hints::next(&mut reader, |_| true);
        let started = tokio::time::timeout(WAIT_MAX, next).await.unwrap();
        assert_eq!(started, Some(Topic::Everything));
        db.run("NOTIFY drover, 'jobs'").await;
        let next = hints::next(&mut reader, |_| true);
        assert_eq!(tokio::time::timeout(WAIT_MAX, next).await.unwrap(), Some(Topic::Jobs));
        db.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND query LIKE 'LISTEN%'",
        )
        .await;
    }
    stop.cancel();
    listening.await.unwrap();
}
