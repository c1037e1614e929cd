//! The store: what the schema promises, races, budgets, the derived status.

use crate::support::builders::{ALL, World, on_branch};
use diesel_async::AsyncConnection;
use drover::{
    changeset::{
        Closer, Filing, Observed, PullState,
        status::{Repository as Standing, StatusFacts, Work, status},
    },
    id::{ChangesetId, DraftId, ExecutionId, UserId, WorkspaceId},
    names::HostRepoId,
    view::execution::{ExecutionState, LogStream, WorkspaceState},
    viewer::Role,
};
use drover_server::store::{
    Conn, Constraint, StoreError,
    budgets::{self, Spend},
    campaigns, changeset_rows,
    changesets::{self, Record},
    code_hosts::WriteLimits,
    deliveries::{self, Delivery},
    drafts,
    effects::{self, Begin, Outcome},
    executions::{self, Moved},
    janitor,
    jobs::{self, Ask, NewJob},
    logs::{self, NewLines},
    pulls,
    repositories::{self, Archive, RepositoryState, SeenRepository},
    rewire::rewire,
    sessions, tokens, users, workspaces,
};
use std::time::Duration;
use uuid::Uuid;

/// A world with one changeset.
async fn with_changeset() -> (World, ChangesetId) {
    let world = World::new().await;
    let repos = world.repos(&["acme/web"]).await;
    let spec = world.spec("x", &[on_branch(&repos[0], "drover/x", "Title")]).await;
    let campaign = world.accept(spec).await;
    let conn = &mut *world.db.conn().await;
    let _ = rewire(conn, campaign, spec, ALL).await.unwrap();
    let facts = changesets::list_all(conn, campaign, changesets::Lock::None, 10).await.unwrap();
    let id = facts[0].id;
    (world, id)
}

/// Holds the SQL expression for the status against the domain, over every combination.
#[tokio::test]
async fn the_status_in_sql_is_the_status_of_the_domain() {
    let (world, id) = with_changeset().await;
    let repo = changesets::load(&mut *world.db.conn().await, id).await.unwrap().repo;
    let pulls = [None]
        .into_iter()
        .chain([
            Some(PullState::Draft),
            Some(PullState::Open),
            Some(PullState::Closed),
            Some(PullState::Merged),
            Some(PullState::Deleted),
            Some(PullState::ReadOnly),
        ])
        .collect::<Vec<_>>();
    for (filing, repository) in [
        (Filing::Active, Standing::Writable),
        (Filing::Active, Standing::Archived),
        (Filing::Archived, Standing::Writable),
    ] {
        for &pull in &pulls {
            for work in Work::ALL {
                let facts = StatusFacts { filing, pull, repository, work };
                set_facts(&world, id, repo, facts).await;
                let row = changeset_rows::load(&mut *world.db.conn().await, id).await.unwrap();
                assert_eq!(row.status, status(facts), "{facts:?}");
            }
        }
    }
}

async fn set_facts(world: &World, id: ChangesetId, repo: drover::id::RepoId, facts: StatusFacts) {
    let StatusFacts { filing, pull, repository, work } = facts;
    let archived = repository == Standing::Archived;
    let filed = match filing {
        Filing::Active => "intent = 'publish', archived_at = NULL",
        Filing::Archived => "intent = 'archive', archived_at = now()",
        Filing::Detached => "intent = 'detach', detached_at = now()",
    };
    let key = format!("reconcile:{id}");
    let queue = |set: &str| {
        format!(
            "INSERT INTO jobs (kind, payload, unique_key, attempts_max) VALUES ('reconcile', '{{}}',
             '{key}', 10); UPDATE jobs SET {set} WHERE unique_key = '{key}'"
        )
    };
    let job = match work {
        Work::Idle => String::new(),
        Work::Queued => queue("attempt = 0"),
        Work::Retrying => queue("attempt = 1"),
        Work::Running => {
            queue("state = 'running', leased_until = now(), leased_by = 'me', fence = 1")
        }
        Work::Failed => {
            queue("state = 'failed', failure = 'error', last_error = 'no', finished_at = now()")
        }
        Work::Drift => {
            queue("state = 'failed', failure = 'drift', last_error = 'no', finished_at = now()")
        }
    };
    world
        .db
        .run(&format!(
            "DELETE FROM jobs; UPDATE repositories SET archived = {archived};
             UPDATE changesets SET {filed}, pull_id = NULL WHERE id = '{id}'; {job}"
        ))
        .await;
    if let Some(state) = pull {
        let pull = world.pull(repo, 1, state).await;
        let conn = &mut *world.db.conn().await;
        changesets::record(conn, id, &Record::Pull(pull)).await.unwrap();
    }
}

#[tokio::test]
async fn a_branch_is_taken_by_one_live_changeset_only() {
    let (world, id) = with_changeset().await;
    let copy = format!(
        "INSERT INTO changesets (campaign_id, repository_id, kind, branch, spec_id)
         SELECT campaign_id, repository_id, kind, branch, spec_id FROM changesets WHERE id = '{id}'"
    );
    let conn = &mut *world.db.conn().await;
    let error = run(conn, &copy).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict(Constraint::LiveBranch)), "{error:?}");
    world.db.run("UPDATE changesets SET intent = 'archive', archived_at = now()").await;
    run(conn, &copy).await.unwrap();
}

async fn run(conn: &mut Conn, sql: &str) -> Result<usize, StoreError> {
    use diesel_async::RunQueryDsl;
    Ok(diesel::sql_query(sql).execute(conn).await?)
}

#[tokio::test]
async fn the_timeline_only_grows() {
    let (world, _) = with_changeset().await;
    let conn = &mut *world.db.conn().await;
    assert!(run(conn, "DELETE FROM timeline").await.is_err());
    assert!(run(conn, "UPDATE timeline SET text = 'x'").await.is_err());
}

#[tokio::test]
async fn names_of_people_and_organisations_are_unique_in_any_case() {
    let world = World::new().await;
    let conn = &mut *world.db.conn().await;
    let (id, namespace) = (UserId(Uuid::new_v4()), drover::id::NamespaceId(Uuid::new_v4()));
    let name = "ADA".parse().unwrap();
    let error = users::insert_user(conn, id, namespace, &name, Role::Member).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict(Constraint::NamespaceName)), "{error:?}");
    assert_eq!(users::find_user(conn, &name).await.unwrap(), Some(world.user));
    let viewer = users::load_viewer(conn, world.user).await.unwrap();
    assert_eq!((viewer.role, viewer.namespaces.len()), (Role::Admin, 1));
    assert!(users::any_user(conn).await.unwrap());
}

#[tokio::test]
async fn a_budget_grants_no_more_than_its_limits() {
    let world = World::new().await;
    let credential = world.credential().await;
    let limits = WriteLimits { per_minute: 3, per_hour: 4, gap_millis: 0 };
    let spend = async || {
        let conn = &mut *world.db.conn().await;
        budgets::spend_write(conn, credential, limits).await.unwrap()
    };
    let asked = tokio::join!(spend(), spend(), spend(), spend(), spend());
    let asked: [Spend; 5] = asked.into();
    assert_eq!(asked.iter().filter(|it| **it == Spend::Granted).count(), 3, "{asked:?}");
    world.db.run("UPDATE write_spends SET at = at - interval '2 minutes'").await;
    assert_eq!(spend().await, Spend::Granted);
    let Spend::WaitUntil(at) = spend().await else { panic!("the hour is used up") };
    let wait = world.db.count("SELECT (extract(epoch FROM now()) * 1000)::bigint").await;
    assert!((57 * 60_000..=59 * 60_000).contains(&(at.0 - wait)), "{}", at.0 - wait);
}

#[tokio::test]
async fn writes_keep_their_distance() {
    let world = World::new().await;
    let credential = world.credential().await;
    let conn = &mut *world.db.conn().await;
    let limits = crate::support::builders::LIMITS;
    assert_eq!(budgets::spend_write(conn, credential, limits).await.unwrap(), Spend::Granted);
    let second = budgets::spend_write(conn, credential, limits).await.unwrap();
    assert!(matches!(second, Spend::WaitUntil(_)));
    assert_eq!(budgets::count(conn, credential).await.unwrap().last_minute, 1);
}

#[tokio::test]
async fn an_unresolved_write_stands_before_the_next() {
    let (world, id) = with_changeset().await;
    let conn = &mut *world.db.conn().await;
    let job = jobs::claim(conn, "reconcile", 1, "me", Duration::from_secs(30)).await.unwrap();
    let request = serde_json::json!({ "title": "x" });
    let Begin::Intended(effect) =
        effects::begin(conn, &job[0], id, "open_pull", &request).await.unwrap()
    else {
        panic!("nothing is unresolved")
    };
    let none = serde_json::Value::Null;
    effects::finish(conn, job[0].fence, effect, Outcome::Unknown, &none).await.unwrap();
    let next = effects::begin(conn, &job[0], id, "open_pull", &request).await.unwrap();
    assert!(matches!(next, Begin::Unresolved(it) if it.id == effect));
    effects::finish(conn, job[0].fence, effect, Outcome::Done, &none).await.unwrap();
    let next = effects::begin(conn, &job[0], id, "push", &request).await.unwrap();
    assert!(matches!(next, Begin::Intended(_)));
    world.db.run("UPDATE jobs SET leased_until = now() - interval '1 second'").await;
    let late = effects::begin(conn, &job[0], id, "push", &request).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })));
}

#[tokio::test]
async fn who_closed_a_pull_request_is_kept() {
    let (world, id) = with_changeset().await;
    let repo = changesets::load(&mut *world.db.conn().await, id).await.unwrap().repo;
    let pull = world.pull(repo, 1, PullState::Open).await;
    let conn = &mut *world.db.conn().await;
    changesets::record(conn, id, &Record::Pull(pull)).await.unwrap();
    pulls::mark_closed_by_drover(conn, pull).await.unwrap();
    world.pull(repo, 1, PullState::Closed).await;
    let facts = changesets::load(conn, id).await.unwrap();
    assert_eq!(facts.closed_by, Closer::Drover);
    assert!(matches!(facts.observed, Observed::Pull(it) if it.state == PullState::Closed));
    world.pull(repo, 1, PullState::Open).await;
    world.pull(repo, 1, PullState::Closed).await;
    assert_eq!(changesets::load(conn, id).await.unwrap().closed_by, Closer::Person);
}

#[tokio::test]
async fn an_execution_is_watched_from_start_to_end() {
    let world = World::new().await;
    let repos = world.repos(&["acme/web", "acme/api"]).await;
    let spec = world.bare_spec("x").await;
    let conn = &mut *world.db.conn().await;
    let id = ExecutionId(Uuid::new_v4());
    executions::insert(conn, id, spec).await.unwrap();
    let new: Vec<_> = repos
        .iter()
        .map(|repo| workspaces::NewWorkspace {
            id: WorkspaceId(Uuid::new_v4()),
            repo: repo.id,
            branch: "main".parse().unwrap(),
            base_commit: None,
        })
        .collect();
    workspaces::insert(conn, id, 2, &new).await.unwrap();
    let running = executions::update_state(conn, id, &ExecutionState::Running).await.unwrap();
    assert_eq!(running, Moved::Yes);
    let step = WorkspaceState::Step { step: 1 };
    assert_eq!(workspaces::update_state(conn, new[0].id, &step).await.unwrap(), Moved::Yes);
    let line = |text: &str| NewLines { step: 1, stream: LogStream::Stdout, text: text.to_owned() };
    logs::append(conn, new[0].id, &[line("one\0"), line("two")]).await.unwrap();
    let page = logs::read(conn, new[0].id, 0).await.unwrap();
    let texts: Vec<&str> = page.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!((texts, page.open), (vec!["one\u{fffd}", "two"], true));
    assert!(logs::read(conn, new[0].id, page.next).await.unwrap().lines.is_empty());
    for odd in [i64::MIN, -1, i64::MAX] {
        let page = logs::read(conn, new[0].id, odd).await.unwrap();
        assert_eq!(page.lines.len(), if odd < 0 { 2 } else { 0 });
    }

    let failed = WorkspaceState::Failed { step: Some(1), reason: "exit code 1".to_owned() };
    assert_eq!(workspaces::update_state(conn, new[0].id, &failed).await.unwrap(), Moved::Yes);
    workspaces::cancel_all(conn, id).await.unwrap();
    let late = workspaces::update_state(conn, new[1].id, &step).await.unwrap();
    assert_eq!(late, Moved::No, "a workspace that is over stays over");
    executions::add_warnings(conn, id, &["one".to_owned()]).await.unwrap();
    assert_eq!(
        executions::update_state(conn, id, &ExecutionState::Cancelled).await.unwrap(),
        Moved::Yes
    );
    let page = executions::load_page(conn, id, None).await.unwrap();
    assert_eq!((page.counts.failed, page.warnings.len()), (2, 1));
    assert_eq!(page.workspaces.rows[0].state, failed);
    assert_eq!(page.state, ExecutionState::Cancelled);
    assert_eq!(workspaces::list_failed(conn, id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_janitor_deletes_what_expired_and_nothing_else() {
    let (world, _) = with_changeset().await;
    let unapplied = world.spec("y", &[]).await;
    let conn = &mut *world.db.conn().await;
    let draft = DraftId(Uuid::new_v4());
    drafts::insert(conn, draft, world.user, world.namespace, "x").await.unwrap();
    assert_eq!(janitor::sweep(conn).await.unwrap(), janitor::Swept::default());
    world
        .db
        .run(
            "UPDATE campaign_specs SET created_at = now() - interval '8 days',
                 expires_at = now() - interval '1 day';
             UPDATE drafts SET created_at = now() - interval '8 days'",
        )
        .await;
    let swept = janitor::sweep(conn).await.unwrap();
    let expected = janitor::Swept { campaign_specs: 1, drafts: 1, ..janitor::Swept::default() };
    assert_eq!(swept, expected);
    let left = format!("SELECT count(*) FROM campaign_specs WHERE id = '{unapplied}'");
    assert_eq!(world.db.count(&left).await, 0);
    assert_eq!(world.db.count("SELECT count(*) FROM changeset_specs").await, 1);
}

#[tokio::test]
async fn secrets_are_found_by_their_digest_while_they_last() {
    let world = World::new().await;
    let conn = &mut *world.db.conn().await;
    let (session, token, setup) = ([1; 32], [2; 32], [3; 32]);
    sessions::insert(conn, &session, world.user).await.unwrap();
    assert_eq!(sessions::find(conn, &session).await.unwrap(), Some(world.user));
    world.db.run("UPDATE sessions SET seen_at = now() - interval '13 hours'").await;
    assert_eq!(sessions::find(conn, &session).await.unwrap(), None);
    let new = tokens::NewToken {
        id: Uuid::new_v4(),
        user: world.user,
        label: "cli",
        digest: &token,
        expires_at: None,
    };
    tokens::insert(conn, &new).await.unwrap();
    assert_eq!(tokens::find(conn, &token).await.unwrap(), Some(world.user));
    assert_eq!(tokens::find(conn, &setup).await.unwrap(), None);
    tokens::set_setup_token(conn, &setup).await.unwrap();
    assert_eq!(tokens::use_setup_token(conn, &token).await.unwrap(), tokens::Setup::Refused);
    assert_eq!(tokens::use_setup_token(conn, &setup).await.unwrap(), tokens::Setup::Accepted);
    assert_eq!(tokens::use_setup_token(conn, &setup).await.unwrap(), tokens::Setup::Refused);
}

#[tokio::test]
async fn a_delivery_is_news_once() {
    let world = World::new().await;
    let conn = &mut *world.db.conn().await;
    for expected in [Delivery::New, Delivery::Repeated] {
        let delivery = deliveries::insert(conn, world.code_host, "guid", "push", b"{}").await;
        assert_eq!(delivery.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_repository_keeps_its_row_when_it_is_seen_again() {
    let world = World::new().await;
    let first = world.repos(&["acme/web", "acme/api"]).await;
    let second = world.repos(&["Acme/Web"]).await;
    assert_eq!(second[0].id, first[1].id);
    assert_eq!(second[0].topics, ["one", "two"]);
    let conn = &mut *world.db.conn().await;
    let name = "ACME/WEB".parse().unwrap();
    let found = repositories::find(conn, world.code_host, &name).await.unwrap().unwrap();
    assert_eq!(found.name.as_str(), "Acme/Web");
}

/// A repository as it is seen under a name, with the number that is the repository.
fn seen_as(id: i64, name: &str) -> SeenRepository {
    SeenRepository {
        id: HostRepoId(id),
        name: name.parse().unwrap(),
        default_branch: "main".parse().unwrap(),
        archive: Archive::Active,
        language: None,
        topics: Vec::new(),
    }
}

#[tokio::test]
async fn a_repository_is_its_number_and_not_its_name() {
    let world = World::new().await;
    let conn = &mut *world.db.conn().await;
    let host = world.code_host;
    let first = [seen_as(1, "acme/a"), seen_as(2, "acme/b")];
    let rows = repositories::upsert(conn, host, &first).await.unwrap();
    let (one, two) = (rows[0].id, rows[1].id);
    // They change names, and a third is made under a name that one of them had.
    let swapped = [seen_as(1, "acme/b"), seen_as(2, "acme/c"), seen_as(3, "acme/a")];
    let rows = repositories::upsert(conn, host, &swapped).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.id)).collect();
    assert_eq!((ids[1], ids[2]), (("acme/b", one), ("acme/c", two)));
    assert!(ids[0].0 == "acme/a" && ids[0].1 != one, "{ids:?}");

    // One that is seen under the name of another takes it from that one.
    repositories::upsert(conn, host, &[seen_as(9, "acme/b")]).await.unwrap();
    assert!(repositories::load(conn, one).await.unwrap().name_lost_at.is_some());
    let state = RepositoryState {
        repo: one,
        id: HostRepoId(1),
        name: "acme/found".parse().unwrap(),
        default_branch: Some("next".parse().unwrap()),
        archive: Archive::Archived,
    };
    repositories::record(conn, host, &[state]).await.unwrap();
    let row = repositories::load(conn, one).await.unwrap();
    assert_eq!((row.name.as_str(), row.name_lost_at), ("acme/found", None));
    assert_eq!((row.default_branch.as_str(), row.archive), ("next", Archive::Archived));
}

#[tokio::test]
async fn a_repository_that_an_older_drover_saw_gets_its_number() {
    let world = World::new().await;
    let conn = &mut *world.db.conn().await;
    let rows = repositories::upsert(conn, world.code_host, &[seen_as(1, "acme/a")]).await.unwrap();
    world.db.run("UPDATE repositories SET external_id = NULL").await;
    let again = repositories::upsert(conn, world.code_host, &[seen_as(1, "Acme/A")]).await.unwrap();
    assert_eq!(again[0].id, rows[0].id);
    assert_eq!(again[0].external_id, Some(HostRepoId(1)));
}

#[tokio::test]
async fn home_lists_campaigns_with_counts() {
    let (world, _) = with_changeset().await;
    let conn = &mut *world.db.conn().await;
    let page = campaigns::list(conn, None).await.unwrap();
    assert_eq!(page.rows[0].summary, "First line");
    assert_eq!(page.rows[0].counts.processing, 1);
    let after = campaigns::list(conn, Some("0.00000000-0000-0000-0000-000000000000")).await;
    assert!(after.unwrap().rows.is_empty());
    assert!(matches!(campaigns::list(conn, Some("x")).await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn work_is_queued_with_what_makes_it_necessary_or_not_at_all() {
    let world = World::new().await;
    let conn = &mut *world.db.conn().await;
    let failed: Result<(), StoreError> = conn
        .transaction(async |conn| {
            let job = NewJob::new("work", serde_json::json!({}));
            jobs::enqueue(conn, &[job], Ask::Hint).await?;
            Err(StoreError::NotFound { what: "reason" })
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(world.db.count("SELECT count(*) FROM jobs").await, 0);
}
